-- @CustomerID INT
SELECT 404 AS Status, NULL AS ETag, '{"detail": "Customer ' || :CustomerID || ' does not exist."}' AS Json
WHERE :CustomerID <> 1;

SELECT
    200 AS Status, '0000000000000001' AS ETag,
    '[{"CustomerID": 1, "CustomerName": "Zoë O''Hara <x> & \"y\" 😀 ' || char(0xA0, 0x2028) || '"}]' AS Json;
