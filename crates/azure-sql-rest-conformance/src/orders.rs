//! The orders of a list, which `sort` chooses.

use std::cmp::Ordering;

use http::Method;
use serde_json::Value;

use crate::entity::{self, Member};
use crate::subject::Subject;

pub fn every_order_has_each_row_once(subject: &Subject) {
    let (Some(list), Some(most)) = (&subject.entity.list, subject.entity.limit) else { return };
    let Some(first) = subject.entity.sorts.first() else { return };
    subject.entity.sorts.iter().for_each(|sort| create_without_value(subject, member_of(sort).0));
    let all = subject.all_rows();
    for sort in &subject.entity.sorts {
        let query = |limit: u64| format!("{list}?sort={sort}&limit={limit}");
        let rows = subject.rows_from(query(most), most);
        for limit in [1, 2] {
            assert!(subject.rows_from(query(limit), limit) == rows, "{sort}: pages of {limit} are the list");
        }
        let mut keys = subject.keys(&rows);
        let (member, is_descending) = member_of(sort);
        let values = values(subject, &rows, member);
        for ((pair, keys), values) in rows.windows(2).zip(keys.windows(2)).zip(values.windows(2)) {
            let order = compared(&values[0], &values[1]).map(|order| order.then(by_key(&keys[0], &keys[1])));
            let wrong = if is_descending { Ordering::Less } else { Ordering::Greater };
            assert_ne!(order, Some(wrong), "{sort}: {} and {} are in another order", pair[0], pair[1]);
        }
        let mut expected = subject.keys(&all);
        keys.sort_by_key(Value::to_string);
        expected.sort_by_key(Value::to_string);
        assert_eq!(keys, expected, "{sort}: each row once");
        let other = if is_descending { member.to_owned() } else { format!("-{member}") };
        if subject.entity.sorts.contains(&other) {
            let reverse = subject.rows_from(format!("{list}?sort={other}&limit={most}"), most);
            assert!(rows.iter().rev().eq(&reverse), "{other} is the reverse of {sort}");
        }
        // A cursor is of one order.
        let page = query(1);
        let next = subject.next_page(&page, &subject.get(&page).is(200));
        let another = subject.entity.sorts.iter().find(|another| *another != sort);
        if let (Some(next), Some(another)) = (next, another) {
            let of_another = next.replace(&format!("sort={sort}"), &format!("sort={another}"));
            assert_ne!(next, of_another, "the link keeps the order");
            subject.get(&of_another).problem(400);
        }
    }
    for sort in [format!("{first}x"), format!("-{first}"), format!("%20{first}")] {
        if !subject.entity.sorts.contains(&sort) {
            subject.get(&format!("{list}?sort={sort}")).problem(400);
        }
    }
}

/// The member of an order, and true if it is descending.
fn member_of(sort: &str) -> (&str, bool) {
    sort.strip_prefix('-').map_or((sort, false), |member| (member, true))
}

/// Creates two rows whose member is null, where several rows may be so.
fn create_without_value(subject: &Subject, field: &str) {
    let is_free = |member: &&Member| {
        member.field == field && member.is_nullable() && !member.is_unique && member.unique_with.is_empty()
    };
    if !subject.entity.creates.is_empty() && subject.entity.new.iter().any(|member| is_free(&member)) {
        for _ in 0..2 {
            subject.create(&entity::with(&subject.new_row(), field, Value::Null));
        }
    }
}

/// The values of a member, from the list or, where that has none, from each row.
fn values(subject: &Subject, rows: &[Value], member: &str) -> Vec<Value> {
    let value = |row: &Value| entity::get(row, member).cloned().unwrap_or_default();
    if rows.iter().any(|row| !value(row).is_null()) || !subject.entity.has(Method::GET) {
        return rows.iter().map(value).collect();
    }
    let whole = |row: &Value| subject.get(&subject.entity.path_of(&subject.entity.key_of(row))).is(200).json();
    rows.iter().map(|row| value(&whole(row)[0])).collect()
}

/// The order of two values: NULL comes first. `None` where that depends on the column's type or collation.
fn compared(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Some(right.is_null().cmp(&left.is_null())),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::String(left), Value::String(right)) => {
            let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
            let folded = |text: &str| text.trim_end().to_ascii_lowercase();
            let is_date =
                |text: &str| text.len() > 9 && text.is_ascii() && text[4..].starts_with('-') && !text.contains('+');
            let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            match (left, right) {
                // Texts or BIGINTs, which have different orders.
                _ if is_number(left) && is_number(right) && left.len() != right.len() => None,
                _ if is_plain(left) && is_plain(right) => Some(folded(left).cmp(&folded(right))),
                _ if is_date(left) && is_date(right) && left.len() == right.len() => Some(left.cmp(right)),
                _ => None,
            }
        }
        // Two numbers with one f64 may differ.
        (left, right) if left == right => Some(Ordering::Equal),
        (left, right) => left.as_f64()?.partial_cmp(&right.as_f64()?).filter(|order| order.is_ne()),
    }
}

/// The order of two keys of numbers; keys of texts count as equal.
fn by_key(left: &Value, right: &Value) -> Ordering {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => Ordering::Equal,
    }
}
