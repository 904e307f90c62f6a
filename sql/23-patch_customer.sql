/*
web.patch_customer: change some fields of a customer (JSON Merge Patch, RFC 7396), exactly once for a request key. PATCH /customer/{id}

Parameters
  @CustomerID
  @Json        the patch, a JSON object as the client sent it: absent = keep, null = clear (only Delivery.AddressLine2 can be)
  @RequestKey  the Idempotency-Key
  @IfMatch     the ETags that the row may have, without quotes and separated by spaces, or NULL for any

Result: one row
  Status    202 changed | 400 not a JSON object, or no key | 404 no such customer | 409 the name is taken
            | 412 the row is in no version of @IfMatch | 422 invalid fields, or the key was used for another request
  ETag      version of the row after the change; NULL unless 202 and the row still exists
  Replayed  1 = the key was used before for the same request, and nothing was done this time
  Json      202: array with the customer as it is now, [] when it was deleted since. Otherwise {"detail": ...}, with
            "errors": [{"field", "message"}] when fields are invalid

Rules
  - Checks in this order: key, text, existence, version (RFC 9110, 13.1.1), fields, then the constraints.
  - A patch that succeeds makes a new version, also when it changes no value ({} for instance). Delivery is merged member by member.
  - @IfMatch is not part of what the key stands for: a retry that carries the old ETag is a replay, not a conflict.
  - Key, transactions and errors: as in web.put_customer.
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
    DECLARE @Invalid INT, @Detail NVARCHAR(200), @Errors NVARCHAR(MAX), @FieldErrors NVARCHAR(MAX), @HasAddressLine2 BIT;
    DECLARE @CustomerName NVARCHAR(100), @PhoneNumber NVARCHAR(20), @FaxNumber NVARCHAR(20), @WebsiteURL NVARCHAR(256);
    DECLARE @DeliveryAddressLine1 NVARCHAR(60), @DeliveryAddressLine2 NVARCHAR(60), @DeliveryPostalCode NVARCHAR(10);

    BEGIN TRY
        IF @OwnTransaction = 1 BEGIN TRANSACTION;

        -- 1. Validate, and claim the key for what is valid.
        EXECUTE ops.read_customer @Json, 0, @Invalid OUTPUT, @FieldErrors OUTPUT,
            @CustomerName OUTPUT, @PhoneNumber OUTPUT, @FaxNumber OUTPUT, @WebsiteURL OUTPUT,
            @DeliveryAddressLine1 OUTPUT, @DeliveryAddressLine2 OUTPUT, @DeliveryPostalCode OUTPUT, @HasAddressLine2 OUTPUT;
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
                    DeliveryAddressLine2 = CASE WHEN @HasAddressLine2 = 1 THEN @DeliveryAddressLine2 ELSE DeliveryAddressLine2 END,
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
