-- @After {{ key.parameter_type }} = {{ "0" if key.is_integer else "NULL" }}, @Limit INT = {{ limit }}
SELECT 400 AS Status, json_object('detail', 'limit must be between 1 and {{ limit_max }}{{ " and after must not be negative" if key.is_integer }}.') AS Json
WHERE ({{ ":After >= 0 AND " if key.is_integer }}:Limit BETWEEN 1 AND {{ limit_max }}) IS NOT TRUE;

-- The last page ends with the last row of all, and has no next.
SELECT
    200 AS Status,
    nullif(max({{ key.column }}), (SELECT max({{ key.column }}) FROM {{ local_table }})) AS NextAfter,
    replace(json_group_array({{ listed_object }}), '/', '\/') AS Json
FROM (
    SELECT *
    FROM {{ local_table }}
    WHERE {{ key.column ~ " > :After" if key.is_integer else "(:After IS NULL OR " ~ key.column ~ " > :After)" }}
    ORDER BY {{ key.column }}
    LIMIT :Limit
);
