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
    digest bytea not null check (octet_length(digest) = 32),
    -- SHA-256 of each piece, one after the other.
    piece_hashes bytea not null check (octet_length(piece_hashes) between 32 and 131072),
    -- HMAC of all this, under a key that is not in the database.
    key_id text not null check (octet_length(key_id) <= 100),
    tag bytea not null check (octet_length(tag) = 32),
    taken_at timestamptz not null default log.now()
);

create table sessions.snapshot_piece (
    snapshot_id bigint references sessions.snapshot on delete cascade,
    number bigint,
    bytes bytea not null check (octet_length(bytes) <= 1048576),
    primary key (snapshot_id, number)
);

grant usage on schema sessions to sekisho_sessions;
grant select, delete on sessions.snapshot, sessions.snapshot_piece to sekisho_sessions;
-- Nobody says when: whatever is a day old and of another version goes.
grant insert (position, event_id, epoch, version, digest, piece_hashes, key_id, tag) on sessions.snapshot to sekisho_sessions;
grant insert on sessions.snapshot_piece to sekisho_sessions;
