//! `/password/forgot` and the pages after it.

use http::StatusCode;
use sekisho_gateway::texts::JAPANESE;
use sekisho_proto::credentials::v1::verify_password_response::Reason;
use sekisho_proto::otp::v1::flow_view::{Mail, Stage};
use tonic::Code;

use sekisho_gallery::browser::Browser;
use sekisho_gallery::states::show;
use sekisho_gallery::world::{CODE, World, not_sent, sent};

const FORGOT: &str = "/password/forgot";
const CODE_PAGE: &str = "/password/forgot/code";
const SEND: &str = "/password/forgot/code/send";
const VERIFY: &str = "/password/forgot/code/verify";
const NEW: &str = "/password/forgot/new";
const CANCEL: &str = "/password/forgot/cancel";
const COOKIE: &str = "__Host-gtol_reset";
const TYPED: [(&str, &str); 2] = [("new_password", "a new one"), ("new_password_again", "a new one")];

fn browser() -> (World, Browser) {
    let world = World::new();
    let browser = Browser::new(&world);
    (world, browser)
}

/// A double click: one flow, one mail.
#[tokio::test]
async fn the_same_form_twice_is_one_reset_and_the_next_page_another() {
    let (world, mut browser) = browser();
    browser.open(FORGOT).await;
    let typed: [(&str, &str); 1] = [("user_id", "04500001")];
    let [first, second] = [1, 2].map(|_| browser.filled(FORGOT, &typed));
    let mut digests = Vec::new();
    for request in [first, second] {
        browser.follow(request).await;
        digests.push(world.state().digest.clone());
    }
    browser.open(FORGOT).await;
    browser.press(FORGOT, &typed).await;
    digests.push(world.state().digest.clone());
    let state = world.state();
    let commands = state.calls.iter().filter(|(name, _)| *name == "IssueCode");
    let commands: Vec<Vec<u8>> = commands.map(|(_, id)| id.clone()).collect();
    for (sent, length) in [(digests, 32), (commands, 16)] {
        assert_eq!(sent.len(), 3);
        assert!(sent[0] == sent[1] && sent[1] != sent[2]);
        assert!(sent.iter().all(|bytes| bytes.len() == length));
    }
}

/// Whoever asks must not learn from it whether anybody has the login id.
#[tokio::test]
async fn a_reset_that_wrong_codes_have_shut_begins_like_any_other() {
    let (world, mut browser) = browser();
    world.refuse("IssueCode", Code::FailedPrecondition, "OTP_LOCKED");
    assert_eq!(browser.forget().await.address, CODE_PAGE);
    world.state().flow.stage = Stage::Locked.into();
    assert!(browser.open(CODE_PAGE).await.shows(JAPANESE.resets_locked));
}

