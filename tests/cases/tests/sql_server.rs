//! The cases against a T-SQL engine: `SQLSERVER_URL=… make test-sql`.

use anyhow::Result;
use procedure_cases::{
    case::Engine,
    entities,
    run::{Database, run},
    sql_server::{SqlServer, VARIABLE},
    table,
};

#[tokio::test]
async fn a_t_sql_engine_does_what_the_table_says() -> Result<()> {
    let say = |line: &str| println!("{line}");
    let Some(mut server) = SqlServer::from_environment().await? else {
        say(&format!("SKIPPED: {VARIABLE} is not set, so nothing ran on a T-SQL engine"));
        return Ok(());
    };
    say(&format!("{:?}: {}", server.engine(), server.version()));
    say("sql/, applied to an empty database");
    server.apply(say).await?;
    if server.engine() == Engine::SqlServer {
        say("sql/, applied again");
        server.apply(say).await?;
    }
    say("cases");
    let outcome = run(&server, &table::all(), say).await;
    say("every entity");
    let entities = entities::run(&server, say).await;
    say("values for every type");
    let values = server.check_values().await;
    let keys = server.check_keys().await;
    let rights = server.check_rights().await;
    let purge = server.check_purge().await;
    server.clean_up().await?;
    say(&format!("{} cases ran as the table says", outcome?));
    say(&format!("{} entities do what all have in common", entities?));
    say(&format!("{} values are taken or refused as the local bridge does", values?));
    keys?;
    rights?;
    purge
}
