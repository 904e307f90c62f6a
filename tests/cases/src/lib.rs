//! The stored procedures of schema `web`: one table of cases, and runners for it.
//!
//! A case calls procedures one after another (or at once) and says what each answers and what is then in the tables.
//! The same table runs against the local bridge ([`bridge`]), over HTTP, as Data API Builder is called. The table also runs
//! against a T-SQL engine (`sql_server`), over TDS, as Data API Builder calls it. So the two cannot differ unseen.
//!
//! The table is about customers. [`entities`] tests what all entities have in common, and [`values`] compares how the two
//! judge values for columns of every type.
//!
//! All cases share one database. So each case uses names of its own for new customers, and none changes customers 1 to 601.
//! A sequence may have gaps, so cases know the ids of new customers only by names.

pub mod bridge;
pub mod case;
pub mod entities;
pub mod run;
pub mod script;
#[cfg(feature = "sql-server")]
pub mod sql_server;
pub mod table;
pub mod values;
