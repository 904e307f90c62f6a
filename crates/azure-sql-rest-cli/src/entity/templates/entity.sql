/*
{{ title }}: what the API does with {{ table }}. Written by
    {{ command }}
and yours from then on: change what you like, then run `make generate`. Repeatable, like every script here.
*/
{% if create %}
{% for sequence in sequences %}
IF OBJECT_ID(N'{{ sequence.name }}', N'SO') IS NULL
BEGIN
{% if sequence.schema != "dbo" %}
    IF SCHEMA_ID(N'{{ sequence.schema }}') IS NULL
        EXECUTE (N'CREATE SCHEMA {{ sequence.schema }} AUTHORIZATION dbo;');
{% endif %}
    CREATE SEQUENCE {{ sequence.name }} AS {{ key.sql_type }} START WITH {{ seeds | length + 1 }};
END;
GO

{% endfor %}
-- The table, for a database without it: columns, key and unique constraints. Does nothing where it exists.
{% if schema != "dbo" %}
IF SCHEMA_ID(N'{{ schema }}') IS NULL
    EXECUTE (N'CREATE SCHEMA {{ quoted_schema }} AUTHORIZATION dbo;');
{% endif %}
IF OBJECT_ID(N'{{ object_name }}', N'U') IS NULL
    CREATE TABLE {{ table }}
    (
{% for line in create %}
        {{ line }}{{ "," if not loop.last }}
{% endfor %}
    ){{ " WITH (SYSTEM_VERSIONING = ON)" if is_versioned }};
GO

{% endif %}
/*
web.{{ name }}_document: one {{ label }} as its JSON text and the version of it. The only place that knows the shape of a {{ label }}, and how
its ETag is made.

Result: one row, or none when there is no such {{ label }}.
  ETag  {{ etag_doc }}
  Json  an array with one object; columns that are NULL are left out
*/
CREATE OR ALTER FUNCTION web.{{ name }}_document
(
    @{{ key.name }} {{ key.parameter_type }}
)
RETURNS TABLE
AS
RETURN
    SELECT
{% if version == "period" %}
        CONVERT(NVARCHAR(40), CONCAT
        (
            CONVERT(NVARCHAR(27), d.{{ version_column }}, 126), N'-',
            LOWER(CONVERT(NVARCHAR(12), SUBSTRING(HASHBYTES('SHA2_256', d.Json), 1, 6), 2))
        )) AS ETag,
{% elif version == "rowversion" %}
        CONVERT(NVARCHAR(40), LOWER(CONVERT(NVARCHAR(16), CONVERT(BINARY(8), d.{{ version_column }}), 2))) AS ETag,
{% else %}
        CONVERT(NVARCHAR(40), LOWER(CONVERT(NVARCHAR(32), SUBSTRING(HASHBYTES('SHA2_256', d.Json), 1, 16), 2))) AS ETag,
{% endif %}
        d.Json
    FROM
    (
        SELECT
{% if version_column %}
            c.{{ version_column }},
{% endif %}
            (
                SELECT
{% for member in shown %}
                    c.{{ member.column }} AS [{{ member.path }}]{{ "," if not loop.last }}
{% endfor %}
                FOR JSON PATH
            ) AS Json
        FROM {{ table }} AS c
        WHERE c.{{ key.column }} = {{ key.seek }}
    ) AS d;
GO
{% if "put" in operations or "patch" in operations %}

