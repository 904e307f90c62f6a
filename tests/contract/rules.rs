//! Rules for the text of the scripts, whatever they do.

use crate::tsql::{Routine, count, find, procedures, routines, scripts};

/// The procedures that the API may execute.
fn of_the_api() -> impl Iterator<Item = Routine> {
    procedures().into_iter().filter(|routine| routine.name.starts_with("web."))
}

/// The procedures that these execute, in their transaction.
fn nested() -> impl Iterator<Item = Routine> {
    let calls = |routine: &Routine| {
        let execute = format!("EXECUTE {}", routine.name);
        of_the_api().any(|caller| find(&caller.body, &execute).is_some())
    };
    procedures().into_iter().filter(calls)
}

/// The scripts that make statements from text, because these statements take no parameters. They are schema changes, and the user of
/// an identity, which is made of the id that the caller of the script gives.
const FROM_TEXT: [&str; 2] = ["31-erase_customer.sql", "91-user-managed-identity.sql"];

#[test]
fn a_procedure_returns_one_row_set_with_its_last_statement_and_no_counts() {
    for procedure in of_the_api() {
        let (name, statements, last) = (&procedure.name, procedure.statements(), procedure.last_statement());
        assert_eq!(statements[last], "SELECT", "{name}");
        assert_eq!(find(statements, "SET NOCOUNT ON;"), Some(0), "{name}");
        assert_eq!(loud(statements), [last], "{name}");
        // A cursor's FETCH is not a FETCH of ORDER BY.
        assert_eq!(count(statements, "FETCH"), count(statements, "ROWS FETCH NEXT"), "{name}");
        // The clause OUTPUT would be a result, unless it goes into a table.
        assert_eq!(count(statements, "INSERTED ."), inserted_into(statements), "{name}: INSERTED");
        for other in ["DELETED", "CURSOR", "PRINT", "RETURN"] {
            assert_eq!(count(statements, other), 0, "{name}: {other}");
        }
    }
    let nested: Vec<_> = nested().collect();
    assert!(nested.len() >= 3);
    for procedure in nested {
        let (name, statements) = (&procedure.name, procedure.statements());
        assert_eq!(find(statements, "SET NOCOUNT ON;"), Some(0), "{name}");
        assert!(loud(statements).is_empty(), "{name}");
        // The transaction is its caller's: what is undone is undone to a savepoint.
        let [saved, undone] =
            ["SAVE", "ROLLBACK"].map(|verb| count(statements, &format!("{verb} TRANSACTION put_rows;")));
        assert_eq!((count(statements, "TRANSACTION"), saved), (2 * saved, undone), "{name}");
    }
}

/// How many columns of new rows go into a table of the procedure.
fn inserted_into(statements: &[String]) -> usize {
    let begins = (0..statements.len())
        .filter(|at| count(&statements[*at..(at + 2).min(statements.len())], "OUTPUT INSERTED") == 1);
    let of_clause = |at: usize| {
        let into = statements[at..].iter().position(|token| token == "INTO")?;
        let clause = &statements[at..at + into];
        statements[at + into + 1].starts_with('@').then(|| count(clause, "INSERTED ."))
    };
    begins.filter_map(of_clause).sum()
}

/// Where the `SELECT`s are that make a result set.
fn loud(statements: &[String]) -> Vec<usize> {
    let mut depth = 0;
    let mut selects = Vec::new();
    for (at, token) in statements.iter().enumerate() {
        depth += i32::from(token == "(") - i32::from(token == ")");
        if depth == 0 && token == "SELECT" && !returns_nothing(statements, at) {
            selects.push(at);
        }
    }
    selects
}

/// True if the `SELECT` at this place makes no result set: it assigns variables, or feeds an `INSERT`.
fn returns_nothing(statements: &[String], select: usize) -> bool {
    let assigns = |at: usize| statements[at].starts_with('@') && statements[at + 1] == "=";
    let is_boundary = |token: &String| [";", "BEGIN", "ELSE", "TRY", "CATCH"].contains(&token.as_str());
    let begin = statements[..select].iter().rposition(is_boundary);
    assigns(select + 1)
        || statements[select + 1] == "TOP" && assigns(select + 5)
        || statements[begin.map_or(0, |at| at + 1)..select].iter().any(|token| token == "INSERT")
}

