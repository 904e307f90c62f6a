//! Create, patch, delete, and what must be unique.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Map, Value, json};

use crate::client::Reply;
use crate::entity::{Member, get, set, with, without};
use crate::subject::{Subject, at_once};
use crate::values;

pub fn what_is_created_is_there(subject: &Subject) {
    let entity = &subject.entity;
    for (method, path) in &entity.creates {
        let create = |content_type: &str, body: &str, sent: &Value| {
            let created = subject.ask(method, path, &[("content-type", content_type)], body).is(201);
            is_there(subject, method, &created, sent);
        };
        // Members that clients cannot set are ignored.
        let whole = subject.new_row();
        let mut more = with(&whole, "NoMember", json!({"x": [1]}));
        for member in entity.row.iter().filter(|member| member.schema["readOnly"] == true) {
            set(&mut more, &member.field, member.base.clone());
        }
        create("application/json", &more.to_string(), &whole);

        // SQL Server has one NULL in a unique column.
        let optional = entity.new.iter().filter(|member| member.is_optional() && !member.varies());
        let least = optional.fold(subject.new_row(), |row, member| without(&row, &member.field));
        create("application/json", &least.to_string(), &least);

        let whole = subject.new_row();
        let mut form = form_urlencoded::Serializer::new(String::new());
        let form = form.append_pair(&entity.form_field, &whole.to_string()).finish();
        create("application/x-www-form-urlencoded", &form, &whole);

        let any_version = [("if-match", "*")];
        subject.ask(method, path, &any_version, &subject.new_row().to_string()).problem(412);
    }
}

/// Checks that a created row is where the answer says, and shows what was sent.
fn is_there(subject: &Subject, method: &Method, created: &Reply, sent: &Value) {
    let row = subject.row(created);
    subject.shows(&row, sent);
    if !subject.entity.has(Method::GET) {
        return;
    }
    for path in [created.location(), subject.entity.path_of(&subject.entity.key_of(&row))] {
        let read = subject.get(&path).is(200);
        assert_eq!(read.text(), created.text(), "GET shows what the new row's answer did");
        assert_eq!(read.header("content-length"), read.body.len().to_string());
        let head = subject.ask(&Method::HEAD, &path, &[], "").is(200);
        assert_eq!((head.header("etag"), head.body.len()), (read.header("etag"), 0));
        // The stored row differs from the row that PUT sent, so that its answer has no version.
        let etag = (method == Method::POST).then(|| read.header("etag"));
        assert_eq!(created.headers.get("etag").map(|etag| etag.to_str().expect("ASCII")), etag);
    }
}

pub fn patches_change_the_named_member_only(subject: &Subject) {
    let entity = &subject.entity;
    let Some(path) = subject.path_of_a_row().filter(|_| entity.has(Method::PATCH)) else {
        return;
    };
    let patch = |body: &Value| {
        let reply = subject.ask(&Method::PATCH, &path, &[], &body.to_string()).is(202);
        if entity.has(Method::GET) {
            let read = subject.get(&path);
            assert_eq!((read.text(), read.header("etag")), (reply.text(), reply.header("etag")));
        }
        subject.row(&reply)
    };
    let mut before = patch(&json!({}));
    for member in entity.patch.iter().filter(|member| !member.is_object) {
        let mut changes = vec![];
        if member.is_nullable() {
            changes.push(Value::Null);
        }
        match &member.base {
            Value::Null => {}
            _ if member.varies() => changes.push(subject.another(member)),
            // Beside the row's other values, a CHECK is known to allow only the row's own.
            base if member.is_given() => {
                let own =
                    get(&before, &member.field).filter(|own| member.schema["x-checked"] == true && !own.is_null());
                changes.push(own.unwrap_or(base).clone());
            }
            base => changes.extend([values::another(&member.schema, base, 1), base.clone()]),
        }
        for value in changes {
            let mut body = json!({});
            set(&mut body, &member.field, value);
            let after = patch(&body);
            subject.shows(&after, &body);
            let others = entity.row.iter().filter(|other| {
                let is_same_or_around = other.field == member.field || other.is_object;
                !is_same_or_around && other.schema["readOnly"] != true
            });
            for Member { field, .. } in others {
                assert_eq!(get(&after, field), get(&before, field), "{field} stays, for {body}");
            }
            before = after;
        }
    }
}

pub fn texts_that_clients_only_read_are_not_taken(subject: &Subject) {
    let entity = &subject.entity;
    let is_read_only = |member: &&Member| member.schema["readOnly"] == true && values::is_text(&member.schema);
    let read_only: Vec<_> = entity.row.iter().filter(is_read_only).map(|member| &member.field).collect();
    let forged = |row: Value| read_only.iter().fold(row, |row, field| with(&row, field, json!("forged"))).to_string();
    let shows = |reply: &Reply| {
        for row in reply.json().as_array().expect("rows") {
            let is_forged = |field: &&&String| get(row, field) == Some(&json!("forged"));
            assert_eq!(read_only.iter().find(is_forged), None, "{row}");
        }
    };
    for (method, path) in &entity.creates {
        shows(&subject.ask(method, path, &[], &forged(subject.new_row())).is(201));
    }
    if let Some((path, _)) = &entity.many {
        let array = format!("[{},{}]", forged(subject.new_row()), forged(subject.new_row()));
        shows(&subject.ask(&Method::POST, path, &[], &array).is(201));
    }
    if let Some(path) = subject.path_of_a_row().filter(|_| entity.has(Method::PATCH)) {
        shows(&subject.ask(&Method::PATCH, &path, &[], &forged(json!({}))).is(202));
    }
}

