//! Decides the plan of a table: which columns clients send and see, and the values of a new row. `rules` refuses plans that break a rule.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};

use super::plan::{
    BigInt, Column, Expression, Filled, Filter, Key, KeySource, Limit, Operation, Plan, Role, Sort, SqlType, TableName,
    Unique,
};
use super::source::{Table, TableColumn, Trait, Veil, is_same};
use super::words::{camel, derived};
use super::{indexes, rules};

/// The options of the command line, and the plan that the entity had before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) name: String,
    pub(crate) plural: String,
    /// The script of T-SQL that is generated.
    pub(crate) script: String,
    pub(crate) operations: Vec<Operation>,
    /// True if operations that cannot be done are left out, because nobody has asked for them.
    pub(crate) may_do_less: bool,
    /// The columns that name a row in paths; the primary key without them.
    pub(crate) key: Vec<String>,
    /// Columns that clients neither send nor see.
    pub(crate) without: Vec<String>,
    /// Columns of `set` and `touch` that clients see.
    pub(crate) show: Vec<String>,
    /// True if members begin with a small letter, as they do if the plan before says so.
    pub(crate) is_camel: bool,
    /// The form of a BIGINT in JSON.
    pub(crate) bigint: BigInt,
    /// The filters of a list; when empty, the filters of the plan before.
    pub(crate) filter: Vec<Filter>,
    /// The orders of a list; when empty, the orders of the plan before.
    pub(crate) sort: Vec<Sort>,
    /// True if a request may ask how many rows a list has, as it may if the plan before says so.
    pub(crate) count: bool,
    /// Values of columns in a new row, as the command line gives them.
    pub(crate) set: Vec<(String, String)>,
    /// Values of columns in a new row and after each change.
    pub(crate) touch: Vec<(String, String)>,
    pub(crate) source: Option<String>,
    /// The plan of today, whose decisions stay.
    pub(crate) before: Option<Plan>,
}

/// A plan, and notes for its owner.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) plan: Plan,
    pub(crate) notes: Vec<String>,
}

/// Decides the plan of a table.
///
/// # Errors
///
/// All reasons for which it cannot be served as asked, a line each, each with a way out.
pub(crate) fn decide(table: &Table, wishes: &Wishes) -> Result<Decided> {
    let mut wishes = wishes.clone();
    let (mut reasons, mut notes) = (Vec::new(), Vec::new());
    if wishes.may_do_less && is_view(table) {
        wishes.operations.retain(|operation| matches!(operation, Operation::Get | Operation::List));
        notes.push(format!("{} is a view, which the API only reads", table.name));
    }
    let wishes = &wishes;
    if let Some(Trait::Special(kind)) = table.traits.iter().find(|found| matches!(found, Trait::Special(_))) {
        bail!("{} is {kind}, and no ordinary table: serve a view or table of your own instead", table.name);
    }
    for name in named(wishes) {
        if table.column(name).is_none() {
            reasons.push(format!("{} has no column {name}: its columns are {}", table.name, names(table)));
        }
    }
    let key = key_of(table, wishes, &mut reasons, &mut notes);
    let mut columns: Vec<_> =
        table.columns.iter().map(|column| decided(table, column, key.as_deref(), wishes, &mut notes)).collect();
    number(&mut columns, wishes.before.as_ref());
    traits(table, wishes, &mut reasons, &mut notes);
    for (column, defined) in columns.iter().zip(&table.columns) {
        must_have_a_value(column, defined, wishes, &mut reasons);
    }
    let Some(key) = key else { bail!("{}", reasons.join("\n")) };
    let before = wishes.before.as_ref();
    let mut plan = Plan {
        name: wishes.name.clone(),
        plural: wishes.plural.clone(),
        table: table.name.clone(),
        view: is_view(table),
        script: wishes.script.clone(),
        operations: wishes.operations.clone(),
        key,
        camel: is_camel(wishes),
        bigint: wishes.bigint,
        limit: before.map_or_else(Limit::default, |before| before.limit),
        listed: Vec::new(),
        filter: or_else(&wishes.filter, before.map(|before| &before.filter)),
        sort: or_else(&wishes.sort, before.map(|before| &before.sort)),
        count: wishes.count || before.is_some_and(|before| before.count),
        columns,
        // A view has no index, and its owner says that the key is unique.
        uniques: if is_view(table) { Vec::new() } else { table.uniques.clone() },
        references: table.references.clone(),
        checks: table.checks.clone(),
        triggers: table.triggers.iter().map(|trigger| trigger.name.clone()).collect(),
        temporal: table.temporal.clone(),
        docs: before.map(|before| before.docs.clone()).unwrap_or_default(),
        examples: before.map(|before| before.examples.clone()).unwrap_or_default(),
        ddl: table.ddl.clone(),
        source: wishes.source.clone(),
        written: before.map(|before| before.written.clone()).unwrap_or_default(),
        referred: BTreeMap::new(),
    };
    if wishes.may_do_less && plan.has(Operation::Patch) && plan.changed().next().is_none() {
        plan.operations.retain(|operation| *operation != Operation::Patch);
        notes.push("no column can be changed: patch is left out".to_owned());
    }
    if wishes.may_do_less && !plan.can_replace() {
        plan.operations.retain(|operation| *operation != Operation::Replace);
    }
    plan.listed = listed(&plan, before, &mut notes);
    notes.extend(indexes::absent(&plan));
    if !table.triggers.is_empty() && !table.ddl.is_empty() {
        let names: Vec<_> = plan.triggers.iter().map(String::as_str).collect();
        notes.push(format!("the trigger {} is not created by {}: apply its script", names.join(", "), plan.script));
    }
    reasons.extend(rules::refusals(&plan));
    let mut seen = BTreeSet::new();
    reasons.retain(|reason| seen.insert(reason.clone()));
    ensure!(reasons.is_empty(), "{}", reasons.join("\n"));
    Ok(Decided { plan, notes })
}

