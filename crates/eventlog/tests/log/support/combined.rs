//! A combined function as a service has them: it changes a table and appends in one statement.

use sekisho_eventlog::{Argument, Via};

use super::Db;

/// The function, its table and who may call it. Its table names the version that set a value, so that a draft that
/// stands in the log already leaves the table alone.
const FUNCTION: &str = "
    set role sekisho_owner;
    create schema test;
    create table test.secret (stream_id uuid primary key, value text not null, set_by_version bigint not null);
    create function test.set_secret(
        draft log.draft, since log.known, new_value text,
        out outcome text, out \"position\" bigint, out recorded_at timestamptz
    )
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    begin
        perform from log.head for update;
        insert into test.secret as s (stream_id, value, set_by_version)
        values (draft.stream_id, new_value, draft.expected_version + 1)
        on conflict (stream_id) do update
        set value = excluded.value, set_by_version = excluded.set_by_version
        where s.set_by_version < excluded.set_by_version;
        select a.outcome, a.\"position\", a.recorded_at into outcome, \"position\", recorded_at
        from log.append_or_raise(draft, since) as a;
    end
    $$;
    grant usage on schema test to sekisho_log_writer;
    grant execute on function test.set_secret to sekisho_log_writer;";

impl Db {
    /// Makes the function.
    pub fn with_combined_function(&self) {
        self.sql(FUNCTION);
    }

    /// `value|version` of a stream's secret; empty without one.
    pub fn secret(&self, stream: u128) -> String {
        let id = uuid::Uuid::from_u128(stream);
        self.sql(&format!(
            "select value, set_by_version from test.secret where stream_id = '{id}';"
        ))
    }
}

/// By way of the function.
pub fn setting(value: &str) -> Via {
    by_function(value, false)
}

/// By way of the function, together with other calls that wait.
pub fn grouped(value: &str) -> Via {
    by_function(value, true)
}

fn by_function(value: &str, grouped: bool) -> Via {
    Via::Function {
        name: "test.set_secret",
        arguments: [Argument::Text(value.to_owned())].into(),
        grouped,
    }
}
