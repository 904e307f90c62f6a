/*
web.field_error: what is wrong with a member of a JSON object for a column of a type, or NULL. The only place that knows how the types
of SQL Server are written in JSON. What it lets through is stored as it was sent: nothing is rounded, cut or replaced.

Parameters
  @Type, @Value  of the member, as web.json_member gives them; null is not asked about here
  @SqlType       bit, tinyint, smallint, int, bigint, decimal, real, float, date, time, datetime, datetime2, datetimeoffset,
                 uniqueidentifier, char and nchar (of any length, fixed or not); `nchar or number` also takes a number, as its text;
                 object
  @Size          decimal: all digits; char, nchar: the most characters, NULL for no limit
  @Scale         decimal, time, datetime, datetime2, datetimeoffset: digits behind the point; char, nchar: 1 for what must not be empty;
                 whole numbers: the least, NULL for that of the type

Result: one row, Message

char is for the types with a code page: what the database's has no character for is refused, because it would become another one.
*/
CREATE OR ALTER FUNCTION web.field_error
(
    @Type INT,
    @Value NVARCHAR(MAX),
    @SqlType NVARCHAR(20),
    @Size INT,
    @Scale INT
)
RETURNS TABLE
AS
RETURN
    SELECT
        CASE
            WHEN @SqlType = N'object' THEN IIF(@Type = 5, NULL, N'must be an object')
            WHEN @SqlType = N'bit' THEN IIF(@Type = 3, NULL, N'must be true or false')
            WHEN @SqlType IN (N'char', N'nchar', N'nchar or number') THEN
                CASE
                    WHEN @Type <> 1 AND NOT (@Type = 2 AND @SqlType = N'nchar or number') THEN
                        IIF(@SqlType = N'nchar or number', N'must be a string or a number', N'must be a string')
                    WHEN DATALENGTH(@Value) / 2 < @Scale THEN N'must not be empty'
                    WHEN DATALENGTH(@Value) / 2 > @Size THEN CONCAT(N'must be at most ', @Size, N' characters')
                    WHEN @SqlType = N'char' AND
                    (
                        CONVERT(NVARCHAR(MAX), CONVERT(VARCHAR(MAX), @Value)) <> @Value COLLATE Latin1_General_100_BIN2
                        OR DATALENGTH(CONVERT(VARCHAR(MAX), @Value)) > @Size
                    ) THEN N'has a character that the column cannot keep'
                END
            WHEN s.Minimum IS NOT NULL THEN
                IIF
                (
                    @Type = 2 AND @Value NOT LIKE N'%[^-0-9]%' AND TRY_CONVERT(DECIMAL(38, 0), @Value) BETWEEN s.Minimum AND s.Maximum,
                    NULL, CONCAT(N'must be a whole number from ', s.Minimum, N' to ', s.Maximum)
                )
            WHEN @SqlType = N'decimal' THEN
                IIF
                (
                    @Type = 2 AND @Value NOT LIKE N'%[^-.0-9]%' AND LEN(s.Digits) - s.Point <= @Scale
                    AND IIF(s.Digits LIKE N'0%', 0, s.Point - 1) <= @Size - @Scale,
                    NULL, CONCAT(N'must be a number with at most ', @Size - @Scale, N' digits before the point and ', @Scale, N' behind it')
                )
            WHEN @SqlType = N'real' THEN
                IIF(@Type = 2 AND ABS(TRY_CONVERT(FLOAT, @Value)) <= 3.4E+38, NULL, N'must be a number of at most 3.40E+38')
            WHEN @SqlType = N'float' THEN
                IIF(@Type = 2 AND ABS(TRY_CONVERT(FLOAT, @Value)) <= 1.79E+308, NULL, N'must be a number of at most 1.79E+308')
            WHEN @SqlType = N'uniqueidentifier' THEN
                IIF
                (
                    @Type = 1 AND DATALENGTH(@Value) = 72 AND TRY_CONVERT(UNIQUEIDENTIFIER, @Value) IS NOT NULL,
                    NULL, N'must be a UUID'
                )
            WHEN @SqlType = N'date' THEN
                IIF
                (
                    @Type = 1 AND s.Shape LIKE N'0000-00-00' AND TRY_CONVERT(DATE, @Value, 23) IS NOT NULL,
                    NULL, N'must be a date, such as 2026-01-31'
                )
            ELSE
                IIF
                (
                    @Type = 1 AND
                    (
                        z.Shape LIKE z.Seconds
                        OR z.Fraction BETWEEN 1 AND @Scale AND z.Shape LIKE CONCAT(z.Seconds, N'.', REPLICATE(N'0', z.Fraction))
                        -- It keeps thirds of hundredths.
                        AND (@SqlType <> N'datetime' OR z.Fraction = 3 AND RIGHT(@Value, 1) IN (N'0', N'3', N'7'))
                    )
                    AND CASE @SqlType
                        WHEN N'time' THEN IIF(TRY_CONVERT(TIME(7), @Value) IS NULL, 0, 1)
                        WHEN N'datetime' THEN IIF(TRY_CONVERT(DATETIME, @Value, 126) IS NULL, 0, 1)
                        WHEN N'datetime2' THEN IIF(TRY_CONVERT(DATETIME2(7), @Value, 126) IS NULL, 0, 1)
                        WHEN N'datetimeoffset' THEN IIF(TRY_CONVERT(DATETIMEOFFSET(7), @Value) IS NULL, 0, 1)
                    END = 1,
                    NULL,
                    CONCAT
                    (
                        CASE @SqlType
                            WHEN N'time' THEN N'must be a time, such as 12:30:00'
                            WHEN N'datetimeoffset' THEN N'must be a date and time with an offset, such as 2026-01-31T12:30:00+01:00'
                            ELSE N'must be a date and time without an offset, such as 2026-01-31T12:30:00'
                        END,
                        IIF(@SqlType = N'datetime', N', with no digits of a second or three that end in 0, 3 or 7',
                            CONCAT(N', with at most ', @Scale, N' digits of a second'))
                    )
                )
        END AS Message
    FROM
    (
        SELECT
            CONVERT(DECIMAL(19, 0), CASE
                WHEN @SqlType IN (N'tinyint', N'smallint', N'int', N'bigint') AND @Scale IS NOT NULL THEN CONVERT(NVARCHAR(20), @Scale)
                WHEN @SqlType = N'tinyint' THEN N'0'
                WHEN @SqlType = N'smallint' THEN N'-32768'
                WHEN @SqlType = N'int' THEN N'-2147483648'
                WHEN @SqlType = N'bigint' THEN N'-9223372036854775808'
            END) AS Minimum,
            CONVERT(DECIMAL(19, 0), CASE @SqlType WHEN N'tinyint' THEN N'255' WHEN N'smallint' THEN N'32767' WHEN N'int' THEN N'2147483647'
                WHEN N'bigint' THEN N'9223372036854775807' END) AS Maximum,
            -- All digits are 0. The collation keeps those of other scripts apart.
            TRANSLATE(@Value COLLATE Latin1_General_100_BIN2, N'123456789', N'000000000') AS Shape,
            REPLACE(@Value, N'-', N'') AS Digits,
            CHARINDEX(N'.', CONCAT(REPLACE(@Value, N'-', N''), N'.')) AS Point
    ) AS s
    CROSS APPLY
    (
        -- Without the offset, which a DATETIMEOFFSET must have.
        SELECT
            CASE
                WHEN @SqlType <> N'datetimeoffset' THEN s.Shape
                WHEN s.Shape LIKE N'%Z' THEN LEFT(s.Shape, LEN(s.Shape) - 1)
                WHEN s.Shape LIKE N'%[-+]00:00' THEN LEFT(s.Shape, LEN(s.Shape) - 6)
            END AS Shape,
            IIF(@SqlType = N'time', N'00:00:00', N'0000-00-00T00:00:00') AS Seconds
    ) AS o
    CROSS APPLY (SELECT o.Shape, o.Seconds, LEN(o.Shape) - LEN(o.Seconds) - 1 AS Fraction) AS z;
GO
