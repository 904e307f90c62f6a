/*
Writes to a database that older scripts made. A second run replays both.
*/
EXECUTE web.put_customer
    @Json = N'{"CustomerName":"Upgrade","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":"http://www.example.com/","Delivery":{"AddressLine1":"Road 1","PostalCode":1}}',
    @RequestKey = N'upgrade-put';
EXECUTE web.delete_customer @CustomerID = 1061, @RequestKey = N'upgrade-delete';
IF (SELECT COUNT(*) FROM web.Requests AS r WHERE r.RequestKey IN (N'upgrade-put', N'upgrade-delete')) <> 2
    THROW 50000, N'The ledger does not have both writes.', 1;
IF COL_LENGTH(N'web.Requests', N'CompletedAt') IS NULL OR SCHEMA_ID(N'ops') IS NULL OR OBJECT_ID(N'ops.Requests') IS NOT NULL
    THROW 50000, N'The ledger is not as it was before the upgrade.', 1;
GO
