-- @{{ key.name }} {{ key.parameter_type }}, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL

-- 1. The text.
SELECT openjson(:Json) AS Document;

SELECT 400 AS Status, json_object('detail', 'The body is not a JSON object.') AS Json
WHERE :Document IS NULL;

-- 2. The row.
SELECT ETag AS Version FROM web_{{ name }}_document WHERE {{ key.column }} = :{{ key.name }};

SELECT 404 AS Status, json_object('detail', concat('{{ label | capitalize }} ', :{{ key.name }}, ' does not exist.')) AS Json
WHERE :Version IS NULL;

SELECT
    412 AS Status,
    json_object('detail', concat('{{ label | capitalize }} ', :{{ key.name }}, ' has changed since the version named in If-Match.')) AS Json
WHERE instr(' ' || :IfMatch || ' ', ' ' || :Version || ' ') = 0;

-- 3. The fields.
SELECT
    422 AS Status,
    json_object(
        'detail', 'The {{ label }} has invalid fields.',
        'errors', json_group_array(json_object('field', Field, 'message', Message) ORDER BY Position)
    ) AS Json
FROM web_{{ name }}_fields
WHERE Document = :Document AND Message IS NOT NULL AND IsPresent{{ " AND Field <> '" ~ key.path ~ "'" if key.from == "client" }}
HAVING count(*) > 0;

-- 4. The change: each column keeps its value unless the patch has the field.
UPDATE {{ local_table }}
SET
{% for line in local_assignments %}
    {{ line }}{{ "," if not loop.last }}
{% endfor %}
WHERE {{ key.column }} = :{{ key.name }}
RETURNING {{ key.column }} AS RowID;
{% if local_conflict_patch %}

SELECT 409 AS Status, json_object('detail', {{ local_conflict_patch }}) AS Json
WHERE :ErrorNumber {{ local_errors_patch }};
{% endif %}
{% if version == "period" %}

SELECT throw(50023, 'The patch has made no new version. A retry begins later, and does.') FROM web_{{ name }}_document
WHERE {{ key.column }} = :RowID AND ETag = :Version;
{% endif %}

-- 5. The answer: the row as it is now, also in a replay.
SELECT 202 AS Status, max(ETag) AS ETag, ifnull(max(Json), '[]') AS Json
FROM web_{{ name }}_document
WHERE {{ key.column }} = :RowID;
