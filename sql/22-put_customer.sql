/*
web.put_customer: create a customer, exactly once for a request key. PUT /customer

Parameters
  @Json        the customer, a JSON object as the client sent it
  @RequestKey  the Idempotency-Key, 1..255 characters; what follows the 255th is cut off before this procedure sees it

Result: one row
  Status      201 created | 400 not a JSON object | 409 the name is taken | 422 invalid fields, or the key was used for another request
  ETag        version of the row; NULL unless 201 and the row still exists
  CustomerID  the new customer; NULL unless 201
  Replayed    1 = the key was used before for the same request, and nothing was done this time
  Json        201: array with the customer as it is now, [] when it was deleted since. Otherwise {"detail": ...}, with
              "errors": [{"field", "message"}] when fields are invalid

Rules
  - Fields: web.customer_fields. The rest of the row is given below: the customer bills to itself, postal address = delivery address.
  - Names are unique as the collation of Sales.Customers.CustomerName compares them, and only the constraint decides, so that no
    race can make two.
  - The ledger row is written first: a concurrent call with the same key waits on the primary key until this one has
    ended, and then finds the outcome (or nothing, when this one failed, and runs itself). Only success stays recorded.
  - Works inside the caller's transaction (Data API Builder opens one for each POST) or, without one, in its own. Never rolls back the
    caller's. Whatever is not expected here is thrown to the caller, who must then roll back.
*/
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

CREATE OR ALTER PROCEDURE web.put_customer
    @Json NVARCHAR(MAX),
    @RequestKey NVARCHAR(255)
AS
BEGIN
    SET NOCOUNT ON;
    -- A caught constraint error must leave the transaction committable.
    SET XACT_ABORT OFF;

    DECLARE @Operation NVARCHAR(40) = N'web.put_customer';
    DECLARE @PayloadHash BINARY(32);
    DECLARE @OwnTransaction BIT = CASE WHEN @@TRANCOUNT = 0 THEN 1 ELSE 0 END;
    DECLARE @IsFirst BIT = 0;
    DECLARE @Replayed BIT = 0;
    DECLARE @Status INT;
    DECLARE @Detail NVARCHAR(200);
    DECLARE @Errors NVARCHAR(MAX);
    DECLARE @ETag NVARCHAR(40);
    DECLARE @CustomerID INT;
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
    SET @PayloadHash = HASHBYTES('SHA2_256', CONCAT(@Operation, NCHAR(10), NCHAR(10), @Json));

    BEGIN TRY
        IF @OwnTransaction = 1
            BEGIN TRANSACTION;

        -- 1. The key: first use, or a replay (2627, after the other transaction has committed).
        BEGIN TRY
            INSERT INTO web.Requests (RequestKey, Operation, PayloadHash, Status)
            VALUES (@RequestKey, @Operation, @PayloadHash, 201);
            SET @IsFirst = 1;
        END TRY
        BEGIN CATCH
            IF ERROR_NUMBER() <> 2627 OR XACT_STATE() = -1
                THROW;
        END CATCH;

        IF @IsFirst = 0
        BEGIN
            SELECT @Status = r.Status, @CustomerID = r.RowID
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
                FROM web.customer_fields(@Json, 1) AS f;
            END TRY
            BEGIN CATCH
                IF ERROR_NUMBER() <> 13606 OR XACT_STATE() = -1
                    THROW;
            END CATCH;

            IF NOT EXISTS (SELECT 1 FROM @Fields AS f)
            BEGIN
                SET @Status = 400;
                SET @Detail = N'The body is not a JSON object.';
            END
            -- 3. The fields.
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
                -- 4. The change. Lengths were checked above, so nothing is cut here.
                SELECT @CustomerName = f.Value FROM @Fields AS f WHERE f.Field = N'CustomerName' AND f.IsPresent = 1;
                SELECT @PhoneNumber = f.Value FROM @Fields AS f WHERE f.Field = N'PhoneNumber' AND f.IsPresent = 1;
                SELECT @FaxNumber = f.Value FROM @Fields AS f WHERE f.Field = N'FaxNumber' AND f.IsPresent = 1;
                SELECT @WebsiteURL = f.Value FROM @Fields AS f WHERE f.Field = N'WebsiteURL' AND f.IsPresent = 1;
                SELECT @DeliveryAddressLine1 = f.Value FROM @Fields AS f WHERE f.Field = N'Delivery.AddressLine1' AND f.IsPresent = 1;
                SELECT @DeliveryAddressLine2 = f.Value FROM @Fields AS f WHERE f.Field = N'Delivery.AddressLine2' AND f.IsPresent = 1;
                SELECT @DeliveryPostalCode = f.Value FROM @Fields AS f WHERE f.Field = N'Delivery.PostalCode' AND f.IsPresent = 1;

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
                        @CustomerID, @CustomerName, @CustomerID, 5, 1, 1,
                        28561, 28561, CONVERT(DATE, SYSUTCDATETIME()), 0, 0, 0,
                        30, @PhoneNumber, @FaxNumber, @WebsiteURL, @DeliveryAddressLine1, @DeliveryAddressLine2, @DeliveryPostalCode,
                        @DeliveryAddressLine1, @DeliveryAddressLine2, @DeliveryPostalCode, 1
                    );

                    UPDATE web.Requests SET RowID = @CustomerID WHERE RequestKey = @RequestKey;
                    SET @Status = 201;
                END TRY
                BEGIN CATCH
                    -- Expected only when the name is taken. A clash of ids (a sequence that lags behind the table) is not.
                    IF ERROR_NUMBER() NOT IN (2601, 2627) OR XACT_STATE() = -1
                        OR NOT EXISTS (SELECT 1 FROM Sales.Customers AS c WHERE c.CustomerName = @CustomerName)
                        THROW;

                    SET @Status = 409;
                    SET @Detail = N'A customer with this name already exists.';
                    SET @CustomerID = NULL;
                END CATCH;
            END;

            IF @Status >= 400
                DELETE FROM web.Requests WHERE RequestKey = @RequestKey;
        END;

        -- 5. The answer: the row as it is now, also in a replay.
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

    SELECT @Status AS Status, @ETag AS ETag, @CustomerID AS CustomerID, @Replayed AS Replayed, @Result AS Json;
END;
GO