/// The filters or orders of the command line, or else of the plan before.
fn or_else<T: Clone>(wished: &[T], before: Option<&Vec<T>>) -> Vec<T> {
    match wished.is_empty() {
        true => before.cloned().unwrap_or_default(),
        false => wished.to_vec(),
    }
}

/// The columns that were named.
fn named(wishes: &Wishes) -> impl Iterator<Item = &String> {
    let pairs = wishes.set.iter().chain(&wishes.touch).map(|(name, _)| name);
    let filters = wishes.filter.iter().map(|filter| &filter.column);
    let lists = filters.chain(wishes.sort.iter().map(|sort| &sort.column));
    wishes.without.iter().chain(&wishes.show).chain(pairs).chain(&wishes.key).chain(lists)
}

fn names(table: &Table) -> String {
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}

/// The key: the columns that were named, or the primary key, or unique columns in its place. `None` with all reasons.
fn key_of(table: &Table, wishes: &Wishes, reasons: &mut Vec<String>, notes: &mut Vec<String>) -> Option<Vec<Key>> {
    let before: Vec<_> = wishes.before.iter().flat_map(|before| &before.key).map(|key| key.column.clone()).collect();
    let is_there = before.iter().all(|name| table.column(name).is_some());
    let names = match (wishes.key.as_slice(), before) {
        ([], before) if !before.is_empty() && is_there => before,
        ([], _) => {
            let unique = table.primary().or_else(|| table.uniques.iter().find(|unique| names_a_row(table, unique)));
            if let Some(unique) = unique.filter(|unique| !unique.is_primary) {
                notes.push(format!("no primary key: --key {} takes what is unique", unique.columns.join(",")));
            }
            unique.map(|unique| unique.columns.clone()).unwrap_or_default()
        }
        (wished, _) => wished.to_vec(),
    };
    if names.is_empty() && is_view(table) {
        reasons.push(format!("{} is a view: name the column that names one row with --key", table.name));
        return None;
    }
    if names.is_empty() {
        reasons.push(format!(
            "{} has no primary key, and a path needs a column that names a row: {}",
            table.name,
            other_key(table)
        ));
        return None;
    }
    let columns = names.iter().map(|name| table.column(name)).collect::<Option<Vec<_>>>()?;
    let is_of = |columns: &[String], name: &String| columns.iter().any(|column| is_same(column, name));
    let is_unique = |unique: &Unique| {
        unique.filter.is_none()
            && unique.columns.len() == names.len()
            && names.iter().all(|name| is_of(&unique.columns, name))
    };
    if !(is_view(table) || table.uniques.iter().any(is_unique)) || columns.iter().any(|column| column.is_nullable) {
        let (what, verb, are) = match names.as_slice() {
            [name] => (format!("column {name} does"), "it is", ""),
            several => (format!("the columns {} do", several.join(", ")), "they are", " together"),
        };
        reasons.push(format!(
            "{what} not name one row, because {verb} not UNIQUE{are} and NOT NULL: {}",
            other_key(table)
        ));
        return None;
    }
    let unfit = columns.iter().filter_map(|column| match column.sql_type {
        None => Some(format!("{} is computed", column.name)),
        Some(sql_type) => (!sql_type.can_be_key()).then(|| format!("{} is {sql_type}", column.name)),
    });
    let unfit: Vec<_> = unfit.collect();
    if !unfit.is_empty() {
        reasons.push(format!(
            "the key {}, and a path takes whole numbers, UNIQUEIDENTIFIER, and texts of at most 450 characters: {}",
            unfit.join(", "),
            other_key(table)
        ));
        return None;
    }
    columns.iter().map(|column| Some(source_of(column, column.sql_type?))).collect()
}

