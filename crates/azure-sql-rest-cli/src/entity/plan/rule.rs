//! The rules that CHECKs and literal defaults give the values of a column. A CHECK is read only where JSON Schema has a word for it, and
//! SQLite's CHECK holds the same.

use serde_json::{Value, json};
use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator, Value as Literal};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Column, Plan, SqlType};

/// A rule for the values of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    /// One of these texts, as the column's collation compares them.
    OneOf(Vec<String>),
    /// A limit, by its name in JSON Schema.
    Limit(&'static str, Value),
}

impl Plan {
    /// The rules that CHECKs give a column, and whether they say more of it than these.
    pub(super) fn rules(&self, column: &Column) -> (Vec<Rule>, bool) {
        let (mut rules, mut says_more) = (Vec::new(), false);
        for check in self.checks.iter().filter(|check| check.names(&column.name)) {
            let parsed = expression(&check.expression)
                .as_ref()
                .and_then(condition)
                .filter(|term| term.names().iter().all(|name| self.compares(name)));
            for part in parsed.unwrap_or(Term::Other(vec![column.name.clone()])).conjuncts() {
                if part.names().iter().any(|name| name.eq_ignore_ascii_case(&column.name)) {
                    match part.rules(column) {
                        Some(found) => rules.extend(found),
                        None => says_more = true,
                    }
                }
            }
        }
        let lists = |rule: &Rule| matches!(rule, Rule::OneOf(_));
        // Which of two lists holds is a question of collation.
        if rules.iter().filter(|rule| lists(rule)).count() > 1 {
            rules.retain(|rule| !lists(rule));
            says_more = true;
        }
        (rules, says_more)
    }

    /// The texts that a CHECK leaves a column.
    pub(crate) fn texts_of_check(&self, column: &Column) -> Option<Vec<String>> {
        self.rules(column).0.into_iter().find_map(|rule| match rule {
            Rule::OneOf(texts) => Some(texts),
            Rule::Limit(..) => None,
        })
    }

