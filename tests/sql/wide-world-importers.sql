/*
Makes of the sample's Sales.Customers what WideWorldImporters has: the column DeliveryLocation, the foreign keys, the security policy,
no index on BillToCustomerID. The tables that the keys refer to have the columns that are needed here. For a test, which copies this
file into sql/ as 05-wide-world-importers.sql: so it may run again, and before 90-security.sql.
*/
IF SCHEMA_ID(N'Application') IS NULL
    EXECUTE (N'CREATE SCHEMA Application AUTHORIZATION dbo;');
GO

IF OBJECT_ID(N'Application.People', N'U') IS NULL
BEGIN
    CREATE TABLE Application.People (PersonID INT NOT NULL CONSTRAINT PK_Application_People PRIMARY KEY);
    CREATE TABLE Application.DeliveryMethods (DeliveryMethodID INT NOT NULL CONSTRAINT PK_Application_DeliveryMethods PRIMARY KEY);
    CREATE TABLE Application.StateProvinces
    (
        StateProvinceID INT NOT NULL CONSTRAINT PK_Application_StateProvinces PRIMARY KEY,
        SalesTerritory NVARCHAR(50) NOT NULL
    );
    CREATE TABLE Application.Cities
    (
        CityID INT NOT NULL CONSTRAINT PK_Application_Cities PRIMARY KEY,
        StateProvinceID INT NOT NULL CONSTRAINT FK_Application_Cities_StateProvinceID_Application_StateProvinces
            REFERENCES Application.StateProvinces (StateProvinceID)
    );
    CREATE TABLE Sales.CustomerCategories (CustomerCategoryID INT NOT NULL CONSTRAINT PK_Sales_CustomerCategories PRIMARY KEY);
    CREATE TABLE Sales.BuyingGroups (BuyingGroupID INT NOT NULL CONSTRAINT PK_Sales_BuyingGroups PRIMARY KEY);

    INSERT INTO Application.People (PersonID) VALUES (1);
    INSERT INTO Application.DeliveryMethods (DeliveryMethodID) VALUES (1);
    INSERT INTO Application.StateProvinces (StateProvinceID, SalesTerritory) VALUES (1, N'Mideast');
    INSERT INTO Application.Cities (CityID, StateProvinceID) VALUES (28561, 1);
    INSERT INTO Sales.CustomerCategories (CustomerCategoryID) VALUES (5);

    DROP INDEX IX_Sales_Customers_BillToCustomerID ON Sales.Customers;
    ALTER TABLE Sales.Customers ADD DeliveryLocation GEOGRAPHY NULL;
    ALTER TABLE Sales.Customers ADD CONSTRAINT FK_Sales_Customers_CustomerCategoryID_Sales_CustomerCategories
        FOREIGN KEY (CustomerCategoryID) REFERENCES Sales.CustomerCategories (CustomerCategoryID);
    ALTER TABLE Sales.Customers ADD CONSTRAINT FK_Sales_Customers_BuyingGroupID_Sales_BuyingGroups
        FOREIGN KEY (BuyingGroupID) REFERENCES Sales.BuyingGroups (BuyingGroupID);
    ALTER TABLE Sales.Customers ADD CONSTRAINT FK_Sales_Customers_PrimaryContactPersonID_Application_People
        FOREIGN KEY (PrimaryContactPersonID) REFERENCES Application.People (PersonID);
    ALTER TABLE Sales.Customers ADD CONSTRAINT FK_Sales_Customers_AlternateContactPersonID_Application_People
        FOREIGN KEY (AlternateContactPersonID) REFERENCES Application.People (PersonID);
    ALTER TABLE Sales.Customers ADD CONSTRAINT FK_Sales_Customers_DeliveryMethodID_Application_DeliveryMethods
        FOREIGN KEY (DeliveryMethodID) REFERENCES Application.DeliveryMethods (DeliveryMethodID);
    ALTER TABLE Sales.Customers ADD CONSTRAINT FK_Sales_Customers_DeliveryCityID_Application_Cities
        FOREIGN KEY (DeliveryCityID) REFERENCES Application.Cities (CityID);
    ALTER TABLE Sales.Customers ADD CONSTRAINT FK_Sales_Customers_PostalCityID_Application_Cities
        FOREIGN KEY (PostalCityID) REFERENCES Application.Cities (CityID);
    ALTER TABLE Sales.Customers ADD CONSTRAINT FK_Sales_Customers_Application_People
        FOREIGN KEY (LastEditedBy) REFERENCES Application.People (PersonID);
END;
GO

-- The statement is a text, because CREATE FUNCTION must be the only statement of its batch, and the policy forbids a second one.
IF OBJECT_ID(N'Application.DetermineCustomerAccess', N'IF') IS NULL
    EXECUTE (N'
CREATE FUNCTION Application.DetermineCustomerAccess (@CityID INT)
RETURNS TABLE
WITH SCHEMABINDING
AS
RETURN
    SELECT 1 AS AccessResult
    WHERE IS_ROLEMEMBER(N''db_owner'') <> 0
        OR IS_ROLEMEMBER
        (
            (
                SELECT sp.SalesTerritory
                FROM Application.Cities AS c
                INNER JOIN Application.StateProvinces AS sp ON c.StateProvinceID = sp.StateProvinceID
                WHERE c.CityID = @CityID
            ) + N'' Sales''
        ) <> 0;');
GO

IF NOT EXISTS (SELECT 1 FROM sys.security_policies AS p WHERE p.name = N'FilterCustomersBySalesTerritoryRole')
    EXECUTE (N'
CREATE SECURITY POLICY Application.FilterCustomersBySalesTerritoryRole
    ADD FILTER PREDICATE Application.DetermineCustomerAccess(DeliveryCityID) ON Sales.Customers,
    ADD BLOCK PREDICATE Application.DetermineCustomerAccess(DeliveryCityID) ON Sales.Customers AFTER UPDATE;');
GO

-- The grant that sql/README.md requires.
IF DATABASE_PRINCIPAL_ID(N'Mideast Sales') IS NULL
    CREATE ROLE [Mideast Sales];
IF DATABASE_PRINCIPAL_ID(N'web_executor') IS NULL
    CREATE ROLE web_executor;
ALTER ROLE [Mideast Sales] ADD MEMBER web_executor;
GO
