//! One trace from the browser's answer to the bus, and no secret anywhere on the way.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use argon2::PasswordHasher;
use futures::StreamExt;
use prost::Message;
use sekisho_dev::tools::{self, Tool};
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_proto::credentials::v1 as credentials;
use sekisho_proto::log::v1::Metadata;
use sekisho_tests::accounts::administration;
use sekisho_tests::collector::Collector;
use sekisho_tests::flow::Gateway;
use sekisho_tests::visitor::Visitor;
use sekisho_tests::{hex, mail};
use sqlx::Row;
use tokio::sync::mpsc;

const PASSWORD: &str = "canary-password-7Q2x";
const WRONG: &str = "canary-wrong-password-9Zk1";
const NEW: &str = "朝露に濡れた庭のつばめが三羽あくびする";
const REFUSED: &str = "canary 77000001 refused because of the login id";
const OTHER_ADDRESS: &str = "canary-elsewhere@example.com";
const LISTED: &str = "77000002";
const LISTED_NAME: &str = "見本 ヒバリ";
const LISTED_ADDRESS: &str = "canary-listed@example.com";
const NAME: &str = "見本 カナリア";
const FACILITY: &str = "見本カナリア病院";
const ADDRESS: &str = "canary-address@example.com";
const LOGIN: &str = "77000001";
const CLIENT: &str = "203.0.113.77";
const BROWSER: &str = "canary-browser/1.0";

/// What the tables of accounts are there for; everything else stands in no table at all.
const IN_TABLES: [&str; 8] = [
    "name",
    "facility",
    "address",
    "login id",
    "other address",
    "login id of a list",
    "name of a list",
    "address of a list",
];

/// What it is, and its bytes.
type Secrets = Vec<(&'static str, Vec<u8>)>;

/// What a sign-in left behind: the secrets that were used, and everything that the system wrote about it.
struct Remains {
    /// Nothing of this may be found.
    secrets: Secrets,
    /// 32 hex digits: found in each place.
    trace_id: String,
    /// Name and content of each place.
    places: Vec<(&'static str, Vec<u8>)>,
    /// All tables, with those of accounts.
    tables: Vec<u8>,
    /// Spans of the trace by service.
    services: Vec<String>,
    /// The trace contexts in the log's metadata.
    in_log: Vec<String>,
    /// The trace contexts in the headers of messages.
    on_bus: Vec<String>,
}

async fn sign_in_with_canaries() -> Result<Remains> {
    let collector = Collector::start().await?;
    let stack = tokio::task::block_in_place(|| Stack::start(&options(&collector.endpoint())))?;
    let bus = record_bus(&stack).await?;
    register(&stack).await?;
    let (trace_id, mut secrets) = tokio::task::block_in_place(|| walk(&stack))?;
    secrets.extend(keys_of_a_session(&stack).await?);
    secrets.extend(tokio::task::block_in_place(|| set_anew(&stack))?);
    secrets.extend(administer(&stack).await?);
    let spans = wait_for_spans(&collector, &trace_id).await?;
    let messages = drain(bus).await;
    let log = sekisho_tests::log::open(&stack.database_url("postgres")).await?;
    let in_log = trace_contexts(&log).await?;
    let places = vec![
        ("logs", logs(&stack)?),
        ("dump", dump(&stack, &["--schema=log"])?),
        (
            "bus",
            messages
                .iter()
                .flat_map(|message| message.bytes.clone())
                .collect(),
        ),
        ("telemetry", collector.bytes()),
    ];
    let on_bus = messages.into_iter().map(|message| message.traceparent).collect();
    Ok(Remains {
        secrets,
        trace_id,
        places,
        tables: dump(&stack, &[])?,
        services: spans,
        in_log,
        on_bus,
    })
}

fn options(endpoint: &str) -> StackOptions {
    let mut environment = vec![(
        Service::Gateway,
        "SEKISHO_GATEWAY_TRUSTED_PROXIES".to_owned(),
        "127.0.0.1,::1".to_owned(),
    )];
    for service in Service::ALL {
        environment.push((
            service,
            "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(),
            endpoint.to_owned(),
        ));
        environment.push((service, "OTEL_BSP_SCHEDULE_DELAY".to_owned(), "200".to_owned()));
        environment.push((service, "SEKISHO_LOG".to_owned(), "debug".to_owned()));
    }
    StackOptions {
        name: "traces".to_owned(),
        environment,
        ..StackOptions::default()
    }
}

struct Heard {
    bytes: Vec<u8>,
    traceparent: String,
}

/// Everything on the bus, from now on, as the auditors' user hears it.
async fn record_bus(stack: &Stack) -> Result<mpsc::UnboundedReceiver<Heard>> {
    let bus = sekisho_tests::writers::bus(stack, "audit").await?;
    let mut messages = bus.subscribe("signin.>").await?;
    bus.flush().await?;
    let (heard, hearing) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = messages.next().await {
            let header = |name: &str| {
                let value = message.headers.as_ref().and_then(|headers| headers.get(name));
                value.map(ToString::to_string).unwrap_or_default()
            };
            let traceparent = header("traceparent");
            let mut bytes = format!("{} {:?}", message.subject, message.headers).into_bytes();
            bytes.extend_from_slice(&message.payload);
            if heard.send(Heard { bytes, traceparent }).is_err() {
                break;
            }
        }
        drop(bus);
    });
    Ok(hearing)
}