    /// True if a CHECK says that another column is less than this, or is not this: `EndDate > StartDate`, `Parent <> Child`.
    pub(super) fn is_behind(&self, column: &Column) -> bool {
        let is_own = |operand: &Expr| match self::operand(operand) {
            Some(Operand::Name(name)) => Some(name.eq_ignore_ascii_case(&column.name)),
            _ => None,
        };
        let mut expressions: Vec<_> = self
            .checks
            .iter()
            .filter(|check| check.names(&column.name))
            .filter_map(|check| expression(&check.expression))
            .collect();
        while let Some(expression) = expressions.pop() {
            match expression {
                Expr::Nested(inner) => expressions.push(*inner),
                Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                    expressions.extend([*left, *right]);
                }
                Expr::BinaryOp { left, op, right } => {
                    let is_behind = match op {
                        BinaryOperator::Gt | BinaryOperator::GtEq => (true, false),
                        BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::NotEq => (false, true),
                        _ => continue,
                    };
                    if (is_own(&left), is_own(&right)) == (Some(is_behind.0), Some(is_behind.1)) {
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// True if this is a column that both databases compare alike.
    fn compares(&self, name: &str) -> bool {
        self.column(name).is_some_and(|column| {
            let sql_type = column.sql_type;
            sql_type.is_text() || sql_type.is_integer() || sql_type == SqlType::Real || decimals(sql_type).is_some()
        })
    }
}

/// How many digits the values of a number may have behind the point; one of FLOAT are enough for examples.
pub(super) fn decimals(sql_type: SqlType) -> Option<u8> {
    match sql_type {
        SqlType::Decimal { scale, .. } | SqlType::Numeric { scale, .. } => Some(scale),
        SqlType::Money | SqlType::SmallMoney => Some(4),
        SqlType::Float => Some(1),
        _ if sql_type.is_integer() => Some(0),
        _ => None,
    }
}

/// The value of a default that is a literal of the column's type.
pub(super) fn default_of(column: &Column) -> Option<Value> {
    match (operand(&expression(column.default.as_deref()?)?)?, column.sql_type) {
        (Operand::Text(text), sql_type) if sql_type.is_text() && fits(&text, sql_type) => Some(json!(text)),
        (Operand::Number(value), SqlType::Bit) => Some(json!(value.as_i64().filter(|bit| matches!(bit, 0 | 1))? == 1)),
        (Operand::Number(value), sql_type) => {
            let digits = value.to_string().split_once('.').map_or(0, |(_, behind)| behind.len());
            (sql_type == SqlType::Float || digits <= usize::from(decimals(sql_type)?)).then_some(value)
        }
        _ => None,
    }
}

/// True if a column of this type keeps and shows a text as it is written.
fn fits(text: &str, sql_type: SqlType) -> bool {
    let units = text.encode_utf16().count();
    let length = sql_type.length().map(usize::from);
    let has_room = length.is_none_or(|length| if sql_type.is_padded() { units == length } else { units <= length });
    has_room && (text.is_ascii() || !sql_type.has_code_page())
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
enum Term {
    And(Vec<Term>),
    Or(Vec<Term>),
    /// A column, an operator and a literal.
    Compare(String, &'static str, Operand),
    IsNull(String),
    /// Another condition of these columns.
    Other(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Name(String),
    Text(String),
    Number(Value),
}

impl Term {
    fn names(&self) -> Vec<String> {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().flat_map(Self::names).collect(),
            Self::Compare(name, ..) | Self::IsNull(name) => vec![name.clone()],
            Self::Other(names) => names.clone(),
        }
    }

    /// The conditions that must all hold.
    fn conjuncts(self) -> Vec<Self> {
        match self {
            Self::And(terms) => terms.into_iter().flat_map(Self::conjuncts).collect(),
            term => vec![term],
        }
    }

    /// The conditions one of which must hold.
    fn disjuncts(self) -> Vec<Self> {
        match self {
            Self::Or(terms) => terms.into_iter().flat_map(Self::disjuncts).collect(),
            term => vec![term],
        }
    }

    /// The rules that say the same of this column; `None` when none do. NULL passes a CHECK, with `IS NULL` and without.
    fn rules(&self, column: &Column) -> Option<Vec<Rule>> {
        let is_it = |name: &String| name.eq_ignore_ascii_case(&column.name);
        let mut cases = self.clone().disjuncts();
        cases.retain(|case| !matches!(case, Self::IsNull(name) if is_it(name)));
        match cases.as_slice() {
            [Self::Compare(name, operator, Operand::Number(value))] if is_it(name) => {
                Some(vec![limit(column.sql_type, operator, value)?])
            }
            [Self::And(terms)] => {
                let rules: Option<Vec<_>> = terms.iter().map(|term| term.rules(column)).collect();
                Some(rules?.concat())
            }
            [] => None,
            cases => {
                let text = |case: &Self| match case {
                    Self::Compare(name, "=", Operand::Text(text)) if is_it(name) => {
                        (column.sql_type.is_text() && fits(text, column.sql_type)).then(|| text.clone())
                    }
                    _ => None,
                };
                Some(vec![Rule::OneOf(cases.iter().map(text).collect::<Option<_>>()?)])
            }
        }
    }
}

/// A limit of a number; that of a whole number is in.
fn limit(sql_type: SqlType, operator: &str, value: &Value) -> Option<Rule> {
    decimals(sql_type)?;
    if sql_type.is_integer() {
        let value = value.as_i64()?;
        return Some(match operator {
            ">=" => Rule::Limit("minimum", json!(value)),
            ">" => Rule::Limit("minimum", json!(value.checked_add(1)?)),
            "<=" => Rule::Limit("maximum", json!(value)),
            "<" => Rule::Limit("maximum", json!(value.checked_sub(1)?)),
            _ => return None,
        });
    }
    let name = match operator {
        ">=" => "minimum",
        ">" => "exclusiveMinimum",
        "<=" => "maximum",
        "<" => "exclusiveMaximum",
        _ => return None,
    };
    Some(Rule::Limit(name, value.clone()))
}

/// A number of at most 15 digits, which JSON has exactly.
fn number(text: &str) -> Option<Value> {
    let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
    let (whole, behind) = (whole.trim_start_matches('0'), behind.trim_end_matches('0'));
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text != "."
        && !behind.contains('.')
        && whole.len() + behind.len() <= 15;
    let whole = if whole.is_empty() { "0" } else { whole };
    let text = if behind.is_empty() { whole.to_owned() } else { format!("{whole}.{behind}") };
    is_number.then(|| serde_json::from_str(&text).ok()).flatten()
}

/// Parses an expression of T-SQL; `None` when there is more than one.
fn expression(text: &str) -> Option<Expr> {
    let mut parser = Parser::new(&MsSqlDialect {}).try_with_sql(text).ok()?;
    let expression = parser.parse_expr().ok()?;
    (parser.peek_token().token == Token::EOF).then_some(expression)
}

/// The condition; `None` when it has functions, arithmetic or a LIKE.
fn condition(expression: &Expr) -> Option<Term> {
    let unless = |negated: bool, term: Term| if negated { Term::Other(term.names()) } else { term };
    Some(match expression {
        Expr::Nested(inner) => condition(inner)?,
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => Term::And(vec![condition(left)?, condition(right)?]),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => Term::Or(vec![condition(left)?, condition(right)?]),
        Expr::BinaryOp { left, op, right } => compare(operand(left)?, &op.to_string(), operand(right)?)?,
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => unless(true, condition(expr)?),
        Expr::IsNull(inner) => match operand(inner)? {
            Operand::Name(name) => Term::IsNull(name),
            Operand::Text(_) | Operand::Number(_) => return None,
        },
        Expr::IsNotNull(inner) => Term::Other(operand(inner)?.names()),
        Expr::In { expr, target: InTarget::List(list), negated, .. } => {
            let equal = |value| compare(operand(expr)?, "=", operand(value)?);
            unless(*negated, Term::Or(list.iter().map(equal).collect::<Option<_>>()?))
        }
        Expr::Between { expr, negated, low, high } => {
            let limits = [(">=", low), ("<=", high)];
            let limits = limits.into_iter().map(|(sign, limit)| compare(operand(expr)?, sign, operand(limit)?));
            unless(*negated, Term::And(limits.collect::<Option<_>>()?))
        }
        _ => return None,
    })
}

/// A comparison, the column first.
fn compare(left: Operand, operator: &str, right: Operand) -> Option<Term> {
    let sides = [("=", "="), ("<", ">"), (">", "<"), ("<=", ">="), (">=", "<="), ("<>", "<>"), ("!=", "!=")];
    let not_signs = [("!<", "!>"), ("!>", "!<")];
    let (operator, turned) = sides.into_iter().chain(not_signs).find(|(sign, _)| *sign == operator)?;
    Some(match (left, right) {
        (Operand::Name(left), Operand::Name(right)) => Term::Other(vec![left, right]),
        (Operand::Name(name), value) => Term::Compare(name, operator, value),
        (value, Operand::Name(name)) => Term::Compare(name, turned, value),
        _ => Term::Other(Vec::new()),
    })
}

/// A column or a literal, in parentheses or without, with a sign or without. A text with a bracket is left to SQL Server, as in SQLite's
/// conditions.
fn operand(expression: &Expr) -> Option<Operand> {
    match expression {
        Expr::Nested(inner) => operand(inner),
        Expr::Identifier(name) if name.quote_style != Some('"') => Some(Operand::Name(name.value.clone())),
        Expr::Value(literal) => match &literal.value {
            Literal::SingleQuotedString(text) | Literal::NationalStringLiteral(text) => {
                (!text.contains('[')).then(|| Operand::Text(text.clone()))
            }
            Literal::Number(text, _) => Some(Operand::Number(number(text)?)),
            _ => None,
        },
        Expr::UnaryOp { op: sign @ (UnaryOperator::Minus | UnaryOperator::Plus), expr } => {
            let Operand::Number(value) = operand(expr)? else { return None };
            let text = if *sign == UnaryOperator::Minus { format!("-{value}") } else { value.to_string() };
            Some(Operand::Number(serde_json::from_str(&text).ok()?))
        }
        _ => None,
    }
}

impl Operand {
    fn names(&self) -> Vec<String> {
        match self {
            Self::Name(name) => vec![name.clone()],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
        name = "order"
        plural = "orders"
        table = "dbo.Orders"
        script = "sql/40-order.sql"
        operations = ["get", "put"]
        key = { column = "Id", from = "identity" }
        columns = [
            { name = "Id", type = "int", identity = [1, 1], read_only = true },
            { name = "Status", type = "varchar(10)", default = "('open')" },
            { name = "Kind", type = "char(2)", default = "('a')" },
            { name = "Qty", type = "int", null = true, default = "((0))" },
            { name = "Unit Price", type = "decimal(9,2)", default = "(0.005)" },
            { name = "Share", type = "float", default = "(-(0.25))" },
            { name = "Rough", type = "real" },
            { name = "Day", type = "date", default = "(getdate())" },
            { name = "IsOpen", type = "bit", default = "((1))" },
        ]
    "#;

    #[test]
    fn a_check_is_a_rule_where_its_meaning_is_certain() {
        let one_of = |texts: &[&str]| Rule::OneOf(texts.iter().map(|text| (*text).to_owned()).collect());
        let limits = |limits: &[(&'static str, Value)]| {
            limits.iter().map(|(name, value)| Rule::Limit(name, value.clone())).collect::<Vec<_>>()
        };
        let between = limits(&[("minimum", json!(1)), ("maximum", json!(9))]);
        // The column, the CHECK, its rules, and whether it says more.
        for (column, check, rules, says_more) in [
            ("Status", "[Status] IN ('open','closed')", vec![one_of(&["open", "closed"])], false),
            ("Status", "([Status]='closed' OR [Status]='open')", vec![one_of(&["closed", "open"])], false),
            (
                "Status",
                "([Status]=N'it''s' OR ([Status]='b' OR 'c'=[status]))",
                vec![one_of(&["it's", "b", "c"])],
                false,
            ),
            ("Status", "Status IS NULL OR Status IN ('a')", vec![one_of(&["a"])], false),
            ("Status", "Status = 'a'", vec![one_of(&["a"])], false),
            ("Kind", "Kind IN ('aa', 'bb')", vec![one_of(&["aa", "bb"])], false),
            ("Qty", "[Qty]>=(0)", limits(&[("minimum", json!(0))]), false),
            ("Qty", "((0)<[Qty])", limits(&[("minimum", json!(1))]), false),
            ("Qty", "Qty < 10.0", limits(&[("maximum", json!(9))]), false),
            ("Qty", "qty > - 5", limits(&[("minimum", json!(-4))]), false),
            ("Qty", "Qty BETWEEN 1 AND 9", between.clone(), false),
            ("Qty", "([Qty]>=(1) AND [Qty]<=(9))", between.clone(), false),
            ("Qty", "(Qty IS NULL OR (Qty >= 1 AND Qty <= 9))", between, false),
            ("Unit Price", "([Unit Price]>(0.00))", limits(&[("exclusiveMinimum", json!(0))]), false),
            ("Unit Price", "[Unit Price]<=99.5", limits(&[("maximum", json!(99.5))]), false),
            (
                "Share",
                "Share < .5 AND Share >= -0.5",
                limits(&[("exclusiveMaximum", json!(0.5)), ("minimum", json!(-0.5))]),
                false,
            ),
            // The part that is certain, beside one that is not.
            ("Qty", "Qty > 0 AND Qty <> 13", limits(&[("minimum", json!(1))]), true),
            ("Qty", "Qty > 0 AND Status <> 'a'", limits(&[("minimum", json!(1))]), false),
            ("Status", "Qty > 0 AND Status <> 'a'", vec![], true),
            // The meaning is not certain.
            ("Status", "Status LIKE 'a%'", vec![], true),
            ("Status", "Status NOT IN ('a')", vec![], true),
            ("Status", "Status IN ('a', 'elevenchars')", vec![], true),
            ("Status", "Status IN ('é')", vec![], true),
            ("Status", "Status IN ('[a')", vec![], true),
            ("Status", "Status >= 'a'", vec![], true),
            ("Status", "Status = 'a' OR Qty = 1", vec![], true),
            ("Status", "LEN(Status) > 2", vec![], true),
            ("Status", "Status IN ('a', 'b') AND Status IN ('b', 'c')", vec![], true),
            ("Kind", "Kind IN ('a', 'b')", vec![], true),
            ("Qty", "Qty > 0 OR Status = 'a'", vec![], true),
            ("Qty", "NOT Qty > 0", vec![], true),
            ("Qty", "Qty NOT BETWEEN 1 AND 9", vec![], true),
            ("Qty", "Qty IS NOT NULL", vec![], true),
            ("Qty", "Qty IN (1, 2)", vec![], true),
            ("Qty", "Qty > 0.5", vec![], true),
            ("Qty", "Qty > Id", vec![], true),
            ("Qty", "Qty % 2 = 0", vec![], true),
            ("Qty", "Qty + 1 > 0", vec![], true),
            ("Qty", "Qty > 1e3", vec![], true),
            ("Qty", "\"Qty\" > 0", vec![], true),
            ("Qty", "Qty > 0 AND Day > '20260101'", vec![], true),
            ("Unit Price", "[Unit Price] > $0.00", vec![], true),
            ("Rough", "Rough >= 0.1", vec![], true),
            ("Qty", "Status = 'Qty'", vec![], false),
        ] {
            let text = format!("{PLAN}checks = [{{ expression = {} }}]", json!(check));
            let plan = Plan::parse(&text).unwrap();
            assert_eq!(plan.rules(plan.column(column).unwrap()), (rules, says_more), "{column}: {check}");
        }
    }

    #[test]
    fn a_default_is_told_where_it_is_a_literal() {
        let plan = Plan::parse(PLAN).unwrap();
        let told = plan.columns.iter().filter_map(|column| Some((column.name.as_str(), default_of(column)?)));
        let expected = [("Status", json!("open")), ("Qty", json!(0)), ("Share", json!(-0.25)), ("IsOpen", json!(true))];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}
