//! Entries written to a terminal or for a program.

use std::io::{self, Write};

use serde_json::{Map, json};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::entries::Line;
use super::said::Said;
use crate::text::{clean, clean_json, jst, padded, width};

const TITLES: [&str; 4] = ["位置", "日時 (JST)", "出来事", "内容"];
const UNREADABLE: &str = "この版では読めません";

/// A table: where, when, what, and what it says. `with_flows` names each entry's flow.
///
/// # Errors
/// If the output cannot be written.
pub fn table(lines: &[Line], with_flows: bool, output: &mut impl Write) -> io::Result<()> {
    let rows = lines.iter().map(|line| row(line, with_flows));
    let rows: Vec<_> = std::iter::once(TITLES.map(str::to_owned)).chain(rows).collect();
    let widest = |column: usize| {
        rows.iter()
            .map(|row| width(&row[column]))
            .max()
            .unwrap_or_default()
    };
    let (first, second, third) = (widest(0), widest(1), widest(2));
    for [position, moment, event, says] in &rows {
        let position = format!("{}{position}", " ".repeat(first.saturating_sub(width(position))));
        let (moment, event) = (padded(moment, second), padded(event, third));
        writeln!(
            output,
            "{}",
            format!("{position}  {moment}  {event}  {says}").trim_end()
        )?;
    }
    Ok(())
}

/// One JSON object a line.
///
/// # Errors
/// If the output cannot be written.
pub fn json(lines: &[Line], output: &mut impl Write) -> io::Result<()> {
    lines
        .iter()
        .try_for_each(|line| writeln!(output, "{}", clean_json(&object(line))))
}

fn row(line: &Line, with_flows: bool) -> [String; 4] {
    let said = Said::by(line);
    let event_type = clean(&line.event_type);
    let event = match &said {
        Some(said) => format!("{} {event_type}", said.title),
        None => event_type,
    };
    let mut says: Vec<String> = match said {
        Some(said) => said
            .facts
            .iter()
            .map(|fact| format!("{} {}", fact.label, fact.value.text()))
            .collect(),
        None => vec![UNREADABLE.to_owned()],
    };
    if let Some(actor) = acting_person(line) {
        says.push(format!("実行者 {}", clean(actor)));
    }
    if let Some(flow) = line.flow.filter(|_| with_flows) {
        says.push(format!("フロー {flow}"));
    }
    [
        line.position.to_string(),
        jst(line.recorded_at),
        event,
        says.join(" · "),
    ]
}

/// Who acted, if it was not the service that wrote the entry.
fn acting_person(line: &Line) -> Option<&str> {
    let service = line.metadata.service.split('/').next().unwrap_or_default();
    let actor = line.metadata.actor.as_str();
    (!actor.is_empty() && actor != service).then_some(actor)
}

fn object(line: &Line) -> serde_json::Value {
    let says = Said::by(line).map(|said| {
        let facts = said
            .facts
            .iter()
            .map(|fact| (fact.key.to_owned(), fact.value.json()));
        facts.collect::<Map<_, _>>()
    });
    json!({
        "position": line.position,
        "recorded_at": line.recorded_at.format(&Rfc3339).unwrap_or_default(),
        "kind": line.kind,
        "stream": line.stream.to_string(),
        "version": line.version,
        "flow": line.flow.as_ref().map(Uuid::to_string),
        "event": line.event_type,
        "says": says,
        "actor": line.metadata.actor,
        "service": line.metadata.service,
        "trace_id": trace_id(&line.metadata.traceparent),
    })
}

/// The second field of a W3C `traceparent`.
fn trace_id(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1)
}

#[cfg(test)]
#[path = "written_tests.rs"]
mod tests;
