/*
ops.plain_number and ops.field_error: the only places that know how the types of SQL Server are written in JSON. What they let through is
stored as the value that was sent: nothing is rounded, cut or replaced, and 1e-7, 1.500 and 1.0 are the numbers that they say.

ops.plain_number: the digits of a JSON number without exponent and needless zeros. 1.50e1 is 15, -0 is 0. NULL for what has more than 400
digits before or behind the point, which no DECIMAL has.
*/
CREATE OR ALTER FUNCTION ops.plain_number
(
    @Number NVARCHAR(4000)
)
RETURNS NVARCHAR(4000)
AS
BEGIN
    DECLARE @E INT = PATINDEX(N'%[eE]%', @Number);
    DECLARE @Exponent INT = IIF(@E = 0, 0, TRY_CONVERT(INT, SUBSTRING(@Number, @E + 1, 4000)));
    DECLARE @Mantissa NVARCHAR(4000) = REPLACE(IIF(@E = 0, @Number, LEFT(@Number, @E - 1)), N'-', N'');
    -- Without zeros at the beginning: blanks can be trimmed.
    DECLARE @Blanks NVARCHAR(4000) = REPLACE(REPLACE(@Mantissa, N'.', N''), N'0', N' ');
    DECLARE @Leading INT = (DATALENGTH(@Blanks) - DATALENGTH(LTRIM(@Blanks))) / 2;
    DECLARE @Digits NVARCHAR(4000) = REPLACE(LTRIM(RTRIM(@Blanks)), N' ', N'0');
    -- The number of digits before the point. A BIGINT, because the exponent may be the largest INT.
    DECLARE @Before BIGINT = CHARINDEX(N'.', CONCAT(@Mantissa, N'.')) - 1 - @Leading + CONVERT(BIGINT, @Exponent);

    IF @Digits = N''
        RETURN N'0';
    IF @Before IS NULL OR @Before NOT BETWEEN -400 AND 400
        RETURN NULL;
    RETURN CONCAT
    (
        IIF(@Number LIKE N'-%', N'-', N''),
        CASE
            WHEN @Before <= 0 THEN CONCAT(N'0.', REPLICATE(N'0', -@Before), @Digits)
            WHEN @Before >= LEN(@Digits) THEN CONCAT(@Digits, REPLICATE(N'0', @Before - LEN(@Digits)))
            ELSE CONCAT(LEFT(@Digits, @Before), N'.', SUBSTRING(@Digits, @Before + 1, 4000))
        END
    );
END;
GO

/*
ops.in_code_page: whether a code page has every character of a text, and how many bytes the text has in it. A collation of each code page
stands for all of them.

Result: one row
  IsKept  1 = the text comes back as it was; NULL for a code page that is not here
  Bytes
*/
CREATE OR ALTER FUNCTION ops.in_code_page
(
    @Value NVARCHAR(MAX),
    @CodePage INT
)
RETURNS TABLE
AS
RETURN
    SELECT
        CASE @CodePage
            WHEN 1252 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Latin1_General_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 1250 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Polish_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 1251 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Cyrillic_General_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 1253 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Greek_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 1254 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Turkish_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 1255 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Hebrew_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 1256 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Arabic_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 1257 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Latvian_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 1258 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Vietnamese_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 874 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Thai_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 932 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Japanese_XJIS_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 936 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Chinese_Simplified_Pinyin_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 949 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Korean_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 950 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Chinese_Traditional_Stroke_Count_100_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 65001 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE Latin1_General_100_BIN2_UTF8)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 437 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE SQL_Latin1_General_CP437_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
            WHEN 850 THEN IIF(CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value COLLATE SQL_Latin1_General_CP850_BIN2)) = @Value COLLATE Latin1_General_100_BIN2, 1, 0)
        END AS IsKept,
        CASE @CodePage
            WHEN 1252 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Latin1_General_100_BIN2))
            WHEN 1250 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Polish_100_BIN2))
            WHEN 1251 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Cyrillic_General_100_BIN2))
            WHEN 1253 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Greek_100_BIN2))
            WHEN 1254 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Turkish_100_BIN2))
            WHEN 1255 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Hebrew_100_BIN2))
            WHEN 1256 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Arabic_100_BIN2))
            WHEN 1257 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Latvian_100_BIN2))
            WHEN 1258 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Vietnamese_100_BIN2))
            WHEN 874 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Thai_100_BIN2))
            WHEN 932 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Japanese_XJIS_100_BIN2))
            WHEN 936 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Chinese_Simplified_Pinyin_100_BIN2))
            WHEN 949 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Korean_100_BIN2))
            WHEN 950 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Chinese_Traditional_Stroke_Count_100_BIN2))
            WHEN 65001 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE Latin1_General_100_BIN2_UTF8))
            WHEN 437 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE SQL_Latin1_General_CP437_BIN2))
            WHEN 850 THEN DATALENGTH(CONVERT(VARCHAR(MAX), @Value COLLATE SQL_Latin1_General_CP850_BIN2))
        END AS Bytes;
