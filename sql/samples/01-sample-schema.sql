/*
Sample schema: the part of WideWorldImporters that the API needs, for a database that does not have it. It runs before the scripts of sql/, in a
transaction of its own.

Does nothing when Sales.Customers exists, so a real WideWorldImporters is left alone, and so is the sample on a second run.
Otherwise creates:
  - schemas Sales and Sequences
  - sequence Sequences.CustomerID, starting behind the last sample row (1062)
  - Sales.Customers, system-versioned with history in Sales.Customers_Archive: the columns, primary key, unique name and
    self-reference of WideWorldImporters, and an index for that self-reference; changed and deleted rows stay in the history
    for a year (docs/maintenance.md, History)
  - Sales.Orders, cut down to what makes it refer to a customer
  - 663 customers (1..201, 401..601, 801..1061) and one order for each of the first two ranges

Left out: the foreign keys from Sales.Customers to tables that are not here (people, cities, categories, buying groups,
delivery methods), DeliveryLocation (GEOGRAPHY), and all other tables. The numbers in those columns are valid in
WideWorldImporters; here they point nowhere.
*/
SET NOCOUNT, XACT_ABORT ON;
BEGIN TRANSACTION;
IF OBJECT_ID(N'Sales.Customers', N'U') IS NOT NULL
    PRINT N'Sales.Customers exists: sample schema not created.';