/// True for a view.
fn is_view(table: &Table) -> bool {
    table.traits.contains(&Trait::View)
}

/// True for columns that can be the key.
fn names_a_row(table: &Table, unique: &Unique) -> bool {
    unique.filter.is_none() && unique.columns.iter().all(|name| table.column(name).is_some_and(fits_a_path))
}

fn fits_a_path(column: &TableColumn) -> bool {
    !column.is_nullable && column.sql_type.is_some_and(SqlType::can_be_key)
}

/// Names another column that can be the key, or says how to add one.
fn other_key(table: &Table) -> String {
    let other = table.uniques.iter().find_map(|unique| match unique.columns.as_slice() {
        [name] if names_a_row(table, unique) => Some(name),
        _ => None,
    });
    let counted =
        table.columns.iter().find(|column| matches!(column.filled, Filled::Identity(_)) && fits_a_path(column));
    let add = |name: &str, column: &str| {
        let constraint = super::plan::bracketed(&format!("UQ_{}_{name}", table.name.name));
        format!("ALTER TABLE {} ADD {column}CONSTRAINT {constraint} UNIQUE", table.name.quoted())
    };
    match (other, counted) {
        (Some(name), _) => format!("--key {name} takes the unique column {name}"),
        // A table has one IDENTITY at most.
        (None, Some(column)) => {
            let name = &column.name;
            let quoted = super::plan::bracketed(name);
            format!("{} ({quoted}); makes {name} unique, and --key {name} takes it", add(name, ""))
        }
        (None, None) => {
            let name = if table.column("RowID").is_none() { "RowID" } else { "ApiRowID" };
            let statement = add(name, &format!("{name} int IDENTITY(1, 1) NOT NULL "));
            format!("{statement}; adds one, and --key {name} takes it")
        }
    }
}

/// Finds out whether the client or the database gives a new row its key.
fn source_of(column: &TableColumn, sql_type: SqlType) -> Key {
    let default = column.default.as_deref().map(inside).unwrap_or_default();
    let lower = default.to_lowercase();
    let words: Vec<_> = lower.split_whitespace().collect();
    let sequence = match words.as_slice() {
        ["next", "value", "for", ..] if sql_type.is_integer() => {
            default.split_whitespace().skip(3).collect::<Vec<_>>().join(" ").parse::<TableName>().ok()
        }
        _ => None,
    };
    let makes_guids = sql_type == SqlType::UniqueIdentifier && ["newid()", "newsequentialid()"].contains(&&*lower);
    let from = match &column.filled {
        Filled::Identity(_) => KeySource::Identity,
        _ if sequence.is_some() => KeySource::Sequence,
        _ if makes_guids => KeySource::Default,
        _ => KeySource::Client,
    };
    Key { column: column.name.clone(), from, sequence }
}

/// An expression without the parentheses around it.
pub(crate) fn inside(expression: &str) -> &str {
    let mut inner = expression.trim();
    while let Some(within) = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        inner = within.trim();
    }
    inner
}