/// Every state with what it shows and where the focus is.
const STATES: &[(&str, &[&str], &str)] = &[
    (
        "forgot",
        &[JAPANESE.reset, JAPANESE.reset_intro, JAPANESE.user_id_hint],
        FIRST_FIELD,
    ),
    (
        "forgot-empty",
        &[JAPANESE.user_id_missing, "aria-invalid=\"true\""],
        "<a href=\"#user_id\">",
    ),
    (
        "forgot-stale",
        &[JAPANESE.stale_form, "value=\"04500001\""],
        "id=\"error-summary\"",
    ),
    ("forgot-over", &[JAPANESE.reset_over], "id=\"error-summary\""),
    (
        "reset-sent",
        &[
            JAPANESE.reset_sent,
            "K7M2",
            "<p>有効期限は10時33分です。</p>",
            JAPANESE.send_again,
        ],
        "spellcheck=\"false\" autofocus>",
    ),
    (
        "reset-wrong",
        &[JAPANESE.code_wrong, "あと4回入力できます。", JAPANESE.reset_sent],
        "aria-invalid=\"true\" autofocus>",
    ),
    (
        "reset-expired",
        &[JAPANESE.code_expired],
        "autofocus>新しいコードを送信します",
    ),
    (
        "reset-spent",
        &[JAPANESE.code_spent],
        "autofocus>新しいコードを送信します",
    ),
    (
        "reset-too-many",
        &[JAPANESE.too_many_codes],
        "autofocus>キャンセル",
    ),
    (
        "reset-locked",
        &[JAPANESE.resets_locked],
        "role=\"alert\" tabindex=\"-1\" autofocus>",
    ),
    (
        "reset-closed",
        &[JAPANESE.resets_closed],
        "role=\"alert\" tabindex=\"-1\" autofocus>",
    ),
    (
        "must-change",
        &[JAPANESE.must_change],
        "spellcheck=\"false\" autofocus>",
    ),
    (
        "new-password",
        &[
            "新しいパスワードは、15文字以上128文字以内で入力してください。",
            JAPANESE.new_password_advice[2],
            ">パスワードを変更</button>",
        ],
        "aria-describedby=\"length\" autofocus>",
    ),
    (
        "new-mismatch",
        &[JAPANESE.mismatch],
        "<a href=\"#new_password_again\">",
    ),
    (
        "new-short",
        &["15文字以上で入力してください。"],
        "<a href=\"#new_password\">",
    ),
    (
        "new-common",
        &[JAPANESE.guessable, JAPANESE.guessable_common],
        "<a href=\"#new_password\">",
    ),
    (
        "new-contextual",
        &[JAPANESE.guessable, JAPANESE.guessable_contextual],
        "<a href=\"#new_password\">",
    ),
    (
        "new-unchanged",
        &[JAPANESE.unchanged],
        "<a href=\"#new_password\">",
    ),
    (
        "reset-done",
        &[JAPANESE.reset_done_intro, "<a href=\"/signin\">"],
        "tabindex=\"-1\" autofocus>",
    ),
];
const FIRST_FIELD: &str = "spellcheck=\"false\" aria-describedby=\"user_id-hint\" autofocus>";

