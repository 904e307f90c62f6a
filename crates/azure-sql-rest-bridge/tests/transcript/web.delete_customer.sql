-- @CustomerID INT, @RequestKey NVARCHAR(255), @IfMatch NVARCHAR(4000) = NULL
SELECT
    201 AS Status, '0000000000000002' AS ETag,
    '{"got": {"CustomerID": ' || json_quote(:CustomerID) || ', "RequestKey": ' || json_quote(:RequestKey)
    || iif(:IfMatch IS NULL, '', ', "IfMatch": ' || json_quote(:IfMatch)) || '}, "in_transaction": true}' AS Json;