#[test]
fn a_procedure_that_catches_errors_leaves_the_transaction_committable() {
    for procedure in of_the_api().chain(nested()) {
        let (name, body) = (&procedure.name, &procedure.body);
        let catches = count(body, "BEGIN CATCH");
        assert_eq!(count(body, "SET XACT_ABORT OFF;"), catches.min(1), "{name}");
        assert_eq!(count(body, "SET XACT_ABORT ON"), 0, "{name}");
        // Other errors are thrown on: each CATCH has a THROW.
        assert!(catches == 0 || count(body, "THROW;") == catches, "{name}: THROW");
    }
}

#[test]
fn what_is_bound_to_a_schema_names_no_routine_that_a_second_run_replaces() {
    let routines: Vec<_> = procedures().into_iter().chain(routines("FUNCTION")).collect();
    for batch in scripts().into_iter().flat_map(|script| script.batches) {
        if find(&batch, "WITH SCHEMABINDING").is_some() {
            for routine in &routines {
                // Its own name is that of its head.
                let own = usize::from(find(&batch, &routine.name) == Some(4));
                assert_eq!(count(&batch, &routine.name), own, "{}", routine.name);
            }
        }
    }
}

#[test]
fn no_statement_is_made_from_text() {
    for script in scripts().iter().filter(|script| !FROM_TEXT.contains(&script.name.as_str())) {
        let all = script.batches.concat();
        let is_text = |token: &String| token.starts_with('\'');
        for (at, pair) in all.windows(2).enumerate() {
            let [left, right] = pair else { continue };
            let concatenates = left == "+" && is_text(right) || is_text(left) && right == "+";
            assert!(!concatenates, "{}: + at token {at}", script.name);
            assert_ne!(left, "sp_executesql", "{}: token {at}", script.name);
            // A procedure of ours, one constant text outside of them, or the permission of that name.
            if left == "EXEC" || left == "EXECUTE" {
                let is_permission = at > 0 && all[at - 1] == "GRANT";
                let is_constant = right == "(" && is_text(&all[at + 2]) && all[at + 3] == ")";
                let is_procedure = right == "ops" && all[at + 2] == ".";
                let is_given = right == "@Procedure" && script.name == "15-put_rows.sql";
                assert!(
                    is_permission || is_constant || is_procedure || is_given,
                    "{}: EXECUTE at token {at}",
                    script.name
                );
                // The name of the procedure for each row is a constant text of ours.
                let is_of_rows = is_procedure && all[at + 3] == "put_rows";
                assert!(!is_of_rows || is_text(&all[at + 4]) && is_text(&all[at + 6]), "{}: token {at}", script.name);
            }
        }
    }
}

#[test]
fn every_object_is_named_with_its_schema() {
    for script in scripts() {
        for batch in &script.batches {
            // The names that a `WITH … AS (…)` gives to its queries, and aliases, need none.
            let is_common = |name: &String| {
                find(batch, &format!("{name} AS (")).is_some() || find(batch, &format!("AS {name}")).is_some()
            };
            for (at, token) in batch.iter().enumerate().take(batch.len().saturating_sub(2)) {
                let (next, before) = (&batch[at + 1], |back| at.checked_sub(back).map_or("", |at| &batch[at]));
                let is_target = match token.as_str() {
                    "FROM" | "JOIN" | "APPLY" | "INTO" | "UPDATE" | "PROCEDURE" | "FUNCTION" | "SEQUENCE"
                    | "REFERENCES" => true,
                    "TABLE" => before(1) != "RETURNS" && !before(1).starts_with('@'),
                    "FOR" => before(1) == "VALUE",
                    "DELETE" => next != "FROM" && next != "TOP",
                    "ON" => before(2) == "INDEX",
                    _ => false,
                };
                let is_named = next.starts_with('@')
                    || next == "("
                    || next == "IF"
                    || batch[at + 2] == "."
                    || ["OPENJSON", "STRING_SPLIT", "EXTERNAL"].contains(&next.as_str())
                    || is_common(next);
                assert!(!is_target || is_named, "{}: {token} {next}", script.name);
            }
        }
    }
}
