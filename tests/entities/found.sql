-- Shapes of public databases: a LIKE that limits a key, references of several columns, and CHECKs between columns. A unique column may be NULL,
-- and the script runs again.
:setvar Owner "dbo"
EXEC sp_addtype 'Remark', 'nvarchar(200)', 'NULL'
GO
CREATE TYPE dbo.DepotCode FROM varchar(12) NOT NULL
GO
IF EXISTS (SELECT 1 FROM sys.foreign_keys WHERE name = N'FK_Shifts_Depots') ALTER TABLE dbo.Shifts DROP CONSTRAINT FK_Shifts_Depots;
DROP TABLE IF EXISTS dbo.Shifts;
GO
CREATE TABLE dbo.Depots (
    Country varchar(3) NOT NULL,
    Depot dbo.DepotCode CHECK (Depot LIKE '[A-Z][A-Z]-[0-9][0-9][0-9]'),
    Title nvarchar(40) NOT NULL DEFAULT N'',
    Fee money NOT NULL DEFAULT $1.50,
    CONSTRAINT PK_Depots PRIMARY KEY (Country, Depot)
);
GO
IF NOT EXISTS (SELECT 1 FROM sys.tables WHERE name = N'Shifts')
BEGIN
    EXEC(N'CREATE TABLE dbo.Shifts (Country varchar(3) NOT NULL, Depot dbo.DepotCode NOT NULL, ShiftNo int NOT NULL, Lead nvarchar(30) NULL DEFAULT N''none'',
        CONSTRAINT PK_Shifts PRIMARY KEY (Country, Depot, ShiftNo),
        CONSTRAINT FK_Shifts_Depots FOREIGN KEY (Country, Depot) REFERENCES dbo.Depots (Country, Depot))');
END;
GO
DECLARE @var0 sysname;
SELECT @var0 = [d].[name]
FROM [sys].[default_constraints] [d]
INNER JOIN [sys].[columns] [c] ON [d].[parent_column_id] = [c].[column_id] AND [d].[parent_object_id] = [c].[object_id]
WHERE ([d].[parent_object_id] = OBJECT_ID(N'[dbo].[Shifts]') AND [c].[name] = N'Lead');
IF @var0 IS NOT NULL EXEC(N'ALTER TABLE [dbo].[Shifts] DROP CONSTRAINT [' + @var0 + '];');
ALTER TABLE [dbo].[Shifts] ALTER COLUMN [Lead] nvarchar(60) NULL;
EXEC sp_rename N'[dbo].[Shifts].[Lead]', N'Leader', N'COLUMN';
GO
CREATE TABLE dbo.ShiftNotes (
    Country varchar(3) NOT NULL,
    Depot dbo.DepotCode NOT NULL,
    ShiftNo int NOT NULL,
    Note Remark,
    PRIMARY KEY (Country, Depot, ShiftNo),
    FOREIGN KEY (Country, Depot, ShiftNo) REFERENCES dbo.Shifts
);
CREATE TABLE dbo.Drivers (
    DriverID int IDENTITY PRIMARY KEY,
    Nickname nvarchar(50) NULL UNIQUE,
    Country varchar(3) NULL,
    Depot varchar(12) NULL,
    CONSTRAINT FK_Drivers_Depots FOREIGN KEY (Country, Depot) REFERENCES dbo.Depots (Country, Depot)
);
CREATE TABLE dbo.Readings (ReadOn date NOT NULL PRIMARY KEY, ReadingNo int IDENTITY(1, 1) NOT NULL);
CREATE TABLE dbo.Handovers (
    FromDriver int NOT NULL REFERENCES dbo.Drivers (DriverID),
    ToDriver int NOT NULL REFERENCES dbo.Drivers (DriverID),
    LeastLoad int NOT NULL,
    MostLoad int NULL,
    Fuel real NOT NULL CHECK (Fuel >= 0 AND (Fuel <= 1)),
    PRIMARY KEY (FromDriver, ToDriver),
    CHECK (FromDriver <> ToDriver),
    CHECK (MostLoad IS NULL OR MostLoad > LeastLoad)
);
-- Without a primary key, as older systems have it.
CREATE TABLE dbo.Tariffs (Zone char(4) NOT NULL, Band smallint NOT NULL, Title nvarchar(30) NULL, Rate decimal(9, 2) NOT NULL);
CREATE UNIQUE CLUSTERED INDEX UX_Tariffs ON dbo.Tariffs (Zone, Band);
