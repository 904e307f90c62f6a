//! The types of SQL Server that a JSON value can stand for: how each is declared, checked, converted, described and shown.
//! What a value may be is said by `web.field_error` and its twin in the local bridge; here are their names.

use serde_json::{Value, json};

/// The longest key that the ledger and an index keep.
const MAX_KEY_LENGTH: u32 = 450;

/// A type that has a place in JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ColumnType {
    /// As T-SQL declares it: `NVARCHAR(20)`.
    pub(super) declared: String,
    /// Its name for `web.field_error`.
    pub(super) rule: &'static str,
    /// Its `@Size`.
    pub(super) size: Option<u32>,
    /// Its `@Scale`.
    pub(super) scale: Option<u32>,
    /// Whether SQL Server pads it with blanks: CHAR, NCHAR.
    pub(super) is_padded: bool,
}

impl ColumnType {
    /// Reads `nvarchar(20)`, in lower case. `None` for what no JSON value stands for.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => (name.trim(), rest.strip_suffix(')')?),
            None => (text.trim(), ""),
        };
        let numbers: Vec<_> = arguments.split(',').map(|number| number.trim().parse::<u32>().ok()).collect();
        let (first, second) = (numbers[0], numbers.get(1).copied().flatten());
        let seconds = first.unwrap_or(7);
        let (declared, rule, size, scale) = match name {
            "bit" => ("BIT".into(), "bit", None, None),
            "tinyint" => ("TINYINT".into(), "tinyint", None, None),
            "smallint" => ("SMALLINT".into(), "smallint", None, None),
            "int" | "integer" => ("INT".into(), "int", None, None),
            "bigint" => ("BIGINT".into(), "bigint", None, None),
            "decimal" | "numeric" | "dec" => {
                let (size, scale) = (first.unwrap_or(18), second.unwrap_or(0));
                (format!("DECIMAL({size}, {scale})"), "decimal", Some(size), Some(scale))
            }
            // Four digits behind the point, as JSON shows them.
            "money" => ("DECIMAL(18, 4)".into(), "decimal", Some(18), Some(4)),
            "smallmoney" => ("DECIMAL(9, 4)".into(), "decimal", Some(9), Some(4)),
            "real" => ("REAL".into(), "real", None, None),
            "float" if first.is_some_and(|bits| bits <= 24) => ("REAL".into(), "real", None, None),
            "float" => ("FLOAT".into(), "float", None, None),
            "date" => ("DATE".into(), "date", None, None),
            "time" => (format!("TIME({seconds})"), "time", None, Some(seconds)),
            "datetime" => ("DATETIME".into(), "datetime", None, Some(3)),
            "datetime2" => (format!("DATETIME2({seconds})"), "datetime2", None, Some(seconds)),
            "datetimeoffset" => (format!("DATETIMEOFFSET({seconds})"), "datetimeoffset", None, Some(seconds)),
            "uniqueidentifier" => ("UNIQUEIDENTIFIER".into(), "uniqueidentifier", None, None),
            "char" | "nchar" | "varchar" | "nvarchar" | "sysname" => {
                let size = match (name, arguments.trim()) {
                    ("sysname", _) => Some(128),
                    ("varchar" | "nvarchar", "max") => None,
                    (_, "") => Some(1),
                    _ => Some(first?),
                };
                let length = size.map_or("MAX".into(), |size| size.to_string());
                let name = if name == "sysname" { "nvarchar" } else { name };
                let rule = if name.starts_with('n') { "nchar" } else { "char" };
                (format!("{}({length})", name.to_uppercase()), rule, size, None)
            }
            _ => return None,
        };
        let is_padded = matches!(name, "char" | "nchar");
        Some(Self { declared, rule, size, scale, is_padded })
    }

    pub(super) fn is_integer(&self) -> bool {
        matches!(self.rule, "tinyint" | "smallint" | "int" | "bigint")
    }

    /// Whether it can be a key, by which a path names a row.
    pub(super) fn can_be_key(&self) -> bool {
        let is_text = matches!(self.rule, "char" | "nchar") && !self.is_padded;
        self.is_integer()
            || self.rule == "uniqueidentifier"
            || is_text && self.size.is_some_and(|size| size <= MAX_KEY_LENGTH)
    }

    /// The type of the parameter that a key comes in. Smaller integers and texts of a code page are compared as they are.
    pub(super) fn parameter(&self) -> String {
        match (self.rule, self.size) {
            ("bigint", _) => "BIGINT".into(),
            ("uniqueidentifier", _) => "UNIQUEIDENTIFIER".into(),
            ("char" | "nchar", Some(size)) => format!("NVARCHAR({size})"),
            _ => "INT".into(),
        }
    }

    /// What stands before and behind the text of a value, to make the value of it. `TRY_CONVERT`, because what is wrong is read
    /// as well, and then not used.
    pub(super) fn read(&self) -> [String; 2] {
        let style = match self.rule {
            "char" | "nchar" => return [String::new(), String::new()],
            "date" => ", 23",
            "datetime" | "datetime2" => ", 126",
            _ => "",
        };
        [format!("TRY_CONVERT({}, ", self.declared), format!("{style})")]
    }

    /// The JSON Schema of its values.
    pub(super) fn schema(&self) -> Value {
        let digits = |count: u32| "9".repeat(count as usize);
        let seconds = match self.scale.unwrap_or_default() {
            0 => "$".to_owned(),
            scale => format!(r"(\.[0-9]{{1,{scale}}})?$"),
        };
        let rest = "-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
        let date = format!("^[0-9]{{4}}{rest}");
        match self.rule {
            "bit" => json!({"type": "boolean"}),
            "tinyint" => json!({"type": "integer", "minimum": self.scale.map_or(0, i64::from), "maximum": 255}),
            "smallint" => {
                json!({"type": "integer", "minimum": self.scale.map_or(i16::MIN.into(), i64::from), "maximum": i16::MAX})
            }
            "int" => {
                json!({"type": "integer", "format": "int32", "minimum": self.scale.map_or(i32::MIN.into(), i64::from), "maximum": i32::MAX})
            }
            "bigint" => {
                json!({"type": "integer", "format": "int64", "minimum": self.scale.map_or(i64::MIN, i64::from), "maximum": i64::MAX})
            }
            "decimal" => {
                let (size, scale) = (self.size.unwrap_or_default(), self.scale.unwrap_or_default());
                let whole = if size == scale { "0".into() } else { digits(size - scale) };
                let largest = if scale == 0 { whole } else { format!("{whole}.{}", digits(scale)) };
                // Rounded up to a binary number if it has more than 15 digits, as what is shown is when it is read.
                let number = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
                let (max, min) = (number(&largest), number(&format!("-{largest}")));
                json!({"type": "number", "minimum": min, "maximum": max, "x-decimals": scale})
            }
            "real" => json!({"type": "number", "minimum": -3.4e38, "maximum": 3.4e38}),
            "float" => json!({"type": "number", "minimum": -1.79e308, "maximum": 1.79e308}),
            "date" => json!({"type": "string", "format": "date"}),
            "time" => {
                json!({"type": "string", "pattern": format!("^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]{seconds}")})
            }
            "datetimeoffset" => {
                let fraction = seconds.trim_end_matches('$');
                json!({"type": "string", "pattern": format!("{date}{fraction}(Z|[-+]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))$")})
            }
            // It keeps thirds of hundredths, from 1753 on.
            "datetime" => {
                let year = "^(175[3-9]|17[6-9][0-9]|1[89][0-9]{2}|[2-9][0-9]{3})";
                json!({"type": "string", "pattern": format!("{year}{rest}(\\.[0-9]{{2}}[037])?$")})
            }
            "datetime2" => json!({"type": "string", "pattern": format!("{date}{seconds}")}),
            "uniqueidentifier" => json!({"type": "string", "format": "uuid"}),
            _ => {
                let mut schema = json!({"type": "string"});
                if let Some(min) = self.scale {
                    schema["minLength"] = json!(min);
                }
                if let Some(max) = self.size {
                    schema["maxLength"] = json!(max);
                }
                if self.rule == "char" {
                    schema["description"] = json!("Only characters of the column's code page.");
                    schema["x-code-page"] = json!(true);
                }
                if self.is_padded {
                    schema["x-padded"] = json!(true);
                }
                schema
            }
        }
    }

    /// The `n`th value for examples, from 1, as clients send it.
    pub(super) fn example(&self, column: &str, n: usize) -> Value {
        let day = n % 28 + 1;
        match self.rule {
            "bit" => json!(n % 2 == 1),
            "tinyint" | "smallint" | "int" | "bigint" => json!(n),
            "decimal" => {
                let (size, scale) = (self.size.unwrap_or_default(), self.scale.unwrap_or_default() as usize);
                let whole = if size as usize > scale { n.to_string() } else { "0".into() };
                let text = if scale == 0 { whole } else { format!("{whole}.{:0>scale$}", n) };
                serde_json::from_str(&text).unwrap_or_default()
            }
            "real" | "float" => json!(n as f64 + 0.5),
            "date" => json!(format!("2026-01-{day:02}")),
            "time" => json!(format!("{:02}:30:00", n % 24)),
            "datetime" | "datetime2" => json!(format!("2026-01-{day:02}T12:30:00")),
            "datetimeoffset" => json!(format!("2026-01-{day:02}T12:30:00+01:00")),
            "uniqueidentifier" => json!(format!("00000000-0000-4000-8000-{n:012}")),
            _ => {
                // `ColorName` is `Color name 1`, if there is room.
                let mut words = String::new();
                for character in column.chars() {
                    let begins = character.is_uppercase() && words.ends_with(char::is_lowercase);
                    words.extend(begins.then_some(' '));
                    let keeps = words.is_empty() || !begins;
                    words.extend(keeps.then_some(character).or_else(|| character.to_lowercase().next()));
                }
                let room = self.size.unwrap_or(u32::MAX) as usize;
                let number = n.to_string();
                let text = match room {
                    0..=2 => number,
                    _ => format!(
                        "{} {number}",
                        words.chars().take(room - number.len() - 1).collect::<String>().trim_end()
                    ),
                };
                json!(text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use azure_sql_rest_bridge::fields::{Type, stored};

    use super::*;

    fn is_kept(column_type: &ColumnType, value: &Value) -> bool {
        let ColumnType { rule, size, scale, .. } = *column_type;
        let name = rule;
        stored(&value.to_string(), Type { name, size, scale }).is_ok()
    }

    #[test]
    fn limits_that_are_described_are_those_of_the_column() {
        for declared in [
            "tinyint",
            "smallint",
            "int",
            "decimal(2,2)",
            "decimal(9,2)",
            "decimal(15,0)",
            "smallmoney",
            "real",
            "float",
        ] {
            let column_type = ColumnType::parse(declared).unwrap();
            let schema = column_type.schema();
            for (limit, away) in [("minimum", f64::next_down as fn(f64) -> f64), ("maximum", f64::next_up)] {
                assert!(is_kept(&column_type, &schema[limit]), "{declared}: {schema}");
                let next = json!(away(schema[limit].as_f64().unwrap()));
                assert!(!is_kept(&column_type, &next), "{declared}: {next}");
            }
        }
    }
}
