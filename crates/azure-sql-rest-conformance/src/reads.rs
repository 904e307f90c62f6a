//! Rows and lists as they are read.

use std::collections::BTreeSet;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::entity;
use crate::subject::Subject;
use crate::values;

pub fn a_version_that_is_known_is_not_sent_again(subject: &Subject) {
    let Some(path) = subject.path_of_a_row().filter(|_| subject.entity.has(Method::GET)) else {
        return;
    };
    let etag = subject.get(&path).is(200).header("etag").to_owned();
    for method in [Method::GET, Method::HEAD] {
        let ask = |value: &str| subject.ask(&method, &path, &[("if-none-match", value)], "");
        for value in [&etag, "*", &format!("W/{etag}"), &format!("\"other\", {etag}")] {
            let reply = ask(value).is(304);
            assert_eq!((reply.header("etag"), reply.body.len()), (&*etag, 0), "{value}");
        }
        assert_eq!(ask("\"other\"").is(200).header("etag"), etag);
        subject.ask(&method, &path, &[("if-match", "\"other\"")], "").is(412);
    }
}

pub fn what_is_not_there_is_404(subject: &Subject) {
    let entity = &subject.entity;
    for (at, schema) in entity.keys_in_path.iter().enumerate() {
        let Some(absent) = values::absent(schema) else { return };
        // Each part counts: a row that is there has the other parts.
        let path = |part: Value| match entity.key_of_example.clone() {
            Some(Value::Array(mut parts)) => {
                parts[at] = part;
                entity.path_of(&parts.into())
            }
            _ => entity.path_of(&part),
        };
        if entity.keys_in_path.len() > 1 && entity.key_of_example.is_none() {
            return;
        }
        subject.is_absent(&path(absent));
        let no_key = if schema.get("maxLength").is_some() { "x".repeat(4001) } else { "x".to_owned() };
        for method in
            [Method::GET, Method::HEAD, Method::DELETE].into_iter().filter(|method| entity.has(method.clone()))
        {
            subject.ask(&method, &path(no_key.as_str().into()), &[], "").is(400);
        }
    }
}

pub fn pages_are_the_list(subject: &Subject) {
    let entity = &subject.entity;
    if entity.list.is_none() {
        return;
    }
    for _ in 0..3 {
        if !entity.creates.is_empty() {
            let created = subject.row(&subject.create(&subject.new_row()));
            let rows = subject.all_rows();
            let listed =
                rows.iter().find(|row| entity.key_of(row) == entity.key_of(&created)).expect("what was created");
            for (name, value) in listed.as_object().expect("a row") {
                assert_eq!(*value, created[name], "{name}");
            }
        }
    }
    let all = subject.all_rows();
    let keys = subject.keys(&all);
    let texts: BTreeSet<_> = keys.iter().map(Value::to_string).collect();
    assert_eq!(texts.len(), all.len(), "each row once");
    // A key may be shown as the text of a number.
    let are_numbers = entity.keys_in_path.iter().all(|schema| schema["type"] == "integer");
    let number = |part: &String| part.parse::<i64>().ok().filter(|_| are_numbers);
    let numbers = |key: &Value| entity::parts(key).iter().map(number).collect::<Option<Vec<_>>>();
    let numbers: Option<Vec<_>> = keys.iter().map(numbers).collect();
    assert!(numbers.is_none_or(|numbers| numbers.is_sorted()), "by key");
    let count = all.len() as u64;
    let most = entity.limit.expect("a list has a limit");
    for limit in [count / 7 + 1, count / 2, count.saturating_sub(1), count, count + 1] {
        let limit = limit.clamp(1, most);
        assert!(subject.rows_in_pages(limit, None) == all, "pages of {limit} are the list");
    }
    let before = all.len().saturating_sub(5);
    if let Some(after) = keys.get(before) {
        assert_eq!(subject.rows_in_pages(1, Some(after)), all[before + 1..], "pages of 1 behind {after}");
    }
    let last = subject.get(&subject.page(most, keys.last())).is(200);
    assert_eq!((last.text(), last.headers.get("link")), ("[]", None));
    if entity.keys.len() > 1 {
        for cursor in ["x", &"/".repeat(entity.keys.len())] {
            subject.get(&format!("{}&after={}", subject.page(1, None), cursor.replace('/', "%2F"))).problem(400);
        }
    }
    for limit in [0, most + 1] {
        subject.get(&subject.page(limit, None)).problem(400);
    }
    let head = subject.ask(&Method::HEAD, &subject.page(1, None), &[], "").is(200);
    assert_eq!(head.headers.get("link"), subject.get(&subject.page(1, None)).headers.get("link"));
}

