-- Snapshots of what the replicas of sessions remember, so that a new one need not fold the whole log. Nothing here is a
-- record: whoever deletes all of it costs the next start some time.

create table sessions.snapshot (
    snapshot_id bigint generated always as identity primary key,
    -- Everything up to this entry of the log is in it.
    position bigint not null,
    event_id uuid not null,
    -- Where the newest EpochStarted before it stands; 0 before the first.
    epoch bigint not null,
    -- Of the code that took it.
    version bigint not null,
    -- Of the remembered state.
    digest bytea not null,
    -- SHA-256 of each piece, one after the other.
    piece_hashes bytea not null,
    -- HMAC of all this, under a key that is not in the database.
    key_id text not null,
    tag bytea not null,
    taken_at timestamptz not null
);

create table sessions.snapshot_piece (
    snapshot_id bigint references sessions.snapshot on delete cascade,
    number bigint,
    bytes bytea not null,
    primary key (snapshot_id, number)
);

grant usage on schema sessions to sekisho_sessions;
grant select, insert, delete on sessions.snapshot, sessions.snapshot_piece to sekisho_sessions;