/// What was heard until nothing came for a second.
async fn drain(mut hearing: mpsc::UnboundedReceiver<Heard>) -> Vec<Heard> {
    let mut all = Vec::new();
    while let Ok(Some(heard)) = tokio::time::timeout(Duration::from_secs(1), hearing.recv()).await {
        all.push(heard);
    }
    all
}

async fn register(stack: &Stack) -> Result<()> {
    let request = credentials::RegisterAccountRequest {
        login_id: LOGIN.to_owned(),
        facility_code: "7700".to_owned(),
        facility: FACILITY.to_owned(),
        name: NAME.to_owned(),
        address: ADDRESS.to_owned(),
        password_hash: hash(PASSWORD)?,
        password_is_initial: false,
    };
    administration(stack).await?.register_account(request).await?;
    Ok(())
}

/// A sign-in with a wrong password and a wrong code on the way. The trace id of the accepted password, and the secrets.
fn walk(stack: &Stack) -> Result<(String, Secrets)> {
    let mut visitor = Visitor::new(&stack.portal_url());
    visitor.extra = vec![
        ("x-forwarded-for".to_owned(), CLIENT.to_owned()),
        ("user-agent".to_owned(), BROWSER.to_owned()),
    ];
    let page = visitor.get("/signin")?;
    let page = visitor.send(&page, "/signin", &[("user_id", LOGIN), ("password", WRONG)])?;
    let answer = visitor.send_once(&page, "/signin", &[("user_id", LOGIN), ("password", PASSWORD)])?;
    let header = answer.header("traceresponse").context("no traceresponse")?;
    let trace_id = header.split('-').nth(1).context("no trace id")?.to_owned();
    let page = visitor.get("/signin/email")?;
    let page = visitor.send(&page, "/signin/email/send", &[])?;
    let code = mail::wait_for(&stack.mailbox_url(), ADDRESS, 1)?
        .last()
        .context("no mail")?
        .code()?;
    let wrong = if code == "314159" { "271828" } else { "314159" };
    let page = visitor.send(&page, "/signin/email/verify", &[("code", wrong)])?;
    let page = visitor.send(&page, "/signin/email/verify", &[("code", &code)])?;
    let top = visitor.send(&page, "/signin/email/continue", &[])?;
    anyhow::ensure!(top.body.contains(NAME), "not signed in: {}", top.body);
    let mut secrets: Secrets = vec![
        ("password", PASSWORD.into()),
        ("wrong password", WRONG.into()),
        ("code", code.into_bytes()),
        ("wrong code", wrong.into()),
        ("name", NAME.into()),
        ("facility", FACILITY.into()),
        ("address", ADDRESS.into()),
        ("login id", LOGIN.into()),
        ("client address", CLIENT.into()),
        ("browser", BROWSER.into()),
    ];
    secrets.extend(
        visitor
            .cookies
            .into_values()
            .map(|value| ("cookie", value.into_bytes())),
    );
    Ok((trace_id, secrets))
}

/// A forgotten password, with one on the way that must not be set.
fn set_anew(stack: &Stack) -> Result<Secrets> {
    let before = mail::to(&stack.mailbox_url(), ADDRESS)?.len();
    let mut visitor = Visitor::new(&stack.portal_url());
    let page = visitor.get("/password/forgot")?;
    let page = visitor.send(&page, "/password/forgot", &[("user_id", LOGIN)])?;
    let code = mail::wait_for(&stack.mailbox_url(), ADDRESS, before + 1)?
        .last()
        .context("no mail")?
        .code()?;
    let page = visitor.send(&page, "/password/forgot/code/verify", &[("code", &code)])?;
    let mut page = page;
    for password in [REFUSED, NEW] {
        let fields = [("new_password", password), ("new_password_again", password)];
        page = visitor.send(&page, "/password/forgot/new", &fields)?;
    }
    anyhow::ensure!(
        page.body.contains("パスワードを変更しました"),
        "not set: {}",
        page.body
    );
    Ok(vec![
        ("code of a reset", code.into_bytes()),
        ("new password", NEW.into()),
        ("refused password", REFUSED.into()),
    ])
}

