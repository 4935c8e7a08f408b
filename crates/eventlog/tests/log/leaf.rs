//! The bytes of an entry as they are hashed.

use sekisho_eventlog::{Draft, FlowId, Position};

use super::support::{Db, append, draft, hex, recorded, stream};

/// docs/log-format.md: the same bytes without any program of ours.
const IN_SQL: &str = r"
    select encode('\x01'::bytea || int8send(position)
        || int4send(octet_length(kind)) || convert_to(kind, 'UTF8')
        || int4send(16) || uuid_send(stream_id) || int8send(version)
        || int4send(16) || uuid_send(event_id)
        || case when flow_id is null then int4send(0) else int4send(16) || uuid_send(flow_id) end
        || int4send(octet_length(event_type)) || convert_to(event_type, 'UTF8')
        || int8send((extract(epoch from recorded_at) * 1000000)::bigint)
        || int4send(octet_length(payload)) || payload
        || int4send(octet_length(metadata)) || metadata, 'hex')
    from log.entry order by position;";

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_of_an_entry_are_the_same_in_sql() {
    let db = Db::new().await;
    let log = db.log().await;
    for number in 0..3 {
        let flow = (number % 2 == 0).then(|| FlowId::mint(log.head()));
        recorded(
            append(
                &log,
                &Draft {
                    flow,
                    ..draft(stream(number), 0)
                },
            )
            .await,
        );
    }
    // A field of a newer version, which this one does not know: it is hashed all the same.
    db.sql(r"update log.entry set payload = payload || '\x9a0602abcd', metadata = metadata || '\x9a0602abcd' where position = 3;");
    let in_sql = db.sql(IN_SQL);
    for (position, expected) in (1..).zip(in_sql.lines()) {
        let entry = log.entry(Position(position)).await.unwrap().unwrap();
        assert_eq!(hex(&entry.leaf_bytes()), expected);
    }
    assert_eq!(in_sql.lines().count(), 3);
}
