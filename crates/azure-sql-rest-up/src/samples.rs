//! The calls that a developer is shown when the API is up. They come from the examples of its description, so that they work as they
//! stand.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// At most this many calls are shown.
const MOST: usize = 3;

/// The curl commands for the description in `file`, against the API at `url`: the first row, the first page, the first creation. Empty
/// without a description, which is no reason not to serve.
pub fn read(file: &Path, url: &str) -> Vec<String> {
    let document = fs::read_to_string(file).ok().and_then(|text| serde_json::from_str(&text).ok());
    document.as_ref().map(|document| samples(document, url)).unwrap_or_default()
}

fn samples(document: &Value, url: &str) -> Vec<String> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations: Vec<_> = paths
        .flat_map(|(path, item)| ["get", "put", "post"].map(|method| (path, method, &item[method])))
        .filter(|(_, _, operation)| operation["tags"][0] != "operations" && operation.is_object())
        .collect();
    let of = |is_wanted: &dyn Fn(&str, &str) -> bool| {
        operations.iter().find_map(|(path, method, operation)| {
            is_wanted(path, method).then(|| sample(document, url, path, method, operation)).flatten()
        })
    };
    let row = of(&|path, method| method == "get" && path.ends_with('}'));
    let page = of(&|path, method| method == "get" && !path.ends_with('}'));
    let creation = of(&|_, method| method != "get");
    [row, page, creation].into_iter().flatten().take(MOST).collect()
}

/// The call of an operation with the values of its examples; `None` where a value is missing.
fn sample(document: &Value, url: &str, path: &str, method: &str, operation: &Value) -> Option<String> {
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = parameter["$ref"].as_str().and_then(|place| document.pointer(&place[1..])).unwrap_or(parameter);
        let name = parameter["name"].as_str()?;
        match (parameter["in"].as_str(), text(&parameter["example"])) {
            (Some("path"), value) => path = path.replace(&format!("{{{name}}}"), &value?),
            (Some("query"), Some(value)) => query.push(format!("{name}={value}")),
            _ => {}
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let target = quoted(&format!("{url}{path}{query}"));
    if method == "get" {
        return Some(format!("curl {target}"));
    }
    let body = operation.pointer("/requestBody/content/application~1json/example")?;
    let (method, body) = (method.to_uppercase(), quoted(&body.to_string()));
    Some(format!("curl -X {method} {target} -H content-type:application/json -d {body}"))
}

/// A value as it stands in a path or a query; `None` when it would have to be escaped there.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)).then_some(text)
}

/// A word of a shell.
fn quoted(word: &str) -> String {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/=".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_are_those_of_the_examples() {
        let document = json!({
            "paths": {
                "/healthz": {"get": {"tags": ["operations"]}},
                "/hue": {"put": {
                    "tags": ["hues"],
                    "requestBody": {"content": {"application/json": {"example": {"Name": "it's red"}}}}
                }},
                "/hue/{id}": {"get": {"tags": ["hues"], "parameters": [
                    {"$ref": "#/components/parameters/Id"}, {"name": "If-Match", "in": "header"}
                ]}},
                "/hues": {"get": {"tags": ["hues"], "parameters": [
                    {"name": "limit", "in": "query", "example": 2}, {"name": "after", "in": "query", "example": 1}
                ]}}
            },
            "components": {"parameters": {"Id": {"name": "id", "in": "path", "example": 3}}}
        });
        assert_eq!(
            samples(&document, "http://here"),
            [
                "curl http://here/hue/3",
                "curl 'http://here/hues?limit=2&after=1'",
                r#"curl -X PUT http://here/hue -H content-type:application/json -d '{"Name":"it'\''s red"}'"#,
            ]
        );
    }

    #[test]
    fn an_absent_description_has_no_calls() {
        assert!(read(Path::new("no/such/openapi.json"), "http://here").is_empty());
    }
}
