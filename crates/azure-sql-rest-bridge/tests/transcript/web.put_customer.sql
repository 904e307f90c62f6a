-- @Json NVARCHAR(MAX), @RequestKey NVARCHAR(255)
SELECT
    201 AS Status, '0000000000000002' AS ETag,
    '{"got": {"Json": ' || json_quote(:Json) || ', "RequestKey": ' || json_quote(:RequestKey) || '}, "in_transaction": true}' AS Json;
