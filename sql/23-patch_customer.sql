/*
web.patch_customer: change some fields of a customer (JSON Merge Patch, RFC 7396), exactly once for a request key. PATCH /customer/{id}

Parameters
  @CustomerID
  @Json        the patch, a JSON object as the client sent it: absent = keep, null = clear (only Delivery.AddressLine2 can be)
  @RequestKey  the Idempotency-Key, 1..255 characters; what follows the 255th is cut off before this procedure sees it
  @IfMatch     the ETags that the row may have, without quotes and separated by spaces, or NULL for any

Result: one row
  Status    202 changed | 400 not a JSON object | 404 no such customer | 409 the name is taken | 412 the row is in no version of @IfMatch
            | 422 invalid fields, or the key was used for another request
  ETag      version of the row after the change; NULL unless 202 and the row still exists
  Replayed  1 = the key was used before for the same request, and nothing was done this time
  Json      202: array with the customer as it is now, [] when it was deleted since. Otherwise {"detail": ...}, with
            "errors": [{"field", "message"}] when fields are invalid

Rules
  - Checks in this order: key, text, existence, version (RFC 9110, 13.1.1), fields, then the constraints.
  - A patch that succeeds makes a new version, also when it changes no value ({} for instance). Delivery is merged member by member.
  - @IfMatch is not part of what the key stands for: a retry that carries the old ETag is a replay, not a conflict.
  - Key, transactions and errors: as in web.put_customer.
  - An update whose transaction began before the row's current version was written ends in error 13535. It is thrown: a
    retry begins later and succeeds.
*/
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

