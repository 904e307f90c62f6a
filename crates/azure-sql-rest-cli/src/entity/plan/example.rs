//! Examples: the rows that the local database begins with, and the requests and answers of `openapi.json` that follow from them.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Map, Value, json};

use super::rule::{Rule, decimals};
use super::{Column, Example, KeySource, Length, Operation, Plan, Role, SqlType};

/// How many rows a table of the local database begins with, but for some.
const ROWS: usize = 3;

impl Plan {
    /// How many rows the local database begins with, the first to the last example: three. The number is one when a unique BIT has room
    /// for only one other row. A new row may need a row of its own to refer to: then the number is one less than the number there.
    pub(crate) fn seeds(&self) -> usize {
        let is_bit = |name: &String| self.column(name).is_some_and(|column| column.sql_type == SqlType::Bit);
        let refers = |columns: &[String]| {
            self.references.iter().any(|reference| columns.iter().all(|name| reference.columns.contains(name)))
        };
        let uniques = || self.uniques.iter().filter(|unique| unique.filter.is_none());
        match () {
            () if uniques().any(|unique| unique.columns.iter().all(is_bit)) => 1,
            () => {
                let bound = uniques().filter(|unique| refers(&unique.columns)).flat_map(|unique| &unique.columns);
                let there = bound.map(|name| self.referred.get(name).map_or(ROWS, Vec::len));
                there.min().map_or(ROWS, |there| there.saturating_sub(1).max(1))
            }
        }
    }

    /// The `n`th value of a column, from 1, as clients send it. A column that refers to other rows has the value of one of the first rows
    /// there, so that no unique is broken. Where the column can be NULL, its value is NULL.
    pub(crate) fn example_value(&self, column: &Column, n: usize) -> Value {
        let is_of = |columns: &[String]| columns.contains(&column.name);
        let reference = self.references.iter().find(|reference| is_of(&reference.columns));
        let is_given = self.key_of(&column.name).is_some_and(|key| key.from != KeySource::Client);
        let Some(reference) = reference.filter(|_| !is_given) else {
            let n = n + usize::from(self.is_behind(column));
            let value = column.sql_type.example(&column.name, n);
            return self.ruled(column, &value, n).or_else(|| self.checked(column, n)).unwrap_or(value);
        };
        let uniques = self.uniques.iter().filter(|unique| unique.filter.is_none() && is_of(&unique.columns));
        let unique = uniques.min_by_key(|unique| unique.columns.len());
        if column.is_nullable && unique.is_none() {
            return Value::Null;
        }
        // The first rows refer to the first, second and third; then each column of a unique goes on by another step. The columns
        // of one reference go on together.
        let is_of_reference = |name: &String| reference.columns.contains(name);
        let place = unique.and_then(|unique| unique.columns.iter().position(is_of_reference));
        let step = usize::from(self.is_behind(column));
        let row = (n - 1 + (n - 1) / ROWS * place.unwrap_or_default() + step) % ROWS + 1;
        let at = reference.columns.iter().position(|name| *name == column.name).unwrap_or_default();
        let referred = reference.referenced.get(at).unwrap_or(&column.name);
        let of_row = self.referred.get(&column.name).and_then(|values| values.iter().cycle().nth(row - 1).cloned());
        of_row.unwrap_or_else(|| column.sql_type.example(referred, row))
    }

    /// Takes the examples of the rows to which this plan refers from the plans of their tables, because a CHECK may limit them there.
    /// True if one is another than before.
    pub(crate) fn refer_to(&mut self, plans: &[Self]) -> bool {
        let mut referred = BTreeMap::new();
        for reference in &self.references {
            let Some(plan) = plans.iter().find(|plan| plan.table.is(&reference.table)) else { continue };
            let keys = plan.uniques.iter().find(|unique| unique.is_primary).map(|unique| &unique.columns);
            let names = if reference.referenced.is_empty() { keys } else { Some(&reference.referenced) };
            for (own, name) in reference.columns.iter().zip(names.into_iter().flatten()) {
                let Some(column) = plan.column(name) else { continue };
                let values: Vec<_> = (1..=plan.seeds()).map(|n| plan.example_value(column, n)).collect();
                referred.entry(own.clone()).or_insert(values);
            }
        }
        let is_new = referred != self.referred;
        self.referred = referred;
        is_new
    }

