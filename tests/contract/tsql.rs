//! Reads just enough T-SQL for the contract: tokens, batches, and the shape of a `CREATE OR ALTER PROCEDURE`. The
//! reader understands the style of the scripts in `sql/`, and panics at any other. A real parser checks that they are
//! T-SQL (`make lint-sql`).
//!
//! A token is its text: `@Name`, `'text'` (also for `N'text'`), `Name` (also for `[Name]`), `7`, `(`. Comments and white
//! space are none. Patterns are written as T-SQL.

use std::fs;
use std::sync::LazyLock;

use regex::Regex;

use crate::root;

/// A script of `sql/`.
pub struct Script {
    /// Its file name.
    pub name: String,
    /// The statements between one `GO` and the next, as tokens.
    pub batches: Vec<Vec<String>>,
}

/// A procedure or function.
pub struct Routine {
    /// Schema and name.
    pub name: String,
    /// In their order, each as `@Name TYPE`, with ` = default` and ` OUTPUT` where it has them.
    pub parameters: Vec<String>,
    /// Everything after the `AS` that ends its head.
    pub body: Vec<String>,
}

/// The scripts of `sql/`, in the order in which they are applied.
pub fn scripts() -> Vec<Script> {
    let entries = fs::read_dir(root().join("sql")).expect("sql/");
    let names = entries.map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".sql")).collect();
    names.sort();
    let script = |name: String| Script {
        batches: batches(&fs::read_to_string(root().join("sql").join(&name)).expect("a script")),
        name,
    };
    names.into_iter().map(script).collect()
}

fn batches(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<_> = text.lines().collect();
    let batches = lines.split(|line| line.trim().eq_ignore_ascii_case("GO"));
    let batches = batches.map(|batch| tokens(&batch.join("\n")));
    batches.filter(|batch| !batch.is_empty()).collect()
}

/// The procedures of all scripts.
pub fn procedures() -> Vec<Routine> {
    routines("PROCEDURE")
}

/// The procedures, or functions, of all scripts.
pub fn routines(kind: &str) -> Vec<Routine> {
    let batches = scripts().into_iter().flat_map(|script| script.batches);
    let create = format!("CREATE OR ALTER {kind}");
    let routines = batches.filter_map(|batch| Some((find(&batch, &create)?, batch)));
    let routine = |(at, batch): (usize, Vec<String>)| {
        assert_eq!(at, 0, "{create} is not the first statement of its batch");
        routine(&batch[4..])
    };
    routines.map(routine).collect()
}

fn routine(tokens: &[String]) -> Routine {
    assert_eq!(tokens[1], ".", "{}: a name with its schema", tokens[0]);
    let mut parameters = Vec::new();
    let mut rest = &tokens[3 + usize::from(tokens[3] == "(")..];
    while rest[0].starts_with('@') {
        let (sql_type, after) = sql_type(&rest[1..]);
        let mut declaration = format!("{} {sql_type}", rest[0]);
        rest = after;
        if rest[0] == "=" {
            declaration = format!("{declaration} = {}", rest[1]);
            rest = &rest[2..];
        }
        if rest[0] == "OUTPUT" {
            declaration.push_str(" OUTPUT");
            rest = &rest[1..];
        }
        parameters.push(declaration);
        rest = &rest[usize::from(rest[0] == ",")..];
    }
    Routine { name: tokens[..3].concat(), parameters, body: rest[find(rest, "AS").expect("AS") + 1..].to_vec() }
}

impl Routine {
    /// The statements between the outermost `BEGIN` and `END`.
    pub fn statements(&self) -> &[String] {
        match self.body.as_slice() {
            [begin, inner @ .., end, semicolon] if begin == "BEGIN" && end == "END" && semicolon == ";" => inner,
            _ => panic!("{}: the body is not one BEGIN … END;", self.name),
        }
    }

