//! Rows that are created or replaced at their path.

use http::Method;
use serde_json::{Value, json};

use crate::entity::{Member, get, with, without};
use crate::promises::is_done_once;
use crate::subject::{Subject, at_once};
use crate::values;

/// A row that is not there, without its key, and its path. `None` where rows are not replaced, or cannot be made.
fn absent_row(subject: &Subject) -> Option<(Value, String)> {
    let entity = &subject.entity;
    if entity.creates.is_empty() || !entity.has(Method::PUT) {
        return None;
    }
    let row = subject.new_row();
    let path = entity.path_of(&entity.key_of(&row));
    Some((entity.keys.iter().fold(row, |row, key| without(&row, key)), path))
}

/// A replacement for a row, without its key.
fn another(subject: &Subject) -> Value {
    absent_row(subject).expect("a row").0
}

pub fn a_row_is_created_or_replaced_at_its_path(subject: &Subject) {
    let Some((row, path)) = absent_row(subject) else { return };
    let entity = &subject.entity;
    let ask = |row: &Value, status: u16| {
        let reply = subject.ask(&Method::PUT, &path, &[], &row.to_string()).is(status);
        let shown = subject.row(&reply);
        subject.shows(&shown, row);
        // A path may leave out the blanks with which a CHAR is filled up.
        let parts =
            |path: &str| path.split('/').map(|part| part.trim_end_matches("%20").to_owned()).collect::<Vec<_>>();
        assert_eq!(parts(&entity.path_of(&entity.key_of(&shown))), parts(&path));
        assert_eq!(subject.get(&path).is(200).text(), reply.text());
        shown
    };
    ask(&row, 201);
    ask(&another(subject), 200);
    // A member that is left out is as in a new row, and not as it was.
    let is_key = |member: &&Member| entity.keys.contains(&member.field);
    let optional = entity.new.iter().filter(|member| member.is_optional() && !is_key(member));
    let least = |row: Value| optional.clone().fold(row, |row, member| without(&row, &member.field));
    let new = subject.row(&subject.create(&least(subject.new_row())));
    let replaced = ask(&least(another(subject)), 200);
    for member in optional.clone().filter(|member| !member.varies()) {
        assert_eq!(get(&replaced, &member.field).is_some(), get(&new, &member.field).is_some(), "{}", member.field);
    }
    let (row, path) = absent_row(subject).expect("a row");
    is_done_once(subject, &Method::PUT, &path, &row.to_string(), 201);
    is_done_once(subject, &Method::PUT, &path, &another(subject).to_string(), 200);
    // Of many at once, one creates the row.
    let (_, path) = absent_row(subject).expect("a row");
    let rows: Vec<_> = (0..4).map(|_| another(subject).to_string()).collect();
    let mut statuses = at_once(&rows, |row| subject.ask(&Method::PUT, &path, &[], row).status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201]);
}

pub fn conditions_guard_a_replacement(subject: &Subject) {
    let Some((row, path)) = absent_row(subject) else { return };
    let put = |row: &Value, headers: &[(&str, &str)]| subject.ask(&Method::PUT, &path, headers, &row.to_string());
    for version in ["*", "\"x\""] {
        put(&row, &[("if-match", version)]).problem(412);
    }
    subject.is_absent(&path);
    put(&row, &[("if-none-match", "*")]).is(201);
    let first = subject.get(&path).header("etag").to_owned();
    put(&another(subject), &[("if-none-match", "*")]).problem(412);
    put(&another(subject), &[("if-none-match", &first)]).problem(400);
    assert_eq!(subject.get(&path).header("etag"), first, "nothing was changed");
    let Some(number) = subject.patch(1) else { return };
    let changed = subject.ask(&Method::PATCH, &path, &[], &number).is(202).header("etag").to_owned();
    if changed != first {
        put(&another(subject), &[("if-match", &first)]).problem(412);
    }
    put(&another(subject), &[("if-match", &changed)]).is(200);
    put(&another(subject), &[("if-match", "*")]).is(200);
}

pub fn a_replacement_keeps_the_key_and_the_rules(subject: &Subject) {
    let Some((row, path)) = absent_row(subject) else { return };
    let entity = &subject.entity;
    let created = subject.ask(&Method::PUT, &path, &[], &row.to_string()).is(201);
    let created = subject.row(&created);
    let put = |row: &Value| subject.ask(&Method::PUT, &path, &[], &row.to_string());
    let keyed = entity.keys.iter().fold(another(subject), |row, key| with(&row, key, created[key].clone()));
    put(&keyed).is(200);
    let before = subject.get(&path).header("etag").to_owned();
    for key in &entity.keys {
        subject.refuses(&put(&with(&keyed, key, json!([]))), key, "no key");
        let other = entity.new.iter().find(|member| member.field == *key && member.varies());
        if let Some(other) = other {
            subject.refuses(&put(&with(&keyed, key, subject.another(other))), key, "the key of another row");
        }
    }
    for member in entity.replace.iter().filter(|member| !member.is_object) {
        if member.is_required {
            subject.refuses(&put(&without(&another(subject), &member.field)), &member.field, "absent");
        }
        for (why, value) in values::forbidden(&member.schema, false).into_iter().take(2) {
            subject.refuses(&put(&with(&another(subject), &member.field, value)), &member.field, why);
        }
    }
    assert_eq!(subject.get(&path).header("etag"), before, "nothing was changed");
}