/*
web.{{ name }}_fields: which fields a JSON object gives for a {{ label }}, and what is wrong with each. The only place that knows the names,
types and lengths a client may send; ops.read_{{ name }} reads it.

Parameters
  @Json   the text as the client sent it
  @IsNew  1 = a new {{ label }}: a required field that is absent is an error; 0 = a merge patch: absent means keep

Result: one row a field; no rows when @Json is not a JSON object (or NULL).
  Position   1..{{ rules | length }}, the order in which errors are reported
  Field      path as the client writes it
  IsPresent  1 = the object has the field, also as null
  Value      its text; NULL for JSON null. A JSON number gives its text exactly as written
  Message    what is wrong with it, or NULL

Rules
  - Unknown members are ignored. Names are case-sensitive. Of two members with one name the first counts.
  - Types and lengths: web.field_error.
  - A text with more than 128 levels of nesting ends in error 13606: the caller must expect it.
*/
CREATE OR ALTER FUNCTION web.{{ name }}_fields
(
    @Json NVARCHAR(MAX),
    @IsNew BIT
)
RETURNS TABLE
AS
RETURN
    SELECT
        r.Position,
        r.Field,
        CASE WHEN m.Type IS NULL THEN 0 ELSE 1 END AS IsPresent,
        m.Value,
        CASE
{% if object %}
            -- A {{ object }} that is null or not an object has its own error; its members are not reported on top of it.
            WHEN m.Type IS NULL THEN
                CASE WHEN @IsNew = 1 AND r.IsRequired = 1 AND NOT (r.Field LIKE N'{{ object }}.%' AND ISNULL(d.Type, 5) <> 5)
                     THEN N'is required' END
{% else %}
            WHEN m.Type IS NULL THEN
                CASE WHEN @IsNew = 1 AND r.IsRequired = 1 THEN N'is required' END
{% endif %}
            WHEN m.Type = 0 THEN
                CASE WHEN r.IsNullable = 0 THEN N'must not be null' END
            ELSE e.Message
        END AS Message
    FROM
    (
        -- ISJSON is 1 for an object or an array, of which the first bracket tells. In a CASE, because OPENJSON throws at anything else.
        SELECT CASE WHEN ISJSON(@Json) = 1 AND SUBSTRING(@Json, PATINDEX(N'%[[{]%', @Json), 1) = N'{' THEN @Json END AS Object
    ) AS t
{% if object %}
    OUTER APPLY web.json_member(t.Object, N'{{ object }}') AS d
{% endif %}
    CROSS JOIN
    (
{% if object %}
        -- {{ object }} itself is not required: when it is absent, its required members are reported instead.
{% endif %}
        VALUES
{% for rule in rules %}
            ({{ loop.index }}, N'{{ rule.path }}', N'{{ rule.rule }}', {{ rule.size }}, {{ rule.scale }}, {{ rule.required }}, {{ rule.nullable }}){{ "," if not loop.last }}
{% endfor %}
    ) AS r (Position, Field, SqlType, Size, Scale, IsRequired, IsNullable)
{% if object %}
    OUTER APPLY web.json_member
    (
        CASE WHEN r.Field NOT LIKE N'{{ object }}.%' THEN t.Object WHEN d.Type = 5 THEN d.Value END,
        REPLACE(r.Field, N'{{ object }}.', N'')
    ) AS m
{% else %}
    OUTER APPLY web.json_member(t.Object, r.Field) AS m
{% endif %}
    CROSS APPLY web.field_error(m.Type, m.Value, r.SqlType, r.Size, r.Scale) AS e
    WHERE t.Object IS NOT NULL{{ " AND (@IsNew = 1 OR r.Field <> N'" ~ key.path ~ "')" if key.from == "client" }};
GO

/*
ops.read_{{ name }}: what a client sent for a {{ label }}, as variables, or what is wrong with it.

Parameters
  @Json, @IsNew  as web.{{ name }}_fields takes them
  @Invalid       out: NULL = valid | 400 not a JSON object, or nested too deep for SQL Server | 422 invalid fields
  @Errors        out: 422: [{"field", "message"}]
  @Has…          out: 1 = the object has the field, also as null
  all others     out: the fields; NULL when absent. Only of use when valid: what is too long is cut
*/
CREATE OR ALTER PROCEDURE ops.read_{{ name }}
    @Json NVARCHAR(MAX),
    @IsNew BIT,
    @Invalid INT OUTPUT,
    @Errors NVARCHAR(MAX) OUTPUT
{%- for member in sent %},
    @{{ member.variable }} {{ member.sql_type }} = NULL OUTPUT
{%- endfor %}
{%- for member in flagged %},
    @Has{{ member.variable }} BIT = NULL OUTPUT
{%- endfor %}

