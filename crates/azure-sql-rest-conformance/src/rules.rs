//! The rules of fields: what breaks one is 422 and named, what just keeps it comes back.

use http::Method;
use serde_json::{Value, json};

use crate::entity::{Member, set, with, without};
use crate::subject::Subject;
use crate::values;

pub fn fields_that_break_a_rule_are_named(subject: &Subject) {
    let entity = &subject.entity;
    if let Some((method, path)) = entity.creates.last() {
        let valid = subject.new_row();
        for member in &entity.new {
            let refused = |row: Value, why: &str| {
                subject.refuses(&subject.ask(method, path, &[], &row.to_string()), &member.field, why);
            };
            // An object's own members are named when it is absent.
            if member.is_required && !member.is_object {
                refused(without(&valid, &member.field), "absent");
            }
            for (why, value) in values::forbidden(&member.schema, member.is_object) {
                refused(with(&valid, &member.field, value), why);
            }
            for (why, value) in values::conflicting(&member.schema) {
                let row = with(&valid, &member.field, value);
                subject.conflicts(&subject.ask(method, path, &[], &row.to_string()), &member.field, why);
            }
        }
    }
    if !entity.has(Method::PATCH) {
        return;
    }
    let path = subject.path_of_a_row().expect("what can be patched");
    let version = || entity.has(Method::GET).then(|| subject.get(&path).header("etag").to_owned());
    let before = version();
    for member in &entity.patch {
        for (why, value) in values::forbidden(&member.schema, member.is_object) {
            let mut patch = json!({});
            set(&mut patch, &member.field, value);
            subject.refuses(&subject.ask(&Method::PATCH, &path, &[], &patch.to_string()), &member.field, why);
        }
        for (why, value) in values::conflicting(&member.schema) {
            let mut patch = json!({});
            set(&mut patch, &member.field, value);
            subject.conflicts(&subject.ask(&Method::PATCH, &path, &[], &patch.to_string()), &member.field, why);
        }
    }
    assert_eq!(version(), before, "nothing was changed");
}

/// A value at a limit of a member, like the other value if it is a text.
type Limit<'l> = &'l dyn Fn(&Member, &Value) -> Option<Value>;

pub fn values_at_their_limits_come_back(subject: &Subject) {
    let entity = &subject.entity;
    let highest = |member: &Member, like: &Value| values::highest(&member.schema, like);
    let pairs = |member: &Member, like: &Value| {
        let text = values::longest_of_pairs(&member.schema, like.as_str()?).map(Value::from);
        text.filter(|_| values::is_unicode(&member.schema))
    };
    // A unique number is the least in one row at most, and a unique text must have room to differ.
    let lowest = |member: &Member, _: &Value| {
        let lowest = values::lowest(&member.schema)?;
        let is_free = !member.is_unique || !(lowest.is_string() || subject.is_taken(&lowest));
        is_free.then_some(lowest)
    };
    for limit in [&highest as Limit, &pairs, &lowest] {
        let of = |members: &[Member], is_patch: bool| {
            let mut row = if is_patch { json!({}) } else { subject.new_row() };
            let members = members.iter().filter(|member| !member.is_given() && !member.base.is_null());
            for member in members {
                let like = if member.varies() { subject.another(member) } else { member.base.clone() };
                if let Some(value) = limit(member, &like) {
                    set(&mut row, &member.field, value);
                }
            }
            row
        };
        let mut created = None;
        if !entity.creates.is_empty() {
            let sent = of(&entity.new, false);
            let reply = subject.create(&sent);
            subject.shows(&subject.row(&reply), &sent);
            created = Some(reply.location());
        }
        if let Some(path) = created.or(entity.path_of_example.clone()).filter(|_| entity.has(Method::PATCH)) {
            let sent = of(&entity.patch, true);
            let reply = subject.ask(&Method::PATCH, &path, &[], &sent.to_string()).is(202);
            subject.shows(&subject.row(&reply), &sent);
        }
    }
}
