//! A T-SQL engine as a [`Database`]: called over TDS as Data API Builder calls it.

use std::{
    env, fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tiberius::{Client, Config, Query, Row, error::Error};
use tokio::{net::TcpStream, sync::Mutex, time::sleep};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};
use uuid::Uuid;

use crate::{
    case::Engine,
    run::{Answer, Columns, Database, ErrorNumber, MOST_RETRIES},
    script, values,
};

type Connection = Client<Compat<TcpStream>>;

/// The environment variable with the connection string.
pub const VARIABLE: &str = "SQLSERVER_URL";

/// Deadlock, update of a row whose version is newer than the transaction, snapshot conflict: what the component would
/// retry, besides what procedures throw.
const TRANSIENT: [u32; 3] = [1205, 13535, 3960];

/// The first number of the errors that procedures throw.
const THROWN: u32 = 50_000;

/// Before a retry, so that the clock has moved: it may do so in steps of 15 ms.
const PAUSE: Duration = Duration::from_millis(20);

/// A database to which `sql/` was applied.
pub struct SqlServer {
    config: Config,
    version: String,
    /// Azure SQL Database: no logins of its own.
    is_azure: bool,
    /// The user that calls the procedures, with nothing but its role.
    user: Option<String>,
    admin: Mutex<Connection>,
    idle: Mutex<Vec<Connection>>,
    /// While the clock stands still, the connection for all calls, in one transaction: what it writes has the time of its beginning.
    stopped: Mutex<Option<Connection>>,
    retries: AtomicUsize,
}

impl SqlServer {
    /// Connects to what `SQLSERVER_URL` names; `None` when it is not set. The database must be empty.
    ///
    /// An ADO.NET connection string (`Server=tcp:localhost,1433;Database=cases;User
    /// Id=sa;Password=…;TrustServerCertificate=True`) or a JDBC URL
    /// (`jdbc:sqlserver://localhost:1433;databaseName=cases;user=sa;password=…`).
    ///
    /// # Errors
    /// When it cannot connect, or the database is not empty.
    pub async fn from_environment() -> Result<Option<Self>> {
        let Some(url) = env::var(VARIABLE).ok().filter(|url| !url.is_empty()) else {
            return Ok(None);
        };
        let mut config =
            if url.starts_with("jdbc:") { Config::from_jdbc_string(&url) } else { Config::from_ado_string(&url) }
                .with_context(|| format!("{VARIABLE} is not a connection string"))?;
        // Half a surrogate pair becomes U+FFFD, as on Data API Builder's wire.
        config.lossy_utf16_decoding(true);
        let mut admin = connect(&config).await.with_context(|| format!("cannot connect to {}", config.get_addr()))?;
        let [version, edition] =
            texts(&mut admin, "SELECT @@VERSION, CONVERT(NVARCHAR(10), SERVERPROPERTY('EngineEdition'))").await?;
        let [schemas] =
            texts(&mut admin, "SELECT CONVERT(NVARCHAR(10), COUNT(*)) FROM sys.schemas WHERE name IN (N'Sales', N'Sequences', N'web', N'ops')").await?;
        ensure!(
            schemas == "0",
            "{VARIABLE} names a database that is not empty: make a new one (CREATE DATABASE cases;)"
        );
        let version = version.lines().next().unwrap_or_default().to_owned();
        let (admin, idle) = (Mutex::new(admin), Mutex::default());
        Ok(Some(Self {
            config,
            version,
            is_azure: edition == "5",
            user: None,
            admin,
            idle,
            stopped: Mutex::default(),
            retries: AtomicUsize::new(0),
        }))
    }