#[tokio::test]
async fn every_state_shows_its_texts_and_puts_the_focus_where_it_belongs() {
    for (state, texts, focus) in STATES {
        let page = show(state).await.page;
        assert_eq!(page.status, StatusCode::OK, "{state}");
        for text in texts.iter().chain([focus]) {
            assert!(page.shows(text), "{state}: {text}\n{}", page.text);
        }
        // Neither a password nor an address ever comes back.
        for text in ["canary-new", "@example.com", "*****"] {
            assert!(!page.shows(text), "{state}: {text}");
        }
    }
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_and_nobody_is_signed_in_by_it() {
    let (world, mut browser) = browser();
    assert_eq!(browser.forget().await.address, CODE_PAGE);
    assert_eq!(browser.press(VERIFY, &[("code", CODE)]).await.address, NEW);
    let page = browser.press(NEW, &TYPED).await;
    assert_eq!(page.address, "/password/forgot/done");
    assert!(page.shows(JAPANESE.reset_done_intro));
    for cookie in [COOKIE, "__Host-gtol_sid", "__Host-gtol_tx"] {
        assert!(!browser.cookies.contains_key(cookie), "{cookie}");
    }
    assert_eq!(world.count("Start"), 0);
    let called: Vec<_> = world.state().calls.iter().map(|(name, _)| *name).collect();
    let commands = ["RequestPasswordReset", "IssueCode", "VerifyCode", "SetPassword"];
    let changing: Vec<_> = called
        .into_iter()
        .filter(|name| commands.contains(name))
        .collect();
    assert_eq!(changing, commands);
}

#[tokio::test]
async fn the_browser_in_which_a_password_is_set_is_known_from_then_on() {
    let (world, mut browser) = browser();
    browser.forget_and_prove().await;
    browser.press(NEW, &TYPED).await;
    browser.sign_in().await;
    let devices = world.state().devices.clone();
    assert_eq!((devices.len(), devices[0].len()), (2, 32));
    assert_eq!(devices[0], devices[1]);
}

#[tokio::test]
async fn credentials_is_told_where_a_reset_comes_from() {
    let (world, mut browser) = browser();
    browser.forget().await;
    let client = world.state().client.clone();
    assert_eq!(client, Some(("192.0.2.7".to_owned(), "Test/1".to_owned())));
}

/// C-29. What differs between a mail that comes and one that never will is not told to this page; otp is tested for that.
#[tokio::test]
async fn the_page_with_the_code_is_the_same_whatever_becomes_of_the_mail() {
    let mut pages = Vec::new();
    for mail in [Mail::Unspecified, Mail::Waiting, Mail::Failed, Mail::HandedOver] {
        let (world, mut browser) = browser();
        browser.forget().await;
        world.state().flow.mail = mail.into();
        let mut page = browser.open(CODE_PAGE).await.text.clone();
        for form in [SEND, VERIFY, CANCEL] {
            for value in browser
                .page
                .fields(form)
                .values()
                .filter(|value| !value.is_empty())
            {
                page = page.replace(value.as_str(), "");
            }
        }
        pages.push(page);
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
}

#[tokio::test]
async fn an_empty_id_starts_nothing() {
    let (world, mut browser) = browser();
    browser.open(FORGOT).await;
    let page = browser.press(FORGOT, &[("user_id", "\u{3000}")]).await;
    assert!(page.shows(JAPANESE.user_id_missing));
    assert_eq!(world.count("RequestPasswordReset"), 0);
}

#[tokio::test]
async fn no_step_can_be_skipped() {
    let (world, mut browser) = browser();
    for path in [CODE_PAGE, NEW] {
        let page = browser.open(path).await;
        assert_eq!(page.address, "/password/forgot#error-summary");
        assert!(page.shows(JAPANESE.reset_over));
    }
    browser.forget().await;
    assert_eq!(browser.open(NEW).await.address, CODE_PAGE);
    // The form of a browser that has proved its address, from one that has not.
    let (_, mut other) = self::browser();
    other.forget_and_prove().await;
    browser.page = other.page.clone();
    let page = browser.press(NEW, &TYPED).await;
    assert!(page.address.starts_with(CODE_PAGE), "{}", page.address);
    assert_eq!(world.count("SetPassword"), 0);
}

#[tokio::test]
async fn a_verified_reset_goes_on_to_the_new_password_from_every_address() {
    let (_, mut browser) = browser();
    browser.forget().await;
    let again = browser.filled(VERIFY, &[("code", CODE)]);
    browser.press(VERIFY, &[("code", CODE)]).await;
    assert_eq!(browser.follow(again).await.address, NEW);
    assert_eq!(browser.open(CODE_PAGE).await.address, NEW);
}

#[tokio::test]
async fn a_reset_and_a_sign_in_do_not_take_each_others_place() {
    let (_, mut browser) = browser();
    browser.sign_in().await;
    browser.forget().await;
    assert!(browser.cookies.contains_key("__Host-gtol_tx") && browser.cookies.contains_key(COOKIE));
    browser.cookies.remove("__Host-gtol_tx");
    assert!(browser.open("/signin/email").await.shows(JAPANESE.flow_over));
    browser
        .cookies
        .insert("__Host-gtol_tx".into(), browser.cookies[COOKIE].clone());
    assert!(browser.open("/signin/email").await.shows(JAPANESE.flow_over));
}

#[tokio::test]
async fn each_reason_against_a_new_password_is_shown_and_the_form_can_be_sent_again() {
    for (reason, text) in [
        ("PASSWORD_TOO_SHORT", "15文字以上で入力してください。"),
        ("PASSWORD_TOO_LONG", "128文字以内で入力してください。"),
        ("PASSWORD_COMMON", JAPANESE.guessable_common),
        ("PASSWORD_CONTEXTUAL", JAPANESE.guessable_contextual),
        ("PASSWORD_UNCHANGED", JAPANESE.unchanged),
    ] {
        let (world, mut browser) = browser();
        browser.forget_and_prove().await;
        world.refuse("SetPassword", Code::InvalidArgument, reason);
        let page = browser.press(NEW, &TYPED).await;
        assert_eq!(page.address, "/password/forgot/new#error-summary");
        assert!(
            page.shows(text) && page.shows("aria-invalid=\"true\""),
            "{reason}"
        );
        world.allow("SetPassword");
        assert!(browser.press(NEW, &TYPED).await.shows(JAPANESE.reset_done_intro));
    }
}

/// The person reloads the page, and must not be told to begin anew.
#[tokio::test]
async fn a_new_password_whose_answer_was_lost_is_done() {
    let (world, mut browser) = browser();
    browser.forget_and_prove().await;
    world.refuse("DescribeFlow", Code::FailedPrecondition, "FLOW_USED");
    let page = browser.open(NEW).await;
    assert!(page.shows(JAPANESE.reset_done_intro), "{}", page.text);
    assert!(!browser.cookies.contains_key(COOKIE));
}

#[tokio::test]
async fn what_is_missing_or_differs_is_not_sent_on() {
    let (world, mut browser) = browser();
    browser.forget_and_prove().await;
    let missing = browser.press(NEW, &[]).await;
    assert!(missing.shows(JAPANESE.new_password_missing));
    let other = [
        ("new_password", "a new one"),
        ("new_password_again", "ａ new one"),
    ];
    assert!(browser.press(NEW, &other).await.shows(JAPANESE.mismatch));
    assert_eq!(world.count("SetPassword"), 0);
}

#[tokio::test]
async fn a_reset_that_is_over_begins_again_from_every_address() {
    for reason in [
        "FLOW_UNKNOWN",
        "FLOW_CANCELLED",
        "FLOW_USED",
        "EVIDENCE_CUT",
        "EVIDENCE_OLD",
    ] {
        for (method, form) in [
            ("GetFlow", ""),
            ("IssueCode", SEND),
            ("VerifyCode", VERIFY),
            ("SetPassword", NEW),
        ] {
            let (world, mut browser) = browser();
            if form == NEW {
                browser.forget_and_prove().await;
            } else {
                browser.forget().await;
            }
            world.refuse(method, Code::FailedPrecondition, reason);
            let typed: &[(&str, &str)] = match form {
                VERIFY => &[("code", CODE)],
                NEW => &TYPED,
                _ => &[],
            };
            let page = match form {
                "" => browser.open(CODE_PAGE).await,
                form => browser.press(form, typed).await,
            };
            assert_eq!(
                page.address, "/password/forgot#error-summary",
                "{reason} {method}"
            );
            assert!(page.shows(JAPANESE.reset_over));
            assert!(!browser.cookies.contains_key(COOKIE), "{reason} {method}");
        }
    }
}

#[tokio::test]
async fn an_account_that_was_disabled_meanwhile_is_named_so() {
    let (world, mut browser) = browser();
    browser.forget_and_prove().await;
    world.refuse("SetPassword", Code::FailedPrecondition, "ACCOUNT_DISABLED");
    let page = browser.press(NEW, &TYPED).await;
    assert_eq!(page.address, "/signin#error-summary");
    assert!(page.shows(JAPANESE.disabled));
}

#[tokio::test]
async fn a_service_that_is_down_leads_back_to_the_reset() {
    for (method, form) in [
        ("RequestPasswordReset", FORGOT),
        ("IssueCode", FORGOT),
        ("GetFlow", ""),
        ("VerifyCode", VERIFY),
        ("CancelFlow", CANCEL),
        ("SetPassword", NEW),
    ] {
        let (world, mut browser) = browser();
        match form {
            FORGOT => drop(browser.open(FORGOT).await.clone()),
            NEW => drop(browser.forget_and_prove().await.clone()),
            _ => drop(browser.forget().await.clone()),
        }
        world.refuse(method, Code::Unavailable, "");
        let typed: &[(&str, &str)] = match form {
            FORGOT => &[("user_id", "04500001")],
            VERIFY => &[("code", CODE)],
            NEW => &TYPED,
            _ => &[],
        };
        let page = match form {
            "" => browser.open(CODE_PAGE).await,
            form => browser.press(form, typed).await,
        };
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{method}");
        let (text, address) = match method {
            "VerifyCode" => (JAPANESE.down_code, CODE_PAGE),
            _ => (JAPANESE.down_reset, "/password/forgot"),
        };
        assert!(page.shows(text), "{method}");
        assert!(page.shows(&format!("<a href=\"{address}\">パスワードの再設定へ戻る</a>")));
    }
}

#[tokio::test]
async fn cancelling_ends_the_reset_in_the_log_and_in_the_browser() {
    let (world, mut browser) = browser();
    browser.forget_and_prove().await;
    let page = browser.press(CANCEL, &[]).await;
    assert_eq!(page.address, "/signin#user_id");
    assert!(page.shows(JAPANESE.reset_cancelled));
    assert_eq!(world.count("CancelFlow"), 1);
    assert!(!browser.cookies.contains_key(COOKIE));
}

/// Whoever goes back did nothing wrong, and no time is over.
#[tokio::test]
async fn going_back_to_a_reset_that_has_ended_says_how_it_ended() {
    let (_, mut browser) = browser();
    assert_eq!(browser.open("/password/forgot/done").await.address, "/signin");
    browser.forget_and_prove().await;
    browser.press(NEW, &TYPED).await;
    for page in [NEW, CODE_PAGE, "/password/forgot/done"] {
        let page = browser.open(page).await;
        assert_eq!(page.address, "/password/forgot/done");
        assert!(page.shows(JAPANESE.reset_done_intro));
    }
    browser.forget().await;
    browser.press(CANCEL, &[]).await;
    for page in [NEW, CODE_PAGE] {
        let page = browser.open(page).await;
        assert!(page.shows(JAPANESE.reset_cancelled) && !page.shows(JAPANESE.reset_over));
    }
    // What is lost after the next beginning is lost.
    browser.forget().await;
    browser.cookies.remove(COOKIE);
    assert!(browser.open(CODE_PAGE).await.shows(JAPANESE.reset_over));
}

/// C-14, as the person meets it.
#[tokio::test]
async fn a_distributed_password_leads_to_the_code_for_another_one() {
    let (world, mut browser) = browser();
    world.state().must_change = true;
    let page = browser.sign_in().await;
    assert_eq!(page.address, CODE_PAGE);
    assert!(page.shows(JAPANESE.must_change));
    assert_eq!(world.count("IssueCode"), 1);
    assert!(!browser.cookies.contains_key("__Host-gtol_tx"));
    assert_eq!(browser.press(VERIFY, &[("code", CODE)]).await.address, NEW);
}

/// A double click: one flow, one mail.
#[tokio::test]
async fn the_same_form_twice_is_one_reset_of_a_distributed_password() {
    let (world, mut browser) = browser();
    world.state().must_change = true;
    browser.open("/signin").await;
    let typed = [("user_id", "04500001"), ("password", "pass")];
    let [first, second, other] =
        [&typed, &typed, &[("user_id", "04500002"), typed[1]]].map(|typed| browser.filled("/signin", typed));
    let mut digests = Vec::new();
    for request in [first, second, other] {
        browser.follow(request).await;
        digests.push(world.state().digest.clone());
    }
    let state = world.state();
    let commands = state.calls.iter().filter(|(name, _)| *name == "IssueCode");
    let commands: Vec<&[u8]> = commands.map(|(_, id)| id.as_slice()).collect();
    assert_eq!(digests[0], digests[1]);
    assert_eq!(commands[0], commands[1]);
    // Somebody else on the same page, brought back by the browser.
    assert_ne!(digests[1], digests[2]);
}

#[tokio::test]
async fn a_dead_code_is_shown_as_the_log_has_it() {
    let (world, mut browser) = browser();
    browser.forget().await;
    for (reason, stage, text) in [
        ("OTP_CODE_EXPIRED", Stage::Expired, JAPANESE.code_expired),
        ("OTP_CODE_SPENT", Stage::Spent, JAPANESE.code_spent),
    ] {
        world.state().flow = sent();
        browser.open(CODE_PAGE).await;
        let request = browser.filled(VERIFY, &[("code", CODE)]);
        world.refuse("VerifyCode", Code::FailedPrecondition, reason);
        world.state().flow.stage = stage.into();
        assert!(browser.follow(request).await.shows(text), "{reason}");
    }
}

/// Whatever otp says of a first code, the page does not differ.
#[tokio::test]
async fn a_reset_without_a_code_looks_like_one_with_a_code() {
    let (world, mut browser) = browser();
    browser.forget().await;
    world.state().flow = not_sent();
    let page = browser.open(CODE_PAGE).await;
    assert!(page.shows(JAPANESE.reset_sent) && page.shows("name=\"code\""));
}

#[tokio::test]
async fn a_locked_person_is_told_that_a_reset_helps_and_finds_it() {
    let (world, mut browser) = browser();
    world.state().rejected = Some(Reason::Locked);
    let page = browser.sign_in().await;
    assert!(page.shows(JAPANESE.locked_hint) && page.shows("href=\"/password/forgot\""));
    assert_eq!(browser.open(FORGOT).await.status, StatusCode::OK);
}
