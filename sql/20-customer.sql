/*
Customers: what the API does with Sales.Customers. Written by
    azure-sql-rest entity add customer --table Sales.Customers --special entities/customer.special.json
and yours from then on: change what you like, then run `make generate`. Repeatable, like every script here.
*/
/*
web.customer_document: one customer as its JSON text and the version of it. The only place that knows the shape of a customer, and how
its ETag is made.

Result: one row, or none when there is no such customer.
  ETag  the row's version: ValidFrom and 12 hexadecimal digits of the text's SHA-256. Opaque to clients, compared as text
  Json  an array with one object; columns that are NULL are left out
*/
CREATE OR ALTER FUNCTION web.customer_document
(
    @CustomerID INT
)
RETURNS TABLE
AS
RETURN
    SELECT
        CONVERT(NVARCHAR(40), CONCAT
        (
            CONVERT(NVARCHAR(27), d.ValidFrom, 126), N'-',
            LOWER(CONVERT(NVARCHAR(12), SUBSTRING(HASHBYTES('SHA2_256', d.Json), 1, 6), 2))
        )) AS ETag,
        d.Json
    FROM
    (
        SELECT
            c.ValidFrom,
            (
                SELECT
                    c.CustomerID AS [CustomerID],
                    c.CustomerName AS [CustomerName],
                    c.PhoneNumber AS [PhoneNumber],
                    c.FaxNumber AS [FaxNumber],
                    c.WebsiteURL AS [WebsiteURL],
                    c.DeliveryAddressLine1 AS [Delivery.AddressLine1],
                    c.DeliveryAddressLine2 AS [Delivery.AddressLine2],
                    c.DeliveryPostalCode AS [Delivery.PostalCode]
                FOR JSON PATH
            ) AS Json
        FROM Sales.Customers AS c
        WHERE c.CustomerID = @CustomerID
    ) AS d;
GO

/*
web.customer_fields: which fields a JSON object gives for a customer, and what is wrong with each. The only place that knows the names,
types and lengths a client may send; ops.read_customer reads it.

Parameters
  @Json   the text as the client sent it
  @IsNew  1 = a new customer: a required field that is absent is an error; 0 = a merge patch: absent means keep

Result: one row a field; no rows when @Json is not a JSON object (or NULL).
  Position   1..8, the order in which errors are reported
  Field      path as the client writes it
  IsPresent  1 = the object has the field, also as null
  Value      its text; NULL for JSON null. A JSON number gives its text exactly as written
  Message    what is wrong with it, or NULL

Rules
  - Unknown members are ignored. Names are case-sensitive. Of two members with one name the first counts.
  - Types and lengths: web.field_error.
  - A text with more than 128 levels of nesting ends in error 13606: the caller must expect it.
*/
CREATE OR ALTER FUNCTION web.customer_fields
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
            -- A Delivery that is null or not an object has its own error; its members are not reported on top of it.
            WHEN m.Type IS NULL THEN
                CASE WHEN @IsNew = 1 AND r.IsRequired = 1 AND NOT (r.Field LIKE N'Delivery.%' AND ISNULL(d.Type, 5) <> 5)
                     THEN N'is required' END
            WHEN m.Type = 0 THEN
                CASE WHEN r.IsNullable = 0 THEN N'must not be null' END
            ELSE e.Message
        END AS Message
    FROM
    (
        -- ISJSON is 1 for an object or an array, of which the first bracket tells. In a CASE, because OPENJSON throws at anything else.
        SELECT CASE WHEN ISJSON(@Json) = 1 AND SUBSTRING(@Json, PATINDEX(N'%[[{]%', @Json), 1) = N'{' THEN @Json END AS Object
    ) AS t
    OUTER APPLY web.json_member(t.Object, N'Delivery') AS d
    CROSS JOIN
    (
        -- Delivery itself is not required: when it is absent, its required members are reported instead.
        VALUES
            (1, N'CustomerName', N'nchar', 100, NULL, 1, 0),
            (2, N'PhoneNumber', N'nchar', 20, NULL, 1, 0),
            (3, N'FaxNumber', N'nchar', 20, NULL, 1, 0),
            (4, N'WebsiteURL', N'nchar', 256, NULL, 1, 0),
            (5, N'Delivery', N'object', NULL, NULL, 0, 0),
            (6, N'Delivery.AddressLine1', N'nchar', 60, NULL, 1, 0),
            (7, N'Delivery.AddressLine2', N'nchar', 60, NULL, 0, 1),
            (8, N'Delivery.PostalCode', N'nchar or number', 10, NULL, 1, 0)
    ) AS r (Position, Field, SqlType, Size, Scale, IsRequired, IsNullable)
    OUTER APPLY web.json_member
    (
        CASE WHEN r.Field NOT LIKE N'Delivery.%' THEN t.Object WHEN d.Type = 5 THEN d.Value END,
        REPLACE(r.Field, N'Delivery.', N'')
    ) AS m
    CROSS APPLY web.field_error(m.Type, m.Value, r.SqlType, r.Size, r.Scale) AS e
    WHERE t.Object IS NOT NULL;