    /// The name and version that the engine gives.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Applies `sql/` in order, with the user of `92-user-local.sql` (or, where there are no logins, one without).
    ///
    /// # Errors
    /// The first statement that fails.
    pub async fn apply(&mut self, say: impl Fn(&str)) -> Result<()> {
        let login = self.user.clone().unwrap_or_else(|| format!("cases_{}", Uuid::new_v4().simple()));
        // Upper and lower case, digits and a symbol: any password policy is content.
        let password = format!("Aa1!{}", Uuid::new_v4());
        let variables =
            [("LoginName", login.as_str()), ("LoginPassword", password.as_str()), ("RoleName", "web_executor")];
        for path in script::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql"))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_user = name.starts_with("91-") || name.starts_with("92-");
            if is_user && (name.starts_with("91-") || self.is_azure) {
                say(&format!("  - {name} (not on this engine)"));
                continue;
            }
            for batch in script::batches(&fs::read_to_string(&path)?, &variables)? {
                self.execute(&batch).await.with_context(|| format!("{name}:\n{batch}"))?;
            }
            say(&format!("  ✓ {name}"));
        }
        if self.is_azure && self.user.is_none() {
            self.execute(&format!("CREATE USER [{login}] WITHOUT LOGIN;")).await?;
            self.execute(&format!("ALTER ROLE web_executor ADD MEMBER [{login}];")).await?;
        }
        self.user = Some(login);
        Ok(())
    }

    /// The role of the API may execute its procedures and nothing else.
    ///
    /// # Errors
    /// Names what it may do.
    pub async fn check_rights(&self) -> Result<()> {
        let Some(user) = &self.user else { return Ok(()) };
        for forbidden in [
            "SELECT TOP (1) CustomerID FROM Sales.Customers;",
            "SELECT TOP (1) RequestKey FROM web.Requests;",
            "DELETE FROM web.Requests;",
            "EXECUTE ops.purge_requests;",
            "EXECUTE ops.record_request @RequestKey = 'k', @Status = 400, @RowID = NULL;",
            "SELECT NEXT VALUE FOR Sequences.CustomerID;",
        ] {
            let batch = format!("EXECUTE AS USER = N'{user}'; {forbidden}");
            let mut connection = connect(&self.config).await?;
            let outcome = run(&mut connection, &batch).await;
            // 229: permission denied.
            ensure!(
                matches!(&outcome, Err(error) if error.code() == Some(229)),
                "the role may {forbidden} {outcome:?}"
            );
        }
        Ok(())
    }

    /// The purge removes old rows of the ledger, in batches, and no others.
    ///
    /// # Errors
    /// When it removed another number of rows.
    pub async fn check_purge(&self) -> Result<()> {
        self.execute(
            "UPDATE web.Requests SET BeganAt = DATEADD(HOUR, -3, BeganAt) WHERE Operation = N'web.put_customer';",
        )
        .await?;
        let mut admin = self.admin.lock().await;
        let [old, all] = texts(
            &mut admin,
            "SELECT CONVERT(NVARCHAR(10), SUM(CASE WHEN Operation = N'web.put_customer' THEN 1 ELSE 0 END)), CONVERT(NVARCHAR(10), COUNT(*)) FROM web.Requests",
        )
        .await?;
        run(&mut admin, "EXECUTE ops.purge_requests @OlderThanHours = 2, @BatchSize = 7;").await?;
        let [left] = texts(&mut admin, "SELECT CONVERT(NVARCHAR(10), COUNT(*)) FROM web.Requests").await?;
        let (old, all, left): (i64, i64, i64) = (old.parse()?, all.parse()?, left.parse()?);
        ensure!(old > 7 && left == all - old, "of {all} rows, {old} of them old, {left} are left");
        Ok(())
    }

    /// Removes the login that was made for the run. The database stays as it is, to be looked at.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn clean_up(&self) -> Result<()> {
        self.idle.lock().await.clear();
        if let Some(user) = &self.user {
            self.execute(&format!("DROP USER [{user}];")).await?;
            if !self.is_azure {
                self.execute(&format!("DROP LOGIN [{user}];")).await?;
            }
        }
        Ok(())
    }

    async fn execute(&self, batch: &str) -> Result<()> {
        run(&mut *self.admin.lock().await, batch).await?;
        Ok(())
    }

    /// A connection as the user, with its defaults.
    async fn connection(&self) -> Result<Connection> {
        if let Some(connection) = self.idle.lock().await.pop() {
            return Ok(connection);
        }
        let mut connection = connect(&self.config).await?;
        if let Some(user) = &self.user {
            run(&mut connection, &format!("EXECUTE AS USER = N'{user}';")).await?;
        }
        Ok(connection)
    }
}

