//! Entries of one flow.

use sekisho_eventlog::{Draft, FlowId, Log, Position};
use sekisho_proto::Kind;
use sekisho_proto::events::CodeEvent;

use super::support::{Db, append, draft, recorded, stream};

async fn add(log: &Log, number: u128, expected: u64, flow: Option<FlowId>) -> Position {
    let draft = Draft {
        flow,
        ..draft(stream(number), expected)
    };
    recorded(append(log, &draft).await).position
}

async fn positions(log: &Log, flow: FlowId) -> Vec<Position> {
    log.flow(flow)
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.recorded.position)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_entries_of_a_stream_come_first() {
    let db = Db::new().await;
    let log = db.log().await;
    let mut all = Vec::new();
    for version in 0..4 {
        all.insert(0, add(&log, 1, version, None).await);
        add(&log, 2, version, None).await;
    }
    let of_types = async |types: &[&str], after, limit| -> Vec<Position> {
        let entries = log.newest::<CodeEvent>(types, stream(1), after, limit).await;
        let entries = entries.unwrap();
        entries.iter().map(|entry| entry.recorded.position).collect()
    };
    let newest = async |after, limit| of_types(CodeEvent::TYPES, after, limit).await;
    assert_eq!(newest(Position(0), 10).await, all);
    assert_eq!(newest(Position(0), 2).await, all[..2]);
    assert_eq!(newest(all[2], 10).await, all[..2]);
    assert_eq!(of_types(&["code_issued"], Position(0), 10).await, all);
    assert_eq!(of_types(&["mailed"], Position(0), 10).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_are_found_by_where_their_entries_stand() {
    let db = Db::new().await;
    let log = db.log().await;
    let (first, second) = (FlowId::mint(log.head()), FlowId::mint(log.head()));
    let start = add(&log, 1, 0, Some(first)).await;
    let middle = add(&log, 2, 0, Some(second)).await;
    add(&log, 3, 0, None).await;
    let end = add(&log, 1, 1, Some(first)).await;
    let found = async |after, upto| -> Vec<FlowId> {
        let flows = log.flows(Kind::Code, after, upto).await.unwrap();
        flows.into_iter().map(|(flow, _)| flow).collect()
    };
    assert_eq!(found(Position(0), end).await, [first, second]);
    assert_eq!(found(start, middle).await, [second]);
    assert_eq!(found(end, Position(end.0 + 9)).await, []);
    assert_eq!(log.flows(Kind::Account, Position(0), end).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_has_all_its_entries_from_every_stream_in_order() {
    let db = Db::new().await;
    let log = db.log().await;
    add(&log, 1, 0, None).await;
    let (flow, other) = (FlowId::mint(log.head()), FlowId::mint(log.head()));
    let mut expected = Vec::new();
    for nth in 0..5 {
        expected.push(add(&log, 10 + nth, 0, Some(flow)).await);
        add(&log, 20 + nth, 0, Some(other)).await;
        add(&log, 30 + nth, 0, None).await;
    }
    assert_eq!(positions(&log, flow).await, expected);
    assert_eq!(positions(&db.log_as("sessions").await, flow).await, expected);
    assert_eq!(positions(&log, FlowId::mint(log.head())).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_read_begins_after_the_head_at_which_the_flow_was_minted() {
    let db = Db::new().await;
    let log = db.log().await;
    for number in 1..4 {
        add(&log, number, 0, None).await;
    }
    let flow = FlowId::mint(log.head());
    let first = add(&log, 4, 0, Some(flow)).await;
    // Cannot be: no entry of a flow is older than the flow.
    db.sql(&format!(
        "update log.entry set flow_id = '{flow}' where position <= 3;"
    ));
    assert_eq!(positions(&log, flow).await, [first]);
}
