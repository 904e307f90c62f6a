//! The JSON Schema of a row, from which `generate` derives the schemas of a new row, a patch and a page.

use serde_json::{Value, json};

use super::rule::{Rule, default_of};
use super::{BigInt, Column, KeySource, Length, Plan, Role, SqlType};

impl Plan {
    /// The JSON Schema of a row with these columns, with the members that `generate::entity` explains.
    pub(crate) fn schema<'p>(&self, columns: impl Iterator<Item = &'p Column>) -> Value {
        let mut schema = json!({"type": "object", "required": [], "properties": {}});
        for column in columns {
            let (target, name) = match column.path().split_once('.') {
                None => (&mut schema, column.path()),
                Some((object, name)) => {
                    if schema["properties"][object].is_null() {
                        schema["properties"][object] = json!({"type": "object", "required": [], "properties": {}});
                        push(&mut schema["required"], json!(object));
                    }
                    (&mut schema["properties"][object], name)
                }
            };
            target["properties"][name] = self.member(column);
            if !column.is_nullable {
                push(&mut target["required"], json!(name));
            }
        }
        schema
    }

    /// The JSON Schema of a column's values.
    fn member(&self, column: &Column) -> Value {
        let part = self.key_of(&column.name);
        let is_key = part.is_some();
        let is_sent = column.role == Role::Sent;
        if let Some(part) = part.filter(|_| !is_sent) {
            return key(self.values(column), column.sql_type, self.counts_from_below(part));
        }
        let mut schema = self.values(column);
        if is_key && column.sql_type.is_text() {
            // No path names a row with an empty key, and none keeps these two.
            schema = with_first(schema, "minLength", json!(1));
            schema["not"] = json!({"enum": [".", ".."]});
        }
        if let Some(unique) = self.unique_of(column) {
            schema["x-unique"] = unique;
        }
        if self.references.iter().any(|reference| reference.columns.contains(&column.name)) {
            schema["x-reference"] = json!(true);
        }
        let (mut rules, mut says_more) = self.rules(column);
        if self.has_digits_as_text(column) {
            // A limit is of numbers only.
            says_more |= !rules.is_empty();
            rules.clear();
            schema["x-accepts"] = json!("integer");
        }
        keep(&mut schema, rules);
        if says_more {
            schema["x-checked"] = json!(true);
        }
        if let Some(default) = default_of(column).filter(|_| is_sent && !is_key) {
            schema["default"] = self.in_json(column, default);
        }
        if is_sent && column.default.is_some() && !column.is_nullable {
            schema["x-optional"] = json!(true);
        }
        if column.takes_number {
            schema["x-accepts"] = json!("number");
            schema["description"] = json!("A number counts as its text, as it is written, with the same limit.");
        }
        if !is_sent {
            schema["readOnly"] = json!(true);
        }
        schema
    }

    /// True if JSON has a string for the numbers of this column.
    pub(crate) fn has_digits_as_text(&self, column: &Column) -> bool {
        self.bigint == BigInt::String && column.sql_type == SqlType::BigInt
    }

    /// The value as JSON has it.
    pub(super) fn in_json(&self, column: &Column, value: Value) -> Value {
        if value.is_number() && self.has_digits_as_text(column) { json!(value.to_string()) } else { value }
    }

    /// The JSON Schema of a column's values.
    fn values(&self, column: &Column) -> Value {
        match self.has_digits_as_text(column) {
            true => json!({"type": "string", "format": "int64", "pattern": "^(0|-?[1-9][0-9]{0,18})$"}),
            false => column.sql_type.schema(),
        }
    }

    /// True, or the members that are unique together, of the smallest such set that the column is in.
    fn unique_of(&self, column: &Column) -> Option<Value> {
        if !self.has_parts() && self.key_of(&column.name).is_some_and(|key| key.from == KeySource::Client) {
            return Some(json!(true));
        }
        let of = |unique: &&super::Unique| unique.holds_of_values() && unique.columns.contains(&column.name);
        let unique = self.uniques.iter().filter(of).min_by_key(|unique| unique.columns.len())?;
        let path = |name: &String| self.column(name).map_or(name.clone(), |column| column.path().to_owned());
        Some(match unique.columns.len() {
            1 => json!(true),
            _ => unique.columns.iter().map(path).collect(),
        })
    }
}