/// Another address, a list, and what the help desk asks.
async fn administer(stack: &Stack) -> Result<Secrets> {
    let mut administration = administration(stack).await?;
    administration
        .change_address(credentials::ChangeAddressRequest {
            login_id: LOGIN.to_owned(),
            address: OTHER_ADDRESS.to_owned(),
        })
        .await?;
    let row = credentials::ImportRow {
        login_id: LISTED.to_owned(),
        facility_code: "7700".to_owned(),
        facility: FACILITY.to_owned(),
        name: LISTED_NAME.to_owned(),
        address: LISTED_ADDRESS.to_owned(),
        password_hash: hash(PASSWORD)?,
        ..credentials::ImportRow::default()
    };
    administration
        .import_accounts(credentials::ImportAccountsRequest {
            rows: vec![row],
            dry_run: false,
        })
        .await?;
    let question = credentials::explain_account_request::Question::LoginId(LOGIN.to_owned());
    administration
        .explain_account(credentials::ExplainAccountRequest {
            question: Some(question),
        })
        .await?;
    Ok(vec![
        ("other address", OTHER_ADDRESS.into()),
        ("login id of a list", LISTED.into()),
        ("name of a list", LISTED_NAME.into()),
        ("address of a list", LISTED_ADDRESS.into()),
    ])
}

fn hash(password: &str) -> Result<String> {
    let hash =
        argon2::Argon2::default().hash_password_with_salt(password.as_bytes(), b"a salt for the canary")?;
    Ok(hash.to_string())
}

/// A flow's secret and a session's token, which a browser only holds sealed.
async fn keys_of_a_session(stack: &Stack) -> Result<Secrets> {
    let mut gateway = Gateway::connect(stack, 0).await?;
    let flow = gateway.verified_flow(LOGIN, PASSWORD, ADDRESS).await?;
    let token = gateway.start(&flow).await?.token;
    gateway.check(&token).await?;
    Ok(vec![("flow secret", flow.secret), ("session token", token)])
}

/// What a trace must show: the way in, each call, and each edge of the log and of the bus.
const EDGES: [&str; 6] = [
    "POST /signin",
    "signin.credentials.v1.CredentialsService/VerifyPassword",
    "log.stream.load",
    "log.flow.read",
    "log.entry.append",
    "bus.message.publish",
];

/// Waits until a span of every edge arrived, from two services at least; answers the services of the trace.
async fn wait_for_spans(collector: &Collector, trace_id: &str) -> Result<Vec<String>> {
    let end = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let spans = collector.spans();
        let ours: Vec<_> = spans.iter().filter(|span| span.trace_id == trace_id).collect();
        let mut services: Vec<String> = ours.iter().map(|span| span.service.clone()).collect();
        services.sort();
        services.dedup();
        let seen = |edge: &&str| ours.iter().any(|span| span.name == **edge);
        let missing: Vec<_> = EDGES.iter().filter(|edge| !seen(edge)).collect();
        if services.len() >= 2 && missing.is_empty() {
            return Ok(services);
        }
        anyhow::ensure!(
            tokio::time::Instant::now() < end,
            "spans of the trace only from {services:?}, and none of {missing:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn trace_contexts(log: &sqlx::PgPool) -> Result<Vec<String>> {
    let rows = sqlx::query("select metadata from log.entry order by position")
        .fetch_all(log)
        .await?;
    let metadata = rows.iter().map(|row| Metadata::decode(row.get::<&[u8], _>(0)));
    metadata.map(|metadata| Ok(metadata?.traceparent)).collect()
}

fn logs(stack: &Stack) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for process in stack.processes() {
        all.extend(fs::read(&process.log_file)?);
    }
    for part in ["postgres", "nats"] {
        all.extend(fs::read(stack.log_file(part))?);
    }
    Ok(all)
}

