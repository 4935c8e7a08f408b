-- One key a day, from which the log's marks of client addresses are derived. Destroying it makes the addresses behind them
-- unfindable for ever.
create table credentials.day_key (
    -- By UTC.
    day date primary key,
    -- The line of the master key file that wraps it.
    master_id text not null,
    wrapped bytea not null
);

-- The key of a day: the first that somebody brings.
create function credentials.make_day_key(new_day date, new_master_id text, new_wrapped bytea)
returns table (master_id text, wrapped bytea)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into credentials.day_key as made (day, master_id, wrapped)
    values (new_day, new_master_id, new_wrapped)
    on conflict (day) do nothing;
    return query select found.master_id, found.wrapped from credentials.day_key as found where found.day = new_day;
end
$$;

-- Destroys the keys of all days before one.
create function credentials.forget_day_keys(before date) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    delete from credentials.day_key where day < before
$$;

revoke all on all functions in schema credentials from public;
grant select on credentials.day_key to sekisho_credentials;
grant execute on function credentials.make_day_key, credentials.forget_day_keys to sekisho_credentials;