    /// The `n`th value that the rules of CHECKs allow: this one if they do.
    fn ruled(&self, column: &Column, value: &Value, n: usize) -> Option<Value> {
        // REAL has halves as they are written, and most decimals only nearly.
        let as_float =
            (column.sql_type == SqlType::Real).then(|| Column { sql_type: SqlType::Float, ..column.clone() });
        let column = as_float.as_ref().unwrap_or(column);
        let (rules, _) = self.rules(column);
        if let Some(Rule::OneOf(texts)) = rules.iter().find(|rule| matches!(rule, Rule::OneOf(_))) {
            return texts.get((n - 1) % texts.len().max(1)).map(|text| json!(text));
        }
        let digits = decimals(column.sql_type).filter(|_| !rules.is_empty())?;
        let scale = if as_float.is_some() { 2.0 } else { 10_f64.powi(digits.into()) };
        // Counted in the last of its decimals, whose multiples a binary number has only nearly.
        let units = |value: &Value| {
            let units = value.as_f64()? * scale;
            Some(if (units - units.round()).abs() < 1e-6 { units.round() } else { units })
        };
        let (mut low, mut high): (Option<f64>, Option<f64>) = (None, None);
        for rule in &rules {
            let Rule::Limit(name, limit) = rule else { continue };
            let limit = units(limit)?;
            match *name {
                "minimum" => low = Some(limit.ceil().max(low.unwrap_or(f64::MIN))),
                "exclusiveMinimum" => low = Some((limit.floor() + 1.0).max(low.unwrap_or(f64::MIN))),
                "maximum" => high = Some(limit.floor().min(high.unwrap_or(f64::MAX))),
                _ => high = Some((limit.ceil() - 1.0).min(high.unwrap_or(f64::MAX))),
            }
        }
        let step = (n - 1) as f64;
        let count = low.zip(high).map_or(f64::MAX, |(low, high)| high - low + 1.0);
        let units = match (units(value)?, low, high) {
            (at, Some(low), _) if at < low => low + step % count,
            (at, _, Some(high)) if at > high => high - step % count,
            _ => return Some(value.clone()),
        };
        let number = units / scale;
        if digits == 0 { Some(json!(number as i64)) } else { Some(json!(number)) }
    }

    /// A text that a CHECK names: `rating IN ('G', 'PG')`.
    fn checked(&self, column: &Column, n: usize) -> Option<Value> {
        let mut checks = self.checks.iter().filter(|_| column.sql_type.is_text());
        let check = checks.find(|check| check.names(&column.name))?;
        // Every second piece between apostrophes is a text.
        let texts: Vec<_> =
            check.expression.split('\'').skip(1).step_by(2).map(|text| text.trim_matches('%')).collect();
        let text = texts.get((n - 1) % texts.len().max(1)).filter(|text| !text.is_empty())?;
        Some(json!(fitting(text, n)))
    }

