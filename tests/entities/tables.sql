-- Tables of public sample databases, typed in by hand from their documentation, for the tests of `azure-sql-rest entity`. commands.txt has what is
-- asked of each.

-- WideWorldImporters
CREATE TABLE [Warehouse].[Colors](
    [ColorID] [int] NOT NULL,
    [ColorName] [nvarchar](20) NOT NULL,
    [LastEditedBy] [int] NOT NULL,
    [ValidFrom] [datetime2](7) GENERATED ALWAYS AS ROW START NOT NULL,
    [ValidTo] [datetime2](7) GENERATED ALWAYS AS ROW END NOT NULL,
 CONSTRAINT [PK_Warehouse_Colors] PRIMARY KEY CLUSTERED ([ColorID] ASC),
 CONSTRAINT [UQ_Warehouse_Colors_ColorName] UNIQUE NONCLUSTERED ([ColorName] ASC),
    PERIOD FOR SYSTEM_TIME ([ValidFrom], [ValidTo])
) ON [USERDATA]
WITH (SYSTEM_VERSIONING = ON (HISTORY_TABLE = [Warehouse].[Colors_Archive]));
GO
ALTER TABLE [Warehouse].[Colors] ADD CONSTRAINT [DF_Warehouse_Colors_ColorID] DEFAULT (NEXT VALUE FOR [Sequences].[ColorID]) FOR [ColorID];
ALTER TABLE [Warehouse].[Colors] WITH CHECK ADD CONSTRAINT [FK_Warehouse_Colors_Application_People] FOREIGN KEY([LastEditedBy])
REFERENCES [Application].[People] ([PersonID]);
GO

CREATE TABLE Application.Cities
(
    CityID INT NOT NULL CONSTRAINT PK_Application_Cities PRIMARY KEY CONSTRAINT DF_Application_Cities_CityID DEFAULT (NEXT VALUE FOR Sequences.CityID),
    CityName NVARCHAR(50) NOT NULL,
    StateProvinceID INT NOT NULL CONSTRAINT FK_Application_Cities_StateProvinceID REFERENCES Application.StateProvinces (StateProvinceID),
    Location GEOGRAPHY NULL,
    LatestRecordedPopulation BIGINT NULL,
    LastEditedBy INT NOT NULL,
    ValidFrom DATETIME2(7) GENERATED ALWAYS AS ROW START NOT NULL,
    ValidTo DATETIME2(7) GENERATED ALWAYS AS ROW END NOT NULL,
    PERIOD FOR SYSTEM_TIME (ValidFrom, ValidTo)
);
GO

CREATE TABLE Sales.SpecialDeals
(
    SpecialDealID INT NOT NULL CONSTRAINT PK_Sales_SpecialDeals PRIMARY KEY DEFAULT (NEXT VALUE FOR Sequences.SpecialDealID),
    StockItemID INT NULL,
    DealDescription NVARCHAR(30) NOT NULL,
    StartDate DATE NOT NULL,
    EndDate DATE NOT NULL,
    DiscountAmount DECIMAL(18, 2) NULL,
    DiscountPercentage DECIMAL(18, 3) NULL,
    UnitPrice DECIMAL(18, 2) NULL,
    LastEditedBy INT NOT NULL,
    LastEditedWhen DATETIME2(7) NOT NULL DEFAULT (SYSDATETIME())
);

CREATE TABLE Warehouse.ColdRoomTemperatures
(
    ColdRoomTemperatureID BIGINT IDENTITY(1, 1) NOT NULL,
    ColdRoomSensorNumber INT NOT NULL,
    RecordedWhen DATETIME2(7) NOT NULL,
    Temperature DECIMAL(10, 2) NOT NULL,
    CONSTRAINT PK_Warehouse_ColdRoomTemperatures PRIMARY KEY NONCLUSTERED (ColdRoomTemperatureID),
    INDEX IX_Warehouse_ColdRoomTemperatures_ColdRoomSensorNumber NONCLUSTERED (ColdRoomSensorNumber)
);

CREATE TABLE Warehouse.StockItemStockGroups
(
    StockItemStockGroupID INT NOT NULL PRIMARY KEY DEFAULT (NEXT VALUE FOR Sequences.StockItemStockGroupID),
    StockItemID INT NOT NULL,
    StockGroupID INT NOT NULL,
    LastEditedBy INT NOT NULL,
    LastEditedWhen DATETIME2(7) NOT NULL DEFAULT (SYSDATETIME()),
    CONSTRAINT UQ_StockItemStockGroups_StockItemID_Lookup UNIQUE (StockItemID, StockGroupID)
);
GO

