//! What a client says about a customer, shredded as `OPENJSON` does, and the rules for it.

use super::{FIELDS, Field, Values};
use crate::{
    json::{Kind, Raw},
    procedures::{FieldError, Refusal},
};

/// The first field that is a member of `Delivery`.
const FIRST_OF_DELIVERY: usize = 4;

/// A JSON object with, perhaps, the fields of a customer.
#[derive(Debug, PartialEq)]
pub(crate) struct Document {
    /// In the order of [`FIELDS`].
    members: [Member; FIELDS.len()],
    /// `Delivery` itself: `Other` stands for an object.
    delivery: Member,
}

/// A member of the object, as far as it matters for a field.
#[derive(Debug, Default, PartialEq)]
enum Member {
    #[default]
    Absent,
    Null,
    String(String),
    /// Exactly as it was written.
    Number(String),
    Object,
    Other,
}

impl Document {
    /// Shreds `@Json`; `None` when it is not a JSON object. Names are case-sensitive, the first of several members with
    /// one name counts, and members that are not fields are ignored.
    pub fn shred(json: &str) -> Option<Self> {
        let document = Raw::parse(json).filter(|value| value.kind() == Kind::Object)?;
        let customer = Members::of(document);
        let delivery = customer.get("Delivery");
        let within = delivery.map(Members::of).unwrap_or_default();
        let members = FIELDS.map(|field| {
            let value = match field.path.strip_prefix("Delivery.") {
                Some(name) => within.get(name),
                None => customer.get(field.path),
            };
            Member::from(value)
        });
        Some(Self {
            members,
            delivery: delivery.into(),
        })
    }

    /// The values of a new customer.
    ///
    /// # Errors
    /// 422 when a required field is absent, or anything is invalid.
    pub fn complete(self) -> Result<Values, Refusal> {
        self.validate(None)
    }

    /// The values of a customer after a merge patch (RFC 7396): absent members keep the current value, null clears it.
    ///
    /// # Errors
    /// 422 when anything is invalid.
    pub fn merged_into(self, current: Values) -> Result<Values, Refusal> {
        self.validate(Some(current))
    }

    /// All values, or all errors in the order of the columns.
    fn validate(self, current: Option<Values>) -> Result<Values, Refusal> {
        let is_new = current.is_none();
        let mut values = current.unwrap_or_default();
        let mut errors = Vec::new();
        let delivery_error = match self.delivery {
            Member::Absent | Member::Object => None,
            Member::Null => Some("must not be null"),
            _ => Some("must be an object"),
        };
        // A Delivery that is no object has one error of its own, and no members to look at.
        let readable = if delivery_error.is_some() {
            FIRST_OF_DELIVERY
        } else {
            FIELDS.len()
        };
        for (index, member) in self.members.into_iter().enumerate().take(readable) {
            let field = &FIELDS[index];
            let value = match member {
                Member::Absent if is_new && !field.nullable => Err("is required".into()),
                Member::Absent => continue,
                member => value_of(field, member),
            };
            match value {
                Ok(value) => values[index] = value,
                Err(message) => errors.push(FieldError {
                    field: field.path,
                    message,
                }),
            }
        }
        errors.extend(delivery_error.map(|message| FieldError {
            field: "Delivery",
            message: message.into(),
        }));
        if errors.is_empty() {
            return Ok(values);
        }
        Err(Refusal {
            errors,
            ..Refusal::new(422, "The customer has invalid fields.")
        })
    }
}

/// The value of a field from a member that is present.
fn value_of(field: &Field, member: Member) -> Result<Option<String>, String> {
    match member {
        Member::Null if field.nullable => Ok(None),
        Member::Null => Err("must not be null".into()),
        Member::String(text) => within_length(field, text),
        Member::Number(text) if field.number_as_text => within_length(field, text),
        _ if field.number_as_text => Err("must be a string or a number".into()),
        _ => Err("must be a string".into()),
    }
}

fn within_length(field: &Field, text: String) -> Result<Option<String>, String> {
    let max_length = field.max_length;
    if text.encode_utf16().count() > max_length {
        return Err(format!("must be at most {max_length} characters"));
    }
    Ok(Some(text))
}

/// The members of an object with their names decoded.
#[derive(Default)]
struct Members<'a>(Vec<(String, Raw<'a>)>);

