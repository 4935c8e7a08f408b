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

-- The current version of each stream and where a load may begin. Only counts up.
create table log.stream (
    kind text not null,
    stream_id uuid not null,
    version bigint not null,
    -- Position of the newest entry with a carried state, else of the first entry.
    load_from bigint not null,
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
        name := format('entry_%s', lpad(((first - 1) / size)::text, 6, '0'));
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
as $$
declare
    size constant bigint := log.segment_size();
    entries constant integer := cardinality(kinds);
    segment_first bigint;
    head bigint;
    head_id uuid;
    stands boolean;
    last_at timestamptz;
    now_at timestamptz;
    current_version bigint;
    load_from bigint;
    bound bigint;
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
    if coalesce(entries > 500 or cardinality(stream_ids) <> entries or cardinality(expected_versions) <> entries
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
    execute format('select position, event_id, recorded_at from log.entry where position >= %s'
        ' order by position desc limit 1', segment_first) into head, head_id, last_at;
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

    for i in 1..entries loop
        positions[i] := null;
        recorded_ats[i] := null;
        select s.version, s.load_from into current_version, load_from
        from log.stream as s where s.kind = kinds[i] and s.stream_id = stream_ids[i];
        current_version := coalesce(current_version, 0);
        if current_version > expected_versions[i] then
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
            outcomes[i] := 'conflict';
            if found_id = event_ids[i] then
                outcomes[i] := 'already';
                positions[i] := found_position;
                recorded_ats[i] := found_at;
            end if;
        elsif current_version is distinct from expected_versions[i] then
            outcomes[i] := 'conflict';
        elsif not_afters[i] < now_at then
            outcomes[i] := 'expired';
        elsif stream_ids[i] is null or event_ids[i] is null or carries[i] is null
            -- No other kind has a part in a flow, and all that stands there is read at each of its steps.
            or flow_ids[i] is not null and kinds[i] not in ('account', 'code', 'session')
            or coalesce(event_types[i] !~ '^[a-z][a-z0-9_]{0,62}$', true)
            or coalesce(octet_length(payloads[i]) + octet_length(metadatas[i]), 8193) > 8192
            or not exists (select from log.writer as w where w.role_name = session_user and w.kind = kinds[i]) then
            outcomes[i] := 'refused';
        else
            head := head + 1;
            if head % size = 1 and head > 1 then
                update log.segment set opened = true where first_position = head;
            end if;
            insert into log.entry (position, kind, stream_id, version, event_id, flow_id, event_type,
                                   recorded_at, payload, metadata)
            values (head, kinds[i], stream_ids[i], current_version + 1, event_ids[i], flow_ids[i], event_types[i],
                    now_at, payloads[i], metadatas[i]);
            insert into log.stream as s (kind, stream_id, version, load_from)
            values (kinds[i], stream_ids[i], current_version + 1, head)
            on conflict (kind, stream_id) do update
            set version = excluded.version,
                load_from = case when carries[i] then excluded.load_from else s.load_from end;
            if kinds[i] = 'system' and event_types[i] = 'epoch_started' then
                insert into log.epoch values (head, event_ids[i]);
            end if;
            outcomes[i] := 'appended';
            positions[i] := head;
            recorded_ats[i] := now_at;
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

revoke all on all functions in schema log from public;
grant usage on schema log to sekisho_log_reader;
grant select on log.entry, log.stream, log.segment, log.epoch to sekisho_log_reader;
grant execute on function log.now() to sekisho_log_reader;
grant execute on function log.append, log.make_segments to sekisho_log_writer;
