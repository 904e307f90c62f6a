-- @{{ key.name }} {{ key.parameter_type }}, @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL
{% if key.is_integer %}
SELECT :{{ key.name }} AS RowID;
{% else %}
-- As the row has it.
SELECT ifnull((SELECT {{ key.column }} FROM {{ local_table }} WHERE {{ key.column }} = :{{ key.name }}), :{{ key.name }}) AS RowID;
{% endif %}

-- 1. The row. Without one, no version can match (RFC 9110, 13.1.1).
SELECT
    412 AS Status,
    json_object('detail', concat('{{ label | capitalize }} ', :{{ key.name }}, ' has changed since the version named in If-Match.')) AS Json
WHERE :IfMatch IS NOT NULL AND NOT EXISTS (
    SELECT * FROM web_{{ name }}_document WHERE {{ key.column }} = :{{ key.name }} AND (:IfMatch = '*' OR instr(' ' || :IfMatch || ' ', ' ' || ETag || ' ') > 0)
);

-- 2. The change.
DELETE FROM {{ local_table }} WHERE {{ key.column }} = :{{ key.name }};

SELECT
    409 AS Status,
    json_object('detail', concat('{{ label | capitalize }} ', :{{ key.name }}, ' is referred to by other rows and cannot be deleted.')) AS Json
WHERE :ErrorNumber = 547;

-- 3. The answer.
{% if key.is_integer %}
SELECT 202 AS Status, json_array(json_object('{{ key.path }}', :RowID)) AS Json;
{% else %}
SELECT 202 AS Status, replace(json_array(json_object('{{ key.path }}', :RowID)), '/', '\/') AS Json;
{% endif %}