GO

/*
ops.field_error: what is wrong with a member of a JSON object for a column of a type, or NULL.

Parameters
  @Type, @Value  of the member, as ops.members gives them; null is not asked about here
  @SqlType       bit, tinyint, smallint, int, bigint, decimal, money, smallmoney, real, float, date, time, smalldatetime, datetime,
                 datetime2, datetimeoffset, uniqueidentifier, binary (in base64), char and nchar (of any length, fixed or not); `char or number` and
                 `nchar or number` also take a number, as its text; `bigint or text` also takes the text of a number; object
  @Size          decimal: all digits; char, nchar, binary: the most characters or bytes, NULL for no limit
  @Scale         decimal, time, datetime2, datetimeoffset: digits behind the point; binary: the fewest bytes; char, nchar: 1 for a key, which is neither empty nor . or .., because no path has these
  @Collation     char: of the column, NULL for the database's. Its code page must have every character, because another one would be stored

Result: one row, Message

Lengths come before conversions: TRY_CONVERT of a text of more than 4,000 characters is an error that no TRY_ catches. What is longer is cut
here, and refused.
*/
CREATE OR ALTER FUNCTION ops.field_error
(
    @Type INT,
    @Value NVARCHAR(MAX),
    @SqlType NVARCHAR(20),
    @Size INT,
    @Scale INT,
    @Collation NVARCHAR(128)
)
RETURNS TABLE
AS
RETURN
    SELECT
        CASE
            WHEN @SqlType = N'object' THEN IIF(@Type = 5, NULL, N'must be an object')
            WHEN @SqlType = N'bit' THEN IIF(@Type = 3, NULL, N'must be true or false')
            WHEN @SqlType LIKE N'%char%' THEN
                CASE
                    WHEN @Type <> 1 AND NOT (@Type = 2 AND @SqlType LIKE N'%number') THEN
                        IIF(@SqlType LIKE N'%number', N'must be a string or a number', N'must be a string')
                    WHEN DATALENGTH(@Value) / 2 < @Scale THEN N'must not be empty'
                    -- LIKE, because = would take trailing blanks for nothing.
                    WHEN @Scale = 1 AND (@Value COLLATE Latin1_General_100_BIN2 LIKE N'.' OR @Value COLLATE Latin1_General_100_BIN2 LIKE N'..') THEN N'must not be . or .., which a path cannot have'
                    WHEN DATALENGTH(@Value) / 2 > @Size THEN CONCAT(N'must be at most ', @Size, N' characters')
                    WHEN @SqlType LIKE N'char%' AND (c.IsKept = 0 OR c.Bytes > @Size) THEN N'has a character that the column cannot keep'
                END
            WHEN r.Minimum IS NOT NULL THEN
                IIF
                (
                    p.Plain NOT LIKE N'%.%' AND TRY_CONVERT(DECIMAL(38, 0), LEFT(p.Plain, 38)) BETWEEN r.Minimum AND r.Maximum
                    AND LEN(p.Plain) <= 38,
                    NULL, CONCAT(N'must be a whole number from ', r.Minimum, N' to ', r.Maximum)
                )
            WHEN @SqlType = N'decimal' THEN
                IIF
                (
                    @Type = 2 AND p.Behind <= @Scale AND p.Before <= @Size - @Scale,
                    NULL, CONCAT(N'must be a number with at most ', @Size - @Scale, N' digits before the point and ', @Scale, N' behind it')
                )
            WHEN @SqlType IN (N'money', N'smallmoney') THEN
                IIF
                (
                    @Type = 2 AND p.Behind <= 4 AND p.Before <= 15 AND TRY_CONVERT(DECIMAL(38, 4), LEFT(p.Plain, 38))
                        BETWEEN IIF(@SqlType = N'money', -922337203685477.5808, -214748.3648)
                        AND IIF(@SqlType = N'money', 922337203685477.5807, 214748.3647),
                    NULL,
                    IIF(@SqlType = N'money', N'must be a number from -922337203685477.5808 to 922337203685477.5807, with at most 4 digits behind the point',
                        N'must be a number from -214748.3648 to 214748.3647, with at most 4 digits behind the point')
                )
            WHEN @SqlType = N'real' THEN
                IIF(@Type = 2 AND ABS(t.AsFloat) <= 3.4E+38, NULL, N'must be a number of at most 3.40E+38')
            WHEN @SqlType = N'float' THEN
                IIF(@Type = 2 AND ABS(t.AsFloat) <= 1.79E+308, NULL, N'must be a number of at most 1.79E+308')
            WHEN @SqlType = N'uniqueidentifier' THEN
                IIF
                (
                    @Type = 1 AND DATALENGTH(@Value) = 72 AND TRY_CONVERT(UNIQUEIDENTIFIER, LEFT(s.Text, 36)) IS NOT NULL,
                    NULL, N'must be a UUID'
                )
            WHEN @SqlType = N'date' THEN
                IIF
                (
                    @Type = 1 AND s.Shape LIKE N'0000-00-00' AND TRY_CONVERT(DATE, s.Text, 23) IS NOT NULL,
                    NULL, N'must be a date, such as 2026-01-31'
                )
            WHEN @SqlType = N'binary' THEN
                IIF
                (
                    @Type = 1 AND b.Bytes BETWEEN ISNULL(@Scale, 0) AND ISNULL(@Size, 2147483647),
                    NULL, CONCAT(N'must be ', CASE WHEN @Scale IS NOT NULL THEN CONCAT(@Size, N' ') WHEN @Size IS NOT NULL THEN CONCAT(N'at most ', @Size, N' ') END,
                        N'bytes in base64')
                )
            ELSE
                IIF
                (
                    @Type = 1
                    AND (z.Shape LIKE z.Seconds OR z.Behind BETWEEN 1 AND 7 AND z.Shape LIKE CONCAT(z.Seconds, N'.', REPLICATE(N'0', z.Behind)))
                    -- Digits that the column does not keep must be zeros. DATETIME keeps thirds of hundredths.
                    AND CASE
                        WHEN @SqlType <> N'datetime' THEN IIF(SUBSTRING(z.Digits, @Scale + 1, 7) NOT LIKE N'%[1-9]%', 1, 0)
                        WHEN LEFT(CONCAT(z.Digits, N'0000000'), 7) LIKE N'[0-9][0-9][037]0000' THEN 1
                        ELSE 0
                    END = 1
                    AND CASE @SqlType
                        WHEN N'time' THEN IIF(TRY_CONVERT(TIME(7), s.Text) IS NULL, 0, 1)
                        WHEN N'smalldatetime' THEN IIF(TRY_CONVERT(SMALLDATETIME, LEFT(z.Local, 19), 126) IS NULL OR LEFT(z.Local, 19) NOT LIKE N'%00', 0, 1)
                        WHEN N'datetime' THEN IIF(TRY_CONVERT(DATETIME, LEFT(z.Local, 23), 126) IS NULL, 0, 1)
                        WHEN N'datetime2' THEN IIF(TRY_CONVERT(DATETIME2(7), z.Local, 126) IS NULL, 0, 1)
                        WHEN N'datetimeoffset' THEN IIF(TRY_CONVERT(DATETIMEOFFSET(7), s.Text) IS NULL, 0, 1)
                    END = 1,
                    NULL,
                    CONCAT
                    (
                        CASE @SqlType
                            WHEN N'time' THEN N'must be a time, such as 12:30:00'
                            WHEN N'datetimeoffset' THEN N'must be a date and time with an offset, such as 2026-01-31T12:30:00+01:00'
                            ELSE N'must be a date and time without an offset, such as 2026-01-31T12:30:00'
                        END,
                        CASE @SqlType
                            WHEN N'smalldatetime' THEN N', with 00 seconds and from 1900-01-01 to 2079-06-06'
                            WHEN N'datetime' THEN N', with no digits of a second or three that end in 0, 3 or 7'
                            ELSE CONCAT(N', with at most ', @Scale, N' digits of a second')
                        END
                    )
                )
        END AS Message
    FROM
    (
        SELECT
            t.Text,
            -- All digits are 0. The collation excludes digits of other scripts.
            TRANSLATE(t.Text COLLATE Latin1_General_100_BIN2, N'123456789', N'000000000') AS Shape,
            CASE WHEN DATALENGTH(@Value) <= 8000 AND (@Type = 2 OR @Type = 1 AND @SqlType LIKE N'% or text' AND DATALENGTH(t.Text) > 0
                AND t.Text NOT LIKE N'%[^-+.eE0-9]%' AND ISJSON(CONCAT(N'[', t.Text, N']')) = 1) THEN t.Text END AS Number
        FROM (SELECT CONVERT(NVARCHAR(4000), LEFT(@Value, 4000)) AS Text) AS t
    ) AS s
    CROSS APPLY
    (
        SELECT
            CONVERT(DECIMAL(19, 0), CASE @SqlType WHEN N'tinyint' THEN N'0' WHEN N'smallint' THEN N'-32768' WHEN N'int' THEN N'-2147483648'
                WHEN N'bigint' THEN N'-9223372036854775808' WHEN N'bigint or text' THEN N'-9223372036854775808' END) AS Minimum,
            CONVERT(DECIMAL(19, 0), CASE @SqlType WHEN N'tinyint' THEN N'255' WHEN N'smallint' THEN N'32767' WHEN N'int' THEN N'2147483647'
                WHEN N'bigint' THEN N'9223372036854775807' WHEN N'bigint or text' THEN N'9223372036854775807' END) AS Maximum
    ) AS r
    CROSS APPLY
    (
        SELECT
            n.Plain,
            CASE WHEN n.Plain LIKE N'0%' OR n.Plain LIKE N'-0%' THEN 0
                ELSE CHARINDEX(N'.', CONCAT(n.Plain, N'.')) - IIF(n.Plain LIKE N'-%', 2, 1) END AS Before,
            LEN(n.Plain) - CHARINDEX(N'.', CONCAT(n.Plain, N'.')) + IIF(n.Plain LIKE N'%.%', 0, 1) AS Behind
        FROM (SELECT ops.plain_number(s.Number) AS Plain) AS n
    ) AS p
    CROSS APPLY (SELECT TRY_CONVERT(FLOAT, s.Number) AS AsFloat) AS t
    CROSS APPLY
    (
        -- Without the offset, which a DATETIMEOFFSET must have. Any other date and time may end in Z: it is in UTC, as its client says.
        SELECT
            o.Local, o.Seconds, LEFT(s.Shape, DATALENGTH(o.Local) / 2) AS Shape,
            DATALENGTH(o.Local) / 2 - LEN(o.Seconds) - 1 AS Behind, SUBSTRING(o.Local, LEN(o.Seconds) + 2, 4000) AS Digits
        FROM
        (
            SELECT
                IIF(@SqlType = N'time', N'00:00:00', N'0000-00-00T00:00:00') AS Seconds,
                CASE
                    WHEN @SqlType = N'time' THEN s.Text
                    WHEN s.Shape LIKE N'%Z' THEN LEFT(s.Text, LEN(s.Text) - 1)
                    WHEN @SqlType <> N'datetimeoffset' THEN s.Text
                    WHEN s.Shape LIKE N'%[-+]00:00' THEN LEFT(s.Text, LEN(s.Text) - 6)
                END AS Local
        ) AS o
    ) AS z
    CROSS APPLY
    (
        SELECT CONVERT(INT, COLLATIONPROPERTY(COALESCE(@Collation, CONVERT(NVARCHAR(128), DATABASEPROPERTYEX(DB_NAME(), N'Collation'))),
            N'CodePage')) AS Number
    ) AS g
    CROSS APPLY ops.in_code_page(@Value, g.Number) AS c
    CROSS APPLY
    (
        -- The bits of the last character that stand for no byte must be zeros, so that what is shown is what was sent.
        SELECT CASE WHEN DATALENGTH(@Value) % 8 = 0 AND d.Digits NOT LIKE N'%[^A-Za-z0-9+/]%' AND d.Digits LIKE
                CASE d.Padding WHEN 0 THEN N'%' WHEN 1 THEN N'%[AEIMQUYcgkosw048]' ELSE N'%[AQgw]' END
            THEN DATALENGTH(@Value) / 8 * 3 - d.Padding END AS Bytes
        FROM
        (
            SELECT p.Padding, LEFT(@Value, DATALENGTH(@Value) / 2 - p.Padding) COLLATE Latin1_General_100_BIN2 AS Digits
            FROM
            (
                SELECT CASE WHEN @Value COLLATE Latin1_General_100_BIN2 LIKE N'%==' THEN 2
                    WHEN @Value COLLATE Latin1_General_100_BIN2 LIKE N'%=' THEN 1 ELSE 0 END AS Padding
            ) AS p
        ) AS d
    ) AS b;
GO
