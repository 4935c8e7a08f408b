//! What was ever written to the log reads for ever: a recorded sample of every event and of every carried state.
//!
//! `golden.txt` is only added to. A sample is three lines: the message's name, its bytes, and what they say.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::collections::BTreeSet;

use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor};
use sekisho_proto::events::{AccountEvent, ClientEvent, CodeEvent, SessionEvent, SystemEvent};
use sekisho_proto::{Event, EventError, FILE_DESCRIPTOR_SET};

/// One sample.
struct Sample {
    /// Such as `signin.otp.v1.CodeIssued`.
    name: &'static str,
    bytes: Vec<u8>,
    says: &'static str,
}

/// States that every 64th entry of a stream carries.
const CARRIED: [&str; 4] = [
    "signin.credentials.v1.AccountState",
    "signin.credentials.v1.ClientState",
    "signin.otp.v1.CodesState",
    "signin.sessions.v1.SessionsState",
];

fn samples() -> Vec<Sample> {
    let lines: Vec<&str> = include_str!("golden.txt").lines().collect();
    let (samples, rest) = lines.as_chunks::<3>();
    assert!(rest.is_empty(), "a sample is three lines");
    let sample = |[name, digits, says]: &[&'static str; 3]| Sample {
        name,
        bytes: bytes(digits),
        says,
    };
    samples.iter().map(sample).collect()
}

fn bytes(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// The packages of events, with the event types of each.
fn event_types() -> [(&'static str, &'static [&'static str]); 5] {
    [
        ("signin.credentials.v1", AccountEvent::TYPES),
        ("signin.credentials.v1", ClientEvent::TYPES),
        ("signin.otp.v1", CodeEvent::TYPES),
        ("signin.sessions.v1", SessionEvent::TYPES),
        ("signin.log.v1", SystemEvent::TYPES),
    ]
}

/// `code_issued` as a message is named.
fn message_name(package: &str, event_type: &str) -> String {
    let words = event_type.split('_');
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    format!("{package}.{}", words.map(capital).collect::<String>())
}

/// Reads bytes as the event that a message's name stands for, and writes them again.
fn rewritten(name: &str, bytes: &[u8]) -> Option<Result<Vec<u8>, EventError>> {
    let again = |package: &str, event_type: &str| match package {
        "signin.credentials.v1" if ClientEvent::TYPES.contains(&event_type) => {
            ClientEvent::decode(event_type, bytes).map(|event| event.encode())
        }
        "signin.credentials.v1" => AccountEvent::decode(event_type, bytes).map(|event| event.encode()),
        "signin.otp.v1" => CodeEvent::decode(event_type, bytes).map(|event| event.encode()),
        "signin.log.v1" => SystemEvent::decode(event_type, bytes).map(|event| event.encode()),
        _ => SessionEvent::decode(event_type, bytes).map(|event| event.encode()),
    };
    let all = event_types()
        .into_iter()
        .flat_map(|(package, types)| types.iter().map(move |of| (package, *of)));
    all.filter(|(package, of)| message_name(package, of) == name)
        .map(|(package, of)| again(package, of))
        .next()
}

#[test]
fn what_was_once_written_still_says_the_same() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    for sample in samples() {
        let message = pool.get_message_by_name(sample.name).unwrap();
        let read = DynamicMessage::decode(message, sample.bytes.as_slice()).unwrap();
        assert_eq!(read.to_text_format(), sample.says, "{}", sample.name);
        assert_eq!(
            read.encode_to_vec(),
            sample.bytes,
            "{}: no byte is unknown",
            sample.name
        );
        if let Some(again) = rewritten(sample.name, &sample.bytes) {
            assert_eq!(again.as_ref(), Ok(&sample.bytes), "{}", sample.name);
        }
    }
}

#[test]
fn every_event_and_every_carried_state_has_a_sample_of_each_of_its_fields() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let samples = samples();
    let events = event_types()
        .into_iter()
        .flat_map(|(package, types)| types.iter().map(move |of| message_name(package, of)));
    for name in events.chain(CARRIED.map(str::to_owned)) {
        let said: Vec<&str> = samples
            .iter()
            .filter(|sample| sample.name == name)
            .map(|sample| sample.says)
            .collect();
        assert!(!said.is_empty(), "no sample of {name}");
        let words: BTreeSet<&str> = said
            .iter()
            .flat_map(|says| says.split([':', '{', '}', ' ', ',']))
            .collect();
        for field in fields(&pool.get_message_by_name(&name).unwrap()) {
            assert!(words.contains(field.as_str()), "no sample of {name} has {field}");
        }
    }
}

/// The names of a message's fields, and of those of our messages in it.
fn fields(message: &MessageDescriptor) -> Vec<String> {
    let mut names = Vec::new();
    for field in message.fields() {
        names.push(field.name().to_owned());
        if let Kind::Message(inner) = field.kind()
            && inner.package_name().starts_with("signin.")
        {
            names.extend(fields(&inner));
        }
    }
    names
}
