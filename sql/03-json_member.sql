/*
web.json_member: a member of a JSON object.

Parameters
  @Object  a JSON object, or NULL. What is no JSON ends in an error
  @Name    compared exactly: case, and trailing blanks

Result: one row, or none when there is no such member. Of two with one name, the first.
  Value  its text: a string decoded, a number as it is written; NULL for JSON null
  Type   OPENJSON's: 0 null, 1 string, 2 number, 3 true or false, 4 array, 5 object

null and absent differ, which is why OPENJSON runs without a schema: only then does it tell them apart.
*/
CREATE OR ALTER FUNCTION web.json_member
(
    @Object NVARCHAR(MAX),
    @Name NVARCHAR(128)
)
RETURNS TABLE
WITH SCHEMABINDING
AS
RETURN
    SELECT TOP (1) m.Value, m.Type
    FROM
    (
        -- OPENJSON gives the members in the order of the text, and the number keeps it.
        SELECT j.[key] AS Name, j.[value] AS Value, j.[type] AS Type, ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) AS Position
        FROM OPENJSON(@Object) AS j
    ) AS m
    -- DATALENGTH, because names that differ in trailing blanks would be equal.
    WHERE m.Name = @Name COLLATE Latin1_General_100_BIN2 AND DATALENGTH(m.Name) = DATALENGTH(@Name)
    ORDER BY m.Position;
GO
