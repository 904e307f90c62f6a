//! Rules for the text of the scripts, whatever they do.

use std::collections::HashSet;

use crate::tsql::{Routine, Token, all_routines, find, procedures, qualified, scripts};

/// Where a `SELECT` stands outside every parenthesis.
fn top_level_selects(statements: &[Token]) -> Vec<usize> {
    let mut depth = 0;
    let mut selects = Vec::new();
    for (at, token) in statements.iter().enumerate() {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        if depth == 0 && token.is("SELECT") {
            selects.push(at);
        }
    }
    selects
}

/// Whether the `SELECT` at this place makes no result set: it assigns variables, or feeds an `INSERT`.
fn returns_nothing(statements: &[Token], select: usize) -> bool {
    if let [Token::Variable(_), equals, ..] = &statements[select + 1..]
        && equals.is("=")
    {
        return true;
    }
    if find(&statements[select + 1..select + 5], &["TOP", "("]).is_some() && statements[select + 6].is("=") {
        return true;
    }
    let begin = statements[..select].iter().rposition(|token| {
        [";", "BEGIN", "ELSE", "TRY", "CATCH"]
            .iter()
            .any(|boundary| token.is(boundary))
    });
    statements[begin.map_or(0, |at| at + 1)].is("INSERT")
}

#[test]
fn a_procedure_returns_one_row_set_with_its_last_statement() {
    for procedure in procedures() {
        let statements = procedure.statements();
        let last = procedure.last_statement().start;
        assert!(statements[last].is("SELECT"), "{}", procedure.script);
        for select in top_level_selects(statements) {
            let silent = returns_nothing(statements, select);
            assert_eq!(
                silent,
                select != last,
                "{}: {:?}",
                procedure.script,
                &statements[select..select + 6]
            );
        }
        for other in ["OUTPUT", "PRINT", "FETCH", "RETURN"] {
            assert!(
                !statements.iter().any(|token| token.is(other)),
                "{}: {other}",
                procedure.script
            );
        }
    }
}

#[test]
fn a_procedure_begins_with_set_nocount_on() {
    for procedure in procedures() {
        let expected = ["SET", "NOCOUNT", "ON", ";"];
        assert_eq!(find(procedure.statements(), &expected), Some(0), "{}", procedure.script);
    }
}

#[test]
fn a_procedure_that_catches_errors_leaves_the_transaction_committable() {
    for Routine { script, body, .. } in procedures() {
        let catches = find(&body, &["BEGIN", "CATCH"]).is_some();
        assert_eq!(
            find(&body, &["SET", "XACT_ABORT", "OFF", ";"]).is_some(),
            catches,
            "{script}"
        );
        assert_eq!(find(&body, &["SET", "XACT_ABORT", "ON"]), None, "{script}");
        // What is not expected is thrown on: each CATCH has a THROW, and the outermost one ends with it.
        let count = |sequence: &[&str]| {
            body.windows(sequence.len())
                .filter(|window| window.iter().zip(sequence).all(|(token, word)| token.is(word)))
                .count()
        };
        assert!(
            !catches || count(&["THROW", ";"]) == count(&["BEGIN", "CATCH"]),
            "{script}: THROW"
        );
    }
}

#[test]
fn no_statement_is_made_from_text() {
    for routine in all_routines() {
        for word in ["EXEC", "EXECUTE", "sp_executesql"] {
            assert!(
                !routine.body.iter().any(|token| token.is(word)),
                "{}: {word}",
                routine.script
            );
        }
    }
    for script in scripts() {
        for (at, pair) in script.batches.concat().windows(2).enumerate() {
            let [left, right] = pair else { continue };
            let is_text = |token: &Token| matches!(token, Token::Text(_));
            let concatenates = left.is("+") && is_text(right) || is_text(left) && right.is("+");
            assert!(!concatenates, "{}: + at token {at}", script.name);
            // Outside procedures: one constant text, or the permission of that name.
            if left.is("EXEC") || left.is("EXECUTE") {
                let batch = script.batches.concat();
                let is_permission = at > 0 && batch[at - 1].is("GRANT");
                let is_constant = right.is("(") && is_text(&batch[at + 2]) && batch[at + 3].is(")");
                assert!(is_permission || is_constant, "{}: EXECUTE at token {at}", script.name);
            }
        }
    }
}

/// The names that a `WITH … AS (…)` gives to its queries.
fn common_tables(batch: &[Token]) -> HashSet<&str> {
    let name = |window: &[Token]| window[1].is("AS") && window[2].is("(");
    batch
        .windows(3)
        .filter(|window| name(window))
        .filter_map(|window| window[0].word())
        .collect::<HashSet<_>>()
}

#[test]
fn every_object_is_named_with_its_schema() {
    for script in scripts() {
        for batch in &script.batches {
            let common = common_tables(batch);
            for (at, token) in batch.iter().enumerate().take(batch.len().saturating_sub(2)) {
                let is_target = [
                    "FROM",
                    "JOIN",
                    "INTO",
                    "UPDATE",
                    "TABLE",
                    "PROCEDURE",
                    "FUNCTION",
                    "SEQUENCE",
                    "REFERENCES",
                ]
                .iter()
                .any(|word| token.is(word))
                    || token.is("FOR") && at > 0 && batch[at - 1].is("VALUE")
                    || token.is("DELETE") && !batch[at + 1].is("FROM") && !batch[at + 1].is("TOP")
                    || token.is("ON") && at > 1 && batch[at - 2].is("INDEX");
                let rest = &batch[at + 1..];
                let named = match &rest[0] {
                    Token::Variable(_) => true,
                    Token::Symbol('(') => true,
                    Token::Word(word) => {
                        qualified(rest).is_some()
                            || common.contains(word.as_str())
                            || ["OPENJSON", "STRING_SPLIT", "EXTERNAL"]
                                .iter()
                                .any(|known| rest[0].is(known))
                            || token.is("FUNCTION") && word == "RETURN"
                    }
                    _ => false,
                };
                let is_returned_table = token.is("TABLE")
                    && at > 0
                    && (batch[at - 1].is("RETURNS") || matches!(batch[at - 1], Token::Variable(_)));
                assert!(
                    !is_target || named || is_returned_table,
                    "{}: {:?} {:?}",
                    script.name,
                    token,
                    rest[0]
                );
            }
        }
    }
}
