//! A static check of generated T-SQL, for tests: what an engine would refuse, or would take for something else.
//!
//! - Each batch begins with a statement that scripts of entities have, so that no text has become SQL.
//! - A variable is declared once in a batch, where case does not matter, and before it is used.
//! - A column that is read of the table is one that it has, in brackets where it is not a plain name.
//! - Parentheses, texts and comments end where they should.

use std::collections::BTreeSet;

use sqlparser::dialect::MsSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Word};

use super::plan::Plan;

/// Words that a statement of a script begins with, outside of procedures.
const BEGINNINGS: [&str; 6] = ["CREATE", "IF", "EXECUTE", "DELETE", "INSERT", "ALTER"];

/// Lists the faults of a script, a line each.
pub(super) fn problems(script: &str, plan: &Plan) -> Vec<String> {
    let tokens = match Tokenizer::new(&MsSqlDialect {}, script).tokenize() {
        Ok(tokens) => tokens,
        Err(error) => return vec![error.to_string()],
    };
    let tokens: Vec<_> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let mut problems = Vec::new();
    for batch in tokens.split(|token| is_word(token, "GO")).filter(|batch| !batch.is_empty()) {
        if !BEGINNINGS.iter().any(|word| is_word(&batch[0], word)) {
            problems.push(format!("a batch begins with {}", batch[0]));
        }
        parentheses(batch, &mut problems);
        variables(batch, &mut problems);
        columns(batch, plan, &mut problems);
    }
    problems
}

fn is_word(token: &Token, expected: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}

fn parentheses(batch: &[Token], problems: &mut Vec<String>) {
    let mut depth = 0;
    for token in batch {
        depth += i32::from(*token == Token::LParen) - i32::from(*token == Token::RParen);
        if depth < 0 {
            break;
        }
    }
    if depth != 0 {
        problems.push("a parenthesis has no partner".to_owned());
    }
}

/// The name of a variable, folded as SQL Server folds it.
fn variable(token: &Token) -> Option<String> {
    match token {
        Token::Word(Word { value, quote_style: None, .. }) if value.starts_with('@') && !value.starts_with("@@") => {
            Some(value.to_lowercase())
        }
        _ => None,
    }
}

fn variables(batch: &[Token], problems: &mut Vec<String>) {
    let mut declared = BTreeSet::new();
    let body = batch.iter().position(|token| is_word(token, "AS") || is_word(token, "RETURNS")).unwrap_or(0);
    let is_module = is_word(&batch[0], "CREATE");
    let (mut is_declaring, mut depth, mut is_name) = (false, 0, false);
    for (at, token) in batch.iter().enumerate() {
        depth += i32::from(*token == Token::LParen) - i32::from(*token == Token::RParen);
        if is_word(token, "DECLARE") {
            (is_declaring, depth, is_name) = (true, 0, true);
            continue;
        }
        let of_module = is_module && at < body;
        let begins = match batch.get(at.wrapping_sub(1)) {
            Some(Token::Comma) => of_module || depth == 0,
            Some(Token::LParen | Token::Word(_)) => of_module,
            _ => false,
        };
        if let Some(name) = variable(token) {
            if (is_declaring && (is_name || begins)) || (of_module && begins) {
                if !declared.insert(name.clone()) {
                    problems.push(format!("{name} is declared twice"));
                }
            } else if !is_argument(batch, at) && !declared.contains(&name) {
                problems.push(format!("{name} is not declared"));
            }
        }
        is_name = false;
        if *token == Token::SemiColon {
            is_declaring = false;
        }
    }
}

/// True for the name of an argument: `EXECUTE x @Name = …`, which belongs to another module.
fn is_argument(batch: &[Token], at: usize) -> bool {
    if batch.get(at + 1) != Some(&Token::Eq) {
        return false;
    }
    let statement = batch[..at].iter().rposition(|token| *token == Token::SemiColon).map_or(0, |end| end + 1);
    batch[statement..at].iter().any(|token| is_word(token, "EXECUTE"))
        && matches!(batch.get(at.wrapping_sub(1)), Some(Token::Comma | Token::Word(_)))
}

