//! Converts a request's query string or body to the arguments of a procedure.

use std::str::FromStr;

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::{
    arguments::{Arguments, Value},
    config::Entity,
    json::{Kind, Raw},
    procedures::{Parameter, SqlType},
    wire::DabError,
};

/// DAB parses bodies with the default of System.Text.Json.
const MAX_DEPTH: usize = 64;

/// The fields of a request, in their order, each name once.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Fields<'a>(Vec<(String, Sent<'a>)>);

/// A value as the client sent it.
#[derive(Debug, PartialEq)]
enum Sent<'a> {
    /// From the query string, decoded.
    Text(String),
    /// From the body.
    Json(Raw<'a>),
}

impl<'a> Fields<'a> {
    /// The fields of a query string, without its `?`, as `HttpUtility.ParseQueryString` reads them. Names that differ only
    /// in case are one name. The values of one name are joined with commas, and a part without `=` is ignored.
    pub fn from_query(query: &str) -> Self {
        let mut fields = Self::default();
        for (name, value) in query.split('&').filter_map(|field| field.split_once('=')) {
            let (name, value) = (form_decoded(name), form_decoded(value));
            let same = |(other, _): &&mut (String, Sent)| other.eq_ignore_ascii_case(&name);
            match fields.0.iter_mut().find(same) {
                Some((_, Sent::Text(values))) => {
                    values.push(',');
                    values.push_str(&value);
                }
                _ => fields.0.push((name, Sent::Text(value))),
            }
        }
        fields
    }

    /// The fields of a body: one JSON object. Of several members with one name, the last counts. An empty body and `null`
    /// have no fields.
    ///
    /// # Errors
    /// 400 for any other body.
    pub fn from_body(body: &'a str) -> Result<Self, DabError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let document = Raw::parse(body)
            .filter(|document| document.depth() <= MAX_DEPTH)
            .ok_or_else(|| DabError::bad_request("Request body contains invalid JSON."))?;
        match document.kind() {
            Kind::Object => Self::from_object(document),
            Kind::Array => Err(DabError::bad_request(
                "A Mutation operation on more than one entity in a single request is not yet supported.",
            )),
            Kind::Null => Ok(Self::default()),
            _ => Err(not_a_valid_format()),
        }
    }

    fn from_object(object: Raw<'a>) -> Result<Self, DabError> {
        let mut fields = Self::default();
        for (name, value) in object.members() {
            // DAB reports half a surrogate pair in a name as a JsonException. Half a pair in a value has an effect only when
            // the value is used.
            let name = String::from_utf16(&name.utf16()).map_err(|_| not_a_valid_format())?;
            match fields.0.iter_mut().find(|(other, _)| *other == name) {
                Some((_, earlier)) => *earlier = Sent::Json(value),
                None => fields.0.push((name, Sent::Json(value))),
            }
        }
        Ok(fields)
    }

    /// The arguments for an entity's procedure.
    ///
    /// # Errors
    /// 400 for fields that are not parameters (if `strict`), values of another type, and missing parameters. 500 for half a
    /// surrogate pair.
    pub fn bind(&self, entity: &Entity, strict: bool) -> Result<Arguments, DabError> {
        let parameters = &entity.procedure.parameters;
        if strict {
            self.refuse_unexpected(parameters, &entity.name)?;
        }
        let mut arguments = Arguments::default();
        let mut is_complete = true;
        for parameter in parameters {
            let argument = match (self.get(&parameter.name), entity.defaults.get(&parameter.name)) {
                (Some(sent), _) => Some(convert(sent.to_text()?, parameter)?),
                (None, Some(default)) => Some(convert(Some(default.clone()), parameter)?),
                (None, None) => parameter.default.clone(),
            };
            is_complete &= argument.is_some();
            arguments.extend(argument.map(|value| (parameter.name.clone(), value)));
        }
        // SQL Server checks last: DAB has converted everything by then.
        if is_complete { Ok(arguments) } else { Err(DabError::missing_parameter()) }
    }

    fn get(&self, name: &str) -> Option<&Sent<'a>> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, sent)| sent)
    }

    /// Names are case-sensitive.
    fn refuse_unexpected(&self, parameters: &[Parameter], entity: &str) -> Result<(), DabError> {
        let is_parameter = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
        let names = self.0.iter().map(|(name, _)| name.as_str());
        let unexpected: Vec<&str> = names.filter(|name| !is_parameter(name)).collect();
        if unexpected.is_empty() {
            return Ok(());
        }
        Err(DabError::bad_request(format!(
            "Invalid request. Contained unexpected fields: {} for entity: {entity}",
            unexpected.join(", ")
        )))
    }
}