-- Northwind
CREATE TABLE "Region"
(
    "RegionID" "int" NOT NULL ,
    "RegionDescription" "nchar" (50) NOT NULL ,
    CONSTRAINT "PK_Region" PRIMARY KEY NONCLUSTERED ("RegionID")
)
GO

CREATE TABLE "Territories"
(
    "TerritoryID" "nvarchar" (20) NOT NULL PRIMARY KEY,
    "TerritoryDescription" "nchar" (50) NOT NULL ,
    "RegionID" "int" NOT NULL ,
    CONSTRAINT "FK_Territories_Region" FOREIGN KEY ("RegionID") REFERENCES "dbo"."Region" ("RegionID")
)
GO

CREATE TABLE "Shippers" (
    "ShipperID" "int" IDENTITY (1, 1) NOT NULL ,
    "CompanyName" nvarchar (40) NOT NULL ,
    "Phone" nvarchar (24) NULL ,
    CONSTRAINT "PK_Shippers" PRIMARY KEY CLUSTERED ("ShipperID")
)
GO

CREATE TABLE "Categories" (
    "CategoryID" "int" IDENTITY (1, 1) NOT NULL ,
    "CategoryName" nvarchar (15) NOT NULL ,
    "Description" "ntext" NULL ,
    "Picture" "image" NULL ,
    CONSTRAINT "PK_Categories" PRIMARY KEY CLUSTERED ("CategoryID")
)
GO

CREATE TABLE "Products" (
    "ProductID" "int" IDENTITY (1, 1) NOT NULL ,
    "ProductName" nvarchar (40) NOT NULL ,
    "SupplierID" "int" NULL ,
    "CategoryID" "int" NULL ,
    "QuantityPerUnit" nvarchar (20) NULL ,
    "UnitPrice" "money" NULL CONSTRAINT "DF_Products_UnitPrice" DEFAULT (0),
    "UnitsInStock" "smallint" NULL CONSTRAINT "DF_Products_UnitsInStock" DEFAULT (0),
    "UnitsOnOrder" "smallint" NULL CONSTRAINT "DF_Products_UnitsOnOrder" DEFAULT (0),
    "ReorderLevel" "smallint" NULL CONSTRAINT "DF_Products_ReorderLevel" DEFAULT (0),
    "Discontinued" "bit" NOT NULL CONSTRAINT "DF_Products_Discontinued" DEFAULT (0),
    CONSTRAINT "PK_Products" PRIMARY KEY CLUSTERED ("ProductID"),
    CONSTRAINT "FK_Products_Categories" FOREIGN KEY ("CategoryID") REFERENCES "dbo"."Categories" ("CategoryID"),
    CONSTRAINT "CK_Products_UnitPrice" CHECK (UnitPrice >= 0)
)
GO

CREATE TABLE "Customers" (
    "CustomerID" nchar (5) NOT NULL ,
    "CompanyName" nvarchar (40) NOT NULL ,
    CONSTRAINT "PK_Customers" PRIMARY KEY CLUSTERED ("CustomerID")
)
GO

CREATE TABLE "Northwind"."Order Details" (
    "OrderID" "int" NOT NULL ,
    "ProductID" "int" NOT NULL ,
    "Quantity" "smallint" NOT NULL CONSTRAINT "DF_Order_Details_Quantity" DEFAULT (1),
    CONSTRAINT "PK_Order_Details" PRIMARY KEY CLUSTERED ("OrderID", "ProductID")
)
GO

CREATE TABLE dbo.EmployeeTerritories
(
    "EmployeeID" "int" NOT NULL,
    "TerritoryID" "nvarchar" (20) NOT NULL
)
GO
ALTER TABLE EmployeeTerritories
    ADD CONSTRAINT [PK_EmployeeTerritories] PRIMARY KEY NONCLUSTERED ([EmployeeID], [TerritoryID])
GO

-- Chinook
CREATE TABLE [dbo].[Artist]
(
    [ArtistId] INT NOT NULL,
    [Name] NVARCHAR(120),
    CONSTRAINT [PK_Artist] PRIMARY KEY CLUSTERED ([ArtistId])
);
GO

