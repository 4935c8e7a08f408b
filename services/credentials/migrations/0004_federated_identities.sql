-- Who signs in with an account at a provider. Which event linked them is in the log, with a keyed digest of both names: a row that
-- nobody recorded opens nothing.

create table credentials.federated_identity (
    -- The provider's, as its ID tokens write it.
    issuer text not null,
    -- The person's, as the provider writes it: never reassigned there.
    subject text not null,
    account_id uuid not null unique references credentials.account,
    primary key (issuer, subject)
);

-- A link to a person at a provider and FederatedIdentityLinked, or nothing of it. An empty subject removes the link.
create function credentials.link_identity(
    draft log.draft, since log.known, new_issuer text, new_subject text,
    out outcome text, out "position" bigint, out recorded_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    appended record;
begin
    if draft.kind is distinct from 'account' or draft.event_type is distinct from 'federated_identity_linked' then
        raise exception 'not a link' using errcode = 'SK003';
    end if;
    -- The row before the log's lock, which the append takes: whoever holds the row must not make all others wait.
    perform from credentials.account where account_id = draft.stream_id for update;
    if not found then
        raise exception 'there is no account to link' using errcode = 'SK003';
    end if;
    appended := log.append_or_raise(draft, since);
    -- A draft that is recorded already leaves the row alone: another one may have come after it.
    if appended.outcome = 'appended' then
        -- Links are made one after another from here on: the append holds the log's lock.
        if exists (select from credentials.federated_identity
                   where issuer = new_issuer and subject = new_subject and account_id <> draft.stream_id) then
            raise exception 'the identity is taken' using errcode = 'SK003';
        end if;
        delete from credentials.federated_identity where account_id = draft.stream_id;
        if new_subject <> '' then
            insert into credentials.federated_identity (issuer, subject, account_id)
            values (new_issuer, new_subject, draft.stream_id);
        end if;
    end if;
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

-- As in 0003, and the link is gone with the rest.
create or replace function credentials.erase_account(
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
    -- Before anything that hangs on it: nobody adds a former address or a link from now on.
    perform from credentials.account where account_id = draft.stream_id for update;
    delete from credentials.password where account_id = draft.stream_id;
    delete from credentials.personal_key where account_id = draft.stream_id;
    delete from credentials.wrong_password where stream_id = draft.stream_id;
    delete from credentials.former_address where account_id = draft.stream_id;
    delete from credentials.federated_identity where account_id = draft.stream_id;
    delete from credentials.account where account_id = draft.stream_id;
    appended := log.append_or_raise(draft, since);
    outcome := appended.outcome;
    "position" := appended."position";
    recorded_at := appended.recorded_at;
end
$$;

revoke all on all functions in schema credentials from public;
grant select on credentials.federated_identity to sekisho_credentials;
grant execute on function credentials.link_identity to sekisho_credentials;
