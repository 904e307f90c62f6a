/*
web.customer_fields: which fields a JSON object gives for a customer, and what is wrong with each. The only place that knows
the names, types and lengths a client may send; web.put_customer and web.patch_customer read it.

Parameters
  @Json   the text as the client sent it
  @IsNew  1 = a new customer: a required field that is absent is an error; 0 = a merge patch: absent means keep

Result: one row a field; no rows when @Json is not a JSON object (or NULL).
  Position   1..8, the order in which errors are reported
  Field      path as the client writes it
  IsPresent  1 = the object has the field, also as null
  Value      its text; NULL for JSON null. A JSON number gives its text exactly as written
  Message    what is wrong with it, or NULL

Rules
  - Unknown members are ignored. Names are case-sensitive. Of two members with one name the first counts.
  - Lengths count UTF-16 code units, as NVARCHAR(n) does, trailing blanks included.
  - A text with more than 128 levels of nesting ends in error 13606: the caller must expect it.
*/
-- Of another kind in older databases, which cannot be altered into this one.
IF OBJECT_ID(N'web.customer_fields', N'TF') IS NOT NULL
    DROP FUNCTION web.customer_fields;
GO

CREATE OR ALTER FUNCTION web.customer_fields
(
    @Json NVARCHAR(MAX),
    @IsNew BIT
)
RETURNS TABLE
AS
RETURN
    SELECT
        r.Position,
        r.Field,
        CASE WHEN m.Type IS NULL THEN 0 ELSE 1 END AS IsPresent,
        m.Value,
        CASE
            -- A Delivery that is null or not an object has its own error; its members are not reported on top of it.
            WHEN m.Type IS NULL THEN
                CASE WHEN @IsNew = 1 AND r.IsRequired = 1 AND NOT (r.Field LIKE N'Delivery.%' AND ISNULL(d.Type, 5) <> 5)
                     THEN N'is required' END
            WHEN m.Type = 0 THEN
                CASE WHEN r.IsNullable = 0 THEN N'must not be null' END
            WHEN m.Type <> CASE WHEN r.Expected = N'an object' THEN 5 ELSE 1 END
                AND NOT (m.Type = 2 AND r.Expected = N'a string or a number') THEN
                CONCAT(N'must be ', r.Expected)
            WHEN DATALENGTH(m.Value) / 2 > r.MaxLength THEN
                CONCAT(N'must be at most ', r.MaxLength, N' characters')
        END AS Message
    FROM
    (
        -- ISJSON is 1 for an object or an array, of which the first bracket tells. In a CASE, because OPENJSON throws at anything else.
        SELECT CASE WHEN ISJSON(@Json) = 1 AND SUBSTRING(@Json, PATINDEX(N'%[[{]%', @Json), 1) = N'{' THEN @Json END AS Object
    ) AS t
    OUTER APPLY web.json_member(t.Object, N'Delivery') AS d
    CROSS JOIN
    (
        -- Delivery itself is not required: when it is absent, its required members are reported instead.
        VALUES
            (1, N'CustomerName', N'a string', 100, 1, 0),
            (2, N'PhoneNumber', N'a string', 20, 1, 0),
            (3, N'FaxNumber', N'a string', 20, 1, 0),
            (4, N'WebsiteURL', N'a string', 256, 1, 0),
            (5, N'Delivery', N'an object', NULL, 0, 0),
            (6, N'Delivery.AddressLine1', N'a string', 60, 1, 0),
            (7, N'Delivery.AddressLine2', N'a string', 60, 0, 1),
            (8, N'Delivery.PostalCode', N'a string or a number', 10, 1, 0)
    ) AS r (Position, Field, Expected, MaxLength, IsRequired, IsNullable)
    OUTER APPLY web.json_member
    (
        CASE WHEN r.Field NOT LIKE N'Delivery.%' THEN t.Object WHEN d.Type = 5 THEN d.Value END,
        REPLACE(r.Field, N'Delivery.', N'')
    ) AS m
    WHERE t.Object IS NOT NULL;
GO
