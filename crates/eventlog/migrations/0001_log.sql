-- The log: one append-only table, one way in. The bytes of an entry and every guarantee: docs/log-format.md.

-- Whatever function sekisho_owner makes from now on, in any schema, is closed until it is granted. (Per schema this
-- statement would do nothing: such a default can only add to the database's.)
alter default privileges revoke execute on functions from public;

-- Locked by every append, never updated: an open snapshot elsewhere cannot bloat it.
create table log.head (only_row boolean primary key default true check (only_row));
insert into log.head default values;

create table log.entry (
    position bigint not null,
    kind text not null,
    stream_id uuid not null,
    version bigint not null,
    event_id uuid not null,
    flow_id uuid,
    event_type text not null,
    recorded_at timestamptz not null,
    payload bytea not null,
    metadata bytea not null
) partition by range (position);

-- Partitions of 2^24 positions. `opened` once the first entry stands in it.
create table log.segment (
    first_position bigint primary key,
    opened boolean not null default false
);

-- The current version of each stream and between which positions a load finds it. Only counts up.
create table log.stream (
    kind text not null,
    stream_id uuid not null,
    version bigint not null,
    -- Position of the newest entry with a carried state, else of the first entry.
    load_from bigint not null,
    -- Position of the newest entry.
    newest bigint not null,
    primary key (kind, stream_id)
) with (fillfactor = 80);

-- Which role writes which kind.
create table log.writer (
    role_name name not null,
    kind text not null,
    primary key (role_name, kind)
);
insert into log.writer values
    ('sekisho_credentials', 'account'),
    ('sekisho_credentials', 'client'),
    ('sekisho_otp', 'code'),
    ('sekisho_sessions', 'session'),
    ('sekisho_audit', 'audit'),
    ('sekisho_operator', 'system');

-- Every EpochStarted. The newest one is a cut for all accounts, and whoever appends says which one it knows.
create table log.epoch (
    position bigint primary key,
    event_id uuid not null
);

-- The only clock. Tests put a variant with an offset in its place; every service refuses to start on one.
create function log.now() returns timestamptz
language sql volatile
as $$select clock_timestamp()$$;

create function log.segment_size() returns bigint
language sql immutable
as $$select 16777216::bigint$$;

-- The table of the segment that begins at a position.
create function log.segment_name(first_position bigint) returns text
language sql immutable
as $$select 'entry_' || lpad(((first_position - 1) / log.segment_size())::text, 6, '0')$$;

-- Makes the next two segments ahead of the open one. Attaching, unlike `create table … partition of`, lets appends go on.
create function log.make_segments() returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    made integer := 0;
    size constant bigint := log.segment_size();
    open_position bigint;
    first bigint;
    name text;
begin
    -- One at a time. A row of ours and no advisory lock, which any role could hold.
    perform from log.segment order by first_position limit 1 for update;
    select coalesce(max(first_position), 1) into open_position from log.segment where opened;
    for ahead in 0..2 loop
        first := open_position + ahead * size;
        continue when exists (select from log.segment where first_position = first);
        name := log.segment_name(first);
        execute format('create table log.%I (like log.entry including defaults)', name);
        execute format(
            'alter table log.%I add primary key (position), add unique (kind, stream_id, version),'
            ' add check (position >= %s and position < %s)', name, first, first + size);
        execute format('create index on log.%I (flow_id) where flow_id is not null', name);
        execute format('alter table log.entry attach partition log.%I for values from (%s) to (%s)',
            name, first, first + size);
        insert into log.segment (first_position, opened) values (first, first = 1);
        made := made + 1;
    end loop;
    return made;
end
$$;
select log.make_segments();

-- One entry to append. `expected_version` is the version of the stream before it.
create type log.draft as (
    kind text,
    stream_id uuid,
    expected_version bigint,
    event_id uuid,
    flow_id uuid,
    event_type text,
    payload bytea,
    metadata bytea,
    not_after timestamptz,
    carries boolean
);

-- The newest entry that the caller has seen, and the newest epoch: 0 and null before the first.
create type log.known as (
    position bigint,
    event_id uuid,
    epoch bigint
);

-- The only way in. One call is one batch; each entry has an outcome of its own:
--   already   my event stands at that version: success, nothing is written
--   conflict  the stream is at another version
--   expired   the log's time is past not_after
--   refused   too large, malformed, or of a kind that session_user does not write
--   appended
-- A log that is not the one that the caller knows raises SK005: a copy was restored, a failover lost entries, or an epoch
-- has begun. A clock that is more than 5 s behind the newest entry raises SK006, until an operator accepts it.
create function log.append(
    kinds text[], stream_ids uuid[], expected_versions bigint[], event_ids uuid[], flow_ids uuid[],
    event_types text[], payloads bytea[], metadatas bytea[], not_afters timestamptz[], carries boolean[],
    since log.known,
    out outcomes text[], out positions bigint[], out recorded_ats timestamptz[]
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- A batch looks for a handful of rows among millions, whatever the tables' statistics said when its plans were made, and
-- these are made once for each connection.
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
    entries constant integer := cardinality(kinds);
    allowed constant text[] := array(select kind from log.writer where role_name = session_user);
    segment_first bigint;
    head bigint;
    head_id uuid;
    stands boolean;
    last_at timestamptz;
    now_at timestamptz;
    one record;
    bound bigint;
    load_from bigint;
    found_id uuid;
    found_position bigint;
    found_at timestamptz;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'append works in read committed only' using errcode = 'SK004';
    end if;
    -- Equal only in a statement that began its transaction and came in one message: else the lock would be held until
    -- the client sends the next one, and in the extended protocol no timeout ever runs while the server waits for it.
    if statement_timestamp() <> transaction_timestamp() then
        raise exception 'append is one statement of the simple query protocol' using errcode = 'SK004';
    end if;
    -- A column that is null is no column: whatever is not surely true is refused before the lock is taken.
    if coalesce(entries > 500 or coalesce(array_ndims(kinds), 1) <> 1 or coalesce(array_lower(kinds, 1), 1) <> 1
        or cardinality(stream_ids) <> entries or cardinality(expected_versions) <> entries
        or cardinality(event_ids) <> entries or cardinality(flow_ids) <> entries
        or cardinality(event_types) <> entries or cardinality(payloads) <> entries
        or cardinality(metadatas) <> entries or cardinality(not_afters) <> entries
        or cardinality(carries) <> entries, true) then
        raise exception 'not a batch' using errcode = 'SK004';
    end if;
    -- Local to the transaction, whatever the client has set: durable, and no lock held by an idle client that put
    -- `begin` into the same message.
    perform set_config('synchronous_commit', 'on', true);
    perform set_config('idle_in_transaction_session_timeout', '1s', true);

    perform from log.head for update;
    -- Every statement from here on has a snapshot taken under the lock.
    select max(first_position) into strict segment_first from log.segment where opened;
    -- Of the open segment alone: a plan over all segments would take as long as everything else.
    execute format('select position, event_id, recorded_at from log.%I order by position desc limit 1',
        log.segment_name(segment_first)) into head, head_id, last_at;
    head := coalesce(head, segment_first - 1);
    stands := since.event_id = head_id;
    -- Most know the newest entry; who does not costs one more look.
    if since.position <> head then
        execute format('select exists (select from log.entry where position = %s and event_id = %L)',
            since.position, since.event_id) into stands;
    end if;
    if coalesce(since.position > 0 and stands is not true
        or since.epoch <> (select coalesce(max(position), 0) from log.epoch), true) then
        raise exception 'not the log that the caller knows' using errcode = 'SK005';
    end if;
    now_at := log.now();
    if now_at < last_at and not (kinds = array['system'] and event_types = array['clock_accepted']) then
        if now_at < last_at - interval '5 s' then
            raise exception 'the clock is behind the newest entry' using errcode = 'SK006';
        end if;
        now_at := last_at;
    end if;

    -- Two entries of one stream: the second is decided on what the first one has left.
    if entries > 1
        and (select count(*) > count(distinct (kind, stream_id)) from unnest(kinds, stream_ids) as d (kind, stream_id)) then
        for i in 1..entries loop
            one := log.append(kinds[i:i], stream_ids[i:i], expected_versions[i:i], event_ids[i:i], flow_ids[i:i],
                event_types[i:i], payloads[i:i], metadatas[i:i], not_afters[i:i], carries[i:i], since);
            outcomes[i] := one.outcomes[1];
            positions[i] := one.positions[1];
            recorded_ats[i] := one.recorded_ats[1];
        end loop;
        return;
    end if;

    select array_agg(outcome order by nth),
        array_agg(case when outcome = 'appended' then head + appended end order by nth),
        array_agg(case when outcome = 'appended' then now_at end order by nth)
    into outcomes, positions, recorded_ats
    from (
        select nth, outcome, count(*) filter (where outcome = 'appended') over (order by nth) as appended
        from (
            select d.nth, case
                -- Perhaps it is there already: see below.
                when coalesce(s.version, 0) > d.expected_version then 'late'
                when coalesce(s.version, 0) is distinct from d.expected_version then 'conflict'
                when d.not_after < now_at then 'expired'
                when d.stream_id is null or d.event_id is null or d.carries is null
                    -- No other kind has a part in a flow, and all that stands there is read at each of its steps.
                    or d.flow_id is not null and d.kind not in ('account', 'code', 'session')
                    or coalesce(d.event_type !~ '^[a-z][a-z0-9_]{0,62}$', true)
                    or coalesce(octet_length(d.payload) + octet_length(d.metadata), 8193) > 8192
                    or coalesce(d.kind <> all (allowed), true) then 'refused'
                else 'appended' end as outcome
            from unnest(kinds, stream_ids, expected_versions, event_ids, flow_ids, event_types, payloads, metadatas,
                    not_afters, carries) with ordinality
                as d (kind, stream_id, expected_version, event_id, flow_id, event_type, payload, metadata, not_after,
                    carries, nth)
            left join log.stream as s on s.kind = d.kind and s.stream_id = d.stream_id
        ) as decided
    ) as numbered;

    if 'appended' = any (outcomes) then
        update log.segment set opened = true
        where first_position > segment_first
            and first_position <= (select max(position) from unnest(positions) as d (position));
        insert into log.entry (position, kind, stream_id, version, event_id, flow_id, event_type, recorded_at, payload,
                               metadata)
        select d.position, d.kind, d.stream_id, d.expected_version + 1, d.event_id, d.flow_id, d.event_type, now_at,
            d.payload, d.metadata
        from unnest(positions, kinds, stream_ids, expected_versions, event_ids, flow_ids, event_types, payloads,
                metadatas)
            as d (position, kind, stream_id, expected_version, event_id, flow_id, event_type, payload, metadata)
        where d.position is not null;
        insert into log.stream (kind, stream_id, version, load_from, newest)
        select d.kind, d.stream_id, 1, d.position, d.position
        from unnest(positions, kinds, stream_ids, expected_versions) as d (position, kind, stream_id, expected_version)
        where d.position is not null and d.expected_version = 0;
        update log.stream as s
        set version = d.expected_version + 1, newest = d.position,
            load_from = case when d.carries then d.position else s.load_from end
        from unnest(positions, kinds, stream_ids, expected_versions, carries)
            as d (position, kind, stream_id, expected_version, carries)
        where d.position is not null and d.expected_version > 0 and s.kind = d.kind and s.stream_id = d.stream_id;
        insert into log.epoch
        select d.position, d.event_id
        from unnest(positions, kinds, event_types, event_ids) as d (position, kind, event_type, event_id)
        where d.position is not null and d.kind = 'system' and d.event_type = 'epoch_started';
    end if;

    for i in 1..entries loop
        continue when outcomes[i] <> 'late';
        outcomes[i] := 'conflict';
        select s.load_from into load_from
        from log.stream as s where s.kind = kinds[i] and s.stream_id = stream_ids[i];
        -- Most are found at once; only one that is submitted very late is searched for in all segments.
        foreach bound in array array[greatest(since.position, load_from), load_from, 1] loop
            -- An expected version below 0, of a stream that does not exist.
            continue when bound is null;
            execute format('select event_id, position, recorded_at from log.entry'
                ' where position >= %s and kind = $1 and stream_id = $2 and version = $3', bound)
                into found_id, found_position, found_at
                using kinds[i], stream_ids[i], expected_versions[i] + 1;
            exit when found_id is not null;
        end loop;
        if found_id = event_ids[i] then
            outcomes[i] := 'already';
            positions[i] := found_position;
            recorded_ats[i] := found_at;
        end if;
    end loop;
end
$$;

-- For functions that change a table together with an event: they change the table first and call this last.
-- Whatever does not end in the log raises, and takes the table's change with it.
create function log.append_or_raise(
    draft log.draft, since log.known, out outcome text, out "position" bigint, out recorded_at timestamptz
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    appended record;
begin
    appended := log.append(
        array[draft.kind], array[draft.stream_id], array[draft.expected_version], array[draft.event_id],
        array[draft.flow_id], array[draft.event_type], array[draft.payload], array[draft.metadata],
        array[draft.not_after], array[draft.carries], since);
    outcome := appended.outcomes[1];
    "position" := appended.positions[1];
    recorded_at := appended.recorded_ats[1];
    case outcome
        when 'conflict' then raise exception 'conflict' using errcode = 'SK001';
        when 'expired' then raise exception 'expired' using errcode = 'SK002';
        when 'refused' then raise exception 'refused' using errcode = 'SK003';
        else null;
    end case;
end
$$;

-- The entries that make the states of streams of one id, each in order: all, or those from the newest that carries a state on.
-- No row of a stream that does not exist; where its entries should be and are not, SK007. The bounds stand as constants in what
-- is planned, so that no segment outside of them is touched.
create function log.load(kinds text[], stream_id uuid, whole boolean) returns setof log.entry
language plpgsql stable
-- As in `append`: planned once for each connection, whatever the statistics said then. It has the rights of its caller, and a
-- search path of its own would cost more than all else that it does.
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
    one text;
    load_from bigint;
    newest bigint;
begin
    foreach one in array kinds loop
        select case when whole then 1 else s.load_from end, s.newest into load_from, newest
        from log.stream as s where s.kind = one and s.stream_id = load.stream_id;
        continue when not found;
        return query execute format('select * from log.entry where position between %s and %s and kind = $1 and stream_id = $2'
            ' order by version', load_from, newest) using one, stream_id;
        if not found then
            raise exception 'a stream whose entries are gone' using errcode = 'SK007';
        end if;
    end loop;
end
$$;

-- Work about an entry that keeps failing for a reason that time does not mend: laid aside, so that it holds up nothing, until
-- an operator has it tried again or drops it. No record: what became of it stands in the log.
create table log.parked (
    parked_id bigint generated always as identity primary key,
    -- Whose work it is, and what.
    role_name name not null,
    work text not null,
    -- The entry that it is about.
    about bigint not null,
    attempts bigint not null,
    -- In upper snake case; explained by `sekisho parked show`.
    reason text not null,
    parked_at timestamptz not null,
    -- An operator has asked for another try.
    replay boolean not null default false,
    unique (role_name, work, about)
);

-- Lays work of the caller aside, or says that another try has failed as well. Of each role 10,000 at most: false for one more.
create function log.park(work text, about bigint, attempts bigint, reason text) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if coalesce(park.work !~ '^[a-z_]{1,63}$' or park.reason !~ '^[A-Z_]{1,63}$', true) then
        raise exception 'not a name' using errcode = 'SK003';
    end if;
    delete from log.parked as p where p.role_name = session_user and p.parked_at < log.now() - interval '30 days';
    if (select count(*) from log.parked as p
        where p.role_name = session_user and (p.work, p.about) <> (park.work, park.about)) >= 10000 then
        return false;
    end if;
    insert into log.parked as p (role_name, work, about, attempts, reason, parked_at)
    values (session_user, park.work, park.about, park.attempts, park.reason, log.now())
    on conflict on constraint parked_role_name_work_about_key do update
    set attempts = excluded.attempts, reason = excluded.reason, parked_at = excluded.parked_at, replay = false;
    return true;
end
$$;

-- The caller's work is done, or need not be done any more.
create function log.unpark(work text, about bigint) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$delete from log.parked as p where p.role_name = session_user and p.work = unpark.work and p.about = unpark.about$$;

-- An operator has parked work tried again, or drops it; false if it is not there.
create function log.replay_parked(id bigint) returns boolean
language sql security definer
set search_path = pg_catalog, pg_temp
as $$with found as (update log.parked set replay = true where parked_id = id returning 1) select exists (select from found)$$;

create function log.drop_parked(id bigint) returns boolean
language sql security definer
set search_path = pg_catalog, pg_temp
as $$with found as (delete from log.parked where parked_id = id returning 1) select exists (select from found)$$;

revoke all on all functions in schema log from public;
grant usage on schema log to sekisho_log_reader;
grant select on log.entry, log.stream, log.segment, log.epoch, log.parked to sekisho_log_reader;
grant execute on function log.now(), log.load to sekisho_log_reader;
grant execute on function log.append, log.make_segments, log.park, log.unpark to sekisho_log_writer;
grant execute on function log.replay_parked, log.drop_parked to sekisho_operator;
