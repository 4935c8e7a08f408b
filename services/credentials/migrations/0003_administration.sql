-- A new address and EmailChanged, or nothing of it.
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
        update credentials.account set address = new_address where account_id = draft.stream_id;
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
    delete from credentials.password where account_id = draft.stream_id;
    delete from credentials.personal_key where account_id = draft.stream_id;
    delete from credentials.wrong_password where stream_id = draft.stream_id;
    delete from credentials.account where account_id = draft.stream_id;
    appended := log.append_or_raise(draft, since);
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

-- Lists go by facility and login id.
create index account_facility_code on credentials.account (facility_code, login_id);

revoke all on all functions in schema credentials from public;
grant execute on function credentials.change_address, credentials.erase_account to sekisho_credentials;
