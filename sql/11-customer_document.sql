/*
web.customer_document: one customer as its JSON text and the version of it. The only place that knows the shape of a customer.

Parameters
  @CustomerID

Result: one row, or none when there is no such customer.
  ETag  ValidFrom as text: the row's version. Opaque to clients, compared as text; CONVERT leaves out a fraction of zero
  Json  an array with one object; columns that are NULL are left out

Text and version come from one read of one row, so they always belong together, also without a transaction around them.
*/
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

CREATE OR ALTER FUNCTION web.customer_document
(
    @CustomerID INT
)
RETURNS TABLE
AS
RETURN
    SELECT
        CONVERT(NVARCHAR(40), c.ValidFrom, 126) AS ETag,
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
    WHERE c.CustomerID = @CustomerID;
GO