pub fn filters_choose_the_rows_of_a_list(subject: &Subject) {
    let Some(list) = &subject.entity.list else { return };
    subject.get(&format!("{list}?no_such_filter=1")).problem(400);
    if subject.entity.filters.is_empty() {
        return;
    }
    // The list need not show the member.
    let is_read = subject.entity.has(Method::GET);
    let whole = |row: &Value| match is_read {
        true => subject.get(&subject.entity.path_of(&subject.entity.key_of(row))).is(200).json()[0].clone(),
        false => row.clone(),
    };
    let rows: Vec<_> = subject.all_rows().iter().rev().take(30).map(whole).collect();
    let most = subject.entity.limit.expect("a list has a limit");
    for filter in &subject.entity.filters {
        let name = filter["name"].as_str().expect("a name");
        let (member, by) = (&filter["x-filter"]["member"], filter["x-filter"]["by"].as_str().expect("a comparison"));
        let member = member.as_str().expect("a member");
        let values: Vec<_> = rows.iter().map(|row| (subject.entity.key_of(row), entity::get(row, member))).collect();
        if by == "in" {
            lists_of_values(subject, filter, &values);
            continue;
        }
        for (_, sought) in values.iter().take(5) {
            let Some(sought) = sought.filter(|value| !value.is_null() && **value != "") else { continue };
            let text = sought.as_str().map_or_else(|| sought.to_string(), str::to_owned);
            let text = if by == "prefix" { text.chars().take(3).collect() } else { text };
            let query = |limit| format!("{list}?{name}={}&limit={limit}", utf8_percent_encode(&text, NON_ALPHANUMERIC));
            let found = subject.rows_from(query(2), 2);
            assert_eq!(found, subject.rows_from(query(most), most), "{name}: pages are the list");
            let found = subject.keys(&found);
            for (key, value) in &values {
                let is_found = found.contains(key);
                let value = value.filter(|value| !value.is_null());
                if let Some(is_chosen) = chosen(by, value, &text) {
                    assert_eq!(is_found, is_chosen, "{name}={text}: the row {key} with {value:?}");
                }
            }
        }
        if filter["schema"]["type"] != "string" || filter["schema"].get("format").is_some() {
            subject.get(&format!("{list}?{name}=x")).problem(400);
        }
        subject.get(&format!("{list}?{name}=")).problem(400);
    }
}

/// A filter by several values finds the rows that have one of them.
fn lists_of_values(subject: &Subject, filter: &Value, values: &[(Value, Option<&Value>)]) {
    let (list, most) = (subject.entity.list.as_deref().expect("a list"), subject.entity.limit.expect("a limit"));
    let (name, items) = (filter["name"].as_str().expect("a name"), &filter["schema"]["items"]);
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query = |values: &str, limit| format!("{list}?{name}={values}&limit={limit}");
    let refused = |values: &str| subject.get(&query(&encoded(values), 1)).problem(400);
    refused("");
    let is_text = items["type"] == "string" && items.get("format").is_none();
    if !is_text {
        refused("x");
    }
    let known = values.iter().filter_map(|(_, value)| value.filter(|value| !value.is_null()));
    let known: BTreeSet<_> = known.map(|value| entity::parts(value).remove(0)).collect();
    // Commas separate the values.
    let mut sought: Vec<_> = known.into_iter().filter(|text| !text.is_empty() && !text.contains(',')).take(2).collect();
    let Some(one) = sought.first().cloned() else { return };
    refused(&format!("{one},"));
    refused(&vec![one.as_str(); 101].join(","));
    let unknown = values::absent(items);
    sought.extend(unknown.map(|value| entity::parts(&value).remove(0)));
    let each: Vec<_> = sought.iter().map(|text| encoded(text)).collect();
    let found = subject.rows_from(query(&each.join(","), 2), 2);
    // A client may encode the commas, or not.
    assert_eq!(found, subject.rows_from(query(&encoded(&sought.join(",")), most), most), "{name}: pages are the list");
    let found = subject.keys(&found);
    for (key, value) in values {
        let value = value.filter(|value| !value.is_null());
        let is_one: Vec<_> = sought.iter().map(|text| chosen("equal", value, text)).collect();
        if is_one.contains(&Some(true)) || !is_one.contains(&None) {
            let is_chosen = is_one.contains(&Some(true));
            assert_eq!(found.contains(key), is_chosen, "{name}={sought:?}: the row {key} with {value:?}");
        }
    }
}

