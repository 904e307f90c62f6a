//! Texts that were made to break something, in every member that takes any text, and in keys.

use http::Method;
use serde_json::{Value, json};

use crate::entity::{Member, get, set, with};
use crate::subject::Subject;
use crate::values;

/// Of characters that every column can have.
const PLAIN: [&str; 8] = [
    "O'Hara \"quoted\" `tick`",
    "'; DROP TABLE x;--",
    "]]; --[x] %_^$",
    r"back\slash \u0041 \\ \",
    "a tab\t a line\r\n a feed\u{c}",
    "control \u{0} \u{1} \u{1b} \u{1f} \u{7f}",
    "<b>&amp;</b> {}[]:,/ +%41 ?#",
    "  blanks at the ends  ",
];

/// Of characters that a column of a code page (`x-code-page`) may lack.
const BEYOND: [&str; 7] = [
    "\u{e9} \u{df} \u{142} \u{f1}",
    "e\u{301} combining \u{323}\u{307}",
    "\u{202e}\u{645}\u{631}\u{62d}\u{628}\u{627} from the right",
    "\u{1f600}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "\u{20bb7}\u{10ffff}",
    "\u{feff}mark\u{200b}\u{2028}\u{2029}",
    "\u{ff07}; DROP TABLE x;\u{2015}",
];

/// The text, cut to what the member can hold; behind the end of another value where no two may be the same.
fn fit(subject: &Subject, member: &Member, text: &str) -> Value {
    let mut text = text.to_owned();
    if member.varies() {
        let another = subject.another(member);
        let end = another.as_str().expect("a text").chars().rev().take(4);
        text.insert_str(0, &end.collect::<Vec<_>>().into_iter().rev().collect::<String>());
    }
    let most = member.schema["maxLength"].as_u64().unwrap_or(u64::MAX);
    while values::units(&text) > most {
        text.pop();
    }
    json!(text)
}

pub fn texts_come_back_as_they_were(subject: &Subject) {
    let entity = &subject.entity;
    let members: Vec<_> =
        entity.new.iter().filter(|member| values::is_text(&member.schema) && !member.is_given()).collect();
    let Some((method, path)) = entity.creates.first().filter(|_| !members.is_empty()) else {
        return;
    };
    for (text, is_plain) in PLAIN.map(|text| (text, true)).into_iter().chain(BEYOND.map(|text| (text, false))) {
        let mut row = subject.new_row();
        for member in &members {
            set(&mut row, &member.field, fit(subject, member, text));
        }
        let mut reply = subject.ask(method, path, &[], &row.to_string());
        if reply.status == 422 && !is_plain {
            // Only what says so lacks a character; the others take theirs all the same.
            for error in reply.problem(422)["errors"].as_array().expect("errors") {
                let refused = members.iter().find(|member| error["field"] == *member.field).expect("a text");
                assert!(!values::is_unicode(&refused.schema), "{} takes {text}, or says x-code-page", refused.field);
                let usual = if refused.varies() { subject.another(refused) } else { refused.base.clone() };
                set(&mut row, &refused.field, usual);
            }
            reply = subject.ask(method, path, &[], &row.to_string());
        }
        let reply = reply.is(201);
        subject.shows(&subject.row(&reply), &row);
        if entity.has(Method::PATCH) {
            // Where it stands as it should, it can be sent back.
            let mut patch = json!({});
            let same = entity.patch.iter().filter(|member| members.iter().any(|other| other.field == member.field));
            for (member, value) in same.filter_map(|member| Some((member, get(&row, &member.field)?))) {
                set(&mut patch, &member.field, value.clone());
            }
            let patched = subject.ask(&Method::PATCH, &reply.location(), &[], &patch.to_string()).is(202);
            subject.shows(&subject.row(&patched), &row);
            // A procedure may fill members with each change.
            let is_filled = |member: &Member| member.schema["readOnly"] == true && !entity.keys.contains(&member.field);
            if !entity.row.iter().any(is_filled) {
                assert_eq!(patched.text(), reply.text());
            }
        }
    }
}

pub fn keys_of_any_characters_find_their_row(subject: &Subject) {
    let entity = &subject.entity;
    if entity.creates.is_empty() || !entity.has(Method::GET) {
        return;
    }
    let is_key = |member: &&Member| entity.keys.contains(&member.field);
    let keys = entity.new.iter().filter(is_key);
    for key in keys.filter(|member| values::is_text(&member.schema) && !member.is_given()) {
        of_any_characters(subject, key);
    }
}

fn of_any_characters(subject: &Subject, key: &Member) {
    let entity = &subject.entity;
    for text in PLAIN.iter().chain(BEYOND.iter().filter(|_| values::is_unicode(&key.schema))) {
        let created = subject.create(&with(&subject.new_row(), &key.field, fit(subject, key, text)));
        let row = subject.row(&created);
        let key_of = |row: &Value| entity.path_of(&entity.key_of(row));
        let mut paths = vec![created.location(), key_of(&row)];
        // A path may leave out the blanks with which a CHAR is filled up.
        if let Some(text) = get(&row, &key.field).and_then(Value::as_str).filter(|_| key.schema["x-padded"] == true) {
            paths.push(key_of(&with(&row, &key.field, json!(text.trim_end_matches(' ')))));
        }
        for path in paths {
            assert_eq!(subject.get(&path).is(200).text(), created.text());
        }
        if entity.has(Method::DELETE) {
            subject.ask(&Method::DELETE, &created.location(), &[], "").is(202);
            subject.is_absent(&created.location());
        }
    }
}
