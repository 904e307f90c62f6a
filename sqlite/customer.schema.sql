-- Generated from entities/customer.toml by `make generate`. A script of this name in sqlite/own replaces it.
CREATE TABLE Sales_Customers (
    CustomerID INTEGER PRIMARY KEY AUTOINCREMENT,
    CustomerName TEXT NOT NULL COLLATE Latin1_General_100_CI_AS,
    BillToCustomerID INTEGER NOT NULL,
    CustomerCategoryID INTEGER NOT NULL,
    BuyingGroupID INTEGER,
    PrimaryContactPersonID INTEGER NOT NULL,
    AlternateContactPersonID INTEGER,
    DeliveryMethodID INTEGER NOT NULL,
    DeliveryCityID INTEGER NOT NULL,
    PostalCityID INTEGER NOT NULL,
    CreditLimit TEXT,
    AccountOpenedDate TEXT NOT NULL,
    StandardDiscountPercentage TEXT NOT NULL,
    IsStatementSent TEXT NOT NULL,
    IsOnCreditHold TEXT NOT NULL,
    PaymentDays INTEGER NOT NULL,
    PhoneNumber TEXT NOT NULL COLLATE Latin1_General_100_CI_AS,
    FaxNumber TEXT NOT NULL COLLATE Latin1_General_100_CI_AS,
    DeliveryRun TEXT COLLATE Latin1_General_100_CI_AS,
    RunPosition TEXT COLLATE Latin1_General_100_CI_AS,
    WebsiteURL TEXT NOT NULL COLLATE Latin1_General_100_CI_AS,
    DeliveryAddressLine1 TEXT NOT NULL COLLATE Latin1_General_100_CI_AS,
    DeliveryAddressLine2 TEXT COLLATE Latin1_General_100_CI_AS,
    DeliveryPostalCode TEXT NOT NULL COLLATE Latin1_General_100_CI_AS,
    PostalAddressLine1 TEXT NOT NULL COLLATE Latin1_General_100_CI_AS,
    PostalAddressLine2 TEXT COLLATE Latin1_General_100_CI_AS,
    PostalPostalCode TEXT NOT NULL COLLATE Latin1_General_100_CI_AS,
    LastEditedBy INTEGER NOT NULL,
    ValidFrom TEXT NOT NULL DEFAULT (sysutcdatetime()),
    UNIQUE (CustomerName),
    FOREIGN KEY (BillToCustomerID) REFERENCES Sales_Customers (CustomerID) ON DELETE NO ACTION ON UPDATE NO ACTION
) STRICT;

CREATE INDEX IF NOT EXISTS FK_Customers_BillToCustomerID ON Sales_Customers (BillToCustomerID);

-- One row a field for the JSON object in `WHERE Document = …`; Message is what is wrong with it, or NULL. In a new row a required field that
-- is absent is an error, in a patch (`IsPresent`) it is not.
CREATE VIEW web_customer_fields AS
WITH
    Rules (Position, Field, MemberPath, ObjectPath, SqlType, Size, Scale, IsRequired, IsNullable) AS (
        VALUES
            (1, 'CustomerName', '$.CustomerName', NULL, 'nchar', 100, NULL, 1, 0),
            (2, 'PhoneNumber', '$.PhoneNumber', NULL, 'nchar', 20, NULL, 1, 0),
            (3, 'FaxNumber', '$.FaxNumber', NULL, 'nchar', 20, NULL, 1, 0),
            (4, 'WebsiteURL', '$.WebsiteURL', NULL, 'nchar', 256, NULL, 1, 0),
            (5, 'Delivery', '$.Delivery', NULL, 'object', NULL, NULL, 0, 0),
            (6, 'Delivery.AddressLine1', '$.Delivery.AddressLine1', '$.Delivery', 'nchar', 60, NULL, 1, 0),
            (7, 'Delivery.AddressLine2', '$.Delivery.AddressLine2', '$.Delivery', 'nchar', 60, NULL, 0, 1),
            (8, 'Delivery.PostalCode', '$.Delivery.PostalCode', '$.Delivery', 'nchar or number', 10, NULL, 1, 0)
    ),
    -- The document's root is one row, and brings the document in: its column `json` is the argument of json_tree.
    Members AS (
        SELECT Root.json AS Document, Rules.*, Root.json -> MemberPath AS Value, json_type(Root.json, ObjectPath) AS ObjectType
        FROM json_tree AS Root, Rules
        WHERE Root.parent IS NULL
    )
SELECT
    Document,
    Position,
    Field,
    Value IS NOT NULL AS IsPresent,
    CASE
        -- An object that is null or none has its own error; its members are not reported on top of it.
        WHEN Value IS NULL THEN
            CASE WHEN IsRequired AND ifnull(ObjectType, 'object') = 'object' THEN 'is required' END
        WHEN Value = 'null' THEN
            CASE WHEN NOT IsNullable THEN 'must not be null' END
        ELSE field_error(Value, SqlType, Size, Scale)
    END AS Message
FROM Members;

-- The text of a row as FOR JSON PATH builds it, and the version of it. An empty object merged with NULL members (RFC 7396) does not get them.
CREATE VIEW web_customer_document AS
WITH Documents AS (
    SELECT
        CustomerID,
        ValidFrom AS web_Version,
        replace(json_array(json_patch('{}', json_object(
            'CustomerID', CustomerID,
            'CustomerName', CustomerName,
            'PhoneNumber', PhoneNumber,
            'FaxNumber', FaxNumber,
            'WebsiteURL', WebsiteURL,
            'Delivery', json_object('AddressLine1', DeliveryAddressLine1, 'AddressLine2', DeliveryAddressLine2, 'PostalCode', DeliveryPostalCode)
        ))), '/', '\/') AS Json
    FROM Sales_Customers
)
SELECT CustomerID, web_Version, concat(web_Version, '-', substr(sha2_256(Json), 1, 12)) AS ETag, Json
FROM Documents;
