-- Everything that a plan needs to know of the tables and views whose names are like @P1, as one JSON document. Names are compared by the database's
-- collation; @P1 is 'Sales.Customers' or 'Sales.%'.
SELECT
(
    SELECT
        s.name AS [schema],
        t.name AS name,
        p.name AS owner,
        t.is_memory_optimized AS is_memory_optimized,
        t.is_node AS is_node,
        t.is_edge AS is_edge,
        t.is_filetable AS is_filetable,
        t.is_external AS is_external,
        t.is_view AS is_view,
        t.ledger_type AS ledger_type,
        OBJECT_SCHEMA_NAME(t.history_table_id) AS history_schema,
        OBJECT_NAME(t.history_table_id) AS history_name,
        t.history_retention_period AS retention,
        t.history_retention_period_unit_desc AS retention_unit,
        (
            SELECT
                c.name AS name,
                TYPE_NAME(IIF(c.system_type_id = 240, c.user_type_id, c.system_type_id)) AS type_name,
                c.max_length AS max_length,
                c.[precision] AS [precision],
                c.scale AS scale,
                c.is_nullable AS is_nullable,
                IIF(c.collation_name = CONVERT(SYSNAME, DATABASEPROPERTYEX(DB_NAME(), N'Collation')), NULL, c.collation_name) AS collation,
                d.definition AS [default],
                m.definition AS computed,
                CONVERT(BIGINT, i.seed_value) AS seed,
                CONVERT(BIGINT, i.increment_value) AS increment,
                c.generated_always_type AS generated_always_type,
                c.is_masked AS is_masked,
                IIF(c.encryption_type IS NULL, 0, 1) AS is_encrypted
            FROM sys.columns AS c
            LEFT JOIN sys.default_constraints AS d ON d.object_id = c.default_object_id
            LEFT JOIN sys.computed_columns AS m ON m.object_id = c.object_id AND m.column_id = c.column_id
            LEFT JOIN sys.identity_columns AS i ON i.object_id = c.object_id AND i.column_id = c.column_id
            WHERE c.object_id = t.object_id
            ORDER BY c.column_id
            FOR JSON PATH
        ) AS columns,
        (
            SELECT
                i.name AS name,
                i.is_primary_key AS is_primary_key,
                i.filter_definition AS filter,
                i.ignore_dup_key AS ignore_dup_key,
                (
                    SELECT c.name AS name
                    FROM sys.index_columns AS k
                    INNER JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
                    WHERE k.object_id = i.object_id AND k.index_id = i.index_id AND k.key_ordinal > 0
                    ORDER BY k.key_ordinal
                    FOR JSON PATH
                ) AS columns
            FROM sys.indexes AS i
            WHERE i.object_id = t.object_id AND i.is_unique = 1 AND i.is_disabled = 0 AND i.is_hypothetical = 0
            ORDER BY i.index_id
            FOR JSON PATH
        ) AS uniques,
        (
            SELECT
                f.name AS name,
                OBJECT_SCHEMA_NAME(f.referenced_object_id) AS referenced_schema,
                OBJECT_NAME(f.referenced_object_id) AS referenced_name,
                f.delete_referential_action_desc AS on_delete,
                f.update_referential_action_desc AS on_update,
                (
                    SELECT c.name AS name, r.name AS referenced
                    FROM sys.foreign_key_columns AS k
                    INNER JOIN sys.columns AS c ON c.object_id = k.parent_object_id AND c.column_id = k.parent_column_id
                    INNER JOIN sys.columns AS r ON r.object_id = k.referenced_object_id AND r.column_id = k.referenced_column_id
                    WHERE k.constraint_object_id = f.object_id
                    ORDER BY k.constraint_column_id
                    FOR JSON PATH
                ) AS columns
            FROM sys.foreign_keys AS f
            WHERE f.parent_object_id = t.object_id AND f.is_disabled = 0
            ORDER BY f.name
            FOR JSON PATH
        ) AS [references],
        (
            SELECT k.name AS name, k.definition AS expression
            FROM sys.check_constraints AS k
            WHERE k.parent_object_id = t.object_id AND k.is_disabled = 0
            ORDER BY k.name
            FOR JSON PATH
        ) AS checks,
        (
            SELECT g.name AS name, g.is_instead_of_trigger AS is_instead_of
            FROM sys.triggers AS g
            WHERE g.parent_id = t.object_id AND g.is_disabled = 0
            ORDER BY g.name
            FOR JSON PATH
        ) AS triggers,
        (
            SELECT y.name AS name
            FROM sys.security_policies AS y
            WHERE y.is_enabled = 1
                AND EXISTS (SELECT 1 FROM sys.security_predicates AS q WHERE q.object_id = y.object_id AND q.target_object_id = t.object_id)
            FOR JSON PATH
        ) AS policies
    FROM
    (
        SELECT
            a.object_id, a.schema_id, a.principal_id, a.name, a.is_memory_optimized, a.is_node, a.is_edge, a.is_filetable, a.is_external,
            a.ledger_type, a.history_table_id, a.history_retention_period, a.history_retention_period_unit_desc, a.temporal_type,
            CONVERT(BIT, 0) AS is_view
        FROM sys.tables AS a
        UNION ALL
        SELECT
            v.object_id, v.schema_id, v.principal_id, v.name, CONVERT(BIT, 0), CONVERT(BIT, 0), CONVERT(BIT, 0), CONVERT(BIT, 0), CONVERT(BIT, 0),
            NULL, NULL, NULL, NULL, 0, CONVERT(BIT, 1)
        FROM sys.views AS v
    ) AS t
    INNER JOIN sys.schemas AS s ON s.schema_id = t.schema_id
    INNER JOIN sys.database_principals AS p ON p.principal_id = ISNULL(t.principal_id, s.principal_id)
    WHERE CONCAT(s.name, N'.', t.name) LIKE @P1 ESCAPE N'\' AND t.temporal_type <> 1
    ORDER BY s.name, t.name
    FOR JSON PATH, INCLUDE_NULL_VALUES
) AS Tables;
