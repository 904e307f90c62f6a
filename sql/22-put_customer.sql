/*
web.put_customer: create a customer, exactly once for a request key. PUT /customer

Parameters
  @Json        the customer, a JSON object as the client sent it
  @RequestKey  the Idempotency-Key

Result: one row
  Status      201 created | 400 not a JSON object, or no key | 409 the name is taken
              | 422 invalid fields, or the key was used for another request
  ETag        version of the row; NULL unless 201 and the row still exists
  CustomerID  the new customer; NULL unless 201
  Replayed    1 = the key was used before for the same request, and nothing was done this time
  Json        201: array with the customer as it is now, [] when it was deleted since. Otherwise {"detail": ...}, with
              "errors": [{"field", "message"}] when fields are invalid

Rules
  - Checks in this order: key (12-requests.sql), text, fields, then the constraints.
  - Fields: web.customer_fields. The rest of the row is given below: the customer bills to itself, postal address = delivery address.
  - Names are unique as the collation of Sales.Customers.CustomerName compares them, and only the constraint decides, so that no
    race can make two.
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
    DECLARE @Invalid INT, @Detail NVARCHAR(200), @Errors NVARCHAR(MAX), @FieldErrors NVARCHAR(MAX);
    DECLARE @CustomerName NVARCHAR(100), @PhoneNumber NVARCHAR(20), @FaxNumber NVARCHAR(20), @WebsiteURL NVARCHAR(256);
    DECLARE @DeliveryAddressLine1 NVARCHAR(60), @DeliveryAddressLine2 NVARCHAR(60), @DeliveryPostalCode NVARCHAR(10);

    BEGIN TRY
        IF @OwnTransaction = 1 BEGIN TRANSACTION;

        -- 1. Validate, and claim the key for what is valid.
        EXECUTE ops.read_customer @Json, 1, @Invalid OUTPUT, @FieldErrors OUTPUT,
            @CustomerName OUTPUT, @PhoneNumber OUTPUT, @FaxNumber OUTPUT, @WebsiteURL OUTPUT,
            @DeliveryAddressLine1 OUTPUT, @DeliveryAddressLine2 OUTPUT, @DeliveryPostalCode OUTPUT;
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
                    @CustomerID, @CustomerName, @CustomerID, 5, 1, 1, 28561, 28561, CONVERT(DATE, SYSUTCDATETIME()), 0, 0, 0,
                    30, @PhoneNumber, @FaxNumber, @WebsiteURL, @DeliveryAddressLine1, @DeliveryAddressLine2, @DeliveryPostalCode,
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
        SELECT @ETag = d.ETag, @Result = d.Json FROM web.customer_document(@CustomerID) AS d;
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
