/*
ops.problem: the text of an answer that is no success, {"detail": …}.
*/
CREATE OR ALTER FUNCTION ops.problem
(
    @Detail NVARCHAR(4000)
)
RETURNS NVARCHAR(MAX)
AS
BEGIN
    RETURN (SELECT @Detail AS detail FOR JSON PATH, WITHOUT_ARRAY_WRAPPER);
END;
GO

/*
ops.fields_problem: the answer to invalid fields, from [{"field": …, "message": …}, …].
*/
CREATE OR ALTER FUNCTION ops.fields_problem
(
    @Entity NVARCHAR(128),
    @Errors NVARCHAR(MAX)
)
RETURNS NVARCHAR(MAX)
AS
BEGIN
    RETURN
    (
        SELECT CONCAT(N'The ', REPLACE(@Entity, N'_', N' '), N' has invalid fields.') AS detail, JSON_QUERY(@Errors) AS errors
        FOR JSON PATH, WITHOUT_ARRAY_WRAPPER
    );
END;
GO

/*
ops.key_problem: the answer to a patch that would change the key of its row, or NULL.

Parameters
  @Entity
  @Json      a JSON object
  @Field     the member for the key
  @SqlType   of the key, as in ops.field_error
  @Key       of the row, as its text. Texts must be equal in every character, UUIDs without case, numbers as numbers
*/
CREATE OR ALTER FUNCTION ops.key_problem
(
    @Entity NVARCHAR(128),
    @Json NVARCHAR(MAX),
    @Field NVARCHAR(257),
    @SqlType NVARCHAR(40),
    @Key NVARCHAR(450)
)
RETURNS NVARCHAR(MAX)
AS
BEGIN
    DECLARE @Type INT, @Value NVARCHAR(MAX), @Message NVARCHAR(4000);
    SELECT @Type = m.Type, @Value = m.Value, @Message = e.Message
    FROM ops.members(@Json) AS m
    CROSS APPLY ops.field_error(m.Type, m.Value, @SqlType, NULL, NULL, NULL) AS e
    WHERE m.Field = @Field AND DATALENGTH(m.Field) = DATALENGTH(@Field);

    SET @Value = CASE
        WHEN @Message IS NOT NULL THEN NULL
        WHEN @SqlType = N'uniqueidentifier' THEN UPPER(@Value)
        WHEN @SqlType LIKE N'%int%' THEN ops.plain_number(@Value)
        ELSE @Value
    END;
    IF @Type IS NULL OR @Value = @Key COLLATE Latin1_General_100_BIN2
        RETURN NULL;
    RETURN ops.fields_problem(@Entity, (SELECT @Field AS field, N'must be the key of the row, which cannot be changed' AS message FOR JSON PATH));
END;
GO

/*
ops.field_errors: every field of an entity, and what is wrong with it in a JSON object, or NULL.
*/
CREATE OR ALTER FUNCTION ops.field_errors
(
    @Entity NVARCHAR(128),
    @IsNew BIT,
    @Object NVARCHAR(MAX)
)
RETURNS TABLE
AS
RETURN
    SELECT
        r.Position,
        r.Field,
        CASE
            -- An object that is null or none has its own error; its members are not reported on top of it.
            WHEN r.Type IS NULL THEN IIF(@IsNew = 1 AND r.IsRequired = 1 AND (r.IsMember = 0 OR ISNULL(r.ObjectType, 5) = 5), N'is required', NULL)
            WHEN r.Type = 0 THEN IIF(r.IsNullable = 1, NULL, N'must not be null')
            ELSE e.Message
        END AS Message
    FROM
    (
        SELECT
            f.Position, f.Field, f.SqlType, f.Size, f.Scale, f.Collation, f.IsRequired, f.IsNullable, m.Type, m.Value,
            SIGN(CHARINDEX(N'.', f.Field)) AS IsMember,
            FIRST_VALUE(m.Type) OVER
                (PARTITION BY LEFT(f.Field, CHARINDEX(N'.', CONCAT(f.Field, N'.')) - 1) ORDER BY f.Position ROWS UNBOUNDED PRECEDING) AS ObjectType
        FROM ops.Fields AS f
        -- DATALENGTH, because names that differ in trailing blanks would be equal.
        LEFT JOIN ops.members(@Object) AS m ON m.Field = f.Field AND DATALENGTH(m.Field) = DATALENGTH(f.Field)
        WHERE f.Entity = @Entity
    ) AS r
    CROSS APPLY ops.field_error(r.Type, r.Value, r.SqlType, r.Size, r.Scale, r.Collation) AS e;
