-- {{ table }} in SQLite, with {{ seeds | length }} rows. Written by
--     {{ command }}
-- and yours from then on. After a change, `make reset` makes a new local database.
CREATE TABLE {{ local_table }} (
{% for line in local_columns %}
    {{ line }}{{ "," if not loop.last }}
{% endfor %}
) STRICT;

INSERT INTO {{ local_table }} ({{ seed_columns | join(", ") }}) VALUES
{% for row in seeds %}
    ({{ row | join(", ") }}){{ ";" if loop.last else "," }}
{% endfor %}
{% if "put" in operations or "patch" in operations %}

-- web.{{ name }}_fields: one row a field for the JSON object in `WHERE Document = …`; Message is what is wrong with it, or NULL. In a new
-- {{ label }} a required field that is absent is an error, in a patch (`IsPresent`) it is not.
CREATE VIEW web_{{ name }}_fields AS
WITH
    Rules (Position, Field, SqlType, Size, Scale, IsRequired, IsNullable) AS (
        VALUES
{% for rule in rules %}
            ({{ loop.index }}, '{{ rule.path }}', '{{ rule.rule }}', {{ rule.size }}, {{ rule.scale }}, {{ rule.required }}, {{ rule.nullable }}){{ "," if not loop.last }}
{% endfor %}
    ),
    -- The document's root is one row, and brings the document in: its column `json` is the argument of json_tree.
    Members AS (
        SELECT Root.json AS Document, Rules.*, Root.json -> ('$.' || Field) AS Value{{ ", json_type(Root.json, '$." ~ object ~ "') AS ObjectType" if object }}
        FROM json_tree AS Root, Rules
        WHERE Root.parent IS NULL
    )
SELECT
    Document,
    Position,
    Field,
    Value IS NOT NULL AS IsPresent,
    CASE
{% if object %}
        -- A {{ object }} that is null or not an object has its own error; its members are not reported on top of it.
        WHEN Value IS NULL THEN
            CASE WHEN IsRequired AND NOT (Field LIKE '{{ object }}.%' AND ifnull(ObjectType, 'object') <> 'object') THEN 'is required' END
{% else %}
        WHEN Value IS NULL THEN
            CASE WHEN IsRequired THEN 'is required' END
{% endif %}
        WHEN Value = 'null' THEN
            CASE WHEN NOT IsNullable THEN 'must not be null' END
        ELSE field_error(Value, SqlType, Size, Scale)
    END AS Message
FROM Members;
{% endif %}

-- web.{{ name }}_document: the text of a {{ label }} as FOR JSON PATH builds it, and the version of it. An empty object merged with NULL members
-- (RFC 7396) does not get them.
CREATE VIEW web_{{ name }}_document AS
WITH Documents AS (
    SELECT
        {{ key.column }},
{% if version == "period" %}
        {{ version_column }},
{% endif %}
        replace(json_array(json_patch('{}', json_object(
{% for line in document_lines %}
            {{ line }}
{% endfor %}
        ))), '/', '\/') AS Json
    FROM {{ local_table }}
)
{% if version == "period" %}
SELECT {{ key.column }}, concat({{ version_column }}, '-', substr(sha2_256(Json), 1, 12)) AS ETag, Json
{% else %}
SELECT {{ key.column }}, substr(sha2_256(Json), 1, 32) AS ETag, Json
{% endif %}
FROM Documents;