CREATE OR ALTER PROCEDURE web.patch_customer
    @CustomerID INT,
    @Json NVARCHAR(MAX),
    @RequestKey NVARCHAR(255),
    @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON;
    -- A caught constraint error must leave the transaction committable.
    SET XACT_ABORT OFF;

    DECLARE @Operation NVARCHAR(40) = N'web.patch_customer';
    DECLARE @PayloadHash BINARY(32);
    DECLARE @OwnTransaction BIT = CASE WHEN @@TRANCOUNT = 0 THEN 1 ELSE 0 END;
    DECLARE @IsFirst BIT = 0;
    DECLARE @Replayed BIT = 0;
    DECLARE @Status INT;
    DECLARE @Detail NVARCHAR(200);
    DECLARE @Errors NVARCHAR(MAX);
    DECLARE @Version NVARCHAR(40);
    DECLARE @ETag NVARCHAR(40);
    DECLARE @Result NVARCHAR(MAX);
    DECLARE @CustomerName NVARCHAR(100);
    DECLARE @PhoneNumber NVARCHAR(20);
    DECLARE @FaxNumber NVARCHAR(20);
    DECLARE @WebsiteURL NVARCHAR(256);
    DECLARE @DeliveryAddressLine1 NVARCHAR(60);
    DECLARE @DeliveryAddressLine2 NVARCHAR(60);
    DECLARE @DeliveryPostalCode NVARCHAR(10);
    DECLARE @Fields TABLE
    (
        Position INT NOT NULL PRIMARY KEY,
        Field NVARCHAR(40) NOT NULL,
        IsPresent BIT NOT NULL,
        Value NVARCHAR(MAX) NULL,
        Message NVARCHAR(100) NULL
    );

    -- A line feed cannot occur in the parts before the text, so two different requests never hash the same input.
    SET @PayloadHash = HASHBYTES('SHA2_256', CONCAT(@Operation, NCHAR(10), @CustomerID, NCHAR(10), @Json));

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
            -- 2. The text. 13606 (nested too deep for SQL Server) leaves @Fields empty, like anything that is not a JSON object.
            BEGIN TRY
                INSERT INTO @Fields (Position, Field, IsPresent, Value, Message)
                SELECT f.Position, f.Field, f.IsPresent, f.Value, f.Message
                FROM web.customer_fields(@Json, 0) AS f;
            END TRY
            BEGIN CATCH
                IF ERROR_NUMBER() <> 13606 OR XACT_STATE() = -1
                    THROW;
            END CATCH;

            -- 3. The row. UPDLOCK: nobody changes or deletes it between this read and the update.
            SELECT
                @Version = CONVERT(NVARCHAR(40), c.ValidFrom, 126),
                @CustomerName = c.CustomerName,
                @PhoneNumber = c.PhoneNumber,
                @FaxNumber = c.FaxNumber,
                @WebsiteURL = c.WebsiteURL,
                @DeliveryAddressLine1 = c.DeliveryAddressLine1,
                @DeliveryAddressLine2 = c.DeliveryAddressLine2,
                @DeliveryPostalCode = c.DeliveryPostalCode
            FROM Sales.Customers AS c WITH (UPDLOCK)
            WHERE c.CustomerID = @CustomerID;

            IF NOT EXISTS (SELECT 1 FROM @Fields AS f)
            BEGIN
                SET @Status = 400;
                SET @Detail = N'The body is not a JSON object.';
            END
            ELSE IF @Version IS NULL
            BEGIN
                SET @Status = 404;
                SET @Detail = CONCAT(N'Customer ', @CustomerID, N' does not exist.');
            END
            ELSE IF @IfMatch IS NOT NULL AND NOT EXISTS
            (
                SELECT 1
                FROM STRING_SPLIT(@IfMatch, N' ') AS v
                WHERE v.value COLLATE Latin1_General_100_BIN2 = @Version
            )
            BEGIN
                SET @Status = 412;
                SET @Detail = CONCAT(N'Customer ', @CustomerID, N' has changed since the version named in If-Match.');
            END
            -- 4. The fields.
            ELSE IF EXISTS (SELECT 1 FROM @Fields AS f WHERE f.Message IS NOT NULL)
            BEGIN
                SET @Status = 422;
                SET @Detail = N'The customer has invalid fields.';
                SET @Errors =
                (
                    SELECT f.Field AS field, f.Message AS message
                    FROM @Fields AS f
                    WHERE f.Message IS NOT NULL
                    ORDER BY f.Position
                    FOR JSON PATH
                );
            END
            ELSE
            BEGIN
                -- 5. The change: each variable keeps the row's value unless the patch has the field. Lengths were checked above.
                SELECT @CustomerName = f.Value FROM @Fields AS f WHERE f.Field = N'CustomerName' AND f.IsPresent = 1;
                SELECT @PhoneNumber = f.Value FROM @Fields AS f WHERE f.Field = N'PhoneNumber' AND f.IsPresent = 1;
                SELECT @FaxNumber = f.Value FROM @Fields AS f WHERE f.Field = N'FaxNumber' AND f.IsPresent = 1;
                SELECT @WebsiteURL = f.Value FROM @Fields AS f WHERE f.Field = N'WebsiteURL' AND f.IsPresent = 1;
                SELECT @DeliveryAddressLine1 = f.Value FROM @Fields AS f WHERE f.Field = N'Delivery.AddressLine1' AND f.IsPresent = 1;
                SELECT @DeliveryAddressLine2 = f.Value FROM @Fields AS f WHERE f.Field = N'Delivery.AddressLine2' AND f.IsPresent = 1;
                SELECT @DeliveryPostalCode = f.Value FROM @Fields AS f WHERE f.Field = N'Delivery.PostalCode' AND f.IsPresent = 1;

                BEGIN TRY
                    UPDATE Sales.Customers
                    SET
                        CustomerName = @CustomerName,
                        PhoneNumber = @PhoneNumber,
                        FaxNumber = @FaxNumber,
                        WebsiteURL = @WebsiteURL,
                        DeliveryAddressLine1 = @DeliveryAddressLine1,
                        DeliveryAddressLine2 = @DeliveryAddressLine2,
                        DeliveryPostalCode = @DeliveryPostalCode,
                        LastEditedBy = 1
                    WHERE CustomerID = @CustomerID;

                    SET @Status = 202;
                END TRY
                BEGIN CATCH
                    IF ERROR_NUMBER() NOT IN (2601, 2627) OR XACT_STATE() = -1
                        THROW;

                    SET @Status = 409;
                    SET @Detail = N'A customer with this name already exists.';
                END CATCH;
            END;

            IF @Status >= 400
                DELETE FROM web.Requests WHERE RequestKey = @RequestKey;
        END;

        -- 6. The answer: the row as it is now, also in a replay.
        IF @Status < 400
        BEGIN
            SELECT @ETag = d.ETag, @Result = d.Json
            FROM web.customer_document(@CustomerID) AS d;
            SET @Result = ISNULL(@Result, N'[]');
        END
        ELSE
        BEGIN
            SET @Result = (SELECT @Detail AS detail FOR JSON PATH, WITHOUT_ARRAY_WRAPPER);
            IF @Errors IS NOT NULL
                SET @Result = JSON_MODIFY(@Result, N'$.errors', JSON_QUERY(@Errors));
        END;

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

    SELECT @Status AS Status, @ETag AS ETag, @Replayed AS Replayed, @Result AS Json;
END;
GO