ELSE
BEGIN
    -- CREATE SCHEMA must be the first statement of its batch, hence EXECUTE.
    IF SCHEMA_ID(N'Sales') IS NULL
        EXECUTE (N'CREATE SCHEMA Sales AUTHORIZATION dbo;');
    IF SCHEMA_ID(N'Sequences') IS NULL
        EXECUTE (N'CREATE SCHEMA Sequences AUTHORIZATION dbo;');

    CREATE SEQUENCE Sequences.CustomerID AS INT START WITH 1062 INCREMENT BY 1;

    -- The collation is that of WideWorldImporters: it decides which names count as equal.
    CREATE TABLE Sales.Customers
    (
        CustomerID INT NOT NULL
            CONSTRAINT DF_Sales_Customers_CustomerID DEFAULT (NEXT VALUE FOR Sequences.CustomerID),
        CustomerName NVARCHAR(100) COLLATE Latin1_General_100_CI_AS NOT NULL,
        BillToCustomerID INT NOT NULL,
        CustomerCategoryID INT NOT NULL,
        BuyingGroupID INT NULL,
        PrimaryContactPersonID INT NOT NULL,
        AlternateContactPersonID INT NULL,
        DeliveryMethodID INT NOT NULL,
        DeliveryCityID INT NOT NULL,
        PostalCityID INT NOT NULL,
        CreditLimit DECIMAL(18, 2) NULL,
        AccountOpenedDate DATE NOT NULL,
        StandardDiscountPercentage DECIMAL(18, 3) NOT NULL,
        IsStatementSent BIT NOT NULL,
        IsOnCreditHold BIT NOT NULL,
        PaymentDays INT NOT NULL,
        PhoneNumber NVARCHAR(20) NOT NULL,
        FaxNumber NVARCHAR(20) NOT NULL,
        DeliveryRun NVARCHAR(5) NULL,
        RunPosition NVARCHAR(5) NULL,
        WebsiteURL NVARCHAR(256) NOT NULL,
        DeliveryAddressLine1 NVARCHAR(60) NOT NULL,
        DeliveryAddressLine2 NVARCHAR(60) NULL,
        DeliveryPostalCode NVARCHAR(10) NOT NULL,
        PostalAddressLine1 NVARCHAR(60) NOT NULL,
        PostalAddressLine2 NVARCHAR(60) NULL,
        PostalPostalCode NVARCHAR(10) NOT NULL,
        LastEditedBy INT NOT NULL,
        ValidFrom DATETIME2(7) GENERATED ALWAYS AS ROW START NOT NULL,
        ValidTo DATETIME2(7) GENERATED ALWAYS AS ROW END NOT NULL,
        CONSTRAINT PK_Sales_Customers PRIMARY KEY CLUSTERED (CustomerID),
        CONSTRAINT UQ_Sales_Customers_CustomerName UNIQUE NONCLUSTERED (CustomerName),
        CONSTRAINT FK_Sales_Customers_BillToCustomerID_Sales_Customers
            FOREIGN KEY (BillToCustomerID) REFERENCES Sales.Customers (CustomerID),
        PERIOD FOR SYSTEM_TIME (ValidFrom, ValidTo)
    )
    WITH (SYSTEM_VERSIONING = ON (HISTORY_TABLE = Sales.Customers_Archive, HISTORY_RETENTION_PERIOD = 12 MONTHS));

    -- Not in WideWorldImporters. With this index, deleting a customer seeks for the customers that bill to it.
    -- Without it, the delete reads every customer, and two deletes at a time wait for each other's row: a deadlock.
    CREATE NONCLUSTERED INDEX IX_Sales_Customers_BillToCustomerID ON Sales.Customers (BillToCustomerID);

    CREATE TABLE Sales.Orders
    (
        OrderID INT IDENTITY(1, 1) NOT NULL,
        CustomerID INT NOT NULL,
        OrderDate DATE NOT NULL,
        CONSTRAINT PK_Sales_Orders PRIMARY KEY CLUSTERED (OrderID),
        CONSTRAINT FK_Sales_Orders_CustomerID_Sales_Customers
            FOREIGN KEY (CustomerID) REFERENCES Sales.Customers (CustomerID)
    );

    CREATE NONCLUSTERED INDEX FK_Sales_Orders_CustomerID ON Sales.Orders (CustomerID);

    -- Two chains of toy shops that bill to their head office (1 and 401), and shops that bill to themselves
    -- (801..1061). Every word below is picked by arithmetic on the id, so that each run makes the same rows. Only
    -- customer 123 comes from WideWorldImporters, for the documented samples. Non-ASCII letters are written as NCHAR,
    -- because not every client reads a script file as UTF-8.
    WITH Digit AS (SELECT d.n FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS d (n)),
    Number AS
    (
        SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS CustomerID
        FROM Digit AS a CROSS JOIN Digit AS b CROSS JOIN Digit AS c CROSS JOIN (VALUES (0), (1)) AS d (n)
    ),
    Chain AS
    (
        -- Nth: the place in its range, from 0.
        SELECT
            n.CustomerID, n.CustomerID - 1 AS Nth, N'Tailspin Toys' AS Brand, N'http://www.tailspintoys.com/' AS Website,
            1 AS BillToCustomerID
        FROM Number AS n
        WHERE n.CustomerID BETWEEN 1 AND 201
        UNION ALL
        SELECT n.CustomerID, n.CustomerID - 401, N'Wingtip Toys', N'http://www.wingtiptoys.com/', 401
        FROM Number AS n
        WHERE n.CustomerID BETWEEN 401 AND 601
    ),
    Town AS
    (
        SELECT f.i + 15 * s.i AS Nth, f.Word AS FirstWord, s.Word AS SecondWord
        FROM
        (
            VALUES (0, N'Ash'), (1, N'Birch'), (2, N'Cedar'), (3, N'Deer'), (4, N'Elm'), (5, N'Fox'), (6, N'Gold'), (7, N'High'),
                (8, N'Iron'), (9, N'Long'), (10, N'Maple'), (11, N'North'), (12, N'Oak'), (13, N'Pine'), (14, N'River')
        ) AS f (i, Word)
        CROSS JOIN
        (
            VALUES (0, N'Creek'), (1, N'Falls'), (2, N'Grove'), (3, N'Harbor'), (4, N'Hill'), (5, N'Lake'), (6, N'Meadow'),
                (7, N'Mills'), (8, N'Point'), (9, N'Ridge'), (10, N'Rock'), (11, N'Springs'), (12, N'Valley'), (13, N'Wood')
        ) AS s (i, Word)
    ),
    State AS
    (
        SELECT s.i, s.Code
        FROM
        (
            VALUES (0, N'AZ'), (1, N'CA'), (2, N'FL'), (3, N'IL'), (4, N'MN'), (5, N'NM'), (6, N'NY'), (7, N'OR'), (8, N'TX'), (9, N'WA')
        ) AS s (i, Code)
    ),
    Trade AS
    (
        SELECT t.i, t.Word
        FROM
        (
            VALUES (0, CONCAT(N'Caf', NCHAR(233))), (1, CONCAT(N'B', NCHAR(228), N'ckerei')),
                (2, CONCAT(N'Librer', NCHAR(237), N'a')), (3, CONCAT(N'P', NCHAR(226), N'tisserie')),
                (4, CONCAT(N'Pek', NCHAR(225), N'rna')), (5, CONCAT(N'Ku', NCHAR(231), N'uk D', NCHAR(252), N'kkan')),
                (6, CONCAT(NCHAR(26360), NCHAR(24215))), (7, CONCAT(N'Sm', NCHAR(248), N'rrebr', NCHAR(248), N'd')),
                (8, N'Bakery'), (9, N'Bookshop'), (10, N'Florist'), (11, N'Garage'), (12, N'Grocer'), (13, N'Hardware Store'),
                (14, N'Music Shop'), (15, N'Pharmacy'), (16, N'Stationer')
        ) AS t (i, Word)
    ),
    Place AS
    (
        SELECT p.i, p.Word
        FROM
        (
            VALUES (0, N'Bridge'), (1, N'Castle'), (2, N'Crossing'), (3, N'Fountain'), (4, N'Gate'), (5, N'Harbor'),
                (6, N'Lighthouse'), (7, N'Market'), (8, N'Mill'), (9, N'Park'), (10, N'River'), (11, N'School'), (12, N'Square'),
                (13, N'Station'), (14, N'Tower'), (15, N'Wall')
        ) AS p (i, Word)
    ),
    Customer AS
    (
        SELECT
            c.CustomerID,
            CASE WHEN c.CustomerID = c.BillToCustomerID THEN CONCAT(c.Brand, N' (Head Office)')
                 ELSE CONCAT(c.Brand, N' (', t.FirstWord, N' ', t.SecondWord, N', ', s.Code, N')') END AS CustomerName,
            c.BillToCustomerID,
            CASE WHEN c.CustomerID = c.BillToCustomerID THEN c.Website
                 ELSE CONCAT(c.Website, t.FirstWord, t.SecondWord) END AS WebsiteURL,
            CONCAT(t.FirstWord, N' Road') AS Street
        FROM Chain AS c
        INNER JOIN Town AS t ON t.Nth = c.Nth
        INNER JOIN State AS s ON s.i = c.Nth % 10
        UNION ALL
        SELECT
            n.CustomerID, CONCAT(t.Word, N' at the ', p.Word), n.CustomerID, CONCAT(N'http://www.example.com/', n.CustomerID),
            N'Market Street'
        FROM Number AS n
        INNER JOIN Trade AS t ON t.i = (n.CustomerID - 801) % 17
        INNER JOIN Place AS p ON p.i = (n.CustomerID - 801) / 17
        WHERE n.CustomerID BETWEEN 801 AND 1061
    )
    INSERT INTO Sales.Customers
    (
        CustomerID, CustomerName, BillToCustomerID, CustomerCategoryID, PrimaryContactPersonID, DeliveryMethodID,
        DeliveryCityID, PostalCityID, AccountOpenedDate, StandardDiscountPercentage, IsStatementSent, IsOnCreditHold,
        PaymentDays, PhoneNumber, FaxNumber, WebsiteURL, DeliveryAddressLine1, DeliveryAddressLine2, DeliveryPostalCode,
        PostalAddressLine1, PostalAddressLine2, PostalPostalCode, LastEditedBy
    )
    SELECT
        c.CustomerID, COALESCE(w.CustomerName, c.CustomerName), c.BillToCustomerID, 5, 1, 1,
        28561, 28561, '20130101', 0, 0, 0,
        30, CONCAT(a.Phone, N'0'), CONCAT(a.Phone, N'1'), COALESCE(w.WebsiteURL, c.WebsiteURL),
        COALESCE(w.Line1, CONCAT(N'Shop ', 1 + c.CustomerID % 300)),
        -- Every seventh has no second line: NULL in the table, absent from the JSON.
        COALESCE(w.Line2, CASE WHEN c.CustomerID % 7 <> 0 THEN CONCAT(1 + (c.CustomerID * 37) % 1900, N' ', c.Street) END),
        a.PostalCode, CONCAT(N'PO Box ', 1000 + c.CustomerID), NULL, a.PostalCode, 1
    FROM Customer AS c
    LEFT JOIN
    (
        VALUES (123, N'Tailspin Toys (Roe Park, NY)', N'http://www.tailspintoys.com/RoePark', N'Shop 219', N'528 Persson Road')
    ) AS w (CustomerID, CustomerName, WebsiteURL, Line1, Line2) ON w.CustomerID = c.CustomerID
    CROSS APPLY
    (
        SELECT
            CONCAT(N'(', CASE c.CustomerID WHEN 123 THEN 212 ELSE 201 + c.CustomerID % 700 END, N') 555-010') AS Phone,
            CASE c.CustomerID WHEN 123 THEN N'90775' ELSE CONVERT(NVARCHAR(10), 90000 + (c.CustomerID * 13) % 1000) END AS PostalCode
    ) AS a;

    INSERT INTO Sales.Orders (CustomerID, OrderDate)
    SELECT c.CustomerID, DATEADD(DAY, c.CustomerID % 365, CONVERT(DATE, '20160101'))
    FROM Sales.Customers AS c
    WHERE c.CustomerID BETWEEN 1 AND 601;

    PRINT N'Sample schema created.';
END;
COMMIT TRANSACTION;
GO
