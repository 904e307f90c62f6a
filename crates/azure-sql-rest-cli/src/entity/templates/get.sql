-- @{{ key.name }} {{ key.parameter_type }}
SELECT 200 AS Status, ETag, Json FROM web_{{ name }}_document WHERE {{ key.column }} = :{{ key.name }};

SELECT 404 AS Status, json_object('detail', concat('{{ label | capitalize }} ', :{{ key.name }}, ' does not exist.')) AS Json;
