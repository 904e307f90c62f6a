//! `web.put_customers`: many rows, all or none, under one key.

use super::customer::{but, new, shown};
use crate::case::{Case, Expect, case, delete, none_created, patch, problem, put, put_all, reused, row, status, taken};

/// The array of these new customers.
fn array(names: &[&str]) -> String {
    format!("[{}]", names.iter().map(|name| new(name)).collect::<Vec<_>>().join(" , "))
}

/// The answer that shows customers.
fn all(customers: &[(&'static str, &str)]) -> Expect {
    let rows: Vec<_> = customers.iter().map(|(id, name)| shown(id, name).trim_matches(['[', ']']).to_owned()).collect();
    let ids: Vec<_> = customers.iter().map(|(id, _)| *id).collect();
    row(201, format!("[{}]", rows.join(","))).ids(&ids)
}

pub(super) fn cases() -> Vec<Case> {
    let one_bad = || format!("[{},{}]", new("Good one"), but(&new("Bad one"), r#""PhoneNumber":"1","#, ""));
    let several_bad = format!(
        r#"[{},7,{{"CustomerName":""}},[{}],null]"#,
        but(&new("Worse"), r#""FaxNumber":"2""#, r#""FaxNumber":2"#),
        new("Nested"),
    );
    let many = |count: usize| format!("[{}]", vec!["7"; count].join(","));
    let none_of_many: Vec<_> = (0..1000).map(|index| (index, "", "must be an object")).collect();
    vec![
        case("all rows of an array are created in its order")
            .then(
                put_all("1", array(&["Row Z", "Row A", "Row M"])),
                all(&[("a", "Row Z"), ("b", "Row A"), ("c", "Row M")]),
            )
            .then(put("2", new("Row A")), taken()),
        case("an array with the same key creates nothing new")
            .then(put_all("1", array(&["Once one", "Once two"])), all(&[("a", "Once one"), ("b", "Once two")]))
            .then(put_all("1", array(&["Once one", "Once two"])), all(&[("a", "Once one"), ("b", "Once two")]))
            .then(patch("2", "b", r#"{"CustomerName":"Once more"}"#), status(202))
            .then(put_all("1", array(&["Once one", "Once two"])), all(&[("a", "Once one"), ("b", "Once more")])),
        case("a replayed array leaves out what was deleted since")
            .then(put_all("1", array(&["Kept", "Gone"])), all(&[("a", "Kept"), ("b", "Gone")]))
            .then(delete("2", "b"), status(202))
            .then(put_all("1", array(&["Kept", "Gone"])), row(201, shown("a", "Kept")))
            .then(delete("3", "a"), status(202))
            .then(put_all("1", array(&["Kept", "Gone"])), row(201, "[]")),
        case("the key of an array is for one array, and one procedure")
            .then(put_all("1", array(&["Key one"])), all(&[("a", "Key one")]))
            .then(put_all("1", array(&["Key two"])), reused())
            .then(put_all("1", array(&["Key one", "Key two"])), reused())
            .then(put_all("1", "[]"), reused())
            .then(put("1", new("Key one")), reused())
            .then(put_all("2", array(&["Key two"])), all(&[("b", "Key two")]))
            .then(put("2", new("Key two")), reused()),
        case("an array with a bad row creates nothing, and gives its key back")
            .then(put_all("1", one_bad()), none_created(422, &[(1, "PhoneNumber", "is required")]))
            .not_recorded("1")
            .then(put("2", new("Good one")), status(201).id("a"))
            .then(put_all("1", array(&["Better one"])), all(&[("b", "Better one")])),
        case("the answer has the errors of all rows, by index").then(
            put_all("1", several_bad),
            none_created(
                422,
                &[
                    (0, "FaxNumber", "must be a string"),
                    (1, "", "must be an object"),
                    (2, "PhoneNumber", "is required"),
                    (2, "FaxNumber", "is required"),
                    (2, "WebsiteURL", "is required"),
                    (2, "Delivery.AddressLine1", "is required"),
                    (2, "Delivery.PostalCode", "is required"),
                    (3, "", "must be an object"),
                    (4, "", "must be an object"),
                ],
            ),
        ),
        case("a row that conflicts undoes the rows before it, and names its field")
            .then(put("1", new("Here first")), status(201).id("a"))
            .then(
                put_all("2", array(&["Not here", "here first", "Twice", "twice"])),
                none_created(409, &[(1, "CustomerName", "is taken"), (3, "CustomerName", "is taken")]),
            )
            .not_recorded("2")
            .then(put_all("2", array(&["Not here", "Twice"])), all(&[("b", "Not here"), ("c", "Twice")])),
        case("errors of fields come before conflicts").then(put("1", new("Conflict")), status(201).id("a")).then(
            put_all(
                "2",
                format!("[{},{{}},7]", new("Conflict")).replace("{}", &new("x").replace(r#""PhoneNumber":"1","#, "")),
            ),
            none_created(422, &[(1, "PhoneNumber", "is required"), (2, "", "must be an object")]),
        ),
        case("an array has 1 to 1000 rows")
            .then(put_all("1", " [ ] "), problem(422, "The array must have 1 to 1000 rows."))
            .then(put_all("1", many(1001)), problem(422, "The array must have 1 to 1000 rows."))
            .then(put_all("1", many(1000)), none_created(422, &none_of_many))
            .not_recorded("1"),
        ["", "{}", "{\"a\":[]}", "7", "[", "[{}]x", "[] []"]
            .into_iter()
            .fold(case("what is not a JSON array is 400"), |case, json| {
                case.then(put_all("1", json), problem(400, "The body is not a JSON array."))
            })
            .not_recorded("1"),
        case("of the same array at once, one is created").together(
            vec![put_all("1", array(&["At once one", "At once two"])); 4],
            vec![(4, all(&[("a", "At once one"), ("b", "At once two")]))],
        ),
    ]
}
