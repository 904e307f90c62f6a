//! Reads just enough T-SQL for the contract: tokens, batches, and the shape of a `CREATE OR ALTER PROCEDURE`. It
//! understands the scripts in `sql/` as they are written there, and panics where they leave that style; whether they
//! are T-SQL at all is for a real parser to say (`make lint-sql`).

use std::fs;
use std::ops::Range;

use crate::root;

/// One token. Comments and white space are none.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A keyword or an identifier, brackets removed. Compared as [`Token::is`] does.
    Word(String),
    /// A variable, parameter or system function, without its first `@`.
    Variable(String),
    /// The content of `'…'` or `N'…'`.
    Text(String),
    /// An integer.
    Number(i64),
    /// Any other character.
    Symbol(char),
}

impl Token {
    /// Whether it is this keyword (T-SQL's are case-insensitive), or this symbol.
    pub fn is(&self, expected: &str) -> bool {
        match self {
            Self::Word(word) => word.eq_ignore_ascii_case(expected),
            Self::Symbol(symbol) => expected.chars().eq([*symbol]),
            _ => false,
        }
    }

    /// The identifier, if it is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// A script of `sql/`.
pub struct Script {
    /// Its file name.
    pub name: String,
    /// What stands between one `GO` and the next.
    pub batches: Vec<Vec<Token>>,
}

/// A procedure or function.
#[derive(Debug)]
pub struct Routine {
    /// The script's file name.
    pub script: String,
    /// Schema and name.
    pub name: String,
    /// In the order of their declaration.
    pub parameters: Vec<Parameter>,
    /// Everything after the `AS` that ends its head.
    pub body: Vec<Token>,
}

/// A parameter of a procedure.
#[derive(Debug, PartialEq)]
pub struct Parameter {
    /// Without `@`.
    pub name: String,
    /// As in `NVARCHAR(MAX)`.
    pub sql_type: String,
    /// What follows `=`, if anything does.
    pub default: Option<Token>,
}

/// The scripts of `sql/`, in the order in which they are applied.
pub fn scripts() -> Vec<Script> {
    let mut paths: Vec<_> = fs::read_dir(root().join("sql"))
        .expect("sql/")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    let script = |path: &std::path::PathBuf| Script {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        batches: batches(&fs::read_to_string(path).expect("a script")),
    };
    paths.iter().map(script).collect()
}

/// A script by the beginning of its name.
pub fn script(prefix: &str) -> Script {
    let found = scripts().into_iter().find(|script| script.name.starts_with(prefix));
    found.unwrap_or_else(|| panic!("sql/{prefix}… is missing"))
}

/// The procedures of all scripts.
pub fn procedures() -> Vec<Routine> {
    routines("PROCEDURE")
}

/// The procedures and functions of all scripts.
pub fn all_routines() -> Vec<Routine> {
    let mut all = routines("PROCEDURE");
    all.extend(routines("FUNCTION"));
    all
}

fn routines(kind: &str) -> Vec<Routine> {
    let mut routines = Vec::new();
    for script in scripts() {
        for batch in &script.batches {
            if let Some(at) = find(batch, &["CREATE", "OR", "ALTER", kind]) {
                assert_eq!(at, 0, "{}: a {kind} is the only statement of its batch", script.name);
                routines.push(routine(&script.name, &batch[4..]));
            }
        }
    }
    routines
}

fn routine(script: &str, tokens: &[Token]) -> Routine {
    let (name, mut rest) = qualified(tokens).unwrap_or_else(|| panic!("{script}: a name with its schema"));
    let mut parameters = Vec::new();
    if rest[0].is("(") {
        rest = &rest[1..];
    }
    while let [Token::Variable(name), after @ ..] = rest {
        let (sql_type, after) = sql_type(after);
        let (default, after) = match after {
            [equals, default, after @ ..] if equals.is("=") => (Some(default.clone()), after),
            _ => (None, after),
        };
        let name = name.clone();
        parameters.push(Parameter {
            name,
            sql_type,
            default,
        });
        rest = if after[0].is(",") { &after[1..] } else { after };
    }
    let head_end = rest.iter().position(|token| token.is("AS")).expect("AS");
    let body = rest[head_end + 1..].to_vec();
    Routine {
        script: script.to_owned(),
        name,
        parameters,
        body,
    }
}

impl Routine {
    /// The statements between the outermost `BEGIN` and `END`.
    pub fn statements(&self) -> &[Token] {
        match self.body.as_slice() {
            [begin, inner @ .., end, semicolon] if begin.is("BEGIN") && end.is("END") && semicolon.is(";") => inner,
            _ => panic!("{}: the body is not one BEGIN … END;", self.name),
        }
    }

    /// Where the last statement is in [`Self::statements`], without its semicolon.
    pub fn last_statement(&self) -> Range<usize> {
        let statements = self.statements();
        let end = statements.len() - 1;
        assert!(
            statements[end].is(";"),
            "{}: the last statement ends with a semicolon",
            self.name
        );
        let begin = statements[..end]
            .iter()
            .rposition(|token| token.is(";"))
            .map_or(0, |at| at + 1);
        begin..end
    }