AS
BEGIN
    SET NOCOUNT ON;
    -- A caught error must leave the transaction committable.
    SET XACT_ABORT OFF;

    BEGIN TRY
        SELECT
            @Invalid = CASE WHEN COUNT(*) = 0 THEN 400 WHEN COUNT(f.Message) > 0 THEN 422 END
{%- for member in sent %},
            @{{ member.variable }} = {{ member.read[0] }}MAX(CASE WHEN f.Field = N'{{ member.path }}' THEN f.Value END){{ member.read[1] }}
{%- endfor %}
{%- for member in flagged %},
            @Has{{ member.variable }} = MAX(CASE WHEN f.Field = N'{{ member.path }}' THEN f.IsPresent END)
{%- endfor %}

        FROM web.{{ name }}_fields(@Json, @IsNew) AS f;

        IF @Invalid = 422
            SET @Errors =
            (
                SELECT f.Field AS field, f.Message AS message
                FROM web.{{ name }}_fields(@Json, @IsNew) AS f
                WHERE f.Message IS NOT NULL
                ORDER BY f.Position
                FOR JSON PATH
            );
    END TRY
    BEGIN CATCH
        -- 13606: nested too deep.
        IF ERROR_NUMBER() <> 13606 OR XACT_STATE() = -1
            THROW;
        SET @Invalid = 400;
    END CATCH;
END;
GO
{% endif %}
{% if "get" in operations %}

/*
web.get_{{ name }}: one {{ label }}. GET {{ path }}

Result: one row
  Status  200 | 404 no such {{ label }}
  ETag    version of the row; NULL unless 200
  Json    200: array with the {{ label }}. Otherwise {"detail": ...}
*/
CREATE OR ALTER PROCEDURE web.get_{{ name }}
    @{{ key.name }} {{ key.parameter_type }}
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Status INT;
    DECLARE @ETag NVARCHAR(40);
    DECLARE @Result NVARCHAR(MAX);

    SELECT @Status = 200, @ETag = d.ETag, @Result = d.Json
    FROM web.{{ name }}_document(@{{ key.name }}) AS d;

    IF @Status IS NULL
        SELECT
            @Status = 404,
            @Result = (SELECT CONCAT(N'{{ label | capitalize }} ', @{{ key.name }}, N' does not exist.') AS detail FOR JSON PATH, WITHOUT_ARRAY_WRAPPER);

    SELECT @Status AS Status, @ETag AS ETag, @Result AS Json;
END;
GO
{% endif %}
{% if "list" in operations %}

/*
web.get_{{ plural }}: one page of {{ plural_label }}, by key. GET {{ list_path }}?after=&limit=

Parameters
  @After  the page begins behind this key{{ "; 0 or more" if key.is_integer else "; NULL: with the first" }}
  @Limit  rows a page; 1..{{ limit_max }}

Result: one row
  Status     200 | 400 a parameter is out of range or NULL
  NextAfter  last key of the page when more rows follow (the next call's @After), else NULL
  Json       200: array of {{ plural_label }}, [] when empty. Otherwise {"detail": ...}
*/
CREATE OR ALTER PROCEDURE web.get_{{ plural }}
    @After {{ key.parameter_type }} = {{ "0" if key.is_integer else "NULL" }},
    @Limit INT = {{ limit }}
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Status INT = 400;
    DECLARE @NextAfter {{ key.parameter_type }};
    DECLARE @Result NVARCHAR(MAX);

    IF {{ "@After >= 0 AND " if key.is_integer }}@Limit BETWEEN 1 AND {{ limit_max }}
    BEGIN
        SET @Status = 200;

        -- The last row of the page, when there is one after it.
        SELECT @NextAfter = CASE WHEN COUNT(*) = 2 THEN MIN(p.{{ key.column }}) END
        FROM
        (
            SELECT c.{{ key.column }}
            FROM {{ table }} AS c
            WHERE {{ key.after }}
            ORDER BY c.{{ key.column }}
            OFFSET @Limit - 1 ROWS FETCH NEXT 2 ROWS ONLY
        ) AS p;

        -- It bounds the page, so that a change between the two reads leaves no row out of this page and the next.
        SET @Result =
        (
            SELECT TOP (@Limit)
{%- for member in listed %} c.{{ member.column }} AS [{{ member.path }}]{{ "," if not loop.last }}{% endfor %}

            FROM {{ table }} AS c
            WHERE {{ key.after }} AND {{ key.until }}
            ORDER BY c.{{ key.column }}
            FOR JSON PATH
        );
        SET @Result = ISNULL(@Result, N'[]');
    END
    ELSE
        SET @Result =
        (
            SELECT N'limit must be between 1 and {{ limit_max }}{{ " and after must not be negative" if key.is_integer }}.' AS detail
            FOR JSON PATH, WITHOUT_ARRAY_WRAPPER
        );

    SELECT @Status AS Status, @NextAfter AS NextAfter, @Result AS Json;