GO

/*
ops.read_customer: what a client sent for a customer, as variables, or what is wrong with it.

Parameters
  @Json, @IsNew  as web.customer_fields takes them
  @Invalid       out: NULL = valid | 400 not a JSON object, or nested too deep for SQL Server | 422 invalid fields
  @Errors        out: 422: [{"field", "message"}]
  @Has…          out: 1 = the object has the field, also as null
  all others     out: the fields; NULL when absent. Only of use when valid: what is too long is cut
*/
CREATE OR ALTER PROCEDURE ops.read_customer
    @Json NVARCHAR(MAX),
    @IsNew BIT,
    @Invalid INT OUTPUT,
    @Errors NVARCHAR(MAX) OUTPUT,
    @CustomerName NVARCHAR(100) = NULL OUTPUT,
    @PhoneNumber NVARCHAR(20) = NULL OUTPUT,
    @FaxNumber NVARCHAR(20) = NULL OUTPUT,
    @WebsiteURL NVARCHAR(256) = NULL OUTPUT,
    @DeliveryAddressLine1 NVARCHAR(60) = NULL OUTPUT,
    @DeliveryAddressLine2 NVARCHAR(60) = NULL OUTPUT,
    @DeliveryPostalCode NVARCHAR(10) = NULL OUTPUT,
    @HasDeliveryAddressLine2 BIT = NULL OUTPUT
