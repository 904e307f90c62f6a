//! Writes JSON for people: a value that fits on a line stays on one.

use serde_json::Value;

/// The longest line, in characters.
const WIDTH: usize = 120;

/// The text of a document, with a line break at its end.
pub(crate) fn print(document: &Value) -> String {
    let mut text = String::new();
    write(document, 0, 0, &mut text);
    text.push('\n');
    text
}

/// Writes `value`, whose line has `used` characters already. Its members and items are indented by more than `indent`.
fn write(value: &Value, indent: usize, used: usize, text: &mut String) {
    let line = one_line(value);
    let (open, close, items): (_, _, Vec<(String, &Value)>) = match value {
        Value::Object(members) if !members.is_empty() => {
            let member = |(name, value)| (format!("{}: ", Value::from(String::clone(name))), value);
            ('{', '}', members.iter().map(member).collect())
        }
        Value::Array(items) if !items.is_empty() => {
            ('[', ']', items.iter().map(|value| (String::new(), value)).collect())
        }
        _ => return text.push_str(&line),
    };
    // A comma may follow.
    if indent > 0 && used + line.chars().count() < WIDTH {
        return text.push_str(&line);
    }
    text.push(open);
    let pad = " ".repeat(indent + 2);
    for (index, (name, value)) in items.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&pad);
        text.push_str(name);
        write(value, indent + 2, pad.len() + name.chars().count(), text);
    }
    text.push('\n');
    text.push_str(&pad[2..]);
    text.push(close);
}

fn one_line(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| format!("{}: {}", Value::from(name.as_str()), one_line(value));
            format!("{{{}}}", list(members.iter().map(member).collect()))
        }
        Value::Array(items) => format!("[{}]", list(items.iter().map(one_line).collect())),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_fits_on_a_line_stays_on_one_and_nothing_is_lost() {
        let long = "x".repeat(WIDTH);
        let document = json!({"a": [1, {"b": null}], "c": {}, "d": {"e": long, "\"": true}});
        let text = print(&document);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
        assert!(text.contains("\n  \"a\": [1, {\"b\": null}],\n  \"c\": {},\n  \"d\": {\n    \"e\": \"xx"));
    }
}
