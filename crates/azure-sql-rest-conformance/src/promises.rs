//! Keys that make a write happen once, versions that guard a row, and faults that nobody sees.

use http::Method;
use serde_json::json;

use crate::client::Reply;
use crate::entity::with;
use crate::subject::{Subject, at_once};

impl Subject<'_> {
    pub fn ask_with_key(&self, method: &Method, target: &str, key: &str, body: &str) -> Reply {
        self.ask(method, target, &[("idempotency-key", key)], body)
    }
}

/// Checks that a write under a key is done once, and a second one answered as the first.
pub fn is_done_once(subject: &Subject, method: &Method, target: &str, body: &str, status: u16) -> (String, Reply) {
    let key = subject.request_key();
    let first = subject.ask_with_key(method, target, &key, body).is(status);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    for second in at_once(&[(); 3], |()| subject.ask_with_key(method, target, &key, body)) {
        let second = second.is(status);
        assert_eq!(second.header("idempotency-replayed"), "true");
        assert_eq!((second.header("idempotency-key"), second.text()), (&*key, first.text()));
        for header in ["location", "etag"] {
            assert_eq!(second.headers.get(header), first.headers.get(header), "{header}");
        }
    }
    (key, first)
}

pub fn a_key_makes_a_write_happen_once(subject: &Subject) {
    let entity = &subject.entity;
    for (method, path) in &entity.creates {
        let row = subject.new_row().to_string();
        let (key, created) = is_done_once(subject, method, path, &row, 201);
        if entity.has(Method::DELETE) {
            subject.ask(&Method::DELETE, &created.location(), &[], "").is(202);
            let replayed = subject.ask_with_key(method, path, &key, &row).is(201);
            assert_eq!((replayed.text(), replayed.header("location")), ("[]", created.header("location")));
        }
        // Of many at once, one is the first.
        let key = subject.request_key();
        let row = subject.new_row().to_string();
        let replies = at_once(&[(); 4], |()| subject.ask_with_key(method, path, &key, &row).is(201));
        assert!(replies.iter().all(|reply| reply.location() == replies[0].location()));
        assert_eq!(replies.iter().filter(|reply| !reply.headers.contains_key("idempotency-replayed")).count(), 1);
    }
    if let Some(path) = subject.path_of_a_row() {
        if let Some(patch) = subject.patch(1) {
            is_done_once(subject, &Method::PATCH, &path, &patch, 202);
        }
        if entity.has(Method::DELETE) && !entity.creates.is_empty() {
            is_done_once(subject, &Method::DELETE, &path, "", 202);
        }
    }
}

pub fn a_key_is_for_one_request(subject: &Subject) {
    let entity = &subject.entity;
    let mut used = Vec::new();
    for (method, path) in &entity.creates {
        let key = subject.request_key();
        // A refused write is not kept, and may be tried again.
        let wrong = with(&subject.new_row(), &entity.new[0].field, json!([]));
        subject.ask_with_key(method, path, &key, &wrong.to_string()).problem(422);
        let row = subject.new_row_like(1).to_string();
        let created = subject.ask_with_key(method, path, &key, &row).is(201);
        subject.ask_with_key(method, path, &key, &subject.new_row_like(2).to_string()).problem(422);
        used.push((key, created.location()));
    }
    let rows: Vec<_> = used.iter().map(|(_, row)| row.clone()).chain(subject.path_of_a_row()).collect();
    if let (Some(patch), Some(another)) = (subject.patch(1), subject.patch(2)) {
        let key = subject.request_key();
        let ask = |row: &str, key: &str, patch: &str| subject.ask_with_key(&Method::PATCH, row, key, patch);
        ask(&rows[0], &key, &patch).is(202);
        ask(&rows[0], &key, &another).problem(422);
        for other in &rows[1..] {
            ask(other, &key, &patch).problem(422);
        }
        for (used, row) in &used {
            ask(row, used, &patch).problem(422);
        }
    }
    if entity.has(Method::DELETE) && rows.len() > 1 {
        let key = subject.request_key();
        subject.ask_with_key(&Method::DELETE, &rows[0], &key, "").is(202);
        subject.ask_with_key(&Method::DELETE, &rows[1], &key, "").problem(422);
        if entity.has(Method::GET) {
            subject.get(&rows[1]).is(200);
        }
    }
}