impl Sent<'_> {
    /// The text that DAB converts, as `JsonElement.ToString()` gives it; `None` for null.
    fn to_text(&self) -> Result<Option<String>, DabError> {
        let json = match self {
            Self::Text(text) => return Ok(Some(text.clone())),
            Self::Json(json) => json,
        };
        match json.kind() {
            Kind::Null => Ok(None),
            Kind::String => String::from_utf16(&json.utf16()).map(Some).map_err(|_| DabError::unexpected()),
            Kind::Boolean if json.text() == "true" => Ok(Some("True".into())),
            Kind::Boolean => Ok(Some("False".into())),
            Kind::Number | Kind::Array | Kind::Object => Ok(Some(json.text().into())),
        }
    }
}

/// `None` is NULL.
fn convert(text: Option<String>, parameter: &Parameter) -> Result<Value, DabError> {
    let Some(text) = text else { return Ok(Value::Null) };
    let invalid = || {
        let name = &parameter.name;
        DabError::bad_request(format!("Invalid value provided for field: {name}"))
    };
    match parameter.sql_type {
        SqlType::Int => integer::<i32>(&text).map(|number| Value::Integer(number.into())).ok_or_else(invalid),
        SqlType::BigInt => integer(&text).map(Value::Integer).ok_or_else(invalid),
        // `Guid.Parse` of .NET.
        SqlType::Guid => {
            Uuid::parse_str(text.trim()).map(|uuid| Value::Text(uuid.to_string().to_uppercase())).map_err(|_| invalid())
        }
        // `bool.Parse` of .NET.
        SqlType::Bit => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Integer(1)),
            "false" => Ok(Value::Integer(0)),
            _ => Err(invalid()),
        },
        SqlType::NVarChar(Some(length)) => Ok(Value::Text(cut_off(text, length.into()))),
        SqlType::NVarChar(None) => Ok(Value::Text(text)),
    }
}

/// `int.Parse` and `long.Parse` of .NET: digits with, perhaps, a sign, white space on both sides and NULs at the end.
fn integer<T: FromStr>(text: &str) -> Option<T> {
    let is_space = |character| matches!(character, '\t'..='\r' | ' ');
    text.trim_end_matches('\0').trim_matches(is_space).parse().ok()
}

/// Cuts a text off silently, as SQL Server does when it assigns to NVARCHAR(`length`).
fn cut_off(text: String, length: usize) -> String {
    // A code unit has at least one byte, so that a text with few bytes needs no counting.
    if text.len() <= length {
        return text;
    }
    let units: Vec<u16> = text.encode_utf16().take(length).collect();
    String::from_utf16_lossy(&units)
}

