//! `web.ready`, `web.get_customer`, `web.get_customers`.

use super::customer::{new, shown};
use crate::case::{Argument, Case, Engine, Expect, absent, call, case, get, page, problem, put, row, status};

pub(super) fn cases() -> Vec<Case> {
    let out_of_range = || problem(400, "limit must be between 1 and 1000.");
    let list = |after, limit| call("get_customers", false, vec![("After", after), ("Limit", limit)]);
    vec![
        case("the database is ready").then(call("ready", false, vec![]), row(200, r#"{"status":"ready"}"#)),
        case("customer 123 is that of WideWorldImporters").then(
            get(123),
            row(
                200,
                r#"[{"CustomerID":123,"CustomerName":"Tailspin Toys (Roe Park, NY)","PhoneNumber":"(212) 555-0100","FaxNumber":"(212) 555-0101","WebsiteURL":"http:\/\/www.tailspintoys.com\/RoePark","Delivery":{"AddressLine1":"Shop 219","AddressLine2":"528 Persson Road","PostalCode":"90775"}}]"#,
            )
            .version("v"),
        ),
        case("ids that do not exist are 404")
            .then(get(9999), absent("9999"))
            .then(get(0), absent("0"))
            .then(get(-1), absent("-1"))
            .then(get(300), absent("300"))
            .then(get(i32::MAX), absent("2147483647")),
        case("an id that is missing is an error")
            .then(call("get_customer", false, vec![]), Expect::Error(201)),
        case("reading twice gives the same version")
            .then(get(401), status(200).version("v"))
            .then(get(401), status(200).version("v")),
        case("a page begins behind its start and says where it ends")
            .then(page(0, 1), row(200, r#"[{"CustomerID":1,"CustomerName":"Tailspin Toys (Head Office)"}]"#).next_after(1))
            .then(
                page(122, 1),
                row(200, r#"[{"CustomerID":123,"CustomerName":"Tailspin Toys (Roe Park, NY)"}]"#).next_after(123),
            ),
        case("a page goes on behind a gap of ids")
            .then(page(201, 1), row(200, r#"[{"CustomerID":401,"CustomerName":"Wingtip Toys (Head Office)"}]"#).next_after(401))
            .then(page(199, 3), status(200).next_after(401))
            .then(page(601, 1), status(200).next_after(801)),
        case("a page that has all rows has no next").then(page(0, 1000), status(200)),
        case("behind the last id there is nothing").then(page(i32::MAX, 1000), row(200, "[]")),
        case("the last page has no next, also when it is full")
            .then(put("1", new("Last but one")), status(201).id("a"))
            .then(put("2", new("Last")), status(201).id("b"))
            .then(page("a", 1), row(200, r#"[{"CustomerID":$b,"CustomerName":"Last"}]"#))
            .then(page("a", 2), row(200, r#"[{"CustomerID":$b,"CustomerName":"Last"}]"#))
            .then(page("b", 1), row(200, "[]")),
        case("start and limit have defaults")
            .then(call("get_customers", false, vec![]), status(200).next_after(100))
            .then(call("get_customers", false, vec![("After", Argument::Int(121))]), status(200).next_after(420))
            .then(call("get_customers", false, vec![("Limit", Argument::Int(2))]), status(200).next_after(2)),
        case("a limit must be between 1 and 1000")
            .then(page(0, 0), out_of_range())
            .then(page(0, 1001), out_of_range())
            .then(page(0, i32::MIN), out_of_range()),
        case("a page may begin behind a negative key, or without one")
            .then(page(-1, 1), row(200, r#"[{"CustomerID":1,"CustomerName":"Tailspin Toys (Head Office)"}]"#).next_after(1))
            .then(page(i32::MIN, 1), status(200).next_after(1)),
        case("NULL, which no query string can carry, is no id and no page")
            .then(call("get_customer", false, vec![("CustomerID", Argument::Null)]), absent(""))
            .then(list(Argument::Int(0), Argument::Null), out_of_range())
            .then(list(Argument::Null, Argument::Int(1)), status(200).next_after(1))
            .only_on(&[Engine::SqlServer]),
        case("a name that FOR JSON escapes is escaped in pages too")
            .then(put("1", new(r"Slash \/ and \u00e9")), row(201, shown("a", r"Slash \/ and é")).id("a"))
            .then(put("2", new("After the slash")), status(201).id("b"))
            .then(page("a", 1), row(200, r#"[{"CustomerID":$b,"CustomerName":"After the slash"}]"#)),
    ]
}
