//! `web.put_customer`: what is stored and shown.

use super::customer::{but, new, shown};
use crate::case::{
    Argument, Case, Engine, Expect, absent, call, case, delete, get, no_object, patch, put, row, status, taken,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = stored();
    cases.extend(texts());
    cases.extend(names());
    cases
}

fn stored() -> Vec<Case> {
    let defaults = [
        ("CustomerCategoryID", Some("5")),
        ("BuyingGroupID", None),
        ("PrimaryContactPersonID", Some("1")),
        ("AlternateContactPersonID", None),
        ("DeliveryMethodID", Some("1")),
        ("DeliveryCityID", Some("28561")),
        ("PostalCityID", Some("28561")),
        ("IsStatementSent", Some("0")),
        ("IsOnCreditHold", Some("0")),
        ("PaymentDays", Some("30")),
        ("DeliveryRun", None),
        ("PostalAddressLine1", Some("L")),
        ("PostalAddressLine2", None),
        ("PostalPostalCode", Some("P")),
        ("LastEditedBy", Some("1")),
    ];
    let full = but(&new("Two lines"), r#""PostalCode""#, r#""AddressLine2":"L2","PostalCode""#);
    let number = |name: &str, number: &str| but(&new(name), r#""P""#, number);
    let as_text = |name: &str, text: &str| but(&shown("a", name), r#""P""#, &format!(r#""{text}""#));
    vec![
        case("a new customer is shown as it was sent, and then read the same")
            .then(put("1", new("As sent")), row(201, shown("a", "As sent")).id("a").version("v"))
            .then(get("a"), row(200, shown("a", "As sent")).version("v"))
            .recorded("1", "web.put_customer", 201, "a"),
        case("the rest of a new row has the defaults")
            .then(put("1", new("Defaults")), status(201).id("a"))
            .stored("a", &defaults),
        case("a second address line goes into the postal address too")
            .then(
                put("1", full),
                row(201, but(&shown("a", "Two lines"), r#""PostalCode""#, r#""AddressLine2":"L2","PostalCode""#))
                    .id("a"),
            )
            .stored("a", &[("DeliveryAddressLine2", Some("L2")), ("PostalAddressLine2", Some("L2"))]),
        case("a second address line of null is none")
            .then(
                put("1", but(&new("No second line"), r#""PostalCode""#, r#""AddressLine2":null,"PostalCode""#)),
                row(201, shown("a", "No second line")).id("a"),
            )
            .stored("a", &[("DeliveryAddressLine2", None)]),
        case("a postal code that is a number is taken as its text")
            .then(put("1", number("Number", "98052")), row(201, as_text("Number", "98052")).id("a"))
            .stored("a", &[("DeliveryPostalCode", Some("98052")), ("PostalPostalCode", Some("98052"))]),
        case("a number keeps the form in which it was written")
            .then(put("1", number("Exponent", "1e3")), row(201, as_text("Exponent", "1e3")).id("a"))
            .then(
                put("2", number("Zeros", "1.500")),
                row(201, but(&shown("b", "Zeros"), r#""P""#, r#""1.500""#)).id("b"),
            )
            .then(put("3", number("Minus", "-0")), row(201, but(&shown("c", "Minus"), r#""P""#, r#""-0""#)).id("c")),
        case("a number may be beyond every type of number")
            .then(put("1", number("Large", "1E+400")), row(201, as_text("Large", "1E+400")).id("a"))
            .then(
                put("2", number("Fraction", "-0.10")),
                row(201, but(&shown("b", "Fraction"), r#""P""#, r#""-0.10""#)).id("b"),
            ),
        case("texts may be empty").then(
            put("1", but(&but(&new("Empty texts"), r#""1""#, r#""""#), r#""L""#, r#""""#)),
            row(201, but(&but(&shown("a", "Empty texts"), r#""1""#, r#""""#), r#""L""#, r#""""#)).id("a"),
        ),
        case("members that are no fields are ignored, CustomerID among them").then(
            put("1", but(&new("Unknown members"), "{", r#"{"CustomerID":123,"x":{"Delivery":[1]},"y":null,"#)),
            row(201, shown("a", "Unknown members")).id("a"),
        ),
        case("of two members with one name the first counts")
            .then(
                put("1", but(&new("First"), r#""PhoneNumber""#, r#""CustomerName":"Second","PhoneNumber""#)),
                row(201, shown("a", "First")).id("a"),
            )
            .then(
                put("2", but(&new("First line"), r#""PostalCode""#, r#""AddressLine1":"M","PostalCode""#)),
                row(201, shown("b", "First line")).id("b"),
            )
            .then(
                put("3", but(&new("First delivery"), r#""P"}"#, r#""P"},"Delivery":null"#)),
                row(201, shown("c", "First delivery")).id("c"),
            ),
        case("white space between tokens does not matter").then(
            put("1", format!("\r\n\t {} \n", new("White space").replace(':', " :\t").replace("http :\t", "http:"))),
            row(201, shown("a", "White space")).id("a"),
        ),
        case("ids are never used again")
            .then(put("1", new("Again")), status(201).id("a"))
            .then(delete("2", "a"), row(202, r#"[{"CustomerID":$a}]"#))
            .then(put("3", new("Again")), row(201, shown("b", "Again")).id("b"))
            .then(get("a"), absent("$a")),
        case("a refused customer may leave a gap in the ids, but the next one is new")
            .then(put("1", new("Gap")), status(201).id("a"))
            .then(put("2", new("Gap")), taken())
            .then(put("3", new("After the gap")), status(201).id("b")),
        lagging("an id of the sequence that is in use is skipped by a retry")
            .then(put("2", new("After the lag")), row(201, shown("b", "After the lag")).id("b"))
            .only_on(&[Engine::SqlServer]),
    ]
}

/// A case in which the next id is that of customer `a`.
fn lagging(name: &'static str) -> Case {
    case(name).then(put("1", new("Before the lag")), status(201).id("a")).next_id("a")
}

fn texts() -> Vec<Case> {
    let everything = "\u{7f} \u{e9} \u{2028} \u{65e5}\u{672c} <>&'+ \u{1f600}";
    let nested = |levels: usize| {
        but(&new(&format!("{levels} levels")), "{", &format!(r#"{{"x":{}{},"#, "[".repeat(levels), "]".repeat(levels)))
    };
    let not_objects = [
        "",
        " ",
        "null",
        "true",
        "1",
        "\"x\"",
        "[]",
        "[{}]",
        "{",
        "{}x",
        "{} {}",
        "{'a':1}",
        "{\"a\"}",
        "x",
        "{\"a\":\"\u{1}",
    ];
    let mut not_an_object = case("what is not a JSON object is 400 and not recorded");
    for json in not_objects {
        not_an_object = not_an_object.then(put("1", json), no_object());
    }
    vec![
        not_an_object.not_recorded("1"),
        case("no text at all is 400").then(
            call("put_customer", true, vec![("Json", Argument::Null), ("RequestKey", Argument::Key("1"))]),
            no_object(),
        ),
        case("escapes in the text are decoded").then(
            put("1", new(r#"\u0041\u00e9\ud83d\ude00 \" \\ \/"#)),
            row(201, shown("a", "A\u{e9}\u{1f600} \\\" \\\\ \\/")).id("a"),
        ),
        case("control characters are escaped as FOR JSON does").then(
            put("1", new(r"C \b\f\n\r\t \u0001 \u001F \u001b")),
            row(201, shown("a", r"C \b\f\n\r\t \u0001 \u001f \u001b")).id("a"),
        ),
        case("everything else is not escaped")
            .then(put("1", new(everything)), row(201, shown("a", everything)).id("a")),
        case("every slash is escaped").then(put("1", new("// /")), row(201, shown("a", r"\/\/ \/")).id("a")),
        case("half a surrogate pair is U+FFFD on Data API Builder's wire")
            .then(put("1", new(r"Half \ud800")), row(201, shown("a", "Half \u{fffd}")).id("a"))
            .only_on(&[Engine::Bridge]),
        case("half a surrogate pair in the name of a member that is no field does not matter")
            .then(
                put("1", but(&new("Half a name"), r#""PostalCode""#, r#""\ud800":1,"PostalCode""#)),
                row(201, shown("a", "Half a name")).id("a"),
            )
            .only_on(&[Engine::Bridge, Engine::SqlServer]),
        case("100 levels of nesting are read").then(put("1", nested(100)), row(201, shown("a", "100 levels")).id("a")),
        case("200 levels of nesting are too many").then(put("1", nested(200)), no_object()).not_recorded("1"),
        case("5000 levels of nesting are too many, too")
            .then(put("1", nested(5000)), no_object())
            .then(patch("1", 9999, nested(5000)), no_object())
            .not_recorded("1"),
        case("the name of a member that is no field may have more than 4000 characters").then(
            put("1", but(&new("Long member"), "{", &format!(r#"{{"{}":1,"#, "m".repeat(4001)))),
            row(201, shown("a", "Long member")).id("a"),
        ),
    ]
}

fn names() -> Vec<Case> {
    let exists = |key, name: &str| (put(key, new(name)), taken());
    let same = |case: Case, names: &[(&'static str, &str)]| {
        names.iter().fold(case, |case, (key, name)| {
            let (call, expect) = exists(key, name);
            case.then(call, expect)
        })
    };
    let created = |name: &str| -> Expect { row(201, shown("a", name)).id("a") };
    vec![
        same(
            case("names differ in more than case").then(put("1", new("Case Matters Not")), created("Case Matters Not")),
            &[("2", "case matters not"), ("3", "CASE MATTERS NOT")],
        )
        .not_recorded("2"),
        same(
            case("names differ in more than case, also beyond ASCII")
                .then(put("1", new("\u{c4}NGSTR\u{d6}M")), status(201).id("a")),
            &[("2", "\u{e4}ngstr\u{f6}m")],
        ),
        same(
            case("names differ in more than trailing blanks").then(put("1", new("Blanks ")), created("Blanks ")),
            &[("2", "Blanks"), ("3", "Blanks   ")],
        ),
        case("names may differ in accents and in leading blanks")
            .then(put("1", new("Resume")), status(201).id("a"))
            .then(put("2", new("R\u{e9}sum\u{e9}")), status(201).id("b"))
            .then(put("3", new(" Resume")), status(201).id("c")),
        same(
            case("a name of the sample is taken"),
            &[("1", "Tailspin Toys (Roe Park, NY)"), ("2", "wingtip toys (head office)")],
        ),
        case("full-width letters are the same name for SQL Server")
            .then(put("1", new("Width")), status(201).id("a"))
            .then(put("2", new("\u{ff37}idth")), taken()),
        case("of names, NUL weighs nothing, and sharp s is ss")
            .then(put("1", new("Gro\u{df}")), status(201).id("a"))
            .then(put("2", new("GROSS")), taken())
            .then(put("3", new("Gr\\u0000oss")), taken()),
    ]
}