AS
BEGIN
    SET NOCOUNT ON;
    -- A caught error must leave the transaction committable.
    SET XACT_ABORT OFF;

    BEGIN TRY
        SELECT
            @Invalid = CASE WHEN COUNT(*) = 0 THEN 400 WHEN COUNT(f.Message) > 0 THEN 422 END,
            @CustomerName = MAX(CASE WHEN f.Field = N'CustomerName' THEN f.Value END),
            @PhoneNumber = MAX(CASE WHEN f.Field = N'PhoneNumber' THEN f.Value END),
            @FaxNumber = MAX(CASE WHEN f.Field = N'FaxNumber' THEN f.Value END),
            @WebsiteURL = MAX(CASE WHEN f.Field = N'WebsiteURL' THEN f.Value END),
            @DeliveryAddressLine1 = MAX(CASE WHEN f.Field = N'Delivery.AddressLine1' THEN f.Value END),
            @DeliveryAddressLine2 = MAX(CASE WHEN f.Field = N'Delivery.AddressLine2' THEN f.Value END),
            @DeliveryPostalCode = MAX(CASE WHEN f.Field = N'Delivery.PostalCode' THEN f.Value END),
            @HasDeliveryAddressLine2 = MAX(CASE WHEN f.Field = N'Delivery.AddressLine2' THEN f.IsPresent END)
        FROM web.customer_fields(@Json, @IsNew) AS f;

        IF @Invalid = 422
            SET @Errors =
            (
                SELECT f.Field AS field, f.Message AS message
                FROM web.customer_fields(@Json, @IsNew) AS f
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

/*
web.get_customer: one customer. GET /customer/{id}

Result: one row
  Status  200 | 404 no such customer
  ETag    version of the row; NULL unless 200
  Json    200: array with the customer. Otherwise {"detail": ...}
*/
CREATE OR ALTER PROCEDURE web.get_customer
    @CustomerID INT
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Status INT;
    DECLARE @ETag NVARCHAR(40);
    DECLARE @Result NVARCHAR(MAX);

    SELECT @Status = 200, @ETag = d.ETag, @Result = d.Json
    FROM web.customer_document(@CustomerID) AS d;

    IF @Status IS NULL
        SELECT
            @Status = 404,
            @Result = (SELECT CONCAT(N'Customer ', @CustomerID, N' does not exist.') AS detail FOR JSON PATH, WITHOUT_ARRAY_WRAPPER);

    SELECT @Status AS Status, @ETag AS ETag, @Result AS Json;
END;
GO

/*
web.get_customers: one page of customers, by key. GET /customers?after=&limit=

Parameters
  @After  the page begins behind this key; 0 or more
  @Limit  rows a page; 1..10000

Result: one row
  Status     200 | 400 a parameter is out of range or NULL
  NextAfter  last key of the page when more rows follow (the next call's @After), else NULL
  Json       200: array of customers, [] when empty. Otherwise {"detail": ...}
*/
CREATE OR ALTER PROCEDURE web.get_customers
    @After INT = 0,
    @Limit INT = 1000
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Status INT = 400;
    DECLARE @NextAfter INT;
    DECLARE @Result NVARCHAR(MAX);

    IF @After >= 0 AND @Limit BETWEEN 1 AND 10000
    BEGIN
        SET @Status = 200;

        -- The last row of the page, when there is one after it.
        SELECT @NextAfter = CASE WHEN COUNT(*) = 2 THEN MIN(p.CustomerID) END
        FROM
        (
            SELECT c.CustomerID
            FROM Sales.Customers AS c
            WHERE c.CustomerID > @After
            ORDER BY c.CustomerID
            OFFSET @Limit - 1 ROWS FETCH NEXT 2 ROWS ONLY
        ) AS p;

        -- It bounds the page, so that a change between the two reads leaves no row out of this page and the next.
        SET @Result =
        (
            SELECT TOP (@Limit) c.CustomerID AS [CustomerID], c.CustomerName AS [CustomerName]
            FROM Sales.Customers AS c
            WHERE c.CustomerID > @After AND c.CustomerID <= ISNULL(@NextAfter, 2147483647)
            ORDER BY c.CustomerID
            FOR JSON PATH
        );
        SET @Result = ISNULL(@Result, N'[]');
    END
    ELSE
        SET @Result =
        (
            SELECT N'limit must be between 1 and 10000 and after must not be negative.' AS detail
            FOR JSON PATH, WITHOUT_ARRAY_WRAPPER
        );

    SELECT @Status AS Status, @NextAfter AS NextAfter, @Result AS Json;
END;
GO

/*
web.put_customer: create a customer, exactly once for a request key. PUT /customer, POST /customers

Parameters
  @Json        the customer, a JSON object as the client sent it
  @RequestKey  the Idempotency-Key

Result: one row
  Status      201 created | 400 not a JSON object, or no key | 409 not unique
              | 422 invalid fields, or the key was used for another request
  ETag        version of the row; NULL unless 201 and the row still exists
  CustomerID  the key of the new customer; NULL unless 201
  Replayed    1 = the key was used before for the same request, and nothing was done this time
  Json        201: array with the customer as it is now, [] when it was deleted since. Otherwise {"detail": ...}, with
              "errors": [{"field", "message"}] when fields are invalid

Rules
  - Checks in this order: key (13-requests.sql), text, fields, then the constraints. Only these decide, so that no race can make two.
  - Works inside the caller's transaction (Data API Builder opens one for each POST) or, without one, in its own. Never rolls back the
    caller's. Whatever is not expected here is thrown to the caller, who must then roll back: the key may be claimed without the change.
*/
CREATE OR ALTER PROCEDURE web.put_customer
    @Json NVARCHAR(MAX),
    @RequestKey NVARCHAR(4000)
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.

    DECLARE @OwnTransaction BIT = CASE WHEN @@TRANCOUNT = 0 THEN 1 ELSE 0 END;
    DECLARE @Replayed BIT, @Status INT, @CustomerID INT, @ETag NVARCHAR(40), @Result NVARCHAR(MAX);
    DECLARE @Invalid INT, @Detail NVARCHAR(4000), @Errors NVARCHAR(MAX), @FieldErrors NVARCHAR(MAX);
    DECLARE @CustomerName NVARCHAR(100), @PhoneNumber NVARCHAR(20), @FaxNumber NVARCHAR(20), @WebsiteURL NVARCHAR(256);
    DECLARE @DeliveryAddressLine1 NVARCHAR(60), @DeliveryAddressLine2 NVARCHAR(60), @DeliveryPostalCode NVARCHAR(10);

    BEGIN TRY
        IF @OwnTransaction = 1 BEGIN TRANSACTION;

        -- 1. Validate, and claim the key for what is valid.
        EXECUTE ops.read_customer @Json = @Json, @IsNew = 1, @Invalid = @Invalid OUTPUT, @Errors = @FieldErrors OUTPUT,
            @CustomerName = @CustomerName OUTPUT, @PhoneNumber = @PhoneNumber OUTPUT, @FaxNumber = @FaxNumber OUTPUT,
            @WebsiteURL = @WebsiteURL OUTPUT, @DeliveryAddressLine1 = @DeliveryAddressLine1 OUTPUT,
            @DeliveryAddressLine2 = @DeliveryAddressLine2 OUTPUT, @DeliveryPostalCode = @DeliveryPostalCode OUTPUT;
        EXECUTE ops.claim_request @RequestKey, N'web.put_customer', @CustomerID OUTPUT, @Json, @Invalid,
            @Status OUTPUT, @Detail OUTPUT, @Replayed OUTPUT;

        IF @Status IS NULL AND @Invalid = 400
            SELECT @Status = 400, @Detail = N'The body is not a JSON object.';
        ELSE IF @Status IS NULL AND @Invalid = 422
            SELECT @Status = 422, @Detail = N'The customer has invalid fields.', @Errors = @FieldErrors;
        ELSE IF @Status IS NULL
        BEGIN
            -- 2. Change.
            SET @CustomerID = NEXT VALUE FOR Sequences.CustomerID;
            BEGIN TRY
                INSERT INTO Sales.Customers
                (
                    CustomerID, CustomerName, BillToCustomerID, CustomerCategoryID, PrimaryContactPersonID, DeliveryMethodID,
                    DeliveryCityID, PostalCityID, AccountOpenedDate, StandardDiscountPercentage, IsStatementSent, IsOnCreditHold,
                    PaymentDays, PhoneNumber, FaxNumber, WebsiteURL, DeliveryAddressLine1, DeliveryAddressLine2, DeliveryPostalCode,
                    PostalAddressLine1, PostalAddressLine2, PostalPostalCode, LastEditedBy
                )
                VALUES
                (
                    @CustomerID, @CustomerName, @CustomerID, 5, 1, 1, 28561, 28561, CONVERT(DATE, SYSUTCDATETIME()), 0, 0, 0, 30,
                    @PhoneNumber, @FaxNumber, @WebsiteURL, @DeliveryAddressLine1, @DeliveryAddressLine2, @DeliveryPostalCode,
                    @DeliveryAddressLine1, @DeliveryAddressLine2, @DeliveryPostalCode, 1
                );
                SET @Status = 201;
            END TRY
            BEGIN CATCH
                IF ERROR_NUMBER() NOT IN (2601, 2627) OR XACT_STATE() = -1
                    THROW;
                IF NOT EXISTS (SELECT 1 FROM Sales.Customers AS c WHERE c.CustomerName = @CustomerName)
                    THROW 50021, N'The id is in use: Sequences.CustomerID lags behind Sales.Customers. A retry gets the next one.', 1;
                SELECT @Status = 409, @Detail = N'A customer with this name already exists.', @CustomerID = NULL;
            END CATCH;

            -- 3. Record.
            EXECUTE ops.record_request @RequestKey, @Status, @CustomerID;
        END;

        -- 4. Answer: the row as it is now, also in a replay.
        SELECT @ETag = d.ETag, @Result = d.Json FROM web.customer_document(@CustomerID) AS d WHERE @Status < 400;
        IF @Status < 400 AND @Replayed = 0 AND @Result IS NULL
            THROW 50022, N'The new customer cannot be read: row-level security, see sql/README.md.', 1;
        SET @Result = CASE WHEN @Status < 400 THEN ISNULL(@Result, N'[]')
            ELSE (SELECT @Detail AS detail, JSON_QUERY(@Errors) AS errors FOR JSON PATH, WITHOUT_ARRAY_WRAPPER) END;

        IF @OwnTransaction = 1 COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF @OwnTransaction = 1 AND XACT_STATE() <> 0 ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

    SELECT @Status AS Status, @ETag AS ETag, @CustomerID AS CustomerID, @Replayed AS Replayed, @Result AS Json;
END;
GO

/*
web.patch_customer: change some fields of a customer (JSON Merge Patch, RFC 7396), exactly once for a request key. PATCH /customer/{id}

Parameters
  @CustomerID
  @Json        the patch, a JSON object as the client sent it: absent = keep, null = clear what can be NULL
  @RequestKey  the Idempotency-Key
  @IfMatch     the ETags that the row may have, without quotes and separated by spaces, or NULL for any

Result: one row
  Status    202 changed | 400 not a JSON object, or no key | 404 no such customer | 409 not unique
            | 412 the row is in no version of @IfMatch | 422 invalid fields, or the key was used for another request
  ETag      version of the row after the change; NULL unless 202 and the row still exists
  Replayed  1 = the key was used before for the same request, and nothing was done this time
  Json      202: array with the customer as it is now, [] when it was deleted since. Otherwise {"detail": ...}, with
            "errors": [{"field", "message"}] when fields are invalid

Rules
  - Checks in this order: key, text, existence, version (RFC 9110, 13.1.1), fields, then the constraints.
  - @IfMatch is not part of what the key stands for: a retry that carries the old ETag is a replay, not a conflict.
  - Key, transactions and errors: as in web.put_customer.
  - A patch that succeeds makes a new version, also when it changes no value ({} for instance).
  - An update whose transaction began before the row's current version was written ends in error 13535, one that began within the same
    step of the clock, and changes no value, in 50023. Both are thrown: a retry begins later and succeeds.
*/
CREATE OR ALTER PROCEDURE web.patch_customer
    @CustomerID INT,
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
    DECLARE @CustomerName NVARCHAR(100), @PhoneNumber NVARCHAR(20), @FaxNumber NVARCHAR(20), @WebsiteURL NVARCHAR(256);
    DECLARE @DeliveryAddressLine1 NVARCHAR(60), @DeliveryAddressLine2 NVARCHAR(60), @DeliveryPostalCode NVARCHAR(10);
    DECLARE @HasDeliveryAddressLine2 BIT;

    BEGIN TRY
        IF @OwnTransaction = 1 BEGIN TRANSACTION;

        -- 1. Validate, and claim the key for what is valid.
        EXECUTE ops.read_customer @Json = @Json, @IsNew = 0, @Invalid = @Invalid OUTPUT, @Errors = @FieldErrors OUTPUT,
            @CustomerName = @CustomerName OUTPUT, @PhoneNumber = @PhoneNumber OUTPUT, @FaxNumber = @FaxNumber OUTPUT,
            @WebsiteURL = @WebsiteURL OUTPUT, @DeliveryAddressLine1 = @DeliveryAddressLine1 OUTPUT,
            @DeliveryAddressLine2 = @DeliveryAddressLine2 OUTPUT, @DeliveryPostalCode = @DeliveryPostalCode OUTPUT,
            @HasDeliveryAddressLine2 = @HasDeliveryAddressLine2 OUTPUT;
        EXECUTE ops.claim_request @RequestKey, N'web.patch_customer', @CustomerID, @Json, @Invalid,
            @Status OUTPUT, @Detail OUTPUT, @Replayed OUTPUT;

        IF @Status IS NULL
        BEGIN
            -- 2. The row. UPDLOCK: nobody changes or deletes it before this transaction ends.
            SELECT @CustomerID = c.CustomerID FROM Sales.Customers AS c WITH (UPDLOCK) WHERE c.CustomerID = @CustomerID;
            SELECT @Version = d.ETag FROM web.customer_document(@CustomerID) AS d;

            IF @Invalid = 400
                SELECT @Status = 400, @Detail = N'The body is not a JSON object.';
            ELSE IF @Version IS NULL
                SELECT @Status = 404, @Detail = CONCAT(N'Customer ', @CustomerID, N' does not exist.');
            ELSE IF @IfMatch IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM STRING_SPLIT(@IfMatch, N' ') AS v WHERE v.value COLLATE Latin1_General_100_BIN2 = @Version)
                SELECT @Status = 412, @Detail = CONCAT(N'Customer ', @CustomerID, N' has changed since the version named in If-Match.');
            ELSE IF @Invalid = 422
                SELECT @Status = 422, @Detail = N'The customer has invalid fields.', @Errors = @FieldErrors;
            ELSE
            BEGIN TRY
                -- 3. Change. A field that must not be null is NULL here when the patch does not have it.
                UPDATE Sales.Customers
                SET CustomerName = ISNULL(@CustomerName, CustomerName), PhoneNumber = ISNULL(@PhoneNumber, PhoneNumber),
