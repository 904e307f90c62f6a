//! Many rows under one key, all or none: `ops.put_rows`. The procedure for one row creates each of them, with a key of its own.

use std::collections::BTreeMap;

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::{
    arguments::{Arguments, REQUEST_KEY, Value},
    json::{Kind, Raw},
    ledger::CALLER,
};

/// The parameter with the array.
const JSON: &str = "Json";

/// The line that makes a script a procedure of many rows, before the name of the procedure for one.
const EACH: &str = "-- Each row of @Json: ";

/// The name in a script of many rows.
pub(crate) fn procedure_of_one(sql: &str) -> Option<&str> {
    sql.lines().find_map(|line| line.strip_prefix(EACH))
}

/// Calls the procedure for one row, which returns `Status` and `Json`, with each element of the array. The caller undoes all of it
/// if the answer has a status of 400 or more. A row that is wrong does not end it: the answer tells the errors of all rows.
pub(crate) fn execute(arguments: &Arguments, create: impl Fn(Arguments) -> Result<(u16, String)>) -> Result<Arguments> {
    let text = |name: &str| match arguments.get(name) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let array = Raw::parse(text(JSON)).filter(|json| json.kind() == Kind::Array && json.is_readable());
    let Some(array) = array else {
        return Ok(answer(400, r#"{"detail":"The body is not a JSON array."}"#.into()));
    };
    let elements = array.elements();
    if !(1..=1000).contains(&elements.len()) {
        return Ok(answer(422, r#"{"detail":"The array must have 1 to 1000 rows."}"#.into()));
    }
    let key = Sha256::digest(text(REQUEST_KEY));
    let (mut rows, mut errors) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
    for (index, element) in elements.into_iter().enumerate() {
        let (status, json) = match element.kind() {
            Kind::Object => {
                let values = [(JSON, element.text().to_owned()), (REQUEST_KEY, format!("{key:X}-{index}"))];
                let values = values.map(|(name, value)| (name.to_owned(), Value::Text(value)));
                let caller = arguments.get_key_value(CALLER).map(|(name, value)| (name.clone(), value.clone()));
                create(values.into_iter().chain(caller).collect())?
            }
            _ => (422, r#"{"detail":"must be an object"}"#.into()),
        };
        match status {
            400.. => errors.entry(status).or_default().extend(errors_of(index, &json)),
            // A row that was deleted since is `[]`.
            _ => rows.extend(json.strip_prefix('[').and_then(|json| json.strip_suffix(']')).map(str::to_owned)),
        }
    }
    rows.retain(|row| !row.is_empty());
    Ok(match errors.pop_last() {
        None => answer(201, format!("[{}]", rows.join(","))),
        Some((status, errors)) => {
            let detail = "No row was created, because rows have errors.";
            answer(status.into(), format!(r#"{{"detail":"{detail}","errors":[{}]}}"#, errors.join(",")))
        }
    })
}

/// The errors in a problem of one row, each with the index of the row.
fn errors_of(index: usize, problem: &str) -> Vec<String> {
    let problem = Raw::parse(problem).map(Raw::members).unwrap_or_default();
    let member = |name| problem.iter().find(|(known, _)| known.text() == name).map(|(_, value)| *value);
    let errors = member(r#""errors""#).map(Raw::elements).unwrap_or_default();
    if errors.is_empty() {
        let detail = member(r#""detail""#).map_or("null", Raw::text);
        return vec![format!(r#"{{"index":{index},"message":{detail}}}"#)];
    }
    errors.iter().map(|error| error.text().replacen('{', &format!(r#"{{"index":{index},"#), 1)).collect()
}

fn answer(status: i64, json: String) -> Arguments {
    [("Status".into(), status.into()), ("Json".into(), Value::Text(json))].into()
}
