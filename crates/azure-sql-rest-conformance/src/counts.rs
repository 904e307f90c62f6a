//! The number of rows of a list, which `count=true` asks for.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::entity;
use crate::subject::Subject;

pub fn a_list_that_counts_has_as_many_rows(subject: &Subject) {
    let (Some(list), Some(most)) = (&subject.entity.list, subject.entity.limit) else { return };
    if !subject.entity.is_counted {
        subject.get(&format!("{list}?count=true")).problem(400);
        return;
    }
    for query in queries(subject) {
        let rows = subject.rows_from(format!("{list}?{query}limit={most}"), most).len();
        let mut next = Some(format!("{list}?{query}limit={}&count=true", rows / 3 + 1));
        while let Some(target) = next {
            let page = subject.get(&target).is(200);
            assert_eq!(page.header("x-total-count"), rows.to_string(), "{target}");
            next = subject.next_page(&target, &page);
        }
        for count in ["", "&count=false"] {
            let page = subject.get(&format!("{list}?{query}limit=1{count}")).is(200);
            assert!(!page.headers.contains_key("x-total-count"), "{query}{count}");
        }
    }
    for count in ["", "1", "TRUE", "true&count=true", "truest"] {
        subject.get(&format!("{list}?count={count}")).problem(400);
    }
}

/// No filter, an order, and each filter by the value of a row.
fn queries(subject: &Subject) -> Vec<String> {
    let rows = subject.all_rows();
    let mut queries = vec![String::new()];
    queries.extend(subject.entity.sorts.first().map(|sort| format!("sort={sort}&")));
    for filter in &subject.entity.filters {
        let (name, member) = (filter["name"].as_str(), filter["x-filter"]["member"].as_str());
        let (Some(name), Some(member)) = (name, member) else { continue };
        let values = rows.iter().rev().filter_map(|row| entity::get(row, member));
        let text = values.map(|value| entity::parts(value).remove(0)).find(|text| !text.is_empty() && text != "null");
        let encoded = text.map(|text| utf8_percent_encode(&text.replace(',', ""), NON_ALPHANUMERIC).to_string());
        queries.extend(encoded.filter(|text| !text.is_empty()).map(|text| format!("{name}={text}&")));
    }
    queries
}
