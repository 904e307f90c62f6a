-- @After INT = NULL, @Limit INT = 100, @PrefixCustomerName NVARCHAR(100) = NULL
SELECT 400 AS Status, json_object('detail', 'limit must be between 1 and 1000.') AS Json
WHERE (:Limit BETWEEN 1 AND 1000) IS NOT TRUE;

-- The last page ends with the last row of all, and has no next.
SELECT
    200 AS Status,
    nullif(max(CustomerID), (SELECT max(CustomerID) FROM Sales_Customers WHERE (:PrefixCustomerName IS NULL OR substr(CustomerName, 1, length(:PrefixCustomerName)) = :PrefixCustomerName COLLATE Latin1_General_100_CI_AS))) AS NextAfter,
    replace(json_group_array(json_patch('{}', json_object(
            'CustomerID', CustomerID,
            'CustomerName', CustomerName
    ))), '/', '\/') AS Json
FROM (
    SELECT *
    FROM Sales_Customers
    WHERE (:After IS NULL OR CustomerID > :After)
        AND (:PrefixCustomerName IS NULL OR substr(CustomerName, 1, length(:PrefixCustomerName)) = :PrefixCustomerName COLLATE Latin1_General_100_CI_AS)
    ORDER BY CustomerID
    LIMIT :Limit
);