fn dump(stack: &Stack, what: &[&str]) -> Result<Vec<u8>> {
    let program = tools::require(Tool::PostgreSql)?.join("pg_dump");
    let output = std::process::Command::new(program)
        .args(what)
        .args(["--dbname", &stack.database_url("postgres")])
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "pg_dump: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// Whether a needle is found as it is, as hexadecimal digits, in base64 of either alphabet, as a Rust program prints
/// bytes, or escaped as JSON does.
fn found(needle: &[u8], place: &[u8]) -> bool {
    let mut forms = vec![hex(needle).into_bytes(), format!("{needle:?}").into_bytes()];
    forms.extend(base64(needle));
    if let Ok(text) = std::str::from_utf8(needle) {
        // What needs no escape is found below, where six digits inside others do not count.
        forms.extend(Some(escaped(text).into_bytes()).filter(|escaped| escaped != needle));
        forms.extend(unhex(text));
    }
    stands_alone(needle, place) || forms.iter().any(|form| contains(form, place))
}

fn contains(form: &[u8], place: &[u8]) -> bool {
    place.windows(form.len()).any(|window| window == form)
}

/// Whether a needle is found as it is. Six digits also occur inside ids, counts and fractions of a second by chance: as
/// a code they count only where no digit, hexadecimal or decimal, and no decimal point goes on.
fn stands_alone(needle: &[u8], place: &[u8]) -> bool {
    if !needle.iter().all(u8::is_ascii_digit) {
        return contains(needle, place);
    }
    let goes_on = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit() || *byte == b'.');
    let mut windows = place.windows(needle.len()).enumerate();
    windows.any(|(start, window)| {
        let before = start.checked_sub(1).and_then(|index| place.get(index));
        window == needle && !goes_on(before) && !goes_on(place.get(start + needle.len()))
    })
}

/// The lines in which a needle is found, for whoever has to find out how it came there.
fn lines_with(needle: &[u8], place: &[u8]) -> String {
    let lines = place.split(|byte| *byte == b'\n');
    let those = lines.filter(|line| found(needle, line));
    those.map(|line| String::from_utf8_lossy(line) + "\n").collect()
}

fn escaped(text: &str) -> String {
    let characters = text.chars().map(|c| match c {
        c if c.is_ascii() => c.to_string(),
        c => format!("\\u{:04x}", u32::from(c)),
    });
    characters.collect()
}

/// In both alphabets, wherever it stands inside a longer text: base64 writes three bytes as four characters, so a needle
/// looks different at each of three offsets. Only those characters that depend on nothing around it.
fn base64(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    (0..3).flat_map(|offset| {
        let text = [&[0; 3][..offset], bytes].concat();
        // A character is six bits.
        let own = (offset * 8).div_ceil(6)..text.len() * 8 / 6;
        [&STANDARD, &URL_SAFE].map(|alphabet| alphabet.encode(&text).as_bytes()[own.clone()].to_vec())
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| {
        text.as_bytes()
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    })
}

#[test]
fn a_code_is_found_alone_and_not_inside_other_digits() {
    for place in ["code=314159", "\"314159\"", "314159\n"] {
        assert!(found(b"314159", place.as_bytes()), "{place}");
    }
    for place in ["0.314159", "a314159", "3141590", "\\x0a314159ff"] {
        assert!(!found(b"314159", place.as_bytes()), "{place}");
    }
}

#[test]
fn a_needle_is_found_wherever_it_stands_in_base64() {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
    // The second one is written with other characters in each alphabet.
    for needle in [&b"314159"[..], b"\xfb\xef\xbe~~~???\xff\xff"] {
        for before in 0..6 {
            for after in 0..4 {
                let text = [&b"before"[..before], needle, &b"after"[..after]].concat();
                for alphabet in [&STANDARD, &URL_SAFE, &URL_SAFE_NO_PAD] {
                    let encoded = alphabet.encode(&text);
                    assert!(found(needle, encoded.as_bytes()), "{encoded}");
                }
            }
        }
    }
    let another = STANDARD.encode("before 271828 after");
    assert!(!found(b"314159", another.as_bytes()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_is_found_everywhere_and_no_secret_anywhere() -> Result<()> {
    let remains = sign_in_with_canaries().await?;
    for (place, content) in &remains.places {
        assert!(
            found(remains.trace_id.as_bytes(), content),
            "the trace id is not found in the {place}"
        );
        for (what, secret) in &remains.secrets {
            assert!(
                !found(secret, content),
                "the {what} stands in the {place}: {}",
                lines_with(secret, content)
            );
        }
    }
    for (what, secret) in &remains.secrets {
        let is_expected = IN_TABLES.contains(what);
        assert_eq!(
            found(secret, &remains.tables),
            is_expected,
            "the {what}, in the tables"
        );
    }
    println!("spans of {:?}", remains.services);
    assert!(remains.services.len() >= 2);
    assert!(
        remains
            .in_log
            .iter()
            .any(|context| context.contains(&remains.trace_id)),
        "not in the log's metadata"
    );
    assert!(
        remains
            .on_bus
            .iter()
            .any(|context| context.contains(&remains.trace_id)),
        "not on the bus"
    );
    Ok(())
}
