/*
Customers: what the API does with Sales.Customers. Generated from entities/customer.toml, and yours from then on: change what you like, then run
`make generate`. How the procedures work, and what they answer, is said once for all of them: README.md. */
EXECUTE ops.check_table N'Sales.Customers', N'{
    "CustomerID": "int", "CustomerName": "nvarchar(100) collate Latin1_General_100_CI_AS", "BillToCustomerID": "int", "CustomerCategoryID": "int",
    "BuyingGroupID": null, "PrimaryContactPersonID": "int", "AlternateContactPersonID": null, "DeliveryMethodID": "int", "DeliveryCityID": "int",
    "PostalCityID": "int", "CreditLimit": null, "AccountOpenedDate": "date", "StandardDiscountPercentage": "decimal(18,3)", "IsStatementSent": "bit",
    "IsOnCreditHold": "bit", "PaymentDays": "int", "PhoneNumber": "nvarchar(20)", "FaxNumber": "nvarchar(20)", "DeliveryRun": null,
    "RunPosition": null, "WebsiteURL": "nvarchar(256)", "DeliveryAddressLine1": "nvarchar(60)", "DeliveryAddressLine2": "nvarchar(60) null",
    "DeliveryPostalCode": "nvarchar(10)", "PostalAddressLine1": "nvarchar(60)", "PostalAddressLine2": "nvarchar(60) null",
    "PostalPostalCode": "nvarchar(10)", "LastEditedBy": "int", "ValidFrom": "datetime2(7)", "ValidTo": null
}', N'[
    {"columns":"[CustomerID]","filtered":0}, {"columns":"[CustomerName]","filtered":0}
]';
IF EXISTS (SELECT 1 FROM Sales.Customers AS c WHERE c.[CustomerID] < 1)
    PRINT N'Rows of Sales.Customers with a key below 1 cannot be read or changed: no path names them.';
DELETE FROM ops.Fields WHERE Entity = N'customer'; DELETE FROM ops.Conflicts WHERE Entity = N'customer';
INSERT INTO ops.Fields (Entity, Position, Field, ColumnName, SqlType, Size, Scale, Collation, IsRequired, IsNullable)
VALUES
    (N'customer', 1, N'CustomerName', N'CustomerName', N'nchar', 100, NULL, NULL, 1, 0),
    (N'customer', 2, N'PhoneNumber', N'PhoneNumber', N'nchar', 20, NULL, NULL, 1, 0),
    (N'customer', 3, N'FaxNumber', N'FaxNumber', N'nchar', 20, NULL, NULL, 1, 0),
    (N'customer', 4, N'WebsiteURL', N'WebsiteURL', N'nchar', 256, NULL, NULL, 1, 0),
    (N'customer', 5, N'Delivery', NULL, N'object', NULL, NULL, NULL, 0, 0),
    (N'customer', 6, N'Delivery.AddressLine1', N'DeliveryAddressLine1', N'nchar', 60, NULL, NULL, 1, 0),
    (N'customer', 7, N'Delivery.AddressLine2', N'DeliveryAddressLine2', N'nchar', 60, NULL, NULL, 0, 1),
    (N'customer', 8, N'Delivery.PostalCode', N'DeliveryPostalCode', N'nchar or number', 10, NULL, NULL, 1, 0);
INSERT INTO ops.Conflicts (Entity, ConstraintName, Detail, Errors)
SELECT N'customer', i.Name, v.Detail, v.Errors
FROM (VALUES
    (N'[CustomerID]', NULL, NULL),
    (N'[CustomerName]', N'A customer with this name already exists.', N'[{"field":"CustomerName","message":"is taken"}]')
) AS v (Columns, Detail, Errors)
INNER JOIN ops.unique_indexes(N'Sales.Customers') AS i ON i.Columns = v.Columns;
GO

-- web.customer_document: a customer as its JSON text, and the version of it. The only place that knows the shape of a customer.
CREATE OR ALTER FUNCTION web.customer_document (@CustomerID INT)
RETURNS TABLE
AS
RETURN
    SELECT d.Json, d.Version,
        CONVERT(NVARCHAR(40), CONCAT(CONVERT(NVARCHAR(27), d.Version, 126), N'-', LOWER(CONVERT(NVARCHAR(12), SUBSTRING(HASHBYTES('SHA2_256', d.Json), 1, 6), 2)))) AS ETag
    FROM (
        SELECT c.ValidFrom AS Version, (SELECT
                c.CustomerID AS [CustomerID], c.CustomerName AS [CustomerName], c.PhoneNumber AS [PhoneNumber], c.FaxNumber AS [FaxNumber],
                c.WebsiteURL AS [WebsiteURL], c.DeliveryAddressLine1 AS [Delivery.AddressLine1], c.DeliveryAddressLine2 AS [Delivery.AddressLine2],
                c.DeliveryPostalCode AS [Delivery.PostalCode]
            FOR JSON PATH) AS Json
        FROM Sales.Customers AS c
        WHERE c.CustomerID = @CustomerID
    ) AS d;
