SELECT 200 AS Status, json_object('status', 'ready') AS Json;
