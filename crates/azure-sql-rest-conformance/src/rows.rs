//! Many rows at once: all or none, under one key.

use http::Method;
use serde_json::{Value, json};

use crate::client::Reply;
use crate::entity::with;
use crate::promises::is_done_once;
use crate::subject::Subject;

pub fn an_array_creates_all_of_its_rows(subject: &Subject) {
    let Some((path, most)) = &subject.entity.many else { return };
    let sent = [subject.new_row(), subject.new_row()];
    let (key, created) = is_done_once(subject, &Method::POST, path, &json!(sent).to_string(), 201);
    let rows = created.json();
    let rows = rows.as_array().expect("an array");
    assert_eq!(rows.len(), sent.len(), "{rows:?}");
    for (row, sent) in rows.iter().zip(&sent) {
        subject.shows(row, sent);
        if subject.entity.has(Method::GET) {
            assert_eq!(subject.row(&subject.get(&subject.entity.path_of(&subject.entity.key_of(row))).is(200)), *row);
        }
    }
    for name in ["location", "etag"] {
        assert!(!created.headers.contains_key(name), "{name} of many rows");
    }
    let another = json!([subject.new_row_like(1)]).to_string();
    subject.ask_with_key(&Method::POST, path, &key, &another).problem(422);
    let array = Value::from_iter((0..*most.min(&30)).map(|_| subject.new_row()));
    let created = subject.ask(&Method::POST, path, &[], &array.to_string()).is(201).json();
    assert_eq!(created.as_array().map(Vec::len), array.as_array().map(Vec::len));
}

pub fn an_array_with_a_wrong_row_creates_none(subject: &Subject) {
    let entity = &subject.entity;
    let Some((path, most)) = &entity.many else { return };
    let count = || entity.list.as_ref().map(|_| subject.all_rows().len());
    let before = count();
    let key = subject.request_key();
    let ask = |array: &Value| subject.ask_with_key(&Method::POST, path, &key, &array.to_string());
    let field = &entity.new[0].field;
    let wrong = || with(&subject.new_row(), field, json!([]));
    let errors = |reply: Reply| -> Vec<(Value, Value)> {
        let problem = reply.problem(422);
        let errors = problem["errors"].as_array().expect("errors");
        errors.iter().map(|error| (error["index"].clone(), error["field"].clone())).collect()
    };
    let named = |index: usize| (json!(index), json!(field));
    assert_eq!(errors(ask(&json!([subject.new_row(), wrong(), subject.new_row()]))), [named(1)]);
    let other = json!([wrong(), subject.new_row(), [subject.new_row()], wrong()]);
    assert_eq!(errors(ask(&other)), [named(0), (json!(2), Value::Null), named(3)]);
    for length in [0, most + 1] {
        let problem = ask(&vec![Value::Null; length].into()).problem(422);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(&most.to_string())), "{problem}");
    }
    assert_eq!(count(), before, "nothing was created");
    // A refused array is not kept, and may be tried again.
    ask(&json!([subject.new_row()])).is(201);
    assert_eq!(count(), before.map(|before| before + 1));
    for (method, path) in entity.creates.iter().filter(|(method, _)| *method == Method::PUT) {
        subject.ask(method, path, &[], &json!([subject.new_row()]).to_string()).problem(400);
    }
}
