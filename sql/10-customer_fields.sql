/*
web.customer_fields: which fields a JSON object gives for a customer, and what is wrong with each. The only place that knows
the names, types and lengths a client may send; web.put_customer and web.patch_customer read it.

Parameters
  @Json   the text as the client sent it
  @IsNew  1 = a new customer: a required field that is absent is an error; 0 = a merge patch: absent means keep

Result: one row a field in the order in which errors are reported; no rows when @Json is not a JSON object (or NULL).
  Position   1..8
  Field      path as the client writes it
  IsPresent  1 = the object has the field, also as null
  Value      its text; NULL for JSON null. A JSON number gives its text exactly as written
  Message    what is wrong with it, or NULL

Rules
  - Unknown members are ignored. Names are case-sensitive. Of two members with one name the first counts.
  - Lengths count UTF-16 code units, as NVARCHAR(n) does, trailing blanks included.
  - null and absent differ (RFC 7396), which is why OPENJSON runs without a schema: only then does it tell them apart.
  - A text with more than 128 levels of nesting ends in error 13606: the caller must expect it.
*/
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

CREATE OR ALTER FUNCTION web.customer_fields
(
    @Json NVARCHAR(MAX),
    @IsNew BIT
)
RETURNS @Fields TABLE
(
    Position INT NOT NULL PRIMARY KEY,
    Field NVARCHAR(40) NOT NULL,
    IsPresent BIT NOT NULL,
    Value NVARCHAR(MAX) NULL,
    Message NVARCHAR(100) NULL
)
AS
BEGIN
    -- ISJSON is 1 for an object or an array, and never for anything else in SQL Server.
    IF @Json IS NULL OR ISJSON(@Json) = 0
        RETURN;

    -- As the only element of an array, the text gives one row, and that row has its type: 5 is an object.
    IF NOT EXISTS (SELECT 1 FROM OPENJSON(CONCAT(N'[', @Json, N']')) AS j WHERE j.[type] = 5)
        RETURN;

    DECLARE @Rules TABLE
    (
        Position INT NOT NULL PRIMARY KEY,
        Field NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        Expected NVARCHAR(30) NOT NULL,
        MaxLength INT NULL,
        IsRequired BIT NOT NULL,
        IsNullable BIT NOT NULL
    );

    -- Delivery itself is not required: when it is absent, its required members are reported instead.
    INSERT INTO @Rules (Position, Field, Expected, MaxLength, IsRequired, IsNullable)
    VALUES
        (1, N'CustomerName', N'a string', 100, 1, 0),
        (2, N'PhoneNumber', N'a string', 20, 1, 0),
        (3, N'FaxNumber', N'a string', 20, 1, 0),
        (4, N'WebsiteURL', N'a string', 256, 1, 0),
        (5, N'Delivery', N'an object', NULL, 0, 0),
        (6, N'Delivery.AddressLine1', N'a string', 60, 1, 0),
        (7, N'Delivery.AddressLine2', N'a string', 60, 0, 1),
        (8, N'Delivery.PostalCode', N'a string or a number', 10, 1, 0);

    -- OPENJSON gives the members in the order of the text, and Position keeps that order, so that the first of two can be told.
    DECLARE @Members TABLE
    (
        Position INT IDENTITY(1, 1) NOT NULL PRIMARY KEY,
        Field NVARCHAR(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        Value NVARCHAR(MAX) NULL,
        Type INT NOT NULL
    );

    INSERT INTO @Members (Field, Value, Type)
    SELECT j.[key], j.[value], j.[type]
    FROM OPENJSON(@Json) AS j
    WHERE j.[key] IN (N'CustomerName', N'PhoneNumber', N'FaxNumber', N'WebsiteURL', N'Delivery');

    DECLARE @Delivery NVARCHAR(MAX);
    DECLARE @DeliveryType INT;

    -- DATALENGTH makes the comparison exact: without it, a name with trailing blanks would be equal.
    SELECT TOP (1) @Delivery = m.Value, @DeliveryType = m.Type
    FROM @Members AS m
    WHERE m.Field = N'Delivery' AND DATALENGTH(m.Field) = DATALENGTH(N'Delivery')
    ORDER BY m.Position;

    IF @DeliveryType = 5
        INSERT INTO @Members (Field, Value, Type)
        SELECT CONCAT(N'Delivery.', j.[key]), j.[value], j.[type]
        FROM OPENJSON(@Delivery) AS j
        WHERE j.[key] IN (N'AddressLine1', N'AddressLine2', N'PostalCode');

    INSERT INTO @Fields (Position, Field, IsPresent, Value, Message)
    SELECT
        r.Position,
        r.Field,
        CASE WHEN m.Type IS NULL THEN 0 ELSE 1 END,
        m.Value,
        CASE
            -- A Delivery that is null or not an object has its own error; its members are not reported on top of it.
            WHEN m.Type IS NULL THEN
                CASE WHEN @IsNew = 1 AND r.IsRequired = 1 AND NOT (r.Field LIKE N'Delivery.%' AND ISNULL(@DeliveryType, 5) <> 5)
                     THEN N'is required' END
            WHEN m.Type = 0 THEN
                CASE WHEN r.IsNullable = 0 THEN N'must not be null' END
            WHEN m.Type <> CASE WHEN r.Expected = N'an object' THEN 5 ELSE 1 END
                AND NOT (m.Type = 2 AND r.Expected = N'a string or a number') THEN
                CONCAT(N'must be ', r.Expected)
            -- LEN leaves out trailing blanks, hence the dot; under a binary collation it counts code units, not characters.
            WHEN LEN(CONCAT(m.Value, N'.') COLLATE Latin1_General_100_BIN2) - 1 > r.MaxLength THEN
                CONCAT(N'must be at most ', r.MaxLength, N' characters')
        END
    FROM @Rules AS r
    LEFT JOIN
    (
        SELECT a.Field, a.Value, a.Type
        FROM @Members AS a
        WHERE NOT EXISTS
        (
            SELECT 1
            FROM @Members AS b
            WHERE b.Field = a.Field AND DATALENGTH(b.Field) = DATALENGTH(a.Field) AND b.Position < a.Position
        )
    ) AS m ON m.Field = r.Field AND DATALENGTH(m.Field) = DATALENGTH(r.Field);

    RETURN;
END;
GO