/// `application/x-www-form-urlencoded`; invalid UTF-8 becomes U+FFFD.
fn form_decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn not_a_valid_format() -> DabError {
    DabError::bad_request("The request body is not in a valid JSON format.")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hyper::StatusCode;

    use super::*;
    use crate::testing;

    fn entity(name: &str) -> Entity {
        let parameters = match name {
            "get_page" => "@After INT = 0, @Limit INT = 1000",
            "get_one" => "@CustomerID INT",
            "put" => "@Json NVARCHAR(MAX), @RequestKey NVARCHAR(255)",
            _ => "@CustomerID INT, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(255), @IfMatch NVARCHAR(4000) = NULL",
        };
        Entity {
            name: "an_entity".into(),
            procedure: testing::procedure(name, parameters).into(),
            methods: Vec::new(),
            is_public: true,
            defaults: BTreeMap::new(),
        }
    }

    fn int(arguments: &Arguments, name: &str) -> Option<i64> {
        match arguments[name] {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }

    fn text<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a str> {
        match &arguments[name] {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn post(procedure: &str, body: &str) -> Result<Arguments, DabError> {
        Fields::from_body(body)?.bind(&entity(procedure), true)
    }

    fn page(query: &str) -> Result<(Option<i64>, Option<i64>), String> {
        match Fields::from_query(query).bind(&entity("get_page"), true) {
            Ok(arguments) => Ok((int(&arguments, "After"), int(&arguments, "Limit"))),
            Err(error) => Err(error.message),
        }
    }

    #[test]
    fn query_strings_are_read_as_dot_net_does() {
        assert_eq!(page(""), Ok((Some(0), Some(1000))));
        assert_eq!(page("After=5&Limit=%31%30"), Ok((Some(5), Some(10))));
        assert_eq!(page("&After&Limit=+7+"), Ok((Some(0), Some(7))));
        assert_eq!(page("Limit=-1"), Ok((Some(0), Some(-1))));
        let invalid = Err("Invalid value provided for field: Limit".into());
        for query in ["Limit=", "Limit=1&Limit=2", "Limit=1.0", "Limit=1e3", "Limit=2147483648", "Limit=ten"] {
            assert_eq!(page(query), invalid, "{query}");
        }
    }

    #[test]
    fn unexpected_fields_are_named() {
        assert_eq!(
            page("limit=1&$filter=x&After=1").unwrap_err(),
            "Invalid request. Contained unexpected fields: limit, $filter for entity: an_entity"
        );
        let error = post("get_one", r#"{"x":1,"CustomerID":1,"":2,"x":3}"#).unwrap_err();
        assert_eq!(error.message, "Invalid request. Contained unexpected fields: x,  for entity: an_entity");
        let lenient = Fields::from_query("x=1").bind(&entity("get_page"), false);
        assert_eq!(int(&lenient.unwrap(), "Limit"), Some(1000));
    }

    #[test]
    fn what_is_no_object_is_no_body() {
        for (body, error) in [
            (" ", Some("Request body contains invalid JSON.")),
            ("{}{}", Some("Request body contains invalid JSON.")),
            ("true", Some("The request body is not in a valid JSON format.")),
            (r#"{"\ud800":1}"#, Some("The request body is not in a valid JSON format.")),
        ] {
            let result = post("get_page", body);
            assert_eq!(result.err().map(|error| error.message).as_deref(), error, "{body}");
        }
    }

    #[test]
    fn sixty_four_levels_are_valid_and_one_more_is_not() {
        let nested = |levels| format!("{{\"Json\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(post("put", &nested(63)).unwrap_err(), DabError::missing_parameter());
        let error = post("put", &nested(64)).unwrap_err();
        assert_eq!(error.message, "Request body contains invalid JSON.");
        // Brackets within a string do not nest.
        let text = format!(r#"{{"Json":"{}","RequestKey":"k"}}"#, "[".repeat(1000));
        assert!(post("put", &text).is_ok());
    }

    #[test]
    fn values_become_text_as_json_element_does() {
        for (json, expected) in [
            (r#""a\u00e9\n""#, Some("aé\n")),
            (r#"{"a": [1, 2.50]}"#, Some(r#"{"a": [1, 2.50]}"#)),
            ("[ ]", Some("[ ]")),
            ("1E+2", Some("1E+2")),
            ("true", Some("True")),
            ("false", Some("False")),
            ("null", None),
        ] {
            let body = format!(r#"{{"RequestKey":"k","Json":1,"Json":{json}}}"#);
            let arguments = post("put", &body).unwrap();
            assert_eq!(text(&arguments, "Json"), expected);
        }
    }

    #[test]
    fn integers_are_parsed_as_dot_net_does() {
        for (json, number) in [
            ("123", Some(123)),
            ("\"123\"", Some(123)),
            (r#"" \t+007\r\n""#, Some(7)),
            (r#""-2147483648\u0000""#, Some(i32::MIN.into())),
            ("null", None),
        ] {
            let arguments = post("get_one", &format!(r#"{{"CustomerID":{json}}}"#)).unwrap();
            assert_eq!(int(&arguments, "CustomerID"), number);
        }
        for json in ["1.0", "1e0", "\"\"", "\"1 2\"", "true", "{}", "[1]", "2147483648", "\"٣\""] {
            let error = post("get_one", &format!(r#"{{"CustomerID":{json}}}"#)).unwrap_err();
            assert_eq!(error, DabError::bad_request("Invalid value provided for field: CustomerID"));
        }
    }

    #[test]
    fn a_missing_parameter_is_noticed_after_an_invalid_value() {
        let patch = |body| post("patch", body).unwrap_err();
        assert_eq!(patch(r#"{"CustomerID":1}"#), DabError::missing_parameter());
        assert_eq!(patch(r#"{"CustomerID":"x"}"#).code, "BadRequest");
        let complete = post("patch", r#"{"CustomerID":1,"Json":"{}","RequestKey":"k"}"#);
        assert_eq!(text(&complete.unwrap(), "IfMatch"), None);
    }

    #[test]
    fn a_long_argument_is_cut_off_at_the_length_of_its_parameter() {
        let key = |sent: &str| {
            let body = format!(r#"{{"Json":"{{}}","RequestKey":"{sent}"}}"#);
            text(&post("put", &body).unwrap(), "RequestKey").unwrap().to_owned()
        };
        assert_eq!(key(&"k".repeat(255)), "k".repeat(255));
        assert_eq!(key(&"é".repeat(300)), "é".repeat(255));
        assert_eq!(key(&"😀".repeat(128)), format!("{}\u{fffd}", "😀".repeat(127)));
    }

    #[test]
    fn half_a_surrogate_pair_in_a_value_is_an_unexpected_error() {
        let error = post("put", r#"{"Json":"\ud800","RequestKey":"k"}"#).unwrap_err();
        assert_eq!(error.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(error.code, "UnexpectedError");
        // Within a raw object, half a pair is only text.
        assert!(post("put", r#"{"Json":{"a":"\ud800"},"RequestKey":"k"}"#).is_ok());
    }

    #[test]
    fn a_default_of_the_configuration_comes_first() {
        let mut entity = entity("get_page");
        entity.defaults.insert("Limit".into(), "5".into());
        let arguments = Fields::default().bind(&entity, true).unwrap();
        assert_eq!((int(&arguments, "After"), int(&arguments, "Limit")), (Some(0), Some(5)));
    }
}
