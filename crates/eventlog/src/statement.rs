//! Statements as text.
//!
//! An append goes out as one message of PostgreSQL's simple query protocol: the server has everything before it takes
//! the lock, and commits without another byte from us. The extended protocol would hold the lock until a `Sync`
//! arrives. The price is that values stand in the text; only types whose text cannot end a literal get there.

use std::fmt::Write;
use std::sync::Arc;

use time::OffsetDateTime;

use crate::draft::{Argument, Draft};
use crate::head::Known;

/// A call of `log.append`.
pub(crate) fn append(drafts: &[&Draft], since: &Known) -> Arc<str> {
    let columns = [
        array("text", drafts, |draft| draft.kind.as_str().to_owned()),
        array("uuid", drafts, |draft| draft.stream.to_string()),
        array("bigint", drafts, |draft| draft.expected.to_sql().to_string()),
        array("uuid", drafts, |draft| draft.event_id.to_string()),
        array("uuid", drafts, |draft| {
            draft.flow.map_or_else(null, |flow| flow.to_string())
        }),
        array("text", drafts, |draft| name(draft.event_type)),
        array("bytea", drafts, |draft| hex_in_array(&draft.payload_bytes())),
        array("bytea", drafts, |draft| hex_in_array(&draft.metadata_bytes())),
        array("timestamptz", drafts, |draft| {
            draft.not_after.map_or_else(null, in_array)
        }),
        array("boolean", drafts, |draft| {
            draft.payload.carried.is_some().to_string()
        }),
    ];
    // Microseconds as numbers: text is the only format of the simple query protocol, and moments have many spellings.
    format!(
        "select outcomes, positions, \
         array(select (extract(epoch from at) * 1000000)::bigint from unnest(recorded_ats) with ordinality as t(at, nth) \
         order by nth) \
         from log.append({}, {})",
        columns.join(", "),
        known(since)
    )
    .into()
}

/// A call of a combined function: `name(draft, since, …)`.
pub(crate) fn combined(name: &str, draft: &Draft, since: &Known, arguments: &[Argument]) -> Arc<str> {
    let more = arguments
        .iter()
        .fold(String::new(), |text, argument| text + ", " + &argument.literal());
    format!(
        "select outcome, position, (extract(epoch from recorded_at) * 1000000)::bigint from {name}({}, {}{more})",
        row(draft),
        known(since)
    )
    .into()
}

/// Calls of combined functions as one message, which the server takes as one transaction.
pub(crate) fn together<'a>(calls: impl Iterator<Item = &'a Arc<str>>) -> Arc<str> {
    let calls: Vec<&str> = calls.map(AsRef::as_ref).collect();
    calls.join("; ").into()
}

impl Argument {
    /// The value as it stands in a statement. Only on a connection of the log's own, where a backslash means itself.
    pub fn literal(&self) -> String {
        match self {
            Self::Uuid(id) => format!("'{}'::uuid", id.hyphenated()),
            Self::Bytes(bytes) => format!("'{}'::bytea", hex(bytes)),
            // The name of the encoding has the collation "C", which a function would take over: no index of a table fits it.
            Self::Text(text) => format!(
                "convert_from('{}'::bytea, 'UTF8') collate \"default\"",
                hex(text.as_bytes())
            ),
            Self::Number(number) => format!("{number}::bigint"),
        }
    }
}

fn row(draft: &Draft) -> String {
    let quoted = |text: String| format!("'{text}'");
    format!(
        "row('{}', '{}', {}, '{}', {}, '{}', '{}', '{}', {}, {})::log.draft",
        draft.kind,
        draft.stream,
        draft.expected.to_sql(),
        draft.event_id,
        draft.flow.map_or_else(null, |flow| quoted(flow.to_string())),
        name(draft.event_type),
        hex(&draft.payload_bytes()),
        hex(&draft.metadata_bytes()),
        draft
            .not_after
            .map_or_else(null, |moment| quoted(timestamp(moment))),
        draft.payload.carried.is_some(),
    )
}

/// By this the server sees whether its log is the one that this process knows.
fn known(since: &Known) -> String {
    let event_id = since
        .head
        .event_id
        .map_or_else(null, |event| format!("'{event}'"));
    let (position, epoch) = (since.head.position.to_sql(), since.epochs.newest().to_sql());
    format!("row({position}, {event_id}, {epoch})::log.known")
}

fn array(sql_type: &str, drafts: &[&Draft], item: impl Fn(&Draft) -> String) -> String {
    let items: Vec<String> = drafts.iter().map(|draft| item(draft)).collect();
    format!("'{{{}}}'::{sql_type}[]", items.join(","))
}

fn null() -> String {
    "null".to_owned()
}

/// Event types are our own constants, and [`Draft::check`] has let only plain names pass.
fn name(event_type: &str) -> String {
    let plain = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
    event_type.chars().filter(plain).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("\\x"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Inside an array literal a backslash is written twice.
fn hex_in_array(bytes: &[u8]) -> String {
    format!("\\{}", hex(bytes))
}

fn in_array(moment: OffsetDateTime) -> String {
    format!("\"{}\"", timestamp(moment))
}

fn timestamp(moment: OffsetDateTime) -> String {
    // PostgreSQL writes years before the first otherwise, and one unreadable moment would refuse the whole batch.
    let utc = moment
        .max(OffsetDateTime::UNIX_EPOCH)
        .to_offset(time::UtcOffset::UTC);
    let (year, month, day) = (utc.year(), u8::from(utc.month()), utc.day());
    let (hour, minute, second, micros) = (utc.hour(), utc.minute(), utc.second(), utc.microsecond());
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}+00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_can_end_its_literal() {
        let nasty = "'; drop table log.entry; --\\";
        let literals = [
            Argument::Text(nasty.to_owned()).literal(),
            Argument::Bytes(nasty.as_bytes().to_vec()).literal(),
            name(nasty),
        ];
        for literal in literals {
            assert!(!literal.contains(';'), "{literal}");
            assert!(!literal.contains("--"), "{literal}");
        }
    }

    #[test]
    fn a_moment_before_all_time_is_the_beginning_of_time() {
        let long_ago = OffsetDateTime::UNIX_EPOCH - time::Duration::days(366 * 2_500);
        assert_eq!(timestamp(long_ago), "1970-01-01 00:00:00.000000+00");
    }

    #[test]
    fn a_moment_keeps_its_microseconds() {
        let moment = OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(1_000_001);
        assert_eq!(timestamp(moment), "1970-01-01 00:00:01.000001+00");
    }
}