END;
GO
{% endif %}
{% if "put" in operations %}

/*
web.put_{{ name }}: create a {{ label }}, exactly once for a request key. PUT {{ create_path }}, POST {{ list_path }}

Parameters
  @Json        the {{ label }}, a JSON object as the client sent it
  @RequestKey  the Idempotency-Key

Result: one row
  Status      201 created | 400 not a JSON object, or no key{{ " | 409 not unique" if uniques }}{{ " | 409 a constraint of the table" if constrained }}
              | 422 invalid fields, or the key was used for another request
  ETag        version of the row; NULL unless 201 and the row still exists
  {{ key.padded }}  the key of the new {{ label }}; NULL unless 201
  Replayed    1 = the key was used before for the same request, and nothing was done this time
  Json        201: array with the {{ label }} as it is now, [] when it was deleted since. Otherwise {"detail": ...}, with
              "errors": [{"field", "message"}] when fields are invalid

Rules
  - Checks in this order: key (13-requests.sql), text, fields, then the constraints. Only these decide, so that no race can make two.
  - Works inside the caller's transaction (Data API Builder opens one for each POST) or, without one, in its own. Never rolls back the
    caller's. Whatever is not expected here is thrown to the caller, who must then roll back: the key may be claimed without the change.
*/
CREATE OR ALTER PROCEDURE web.put_{{ name }}
    @Json NVARCHAR(MAX),
    @RequestKey NVARCHAR(4000)
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.

    DECLARE @OwnTransaction BIT = CASE WHEN @@TRANCOUNT = 0 THEN 1 ELSE 0 END;
    DECLARE @Replayed BIT, @Status INT, {{ "@" ~ key.name ~ " " ~ key.parameter_type ~ ", " if key.from != "client" }}@ETag NVARCHAR(40), @Result NVARCHAR(MAX);
    DECLARE @Invalid INT, @Detail NVARCHAR(4000), @Errors NVARCHAR(MAX), @FieldErrors NVARCHAR(MAX);
{% for line in declared %}
    DECLARE {{ line }};
{% endfor %}
{% for line in declared_flags_put %}
    DECLARE {{ line }};
{% endfor %}

    BEGIN TRY
        IF @OwnTransaction = 1 BEGIN TRANSACTION;

        -- 1. Validate, and claim the key for what is valid.
        EXECUTE ops.read_{{ name }} @Json = @Json, @IsNew = 1, @Invalid = @Invalid OUTPUT, @Errors = @FieldErrors OUTPUT,
{% for line in outputs_put %}
            {{ line }}{{ ";" if loop.last else "," }}
{% endfor %}
        EXECUTE ops.claim_request @RequestKey, N'web.put_{{ name }}', @{{ key.name }} OUTPUT, @Json, @Invalid,
            @Status OUTPUT, @Detail OUTPUT, @Replayed OUTPUT;

        IF @Status IS NULL AND @Invalid = 400
            SELECT @Status = 400, @Detail = N'The body is not a JSON object.';
        ELSE IF @Status IS NULL AND @Invalid = 422
            SELECT @Status = 422, @Detail = N'The {{ label }} has invalid fields.', @Errors = @FieldErrors;
        ELSE IF @Status IS NULL
        BEGIN
            -- 2. Change.
{% if key.from == "sequence" %}
            SET @{{ key.name }} = NEXT VALUE FOR {{ key.sequence }};
{% elif key.from == "newid" %}
            SET @{{ key.name }} = NEWID();
{% endif %}
{% set indent = "    " if caught else "" %}
{% if caught %}
            BEGIN TRY
{% endif %}
            {{ indent }}INSERT INTO {{ table }}
            {{ indent }}(
{% for line in insert_columns %}
            {{ indent }}    {{ line }}{{ "," if not loop.last }}
{% endfor %}
            {{ indent }})
            {{ indent }}VALUES
            {{ indent }}(
{% for line in insert_values %}
            {{ indent }}    {{ line }}{{ "," if not loop.last }}
{% endfor %}
            {{ indent }});
{% if key.from == "identity" %}
            {{ indent }}SET @{{ key.name }} = SCOPE_IDENTITY();
{% endif %}
            {{ indent }}SET @Status = 201;
{% if caught %}
            END TRY
            BEGIN CATCH
                IF ERROR_NUMBER() NOT IN ({{ caught | join(", ") }}) OR XACT_STATE() = -1
                    THROW;
{% if uniques and key.from == "sequence" %}
                IF {{ "ERROR_NUMBER() <> 547 AND " if constrained }}NOT EXISTS (SELECT 1 FROM {{ table }} AS c WHERE {{ uniques_equal }})
                    THROW 50021, N'The id is in use: {{ key.sequence }} lags behind {{ table }}. A retry gets the next one.', 1;
{% endif %}
{% if uniques and constrained %}
                SELECT @Status = 409, @{{ key.name }} = NULL, @Detail = CASE ERROR_NUMBER() WHEN 547
                    THEN N'{{ constraint_detail }}' ELSE N'{{ unique_detail }}' END;
{% else %}
                SELECT @Status = 409, @Detail = N'{{ unique_detail if uniques else constraint_detail }}', @{{ key.name }} = NULL;
{% endif %}
            END CATCH;
{% endif %}

            -- 3. Record.
            EXECUTE ops.record_request @RequestKey, @Status, @{{ key.name }};
        END;

        -- 4. Answer: the row as it is now, also in a replay.
        SELECT @ETag = d.ETag, @Result = d.Json FROM web.{{ name }}_document(@{{ key.name }}) AS d WHERE @Status < 400;
        IF @Status < 400 AND @Replayed = 0 AND @Result IS NULL
            THROW 50022, N'The new {{ label }} cannot be read: row-level security, see sql/README.md.', 1;
        SET @Result = CASE WHEN @Status < 400 THEN ISNULL(@Result, N'[]')
            ELSE (SELECT @Detail AS detail, JSON_QUERY(@Errors) AS errors FOR JSON PATH, WITHOUT_ARRAY_WRAPPER) END;

        IF @OwnTransaction = 1 COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF @OwnTransaction = 1 AND XACT_STATE() <> 0 ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

