/*
web.customer_document: one customer as its JSON text and the version of it. The only place that knows the shape of a customer, and
how its ETag is made.

Parameters
  @CustomerID

Result: one row, or none when there is no such customer.
  ETag  the row's version: ValidFrom and 12 hexadecimal digits of the text's SHA-256. Opaque to clients, compared as text. ValidFrom alone
        would not do: two changes within one step of the clock have the same
  Json  an array with one object; columns that are NULL are left out

Text and version come from one read of one row, so they always belong together, also without a transaction around them.
*/
CREATE OR ALTER FUNCTION web.customer_document
(
    @CustomerID INT
)
RETURNS TABLE
AS
RETURN
    SELECT
        CONVERT(NVARCHAR(40), CONCAT
        (
            CONVERT(NVARCHAR(27), d.ValidFrom, 126), N'-',
            LOWER(CONVERT(NVARCHAR(12), SUBSTRING(HASHBYTES('SHA2_256', d.Json), 1, 6), 2))
        )) AS ETag,
        d.Json
    FROM
    (
        SELECT
            c.ValidFrom,
            (
                SELECT
                    c.CustomerID AS [CustomerID],
                    c.CustomerName AS [CustomerName],
                    c.PhoneNumber AS [PhoneNumber],
                    c.FaxNumber AS [FaxNumber],
                    c.WebsiteURL AS [WebsiteURL],
                    c.DeliveryAddressLine1 AS [Delivery.AddressLine1],
                    c.DeliveryAddressLine2 AS [Delivery.AddressLine2],
                    c.DeliveryPostalCode AS [Delivery.PostalCode]
                FOR JSON PATH
            ) AS Json
        FROM Sales.Customers AS c
        WHERE c.CustomerID = @CustomerID
    ) AS d;
GO
