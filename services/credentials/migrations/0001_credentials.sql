-- Accounts, password hashes and personal keys. What changes them together with an event is one function, so that the
-- table and the log never differ. The service reads the tables and calls the functions; it has no other right.

create table credentials.account (
    account_id uuid primary key,
    -- Normalised: NFKC, trimmed, without zero-width characters.
    login_id text not null unique check (login_id <> ''),
    facility_code text not null,
    facility text not null,
    name text not null,
    -- Where codes go; empty while the account has none.
    address text not null
);

create table credentials.password (
    account_id uuid primary key references credentials.account,
    -- The version of the account's stream whose event set this password.
    set_by_version bigint not null,
    -- Algorithm, parameters and salt in PHC form, without the hash.
    form text not null,
    -- The line of the pepper file that seals the hash.
    pepper_id text not null,
    -- The hash, sealed to its account and form: nothing here verifies a password without the pepper.
    sealed bytea not null
);

-- Keyed fingerprints, 32 bits each, of the newest wrong passwords of an account or a phantom, for a day: who types the same
-- one again has not guessed twice.
create table credentials.wrong_password (
    stream_id uuid not null,
    fingerprint integer not null,
    typed_at timestamptz not null,
    primary key (stream_id, fingerprint)
);

create index wrong_password_typed_at on credentials.wrong_password (typed_at);

-- Seals what the log keeps of a person. Destroying it makes that unreadable for ever.
create table credentials.personal_key (
    account_id uuid primary key references credentials.account,
    -- The line of the master key file that wraps it.
    master_id text not null,
    wrapped bytea not null
);

-- Account, password, key and AccountRegistered, or nothing of it.
create function credentials.register_account(
    draft log.draft, since log.known,
    new_login_id text, new_facility_code text, new_facility text, new_name text, new_address text,
    new_form text, new_pepper_id text, new_sealed bytea, new_master_id text, new_wrapped bytea,
    out outcome text, out "position" bigint, out recorded_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    appended record;
begin
    if draft.kind is distinct from 'account' or draft.event_type is distinct from 'account_registered' then
        raise exception 'not a registration' using errcode = 'SK003';
    end if;
    -- Before the look at the login id: registrations come one after another. No row is locked yet, and none that exists
    -- is waited for below, so nobody waits for this lock because of one of ours.
    perform from log.head for update;
    if exists (select from credentials.account
               where login_id = new_login_id and account_id <> draft.stream_id) then
        raise exception 'the login id is taken' using errcode = 'SK003';
    end if;
    -- A draft that is recorded already finds its rows and leaves them alone.
    insert into credentials.account (account_id, login_id, facility_code, facility, name, address)
    values (draft.stream_id, new_login_id, new_facility_code, new_facility, new_name, new_address)
    on conflict (account_id) do nothing;
    insert into credentials.password (account_id, set_by_version, form, pepper_id, sealed)
    values (draft.stream_id, draft.expected_version + 1, new_form, new_pepper_id, new_sealed)
    on conflict (account_id) do nothing;
    insert into credentials.personal_key (account_id, master_id, wrapped)
    values (draft.stream_id, new_master_id, new_wrapped)
    on conflict (account_id) do nothing;
    appended := log.append_or_raise(draft, since);
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

-- A new hash and PasswordChanged, or nothing of it.
create function credentials.set_password(
    draft log.draft, since log.known, new_form text, new_pepper_id text, new_sealed bytea,
    out outcome text, out "position" bigint, out recorded_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    appended record;
    changed boolean;
begin
    if draft.kind is distinct from 'account' or draft.event_type is distinct from 'password_changed' then
        raise exception 'not a new password' using errcode = 'SK003';
    end if;
    -- The row before the log's lock, which the append takes: whoever holds the row must not make all others wait.
    -- A draft that is recorded already finds its own version, or a newer one, and leaves it alone.
    update credentials.password
    set form = new_form, pepper_id = new_pepper_id, sealed = new_sealed,
        set_by_version = draft.expected_version + 1
    where account_id = draft.stream_id and set_by_version < draft.expected_version + 1;
    changed := found;
    appended := log.append_or_raise(draft, since);
    if appended.outcome = 'appended' and not changed then
        raise exception 'there is no password to change' using errcode = 'SK003';
    end if;
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

-- The same password under other parameters or another pepper; answers whether it was changed. A password that was set
-- meanwhile, or re-hashed by somebody else, stays. Takes no lock but the row's, and only in the statement that changes it.
create function credentials.rehash(
    account uuid, set_by bigint, old_sealed bytea, new_form text, new_pepper_id text, new_sealed bytea
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update credentials.password
    set form = new_form, pepper_id = new_pepper_id, sealed = new_sealed
    where account_id = account and set_by_version = set_by and sealed = old_sealed;
    return found;
end
$$;

-- The same key under another master key; answers whether it was changed.
create function credentials.rewrap(
    account uuid, old_wrapped bytea, new_master_id text, new_wrapped bytea
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update credentials.personal_key
    set master_id = new_master_id, wrapped = new_wrapped
    where account_id = account and wrapped = old_wrapped;
    return found;
end
$$;

-- Keeps the three newest of a stream, and drops what is older than a day, a few rows each time. Nobody waits here for
-- whoever drops the same rows.
create function credentials.remember_wrong_password(stream uuid, new_fingerprint integer, at timestamptz) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into credentials.wrong_password (stream_id, fingerprint, typed_at)
    values (stream, new_fingerprint, at)
    on conflict (stream_id, fingerprint) do update set typed_at = excluded.typed_at;
    delete from credentials.wrong_password
    where (stream_id, fingerprint) in (
        select stream_id, fingerprint from credentials.wrong_password
        where stream_id = stream
        order by typed_at desc offset 3
        for update skip locked
    );
    delete from credentials.wrong_password
    where (stream_id, fingerprint) in (
        select stream_id, fingerprint from credentials.wrong_password
        where typed_at < at - interval '24 hours'
        order by typed_at limit 10
        for update skip locked
    );
end
$$;

revoke all on all functions in schema credentials from public;
grant usage on schema credentials to sekisho_credentials;
grant select on credentials.account, credentials.password, credentials.personal_key, credentials.wrong_password
    to sekisho_credentials;
grant execute on function credentials.register_account, credentials.set_password, credentials.rehash,
    credentials.rewrap, credentials.remember_wrong_password
    to sekisho_credentials;
