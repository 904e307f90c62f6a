/*
ops.unique_indexes, ops.foreign_keys and ops.check_table: what the script of an entity asks of the catalog when it is applied.

ops.unique_indexes: the primary key, unique constraints and unique indexes of a table, each with its columns: [A],[B].
*/
CREATE OR ALTER FUNCTION ops.unique_indexes
(
    @Table NVARCHAR(517)
)
RETURNS TABLE
AS
RETURN
    SELECT i.name AS Name, i.has_filter AS IsFiltered, STRING_AGG(QUOTENAME(c.name), N',') WITHIN GROUP (ORDER BY k.key_ordinal) AS Columns
    FROM sys.indexes AS i
    INNER JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.key_ordinal > 0
    INNER JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
    WHERE i.object_id = OBJECT_ID(@Table) AND i.is_unique = 1
    GROUP BY i.name, i.has_filter;
GO

/*
ops.foreign_keys: the foreign keys of a table, each with its columns in the order of its definition: [A],[B]. One that has the name of a unique
index is left out: of two conflicts with one name, an error does not say which it means.
*/
CREATE OR ALTER FUNCTION ops.foreign_keys
(
    @Table NVARCHAR(517)
)
RETURNS TABLE
AS
RETURN
    SELECT f.name AS Name, STRING_AGG(QUOTENAME(c.name), N',') WITHIN GROUP (ORDER BY k.constraint_column_id) AS Columns
    FROM sys.foreign_keys AS f
    INNER JOIN sys.foreign_key_columns AS k ON k.constraint_object_id = f.object_id
    INNER JOIN sys.columns AS c ON c.object_id = k.parent_object_id AND c.column_id = k.parent_column_id
    WHERE f.parent_object_id = OBJECT_ID(@Table)
        AND NOT EXISTS (SELECT 1 FROM sys.indexes AS i WHERE i.object_id = f.parent_object_id AND i.is_unique = 1 AND i.name = f.name)
    GROUP BY f.name;
GO

