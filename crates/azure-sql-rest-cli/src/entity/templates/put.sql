-- @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000)

-- 1. The text.
SELECT openjson(:Json) AS Document;

SELECT 400 AS Status, json_object('detail', 'The body is not a JSON object.') AS Json
WHERE :Document IS NULL;

-- 2. The fields.
SELECT
    422 AS Status,
    json_object(
        'detail', 'The {{ label }} has invalid fields.',
        'errors', json_group_array(json_object('field', Field, 'message', Message) ORDER BY Position)
    ) AS Json
FROM web_{{ name }}_fields
WHERE Document = :Document AND Message IS NOT NULL
HAVING count(*) > 0;

-- 3. The change.
{% if key.local %}
{{ key.local }} AS RowID;

{% endif %}
INSERT INTO {{ local_table }} (
{% for line in local_insert_columns %}
    {{ line }}{{ "," if not loop.last }}
{% endfor %}
)
VALUES (
{% for line in local_insert_values %}
    {{ line }}{{ "," if not loop.last }}
{% endfor %}
)
RETURNING {{ key.column }} AS RowID;
{% if local_conflict %}

SELECT 409 AS Status, json_object('detail', {{ local_conflict }}) AS Json
WHERE :ErrorNumber {{ local_errors }};
{% endif %}

-- 4. The answer: the row as it is now, also in a replay.
SELECT 201 AS Status, max(ETag) AS ETag, :RowID AS {{ key.column }}, ifnull(max(Json), '[]') AS Json
FROM web_{{ name }}_document
WHERE {{ key.column }} = :RowID;