    /// The result: alias, and type of the variable that it is made from.
    pub fn columns(&self) -> Vec<(String, String)> {
        let statement = &self.statements()[self.last_statement()];
        assert!(
            statement[0].is("SELECT"),
            "{}: the last statement is a SELECT",
            self.name
        );
        let column = |tokens: &[Token]| match tokens {
            [Token::Variable(variable), r#as, Token::Word(alias)] if r#as.is("AS") => {
                (alias.clone(), self.declared(variable))
            }
            _ => panic!(
                "{}: a result column is written `@Variable AS Name`, not {tokens:?}",
                self.name
            ),
        };
        statement[1..].split(|token| token.is(",")).map(column).collect()
    }

    /// The type of a local variable.
    pub fn declared(&self, variable: &str) -> String {
        let declaration = self
            .body
            .windows(2)
            .position(|pair| pair[0].is("DECLARE") && matches!(&pair[1], Token::Variable(name) if name == variable));
        let at = declaration.unwrap_or_else(|| panic!("{}: DECLARE @{variable}", self.name));
        sql_type(&self.body[at + 2..]).0
    }
}

/// Where these keywords and symbols follow one another for the first time.
pub fn find(tokens: &[Token], sequence: &[&str]) -> Option<usize> {
    let matches = |window: &[Token]| window.iter().zip(sequence).all(|(token, expected)| token.is(expected));
    tokens.windows(sequence.len()).position(matches)
}

/// `schema.name` at the beginning, and what follows.
pub fn qualified(tokens: &[Token]) -> Option<(String, &[Token])> {
    match tokens {
        [Token::Word(schema), dot, Token::Word(name), rest @ ..] if dot.is(".") => {
            Some((format!("{schema}.{name}"), rest))
        }
        _ => None,
    }
}

/// A type such as `INT` or `NVARCHAR(MAX)` at the beginning, in upper case, and what follows.
pub fn sql_type(tokens: &[Token]) -> (String, &[Token]) {
    let name = tokens[0].word().expect("a type").to_ascii_uppercase();
    match tokens {
        [_, open, length, close, rest @ ..] if open.is("(") && close.is(")") => match length {
            Token::Number(length) => (format!("{name}({length})"), rest),
            length => (
                format!("{name}({})", length.word().unwrap_or_default().to_ascii_uppercase()),
                rest,
            ),
        },
        _ => (name, &tokens[1..]),
    }
}

/// The parenthesis that begins at `open`, cut at its top-level commas.
pub fn list(tokens: &[Token], open: usize) -> Vec<&[Token]> {
    assert!(tokens[open].is("("), "a parenthesis");
    let (mut depth, mut begin, mut items) = (0, open + 1, Vec::new());
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        if depth == 0 || depth == 1 && token.is(",") {
            items.push(&tokens[begin..at]);
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    items
}

fn batches(text: &str) -> Vec<Vec<Token>> {
    let mut batches = vec![String::new()];
    for line in text.lines() {
        if line.trim().eq_ignore_ascii_case("GO") {
            batches.push(String::new());
        } else if let Some(batch) = batches.last_mut() {
            batch.push_str(line);
            batch.push('\n');
        }
    }
    batches
        .iter()
        .map(|batch| tokens(batch))
        .filter(|batch| !batch.is_empty())
        .collect()
}

/// The tokens of a text.
pub fn tokens(text: &str) -> Vec<Token> {
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '@' | '#' | '$');
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").expect("the end of a comment") + 2
        } else if first == '\'' || rest.starts_with("N'") {
            let open = rest.find('\'').unwrap_or_default() + 1;
            let (content, length) = quoted(&rest[open..], '\'');
            tokens.push(Token::Text(content));
            open + length
        } else if first == '[' {
            let (content, length) = quoted(&rest[1..], ']');
            tokens.push(Token::Word(content));
            1 + length
        } else if is_name(first) {
            let length = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
            let name = &rest[..length];
            tokens.push(match (name.strip_prefix('@'), name.parse()) {
                (Some(variable), _) => Token::Variable(variable.to_owned()),
                (None, Ok(number)) => Token::Number(number),
                (None, Err(_)) => Token::Word(name.to_owned()),
            });
            length
        } else {
            tokens.push(Token::Symbol(first));
            first.len_utf8()
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
    let words = |text: &str| {
        tokens(text)
            .iter()
            .map(|token| format!("{token:?}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        words("SELECT @a = N'it''s' -- no\n/* 'no' */ FROM [x y].z;"),
        r#"Word("SELECT") Variable("a") Symbol('=') Text("it's") Word("FROM") Word("x y") Symbol('.') Word("z") Symbol(';')"#
    );
    assert_eq!(sql_type(&tokens("nvarchar ( 40 ) = NULL")).0, "NVARCHAR(40)");
    let parenthesis = tokens("IN (1, f(2, 3), N'x')");
    assert_eq!(list(&parenthesis, 1).len(), 3);
}
