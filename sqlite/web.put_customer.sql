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
SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'Sales_Customers'), 0) + 1 AS RowID;

INSERT INTO Sales_Customers (
    CustomerID,
    CustomerName,
    BillToCustomerID,
    CustomerCategoryID,
    PrimaryContactPersonID,
    DeliveryMethodID,
    DeliveryCityID,
    PostalCityID,
    AccountOpenedDate,
    StandardDiscountPercentage,
    IsStatementSent,
    IsOnCreditHold,
    PaymentDays,
    PhoneNumber,
    FaxNumber,
    WebsiteURL,
    DeliveryAddressLine1,
    DeliveryAddressLine2,
    DeliveryPostalCode,
    PostalAddressLine1,
    PostalAddressLine2,
    PostalPostalCode,
    LastEditedBy
)
VALUES (
    :RowID,
    column_value(:Document -> '$.CustomerName', 'nchar', 100, NULL),
    :RowID,
    5,
    1,
    1,
    28561,
    28561,
    date(),
    '0.000',
    'false',
    'false',
    30,
    column_value(:Document -> '$.PhoneNumber', 'nchar', 20, NULL),
    column_value(:Document -> '$.FaxNumber', 'nchar', 20, NULL),
    column_value(:Document -> '$.WebsiteURL', 'nchar', 256, NULL),
    column_value(:Document -> '$.Delivery.AddressLine1', 'nchar', 60, NULL),
    column_value(:Document -> '$.Delivery.AddressLine2', 'nchar', 60, NULL),
    column_value(:Document -> '$.Delivery.PostalCode', 'nchar or number', 10, NULL),
    column_value(:Document -> '$.Delivery.AddressLine1', 'nchar', 60, NULL),
    column_value(:Document -> '$.Delivery.AddressLine2', 'nchar', 60, NULL),
    column_value(:Document -> '$.Delivery.PostalCode', 'nchar or number', 10, NULL),
    1
)
RETURNING CustomerID AS RowID;

SELECT 409 AS Status, json_patch(json_object('detail', CASE :ErrorConstraint
    WHEN 'Sales_Customers.CustomerID' THEN 'A customer with this CustomerID already exists.'
    WHEN 'index ''UQ_Customers_1''' THEN 'A customer with this CustomerID already exists.'
    WHEN 'Sales_Customers.CustomerName' THEN 'A customer with this name already exists.'
    WHEN 'index ''UQ_Customers_2''' THEN 'A customer with this name already exists.'
    ELSE iif(:ErrorNumber = 547, 'It refers to a row that does not exist, or breaks another rule of the table.', 'Another row has the same value where the table allows it once.')
END), json_object('errors', json(CASE :ErrorConstraint
    WHEN 'Sales_Customers.CustomerName' THEN '[{"field":"CustomerName","message":"is taken"}]'
    WHEN 'index ''UQ_Customers_2''' THEN '[{"field":"CustomerName","message":"is taken"}]'
END))) AS Json
WHERE :ErrorNumber IN (2627, 547);

-- 4. The answer: the row as it is now, also in a replay.
SELECT 201 AS Status, max(ETag) AS ETag, :RowID AS CustomerID, ifnull(max(Json), '[]') AS Json
FROM web_customer_document
WHERE CustomerID = :RowID;
