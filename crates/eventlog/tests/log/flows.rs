//! Entries of one flow.

use sekisho_eventlog::{Draft, FlowId, Log, Position};

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
