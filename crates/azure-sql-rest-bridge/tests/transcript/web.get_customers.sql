-- @After INT = 0, @Limit INT = 1000
SELECT 200 AS Status, NULL AS ETag, '[{"CustomerID": 1}, {"CustomerID": 2}]' AS Json;
