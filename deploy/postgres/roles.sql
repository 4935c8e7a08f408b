-- The PostgreSQL roles of an installation. Run once by a superuser in the database of the log, before the migrations:
--   psql --set credentials_password=… --set otp_password=… --set sessions_password=… --set audit_password=… --set operator_password=… --set reader_password=… --file roles.sql
-- Running it again changes the passwords and sets what stands here; what a role has set for itself beside it stays until
-- `alter role … reset all`.

\set ON_ERROR_STOP on

-- Owns every schema, table and function; nobody signs in as it.
select 'create role sekisho_owner nologin'
where not exists (select from pg_roles where rolname = 'sekisho_owner') \gexec

-- May read the whole log.
select 'create role sekisho_log_reader nologin'
where not exists (select from pg_roles where rolname = 'sekisho_log_reader') \gexec

-- May call the append function; the kinds that each may write stand in log.writer.
select 'create role sekisho_log_writer nologin'
where not exists (select from pg_roles where rolname = 'sekisho_log_writer') \gexec

select format('create role %I login', name)
from unnest(array['sekisho_credentials', 'sekisho_otp', 'sekisho_sessions', 'sekisho_audit', 'sekisho_operator', 'sekisho_reader']) as name
where not exists (select from pg_roles where rolname = name) \gexec

alter role sekisho_credentials password :'credentials_password';
alter role sekisho_otp password :'otp_password';
alter role sekisho_sessions password :'sessions_password';
alter role sekisho_audit password :'audit_password';
alter role sekisho_operator password :'operator_password';
alter role sekisho_reader password :'reader_password';

grant sekisho_log_reader to sekisho_credentials, sekisho_otp, sekisho_sessions, sekisho_audit, sekisho_operator,
    sekisho_reader;
grant sekisho_log_writer to sekisho_credentials, sekisho_otp, sekisho_sessions, sekisho_audit, sekisho_operator;

-- A stuck client must not hold the log's lock: see docs/log-format.md, "Who may wait for whom". And the text of a
-- statement, in which values stand, must reach no log and no view, whatever the server's own settings say. Nor may the
-- server's log take what a role makes a message say, as long and as often as it likes: it would fill the disk.
select format('alter role %I set %s', name, setting)
from unnest(array['sekisho_credentials', 'sekisho_otp', 'sekisho_sessions', 'sekisho_audit', 'sekisho_operator', 'sekisho_reader']) as name,
     unnest(array['statement_timeout = ''5s''', 'lock_timeout = ''2s''',
                  'idle_in_transaction_session_timeout = ''2s''', 'tcp_user_timeout = ''1s''',
                  'log_min_error_statement = ''panic''', 'log_min_messages = ''fatal''', 'log_statement = ''none''',
                  'log_min_duration_statement = -1', 'log_min_duration_sample = -1',
                  'log_transaction_sample_rate = 0', 'track_activities = off']) as setting \gexec

-- A sort or a join of a reader may not fill the disk, nor readers take the connections of the services.
select format('alter role %I set temp_file_limit = ''256MB''', name)
from unnest(array['sekisho_credentials', 'sekisho_otp', 'sekisho_sessions', 'sekisho_audit', 'sekisho_operator', 'sekisho_reader']) as name \gexec
alter role sekisho_audit connection limit 20;
alter role sekisho_reader connection limit 10;

select format('grant create on database %I to sekisho_owner', current_database()) \gexec
select format('revoke temporary, create on database %I from public', current_database()) \gexec
revoke all on schema public from public;

-- What of the server's own functions no role of the log may call; by name, because versions differ in the arguments.
-- * Large objects belong to whoever makes them, and a message in the WAL needs no right: even a reader could fill the
--   disk.
-- * Whoever holds the log's lock must not be able to sleep on it.
-- * An advisory lock outlives its statement and its transaction: enough of them fill the table of locks that the log
--   needs. The migrations, which run as the owner, take one.
select format('revoke execute on function %s from public', oid::regprocedure)
from pg_proc
where pronamespace = 'pg_catalog'::regnamespace
    and (proname in ('lo_create', 'lo_creat', 'lo_from_bytea', 'lo_put', 'lowrite', 'lo_open', 'pg_logical_emit_message',
                     'pg_sleep', 'pg_sleep_for', 'pg_sleep_until')
        or proname ~ '^pg_(try_)?advisory_(xact_)?lock') \gexec
grant execute on function pg_advisory_lock(bigint) to sekisho_owner;
revoke usage on language plpgsql from public;
grant usage on language plpgsql to sekisho_owner;
