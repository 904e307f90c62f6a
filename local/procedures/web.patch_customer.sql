-- @CustomerID INT, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL

-- 1. The text.
SELECT openjson(:Json) AS Document;

SELECT 400 AS Status, json_object('detail', 'The body is not a JSON object.') AS Json
WHERE :Document IS NULL;

-- 2. The row.
SELECT ETag AS Version FROM web_customer_document WHERE CustomerID = :CustomerID;

SELECT 404 AS Status, json_object('detail', concat('Customer ', :CustomerID, ' does not exist.')) AS Json
WHERE :Version IS NULL;

SELECT
    412 AS Status,
    json_object('detail', concat('Customer ', :CustomerID, ' has changed since the version named in If-Match.')) AS Json
WHERE instr(' ' || :IfMatch || ' ', ' ' || :Version || ' ') = 0;

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

-- 4. The change: each column keeps its value unless the patch has the field.
UPDATE Sales_Customers
SET
    CustomerName = json_text(ifnull(:Document -> '$.CustomerName', json_quote(CustomerName))),
    PhoneNumber = json_text(ifnull(:Document -> '$.PhoneNumber', json_quote(PhoneNumber))),
    FaxNumber = json_text(ifnull(:Document -> '$.FaxNumber', json_quote(FaxNumber))),
    WebsiteURL = json_text(ifnull(:Document -> '$.WebsiteURL', json_quote(WebsiteURL))),
    DeliveryAddressLine1 = json_text(ifnull(:Document -> '$.Delivery.AddressLine1', json_quote(DeliveryAddressLine1))),
    DeliveryAddressLine2 = json_text(ifnull(:Document -> '$.Delivery.AddressLine2', json_quote(DeliveryAddressLine2))),
    DeliveryPostalCode = json_text(ifnull(:Document -> '$.Delivery.PostalCode', json_quote(DeliveryPostalCode))),
    LastEditedBy = 1,
    ValidFrom = sysutcdatetime()
WHERE CustomerID = :CustomerID
RETURNING CustomerID AS RowID;

SELECT 409 AS Status, json_object('detail', 'A customer with this name already exists.') AS Json
WHERE :ErrorNumber = 2627;

SELECT throw(50023, 'The patch has made no new version. A retry begins later, and does.') FROM web_customer_document
WHERE CustomerID = :RowID AND ETag = :Version;

-- 5. The answer: the row as it is now, also in a replay.
SELECT 202 AS Status, max(ETag) AS ETag, ifnull(max(Json), '[]') AS Json
FROM web_customer_document
WHERE CustomerID = :RowID;