/// The rows of another row are the list with a filter by it.
pub fn rows_of_another_row_are_its_own(subject: &Subject) {
    let (Some(list), Some(most)) = (&subject.entity.list, subject.entity.limit) else { return };
    for (path, parameter) in &subject.entity.of_others {
        let member = &parameter["x-filter"]["member"];
        let is_same = |filter: &&Value| filter["x-filter"] == parameter["x-filter"];
        let filter = subject.entity.filters.iter().find(is_same).expect("the filter of the list");
        let name = filter["name"].as_str().expect("a name");
        let (before, after) = path.split_once('{').expect("a key");
        let (_, after) = after.split_once('}').expect("a key");
        let at = |key: &str, limit: u64| format!("{before}{key}{after}?limit={limit}");
        let rows = subject.all_rows();
        let values = rows.iter().rev().filter_map(|row| entity::get(row, member.as_str()?)).take(5);
        for value in values.filter(|value| !value.is_null()) {
            let key = entity::parts(value).remove(0);
            let key = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string();
            let found = subject.rows_from(at(&key, 2), 2);
            assert!(!found.is_empty(), "{path}: rows of {value}");
            assert_eq!(found, subject.rows_from(at(&key, most), most), "{path}: pages are the list");
            assert_eq!(
                found,
                subject.rows_from(format!("{list}?{name}={key}&limit={most}"), most),
                "{path} of {value}"
            );
        }
        if parameter["schema"]["type"] == "integer" {
            subject.get(&at("x", 1)).problem(400);
        }
    }
}

/// True if a row with this value is in a list with the filter; `None` where that depends on the column's collation.
fn chosen(by: &str, value: Option<&Value>, text: &str) -> Option<bool> {
    let Some(value) = value else { return Some(false) };
    let order = match (value, value.as_str()) {
        (_, Some(value)) => match (value.parse::<i64>(), text.parse::<i64>()) {
            (Ok(value), Ok(text)) if ["from", "before"].contains(&by) => value.cmp(&text),
            _ => value.cmp(text),
        },
        (Value::Bool(value), _) => value.to_string().as_str().cmp(text),
        (number, _) => match (number.as_i64(), text.parse::<i64>()) {
            (Some(number), Ok(sought)) => number.cmp(&sought),
            _ => number.as_f64()?.partial_cmp(&text.parse().ok()?)?,
        },
    };
    match by {
        "from" => Some(order.is_ge()),
        "before" => Some(order.is_lt()),
        "prefix" => match value.as_str()? {
            value if value.starts_with(text) => Some(true),
            value if value.is_ascii() && text.is_ascii() => {
                Some(value.to_ascii_lowercase().starts_with(&text.to_ascii_lowercase())).filter(|is_chosen| !is_chosen)
            }
            _ => None,
        },
        _ if order.is_eq() => Some(true),
        _ => match value.as_str() {
            Some(value) => Some(value.trim_end().eq_ignore_ascii_case(text.trim_end()))
                .filter(|is_chosen| !is_chosen && value.is_ascii() && text.is_ascii()),
            None => Some(false),
        },
    }
}

pub fn pages_hold_while_rows_come_and_go(subject: &Subject) {
    let entity = &subject.entity;
    if entity.list.is_none() || entity.creates.is_empty() || !entity.has(Method::DELETE) {
        return;
    }
    hold(subject, None);
    entity.sorts.iter().take(2).for_each(|sort| hold(subject, Some(sort)));
}

/// In one order, or by key.
fn hold(subject: &Subject, sort: Option<&str>) {
    let entity = &subject.entity;
    let create = || entity.key_of(&subject.row(&subject.create(&subject.new_row())));
    let mine: Vec<_> = (0..12).map(|_| create()).collect();
    let all = subject.keys(&subject.all_rows());
    let mut mine: Vec<_> = all.iter().filter(|key| mine.contains(key)).collect();
    // The pages from just before the first of them.
    let first = all.iter().position(|key| key == mine[0]).expect("it is listed");
    let (mut found, mut deleted) = (Vec::new(), Vec::new());
    let mut next = Some(match sort {
        None => subject.page(2, first.checked_sub(1).map(|before| &all[before])),
        Some(sort) => format!("{}&sort={sort}", subject.page(2, None)),
    });
    while let Some(target) = next {
        let page = subject.get(&target).is(200);
        let keys = subject.keys(page.json().as_array().expect("a list"));
        // One goes that has been seen, one goes that has not, and one comes: who counts rows would skip some now.
        let seen = mine.iter().position(|key| keys.contains(key));
        if seen.is_some() || sort.is_none() {
            let gone = [seen.map(|seen| mine.remove(seen)), mine.pop()];
            for key in gone.into_iter().flatten() {
                subject.ask(&Method::DELETE, &entity.path_of(key), &[], "").is(202);
                deleted.push(key);
            }
            create();
        }
        assert!(!keys.iter().any(|key| found.contains(key)), "each once: {keys:?}");
        found.extend(keys);
        next = subject.next_page(&target, &page);
    }
    let missed: Vec<_> = mine.iter().filter(|key| found.iter().filter(|one| one == *key).count() != 1).collect();
    assert!(missed.is_empty(), "{sort:?}: each that was there all the time, once: {missed:?}");
    assert!(deleted.len() > 5, "{sort:?}: {deleted:?}");
}