impl<'a> Members<'a> {
    fn of(object: Raw<'a>) -> Self {
        let members = object.members().into_iter();
        Self(members.map(|(name, value)| (decoded(name), value)).collect())
    }

    /// The first member with a name.
    fn get(&self, name: &str) -> Option<Raw<'a>> {
        self.0
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| *value)
    }
}

impl From<Option<Raw<'_>>> for Member {
    fn from(value: Option<Raw>) -> Self {
        let Some(value) = value else { return Self::Absent };
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::String => Self::String(decoded(value)),
            Kind::Number => Self::Number(value.text().into()),
            Kind::Object => Self::Object,
            Kind::Array | Kind::Boolean => Self::Other,
        }
    }
}

/// The text of a string. SQL Server would store half a surrogate pair as it is; DAB shows it as U+FFFD.
fn decoded(string: Raw) -> String {
    String::from_utf16_lossy(&string.utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &str = r#"{"CustomerName":"n","PhoneNumber":"p","FaxNumber":"f","WebsiteURL":"w",
        "Delivery":{"AddressLine1":"1","AddressLine2":"2","PostalCode":"c"}}"#;

    fn texts(values: Values) -> [String; FIELDS.len()] {
        values.map(|value| value.unwrap_or_else(|| "NULL".into()))
    }

    fn current() -> Values {
        ["N", "P", "F", "W", "L1", "L2", "C"].map(|value| Some(value.into()))
    }

    fn errors(result: Result<Values, Refusal>) -> Vec<String> {
        let errors = result.err().map(|refusal| refusal.errors).unwrap_or_default();
        errors
            .iter()
            .map(|error| format!("{} {}", error.field, error.message))
            .collect()
    }

    /// The only error of a complete customer in which the text `from` is replaced, for PUT and for PATCH alike.
    fn error_after(from: &str, to: &str) -> Option<String> {
        assert!(COMPLETE.contains(from));
        let json = COMPLETE.replacen(from, to, 1);
        let new = errors(Document::shred(&json).unwrap().complete());
        let merged = errors(Document::shred(&json).unwrap().merged_into(current()));
        assert_eq!(new, merged);
        assert!(new.len() <= 1);
        new.into_iter().next()
    }

    #[test]
    fn only_an_object_is_a_document() {
        for json in ["", "null", "[]", "1", "\"{}\"", "{", "{}x", "{\"a\":01}"] {
            assert_eq!(Document::shred(json), None, "{json}");
        }
    }

    #[test]
    fn a_complete_document_has_all_values() {
        let document = Document::shred(COMPLETE).unwrap();
        assert_eq!(texts(document.complete().unwrap()), ["n", "p", "f", "w", "1", "2", "c"]);
    }

    #[test]
    fn a_new_customer_lacks_nothing_but_its_second_address_line() {
        assert_eq!(
            errors(Document::shred("{}").unwrap().complete()),
            [
                "CustomerName is required",
                "PhoneNumber is required",
                "FaxNumber is required",
                "WebsiteURL is required",
                "Delivery.AddressLine1 is required",
                "Delivery.PostalCode is required",
            ]
        );
    }

    #[test]
    fn a_merge_keeps_what_is_absent_and_clears_what_is_null() {
        let merge = |json| texts(Document::shred(json).unwrap().merged_into(current()).unwrap());
        assert_eq!(merge("{}"), ["N", "P", "F", "W", "L1", "L2", "C"]);
        assert_eq!(merge(r#"{"Delivery":{}}"#), ["N", "P", "F", "W", "L1", "L2", "C"]);
        assert_eq!(
            merge(r#"{"FaxNumber":"","Delivery":{"AddressLine2":null,"PostalCode":7}}"#),
            ["N", "P", "", "W", "L1", "NULL", "7"]
        );
    }

    #[test]
    fn each_rule_has_its_message() {
        for (from, to, error) in [
            (r#""n""#, "null", Some("CustomerName must not be null")),
            (r#""n""#, "1", Some("CustomerName must be a string")),
            (r#""p""#, "true", Some("PhoneNumber must be a string")),
            (r#""f""#, "[]", Some("FaxNumber must be a string")),
            (r#""w""#, "{}", Some("WebsiteURL must be a string")),
            (r#""2""#, "null", None),
            (r#""2""#, "2", Some("Delivery.AddressLine2 must be a string")),
            (r#""c""#, "98052", None),
            (r#""c""#, "null", Some("Delivery.PostalCode must not be null")),
            (
                r#""c""#,
                "false",
                Some("Delivery.PostalCode must be a string or a number"),
            ),
            (
                r#""c""#,
                "12345678901",
                Some("Delivery.PostalCode must be at most 10 characters"),
            ),
            (
                r#"{"AddressLine1":"1","AddressLine2":"2","PostalCode":"c"}"#,
                "null",
                Some("Delivery must not be null"),
            ),
            (
                r#"{"AddressLine1":"1","AddressLine2":"2","PostalCode":"c"}"#,
                "[1]",
                Some("Delivery must be an object"),
            ),
            (
                r#"{"AddressLine1":"1","AddressLine2":"2","PostalCode":"c"}"#,
                "\"\"",
                Some("Delivery must be an object"),
            ),
        ] {
            assert_eq!(error_after(from, to).as_deref(), error, "{from} -> {to}");
        }
    }

    #[test]
    fn lengths_are_counted_in_utf16() {
        for (field, text) in FIELDS.iter().zip(["n", "p", "f", "w", "1", "2", "c"]) {
            let quoted = |text: String| format!("\"{text}\"");
            let max = field.max_length;
            let from = quoted(text.into());
            let too_long = format!("{} must be at most {max} characters", field.path);
            for (to, error) in [
                ("é".repeat(max), None),
                ("é".repeat(max + 1), Some(too_long.clone())),
                ("😀".repeat(max / 2), None),
                (format!("a{}", "😀".repeat(max / 2)), Some(too_long)),
                (r"\ud83d\ude00".repeat(max / 2), None),
            ] {
                assert_eq!(error_after(&from, &quoted(to)), error);
            }
        }
    }

    #[test]
    fn all_errors_come_at_once_in_the_order_of_the_columns() {
        let json = r#"{"Delivery":{"PostalCode":null,"AddressLine1":1},"WebsiteURL":null,"PhoneNumber":[]}"#;
        assert_eq!(
            errors(Document::shred(json).unwrap().merged_into(current())),
            [
                "PhoneNumber must be a string",
                "WebsiteURL must not be null",
                "Delivery.AddressLine1 must be a string",
                "Delivery.PostalCode must not be null",
            ]
        );
        assert_eq!(
            errors(
                Document::shred(r#"{"CustomerName":7,"Delivery":7}"#)
                    .unwrap()
                    .complete()
            ),
            [
                "CustomerName must be a string",
                "PhoneNumber is required",
                "FaxNumber is required",
                "WebsiteURL is required",
                "Delivery must be an object",
            ]
        );
    }

    #[test]
    fn the_first_of_several_members_counts_and_unknown_ones_do_not() {
        let json = r#"{"customername":1,"CustomerName":"first","CustomerName":2,"CustomerID":"x",
            "Delivery":{"PostalCode":1e3,"PostalCode":[],"\ud800":1},"Delivery":null,"\u0046axNumber":"f"}"#;
        let values = Document::shred(json).unwrap().merged_into(current()).unwrap();
        assert_eq!(texts(values), ["first", "P", "f", "W", "L1", "L2", "1e3"]);
    }

    #[test]
    fn numbers_keep_their_text_and_strings_their_characters() {
        let value = |to: &str| {
            let json = COMPLETE.replace(r#""c""#, to);
            texts(Document::shred(&json).unwrap().complete().unwrap())[6].clone()
        };
        assert_eq!(value("1E+400"), "1E+400");
        assert_eq!(value("-0.10"), "-0.10");
        assert_eq!(value(r#""a\u0000b""#), "a\0b");
        assert_eq!(value(r#""\ud800x\udc00""#), "\u{fffd}x\u{fffd}");
        assert_eq!(value(r#""\ud83d\ude00""#), "😀");
    }

    #[test]
    fn deep_nesting_in_ignored_members_is_fine() {
        let deep = format!(r#"{{"x":{}1{},"PhoneNumber":"p"}}"#, "[".repeat(5000), "]".repeat(5000));
        let values = Document::shred(&deep).unwrap().merged_into(current()).unwrap();
        assert_eq!(texts(values)[1], "p");
    }
}
