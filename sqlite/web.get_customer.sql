-- @CustomerID INT
SELECT 200 AS Status, ETag, Json FROM web_customer_document WHERE CustomerID = :CustomerID;

SELECT 404 AS Status, json_object('detail', concat('Customer ', :CustomerID, ' does not exist.')) AS Json;
