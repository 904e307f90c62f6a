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
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

CREATE OR ALTER PROCEDURE web.get_customers
    @After INT = 0,
    @Limit INT = 1000
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Status INT;
    DECLARE @NextAfter INT;
    DECLARE @Result NVARCHAR(MAX);
    DECLARE @Page TABLE (CustomerID INT NOT NULL PRIMARY KEY, CustomerName NVARCHAR(100) NOT NULL);

    IF @After >= 0 AND @Limit BETWEEN 1 AND 10000
    BEGIN
        SET @Status = 200;

        -- One row more than asked for tells whether another page follows, in the same read as the page itself.
        INSERT INTO @Page (CustomerID, CustomerName)
        SELECT TOP (@Limit + 1) c.CustomerID, c.CustomerName
        FROM Sales.Customers AS c
        WHERE c.CustomerID > @After
        ORDER BY c.CustomerID;

        IF @@ROWCOUNT > @Limit
        BEGIN
            DELETE FROM @Page WHERE CustomerID = (SELECT MAX(p.CustomerID) FROM @Page AS p);
            SET @NextAfter = (SELECT MAX(p.CustomerID) FROM @Page AS p);
        END;

        SET @Result =
        (
            SELECT p.CustomerID AS CustomerID, p.CustomerName AS CustomerName
            FROM @Page AS p
            ORDER BY p.CustomerID
            FOR JSON PATH
        );
        SET @Result = ISNULL(@Result, N'[]');
    END
    ELSE
    BEGIN
        SET @Status = 400;
        SET @Result =
        (
            SELECT N'limit must be between 1 and 10000 and after must not be negative.' AS detail
            FOR JSON PATH, WITHOUT_ARRAY_WRAPPER
        );
    END;

    SELECT @Status AS Status, @NextAfter AS NextAfter, @Result AS Json;
END;
GO
