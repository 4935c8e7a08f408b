-- What administrators change, together with its event.

-- Addresses in whose place there is another one: whoever reads there is told so, within a day.
create table credentials.former_address (
    -- Of the EmailChanged.
    "position" bigint primary key,
    account_id uuid not null references credentials.account,
    address text not null,
    changed_at timestamptz not null
);

create index former_address_account_id on credentials.former_address (account_id);
create index former_address_changed_at on credentials.former_address (changed_at);

-- A new address and EmailChanged, or nothing of it; the old one is kept for the notice.
create function credentials.change_address(
    draft log.draft, since log.known, new_address text,
    out outcome text, out "position" bigint, out recorded_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    appended record;
begin
    if draft.kind is distinct from 'account' or draft.event_type is distinct from 'email_changed' then
        raise exception 'not a new address' using errcode = 'SK003';
    end if;
    -- The row before the log's lock, which the append takes: whoever holds the row must not make all others wait.
    perform from credentials.account where account_id = draft.stream_id for update;
    if not found then
        raise exception 'there is no account to change' using errcode = 'SK003';
    end if;
    appended := log.append_or_raise(draft, since);
    -- A draft that is recorded already leaves the row alone: another one may have come after it.
    if appended.outcome = 'appended' then
        insert into credentials.former_address ("position", account_id, address, changed_at)
        select appended."position", account_id, address, appended.recorded_at
        from credentials.account where account_id = draft.stream_id and address <> '';
        update credentials.account set address = new_address where account_id = draft.stream_id;
    end if;
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

-- Another facility or name and ProfileChanged, or nothing of it.
create function credentials.change_profile(
    draft log.draft, since log.known,
    old_facility_code text, new_facility_code text, new_facility text, new_name text,
    out outcome text, out "position" bigint, out recorded_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    appended record;
begin
    if draft.kind is distinct from 'account' or draft.event_type is distinct from 'profile_changed' then
        raise exception 'not a new profile' using errcode = 'SK003';
    end if;
    -- The row before the log's lock, which the append takes: whoever holds the row must not make all others wait.
    perform from credentials.account where account_id = draft.stream_id for update;
    if not found then
        raise exception 'there is no account to change' using errcode = 'SK003';
    end if;
    appended := log.append_or_raise(draft, since);
    -- A draft that is recorded already leaves the row alone: another one may have come after it.
    if appended.outcome = 'appended' then
        -- Unless somebody else has moved the person since the new profile was made from the old one: that must not be undone.
        update credentials.account
        set facility_code = new_facility_code, facility = new_facility, name = new_name
        where account_id = draft.stream_id and facility_code in (old_facility_code, new_facility_code);
        if not found then
            raise exception 'the person is at another facility' using errcode = 'SK003';
        end if;
    end if;
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

-- Nothing is left of the person, and AccountErased; or nothing of it. A draft that is recorded already finds nothing to delete.
create function credentials.erase_account(
    draft log.draft, since log.known,
    out outcome text, out "position" bigint, out recorded_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    appended record;
begin
    if draft.kind is distinct from 'account' or draft.event_type is distinct from 'account_erased' then
        raise exception 'not an erasure' using errcode = 'SK003';
    end if;
    -- Before anything that hangs on it: nobody adds a former address from now on.
    perform from credentials.account where account_id = draft.stream_id for update;
    delete from credentials.password where account_id = draft.stream_id;
    delete from credentials.personal_key where account_id = draft.stream_id;
    delete from credentials.wrong_password where stream_id = draft.stream_id;
    delete from credentials.former_address where account_id = draft.stream_id;
    delete from credentials.account where account_id = draft.stream_id;
    appended := log.append_or_raise(draft, since);
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

-- Forgets addresses that were changed before a moment.
create function credentials.forget_former_addresses(before timestamptz) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    delete from credentials.former_address where changed_at < before
$$;

-- Lists go by facility and login id.
create index account_facility_code on credentials.account (facility_code, login_id);

revoke all on all functions in schema credentials from public;
grant select on credentials.former_address to sekisho_credentials;
grant execute on function credentials.change_address, credentials.change_profile, credentials.erase_account,
    credentials.forget_former_addresses
    to sekisho_credentials;