CREATE TABLE [dbo].[Track]
(
    [TrackId] INT NOT NULL IDENTITY,
    [Name] NVARCHAR(200) NOT NULL,
    [AlbumId] INT,
    [MediaTypeId] INT NOT NULL,
    [Composer] NVARCHAR(220),
    [Milliseconds] INT NOT NULL,
    [Bytes] INT,
    [UnitPrice] NUMERIC(10,2) NOT NULL,
    CONSTRAINT [PK_Track] PRIMARY KEY CLUSTERED ([TrackId])
);
GO

CREATE TABLE [dbo].[Invoice]
(
    [InvoiceId] INT NOT NULL IDENTITY,
    [CustomerId] INT NOT NULL,
    [InvoiceDate] DATETIME NOT NULL,
    [BillingAddress] NVARCHAR(70),
    [BillingPostalCode] NVARCHAR(10),
    [Total] NUMERIC(10,2) NOT NULL,
    CONSTRAINT [PK_Invoice] PRIMARY KEY CLUSTERED ([InvoiceId])
);
GO

CREATE TABLE [dbo].[Employee]
(
    [EmployeeId] INT NOT NULL IDENTITY,
    [LastName] NVARCHAR(20) NOT NULL,
    [FirstName] NVARCHAR(20) NOT NULL,
    [ReportsTo] INT,
    [BirthDate] DATETIME,
    [Email] NVARCHAR(60),
    CONSTRAINT [PK_Employee] PRIMARY KEY CLUSTERED ([EmployeeId])
);
GO
ALTER TABLE [dbo].[Employee] ADD CONSTRAINT [FK_EmployeeReportsTo]
    FOREIGN KEY ([ReportsTo]) REFERENCES [dbo].[Employee] ([EmployeeId]) ON DELETE NO ACTION ON UPDATE NO ACTION;
GO

CREATE TABLE [dbo].[PlaylistTrack]
(
    [PlaylistId] INT NOT NULL,
    [TrackId] INT NOT NULL,
    CONSTRAINT [PK_PlaylistTrack] PRIMARY KEY NONCLUSTERED ([PlaylistId], [TrackId])
);
GO

-- AdventureWorksLT
CREATE TABLE [SalesLT].[ProductCategory](
    [ProductCategoryID] [int] IDENTITY(1,1) NOT NULL,
    [ParentProductCategoryID] [int] NULL,
    [Name] [dbo].[Name] NOT NULL,
    [rowguid] [uniqueidentifier] ROWGUIDCOL NOT NULL,
    [ModifiedDate] [datetime] NOT NULL,
 CONSTRAINT [PK_ProductCategory_ProductCategoryID] PRIMARY KEY CLUSTERED ([ProductCategoryID] ASC)
);
GO

CREATE TABLE [SalesLT].[Address](
    [AddressID] [int] IDENTITY(1,1) NOT FOR REPLICATION NOT NULL,
    [AddressLine1] [nvarchar](60) NOT NULL,
    [AddressLine2] [nvarchar](60) NULL,
    [City] [nvarchar](30) NOT NULL,
    [PostalCode] [nvarchar](15) NOT NULL,
    [rowguid] [uniqueidentifier] ROWGUIDCOL NOT NULL CONSTRAINT [DF_Address_rowguid] DEFAULT (newid()),
    [ModifiedDate] [datetime] NOT NULL CONSTRAINT [DF_Address_ModifiedDate] DEFAULT (getdate()),
 CONSTRAINT [PK_Address_AddressID] PRIMARY KEY CLUSTERED ([AddressID] ASC),
 CONSTRAINT [AK_Address_rowguid] UNIQUE NONCLUSTERED ([rowguid] ASC)
);
GO

CREATE TABLE [SalesLT].[ProductModel](
    [ProductModelID] [int] IDENTITY(1,1) NOT NULL PRIMARY KEY,
    [Name] [nvarchar](50) NOT NULL,
    [CatalogDescription] [xml](CONTENT [SalesLT].[ProductDescriptionSchemaCollection]) NULL,
    [rowguid] [uniqueidentifier] ROWGUIDCOL NOT NULL DEFAULT (newid()),
    [ModifiedDate] [datetime] NOT NULL DEFAULT (getdate())
);
CREATE UNIQUE NONCLUSTERED INDEX [AK_ProductModel_Name] ON [SalesLT].[ProductModel]([Name] ASC);
GO

