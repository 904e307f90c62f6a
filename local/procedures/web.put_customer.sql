-- @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000)

-- 1. The text.
SELECT openjson(:Json) AS Document;

SELECT 400 AS Status, json_object('detail', 'The body is not a JSON object.') AS Json
WHERE :Document IS NULL;

-- 2. The fields.
SELECT
    422 AS Status,
    json_object(
        'detail', 'The customer has invalid fields.',
        'errors', json_group_array(json_object('field', Field, 'message', Message) ORDER BY Position)
    ) AS Json
FROM web_customer_fields
WHERE Document = :Document AND Message IS NOT NULL
HAVING count(*) > 0;

-- 3. The change.
UPDATE Sequences_CustomerID SET NextValue = NextValue + 1 RETURNING NextValue - 1 AS RowID;

INSERT INTO Sales_Customers (
    CustomerID, CustomerName, BillToCustomerID, CustomerCategoryID, PrimaryContactPersonID, DeliveryMethodID, DeliveryCityID, PostalCityID,
    AccountOpenedDate, StandardDiscountPercentage, IsStatementSent, IsOnCreditHold, PaymentDays, PhoneNumber, FaxNumber, WebsiteURL,
    DeliveryAddressLine1, DeliveryAddressLine2, DeliveryPostalCode, PostalAddressLine1, PostalAddressLine2, PostalPostalCode, LastEditedBy
)
SELECT
    :RowID, json_text(:Document -> '$.CustomerName'), :RowID, 5, 1, 1, 28561, 28561,
    date(), 0, 0, 0, 30, json_text(:Document -> '$.PhoneNumber'), json_text(:Document -> '$.FaxNumber'), json_text(:Document -> '$.WebsiteURL'),
    Line1, Line2, PostalCode, Line1, Line2, PostalCode, 1
FROM (
    SELECT
        json_text(:Document -> '$.Delivery.AddressLine1') AS Line1,
        json_text(:Document -> '$.Delivery.AddressLine2') AS Line2,
        json_text(:Document -> '$.Delivery.PostalCode') AS PostalCode
);

SELECT
    409 AS Status,
    iif(
        EXISTS (SELECT * FROM Sales_Customers WHERE CustomerName = json_text(:Document -> '$.CustomerName')),
        json_object('detail', 'A customer with this name already exists.'),
        throw(50021, 'The id is in use: Sequences_CustomerID lags behind Sales_Customers.')
    ) AS Json
WHERE :ErrorNumber = 2627;

-- 4. The answer: the row as it is now, also in a replay.
SELECT 201 AS Status, max(ETag) AS ETag, :RowID AS CustomerID, ifnull(max(Json), '[]') AS Json
FROM web_customer_document
WHERE CustomerID = :RowID;