/// Words that are no names without brackets.
const RESERVED: [&str; 24] = [
    "ADD", "ALL", "BY", "CASE", "CHECK", "COLUMN", "DEFAULT", "DESC", "END", "FROM", "GROUP", "INDEX", "KEY", "OPTION",
    "ORDER", "PLAN", "PRIMARY", "PUBLIC", "RULE", "SELECT", "TABLE", "TO", "USER", "VALUES",
];

/// Reads `alias.Column` of every alias of the table.
fn columns(batch: &[Token], plan: &Plan, problems: &mut Vec<String>) {
    let is_name = |token: &Token, name: &str| matches!(token, Token::Word(word) if word.value == name);
    let mut aliases = BTreeSet::new();
    for window in batch.windows(5) {
        if let [schema, Token::Period, table, with, Token::Word(alias)] = window
            && is_name(schema, &plan.table.schema)
            && is_name(table, &plan.table.name)
            && is_word(with, "AS")
        {
            aliases.insert(alias.value.clone());
        }
    }
    for window in batch.windows(3) {
        let [Token::Word(alias), Token::Period, Token::Word(column)] = window else { continue };
        if !aliases.contains(&alias.value) {
            continue;
        }
        if plan.column(&column.value).is_none() {
            problems.push(format!("{} has no column {}", plan.table, column.value));
        }
        let is_reserved = RESERVED.contains(&column.value.to_uppercase().as_str());
        if column.quote_style.is_none() && is_reserved {
            problems.push(format!("{} is no name without brackets", column.value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(script: &str) -> String {
        let plan = Plan::parse(
            r#"
            name = "color"
            plural = "colors"
            table = "dbo.Colors"
            script = "sql/40-color.sql"
            operations = ["get"]
            key = { column = "Id", from = "client" }
            columns = [{ name = "Id", type = "int" }, { name = "Order", type = "int" }]
            "#,
        );
        problems(script, &plan.unwrap()).join("; ")
    }

    /// The faults that generated scripts had.
    #[test]
    fn faults_of_generated_scripts_are_found() {
        for (script, fault) in [
            ("/* a */ DROP TABLE x; /* */ CREATE PROCEDURE p AS SELECT 1", "a batch begins with DROP"),
            (
                "CREATE OR ALTER PROCEDURE p @Id INT, @Email INT AS DECLARE @HasEmail BIT, @email INT;",
                "@email is declared twice",
            ),
            ("CREATE OR ALTER PROCEDURE p @Id INT AS SELECT @Status;", "@status is not declared"),
            (
                "CREATE OR ALTER FUNCTION f (@Id INT) RETURNS TABLE AS RETURN SELECT c.Version FROM dbo.Colors AS c",
                "has no column Version",
            ),
            (
                "CREATE OR ALTER FUNCTION f (@Id INT) RETURNS TABLE AS RETURN SELECT c.Order FROM dbo.Colors AS c",
                "no name without brackets",
            ),
            ("CREATE TABLE x (A nvarchar(9) DEFAULT N'it's')", "Unterminated string"),
            ("IF OBJECT_ID(N'x') IS NULL BEGIN CREATE TABLE x (A int;", "a parenthesis has no partner"),
        ] {
            let said = said(script);
            assert!(said.contains(fault), "{script}: {said}");
        }
        let right = "CREATE OR ALTER PROCEDURE web.p @Id INT, @Json NVARCHAR(MAX) = NULL AS\nBEGIN\nDECLARE @A DECIMAL(5, 2), @B INT;\n\
                     EXECUTE ops.x @Other = @A OUTPUT, @Json = @Json;\nSELECT c.Id, c.[Order] FROM dbo.Colors AS c WHERE c.Id = @id;\nEND;\nGO\n";
        assert_eq!(said(right), "");
    }
}