pub fn what_is_deleted_is_gone(subject: &Subject) {
    let entity = &subject.entity;
    if entity.creates.is_empty() || !entity.has(Method::DELETE) {
        return;
    }
    let created = subject.create(&subject.new_row());
    let path = created.location();
    let row = subject.row(&created);
    let key: Value = entity.keys.iter().map(|name| (name.clone(), row[name].clone())).collect::<Map<_, _>>().into();
    // Deleting what is not there succeeds.
    for _ in 0..2 {
        let deleted = subject.ask(&Method::DELETE, &path, &[], "").is(202);
        assert_eq!(deleted.json(), json!([key]));
        subject.is_absent(&path);
    }
}

pub fn unique_values_are_taken(subject: &Subject) {
    let entity = &subject.entity;
    if entity.creates.is_empty() {
        return;
    }
    let alone = entity.new.iter().filter(|member| member.is_unique).map(|member| vec![member.field.clone()]);
    let together = entity.new.iter().map(|member| member.unique_with.clone());
    // Where the database gives a part of what is unique, no client can take it.
    let is_sent = |field: &String| entity.new.iter().any(|member| member.field == *field && !member.base.is_null());
    let all_sent = |fields: &Vec<String>| !fields.is_empty() && fields.iter().all(is_sent);
    for fields in alone.chain(together).filter(all_sent).collect::<BTreeSet<_>>() {
        let first = subject.new_row();
        let taken = fields.iter().map(|field| (field, get(&first, field).expect("a value")));
        let give = |row: Value| taken.clone().fold(row, |row, (field, value)| with(&row, field, value.clone()));
        let again = || give(subject.new_row()).to_string();
        if let Some((path, _)) = &entity.many {
            // The value of the first row is free again: the row is created below.
            let reply = subject.ask(&Method::POST, path, &[], &format!("[{first},{}]", again()));
            is_explained(&reply, &fields);
            assert!(
                reply.json()["errors"].as_array().is_some_and(|errors| errors.iter().all(|error| error["index"] == 1))
            );
        }
        let path = subject.create(&first).location();
        for (method, collection) in &entity.creates {
            is_explained(&subject.ask(method, collection, &[], &again()), &fields);
        }
        // A patch changes no key.
        let is_key = fields.iter().any(|field| entity.keys.contains(field));
        if !is_key && entity.patch.iter().any(|member| fields.contains(&member.field)) {
            let other = subject.create(&subject.new_row()).location();
            let before = subject.get(&other);
            let patch = give(json!({})).to_string();
            is_explained(&subject.ask(&Method::PATCH, &other, &[], &patch), &fields);
            assert_eq!(subject.get(&other).text(), before.text(), "nothing was changed");
        }
        if entity.has(Method::DELETE) {
            subject.ask(&Method::DELETE, &path, &[], "").is(202);
            // Of many at once, one succeeds.
            let (method, collection) = &entity.creates[0];
            let attempts: Vec<_> = (0..4).map(|_| again()).collect();
            let attempt = |body: &String| subject.ask(method, collection, &[], body).status;
            let mut statuses = at_once(&attempts, attempt);
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409, 409, 409]);
        }
    }
}

/// Where the table that a member refers to is there, a value that no row has is refused. The local database has only the tables of entities.
pub fn references_to_no_row_are_named(subject: &Subject) {
    let entity = &subject.entity;
    // A reference of several members names all of them, also members of the key.
    let references = entity.new.iter().chain(&entity.patch).filter(|member| member.is_reference());
    let fields: Vec<_> = references.map(|member| member.field.clone()).collect();
    let absent = |members: &[Member]| -> Vec<_> {
        let may_be_absent = |member: &&Member| member.is_reference() && member.schema["x-checked"] != true;
        let schemas = members.iter().filter(may_be_absent).map(|member| (member.field.clone(), &member.schema));
        let found = schemas.filter_map(|(field, schema)| Some((field, values::absent(schema)?)));
        found.filter(|(_, value)| !subject.is_taken(value)).collect()
    };
    let is_named = |reply: &Reply, field: &String, success: u16| {
        if reply.status != success {
            is_explained(reply, &fields);
            let problem = reply.problem(409);
            let mut errors = problem["errors"].as_array().into_iter().flatten();
            assert!(errors.any(|error| error["field"] == *field), "{field}: {problem}");
        }
    };
    if let Some((method, path)) = entity.creates.first() {
        for (field, value) in absent(&entity.new) {
            let row = with(&subject.new_row(), &field, value);
            is_named(&subject.ask(method, path, &[], &row.to_string()), &field, 201);
        }
    }
    let path = subject.path_of_a_row().filter(|_| entity.has(Method::PATCH));
    for (field, value) in absent(&entity.patch) {
        let Some(path) = &path else { return };
        let patch = with(&json!({}), &field, value);
        is_named(&subject.ask(&Method::PATCH, path, &[], &patch.to_string()), &field, 202);
    }
}

/// Checks that this is a 409 of the procedure's, and that it names the fields. Another one is of Data API Builder's, about any
/// constraint.
fn is_explained(reply: &Reply, fields: &[String]) {
    let problem = reply.problem(409);
    let errors = problem["errors"].as_array().expect("the fields that are wrong");
    assert!(!errors.is_empty() && errors.iter().all(|error| fields.iter().any(|field| error["field"] == *field)));
    assert_ne!(problem["detail"], "The database reports a conflict with another change.");
}