    /// The `n`th row: these columns in JSON, as clients send them, or as they are shown.
    pub(crate) fn example_row<'p>(&self, n: usize, columns: impl Iterator<Item = &'p Column>, is_sent: bool) -> Value {
        let mut row = json!({});
        for column in columns {
            let mut value = self.in_json(column, self.example_value(column, n));
            if value.is_null() {
                continue;
            }
            if !is_sent
                && let (true, Some(width), Some(text)) =
                    (column.sql_type.is_padded(), column.sql_type.length(), value.as_str())
            {
                value = json!(format!("{text:<width$}", width = usize::from(width)));
            }
            match column.path().split_once('.') {
                Some((object, name)) => row[object][name] = value,
                None => row[column.path()] = value,
            }
        }
        row
    }

    /// The example of each operation, by its procedure: what the plan says, else what follows from the rows.
    pub(crate) fn examples(&self) -> Map<String, Value> {
        let example = |operation: &Operation| {
            let told = self.examples.get(operation).cloned();
            (self.procedure(*operation), told.unwrap_or_else(|| self.made_up(*operation)).to_json())
        };
        self.operations.iter().map(example).collect()
    }

    fn made_up(&self, operation: Operation) -> Example {
        let (last, new) = (self.seeds(), self.seeds() + 1);
        let path = self.segments().into_iter().map(|(segment, column)| (segment, self.example_value(column, last)));
        let path = Some(path.collect::<Map<_, _>>().into());
        match operation {
            Operation::Get => {
                let response = Some(json!([self.example_row(last, self.shown(), false)]));
                Example { path, response, ..Example::default() }
            }
            Operation::List => {
                let keys = self.key_columns();
                let key_of = |n| keys.first().map(|column| self.example_value(column, n));
                // Texts that keep a CHECK may be in another order.
                let is_in_order =
                    (1..=last).is_sorted_by_key(|n| key_of(n).and_then(|key| Some(key.as_str()?.to_owned())));
                // Where a page behind a cursor begins, only a link says.
                let (first, query) =
                    match key_of(last.max(2) - 1).filter(|_| last > 1 && is_in_order && !self.has_cursor()) {
                        Some(key) => (last, json!({"after": key, "limit": 2})),
                        None => (1, json!({"limit": 2})),
                    };
                let rows = (first..=last.min(first + 1)).map(|n| self.example_row(n, self.in_list(), false));
                let response = is_in_order.then(|| rows.collect());
                Example { query: Some(query), response, ..Example::default() }
            }
            Operation::Put => {
                let request = Some(self.example_row(new, self.sent(), true));
                // A key that is made at random has no example, nor has what the database computes.
                let is_random = self.key.iter().any(|key| key.from == KeySource::Default);
                let is_known = !is_random && !self.shown().any(Self::is_computed);
                let response = is_known.then(|| json!([self.example_row(new, self.shown(), false)]));
                Example { request, response, ..Example::default() }
            }
            Operation::Patch => self.patch_example(path, last, new + 1),
            Operation::Replace => {
                let request = Some(self.example_row(last, self.changed(), true));
                Example { path, request, ..Example::default() }
            }
            Operation::Delete => {
                let deleted = self.example_row(last, self.key_columns().into_iter(), false);
                Example { path, response: Some(json!([deleted])), ..Example::default() }
            }
        }
    }

    fn is_computed(column: &Column) -> bool {
        column.is_audit || column.role == Role::Shown && !matches!(column.filled, super::Filled::Identity(_))
    }

    fn patch_example(&self, path: Option<Value>, row: usize, value: usize) -> Example {
        let refers =
            |column: &&Column| self.references.iter().any(|reference| reference.columns.contains(&column.name));
        // Beside a row's other values, a CHECK is known to allow only the row's own.
        let is_checked = |column: &&Column| self.rules(column).1;
        let changed = self.changed().filter(|column| !refers(column)).min_by_key(is_checked);
        let value = if changed.as_ref().is_some_and(is_checked) { row } else { value };
        let request = self.example_row(value, changed.into_iter(), true);
        let mut response = self.example_row(row, self.shown(), false);
        merge(&mut response, &self.example_row(value, changed.into_iter(), false));
        let is_known = !self.shown().any(|column| column.is_audit && matches!(column.role, Role::Touch(_)));
        let response = is_known.then(|| json!([response]));
        Example { path, request: Some(request), response, ..Example::default() }
    }
}

impl Example {
    fn to_json(&self) -> Value {
        let parts =
            [("path", &self.path), ("query", &self.query), ("request", &self.request), ("response", &self.response)];
        let parts = parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        parts.collect::<Map<_, _>>().into()
    }
}

/// Puts the members of `other` into an object, and the members of inner objects into its inner objects.
fn merge(into: &mut Value, other: &Value) {
    for (name, value) in other.as_object().into_iter().flatten() {
        if value.is_object() {
            merge(&mut into[name], value);
        } else {
            into[name] = value.clone();
        }
    }
}