/*
ops.check_table: stops the deployment where a table is not the one that the procedures were written for, with all that differs.

Parameters
  @Table    with its schema
  @Columns  a JSON object: for each column its type as the catalog has it, `nvarchar(100)`, and `null` where it may be. A text's collation may
            follow. A column that no procedure names is null, and may be anything
  @Uniques  a JSON array: for each unique constraint or index its columns, [A],[B], and 1 in `filtered` where a condition limits it

More columns are no harm unless an INSERT must give them. What would answer wrongly is refused: masks (a PATCH would store what a caller without
UNMASK reads), Always Encrypted, INSTEAD OF triggers, IGNORE_DUP_KEY, and an owner other than that of web, who ends ownership chaining. Row-level
security and an endless history are warnings.
*/
CREATE OR ALTER PROCEDURE ops.check_table
    @Table NVARCHAR(517),
    @Columns NVARCHAR(MAX),
    @Uniques NVARCHAR(MAX)
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @TableID INT = OBJECT_ID(@Table);
    DECLARE @Differences NVARCHAR(MAX);
    DECLARE @Message NVARCHAR(2000);

    IF @TableID IS NULL
        SET @Differences = N'it is not there';
    ELSE
    BEGIN
    WITH Actual AS
    (
        SELECT
            c.name COLLATE DATABASE_DEFAULT AS Name, c.collation_name COLLATE DATABASE_DEFAULT AS Collation, c.is_masked, c.encryption_type,
            CONCAT(IIF(t.Name = N'timestamp', N'rowversion', t.Name), t.Size, IIF(c.is_nullable = 1, N' null', N'')) AS Shape,
            IIF(c.is_nullable = 1 OR c.default_object_id <> 0 OR c.is_identity = 1 OR c.is_computed = 1 OR c.generated_always_type <> 0
                OR t.Name = N'timestamp', 0, 1) AS MustBeGiven
        FROM sys.columns AS c
        INNER JOIN
        (
            SELECT
                t.object_id, t.column_id, t.Name,
                CASE
                    WHEN t.Name IN (N'char', N'varchar', N'binary', N'varbinary', N'nchar', N'nvarchar')
                        THEN CONCAT(N'(', IIF(t.max_length = -1, N'max', CONVERT(NVARCHAR(10), t.max_length / IIF(t.Name LIKE N'n%', 2, 1))), N')')
                    WHEN t.Name IN (N'decimal', N'numeric') THEN CONCAT(N'(', t.[precision], N',', t.scale, N')')
                    WHEN t.Name IN (N'time', N'datetime2', N'datetimeoffset') THEN CONCAT(N'(', t.scale, N')')
                END AS Size
            FROM
            (
                SELECT
                    o.object_id, o.column_id, o.max_length, o.[precision], o.scale,
                    TYPE_NAME(IIF(o.system_type_id = 240, o.user_type_id, o.system_type_id)) COLLATE DATABASE_DEFAULT AS Name
                FROM sys.columns AS o
            ) AS t
        ) AS t ON t.object_id = c.object_id AND t.column_id = c.column_id
        WHERE c.object_id = @TableID
    ),
    Expected AS
    (
        SELECT CONVERT(NVARCHAR(128), j.[key]) COLLATE DATABASE_DEFAULT AS Name, CONVERT(NVARCHAR(400), j.[value]) AS Shape
        FROM OPENJSON(@Columns) AS j
    ),
    Differences AS
    (
        SELECT CONCAT(N'column ', e.Name, N' is ', COALESCE(a.Shape, N'not there'), N', and was ', e.Shape) AS Difference
        FROM Expected AS e
        LEFT JOIN Actual AS a ON a.Name = e.Name
        CROSS JOIN (SELECT CONVERT(NVARCHAR(128), DATABASEPROPERTYEX(DB_NAME(), N'Collation')) AS Collation) AS d
        -- A text whose collation is not named has that of the database.
        WHERE a.Name IS NULL OR e.Shape <> CONCAT(a.Shape, N' collate ', a.Collation)
            AND NOT (e.Shape = a.Shape AND COALESCE(a.Collation, d.Collation) = d.Collation)
        UNION ALL
        SELECT CONCAT(N'column ', a.Name, N' is new, and a new row must give it')
        FROM Actual AS a
        WHERE a.MustBeGiven = 1 AND NOT EXISTS (SELECT 1 FROM Expected AS e WHERE e.Name = a.Name)
        UNION ALL
        SELECT CONCAT(N'column ', a.Name, IIF(a.is_masked = 1, N' is masked', N' is encrypted'))
        FROM Actual AS a
        INNER JOIN Expected AS e ON e.Name = a.Name
        WHERE e.Shape IS NOT NULL AND (a.is_masked = 1 OR a.encryption_type IS NOT NULL)
        UNION ALL
        SELECT CONCAT(N'no unique index is on ', u.Columns, IIF(u.IsFiltered = 1, N' with a condition', N' without a condition'))
        FROM OPENJSON(@Uniques) WITH (Columns NVARCHAR(MAX) '$.columns', IsFiltered BIT '$.filtered') AS u
        WHERE NOT EXISTS
        (
            SELECT 1
            FROM ops.unique_indexes(@Table) AS i
            WHERE i.Columns = u.Columns COLLATE DATABASE_DEFAULT AND i.IsFiltered = u.IsFiltered
        )
        UNION ALL
        SELECT CONCAT(N'trigger ', t.name COLLATE DATABASE_DEFAULT, N' is INSTEAD OF') FROM sys.triggers AS t WHERE t.parent_id = @TableID AND t.is_instead_of_trigger = 1
        UNION ALL
        SELECT CONCAT(N'index ', i.name COLLATE DATABASE_DEFAULT, N' has IGNORE_DUP_KEY') FROM sys.indexes AS i WHERE i.object_id = @TableID AND i.ignore_dup_key = 1
        UNION ALL
        SELECT N'its owner is not that of schema web: ALTER AUTHORIZATION gives it to that one'
        FROM sys.objects AS o
        INNER JOIN sys.schemas AS s ON s.schema_id = o.schema_id
        WHERE o.object_id = @TableID
            AND COALESCE(o.principal_id, s.principal_id) <> (SELECT w.principal_id FROM sys.schemas AS w WHERE w.name = N'web')
    )
    SELECT @Differences = STRING_AGG(CONVERT(NVARCHAR(MAX), d.Difference), N'; ') FROM Differences AS d;
    END;

    IF @Differences IS NOT NULL
    BEGIN
        SET @Message = LEFT(CONCAT(N'The table ', @Table, N' is not as its procedures expect: ', @Differences), 2000);
        THROW 50000, @Message, 1;
    END;

    IF EXISTS
    (
        SELECT 1
        FROM sys.security_policies AS p
        INNER JOIN sys.security_predicates AS q ON q.object_id = p.object_id
        WHERE p.is_enabled = 1 AND q.target_object_id = @TableID
    )
        PRINT CONCAT(N'WARNING: row-level security is on for ', @Table, N'. What to grant: sql/README.md, An existing WideWorldImporters.');
    IF EXISTS (SELECT 1 FROM sys.tables AS t WHERE t.object_id = @TableID AND t.history_retention_period = -1)
        PRINT CONCAT(N'WARNING: ', @Table, N' keeps what is deleted for ever. What to do: docs/maintenance.md, History.');
END;
GO