GO

/*
ops.filter_error and ops.list_error: what is wrong with the value of a filter, or with the first wrong one of several between commas.

Parameters
  @Value, @List            the text of the query parameter, whose numbers and Booleans are as in JSON
  @SqlType, @Size, @Scale  as in ops.field_error

Result: one row of one value, and one row or none of several: Message, NULL where nothing is wrong
*/
CREATE OR ALTER FUNCTION ops.filter_error
(
    @Value NVARCHAR(4000),
    @SqlType NVARCHAR(20),
    @Size INT,
    @Scale INT
)
RETURNS TABLE
AS
RETURN
    SELECT e.Message
    FROM
    (
        SELECT CASE
            WHEN @SqlType = N'bit' THEN IIF(@Value COLLATE Latin1_General_100_BIN2 IN (N'true', N'false'), 3, 1)
            WHEN @SqlType NOT LIKE N'%int' AND @SqlType NOT IN (N'decimal', N'money', N'smallmoney', N'real', N'float') THEN 1
            ELSE IIF(ISJSON(CONCAT(N'[', @Value, N']')) = 1 AND @Value NOT LIKE N'%[^-+.eE0-9]%', 2, 1)
        END AS Type
    ) AS t
    CROSS APPLY ops.field_error(t.Type, @Value, @SqlType, @Size, @Scale, NULL) AS e;
GO

CREATE OR ALTER FUNCTION ops.list_error
(
    @List NVARCHAR(4000),
    @SqlType NVARCHAR(20),
    @Size INT,
    @Scale INT
)
RETURNS TABLE
AS
RETURN
    SELECT TOP (1) m.Message
    FROM STRING_SPLIT(@List, N',', 1) AS s
    CROSS APPLY ops.filter_error(s.value, @SqlType, @Size, @Scale) AS e
    CROSS APPLY
    (
        SELECT CASE
            WHEN s.ordinal > 100 THEN N'must have at most 100 values'
            WHEN DATALENGTH(s.value) = 0 THEN N'must have no empty value'
            ELSE e.Message
        END AS Message
    ) AS m
    WHERE m.Message IS NOT NULL
    ORDER BY s.ordinal;
GO

/*
ops.check_fields: what is wrong with the JSON that a client sent for a row of an entity, by the rows of ops.Fields.

Parameters
  @Entity
  @IsNew    1 = a new row: a required field that is absent is an error; 0 = a merge patch: absent means keep
  @Json     the text as the client sent it
  @Invalid  out: NULL = valid | 400 not a JSON object, or nested too deep for SQL Server | 422 invalid fields
  @Problem  out: the answer that says so

Unknown members are ignored. Names are case-sensitive. Of two members with one name the first counts, here as in OPENJSON … WITH.
*/
CREATE OR ALTER PROCEDURE ops.check_fields
    @Entity NVARCHAR(128),
    @IsNew BIT,
    @Json NVARCHAR(MAX),
    @Invalid INT OUTPUT,
    @Problem NVARCHAR(MAX) OUTPUT
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT OFF;

    DECLARE @Errors NVARCHAR(MAX);
    SELECT @Invalid = NULL, @Problem = NULL;

    BEGIN TRY
        -- ISJSON is 1 for an object or an array, of which the first bracket tells.
        IF ISJSON(@Json) = 1 AND SUBSTRING(@Json, PATINDEX(N'%[[{]%', @Json), 1) = N'{'
            SET @Errors =
            (
                SELECT f.Field AS field, f.Message AS message
                FROM ops.field_errors(@Entity, @IsNew, @Json) AS f
                WHERE f.Message IS NOT NULL
                ORDER BY f.Position
                FOR JSON PATH
            );
        ELSE
            SET @Invalid = 400;
    END TRY
    BEGIN CATCH
        -- 13606: nested too deep.
        IF ERROR_NUMBER() <> 13606 OR XACT_STATE() = -1
            THROW;
        SET @Invalid = 400;
    END CATCH;

    IF @Errors IS NOT NULL
        SET @Invalid = 422;
    SET @Problem = CASE @Invalid
        WHEN 400 THEN ops.problem(N'The body is not a JSON object.')
        WHEN 422 THEN ops.fields_problem(@Entity, @Errors)
    END;
END;
GO