FaxNumber = ISNULL(@FaxNumber, FaxNumber), WebsiteURL = ISNULL(@WebsiteURL, WebsiteURL),
DeliveryAddressLine1 = ISNULL(@DeliveryAddressLine1, DeliveryAddressLine1),
DeliveryAddressLine2 = CASE WHEN @HasDeliveryAddressLine2 = 1 THEN @DeliveryAddressLine2 ELSE DeliveryAddressLine2 END,
DeliveryPostalCode = ISNULL(@DeliveryPostalCode, DeliveryPostalCode), LastEditedBy = 1
                WHERE CustomerID = @CustomerID;
                SET @Status = 202;
            END TRY
            BEGIN CATCH
                IF ERROR_NUMBER() NOT IN (2601, 2627) OR XACT_STATE() = -1
                    THROW;
                SELECT @Status = 409, @Detail = N'A customer with this name already exists.';
            END CATCH;

            -- 4. Record.
            IF @Invalid IS NULL
                EXECUTE ops.record_request @RequestKey, @Status, @CustomerID;
        END;

        -- 5. Answer: the row as it is now, also in a replay.
        SELECT @ETag = d.ETag, @Result = d.Json FROM web.customer_document(@CustomerID) AS d WHERE @Status < 400;
        IF @Status < 400 AND @Replayed = 0 AND ISNULL(@ETag, @Version) = @Version
            THROW 50023, N'The patch has made no new version. A retry begins later, and does.', 1;
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

