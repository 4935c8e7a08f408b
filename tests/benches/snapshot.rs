//! Appends while another client keeps a snapshot open: nothing that dies meanwhile can be cleaned away.

use anyhow::Result;
use sekisho_dev::Database;
use sqlx::{Connection, Executor, PgConnection};

use crate::append::Load;
use crate::figures::{grouped, head, ms, row};
use crate::log::per_second;

/// One measurement a minute takes so many seconds; streams that were appended to are not used again.
const MINUTE: u64 = 60;

/// Measures once before the snapshot and then for each of its minutes.
pub async fn run(database: &Database, load: Load, streams: u64, minutes: u64) -> Result<()> {
    head(&["minute", "entries/s", "p50", "p99"]);
    let slices = minutes + 1;
    let of = load.of * slices;
    let mut reader = PgConnection::connect(&database.url("postgres")).await?;
    for minute in 0..=minutes {
        if minute == 1 {
            reader
                .execute("begin isolation level repeatable read; select from log.entry limit 1;")
                .await?;
        }
        let seconds = if minute == 0 { load.seconds } else { MINUTE };
        let slice = load.slice + minute * load.of;
        let load = Load {
            seconds,
            slice,
            of,
            ..load
        };
        let appended = load.measure(database, streams).await?;
        let when = if minute == 0 {
            "before".to_owned()
        } else {
            minute.to_string()
        };
        row(&[
            when,
            grouped(per_second(&appended, seconds)),
            ms(appended.p50()),
            ms(appended.p99()),
        ]);
    }
    reader.execute("rollback;").await?;
    Ok(reader.close().await?)
}
