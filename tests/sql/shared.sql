/*
What the procedures and functions that all entities share answer, in a database of their own.
*/
CREATE TABLE dbo.test_parents (A INT NOT NULL, B INT NOT NULL, CONSTRAINT PK_test_parents PRIMARY KEY (B, A));
CREATE TABLE dbo.test_children
(
    ID INT NOT NULL CONSTRAINT PK_test_children PRIMARY KEY CONSTRAINT CK_test_children CHECK (ID < 100),
    A INT NULL,
    B INT NULL,
    Boss INT NULL CONSTRAINT FK_test_children REFERENCES dbo.test_children (ID),
    Same INT NULL CONSTRAINT FK_test_same REFERENCES dbo.test_children (ID),
    CONSTRAINT FK_test_children_parents FOREIGN KEY (B, A) REFERENCES dbo.test_parents (B, A)
);
CREATE UNIQUE INDEX FK_test_same ON dbo.test_children (Same) WHERE Same IS NOT NULL;
INSERT INTO ops.Conflicts (Entity, ConstraintName, Detail, Errors)
SELECT N'test_child', i.Name, N'taken', N'[{"field":"Same"}]'
FROM ops.unique_indexes(N'dbo.test_children') AS i
WHERE i.Columns = N'[Same]';
INSERT INTO ops.Conflicts (Entity, ConstraintName, Detail, Errors)
SELECT N'test_child', f.Name, N'A value refers to a row that does not exist.', v.Errors
FROM (VALUES
    (N'[B],[A]', N'[{"field":"A"},{"field":"B"}]'),
    (N'[Boss]', N'[{"field":"Boss"}]'),
    (N'[Same]', N'[{"field":"Same"}]')
) AS v (Columns, Errors)
INNER JOIN ops.foreign_keys(N'dbo.test_children') AS f ON f.Columns = v.Columns;
GO

CREATE OR ALTER PROCEDURE dbo.test_conflict @Change NVARCHAR(200), @Expected NVARCHAR(200)
AS
BEGIN
    DECLARE @Status INT, @Result NVARCHAR(MAX), @Message NVARCHAR(2000);
    BEGIN TRY
        EXECUTE (@Change);
    END TRY
    BEGIN CATCH
        EXECUTE ops.answer_conflict N'test_child', NULL, @Status OUTPUT, @Result OUTPUT;
    END CATCH;
    SET @Message = CONCAT(@Change, N': ', @Result);
    IF ISNULL(@Status, 0) <> 409 OR @Result NOT LIKE @Expected
        THROW 50000, @Message, 1;
END;
GO

INSERT INTO dbo.test_children (ID, Boss, Same) VALUES (1, NULL, 1), (2, 1, NULL);
EXECUTE dbo.test_conflict N'INSERT INTO dbo.test_children (ID, A, B) VALUES (3, 1, 1);', N'{"detail":"A value refers to a row that does not exist.","errors":[[]{"field":"A"},{"field":"B"}]}';
EXECUTE dbo.test_conflict N'UPDATE dbo.test_children SET Boss = 99 WHERE ID = 2;', N'%"errors":[[]{"field":"Boss"}]%';
-- The others tell of no field: a CHECK, a row that others refer to, and a foreign key with the name of an index.
EXECUTE dbo.test_conflict N'INSERT INTO dbo.test_children (ID) VALUES (100);', N'{"detail":"It refers to a row that does not exist, or breaks another rule of the table."}';
EXECUTE dbo.test_conflict N'DELETE FROM dbo.test_children WHERE ID = 1;', N'{"detail":"It refers to a row that does not exist, or breaks another rule of the table."}';
EXECUTE dbo.test_conflict N'UPDATE dbo.test_children SET Same = 99 WHERE ID = 2;', N'{"detail":"It refers to a row that does not exist, or breaks another rule of the table."}';
EXECUTE dbo.test_conflict N'UPDATE dbo.test_children SET Same = 1 WHERE ID = 2;', N'{"detail":"taken",%';
GO

DECLARE @Wrong NVARCHAR(2000) =
(
    SELECT STRING_AGG(CONCAT(v.List, N' as ', v.SqlType, N': ', e.Message), N'; ')
    FROM (VALUES
        (N'1,2.0,-3e1', N'int', NULL, NULL, NULL),
        (N'open,done', N'nchar', 4, NULL, NULL),
        (N'open,closed', N'nchar', 4, NULL, N'must be at most 4 characters'),
        (N'true,TRUE', N'bit', NULL, NULL, N'must be true or false'),
        (N'1,256,x', N'tinyint', NULL, NULL, N'must be a whole number from 0 to 255'),
        (N'1, 2', N'bigint', NULL, NULL, N'must be a whole number from -9223372036854775808 to 9223372036854775807'),
        (N'1,,2', N'int', NULL, NULL, N'must have no empty value'),
        (N'2026-01-31,2026-02-30', N'date', NULL, NULL, N'must be a date, such as 2026-01-31'),
        (REPLICATE(N'1,', 99) + N'1', N'int', NULL, NULL, NULL),
        (REPLICATE(N'1,', 100) + N'1', N'int', NULL, NULL, N'must have at most 100 values')
    ) AS v (List, SqlType, Size, Scale, Message)
    OUTER APPLY ops.list_error(v.List, v.SqlType, v.Size, v.Scale) AS e
    WHERE ISNULL(e.Message, N'') <> ISNULL(v.Message, N'')
);
IF @Wrong IS NOT NULL
    THROW 50000, @Wrong, 1;
GO
