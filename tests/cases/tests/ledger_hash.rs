//! The hash of a request in the ledger of `sql/13-requests.sql`, computed by SQLite, which has the same functions.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// The expression in the parentheses behind `HASHBYTES('SHA2_256',`, as SQLite writes it.
fn expression() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql/13-requests.sql");
    let script = fs::read_to_string(path).expect("a script");
    let (_, rest) = script.split_once("HASHBYTES('SHA2_256',").expect("a hash");
    let (expression, _) = rest.split_once(");").expect("its end");
    expression.replace("NCHAR(", "char(").replace("N'", "'").replace('@', ":")
}

#[test]
fn no_two_requests_hash_the_same_text() {
    let connection = Connection::open_in_memory().expect("a database");
    let mut hashed = connection.prepare(&format!("SELECT {}", expression())).expect("an expression");
    let texts = ["", "a", "\n", "a\n", "\na", r"\", r"\n", r"a\", "\\\n", r"\\n", "\n\n", r"a\na"];
    let requests: Vec<_> = texts.iter().flat_map(|key| texts.iter().map(move |json| (key, json))).collect();
    let mut of = |(key, json): &(&&str, &&str)| {
        let arguments = [(":Operation", "web.patch_thing"), (":RowID", key), (":Json", json)];
        hashed.query_row(&arguments, |row| row.get::<_, String>(0)).expect("a text")
    };
    let distinct: BTreeSet<_> = requests.iter().map(&mut of).collect();
    assert_eq!(distinct.len(), requests.len());
}
