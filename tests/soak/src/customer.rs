//! A customer as the API writes it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Everything about a customer but its id, in the API's own JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Customer {
    pub customer_name: String,
    pub phone_number: String,
    pub fax_number: String,
    #[serde(rename = "WebsiteURL")]
    pub website_url: String,
    pub delivery: Delivery,
}

/// Where to deliver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Delivery {
    pub address_line1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_line2: Option<String>,
    pub postal_code: String,
}

impl Customer {
    /// The text of a body that creates it.
    pub fn text(&self) -> String {
        json!(self).to_string()
    }

    /// The answer to a GET of it.
    pub fn answer(&self, id: i32) -> Value {
        let mut row = json!(self);
        row["CustomerID"] = id.into();
        json!([row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_read_and_written_as_the_api_does() {
        let row = json!({"CustomerID": 7, "CustomerName": "n", "PhoneNumber": "p", "FaxNumber": "f", "WebsiteURL": "w",
            "Delivery": {"AddressLine1": "a", "PostalCode": "1"}});
        let customer: Customer = serde_json::from_value(row.clone()).unwrap();
        assert_eq!(customer.answer(7), json!([row]));
    }
}
