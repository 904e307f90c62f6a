//! A customer: its fields, and the row of `Sales.Customers` that holds it.

mod document;

use rusqlite::{Connection, OptionalExtension, Params, ffi, params};

use crate::{
    database::violates,
    for_json::{self, Object},
    procedures::{Failure, Refusal},
};

pub(crate) use document::Document;

/// A column of `Sales.Customers` that is a field of the API's customer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// The column.
    pub column: &'static str,
    /// The path in the JSON of a customer; also the name of the field in errors.
    pub path: &'static str,
    /// The length of its `NVARCHAR`, in UTF-16 code units.
    pub max_length: usize,
    /// Whether the column can be NULL.
    pub nullable: bool,
    /// Whether a JSON number is taken as its text.
    pub number_as_text: bool,
}

impl Field {
    const fn required(column: &'static str, path: &'static str, max_length: usize) -> Self {
        Self {
            column,
            path,
            max_length,
            nullable: false,
            number_as_text: false,
        }
    }
}

/// The fields of a customer but for its id, in the order of the columns. The last three are members of `Delivery`.
pub const FIELDS: [Field; 7] = [
    Field::required("CustomerName", "CustomerName", 100),
    Field::required("PhoneNumber", "PhoneNumber", 20),
    Field::required("FaxNumber", "FaxNumber", 20),
    Field::required("WebsiteURL", "WebsiteURL", 256),
    Field::required("DeliveryAddressLine1", "Delivery.AddressLine1", 60),
    Field {
        nullable: true,
        ..Field::required("DeliveryAddressLine2", "Delivery.AddressLine2", 60)
    },
    Field {
        number_as_text: true,
        ..Field::required("DeliveryPostalCode", "Delivery.PostalCode", 10)
    },
];

/// The values of [`FIELDS`]; `None` is NULL.
pub(crate) type Values = [Option<String>; FIELDS.len()];

/// A row of `Sales.Customers`, as far as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Customer {
    pub id: i32,
    pub values: Values,
    /// `ValidFrom`: changes with every change of the row.
    pub version: String,
}

impl Customer {
    /// The customer with an id, if there is one.
    pub fn load(connection: &Connection, id: Option<i32>) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT CustomerName, PhoneNumber, FaxNumber, WebsiteURL, DeliveryAddressLine1,
                     DeliveryAddressLine2, DeliveryPostalCode, ValidFrom, CustomerID
                 FROM Sales_Customers WHERE CustomerID = ?1",
            )?
            .query_row([id], |row| {
                let mut values = Values::default();
                for (index, value) in values.iter_mut().enumerate() {
                    *value = row.get(index)?;
                }
                Ok(Self {
                    id: row.get(8)?,
                    values,
                    version: row.get(7)?,
                })
            })
            .optional()
    }

    /// `[{"CustomerID":123, …}]`, as `FOR JSON PATH` builds it.
    pub fn to_json(&self) -> String {
        let mut customer = Object::new().int("CustomerID", Some(self.id));
        let mut delivery = Object::new();
        for (field, value) in FIELDS.iter().zip(&self.values) {
            match field.path.strip_prefix("Delivery.") {
                Some(member) => delivery = delivery.text(member, value.as_deref()),
                None => customer = customer.text(field.path, value.as_deref()),
            }
        }
        for_json::array([customer.object("Delivery", delivery)])
    }
}

/// The version of the customer with an id, if there is one.
pub(crate) fn version(connection: &Connection, id: Option<i32>) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT ValidFrom FROM Sales_Customers WHERE CustomerID = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// `NEXT VALUE FOR Sequences.CustomerID`: an id that no customer has or had.
pub(crate) fn next_id(connection: &Connection) -> rusqlite::Result<i32> {
    connection
        .prepare_cached("UPDATE Sequences_CustomerID SET NextValue = NextValue + 1 RETURNING NextValue - 1")?
        .query_row((), |row| row.get(0))
}

/// Inserts a customer that pays its bills through `bill_to`, with the defaults of `web.put_customer` for the columns
/// that the API does not show. Its account is opened on the day of its version.
///
/// # Errors
/// 409 when another customer has the name.
pub(crate) fn insert(connection: &Connection, customer: &Customer, bill_to: i32) -> Result<(), Failure> {
    let [name, phone, fax, website, line1, line2, postal_code] = &customer.values;
    change(
        connection,
        "INSERT INTO Sales_Customers (
             CustomerID, BillToCustomerID, CustomerName, PhoneNumber, FaxNumber, WebsiteURL,
             DeliveryAddressLine1, DeliveryAddressLine2, DeliveryPostalCode,
             PostalAddressLine1, PostalAddressLine2, PostalPostalCode,
             AccountOpenedDate, ValidFrom, CustomerCategoryID, PrimaryContactPersonID,
             DeliveryMethodID, DeliveryCityID, PostalCityID, StandardDiscountPercentage,
             IsStatementSent, IsOnCreditHold, PaymentDays, LastEditedBy)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?7, ?8, ?9, substr(?10, 1, 10), ?10,
             5, 1, 1, 28561, 28561, 0, 0, 0, 30, 1)",
        params![
            customer.id,
            bill_to,
            name,
            phone,
            fax,
            website,
            line1,
            line2,
            postal_code,
            customer.version,
        ],
    )
}

/// Replaces the fields and the version of a customer.
///
/// # Errors
/// 409 when another customer has the name.
pub(crate) fn update(connection: &Connection, customer: &Customer) -> Result<(), Failure> {
    let [name, phone, fax, website, line1, line2, postal_code] = &customer.values;
    change(
        connection,
        "UPDATE Sales_Customers SET CustomerName = ?1, PhoneNumber = ?2, FaxNumber = ?3,
             WebsiteURL = ?4, DeliveryAddressLine1 = ?5, DeliveryAddressLine2 = ?6,
             DeliveryPostalCode = ?7, ValidFrom = ?8, LastEditedBy = 1
         WHERE CustomerID = ?9",
        params![
            name,
            phone,
            fax,
            website,
            line1,
            line2,
            postal_code,
            customer.version,
            customer.id,
        ],
    )
}

/// Deletes the customer with an id, if there is one.
///
/// # Errors
/// 409 when other rows refer to it.
pub(crate) fn delete(connection: &Connection, id: Option<i32>) -> Result<(), Failure> {
    change(connection, "DELETE FROM Sales_Customers WHERE CustomerID = ?1", [id]).map_err(|failure| {
        match (failure, id) {
            (Failure::Database(error), Some(id)) if violates(&error, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => {
                let detail = format!("Customer {id} is referred to by other rows and cannot be deleted.");
                Refusal::new(409, detail).into()
            }
            (failure, _) => failure,
        }
    })
}

fn change(connection: &Connection, sql: &str, parameters: impl Params) -> Result<(), Failure> {
    match connection.prepare_cached(sql)?.execute(parameters) {
        Ok(_) => Ok(()),
        Err(error) if violates(&error, ffi::SQLITE_CONSTRAINT_UNIQUE) => {
            Err(Refusal::new(409, "A customer with this name already exists.").into())
        }
        Err(error) => Err(error.into()),
    }
}
