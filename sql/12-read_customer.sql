/*
ops.read_customer: what a client sent for a customer, as variables, or what is wrong with it. For web.put_customer and web.patch_customer.

Parameters
  @Json, @IsNew     as web.customer_fields takes them
  @Invalid          out: NULL = valid | 400 not a JSON object, or nested too deep for SQL Server | 422 invalid fields
  @Errors           out: 422: [{"field", "message"}]
  @HasAddressLine2  out: 1 = the object has Delivery.AddressLine2, also as null
  all others        out: the fields; NULL when absent. Only of use when valid: what is too long is cut
*/
CREATE OR ALTER PROCEDURE ops.read_customer
    @Json NVARCHAR(MAX),
    @IsNew BIT,
    @Invalid INT OUTPUT,
    @Errors NVARCHAR(MAX) OUTPUT,
    @CustomerName NVARCHAR(100) OUTPUT,
    @PhoneNumber NVARCHAR(20) OUTPUT,
    @FaxNumber NVARCHAR(20) OUTPUT,
    @WebsiteURL NVARCHAR(256) OUTPUT,
    @DeliveryAddressLine1 NVARCHAR(60) OUTPUT,
    @DeliveryAddressLine2 NVARCHAR(60) OUTPUT,
    @DeliveryPostalCode NVARCHAR(10) OUTPUT,
    @HasAddressLine2 BIT = NULL OUTPUT
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
            @HasAddressLine2 = MAX(CASE WHEN f.Field = N'Delivery.AddressLine2' THEN f.IsPresent END)
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
