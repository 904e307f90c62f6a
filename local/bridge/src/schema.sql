-- The part of WideWorldImporters that the procedures touch, in SQLite: `Sales.Customers` is `Sales_Customers`, and so on.
-- A change here needs a new SCHEMA_VERSION in database.rs.

-- All columns of the original but DeliveryLocation (a geography). Lengths are checked here in characters, by the procedures in UTF-16
-- code units. History (the original is system-versioned) is not kept.
CREATE TABLE Sales_Customers (
    CustomerID                 INTEGER PRIMARY KEY CHECK (CustomerID BETWEEN 1 AND 2147483647),
    CustomerName               TEXT    NOT NULL COLLATE Latin1_General_100_CI_AS UNIQUE CHECK (length(CustomerName) <= 100),
    BillToCustomerID           INTEGER NOT NULL REFERENCES Sales_Customers (CustomerID),
    CustomerCategoryID         INTEGER NOT NULL,
    BuyingGroupID              INTEGER,
    PrimaryContactPersonID     INTEGER NOT NULL,
    AlternateContactPersonID   INTEGER,
    DeliveryMethodID           INTEGER NOT NULL,
    DeliveryCityID             INTEGER NOT NULL,
    PostalCityID               INTEGER NOT NULL,
    CreditLimit                REAL,
    AccountOpenedDate          TEXT    NOT NULL CHECK (length(AccountOpenedDate) = 10),
    StandardDiscountPercentage REAL    NOT NULL,
    IsStatementSent            INTEGER NOT NULL CHECK (IsStatementSent IN (0, 1)),
    IsOnCreditHold             INTEGER NOT NULL CHECK (IsOnCreditHold IN (0, 1)),
    PaymentDays                INTEGER NOT NULL,
    PhoneNumber                TEXT    NOT NULL CHECK (length(PhoneNumber) <= 20),
    FaxNumber                  TEXT    NOT NULL CHECK (length(FaxNumber) <= 20),
    DeliveryRun                TEXT    CHECK (length(DeliveryRun) <= 5),
    RunPosition                TEXT    CHECK (length(RunPosition) <= 5),
    WebsiteURL                 TEXT    NOT NULL CHECK (length(WebsiteURL) <= 256),
    DeliveryAddressLine1       TEXT    NOT NULL CHECK (length(DeliveryAddressLine1) <= 60),
    DeliveryAddressLine2       TEXT    CHECK (length(DeliveryAddressLine2) <= 60),
    DeliveryPostalCode         TEXT    NOT NULL CHECK (length(DeliveryPostalCode) <= 10),
    PostalAddressLine1         TEXT    NOT NULL CHECK (length(PostalAddressLine1) <= 60),
    PostalAddressLine2         TEXT    CHECK (length(PostalAddressLine2) <= 60),
    PostalPostalCode           TEXT    NOT NULL CHECK (length(PostalPostalCode) <= 10),
    LastEditedBy               INTEGER NOT NULL,
    ValidFrom                  TEXT    NOT NULL CHECK (length(ValidFrom) = 27),
    ValidTo                    TEXT    NOT NULL DEFAULT '9999-12-31T23:59:59.9999999'
) STRICT;

-- SQLite looks for referring rows at each DELETE; without the indexes it would read the whole table.
CREATE INDEX FK_Sales_Customers_BillToCustomerID ON Sales_Customers (BillToCustomerID);

-- Only there to refer to customers.
CREATE TABLE Sales_Orders (
    OrderID    INTEGER PRIMARY KEY,
    CustomerID INTEGER NOT NULL REFERENCES Sales_Customers (CustomerID),
    OrderDate  TEXT    NOT NULL CHECK (length(OrderDate) = 10)
) STRICT;

CREATE INDEX FK_Sales_Orders_CustomerID ON Sales_Orders (CustomerID);

-- One row: the next value of sequence Sequences.CustomerID.
CREATE TABLE Sequences_CustomerID (
    NextValue INTEGER NOT NULL
) STRICT;

-- The ledger of requests that were carried out. Keys are compared byte for byte. ETag and Json are the answer as it was given, which the
-- original does not keep: a script of procedures/script.rs has no other way to give it again.
CREATE TABLE web_Requests (
    RequestKey  TEXT    PRIMARY KEY NOT NULL,
    Operation   TEXT    NOT NULL,
    PayloadHash BLOB    NOT NULL CHECK (length(PayloadHash) = 32),
    Status      INTEGER NOT NULL CHECK (Status BETWEEN 200 AND 299),
    RowID       INTEGER,
    ETag        TEXT,
    Json        TEXT    NOT NULL,
    CompletedAt TEXT    NOT NULL CHECK (length(CompletedAt) = 27)
) STRICT, WITHOUT ROWID;
