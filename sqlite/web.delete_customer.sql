-- @CustomerID INT, @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL
SELECT ifnull((SELECT CustomerID FROM Sales_Customers WHERE CustomerID = :CustomerID), :CustomerID) AS RowID;

-- 1. The row. Without one, no version can match (RFC 9110, 13.1.1).
SELECT 412 AS Status, json_object('detail', concat('Customer ', :CustomerID, ' has changed since the version named in If-Match.')) AS Json
WHERE :IfMatch IS NOT NULL AND NOT EXISTS (
    SELECT * FROM web_customer_document WHERE CustomerID = :CustomerID AND (:IfMatch = '*' OR instr(' ' || :IfMatch || ' ', ' ' || ETag || ' ') > 0)
);

-- 2. The change.
DELETE FROM Sales_Customers WHERE CustomerID = :CustomerID;

SELECT 409 AS Status, json_object('detail', concat('Customer ', :CustomerID, ' is referred to by other rows and cannot be deleted.')) AS Json
WHERE :ErrorNumber = 547;

-- 3. The answer.
SELECT 202 AS Status, json_array(json_object('CustomerID', :RowID)) AS Json;