/// Adds the rules of CHECKs to a schema, where they are stricter than its type. `x-conflict` names them.
fn keep(schema: &mut Value, rules: Vec<Rule>) {
    for rule in rules {
        let (name, value) = match rule {
            Rule::OneOf(texts) => ("enum", json!(texts)),
            Rule::Limit(name, value) => (name, value),
        };
        let (same, other) = match name {
            "minimum" | "exclusiveMinimum" => ("minimum", "exclusiveMinimum"),
            "maximum" | "exclusiveMaximum" => ("maximum", "exclusiveMaximum"),
            _ => ("", ""),
        };
        let known = [same, other].iter().find_map(|name| Some((*name, schema.get(name)?.as_f64()?)));
        if let (Some((known, old)), Some(new)) = (known, value.as_f64()) {
            let is_stricter = if same == "minimum" { new > old } else { new < old };
            if !is_stricter && (new != old || name != other) {
                continue;
            }
            if let Some(members) = schema.as_object_mut().filter(|_| known != name) {
                members.shift_remove(known);
            }
            if let Some(names) = schema["x-conflict"].as_array_mut() {
                names.retain(|name| *name != known);
            }
        }
        schema[name] = value;
        if schema["x-conflict"].is_null() {
            schema["x-conflict"] = json!([]);
        }
        if let Some(names) = schema["x-conflict"].as_array_mut().filter(|names| !names.contains(&json!(name))) {
            names.push(json!(name));
        }
    }
}

/// The schema of a key that the database gives.
fn key(values: Value, sql_type: SqlType, counts_from_below: bool) -> Value {
    let mut schema = match sql_type {
        SqlType::Int if !counts_from_below => json!({"$ref": "#/components/schemas/Id"}),
        _ => values,
    };
    if schema["type"] == "integer" && !counts_from_below && sql_type != SqlType::Int {
        schema["minimum"] = json!(1);
    }
    schema["readOnly"] = json!(true);
    schema
}

/// An object with a member behind its first, unless it has it: it is replaced then.
fn with_first(schema: Value, name: &str, value: Value) -> Value {
    let Value::Object(members) = schema else { return schema };
    if members.contains_key(name) {
        let mut schema = Value::Object(members);
        schema[name] = value;
        return schema;
    }
    let mut first = serde_json::Map::new();
    for (at, (member, old)) in members.into_iter().enumerate() {
        first.insert(member, old);
        if at == 0 {
            first.insert(name.to_owned(), value.clone());
        }
    }
    first.into()
}

fn push(list: &mut Value, value: Value) {
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}

const OF_A_DAY: &str = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
const OF_A_YEAR: &str = "-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T";

