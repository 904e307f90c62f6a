//! The parts of a case.
//!
//! Texts may contain `$name`: the id of the customer that a step before has given this name ([`Expect::id`]).

/// An engine that runs the procedures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The local bridge, on SQLite.
    Bridge,
    /// SQL Server or Azure SQL.
    SqlServer,
}

/// One case.
pub struct Case {
    /// The rule that holds.
    pub name: &'static str,
    /// In order.
    pub steps: Vec<Step>,
    /// Where it holds.
    pub engines: &'static [Engine],
    /// True if the clock stands still meanwhile: every row that is written has the same time.
    pub clock_stands: bool,
}

/// One step of a case.
pub enum Step {
    /// A call and its answer.
    Call(Call, Expect),
    /// Calls that begin at the same time. Each call meets one of the expectations. The number is how many calls must meet
    /// it, and its names are the same for all of these calls.
    Together(Vec<Call>, Vec<(usize, Expect)>),
    /// Columns of a customer's row, as texts.
    Stored(&'static str, Vec<(&'static str, Option<&'static str>)>),
    /// The sequence is set back: the next id that it gives is this customer's.
    NextId(&'static str),
    /// The ledger's row for a key: operation, status, customer.
    Recorded(&'static str, Option<(&'static str, i32, &'static str)>),
}

/// A call of a procedure.
#[derive(Clone)]
pub struct Call {
    /// Without its schema.
    pub procedure: &'static str,
    /// True if the call runs in a transaction: Data API Builder opens one for a `POST`.
    pub writes: bool,
    /// Name without `@`, value.
    pub arguments: Vec<(&'static str, Argument)>,
}

/// The value of an argument.
#[derive(Clone)]
pub enum Argument {
    /// NULL.
    Null,
    /// An integer.
    Int(i32),
    /// The id of the customer with this name.
    Id(&'static str),
    /// A text with `$name`s.
    Text(String),
    /// An idempotency key, made unique to the case.
    Key(&'static str),
    /// The version that a step before has given this name.
    Version(&'static str),
    /// The same version among others, separated by spaces.
    AmongVersions(&'static str),
}

impl From<i32> for Argument {
    fn from(id: i32) -> Self {
        Self::Int(id)
    }
}

impl From<&'static str> for Argument {
    fn from(name: &'static str) -> Self {
        Self::Id(name)
    }
}

impl Call {
    /// The idempotency key, as the case calls it.
    pub fn key(&self) -> Option<&'static str> {
        self.arguments.iter().find_map(|(_, argument)| match argument {
            Argument::Key(key) => Some(*key),
            _ => None,
        })
    }

    /// The same call with `@IfMatch`.
    pub fn if_match(mut self, version: Argument) -> Self {
        self.arguments.push(("IfMatch", version));
        self
    }
}

/// `web.get_customer`
pub fn get(id: impl Into<Argument>) -> Call {
    call("get_customer", false, vec![("CustomerID", id.into())])
}

/// `web.get_customers`
pub fn page(after: impl Into<Argument>, limit: i32) -> Call {
    call("get_customers", false, vec![("After", after.into()), ("Limit", limit.into())])
}

/// `web.put_customer`
pub fn put(key: &'static str, json: impl Into<String>) -> Call {
    let arguments = vec![("Json", Argument::Text(json.into())), ("RequestKey", Argument::Key(key))];
    call("put_customer", true, arguments)
}

/// `web.put_customers`
pub fn put_all(key: &'static str, json: impl Into<String>) -> Call {
    Call { procedure: "put_customers", ..put(key, json) }
}

/// `web.patch_customer`
pub fn patch(key: &'static str, id: impl Into<Argument>, json: impl Into<String>) -> Call {
    let json = Argument::Text(json.into());
    let arguments = vec![("CustomerID", id.into()), ("Json", json), ("RequestKey", Argument::Key(key))];
    call("patch_customer", true, arguments)
}

/// `web.delete_customer`
pub fn delete(key: &'static str, id: impl Into<Argument>) -> Call {
    call("delete_customer", true, vec![("CustomerID", id.into()), ("RequestKey", Argument::Key(key))])
}

/// Any procedure with any arguments.
pub fn call(procedure: &'static str, writes: bool, arguments: Vec<(&'static str, Argument)>) -> Call {
    Call { procedure, writes, arguments }
}

/// The answer to a call. Where nothing is said about a column, it must be NULL (or not there), but for an `ETag` beside
/// a customer.
#[derive(Clone)]
pub enum Expect {
    /// One row.
    Row(Row),
    /// An error of SQL Server with this number.
    Error(u32),
}

/// An expected row.
#[derive(Clone)]
pub struct Row {
    /// `Status`
    pub status: i32,
    /// `Json`: the exact text.
    pub json: Option<String>,
    /// `CustomerID`: the customer with this name, which gets it if it is new.
    pub id: Option<&'static str>,
    /// `ETag`: the version with this name. A new name means a version that no row of this case had before.
    pub version: Option<&'static str>,
    /// `NextAfter`
    pub next_after: Option<Argument>,
    /// `CustomerID` of each row in `Json`, as [`Row::id`].
    pub ids: Vec<&'static str>,
}

/// A row with this `Status` and `Json`.
pub fn row(status: i32, json: impl Into<String>) -> Expect {
    let json = Some(json.into());
    Expect::Row(Row { status, json, id: None, version: None, next_after: None, ids: Vec::new() })
}

/// A row with this `Status`, whatever its `Json`.
pub fn status(status: i32) -> Expect {
    Expect::Row(Row { status, json: None, id: None, version: None, next_after: None, ids: Vec::new() })
}

/// A failure with a text for people.
pub fn problem(status: i32, detail: &str) -> Expect {
    row(status, format!(r#"{{"detail":"{detail}"}}"#))
}

/// 422 with these fields and messages.
pub fn invalid(errors: &[(&str, &str)]) -> Expect {
    let errors: Vec<_> =
        errors.iter().map(|(field, message)| format!(r#"{{"field":"{field}","message":"{message}"}}"#)).collect();
    row(422, format!(r#"{{"detail":"The customer has invalid fields.","errors":[{}]}}"#, errors.join(",")))
}

/// 404 for a customer.
pub fn absent(id: &str) -> Expect {
    problem(404, &format!("Customer {id} does not exist."))
}

/// 412 for a customer.
pub fn changed(id: &str) -> Expect {
    problem(412, &format!("Customer {id} has changed since the version named in If-Match."))
}

/// 409 for a name.
pub fn taken() -> Expect {
    let errors = r#"[{"field":"CustomerName","message":"is taken"}]"#;
    row(409, format!(r#"{{"detail":"A customer with this name already exists.","errors":{errors}}}"#))
}

/// 422 for a key.
pub fn reused() -> Expect {
    problem(422, "This idempotency key was already used for a different request.")
}

/// The failure of an array with these errors, each with its index, its field if it has one, and its message.
pub fn none_created(status: i32, errors: &[(usize, &str, &str)]) -> Expect {
    let error = |(index, field, message): &(usize, &str, &str)| match *field {
        "" => format!(r#"{{"index":{index},"message":"{message}"}}"#),
        field => format!(r#"{{"index":{index},"field":"{field}","message":"{message}"}}"#),
    };
    let errors = errors.iter().map(error).collect::<Vec<_>>().join(",");
    row(status, format!(r#"{{"detail":"No row was created, because rows have errors.","errors":[{errors}]}}"#))
}

/// 400 for a text.
pub fn no_object() -> Expect {
    problem(400, "The body is not a JSON object.")
}

impl Expect {
    /// With this customer in `CustomerID`.
    pub fn id(self, name: &'static str) -> Self {
        self.map(|row| row.id = Some(name))
    }

    /// With these customers in `Json`, in this order.
    pub fn ids(self, names: &[&'static str]) -> Self {
        self.map(|row| row.ids = names.to_vec())
    }

    /// With this version in `ETag`.
    pub fn version(self, name: &'static str) -> Self {
        self.map(|row| row.version = Some(name))
    }

    /// With this `NextAfter`.
    pub fn next_after(self, id: impl Into<Argument>) -> Self {
        self.map(|row| row.next_after = Some(id.into()))
    }

    fn map(mut self, change: impl FnOnce(&mut Row)) -> Self {
        if let Self::Row(row) = &mut self {
            change(row);
        }
        self
    }
}

/// A case without steps, for every engine.
pub fn case(name: &'static str) -> Case {
    Case { name, steps: Vec::new(), engines: &[Engine::Bridge, Engine::SqlServer], clock_stands: false }
}

impl Case {
    /// Then this call gives this.
    pub fn then(self, call: Call, expect: Expect) -> Self {
        self.step(Step::Call(call, expect))
    }

    /// Then these calls, at once, give these.
    pub fn together(self, calls: Vec<Call>, expect: Vec<(usize, Expect)>) -> Self {
        self.step(Step::Together(calls, expect))
    }

    /// Then the customer's row has these values.
    pub fn stored(self, id: &'static str, columns: &[(&'static str, Option<&'static str>)]) -> Self {
        self.step(Step::Stored(id, columns.to_vec()))
    }

    /// Then the ledger knows the key with this operation, status and customer.
    pub fn recorded(self, key: &'static str, operation: &'static str, status: i32, id: &'static str) -> Self {
        self.step(Step::Recorded(key, Some((operation, status, id))))
    }

    /// Then the ledger does not know the key.
    pub fn not_recorded(self, key: &'static str) -> Self {
        self.step(Step::Recorded(key, None))
    }

    /// The case holds only on these engines; its name should say why.
    pub fn only_on(mut self, engines: &'static [Engine]) -> Self {
        self.engines = engines;
        self
    }

    /// All of it happens within one step of the clock. Its steps are calls one after another, and an error is the last.
    pub fn within_one_step_of_the_clock(mut self) -> Self {
        self.clock_stands = true;
        self
    }

    /// Then the sequence lags: the next id that it gives is the customer's.
    pub fn next_id(self, id: &'static str) -> Self {
        self.step(Step::NextId(id))
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}
