SELECT 200 AS Status, '{"status":"ready"}' AS Json;
