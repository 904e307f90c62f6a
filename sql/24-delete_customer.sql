/*
web.delete_customer: delete a customer, exactly once for a request key. DELETE /customer/{id}

Parameters
  @CustomerID
  @RequestKey  the Idempotency-Key, 1..255 characters; what follows the 255th is cut off before this procedure sees it
  @IfMatch     the ETags that the row may have, without quotes and separated by spaces, or NULL for any

Result: one row
  Status    202 the customer does not exist (any more) | 409 other rows refer to it | 412 the row is in no version of @IfMatch
            | 422 the key was used for another request
  Replayed  1 = the key was used before for the same request, and nothing was done this time
  Json      202: [{"CustomerID": id}]. Otherwise {"detail": ...}

Rules
  - Deleting what does not exist succeeds, also with @IfMatch: the client has what it asked for.
  - Which rows may refer to a customer is known to the foreign keys alone (orders, invoices, customers that bill to it).
  - Key, transactions and errors: as in web.put_customer.
*/
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

CREATE OR ALTER PROCEDURE web.delete_customer
    @CustomerID INT,
    @RequestKey NVARCHAR(255),
    @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON;
    -- A caught constraint error must leave the transaction committable.
    SET XACT_ABORT OFF;

    DECLARE @Operation NVARCHAR(40) = N'web.delete_customer';
    DECLARE @PayloadHash BINARY(32);
    DECLARE @OwnTransaction BIT = CASE WHEN @@TRANCOUNT = 0 THEN 1 ELSE 0 END;
    DECLARE @IsFirst BIT = 0;
    DECLARE @Replayed BIT = 0;
    DECLARE @Status INT;
    DECLARE @Detail NVARCHAR(200);
    DECLARE @Version NVARCHAR(40);
    DECLARE @Result NVARCHAR(MAX);

    SET @PayloadHash = HASHBYTES('SHA2_256', CONCAT(@Operation, NCHAR(10), @CustomerID, NCHAR(10)));

    BEGIN TRY
        IF @OwnTransaction = 1
            BEGIN TRANSACTION;

        -- 1. The key: first use, or a replay (2627, after the other transaction has committed).
        BEGIN TRY
            INSERT INTO web.Requests (RequestKey, Operation, PayloadHash, Status, RowID)
            VALUES (@RequestKey, @Operation, @PayloadHash, 202, @CustomerID);
            SET @IsFirst = 1;
        END TRY
        BEGIN CATCH
            IF ERROR_NUMBER() <> 2627 OR XACT_STATE() = -1
                THROW;
        END CATCH;

        IF @IsFirst = 0
        BEGIN
            SELECT @Status = r.Status
            FROM web.Requests AS r
            WHERE r.RequestKey = @RequestKey AND r.Operation = @Operation AND r.PayloadHash = @PayloadHash;

            IF @Status IS NULL
            BEGIN
                SET @Status = 422;
                SET @Detail = N'This idempotency key was already used for a different request.';
            END
            ELSE
                SET @Replayed = 1;
        END
        ELSE
        BEGIN
            -- 2. The row. UPDLOCK: nobody changes it between this read and the delete.
            SELECT @Version = CONVERT(NVARCHAR(40), c.ValidFrom, 126)
            FROM Sales.Customers AS c WITH (UPDLOCK)
            WHERE c.CustomerID = @CustomerID;

            -- Not true when either is NULL: no version asked for, or no row.
            IF @IfMatch IS NOT NULL AND NOT EXISTS
            (
                SELECT 1
                FROM STRING_SPLIT(@IfMatch, N' ') AS v
                WHERE v.value COLLATE Latin1_General_100_BIN2 = @Version
            )
            BEGIN
                SET @Status = 412;
                SET @Detail = CONCAT(N'Customer ', @CustomerID, N' has changed since the version named in If-Match.');
            END
            ELSE
            BEGIN
                -- 3. The change.
                BEGIN TRY
                    DELETE FROM Sales.Customers WHERE CustomerID = @CustomerID;
                    SET @Status = 202;
                END TRY
                BEGIN CATCH
                    IF ERROR_NUMBER() <> 547 OR XACT_STATE() = -1
                        THROW;

                    SET @Status = 409;
                    SET @Detail = CONCAT(N'Customer ', @CustomerID, N' is referred to by other rows and cannot be deleted.');
                END CATCH;
            END;

            IF @Status >= 400
                DELETE FROM web.Requests WHERE RequestKey = @RequestKey;
        END;

        -- 4. The answer.
        IF @Status < 400
            SET @Result = (SELECT @CustomerID AS CustomerID FOR JSON PATH);
        ELSE
            SET @Result = (SELECT @Detail AS detail FOR JSON PATH, WITHOUT_ARRAY_WRAPPER);

        IF @OwnTransaction = 1
            COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF @OwnTransaction = 1 AND XACT_STATE() <> 0
            ROLLBACK TRANSACTION;
        -- A caller that swallows the error and commits must not find the key taken for a change that failed.
        IF @OwnTransaction = 0 AND @IsFirst = 1 AND XACT_STATE() = 1
            DELETE FROM web.Requests WHERE RequestKey = @RequestKey;
        THROW;
    END CATCH;

    SELECT @Status AS Status, @Replayed AS Replayed, @Result AS Json;
END;
GO
