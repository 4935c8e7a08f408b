//! A log that has been in use for long, laid out by the superuser.

use anyhow::Result;
use sekisho_dev::Database;
use sekisho_eventlog::StreamId;
use uuid::Uuid;

/// Spread over the whole of an index, as account ids are.
const MIX: u64 = 2_654_435_761;

/// The id of a stream by its number.
pub fn stream(number: u64) -> StreamId {
    let spread = number.wrapping_mul(MIX) % (1 << 32);
    StreamId(Uuid::from_u64_pair(spread << 32, number))
}

/// The same as SQL, of a column `number`.
pub const STREAM: &str =
    "(lpad(to_hex(number * 2654435761 % 4294967296), 8, '0') || lpad(to_hex(number), 24, '0'))::uuid";

/// One entry of kind `code` in each of so many streams.
pub fn streams(database: &Database, count: u64) -> Result<()> {
    database.sql(&format!(
        "insert into log.entry
         select number + 1, 'code', {STREAM}, 1, gen_random_uuid(), null, 'code_issued', clock_timestamp(),
             '\\x0a0208011a00', '\\x0a036f7470'
         from generate_series(0::bigint, {count} - 1) as number;
         insert into log.stream select 'code', {STREAM}, 1, number + 1, number + 1
         from generate_series(0::bigint, {count} - 1) as number;
         vacuum analyze log.entry; vacuum analyze log.stream; checkpoint;"
    ))?;
    Ok(())
}
