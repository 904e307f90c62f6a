/*
After the upgrade: what upgrade-before.sql wrote is replayed, and the ledger has its shape.
*/
BEGIN TRANSACTION;
DECLARE @Put TABLE (Status INT, ETag NVARCHAR(40), CustomerID INT, Replayed BIT, Json NVARCHAR(MAX));
INSERT INTO @Put
EXECUTE web.put_customer
    @Json = N'{"CustomerName":"Upgrade","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":"http://www.example.com/","Delivery":{"AddressLine1":"Road 1","PostalCode":1}}',
    @RequestKey = N'upgrade-put';
IF NOT EXISTS
(
    SELECT 1
    FROM @Put AS p
    INNER JOIN Sales.Customers AS c ON c.CustomerID = p.CustomerID
    WHERE p.Status = 201 AND p.Replayed = 1 AND c.CustomerName = N'Upgrade'
)
    THROW 50000, N'A PUT from before the upgrade is not replayed.', 1;

DECLARE @Delete TABLE (Status INT, Replayed BIT, Json NVARCHAR(MAX));
INSERT INTO @Delete
EXECUTE web.delete_customer @CustomerID = 1061, @RequestKey = N'upgrade-delete';
IF NOT EXISTS (SELECT 1 FROM @Delete AS d WHERE d.Status = 202 AND d.Replayed = 1)
    THROW 50000, N'A DELETE from before the upgrade is not replayed.', 1;
COMMIT TRANSACTION;

IF OBJECT_ID(N'ops.Requests') IS NOT NULL
    OR NOT EXISTS (SELECT 1 FROM ops.SchemaVersion AS v HAVING COUNT(*) = MAX(v.Version))
    OR NOT EXISTS
    (
        SELECT 1
        FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'web.Requests') AND i.name = N'IX_web_Requests_BeganAt' AND i.type_desc = N'CLUSTERED'
    )
    THROW 50000, N'The ledger is not as the last migration makes it.', 1;
GO