GO

-- web.get_customer: one customer. GET /customer/{id}
CREATE OR ALTER PROCEDURE web.get_customer @CustomerID INT
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @Status INT, @ETag NVARCHAR(40), @Result NVARCHAR(MAX);

    SELECT @Status = 200, @ETag = d.ETag, @Result = d.Json FROM web.customer_document(@CustomerID) AS d;
    IF @Status IS NULL SELECT @Status = 404, @Result = ops.problem(CONCAT(N'Customer ', @CustomerID, N' does not exist.'));

    SELECT @Status AS Status, @ETag AS ETag, @Result AS Json;
END;
GO

-- web.get_customers: a page of customers, by key. GET /customers?after=&limit=&name=
CREATE OR ALTER PROCEDURE web.get_customers @After INT = NULL, @Limit INT = 100, @PrefixCustomerName NVARCHAR(100) = NULL
AS
BEGIN
    SET NOCOUNT ON; DECLARE @Page TABLE (NextAfter INT, Json NVARCHAR(MAX));
    DECLARE @Status INT = 200, @NextAfter INT, @Result NVARCHAR(MAX);

    IF @Limit BETWEEN 1 AND 1000
        -- One more row than the page has tells whether another page follows. One statement, so that no change comes in between.
        INSERT INTO @Page (NextAfter, Json)
        SELECT CASE WHEN MAX(p.Found) > @Limit THEN MAX(p.CustomerID) END, CONCAT(N'[', STRING_AGG(p.Json, N',') WITHIN GROUP (ORDER BY p.Nth), N']')
        FROM (
            SELECT
                r.CustomerID, COUNT(*) OVER () AS Found, ROW_NUMBER() OVER (ORDER BY r.CustomerID) AS Nth,
                (SELECT r.CustomerID AS [CustomerID], r.CustomerName AS [CustomerName] FOR JSON PATH, WITHOUT_ARRAY_WRAPPER) AS Json
            FROM (
                SELECT TOP (@Limit + 1) c.CustomerID, c.CustomerName
                FROM Sales.Customers AS c
                WHERE c.CustomerID >= COALESCE(@After, -2147483648) AND (@After IS NULL OR c.CustomerID > @After)
                    AND (@PrefixCustomerName IS NULL OR c.CustomerName LIKE CONCAT(REPLACE(REPLACE(REPLACE(REPLACE(@PrefixCustomerName, N'\', N'\\'), N'%', N'\%'), N'_', N'\_'), N'[', N'\['), N'%') ESCAPE '\')
                ORDER BY c.CustomerID
            ) AS r
        ) AS p
        WHERE p.Nth <= @Limit OPTION (RECOMPILE); -- This makes constants of parameters, because the statement sets no variable.
    ELSE SELECT @Status = 400, @Result = ops.problem(N'limit must be between 1 and 1000.');

    SELECT @NextAfter = g.NextAfter, @Result = g.Json FROM @Page AS g;
    SELECT @Status AS Status, @NextAfter AS NextAfter, @Result AS Json;
END;
GO

-- web.put_customer: create a customer. PUT /customer, POST /customers
CREATE OR ALTER PROCEDURE web.put_customer @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000)
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @ETag NVARCHAR(40), @CustomerID INT, @Replayed BIT, @Result NVARCHAR(MAX);
    DECLARE @Invalid INT, @Problem NVARCHAR(MAX);
    EXECUTE ops.check_fields N'customer', 1, @Json, @Invalid OUTPUT, @Problem OUTPUT;
    EXECUTE ops.claim_request @RequestKey, N'web.put_customer', @CustomerID OUTPUT, @Json, @Invalid, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

    IF @Status IS NULL AND @Invalid IS NOT NULL
        SELECT @Status = @Invalid, @Result = @Problem;
    ELSE IF @Status IS NULL
    BEGIN
        BEGIN TRY
            SET @CustomerID = NEXT VALUE FOR Sequences.CustomerID;
            INSERT INTO Sales.Customers (
                CustomerID, CustomerName, BillToCustomerID, CustomerCategoryID, PrimaryContactPersonID, DeliveryMethodID, DeliveryCityID,
                PostalCityID, AccountOpenedDate, StandardDiscountPercentage, IsStatementSent, IsOnCreditHold, PaymentDays, PhoneNumber, FaxNumber,
                WebsiteURL, DeliveryAddressLine1, DeliveryAddressLine2, DeliveryPostalCode, PostalAddressLine1, PostalAddressLine2, PostalPostalCode,
                LastEditedBy
            )
            SELECT
                @CustomerID, j.CustomerName, @CustomerID, 5, 1, 1, 28561, 28561, CONVERT(DATE, SYSUTCDATETIME()), 0, 0, 0, 30, j.PhoneNumber,
                j.FaxNumber, j.WebsiteURL, j.DeliveryAddressLine1, j.DeliveryAddressLine2, j.DeliveryPostalCode, j.DeliveryAddressLine1,
                j.DeliveryAddressLine2, j.DeliveryPostalCode, 1
            FROM OPENJSON(@Json) WITH (
                CustomerName NVARCHAR(100) '$.CustomerName', PhoneNumber NVARCHAR(20) '$.PhoneNumber', FaxNumber NVARCHAR(20) '$.FaxNumber',
                WebsiteURL NVARCHAR(256) '$.WebsiteURL', DeliveryAddressLine1 NVARCHAR(60) '$.Delivery.AddressLine1',
                DeliveryAddressLine2 NVARCHAR(60) '$.Delivery.AddressLine2', DeliveryPostalCode NVARCHAR(10) '$.Delivery.PostalCode'
            ) AS j;
            SET @Status = 201;
        END TRY
        BEGIN CATCH
            IF ERROR_NUMBER() NOT IN (547, 2601, 2627, 33504) OR XACT_STATE() = -1 THROW;
            EXECUTE ops.answer_conflict N'customer', NULL, @Status OUTPUT, @Result OUTPUT;
            SET @CustomerID = NULL;
        END CATCH;
        EXECUTE ops.record_request @RequestKey, @Status, @CustomerID;
    END;

    IF @Status < 400
        SELECT @ETag = d.ETag, @Result = d.Json FROM web.customer_document(@CustomerID) AS d;
    IF @Status < 400 AND @Replayed = 0 AND @Result IS NULL
        THROW 50022, N'The new row cannot be read: row-level security, see sql/README.md.', 1;
    SET @Result = ISNULL(@Result, N'[]');
    SELECT @Status AS Status, @ETag AS ETag, @CustomerID AS CustomerID, @Replayed AS Replayed, @Result AS Json;
END;
GO

-- web.put_customers: create many customers, all or none. POST /customers with an array
CREATE OR ALTER PROCEDURE web.put_customers @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000)
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @Status INT, @Replayed BIT, @Result NVARCHAR(MAX);
    EXECUTE ops.put_rows N'web.put_customers', N'web.put_customer', @Json, @RequestKey, @Status OUTPUT, @Replayed OUTPUT, @Result OUTPUT;
    SELECT @Status AS Status, @Replayed AS Replayed, @Result AS Json;
END;
GO

-- web.patch_customer: change some fields of a customer (JSON Merge Patch, RFC 7396). PATCH /customer/{id}
CREATE OR ALTER PROCEDURE web.patch_customer
    @CustomerID INT, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @ETag NVARCHAR(40), @Replayed BIT, @Result NVARCHAR(MAX);
    DECLARE @Invalid INT, @Problem NVARCHAR(MAX), @Current NVARCHAR(40), @Version DATETIME2(7), @After DATETIME2(7);
    EXECUTE ops.check_fields N'customer', 0, @Json, @Invalid OUTPUT, @Problem OUTPUT;
    EXECUTE ops.claim_request @RequestKey, N'web.patch_customer', @CustomerID, @Json, @Invalid, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

    IF @Status IS NULL
    BEGIN
        -- UPDLOCK: nobody changes or deletes the row before this transaction ends.
        SELECT @CustomerID = c.CustomerID, @Version = c.ValidFrom FROM Sales.Customers AS c WITH (UPDLOCK) WHERE c.CustomerID = @CustomerID;
        SELECT @Current = d.ETag FROM web.customer_document(@CustomerID) AS d;
        IF @Invalid = 400
            SELECT @Status = 400, @Result = @Problem;
        ELSE IF @Current IS NULL
            SELECT @Status = 404, @Result = ops.problem(CONCAT(N'Customer ', @CustomerID, N' does not exist.'));
        ELSE IF ops.is_match(@IfMatch, @Current) = 0
            SELECT @Status = 412, @Result = ops.problem(CONCAT(N'Customer ', @CustomerID, N' has changed since the version named in If-Match.'));
        ELSE IF @Invalid = 422
            SELECT @Status = 422, @Result = @Problem;
        ELSE IF ops.key_problem(N'customer', @Json, N'CustomerID', N'int', @CustomerID) IS NOT NULL
            SELECT @Status = 422, @Result = ops.key_problem(N'customer', @Json, N'CustomerID', N'int', @CustomerID);
        ELSE
        BEGIN TRY
            UPDATE c
            SET
                CustomerName = ISNULL(j.CustomerName, c.CustomerName),
                PhoneNumber = ISNULL(j.PhoneNumber, c.PhoneNumber),
                FaxNumber = ISNULL(j.FaxNumber, c.FaxNumber),
                WebsiteURL = ISNULL(j.WebsiteURL, c.WebsiteURL),
                DeliveryAddressLine1 = ISNULL(j.DeliveryAddressLine1, c.DeliveryAddressLine1),
                DeliveryAddressLine2 = CASE WHEN JSON_PATH_EXISTS(@Json, '$.Delivery.AddressLine2') = 1 THEN j.DeliveryAddressLine2 ELSE c.DeliveryAddressLine2 END,
                DeliveryPostalCode = ISNULL(j.DeliveryPostalCode, c.DeliveryPostalCode),
                LastEditedBy = 1
            FROM Sales.Customers AS c
            CROSS JOIN OPENJSON(@Json) WITH (
                CustomerName NVARCHAR(100) '$.CustomerName', PhoneNumber NVARCHAR(20) '$.PhoneNumber', FaxNumber NVARCHAR(20) '$.FaxNumber',
                WebsiteURL NVARCHAR(256) '$.WebsiteURL', DeliveryAddressLine1 NVARCHAR(60) '$.Delivery.AddressLine1',
                DeliveryAddressLine2 NVARCHAR(60) '$.Delivery.AddressLine2', DeliveryPostalCode NVARCHAR(10) '$.Delivery.PostalCode'
            ) AS j
            WHERE c.CustomerID = @CustomerID AND c.ValidFrom = @Version;
            IF @@ROWCOUNT = 0
                THROW 50025, N'The row was changed in between. A retry sees that.', 1;
            SET @Status = 202;
        END TRY
        BEGIN CATCH
            IF ERROR_NUMBER() NOT IN (547, 2601, 2627, 33504) OR XACT_STATE() = -1 THROW;
            EXECUTE ops.answer_conflict N'customer', NULL, @Status OUTPUT, @Result OUTPUT;
        END CATCH;
        IF @Invalid IS NULL
            EXECUTE ops.record_request @RequestKey, @Status, @CustomerID;
    END;

    IF @Status < 400
        SELECT @ETag = d.ETag, @Result = d.Json, @After = d.Version FROM web.customer_document(@CustomerID) AS d;
    IF @Status < 400 AND @Replayed = 0 AND @After = @Version
        THROW 50023, N'The row was written in this step of the clock. A retry begins later, and makes a new version.', 1;
    SET @Result = ISNULL(@Result, N'[]');
    SELECT @Status AS Status, @ETag AS ETag, @Replayed AS Replayed, @Result AS Json;
END;
GO

-- web.delete_customer: delete a customer. DELETE /customer/{id}
CREATE OR ALTER PROCEDURE web.delete_customer
    @CustomerID INT, @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @Replayed BIT, @Result NVARCHAR(MAX), @Current NVARCHAR(40), @Version DATETIME2(7);
    DECLARE @Referred NVARCHAR(1000) = CONCAT(N'Customer ', @CustomerID, N' is referred to by other rows and cannot be deleted.');
    EXECUTE ops.claim_request @RequestKey, N'web.delete_customer', @CustomerID, NULL, NULL, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

    IF @Status IS NULL
    BEGIN
        -- UPDLOCK: nobody changes or deletes the row before this transaction ends.
        SELECT @CustomerID = c.CustomerID, @Version = c.ValidFrom FROM Sales.Customers AS c WITH (UPDLOCK) WHERE c.CustomerID = @CustomerID;
        SELECT @Current = d.ETag FROM web.customer_document(@CustomerID) AS d;
        IF ops.is_match(@IfMatch, @Current) = 0
            SELECT @Status = 412, @Result = ops.problem(CONCAT(N'Customer ', @CustomerID, N' has changed since the version named in If-Match.'));
        ELSE
        BEGIN TRY
            DELETE FROM c FROM Sales.Customers AS c WHERE c.CustomerID = @CustomerID AND c.ValidFrom = @Version;
            IF @@ROWCOUNT = 0 AND @Current IS NOT NULL
                THROW 50025, N'The row was changed in between. A retry sees that.', 1;
            SET @Status = 202;
        END TRY
        BEGIN CATCH
            IF ERROR_NUMBER() NOT IN (547, 2601, 2627, 33504) OR XACT_STATE() = -1 THROW;
            EXECUTE ops.answer_conflict N'customer', @Referred, @Status OUTPUT, @Result OUTPUT;
        END CATCH;
        EXECUTE ops.record_request @RequestKey, @Status, @CustomerID;
    END;

    IF @Status < 400 SET @Result = (SELECT @CustomerID AS [CustomerID] FOR JSON PATH);
    SELECT @Status AS Status, @Replayed AS Replayed, @Result AS Json;
END;
GO
