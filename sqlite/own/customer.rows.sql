-- The sample: rows as WideWorldImporters has them, and the table that refers to them.
-- Only there to refer to customers.
CREATE TABLE Sales_Orders (
    OrderID    INTEGER PRIMARY KEY,
    CustomerID INTEGER NOT NULL REFERENCES Sales_Customers (CustomerID),
    OrderDate  TEXT    NOT NULL CHECK (length(OrderDate) = 10)
) STRICT;

CREATE INDEX FK_Sales_Orders_CustomerID ON Sales_Orders (CustomerID);

-- 663 customers: two chains of shops, whose head offices pay for them, and people, who have not ordered yet. Customer 123 is that of the
-- original sample; the others are made up from the lists below. Telephone numbers are those set aside for fiction (555-01xx).
INSERT INTO Sales_Customers (
    CustomerID, BillToCustomerID, CustomerName, PhoneNumber, FaxNumber, WebsiteURL,
    DeliveryAddressLine1, DeliveryAddressLine2, DeliveryPostalCode, PostalAddressLine1, PostalAddressLine2, PostalPostalCode,
    AccountOpenedDate, ValidFrom, CustomerCategoryID, PrimaryContactPersonID, DeliveryMethodID, DeliveryCityID, PostalCityID,
    StandardDiscountPercentage, IsStatementSent, IsOnCreditHold, PaymentDays, LastEditedBy
)
WITH RECURSIVE
    Lists (TownBeginnings, TownEnds, States, AreaCodes, GivenNames, FamilyNames, OtherScripts) AS (VALUES (
        '["Alder","Amber","Ash","Birch","Bright","Cedar","Clear","Copper","Eagle","Elm","Fair","Fox","Green","Hazel","Iron","Lake","Maple",
          "North","Oak","Pine","Raven","Silver","Stone","Willow"]',
        '["bridge","brook","bury","dale","field","ford","gate","grove","ham","haven","mont","port","ridge","ton","view","ville","wood"]',
        '["AL","AZ","CA","CO","FL","GA","IL","KS","LA","ME","MI","MN","MT","NC","NM","NY","OH","OR","PA","TX","VT","WA","WY"]',
        '["205","480","310","303","305","404","217","316","225","207","231","218","406","252","505","315","216","503","215","210","802",
          "206","307"]',
        '["Aino","Björn","Chloé","Dagný","Émile","Frode","Grzegorz","Hülya","Inês","Jürgen","Kateřina","Łucja","Márta","Nikolaj","Øyvind",
          "Patrícia","Rūta","Siân","Tuğçe","Ülle","Václav","Winnie","Yusuf","Željka"]',
        '["Aaltonen","Bjarnadóttir","Çetinkaya","Dvořáček","Eriksen","Fernándes","Gęsicki","Håkonsen","Ibáñez","Jõesaar","Kovačić",
          "Lefèvre","Müllner","Nováková","O''Hanlon","Pálffy","Quesada","Rõõm","Šimkus","Tőkés","Vandersmissen","Wiśniowski","Žukauskas"]',
        -- 𠮷 is above U+FFFF.
        '[[["Айгуль","Весела","Дарина"],["Гнатюк","Зинчук","Луценко","Мирнюк","Цвигун"]],
          [["Άρης","Λουκάς","Φοίβος"],["Αλεξίου","Γεωργίου","Δημητρίου","Οικονόμου","Χρήστου"]],
          [["𠮷田","佐々木","星河"],["すずらん","千歳","小夏","朔","陽向"]],
          [["김","박","최"],["가람","누리","별빛","솔잎","한결"]],
          [["نور","سلمى","طارق"],["المصري","الحداد","النجار","القاسم","الخطيب"]]]'
    )),
    Chains (Chain, Site, HeadOffice, FirstTown) AS (VALUES
        ('Tailspin Toys', 'http://www.tailspintoys.com', 1, 0),
        ('Wingtip Toys', 'http://www.wingtiptoys.com', 401, 200)
    ),
    -- Two words for each number, different for each below the product of their lists' lengths. Neighbours differ in both.
    Numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM Numbers WHERE n < 260),
    Shops AS (
        SELECT
            HeadOffice + n AS id,
            HeadOffice,
            n,
            Chain,
            Site,
            TownBeginnings ->> ((FirstTown + n) % 24) || (TownEnds ->> (((FirstTown + n) / 24 + (FirstTown + n) % 24) % 17)) AS Town,
            States ->> ((HeadOffice + n) % 23) AS State,
            AreaCodes ->> ((HeadOffice + n) % 23) AS AreaCode
        FROM Chains, Numbers, Lists
        WHERE n <= 200
    ),
    People AS (
        SELECT
            801 + n AS id,
            n,
            CASE
                WHEN n < 211 THEN concat(GivenNames ->> (n % 24), ' ', FamilyNames ->> ((n / 24 + n % 24) % 23))
                ELSE concat(
                    OtherScripts ->> format('$[%d][0][%d]', (n - 211) % 5, (n - 211) / 5 % 3),
                    ' ',
                    OtherScripts ->> format('$[%d][1][%d]', (n - 211) % 5, ((n - 211) / 15 + (n - 211) / 5 % 3) % 5)
                )
            END AS Name,
            AreaCodes ->> (n % 23) AS AreaCode
        FROM Numbers, Lists
    ),
    Customers (id, BillTo, Name, AreaCode, Site, Building, Street, StreetNumber) AS (
        SELECT
            id, HeadOffice, format('%s (%s)', Chain, iif(n = 0, 'Head Office', Town || ', ' || State)), AreaCode,
            Site || '/' || iif(n = 0, 'HeadOffice', Town), format('Shop %d', 1 + id * 7 % 300), 'Road', 1 + id * 13 % 1900
        FROM Shops
        UNION ALL
        -- Two of three live in a flat; the others have no second line.
        SELECT
            id, id, Name, AreaCode, format('http://www.example.com/people/%d', id),
            iif(n % 3 = 0, NULL, format('Unit %d', 1 + id * 5 % 60)), 'Street', 1 + id * 11 % 900
        FROM People
    ),
    Addresses AS (
        SELECT
            Customers.*,
            format('%d %s%s %s', StreetNumber, TownBeginnings ->> (id * 5 % 24), TownEnds ->> ((id * 5 / 24 + id * 5 % 24) % 17), Street)
                AS StreetLine,
            format('%d', 90000 + id * 61 % 10000) AS PostalCode
        FROM Customers, Lists
    )
