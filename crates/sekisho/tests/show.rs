//! `sekisho log show` on a real PostgreSQL, as the role that may only read, and `sekisho parked` as an operator.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod support;

use std::os::unix::fs::PermissionsExt as _;

use sekisho_eventlog::{FlowId, StreamId};
use sekisho_proto::credentials::v1::{PasswordAccepted, SealedClient};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::otp::v1::{CodeAccepted, CodeIssued, Purpose};
use sekisho_proto::sessions::v1::SessionStarted;
use uuid::Uuid;

use support::{Credentials, LISTED, World, failed, printed, sekisho};

const ACCOUNT: StreamId = StreamId(Uuid::from_u128(0x1234_5678));

/// A sign-in with a session, and one entry of the same account outside it.
async fn signed_in(world: &World) -> FlowId {
    let flow = FlowId::mint(world.credentials.head());
    let accepted = PasswordAccepted {
        secret_digest: vec![0xab; 32],
        password_version: 1,
        client: Some(SealedClient {
            sealed: b"canary-client-address".to_vec(),
            address_tag: vec![0xcd; 32],
        }),
        ..PasswordAccepted::default()
    };
    let issued = CodeIssued {
        purpose: Purpose::SignIn.into(),
        reference: "7Q2M".to_owned(),
        ..CodeIssued::default()
    };
    let started = SessionStarted {
        session_id: Uuid::from_u128(77).as_bytes().to_vec(),
        token_digest: vec![0xef; 32],
        ..SessionStarted::default()
    };
    world
        .append::<AccountEvent>(&world.credentials, ACCOUNT, Some(flow), accepted)
        .await;
    world
        .append::<CodeEvent>(&world.otp, ACCOUNT, Some(flow), issued)
        .await;
    world
        .append::<CodeEvent>(&world.otp, ACCOUNT, Some(flow), CodeAccepted::default())
        .await;
    world
        .append::<SessionEvent>(&world.sessions, ACCOUNT, Some(flow), started)
        .await;
    world
        .append::<AccountEvent>(
            &world.credentials,
            ACCOUNT,
            None,
            sekisho_proto::credentials::v1::AccountDisabled {},
        )
        .await;
    flow
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_is_shown_in_order_sealed_and_without_digests() {
    let world = World::new().await;
    let flow = signed_in(&world).await.to_string();
    let text = printed(sekisho(&world).args(["log", "show", "--flow", &flow]));
    let lines: Vec<&str> = text.lines().collect();
    let events = [
        "password_accepted",
        "code_issued",
        "code_accepted",
        "session_started",
    ];
    assert_eq!(lines.len(), 2 + events.len(), "{text}");
    for (line, event) in lines[2..].iter().zip(events) {
        assert!(line.contains(event), "{line}");
    }
    assert_eq!(lines[0], format!("フロー {flow}"));
    assert!(lines[2].contains("端末 封印"), "{text}");
    assert!(lines[3].contains("照合番号 7Q2M"), "{text}");
    assert!(!text.contains("canary"));
    for byte in ["ab", "cd", "ef"] {
        assert!(
            text.contains(&byte.repeat(4)) && !text.contains(&byte.repeat(5)),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_shown_by_its_id_for_programs_too() {
    let world = World::new().await;
    let flow = signed_in(&world).await.to_string();
    let account = ACCOUNT.to_string();
    let text = printed(sekisho(&world).args(["log", "show", "--account-id", &account]));
    assert_eq!(text.lines().count(), 2 + 5, "{text}");
    assert!(
        text.contains(&format!("フロー {flow}")) && text.contains("アカウント無効化"),
        "{text}"
    );

    let json = printed(sekisho(&world).args(["log", "show", "--account-id", &account, "--json"]));
    let objects: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let positions: Vec<_> = objects
        .iter()
        .map(|object| object["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, [1, 2, 3, 4, 5]);
    assert_eq!(objects[0]["says"]["client"], "封印");
    assert_eq!(
        objects[3]["says"]["session_id"][0],
        Uuid::from_u128(77).to_string()
    );
    assert!(!json.contains("canary"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_shown_by_its_login_id() {
    let world = World::new().await;
    signed_in(&world).await;
    let credentials = Credentials::start("04500001", ACCOUNT);
    let ask = |login: &str| {
        let mut command = sekisho(&world);
        command.args(["log", "show", "--account", login]);
        command
            .arg("--credentials")
            .arg(credentials.url())
            .arg("--certificates")
            .arg(credentials.folder());
        command
    };
    let text = printed(&mut ask("04500001"));
    assert!(
        text.contains(&ACCOUNT.to_string()) && text.contains("session_started"),
        "{text}"
    );
    assert!(failed(&mut ask("99999999")).contains("ACCOUNT_UNKNOWN"));
    assert_eq!(credentials.actors(), ["demo-administrator", "demo-administrator"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_shown_is_said_in_one_sentence() {
    let world = World::new().await;
    let nobody = Uuid::from_u128(9).to_string();
    let none = failed(sekisho(&world).args(["log", "show", "--flow", &nobody]));
    assert_eq!(
        none.trim(),
        format!("sekisho: no entry of the log names the flow {nobody}")
    );
    for option in ["--flow", "--account-id"] {
        let no_id = failed(sekisho(&world).args(["log", "show", option, "04500001"]));
        assert!(
            no_id.contains("an id looks like 01990a4c-7d3e-7c11-8a52-3f6b9d0e1c27"),
            "{no_id}"
        );
    }
    let no_way = failed(sekisho(&world).args(["log", "show", "--account", "04500001"]));
    assert!(no_way.contains("--credentials and --certificates"), "{no_way}");
    let both = failed(sekisho(&world).args(["log", "show", "--flow", &nobody, "--account-id", &nobody]));
    assert!(both.contains("cannot be used with"), "{both}");
    let away = failed(
        sekisho(&world)
            .env("SEKISHO_DATABASE_URL", "postgres://x:canary@127.0.0.1:1/x")
            .args(["log", "show", "--flow", &nobody]),
    );
    assert!(
        away.contains("PostgreSQL cannot be reached") && !away.contains("canary"),
        "{away}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_takes_too_long_is_asked_for_in_smaller_ones() {
    let world = World::new().await;
    let credentials = Credentials::start("04500001", ACCOUNT);
    let mut list = sekisho(&world);
    list.args(["accounts", "list", "--json"])
        .env("SEKISHO_CREDENTIALS_ADMIN_URL", credentials.url())
        .env("SEKISHO_CERTIFICATES", credentials.folder());
    assert_eq!(printed(&mut list).matches("login_id").count(), LISTED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completions_are_written_for_every_shell() {
    let world = World::new().await;
    for shell in ["bash", "zsh", "fish"] {
        assert!(printed(sekisho(&world).args(["completions", shell])).contains("sekisho"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_parked_is_listed_explained_tried_again_and_dropped() {
    let world = World::new().await;
    let flow = signed_in(&world).await;
    let parked = |arguments: &[&str]| {
        let mut command = sekisho(&world);
        command
            .arg("parked")
            .args(arguments)
            .env("SEKISHO_OPERATOR_DATABASE_URL", world.database.url("operator"));
        command
    };
    assert_eq!(printed(&mut parked(&["list"])), "Nothing is parked.\n");
    let about = world.otp.flow(flow).await.unwrap()[1].recorded.position;
    assert!(world.otp.park("mail", about, 5, "LOG_MISMATCH").await.unwrap());

    let listed = printed(&mut parked(&["list"]));
    for text in ["otp", "mail", "LOG_MISMATCH", &about.to_string()] {
        assert!(listed.contains(text), "{listed}");
    }
    let id = listed.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    let shown = printed(&mut parked(&["show", id]));
    assert!(shown.contains("Finish the update"), "{shown}");
    assert!(
        shown.contains(&format!("sekisho log show --flow {flow}")),
        "{shown}"
    );
    assert!(printed(&mut parked(&["replay", id])).contains("tried again"));
    let listed = printed(&mut parked(&["list"]));
    assert!(listed.contains("LOG_MISMATCH, is tried again"), "{listed}");
    assert_eq!(printed(&mut parked(&["drop", id])), "Forgotten.\n");
    for command in ["show", "replay", "drop"] {
        let mistake = failed(&mut parked(&[command, id]));
        assert!(
            mistake.contains(&format!("nothing is parked as {id}")),
            "{mistake}"
        );
    }
}

/// An import was killed, and what it had begun was done after the next one had looked: whoever it gave a password to is gone on with, and
/// nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_goes_on_with_what_a_killed_one_still_made() {
    let world = World::new().await;
    let credentials = Credentials::start("04500001", ACCOUNT);
    let folder = tempfile::tempdir().unwrap();
    let [list, passwords] = ["list.csv", "passwords.csv"].map(|name| folder.path().join(name));
    std::fs::write(&list, "利用者ID,施設コード,施設名,氏名\n04500001,0450,見本病院,見本 一郎\n04500002,0450,見本病院,見本 二葉\n")
        .unwrap();
    let handed_out =
        "\u{feff}利用者ID,施設コード,施設名,氏名,配布パスワード\n04500001,0450,見本病院,見本 一郎,abcd\n";
    std::fs::write(&passwords, handed_out).unwrap();
    std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o600)).unwrap();
    let output = sekisho(&world)
        .args(["accounts", "import", "--apply", "--initial-passwords"])
        .args([&passwords, &list])
        .args(["--credentials", &credentials.url(), "--certificates"])
        .arg(credentials.folder())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (_, done) = said.split_once("取り込みました。").unwrap();
    let counts: Vec<Vec<&str>> = done
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(counts.contains(&vec!["新規登録", "1"]), "{said}");
    assert!(counts.contains(&vec!["取り込めない行", "1"]), "{said}");
    assert!(done.contains("3   利用者ID"), "{said}");
    let mistake = String::from_utf8(output.stderr).unwrap();
    assert!(
        mistake.contains("1行は、取り込みの途中で取り込めなくなりました。"),
        "{mistake}"
    );
}