/// Decides the part of a column in the API.
fn decided(
    table: &Table,
    defined: &TableColumn,
    key: Option<&[Key]>,
    wishes: &Wishes,
    notes: &mut Vec<String>,
) -> Column {
    let before = wishes.before.as_ref().and_then(|before| before.column(&defined.name));
    let name = &defined.name;
    let key = key.and_then(|key| key.iter().find(|key| key.column == *name));
    let of = |pairs: &[(String, String)]| {
        let pair = pairs.iter().find(|(column, _)| is_same(column, name));
        pair.map(|(_, value)| spelled(table, Expression::of_argument(value)))
    };
    let reason = unseen(defined);
    let role = if let Some(value) = of(&wishes.touch) {
        Role::Touch(value)
    } else if let Some(value) = of(&wishes.set) {
        Role::Set(value)
    } else if wishes.without.iter().any(|out| is_same(out, name)) {
        Role::Hidden
    } else if let Some(key) = key {
        if key.from == KeySource::Client { Role::Sent } else { Role::Shown }
    } else if let Some(before) = before {
        before.role.clone()
    } else if let Some(reason) = reason {
        notes.push(format!("column {name} is left out: {reason}"));
        Role::Hidden
    } else if matches!(defined.filled, Filled::Identity(_)) {
        notes.push(format!(
            "column {name} is left out: it is an IDENTITY and not the key, which the local database does not count"
        ));
        Role::Hidden
    } else if matches!(defined.filled, Filled::RowStart | Filled::RowEnd | Filled::RowVersion) || defined.veil.is_some()
    {
        Role::Hidden
    } else if defined.filled == Filled::ByInsert && defined.sql_type.is_some_and(SqlType::is_only_shown) {
        notes.push(format!("column {name} is shown, and clients cannot send it"));
        Role::Shown
    } else if defined.filled == Filled::ByInsert {
        Role::Sent
    } else {
        Role::Shown
    };
    let path = match before {
        Some(before) => before.path.clone(),
        None => Some(derived(name)).map(|path| if is_camel(wishes) { camel(&path) } else { path }),
    };
    let path = path.filter(|path| path != name);
    let is_wished =
        wishes.show.iter().any(|shown| is_same(shown, name)) || before.is_some_and(|before| before.is_audit);
    let is_audit = is_wished && matches!(role, Role::Set(_) | Role::Touch(_));
    Column {
        name: name.clone(),
        sql_type: defined.sql_type.unwrap_or(SqlType::SqlVariant),
        is_nullable: defined.is_nullable,
        collation: defined.collation.clone(),
        default: defined.default.clone(),
        filled: defined.filled.clone(),
        role,
        path,
        takes_number: before.is_some_and(|before| before.takes_number),
        called: before.and_then(|before| before.called.clone()),
        is_audit,
    }
}

/// Numbers the new members that would have the name of another: `No` and `No_2` of the columns `No.` and `#No`.
fn number(columns: &mut [Column], before: Option<&Plan>) {
    for at in 0..columns.len() {
        let made =
            columns[at].path.clone().filter(|_| before.is_none_or(|before| before.column(&columns[at].name).is_none()));
        let Some(made) = made else { continue };
        let is_taken = |path: &str| {
            columns
                .iter()
                .enumerate()
                .any(|(other, column)| (other < at || column.path.is_none() && other != at) && column.path() == path)
        };
        let mut paths = std::iter::once(made.clone()).chain((2..).map(|count| format!("{made}_{count}")));
        let free = paths.find(|path| !is_taken(path));
        columns[at].path = free;
    }
}

/// Spells a reference to another column as that column is spelled.
fn spelled(table: &Table, expression: Expression) -> Expression {
    match expression {
        Expression::Column(name) => Expression::Column(table.column(&name).map_or(name, |column| column.name.clone())),
        other => other,
    }
}

/// Tells why clients cannot see a column.
fn unseen(column: &TableColumn) -> Option<String> {
    match (column.veil, column.sql_type) {
        (Some(Veil::Masked), _) => {
            Some("it is masked, and the API would show and store masks (grant UNMASK, and set hidden = false)".into())
        }
        (Some(Veil::Encrypted), _) => Some("it is encrypted, and the API has no key to it".into()),
        (Some(Veil::Ledger), _) => None,
        (None, None) => Some("it is computed, and a script does not say its type: in the database, FROM= does".into()),
        (None, Some(SqlType::RowVersion)) => None,
        (None, Some(sql_type)) => (!sql_type.has_json()).then(|| format!("no value of JSON stands for {sql_type}")),
    }
}

fn is_camel(wishes: &Wishes) -> bool {
    wishes.is_camel || wishes.before.as_ref().is_some_and(|before| before.camel)
}