impl SqlType {
    /// The JSON Schema of its values. `null` for what JSON has no value for.
    pub(crate) fn schema(self) -> Value {
        match self {
            Self::Bit => json!({"type": "boolean"}),
            Self::TinyInt => json!({"type": "integer", "minimum": 0, "maximum": 255}),
            Self::SmallInt => json!({"type": "integer", "minimum": i16::MIN, "maximum": i16::MAX}),
            Self::Int => json!({"type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX}),
            Self::BigInt => json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX}),
            Self::Decimal { precision, scale } | Self::Numeric { precision, scale } => {
                let digits = |count: u8| "9".repeat(usize::from(count));
                let whole = if precision == scale { "0".to_owned() } else { digits(precision - scale) };
                let largest = if scale == 0 { whole } else { format!("{whole}.{}", digits(scale)) };
                decimal(&format!("-{largest}"), &largest, scale)
            }
            // The largest amounts that a binary number of JSON has exactly.
            Self::Money => decimal("-922337203685477", "922337203685477", 4),
            Self::SmallMoney => decimal("-214748.3648", "214748.3647", 4),
            Self::Real => json!({"type": "number", "format": "float"}),
            Self::Float => json!({"type": "number", "format": "double"}),
            Self::Date => json!({"type": "string", "format": "date"}),
            Self::Time(digits) => text(&format!("^{OF_A_DAY}{}$", fraction(digits))),
            Self::DateTime2(digits) => text(&format!("^[0-9]{{4}}{OF_A_YEAR}{OF_A_DAY}{}$", fraction(digits))),
            Self::DateTimeOffset(digits) => {
                let zone = "(Z|[-+]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))";
                text(&format!("^[0-9]{{4}}{OF_A_YEAR}{OF_A_DAY}{}{zone}$", fraction(digits)))
            }
            // The type keeps thirds of hundredths, from 1753 on.
            Self::DateTime => {
                let year = "(175[3-9]|17[6-9][0-9]|1[89][0-9]{2}|[2-9][0-9]{3})";
                text(&format!("^{year}{OF_A_YEAR}{OF_A_DAY}(\\.[0-9]{{2}}[037])?$"))
            }
            Self::UniqueIdentifier => json!({"type": "string", "format": "uuid"}),
            // The last year of the type is not whole.
            Self::SmallDateTime => {
                let minutes = "([01][0-9]|2[0-3]):[0-5][0-9]:00";
                text(&format!("^(19[0-9]{{2}}|20[0-6][0-9]|207[0-8]){OF_A_YEAR}{minutes}$"))
            }
            Self::Char(_) | Self::VarChar(_) | Self::NChar(_) | Self::NVarChar(_) | Self::Text | Self::NText => {
                self.characters()
            }
            Self::Binary(length) => base64(Some(length), true),
            Self::VarBinary(Length::Of(length)) => base64(Some(length), false),
            Self::VarBinary(Length::Max) | Self::Image => base64(None, false),
            Self::Xml | Self::Geometry | Self::Geography | Self::HierarchyId => json!({"type": "string"}),
            Self::Json => json!({"type": ["object", "array"]}),
            Self::RowVersion | Self::SqlVariant | Self::Vector(_) => Value::Null,
        }
    }

    fn characters(self) -> Value {
        let mut schema = json!({"type": "string"});
        if let Some(length) = self.length() {
            schema["maxLength"] = json!(length);
        }
        if self.has_code_page() {
            schema["description"] = json!("Only characters of the column's code page.");
            schema["x-code-page"] = json!(true);
        }
        if self.is_padded() {
            schema["x-padded"] = json!(true);
        }
        schema
    }

    /// True for what has no limit that matters.
    pub(crate) fn is_large(self) -> bool {
        matches!(
            self.modern(),
            Self::VarChar(Length::Max)
                | Self::NVarChar(Length::Max)
                | Self::VarBinary(Length::Max)
                | Self::Xml
                | Self::Json
                | Self::Geometry
                | Self::Geography
        )
    }
}

/// So many bytes in base64, or at most so many: whole groups of three bytes, then a group of one or two bytes.
fn base64(bytes: Option<u16>, is_exact: bool) -> Value {
    const GROUP: &str = "([A-Za-z0-9+/]{4})";
    const TAILS: [&str; 3] = ["", "[A-Za-z0-9+/][AQgw]==", "[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]="];
    let any = TAILS[1..].join("|");
    let pattern = match bytes.map(|bytes| (bytes / 3, usize::from(bytes % 3))) {
        None => format!("^{GROUP}*({any})?$"),
        Some((groups, rest)) if is_exact => format!("^{GROUP}{{{groups}}}{}$", TAILS[rest]),
        Some((groups, 2)) => format!("^{GROUP}{{0,{groups}}}({any})?$"),
        Some((0, rest)) => format!("^({})?$", TAILS[rest]),
        Some((groups, rest)) => {
            format!("^({GROUP}{{0,{}}}({any})?|{GROUP}{{{groups}}}({})?)$", groups - 1, TAILS[rest])
        }
    };
    json!({"type": "string", "contentEncoding": "base64", "pattern": pattern})
}

fn text(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

/// The pattern of so many digits behind the second.
fn fraction(digits: u8) -> String {
    if digits == 0 { String::new() } else { format!(r"(\.[0-9]{{1,{digits}}})?") }
}

/// Rounded up to a binary number if a limit has more than 15 digits, as what is shown is when it is read.
fn decimal(least: &str, most: &str, scale: u8) -> Value {
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    json!({"type": "number", "minimum": number(least), "maximum": number(most), "x-decimals": scale})
}
