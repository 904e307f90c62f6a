//! JSON text as `SELECT … FOR JSON PATH` builds it: no white space, members in the order of the columns, NULL members
//! left out.

use crate::escape;

/// One JSON object under construction.
#[derive(Default)]
pub(crate) struct Object {
    members: String,
}

impl Object {
    /// An object without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an INT column, or nothing for NULL.
    pub fn int(mut self, name: &str, value: Option<i32>) -> Self {
        if let Some(value) = value {
            self.key(name);
            self.members.push_str(&value.to_string());
        }
        self
    }

    /// Adds an NVARCHAR column, or nothing for NULL.
    pub fn text(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.key(name);
            self.members.push('"');
            escape::for_json(value, &mut self.members);
            self.members.push('"');
        }
        self
    }

    /// Adds the columns that share a prefix (`Delivery.AddressLine1`, …), or nothing when all of them are NULL.
    pub fn object(mut self, name: &str, value: Object) -> Self {
        if !value.members.is_empty() {
            self.key(name);
            self.members.push_str(&value.finish());
        }
        self
    }

    /// Adds the rows of a nested `FOR JSON` query, or nothing when there are none.
    pub fn array(mut self, name: &str, rows: impl IntoIterator<Item = Object>) -> Self {
        let text = array(rows);
        if text != EMPTY_ARRAY {
            self.key(name);
            self.members.push_str(&text);
        }
        self
    }

    /// The text, as with `WITHOUT_ARRAY_WRAPPER`.
    pub fn finish(self) -> String {
        format!("{{{}}}", self.members)
    }

    fn key(&mut self, name: &str) {
        if !self.members.is_empty() {
            self.members.push(',');
        }
        self.members.push('"');
        escape::for_json(name, &mut self.members);
        self.members.push_str("\":");
    }
}

/// The text for no rows. (`FOR JSON` itself gives NULL; the procedures turn that into this.)
pub(crate) const EMPTY_ARRAY: &str = "[]";

/// The text of a query's rows.
pub(crate) fn array(rows: impl IntoIterator<Item = Object>) -> String {
    let mut text = String::from("[");
    for row in rows {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('{');
        text.push_str(&row.members);
        text.push('}');
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::any_text;

    #[test]
    fn null_members_and_empty_objects_are_left_out() {
        let row = Object::new()
            .int("CustomerID", Some(7))
            .text("PhoneNumber", None)
            .object("Delivery", Object::new().text("AddressLine2", None))
            .text("WebsiteURL", Some("http://x"));
        assert_eq!(array([row]), r#"[{"CustomerID":7,"WebsiteURL":"http:\/\/x"}]"#);
        assert_eq!(array([Object::new().int("CustomerID", None)]), "[{}]");
    }

    #[test]
    fn nested_objects_and_rows() {
        let row = Object::new()
            .object("Delivery", Object::new().text("PostalCode", Some("90775")))
            .array(
                "errors",
                [Object::new().int("a", Some(1)), Object::new().int("a", Some(-2))],
            );
        assert_eq!(
            row.finish(),
            r#"{"Delivery":{"PostalCode":"90775"},"errors":[{"a":1},{"a":-2}]}"#
        );
        assert_eq!(array([]), EMPTY_ARRAY);
    }

    proptest! {
        #![proptest_config(crate::testing::deterministic())]

        #[test]
        fn what_is_written_can_be_read(name in any_text(), value in any_text()) {
            let text = array([Object::new().text(&name, Some(&value))]);
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read[0][name.as_str()], value.as_str());
        }
    }
}
