-- @CustomerID INT, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL

-- 1. The text.
SELECT openjson(:Json) AS Document;

SELECT 400 AS Status, json_object('detail', 'The body is not a JSON object.') AS Json
WHERE :Document IS NULL;

-- 2. The row.
SELECT web_Version AS Before FROM web_customer_document WHERE CustomerID = :CustomerID;

SELECT 404 AS Status, json_object('detail', concat('Customer ', :CustomerID, ' does not exist.')) AS Json
WHERE NOT EXISTS (SELECT * FROM Sales_Customers WHERE CustomerID = :CustomerID);

SELECT 412 AS Status, json_object('detail', concat('Customer ', :CustomerID, ' has changed since the version named in If-Match.')) AS Json
WHERE :IfMatch IS NOT NULL AND NOT EXISTS (
    SELECT * FROM web_customer_document WHERE CustomerID = :CustomerID AND (:IfMatch = '*' OR instr(' ' || :IfMatch || ' ', ' ' || ETag || ' ') > 0)
);

-- 3. The fields.
SELECT
    422 AS Status,
    json_object(
        'detail', 'The customer has invalid fields.',
        'errors', json_group_array(json_object('field', Field, 'message', Message) ORDER BY Position)
    ) AS Json
FROM web_customer_fields
WHERE Document = :Document AND Message IS NOT NULL AND IsPresent
HAVING count(*) > 0;

SELECT
    422 AS Status,
    json_object('detail', 'The customer has invalid fields.', 'errors', json_array(json_object('field', 'CustomerID', 'message', 'must be the key of the row, which cannot be changed'))) AS Json
FROM Sales_Customers
WHERE CustomerID = :CustomerID AND :Document -> '$.CustomerID' IS NOT NULL AND column_value(:Document -> '$.CustomerID', 'int', NULL, NULL) COLLATE BINARY IS NOT CustomerID;

-- 4. The change: each column keeps its value unless the patch has the field.
UPDATE Sales_Customers
SET
    CustomerName = iif(:Document -> '$.CustomerName' IS NULL, CustomerName, column_value(:Document -> '$.CustomerName', 'nchar', 100, NULL)),
    PhoneNumber = iif(:Document -> '$.PhoneNumber' IS NULL, PhoneNumber, column_value(:Document -> '$.PhoneNumber', 'nchar', 20, NULL)),
    FaxNumber = iif(:Document -> '$.FaxNumber' IS NULL, FaxNumber, column_value(:Document -> '$.FaxNumber', 'nchar', 20, NULL)),
    WebsiteURL = iif(:Document -> '$.WebsiteURL' IS NULL, WebsiteURL, column_value(:Document -> '$.WebsiteURL', 'nchar', 256, NULL)),
    DeliveryAddressLine1 = iif(:Document -> '$.Delivery.AddressLine1' IS NULL, DeliveryAddressLine1, column_value(:Document -> '$.Delivery.AddressLine1', 'nchar', 60, NULL)),
    DeliveryAddressLine2 = iif(:Document -> '$.Delivery.AddressLine2' IS NULL, DeliveryAddressLine2, column_value(:Document -> '$.Delivery.AddressLine2', 'nchar', 60, NULL)),
    DeliveryPostalCode = iif(:Document -> '$.Delivery.PostalCode' IS NULL, DeliveryPostalCode, column_value(:Document -> '$.Delivery.PostalCode', 'nchar or number', 10, NULL)),
    LastEditedBy = 1,
    ValidFrom = sysutcdatetime()
WHERE CustomerID = :CustomerID
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

SELECT throw(50023, 'The row was written in this step of the clock. A retry begins later, and makes a new version.')
FROM web_customer_document
WHERE CustomerID = :RowID AND web_Version = :Before;

-- 5. The answer: the row as it is now, also in a replay.
SELECT 202 AS Status, max(ETag) AS ETag, ifnull(max(Json), '[]') AS Json
FROM web_customer_document
WHERE CustomerID = :RowID;