pub fn versions_guard_a_row(subject: &Subject) {
    let entity = &subject.entity;
    let Some(path) = subject.path_of_a_row().filter(|_| entity.has(Method::GET)) else {
        return;
    };
    let mut etag = subject.get(&path).is(200).header("etag").to_owned();
    let first = etag.clone();
    if subject.patch(1).is_some() {
        let mut numbers = 1..;
        let mut patch = |versions: &[String]| {
            let headers: Vec<_> = versions.iter().map(|value| ("if-match", value.as_str())).collect();
            let patch = numbers.next().and_then(|number| subject.patch(number));
            subject.ask(&Method::PATCH, &path, &headers, &patch.expect("a change"))
        };
        for versions in [&["TAG"][..], &["\"x\", TAG"], &["\"x\"", "TAG"], &["W/TAG, TAG"], &["*"], &[",TAG,,"]] {
            let versions: Vec<_> = versions.iter().map(|value| value.replace("TAG", &etag)).collect();
            let changed = patch(&versions).is(202).header("etag").to_owned();
            assert_ne!(changed, etag, "each change has its version");
            etag = changed;
        }
        let stale = Some(&*first).filter(|first| *first != etag);
        for versions in ["\"x\", \"y\"", "W/TAG", "\"x\", W/TAG"].into_iter().chain(stale) {
            patch(&[versions.replace("TAG", &etag)]).problem(412);
        }
        assert_eq!(subject.get(&path).header("etag"), etag, "nothing was changed");
        let unless = [("if-none-match", "*")];
        subject.ask(&Method::PATCH, &path, &unless, "{}").problem(400);
    }
    if entity.has(Method::DELETE) && !entity.creates.is_empty() {
        let delete = |version: &str| subject.ask(&Method::DELETE, &path, &[("if-match", version)], "");
        for version in ["\"x\"", &format!("W/{etag}")] {
            delete(version).problem(412);
        }
        if first != etag {
            delete(&first).problem(412);
        }
        assert_eq!(subject.get(&path).is(200).header("etag"), etag);
        delete(&etag).is(202);
        delete(&etag).problem(412);
    }
}

pub fn of_changes_to_one_version_one_succeeds(subject: &Subject) {
    let entity = &subject.entity;
    if !entity.has(Method::GET) || subject.patch(1).is_none() {
        return;
    }
    let path = subject.path_of_a_row().expect("what can be patched");
    let etag = subject.get(&path).header("etag").to_owned();
    let headers = [("if-match", etag.as_str())];
    let patches = [1, 3, 5, 7].map(|number| subject.patch(number).expect("a change"));
    let replies = at_once(&patches, |patch| subject.ask(&Method::PATCH, &path, &headers, patch));
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 412, 412, 412]);
    let done = replies.iter().find(|reply| reply.status == 202).expect("one");
    assert_eq!(subject.get(&path).header("etag"), done.header("etag"));
}

pub fn faults_are_not_seen(subject: &Subject) {
    let entity = &subject.entity;
    // The fault of each first call, and of each second: an attempt that did nothing, or whose answer is lost.
    let faults =
        [["error_500", "commit_then_drop"], ["commit_then_drop", "reset_before_read"], ["truncate", "error_503"]];
    for pair in faults {
        let ask = |method: &Method, target: &str, headers: &[(&str, &str)], body: &str, status: u16| {
            subject.faults.set(&json!({ "first": pair }));
            let reply = subject.ask(method, target, headers, body).is(status);
            let log = subject.faults.log();
            assert_eq!((&log["faults"], &log["calls"]), (&json!({pair[0]: 1, pair[1]: 1}), &json!(3)), "{pair:?}");
            reply
        };
        let count = || entity.list.as_ref().map(|_| subject.all_rows().len());
        let before = count();
        let mut row = entity.path_of_example.clone();
        for (number, (method, path)) in entity.creates.iter().enumerate() {
            let sent = subject.new_row();
            let created = ask(method, path, &[], &sent.to_string(), 201);
            subject.shows(&subject.row(&created), &sent);
            assert_eq!(count(), before.map(|before| before + number + 1), "one row more");
            row = Some(created.location());
        }
        if let Some((path, _)) = &entity.many {
            let before = count();
            let array = json!([subject.new_row(), subject.new_row()]).to_string();
            assert_eq!(ask(&Method::POST, path, &[], &array, 201).json().as_array().map(Vec::len), Some(2));
            assert_eq!(count(), before.map(|before| before + 2), "two rows more");
        }
        let Some(path) = row.filter(|_| entity.has(Method::GET)) else {
            return;
        };
        let etag = ask(&Method::GET, &path, &[], "", 200).header("etag").to_owned();
        let mut if_match = vec![("if-match", etag.as_str())];
        let patched;
        if let Some(patch) = subject.patch(1) {
            // The first attempt has made a new version, and the next one is no 412.
            patched = ask(&Method::PATCH, &path, &if_match, &patch, 202).header("etag").to_owned();
            assert_ne!(patched, etag);
            assert_eq!(subject.get(&path).header("etag"), patched, "done once");
            if_match = vec![("if-match", &patched)];
        }
        if entity.has(Method::DELETE) && !entity.creates.is_empty() {
            ask(&Method::DELETE, &path, &if_match, "", 202);
            subject.is_absent(&path);
        }
    }
}