{% if key.from == "client" %}
    IF @Status >= 400 SET @{{ key.name }} = NULL;
{% endif %}
    SELECT @Status AS Status, @ETag AS ETag, @{{ key.name }} AS {{ key.column }}, @Replayed AS Replayed, @Result AS Json;
END;
GO
{% endif %}
{% if "patch" in operations %}

/*
web.patch_{{ name }}: change some fields of a {{ label }} (JSON Merge Patch, RFC 7396), exactly once for a request key. PATCH {{ path }}

Parameters
  @{{ key.name }}
  @Json        the patch, a JSON object as the client sent it: absent = keep, null = clear what can be NULL
  @RequestKey  the Idempotency-Key
  @IfMatch     the ETags that the row may have, without quotes and separated by spaces, or NULL for any

Result: one row
  Status    202 changed | 400 not a JSON object, or no key | 404 no such {{ label }}{{ " | 409 not unique" if unique_patch }}{{ " | 409 a constraint of the table" if constrained }}
            | 412 the row is in no version of @IfMatch | 422 invalid fields, or the key was used for another request
  ETag      version of the row after the change; NULL unless 202 and the row still exists
  Replayed  1 = the key was used before for the same request, and nothing was done this time
  Json      202: array with the {{ label }} as it is now, [] when it was deleted since. Otherwise {"detail": ...}, with
            "errors": [{"field", "message"}] when fields are invalid

Rules
  - Checks in this order: key, text, existence, version (RFC 9110, 13.1.1), fields, then the constraints.
  - @IfMatch is not part of what the key stands for: a retry that carries the old ETag is a replay, not a conflict.
  - Key, transactions and errors: as in web.put_{{ name }}.
{% if version == "period" %}
  - A patch that succeeds makes a new version, also when it changes no value ({} for instance).
  - An update whose transaction began before the row's current version was written ends in error 13535, one that began within the same
    step of the clock, and changes no value, in 50023. Both are thrown: a retry begins later and succeeds.
{% endif %}
*/
CREATE OR ALTER PROCEDURE web.patch_{{ name }}
    @{{ key.name }} {{ key.parameter_type }},
    @Json NVARCHAR(MAX),
    @RequestKey NVARCHAR(4000),
    @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.

    DECLARE @OwnTransaction BIT = CASE WHEN @@TRANCOUNT = 0 THEN 1 ELSE 0 END;
    DECLARE @Replayed BIT, @Status INT, @Version NVARCHAR(40), @ETag NVARCHAR(40), @Result NVARCHAR(MAX);
    DECLARE @Invalid INT, @Detail NVARCHAR(4000), @Errors NVARCHAR(MAX), @FieldErrors NVARCHAR(MAX);
{% for line in declared_patch %}
    DECLARE {{ line }};
{% endfor %}

    BEGIN TRY
        IF @OwnTransaction = 1 BEGIN TRANSACTION;

        -- 1. Validate, and claim the key for what is valid.
        EXECUTE ops.read_{{ name }} @Json = @Json, @IsNew = 0, @Invalid = @Invalid OUTPUT, @Errors = @FieldErrors OUTPUT,
{% for line in outputs_patch %}
            {{ line }}{{ ";" if loop.last else "," }}
{% endfor %}
        EXECUTE ops.claim_request @RequestKey, N'web.patch_{{ name }}', @{{ key.name }}, @Json, @Invalid,
            @Status OUTPUT, @Detail OUTPUT, @Replayed OUTPUT;

        IF @Status IS NULL
        BEGIN
            -- 2. The row. UPDLOCK: nobody changes or deletes it before this transaction ends.
            SELECT @{{ key.name }} = c.{{ key.column }} FROM {{ table }} AS c WITH (UPDLOCK) WHERE c.{{ key.column }} = {{ key.seek }};
            SELECT @Version = d.ETag FROM web.{{ name }}_document(@{{ key.name }}) AS d;

            IF @Invalid = 400
                SELECT @Status = 400, @Detail = N'The body is not a JSON object.';
            ELSE IF @Version IS NULL
                SELECT @Status = 404, @Detail = CONCAT(N'{{ label | capitalize }} ', @{{ key.name }}, N' does not exist.');
            ELSE IF @IfMatch IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM STRING_SPLIT(@IfMatch, N' ') AS v WHERE v.value COLLATE Latin1_General_100_BIN2 = @Version)
                SELECT @Status = 412, @Detail = CONCAT(N'{{ label | capitalize }} ', @{{ key.name }}, N' has changed since the version named in If-Match.');
            ELSE IF @Invalid = 422
                SELECT @Status = 422, @Detail = N'The {{ label }} has invalid fields.', @Errors = @FieldErrors;
            ELSE
            BEGIN{{ " TRY" if caught_patch }}
                -- 3. Change. A field that must not be null is NULL here when the patch does not have it.
                UPDATE {{ table }}
                SET {% for line in assignments %}{{ line }}{{ ";" if 0 }}{% if not loop.last %},
                    {% endif %}{% endfor %}

                WHERE {{ key.column }} = {{ key.seek }};
                SET @Status = 202;
{% if caught_patch %}
            END TRY
            BEGIN CATCH
                IF ERROR_NUMBER() NOT IN ({{ caught_patch | join(", ") }}) OR XACT_STATE() = -1
                    THROW;
{% if unique_patch and constrained %}
                SELECT @Status = 409, @Detail = CASE ERROR_NUMBER() WHEN 547
                    THEN N'{{ constraint_detail }}' ELSE N'{{ unique_patch }}' END;
{% else %}
                SELECT @Status = 409, @Detail = N'{{ unique_patch or constraint_detail }}';
{% endif %}
            END CATCH;
{% else %}
            END;
{% endif %}

            -- 4. Record.
            IF @Invalid IS NULL
                EXECUTE ops.record_request @RequestKey, @Status, @{{ key.name }};
        END;

        -- 5. Answer: the row as it is now, also in a replay.
        SELECT @ETag = d.ETag, @Result = d.Json FROM web.{{ name }}_document(@{{ key.name }}) AS d WHERE @Status < 400;
{% if version == "period" %}
        IF @Status < 400 AND @Replayed = 0 AND ISNULL(@ETag, @Version) = @Version
            THROW 50023, N'The patch has made no new version. A retry begins later, and does.', 1;
{% endif %}
        SET @Result = CASE WHEN @Status < 400 THEN ISNULL(@Result, N'[]')
            ELSE (SELECT @Detail AS detail, JSON_QUERY(@Errors) AS errors FOR JSON PATH, WITHOUT_ARRAY_WRAPPER) END;

        IF @OwnTransaction = 1 COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF @OwnTransaction = 1 AND XACT_STATE() <> 0 ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

    SELECT @Status AS Status, @ETag AS ETag, @Replayed AS Replayed, @Result AS Json;
