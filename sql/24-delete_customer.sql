/*
web.delete_customer: delete a customer, exactly once for a request key. DELETE /customer/{id}

Parameters
  @CustomerID
  @RequestKey  the Idempotency-Key
  @IfMatch     the ETags that the row may have, without quotes and separated by spaces, or NULL for any

Result: one row
  Status    202 the customer does not exist (any more) | 400 no key | 409 other rows refer to it
            | 412 there is no row in a version of @IfMatch | 422 the key was used for another request
  Replayed  1 = the key was used before for the same request, and nothing was done this time
  Json      202: [{"CustomerID": id}]. Otherwise {"detail": ...}

Rules
  - Deleting what does not exist succeeds: the client has what it asked for. With @IfMatch it is 412, because there is no
    representation that could match (RFC 9110, 13.1.1). A retry under the same key is a replay, and succeeds.
  - Which rows may refer to a customer is known to the foreign keys alone (orders, invoices, customers that bill to it).
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
    DECLARE @Replayed BIT, @Status INT, @Detail NVARCHAR(200), @Version NVARCHAR(40), @Result NVARCHAR(MAX);

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

            -- Nothing is equal to a version of NULL: no row.
            IF @IfMatch IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM STRING_SPLIT(@IfMatch, N' ') AS v WHERE v.value COLLATE Latin1_General_100_BIN2 = @Version)
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
        SET @Result = CASE WHEN @Status < 400 THEN (SELECT @CustomerID AS CustomerID FOR JSON PATH)
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