impl SqlServer {
    /// True if `ops.field_error` says of every value what the local bridge says. Returns how many values there are.
    ///
    /// # Errors
    /// Every value of which it says something else.
    pub async fn check_values(&self) -> Result<usize> {
        let mut admin = self.admin.lock().await;
        let (mut count, mut differences) = (0, Vec::new());
        for (sql_type, value, expected) in values::all() {
            let mut query = Query::new(
                "SELECT e.Message FROM ops.members(@P1) AS m CROSS APPLY ops.field_error(m.Type, m.Value, @P2, @P3, @P4, N'Latin1_General_100_CI_AS') AS e WHERE m.Field = N'v'",
            );
            let number = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
            query.bind(format!(r#"{{"v":{value}}}"#));
            query.bind(sql_type.name);
            query.bind(number(sql_type.size));
            query.bind(number(sql_type.scale));
            let row = query.query(&mut admin).await?.into_row().await?.context("a row")?;
            let message = row.try_get::<&str, _>(0)?.map(str::to_owned);
            if message != expected {
                differences.push(format!("{sql_type:?} {value}: {message:?}, and {expected:?} by the local bridge"));
            }
            count += 1;
        }
        ensure!(differences.is_empty(), "{}", differences.join("\n"));
        Ok(count)
    }

    /// True if `ops.key_part` reads what `ops.key_text` has written, also of characters that only a width tells apart.
    ///
    /// # Errors
    /// The parts that it reads otherwise.
    pub async fn check_keys(&self) -> Result<()> {
        let mut admin = self.admin.lock().await;
        for [left, right] in [["a", "b"], ["a/b", "%2F"], ["", "%25/"], ["\u{ff0f}", "\u{ff05}"], ["/", "%"]] {
            let mut query = Query::new(
                "SELECT ops.key_part(k.Text, 1), ops.key_part(k.Text, 2), ops.key_part(k.Text, 3)
                FROM (SELECT CONCAT(ops.key_text(@P1), N'/', ops.key_text(@P2)) AS Text) AS k",
            );
            query.bind(left);
            query.bind(right);
            let row = query.query(&mut admin).await?.into_row().await?.context("a row")?;
            let parts = (row.try_get::<&str, _>(0)?, row.try_get::<&str, _>(1)?, row.try_get::<&str, _>(2)?);
            ensure!(parts == (Some(left), Some(right), None), "{left} and {right} are read as {parts:?}");
        }
        Ok(())
    }
}

async fn connect(config: &Config) -> Result<Connection> {
    let open = async |config: Config| {
        let stream = TcpStream::connect(config.get_addr()).await?;
        stream.set_nodelay(true)?;
        anyhow::Ok(Client::connect(config, stream.compat_write()).await)
    };
    match open(config.clone()).await? {
        // Azure SQL names the node to which to connect.
        Err(Error::Routing { host, port }) => {
            let mut config = config.clone();
            config.host(host);
            config.port(port);
            Ok(open(config).await??)
        }
        connection => Ok(connection?),
    }
}

/// Runs a batch to its end.
async fn run(connection: &mut Connection, batch: &str) -> Result<Vec<Vec<Row>>, Error> {
    connection.simple_query(batch).await?.into_results().await
}

/// The only row of a query, all of it texts.
async fn texts<const N: usize>(connection: &mut Connection, query: &str) -> Result<[String; N]> {
    let row = connection.simple_query(query).await?.into_row().await?.context("no row")?;
    let text = |index| row.try_get::<&str, _>(index).ok().flatten().unwrap_or_default().to_owned();
    Ok(std::array::from_fn(text))
}

/// One `EXECUTE`, in a transaction or without.
async fn execute(
    connection: &mut Connection,
    call: &str,
    writes: bool,
    arguments: &[(&str, Value)],
) -> Result<Vec<Vec<Row>>, Error> {
    if writes {
        // READ COMMITTED, as nothing else is said.
        connection.begin_transaction().await?;
    }
    let mut query = Query::new(call.to_owned());
    for (_, value) in arguments {
        match value.as_i64().map(|number| (number, i32::try_from(number))) {
            Some((_, Ok(number))) => query.bind(number),
            Some((number, Err(_))) => query.bind(number),
            None => query.bind(value.as_str().map(str::to_owned)),
        }
    }
    let rows = match query.query(connection).await {
        Ok(stream) => stream.into_results().await,
        Err(error) => Err(error),
    };
    match &rows {
        Ok(_) if writes => connection.commit_transaction().await?,
        Err(_) => drop(run(connection, "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;").await),
        Ok(_) => {}
    }
    rows
}

/// The only row of the only result set, or the number of the error.
fn answer(outcome: Result<Vec<Vec<Row>>, Error>) -> Result<Answer> {
    let results = match outcome {
        Ok(results) => results,
        Err(error) => {
            let number = error.code();
            return number.map_or_else(|| Err(error.into()), |number| Ok(Err(ErrorNumber::Sql(number))));
        }
    };
    let [rows] = results.as_slice() else { bail!("{} result sets", results.len()) };
    let [row] = rows.as_slice() else { bail!("{} rows", rows.len()) };
    Ok(Ok(columns(row)?))
}

fn columns(row: &Row) -> Result<Columns> {
    let value = |index: usize, name: &str| {
        if let Ok(number) = row.try_get::<i32, _>(index) {
            return Ok((name.to_owned(), number.into()));
        }
        if let Ok(bit) = row.try_get::<bool, _>(index) {
            return Ok((name.to_owned(), bit.into()));
        }
        if let Ok(number) = row.try_get::<i64, _>(index) {
            return Ok((name.to_owned(), number.into()));
        }
        if let Ok(guid) = row.try_get::<tiberius::Uuid, _>(index) {
            let text = guid.map(|guid| guid.to_string().to_uppercase());
            return Ok((name.to_owned(), text.into()));
        }
        let text = row
            .try_get::<&str, _>(index)
            .with_context(|| format!("column {name} is none of INT, BIT, BIGINT, UNIQUEIDENTIFIER, NVARCHAR"))?;
        Ok((name.to_owned(), text.into()))
    };
    row.columns().iter().enumerate().map(|(index, column)| value(index, column.name())).collect()
}

impl Database for SqlServer {
    fn engine(&self) -> Engine {
        Engine::SqlServer
    }

    async fn call(&self, procedure: &str, writes: bool, arguments: &[(&str, Value)]) -> Result<Answer> {
        let parameters: Vec<_> =
            arguments.iter().enumerate().map(|(index, (name, _))| format!("@{name} = @P{}", index + 1)).collect();
        let call = format!("EXECUTE [web].[{procedure}] {}", parameters.join(", "));
        if let Some(connection) = self.stopped.lock().await.as_mut() {
            return answer(execute(connection, &call, false, arguments).await);
        }
        let mut connection = self.connection().await?;
        for _ in 0..=MOST_RETRIES {
            let answer = answer(execute(&mut connection, &call, writes, arguments).await)?;
            if matches!(answer, Err(ErrorNumber::Sql(number)) if TRANSIENT.contains(&number) || number >= THROWN) {
                self.retries.fetch_add(1, Ordering::Relaxed);
                sleep(PAUSE).await;
                continue;
            }
            self.idle.lock().await.push(connection);
            return Ok(answer);
        }
        bail!("{MOST_RETRIES} retries were not enough")
    }

    async fn stop_clock(&self, stop: bool) -> Result<()> {
        let mut stopped = self.stopped.lock().await;
        if stop {
            let mut connection = self.connection().await?;
            run(&mut connection, "BEGIN TRANSACTION;").await?;
            *stopped = Some(connection);
        } else if let Some(mut connection) = stopped.take() {
            run(&mut connection, "IF @@TRANCOUNT > 0 COMMIT TRANSACTION;").await?;
            self.idle.lock().await.push(connection);
        }
        Ok(())
    }

    async fn set_next_id(&self, id: i32) -> Result<()> {
        self.execute(&format!("ALTER SEQUENCE Sequences.CustomerID RESTART WITH {id};")).await
    }

    fn retries(&self) -> usize {
        self.retries.load(Ordering::Relaxed)
    }

    async fn stored(&self, id: i32, columns: &[&str]) -> Result<Option<Vec<Option<String>>>> {
        let texts: Vec<_> = columns.iter().map(|column| format!("CONVERT(NVARCHAR(400), {column})")).collect();
        let mut query = Query::new(format!("SELECT {} FROM Sales.Customers WHERE CustomerID = @P1", texts.join(", ")));
        query.bind(id);
        let mut admin = self.admin.lock().await;
        let Some(row) = query.query(&mut admin).await?.into_row().await? else {
            return Ok(None);
        };
        let text = |index| Ok(row.try_get::<&str, _>(index)?.map(str::to_owned));
        Ok(Some((0..columns.len()).map(text).collect::<Result<_>>()?))
    }

    async fn recorded(&self, key: &str) -> Result<Option<(String, i32, Option<i32>)>> {
        let mut query = Query::new(
            "SELECT Operation, Status, CONVERT(INT, RowID) AS RowID FROM web.Requests WHERE RequestKey = @P1",
        );
        query.bind(key.to_owned());
        let mut admin = self.admin.lock().await;
        let Some(row) = query.query(&mut admin).await?.into_row().await? else {
            return Ok(None);
        };
        let operation = row.try_get::<&str, _>(0)?.unwrap_or_default().to_owned();
        Ok(Some((operation, row.try_get(1)?.unwrap_or_default(), row.try_get(2)?)))
    }
}