CREATE TABLE [SalesLT].[SalesOrderHeader](
    [SalesOrderID] [int] IDENTITY(1,1) NOT NULL PRIMARY KEY,
    [RevisionNumber] [tinyint] NOT NULL DEFAULT ((0)),
    [OrderDate] [datetime] NOT NULL DEFAULT (getdate()),
    [Status] [tinyint] NOT NULL DEFAULT ((1)),
    [OnlineOrderFlag] [bit] NOT NULL DEFAULT ((1)),
    [SalesOrderNumber] AS (isnull(N'SO'+CONVERT([nvarchar](23),[SalesOrderID],(0)),N'*** ERROR ***')),
    [SubTotal] [money] NOT NULL DEFAULT ((0.00)),
    [TaxAmt] [money] NOT NULL DEFAULT ((0.00)),
    [TotalDue] AS (isnull(([SubTotal]+[TaxAmt]),(0))),
    [Comment] [nvarchar](max) NULL
);
GO

-- Every type that has a place in JSON, reserved words, and names that the procedures use themselves.
CREATE TABLE dbo.Specimens
(
    Code VARCHAR(12) NOT NULL PRIMARY KEY,
    Title VARCHAR(40) NOT NULL UNIQUE,
    Status TINYINT NOT NULL DEFAULT ((1)),
    Rank SMALLINT NULL,
    Stock INT NOT NULL,
    Serial BIGINT NULL,
    IsActive BIT NOT NULL DEFAULT (1),
    Price DECIMAL(9, 2) NOT NULL,
    Weight FLOAT NULL,
    Factor REAL NULL,
    Released DATE NULL,
    CreatedAt DATETIME2(3) NOT NULL DEFAULT (SYSUTCDATETIME()),
    SoldAt DATETIMEOFFSET(0) NULL,
    Opens TIME(0) NULL,
    Country CHAR(2) NULL,
    Grade NCHAR(3) NULL,
    [Order] INT NULL,
    Batch UNIQUEIDENTIFIER NULL DEFAULT NEWID(),
    Notes NVARCHAR(MAX) NULL,
    Legacy DATETIME NULL,
    Cost MONEY NULL,
    Closed SMALLDATETIME NULL,
    Remarks NTEXT NULL,
    Digest BINARY(16) NULL,
    Seal VARBINARY(10) NULL,
    Photo IMAGE NULL,
    Payload XML NULL,
    Place GEOGRAPHY NULL,
    Node HIERARCHYID NULL,
    Version ROWVERSION NOT NULL,
    CONSTRAINT CK_Specimens_Stock CHECK (Stock >= 0)
);

CREATE TABLE dbo.Parcels
(
    ParcelID INT NOT NULL IDENTITY PRIMARY KEY,
    Status VARCHAR(10) NOT NULL DEFAULT ('open') CHECK (Status IN ('open', 'sent', 'lost')),
    Kind CHAR(2) NULL CHECK ([Kind]='up' OR [Kind]='by'),
    Stars TINYINT NULL CHECK (Stars BETWEEN 1 AND 5),
    Age INT NULL CHECK (([Age]>(17))),
    Price DECIMAL(9, 2) NOT NULL DEFAULT ((0.50)) CHECK (Price > 0.00 AND Price < 500),
    Share FLOAT NULL CHECK (Share >= 0.0 AND Share <= 1.0),
    Remark NVARCHAR(20) NOT NULL CHECK (LEN(Remark) > 1)
);

CREATE TABLE dbo.Tokens
(
    TokenID UNIQUEIDENTIFIER NOT NULL DEFAULT (NEWSEQUENTIALID()) PRIMARY KEY,
    SpecimenCode VARCHAR(12) NULL REFERENCES dbo.Specimens (Code),
    Label NVARCHAR(30) NOT NULL
);

CREATE TABLE dbo.Memos
(
    Code VARCHAR(12) NOT NULL PRIMARY KEY,
    Body NVARCHAR(200) NOT NULL,
    CreatedBy NVARCHAR(100) NOT NULL,
    ModifiedBy VARCHAR(255) NULL
);

-- Of Azure SQL, and of SQL Server 2025 or later.
CREATE TABLE dbo.Preferences
(
    PreferenceID INT NOT NULL IDENTITY PRIMARY KEY,
    Label NVARCHAR(50) NOT NULL,
    Extra JSON NULL
);