/*
web.delete_customer: delete a customer, exactly once for a request key. DELETE /customer/{id}

Parameters
  @CustomerID
  @RequestKey  the Idempotency-Key
  @IfMatch     the ETags that the row may have, without quotes and separated by spaces; N'*' for any row; or NULL

Result: one row
  Status    202 the customer does not exist (any more) | 400 no key | 409 other rows refer to it
            | 412 there is no row in a version of @IfMatch | 422 the key was used for another request
  Replayed  1 = the key was used before for the same request, and nothing was done this time
  Json      202: [{"CustomerID": key}]. Otherwise {"detail": ...}

Rules
  - Deleting what does not exist succeeds: the client has what it asked for. With @IfMatch it is 412, because there is no
    representation that could match (RFC 9110, 13.1.1). A retry under the same key is a replay, and succeeds.
  - Which rows may refer to a customer is known to the foreign keys alone.
  - Key, transactions and errors: as in web.put_customer.
*/
CREATE OR ALTER PROCEDURE web.delete_customer
    @CustomerID INT,
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
        EXECUTE ops.claim_request @RequestKey, N'web.delete_customer', @CustomerID, NULL, NULL,
            @Status OUTPUT, @Detail OUTPUT, @Replayed OUTPUT;

        IF @Status IS NULL
        BEGIN
            -- 2. The row. UPDLOCK: nobody changes it before this transaction ends.
            SELECT @CustomerID = c.CustomerID FROM Sales.Customers AS c WITH (UPDLOCK) WHERE c.CustomerID = @CustomerID;
            SELECT @Version = d.ETag FROM web.customer_document(@CustomerID) AS d;

            -- Without a row the version is NULL, and no version matches, nor does N'*', which any row does.
            IF @IfMatch IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM STRING_SPLIT(@IfMatch, N' ') AS v WHERE v.value COLLATE Latin1_General_100_BIN2 IN (@Version, N'*') AND @Version IS NOT NULL)
                SELECT @Status = 412, @Detail = CONCAT(N'Customer ', @CustomerID, N' has changed since the version named in If-Match.');
            ELSE
            BEGIN TRY
                -- 3. Change.
                DELETE FROM Sales.Customers WHERE CustomerID = @CustomerID;
                SET @Status = 202;
            END TRY
            BEGIN CATCH
                IF ERROR_NUMBER() <> 547 OR XACT_STATE() = -1
                    THROW;
                SELECT @Status = 409, @Detail = CONCAT(N'Customer ', @CustomerID, N' is referred to by other rows and cannot be deleted.');
            END CATCH;

            -- 4. Record.
            EXECUTE ops.record_request @RequestKey, @Status, @CustomerID;
        END;

        -- 5. Answer.
        SET @Result = CASE WHEN @Status < 400 THEN (SELECT @CustomerID AS [CustomerID] FOR JSON PATH)
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