SELECT
    id, BillTo, Name, format('(%s) 555-01%02d', AreaCode, id * 2 % 100), format('(%s) 555-01%02d', AreaCode, (id * 2 + 1) % 100), Site,
    ifnull(Building, StreetLine), iif(Building IS NULL, NULL, StreetLine), PostalCode,
    ifnull(Building, StreetLine), iif(Building IS NULL, NULL, StreetLine), PostalCode,
    '2026-01-01', '2026-01-01T00:00:00.0000000', 5, 1, 1, 28561, 28561, 0, 0, 0, 30, 1
FROM Addresses
ORDER BY id;

UPDATE Sales_Customers
SET
    CustomerName = 'Tailspin Toys (Roe Park, NY)', PhoneNumber = '(212) 555-0100', FaxNumber = '(212) 555-0101',
    WebsiteURL = 'http://www.tailspintoys.com/RoePark',
    DeliveryAddressLine1 = 'Shop 219', DeliveryAddressLine2 = '528 Persson Road', DeliveryPostalCode = '90775',
    PostalAddressLine1 = 'Shop 219', PostalAddressLine2 = '528 Persson Road', PostalPostalCode = '90775'
WHERE CustomerID = 123;

-- Every shop has ordered, so that it cannot be deleted.
INSERT INTO Sales_Orders (CustomerID, OrderDate)
SELECT CustomerID, format('2026-%02d-15', Month)
FROM Sales_Customers, (SELECT 1 AS Month UNION ALL SELECT 2 UNION ALL SELECT 3)
WHERE CustomerID < 801 AND Month <= 1 + CustomerID % 3
ORDER BY CustomerID, Month;
