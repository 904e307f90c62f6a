//! The SQLite file: opening and creating it, and the connections to it.

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig};
use tokio::{sync::Semaphore, task};

use crate::{
    arguments::Arguments,
    clock::Clock,
    functions,
    procedures::{Procedure, Row},
};

/// The version of schema.sql, kept in `PRAGMA user_version`. 0 is a new file.
const SCHEMA_VERSION: i64 = 5;

/// The number of prepared statements that a connection keeps: enough for the scripts of a hundred tables.
const STATEMENTS: usize = 5000;

/// How long a statement waits for another process that has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections for reading. A point read takes microseconds, so that a few are enough.
const READERS: usize = 4;

/// The open database.
#[derive(Clone)]
pub(crate) struct Database {
    readers: Pool,
    /// A pool of one. Writers wait for each other here, in order of arrival, rather than in SQLite.
    writer: Pool,
    pub clock: Clock,
}

impl Database {
    /// Opens the file; on first use creates it, with its folder.
    ///
    /// # Errors
    /// When the file cannot be opened or is not a database of this version.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let open = || -> Result<Self> {
            let clock = Clock::default();
            let mode = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
            let mut writer = connect(path, mode, &clock)?;
            create(&mut writer)?;
            let readers = (0..READERS)
                .map(|_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, &clock))
                .collect::<rusqlite::Result<_>>()?;
            Ok(Self { readers: Pool::new(readers), writer: Pool::new(vec![writer]), clock })
        };
        open().with_context(|| format!("cannot open the local database {}", path.display()))
    }

    /// Executes a procedure. A procedure that writes runs in a transaction, which is durable when this returns. Refusals are
    /// rows too.
    ///
    /// A change runs to its end even when the returned future is dropped. DAB 2.0.9 does the same when a client disconnects.
    ///
    /// # Errors
    /// A [`rusqlite::Error`] when SQLite has trouble, anything else when the bridge itself has; all was rolled back.
    pub async fn call(&self, procedure: Arc<Procedure>, arguments: Arguments) -> Result<Row> {
        if !procedure.writes() {
            let read = move |connection: &mut Connection| procedure.execute(connection, arguments);
            return self.readers.run(read).await?;
        }
        let writer = self.writer.clone();
        let change = move |connection: &mut Connection| {
            // `IMMEDIATE`: a transaction that starts by reading could not write after another process has written.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let row = procedure.execute(&transaction, arguments)?;
            if row.status < 400 {
                transaction.commit()?;
            }
            Ok(row)
        };
        task::spawn(async move { writer.run(change).await? }).await?
    }

    /// Returns true if the database can be read.
    pub async fn is_ready(&self) -> bool {
        let read = |connection: &mut Connection| connection.query_row("SELECT 1", (), |_| Ok(()));
        matches!(self.readers.run(read).await, Ok(Ok(())))
    }
}

pub(crate) fn connect(path: &Path, mode: OpenFlags, clock: &Clock) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A plan never depends on the values of parameters. Else a table with a partial index has its statements prepared for each call.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    functions::register(&connection, clock)?;
    // FULL: a commit reaches the disk before it is acknowledged.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Makes a new file a database of this version. Of several processes that open the same new file, one does it, and the
/// others wait.
fn create(connection: &mut Connection) -> Result<()> {
    if version(connection)? != SCHEMA_VERSION {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match version(&transaction)? {
            0 if is_empty(&transaction)? => {
                transaction.execute_batch(include_str!("schema.sql"))?;
                transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
                transaction.commit()?;
            }
            SCHEMA_VERSION => {}
            other => bail!(
                "its schema has version {other}, this build needs {SCHEMA_VERSION}: \
                 run `make reset` to start afresh (all local changes are lost)"
            ),
        }
    }
    Ok(write_ahead(connection)?)
}

/// Switches to the write-ahead log. SQLite does not wait for other processes that switch at the same moment.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mut attempts = 50;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && attempts > 0 => {
                attempts -= 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT * FROM sqlite_schema)", (), |row| row.get(0))
}

/// A fixed number of connections, each used by one blocking thread at a time.
#[derive(Clone)]
struct Pool {
    idle: Arc<Mutex<Vec<Connection>>>,
    /// One permit for each idle connection.
    available: Arc<Semaphore>,
}

impl Pool {
    fn new(connections: Vec<Connection>) -> Self {
        let available = Arc::new(Semaphore::new(connections.len()));
        Self { idle: Arc::new(Mutex::new(connections)), available }
    }

    /// Runs `work` on a thread where it may block.
    ///
    /// # Errors
    /// When `work` panics.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Connection) -> T + Send + 'static) -> Result<T> {
        let permit = Arc::clone(&self.available).acquire_owned().await?;
        let idle = Arc::clone(&self.idle);
        task::spawn_blocking(move || {
            let mut connection = lock(&idle).pop().context("no connection is left")?;
            // A panic rolls back an open transaction; the connection remains usable.
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| work(&mut connection)));
            lock(&idle).push(connection);
            drop(permit);
            outcome.map_err(|_| anyhow!("a procedure panicked"))
        })
        .await?
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;
    use tempfile::TempDir;

    use super::*;

    fn message_of(path: &Path) -> String {
        format!("{:#}", Database::open(path).err().expect("must not open"))
    }

    #[test]
    fn a_new_file_is_made_once_with_its_folder_and_kept() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("new/folder/bridge.db");
        drop(Database::open(&path).unwrap());
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE, &Clock::default()).unwrap();
        connection.execute_batch("CREATE TABLE Kept (x)").unwrap();
        drop(connection);
        drop(Database::open(&path).unwrap());
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, &Clock::default()).unwrap();
        connection.prepare("SELECT * FROM Kept").unwrap();
        let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(journal, "wal");
    }

    #[test]
    fn a_partial_index_costs_no_new_plan_for_each_value() {
        let folder = TempDir::new().unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = connect(&folder.path().join("bridge.db"), flags, &Clock::default()).unwrap();
        connection.execute_batch("CREATE TABLE Things (x, y); CREATE INDEX Open ON Things (x) WHERE y = 1").unwrap();
        let mut statement = connection.prepare("SELECT 1 FROM Things WHERE x = ?1 AND y = ?2").unwrap();
        for value in [1, 2, 1] {
            assert!(!statement.exists((value, value)).unwrap());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    #[test]
    fn a_file_of_another_version_is_refused_with_the_way_out() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("bridge.db");
        drop(Database::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
        let message = message_of(&path);
        assert!(message.contains("version 2, "), "{message}");
        assert!(message.contains("make reset"), "{message}");
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(message_of(&path).contains("version 0"));
        let path = folder.path().join("text");
        fs::write(&path, "not a database ".repeat(1000)).unwrap();
        assert!(message_of(&path).contains("not a database"));
    }

    #[test]
    fn several_processes_can_create_one_file() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("bridge.db");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| Database::open(&path).unwrap());
            }
        });
    }

    #[tokio::test]
    async fn a_panic_costs_no_connection_and_rolls_back() {
        let folder = TempDir::new().unwrap();
        let database = Database::open(&folder.path().join("bridge.db")).unwrap();
        for _ in 0..2 {
            let failed = database.writer.run(|connection| {
                let transaction = connection.transaction().unwrap();
                transaction.execute_batch("CREATE TABLE Things (x)").unwrap();
                panic!("expected in this test")
            });
            assert!(failed.await.is_err());
        }
        let is_there = database.writer.run(|connection| connection.prepare("SELECT * FROM Things").is_ok());
        assert!(!is_there.await.unwrap());
    }
}