    /// Where the last statement begins in [`Self::statements`].
    pub fn last_statement(&self) -> usize {
        let statements = &self.statements()[..self.statements().len() - 1];
        statements.iter().rposition(|token| token == ";").map_or(0, |at| at + 1)
    }

    /// The result: alias, and type of the variable that it is made from.
    pub fn columns(&self) -> Vec<(String, String)> {
        let statement = &self.statements()[self.last_statement()..];
        assert_eq!(statement[0], "SELECT", "{}: the last statement", self.name);
        let column = |tokens: &[String]| match tokens {
            [variable, r#as, alias] if r#as == "AS" => (alias.clone(), self.declared(variable)),
            _ => panic!("{}: {tokens:?} is not `@Variable AS Name`", self.name),
        };
        let columns = statement[1..statement.len() - 1].split(|token| token == ",");
        columns.map(column).collect()
    }

    /// The type of a local variable, named with its `@`. A `DECLARE` may have several.
    pub fn declared(&self, variable: &str) -> String {
        let statements = self.body.split(|token| token == ";");
        let declarations = statements.filter(|statement| statement.first().is_some_and(|verb| verb == "DECLARE"));
        let mut types = declarations.filter_map(|declaration| {
            let before = |at: usize| declaration[at - 1] == "DECLARE" || declaration[at - 1] == ",";
            let at = (1..declaration.len()).find(|at| declaration[*at] == variable && before(*at))?;
            Some(sql_type(&declaration[at + 1..]).0)
        });
        types.next().unwrap_or_else(|| panic!("{}: DECLARE {variable}", self.name))
    }
}

/// Where these tokens follow one another for the first time.
pub fn find(within: &[String], pattern: &str) -> Option<usize> {
    let pattern = tokens(pattern);
    within.windows(pattern.len()).position(|window| window == pattern)
}

/// How often these tokens follow one another.
pub fn count(within: &[String], pattern: &str) -> usize {
    let pattern = tokens(pattern);
    let windows = within.windows(pattern.len());
    windows.filter(|window| *window == pattern).count()
}

/// A type such as `INT` or `NVARCHAR(MAX)` at the beginning, and what follows.
pub fn sql_type(tokens: &[String]) -> (String, &[String]) {
    let length = if tokens.get(1).is_some_and(|token| token == "(") { 4 } else { 1 };
    (tokens[..length].concat(), &tokens[length..])
}

/// The parenthesis that begins at `open`, cut at its top-level commas.
pub fn list(tokens: &[String], open: usize) -> Vec<&[String]> {
    assert_eq!(tokens[open], "(");
    let (mut depth, mut begin, mut items) = (0, open + 1, Vec::new());
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth += i32::from(token == "(") - i32::from(token == ")");
        if depth == 0 || depth == 1 && token == "," {
            items.push(&tokens[begin..at]);
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    items
}

/// The tokens of a text.
pub fn tokens(text: &str) -> Vec<String> {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        let (comment, string, bracketed) = (r"--[^\n]*|(?s:/\*.*?\*/)", r"N?('(?:[^']|'')*')", r"\[([^\]]*)\]");
        Regex::new(&format!(r"{comment}|{string}|{bracketed}|([\w@#$]+|\S)")).expect("a pattern")
    });
    let captures = TOKEN.captures_iter(text);
    let tokens = captures.filter_map(|captures| (1..=3).find_map(|group| captures.get(group)));
    tokens.map(|token| token.as_str().into()).collect()
}

#[test]
fn tokens_are_those_of_t_sql() {
    assert_eq!(
        tokens("SELECT @a = N'it''s' -- no\n/* 'no' */ FROM [x y].z;").join("|"),
        "SELECT|@a|=|'it''s'|FROM|x y|.|z|;"
    );
    assert_eq!(sql_type(&tokens("NVARCHAR ( 40 ) = NULL")).0, "NVARCHAR(40)");
    assert_eq!(list(&tokens("IN (1, f(2, 3), N'x')"), 1).len(), 3);
}