impl SqlType {
    /// The `n`th value for examples, from 1, as clients send it, of a column of this name.
    pub(crate) fn example(self, column: &str, n: usize) -> Value {
        let day = n % 28 + 1;
        match self {
            Self::Bit => json!(n % 2 == 1),
            Self::TinyInt | Self::SmallInt | Self::Int | Self::BigInt => json!(n),
            Self::Decimal { precision, scale } | Self::Numeric { precision, scale } => {
                number(n, precision > scale, usize::from(scale))
            }
            Self::Money | Self::SmallMoney => number(n, true, 4),
            Self::Real | Self::Float => json!(n as f64 + 0.5),
            Self::Date => json!(format!("2026-01-{day:02}")),
            Self::Time(_) => json!(format!("{:02}:30:00", n % 24)),
            Self::DateTime | Self::DateTime2(_) | Self::SmallDateTime => json!(format!("2026-01-{day:02}T12:30:00")),
            Self::DateTimeOffset(_) => json!(format!("2026-01-{day:02}T12:30:00+01:00")),
            Self::UniqueIdentifier => json!(format!("00000000-0000-4000-8000-{n:012}")),
            Self::Char(length) | Self::NChar(length) => json!(words(column, n, usize::from(length))),
            Self::VarChar(_) | Self::NVarChar(_) | Self::Text | Self::NText => {
                json!(words(column, n, self.length().map_or(usize::MAX, usize::from)))
            }
            Self::Binary(length) => bytes(n, usize::from(length)),
            Self::VarBinary(Length::Of(length)) => bytes(n, usize::from(length.min(3))),
            Self::VarBinary(Length::Max) | Self::Image => bytes(n, 3),
            Self::Xml => json!(format!("<row>{n}</row>")),
            Self::Geometry | Self::Geography => json!(format!("POINT ({n} {n})")),
            Self::HierarchyId => json!(format!("/{n}/")),
            Self::Json => json!({"number": n}),
            Self::RowVersion | Self::SqlVariant | Self::Vector(_) => Value::Null,
        }
    }
}

/// `n` with `n` behind the point, with so many digits there: `1.01`.
fn number(n: usize, has_whole: bool, scale: usize) -> Value {
    let whole = if has_whole { n } else { 0 };
    let text = if scale == 0 { whole.to_string() } else { format!("{whole}.{n:0>scale$}") };
    serde_json::from_str(&text).unwrap_or_default()
}

/// `n` as so many bytes, in base64.
fn bytes(n: usize, length: usize) -> Value {
    let digits = n.to_be_bytes();
    let mut bytes = vec![0; length];
    for (byte, digit) in bytes.iter_mut().rev().zip(digits.iter().rev()) {
        *byte = *digit;
    }
    json!(BASE64_STANDARD.encode(bytes))
}

/// The `n`th text that fits a pattern of LIKE: the second of `[A-C][0-9]-%` is `A1-`. Any other text is itself.
fn fitting(pattern: &str, n: usize) -> String {
    if !pattern.contains(['[', '%']) {
        return pattern.to_owned();
    }
    let mut places: Vec<Vec<char>> = Vec::new();
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '[' => places.push(class(&rest.by_ref().take_while(|inner| *inner != ']').collect::<Vec<_>>())),
            '_' => places.push(('0'..='9').collect()),
            '%' => {}
            _ => places.push(vec![character]),
        }
    }
    let mut count = n - 1;
    for place in places.iter_mut().rev().filter(|place| !place.is_empty()) {
        let character = place[count % place.len()];
        count /= place.len();
        *place = vec![character];
    }
    places.into_iter().flatten().collect()
}

/// The characters of a class, `A-Z` or `^0-9`, as far as they are ASCII letters and digits, or named.
fn class(inner: &[char]) -> Vec<char> {
    let (is_not, inner) = match inner {
        ['^', inner @ ..] => (true, inner),
        _ => (false, inner),
    };
    let is_in = |character: &char| {
        inner.contains(character)
            || inner.windows(3).any(|range| range[1] == '-' && (range[0]..=range[2]).contains(character))
    };
    let known = ('0'..='9').chain('A'..='Z').chain('a'..='z');
    let known = known.chain(inner.iter().copied().filter(|other| !other.is_ascii_alphanumeric() && *other != '-'));
    known.filter(|character| is_in(character) != is_not).collect()
}

/// A column's name as words, with a number: `ColorName` is `Color name 1`, if there is room.
fn words(column: &str, n: usize, room: usize) -> String {
    let mut words = String::new();
    for character in column.chars().filter(char::is_ascii) {
        let begins = character.is_uppercase() && words.ends_with(char::is_lowercase);
        words.extend(begins.then_some(' '));
        let keeps = words.is_empty() || !begins;
        words.extend(keeps.then_some(character).or_else(|| character.to_lowercase().next()));
    }
    let number = n.to_string();
    match room {
        0..=2 => number,
        _ => format!("{} {number}", words.chars().take(room - number.len() - 1).collect::<String>().trim_end()),
    }
}
