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
    -- Somebody else has moved the person since the new profile was made from the old one: a draft that is not recorded yet
    -- must not move the person back.
    perform from credentials.account
    where account_id = draft.stream_id and facility_code in (old_facility_code, new_facility_code);
    if not found then
        raise exception 'the person is at another facility' using errcode = 'SK003';
    end if;
    appended := log.append_or_raise(draft, since);
    -- A draft that is recorded already leaves the row alone: another one may have come after it.
    if appended.outcome = 'appended' then
        update credentials.account
        set facility_code = new_facility_code, facility = new_facility, name = new_name
        where account_id = draft.stream_id;
    end if;
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

revoke all on all functions in schema credentials from public;
grant execute on function credentials.change_profile to sekisho_credentials;
