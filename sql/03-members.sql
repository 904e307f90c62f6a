/*
ops.members: the members of a JSON object, and those of objects in it, from one reading of the text.

Parameters
  @Object  a JSON object, or NULL. What is no JSON ends in an error

Result: one row a member. Of two with one name, the first; a name of more than 128 characters, or with a point, is none that a field has.
  Field  its name, compared exactly; Delivery.PostalCode for that of an object
  Value  its text: a string decoded, a number as it is written; NULL for JSON null
  Type   OPENJSON's: 0 null, 1 string, 2 number, 3 true or false, 4 array, 5 object

null and absent differ, which is why OPENJSON runs without a schema: only then does it tell them apart.
*/
CREATE OR ALTER FUNCTION ops.members
(
    @Object NVARCHAR(MAX)
)
RETURNS TABLE
AS
RETURN
    SELECT
        CONCAT(r.Name, IIF(m.Name IS NULL, N'', N'.'), m.Name) COLLATE Latin1_General_100_BIN2 AS Field, m.Value, m.Type
    FROM
    (
        -- OPENJSON gives the members in the order of the text, and the number keeps it. DATALENGTH, because names that differ in
        -- trailing blanks would be equal.
        SELECT o.Name, o.Value, o.Type, ROW_NUMBER() OVER (PARTITION BY o.Name, DATALENGTH(o.Name) ORDER BY o.Position) AS Nth
        FROM
        (
            SELECT j.[key] AS Name, j.[value] AS Value, j.[type] AS Type, ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) AS Position
            FROM OPENJSON(@Object) AS j
        ) AS o
        WHERE DATALENGTH(o.Name) <= 256 AND CHARINDEX(N'.', o.Name) = 0
    ) AS r
    CROSS APPLY
    (
        SELECT NULL AS Name, r.Value, r.Type, 1 AS Nth
        UNION ALL
        SELECT i.Name, i.Value, i.Type, ROW_NUMBER() OVER (PARTITION BY i.Name, DATALENGTH(i.Name) ORDER BY i.Position) AS Nth
        FROM
        (
            SELECT j.[key] AS Name, j.[value] AS Value, j.[type] AS Type, ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) AS Position
            FROM OPENJSON(CASE WHEN r.Type = 5 THEN r.Value END) AS j
        ) AS i
        WHERE DATALENGTH(i.Name) <= 256 AND CHARINDEX(N'.', i.Name) = 0
    ) AS m
    WHERE r.Nth = 1 AND m.Nth = 1;
GO
