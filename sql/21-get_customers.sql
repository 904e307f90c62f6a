/*
web.get_customers: one page of ids and names, by id. GET /customers?after=&limit=

Parameters
  @After  the page begins behind this id; 0 or more
  @Limit  rows a page; 1..10000

Result: one row
  Status     200 | 400 a parameter is out of range or NULL
  NextAfter  last id of the page when more rows follow (the next call's @After), else NULL
  Json       200: array of {"CustomerID", "CustomerName"}, [] when empty. Otherwise {"detail": ...}
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
            SELECT TOP (@Limit) c.CustomerID AS CustomerID, c.CustomerName AS CustomerName
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