END;
GO
{% endif %}
{% if "delete" in operations %}

/*
web.delete_{{ name }}: delete a {{ label }}, exactly once for a request key. DELETE {{ path }}

Parameters
  @{{ key.name }}
  @RequestKey  the Idempotency-Key
  @IfMatch     the ETags that the row may have, without quotes and separated by spaces; N'*' for any row; or NULL

Result: one row
  Status    202 the {{ label }} does not exist (any more) | 400 no key | 409 other rows refer to it
            | 412 there is no row in a version of @IfMatch | 422 the key was used for another request
  Replayed  1 = the key was used before for the same request, and nothing was done this time
  Json      202: [{"{{ key.path }}": key}]. Otherwise {"detail": ...}

Rules
  - Deleting what does not exist succeeds: the client has what it asked for. With @IfMatch it is 412, because there is no
    representation that could match (RFC 9110, 13.1.1). A retry under the same key is a replay, and succeeds.
  - Which rows may refer to a {{ label }} is known to the foreign keys alone.
  - Key, transactions and errors: as in web.put_{{ name }}.
*/
CREATE OR ALTER PROCEDURE web.delete_{{ name }}
    @{{ key.name }} {{ key.parameter_type }},
    @RequestKey NVARCHAR(4000),
    @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.

    DECLARE @OwnTransaction BIT = CASE WHEN @@TRANCOUNT = 0 THEN 1 ELSE 0 END;
    DECLARE @Replayed BIT, @Status INT, @Detail NVARCHAR(4000), @Version NVARCHAR(40), @Result NVARCHAR(MAX);

    BEGIN TRY
        IF @OwnTransaction = 1 BEGIN TRANSACTION;

        -- 1. Claim.
        EXECUTE ops.claim_request @RequestKey, N'web.delete_{{ name }}', @{{ key.name }}, NULL, NULL,
            @Status OUTPUT, @Detail OUTPUT, @Replayed OUTPUT;

        IF @Status IS NULL
        BEGIN
            -- 2. The row. UPDLOCK: nobody changes it before this transaction ends.
            SELECT @{{ key.name }} = c.{{ key.column }} FROM {{ table }} AS c WITH (UPDLOCK) WHERE c.{{ key.column }} = {{ key.seek }};
            SELECT @Version = d.ETag FROM web.{{ name }}_document(@{{ key.name }}) AS d;

            -- Without a row the version is NULL, and no version matches, nor does N'*', which any row does.
            IF @IfMatch IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM STRING_SPLIT(@IfMatch, N' ') AS v WHERE v.value COLLATE Latin1_General_100_BIN2 IN (@Version, N'*') AND @Version IS NOT NULL)
                SELECT @Status = 412, @Detail = CONCAT(N'{{ label | capitalize }} ', @{{ key.name }}, N' has changed since the version named in If-Match.');
            ELSE
            BEGIN TRY
                -- 3. Change.
                DELETE FROM {{ table }} WHERE {{ key.column }} = {{ key.seek }};
                SET @Status = 202;
            END TRY
            BEGIN CATCH
                IF ERROR_NUMBER() <> 547 OR XACT_STATE() = -1
                    THROW;
                SELECT @Status = 409, @Detail = CONCAT(N'{{ label | capitalize }} ', @{{ key.name }}, N' is referred to by other rows and cannot be deleted.');
            END CATCH;

            -- 4. Record.
            EXECUTE ops.record_request @RequestKey, @Status, @{{ key.name }};
        END;

        -- 5. Answer.
        SET @Result = CASE WHEN @Status < 400 THEN (SELECT @{{ key.name }} AS [{{ key.path }}] FOR JSON PATH)
            ELSE (SELECT @Detail AS detail FOR JSON PATH, WITHOUT_ARRAY_WRAPPER) END;

        IF @OwnTransaction = 1 COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF @OwnTransaction = 1 AND XACT_STATE() <> 0 ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

    SELECT @Status AS Status, @Replayed AS Replayed, @Result AS Json;
END;
GO
{% endif %}