/// A new row must have a value in each column: from the client, the database, or the plan.
fn must_have_a_value(column: &Column, defined: &TableColumn, wishes: &Wishes, reasons: &mut Vec<String>) {
    let fills_itself = column.is_nullable
        || column.default.is_some()
        || column.filled != Filled::ByInsert
        || defined.veil == Some(Veil::Ledger);
    let is_given = !matches!(column.role, Role::Hidden | Role::Shown);
    if !wishes.operations.contains(&Operation::Put) || is_given || fills_itself {
        return;
    }
    let name = &column.name;
    let others: Vec<_> = wishes.operations.iter().filter(|operation| **operation != Operation::Put).collect();
    let only = rules::list(&others);
    let read = defined.sql_type.filter(|sql_type| sql_type.is_only_shown());
    let why = unseen(defined).or_else(|| Some(format!("{}, which clients only read", read?)));
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let value = match column.sql_type {
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image => "0x",
        _ => "…",
    };
    reasons.push(match defined.veil {
        Some(Veil::Encrypted) => format!(
            "column {name} must have a value in a new row, and clients cannot give it{why}: leave put out with --only {only}"
        ),
        _ => format!(
            "column {name} must have a value in a new row, and clients do not give it{why}: give it one with --set {name}={value}, or \
             leave put out with --only {only}"
        ),
    });
}

/// Traits of the table that its operations cannot live with.
fn traits(table: &Table, wishes: &Wishes, reasons: &mut Vec<String>, notes: &mut Vec<String>) {
    let has = |operation| wishes.operations.contains(&operation);
    let changes = [Operation::Patch, Operation::Replace, Operation::Delete].into_iter().any(has);
    let writes = has(Operation::Put) || changes;
    let name = &table.name;
    for found in &table.traits {
        match found {
            Trait::View if writes => {
                reasons.push(format!("{name} is a view, which the API only reads: --only get,list"));
            }
            Trait::MemoryOptimized if writes => reasons.push(format!(
                "{name} is memory-optimized, where a row cannot be locked before it is changed: --only get,list"
            )),
            Trait::AppendOnly if changes => {
                reasons.push(format!("{name} is an append-only ledger, whose rows stay as they are: --only get,list,put"));
            }
            Trait::IgnoresDuplicates(index) if has(Operation::Put) => reasons.push(format!(
                "{index} of {name} has IGNORE_DUP_KEY, with which a row that is taken is left out in silence: switch it off, or \
                 --only get,list,patch,delete"
            )),
            Trait::RowLevelSecurity(policy) => notes.push(format!(
                "the security policy {policy} filters the rows of {name}: rows that it hides from the API do not exist for it"
            )),
            Trait::OwnedBy(owner) => notes.push(format!(
                "{name} belongs to {owner}, and the procedures to dbo, so that no ownership chain covers it: GRANT SELECT, INSERT, \
                 UPDATE, DELETE ON {} TO the role of the API, or ALTER AUTHORIZATION ON {} TO dbo",
                name.quoted(),
                name.quoted()
            )),
            _ => {}
        }
    }
    if writes && let Some(trigger) = table.triggers.iter().find(|trigger| trigger.is_instead_of) {
        reasons.push(format!(
            "the trigger {} of {name} is INSTEAD OF what is written, so that no answer would be true: --only get,list",
            trigger.name
        ));
    }
}

/// The columns of a list: all that a row shows, without long texts and secrets. Empty stands for all.
fn listed(plan: &Plan, before: Option<&Plan>, notes: &mut Vec<String>) -> Vec<String> {
    if let Some(before) = before {
        let is_there = |name: &&String| plan.shown().any(|column| column.name == **name);
        return before.listed.iter().filter(is_there).cloned().collect();
    }
    let is_secret = |column: &Column| {
        let name = column.name.to_lowercase();
        let is_text = column.sql_type.is_text() || column.sql_type.is_binary();
        is_text
            && ["password", "passwd", "secret", "salt", "securitystamp", "apikey", "privatekey"]
                .iter()
                .any(|word| name.contains(word))
    };
    for column in plan.shown().filter(|column| is_secret(column)) {
        let name = &column.name;
        notes.push(format!(
            "column {name} looks like a secret: lists do not show it; leave it out altogether with --without {name}"
        ));
    }
    let is_listed =
        |column: &&Column| plan.key_of(&column.name).is_some() || !column.sql_type.is_large() && !is_secret(column);
    let listed: Vec<_> = plan.shown().filter(is_listed).map(|column| column.name.clone()).collect();
    if listed.len() == plan.shown().count() { Vec::new() } else { listed }
}
