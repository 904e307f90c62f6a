//! Reads just enough T-SQL for the contract: tokens, batches, and the shape of a `CREATE OR ALTER PROCEDURE`. It
//! understands the scripts in `sql/` as they are written there, and panics where they leave that style; whether they
//! are T-SQL at all is for a real parser to say (`make lint-sql`).
//!
//! A token is its text: `@Name`, `'text'` (also for `N'text'`), `Name` (also for `[Name]`), `7`, `(`. Comments and white
//! space are none. Patterns are written as T-SQL.

use std::fs;

use crate::root;

/// A script of `sql/`.
pub struct Script {
    /// Its file name.
    pub name: String,
    /// What stands between one `GO` and the next.
    pub batches: Vec<Vec<String>>,
}

/// A procedure or function.
pub struct Routine {
    /// Schema and name.
    pub name: String,
    /// In the order of their declaration.
    pub parameters: Vec<Parameter>,
    /// Everything after the `AS` that ends its head.
    pub body: Vec<String>,
}

/// A parameter of a procedure.
#[derive(Debug, PartialEq)]
pub struct Parameter {
    /// Without `@`.
    pub name: String,
    /// As in `NVARCHAR(MAX)`.
    pub sql_type: String,
    /// What follows `=`, if anything does.
    pub default: Option<String>,
}

/// The scripts of `sql/`, in the order in which they are applied.
pub fn scripts() -> Vec<Script> {
    let entries = fs::read_dir(root().join("sql")).expect("sql/");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    let script = |path: &std::path::PathBuf| Script {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        batches: batches(&fs::read_to_string(path).expect("a script")),
    };
    paths.iter().map(script).collect()
}

fn batches(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<_> = text.lines().collect();
    let batches = lines.split(|line| line.trim().eq_ignore_ascii_case("GO"));
    let batches = batches.map(|batch| tokens(&batch.join("\n")));
    batches.filter(|batch| !batch.is_empty()).collect()
}

/// The procedures of all scripts.
pub fn procedures() -> Vec<Routine> {
    routines("CREATE OR ALTER PROCEDURE")
}

/// The functions of all scripts.
pub fn functions() -> Vec<Routine> {
    routines("CREATE OR ALTER FUNCTION")
}

fn routines(create: &str) -> Vec<Routine> {
    let mut routines = Vec::new();
    for Script { name, batches } in scripts() {
        for batch in &batches {
            if let Some(at) = find(batch, create) {
                assert_eq!(at, 0, "{name}: a routine is the only statement of its batch");
                routines.push(routine(&batch[4..]));
            }
        }
    }
    routines
}

fn routine(tokens: &[String]) -> Routine {
    assert_eq!(tokens[1], ".", "{}: a name with its schema", tokens[0]);
    let mut parameters = Vec::new();
    let mut rest = &tokens[3 + usize::from(tokens[3] == "(")..];
    while let Some(name) = rest[0].strip_prefix('@') {
        let (sql_type, after) = sql_type(&rest[1..]);
        let default = (after[0] == "=").then(|| after[1].clone());
        let after = if default.is_some() { &after[2..] } else { after };
        parameters.push(Parameter {
            name: name.into(),
            sql_type,
            default,
        });
        rest = &after[usize::from(after[0] == ",")..];
    }
    Routine {
        name: tokens[..3].concat(),
        parameters,
        body: rest[find(rest, "AS").expect("AS") + 1..].to_vec(),
    }
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
            _ => panic!(
                "{}: a result column is written `@Variable AS Name`, not {tokens:?}",
                self.name
            ),
        };
        let columns = statement[1..statement.len() - 1].split(|token| token == ",");
        columns.map(column).collect()
    }

    /// The type of a local variable, named with its `@`.
    pub fn declared(&self, variable: &str) -> String {
        let declaration = find(&self.body, &format!("DECLARE {variable}"));
        let at = declaration.unwrap_or_else(|| panic!("{}: DECLARE {variable}", self.name));
        sql_type(&self.body[at + 2..]).0
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
    let length = if tokens.get(1).is_some_and(|token| token == "(") {
        4
    } else {
        1
    };
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
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '@' | '#' | '$');
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").expect("the end of a comment") + 2
        } else if first == '\'' || rest.starts_with("N'") || first == '[' {
            let mark = if first == '[' { ']' } else { '\'' };
            let open = 1 + usize::from(first == 'N');
            let (content, length) = quoted(&rest[open..], mark);
            tokens.push(if mark == ']' { content } else { format!("'{content}'") });
            open + length
        } else {
            let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
            let length = end.max(first.len_utf8());
            tokens.push(rest[..length].to_owned());
            length
        };
        rest = rest[length..].trim_start();
    }
    tokens
}

/// What stands before the closing mark (which stands for itself when doubled), and the length up to and including that
/// mark.
fn quoted(text: &str, mark: char) -> (String, usize) {
    let mut content = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == mark && characters.next_if(|(_, next)| *next == mark).is_none() {
            return (content, at + 1);
        }
        content.push(character);
    }
    panic!("{mark} is missing");
}

#[test]
fn tokens_are_those_of_t_sql() {
    assert_eq!(
        tokens("SELECT @a = N'it''s' -- no\n/* 'no' */ FROM [x y].z;").join("|"),
        "SELECT|@a|=|'it's'|FROM|x y|.|z|;"
    );
    assert_eq!(sql_type(&tokens("NVARCHAR ( 40 ) = NULL")).0, "NVARCHAR(40)");
    assert_eq!(list(&tokens("IN (1, f(2, 3), N'x')"), 1).len(), 3);
}
