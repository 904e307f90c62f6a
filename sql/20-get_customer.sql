/*
web.get_customer: one customer. GET /customer/{id}

Parameters
  @CustomerID

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
