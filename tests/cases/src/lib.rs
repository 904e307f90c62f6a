//! What the stored procedures of schema `web` do: one table of cases, and runners for it.
//!
//! A case calls procedures one after another (or at once) and says what each answers and what is then in the tables.
//! The same table runs against the local bridge ([`bridge`], over HTTP, as Data API Builder is called) and against a
//! T-SQL engine (`sql_server`, over TDS, as Data API Builder calls it), so that the stand-in and the real thing cannot
//! drift apart.
//!
//! Beside the table, which is about customers, [`entities`] asks every entity for what all have in common, and [`values`]
//! compares what the two say of values for columns of every type.
//!
//! All cases share one database. So each uses names of its own for the customers that it makes, none changes customers
//! 1 to 601, and ids of new customers are only known by the names that cases give them: a sequence may have gaps.

pub mod bridge;
pub mod case;
pub mod entities;
pub mod run;
pub mod script;
#[cfg(feature = "sql-server")]
pub mod sql_server;
pub mod table;
pub mod values;
