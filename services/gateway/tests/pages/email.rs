//! `/signin/email` and キャンセル.

use http::StatusCode;
use sekisho_gateway::texts::JAPANESE;
use sekisho_proto::otp::v1::flow_view::{Mail, Stage};
use sekisho_service::enquiry::Enquiry;
use tonic::Code;

use sekisho_gallery::browser::{Browser, Page};
use sekisho_gallery::services::FLOW;
use sekisho_gallery::states::show;
use sekisho_gallery::world::{CODE, World, at};

const SEND: &str = "/signin/email/send";
const VERIFY: &str = "/signin/email/verify";
const CONTINUE: &str = "/signin/email/continue";
const CANCEL: &str = "/signin/cancel";

/// What each state shows and where the focus is.
struct Expected {
    state: &'static str,
    texts: &'static [&'static str],
    missing: &'static [&'static str],
    focus: &'static str,
}

/// Whatever belongs to a code.
const CODES: &[&str] = &[
    "name=\"code\"",
    JAPANESE.send,
    JAPANESE.send_again,
    JAPANESE.sent,
    "K7M2",
];

const STATES: [Expected; 14] = [
    Expected {
        state: "not-sent",
        texts: &[
            JAPANESE.email,
            JAPANESE.email_intro,
            JAPANESE.not_sent,
            "g*****@example.com",
            ">確認コードを送信</button>",
        ],
        missing: &[
            JAPANESE.send_again,
            "name=\"code\"",
            "gantoroku@example.com",
            "role=\"alert\"",
        ],
        focus: "autofocus>確認コードを送信",
    },
    Expected {
        state: "sent",
        texts: &[
            JAPANESE.sent,
            "10時23分に送信しました。有効期限は10時33分です。",
            "メールサーバーへの受け渡し：10時23分45秒",
            "K7M2",
            JAPANESE.no_mail_hint,
            JAPANESE.send_again,
        ],
        missing: &["gantoroku@example.com", "role=\"alert\""],
        focus: "spellcheck=\"false\" autofocus>",
    },
    Expected {
        state: "sending",
        texts: &[
            JAPANESE.sending,
            "<noscript><p class=\"hint\">送信の結果は、この画面を再読み込みすると表示されます。</p></noscript>",
            "<p>有効期限は10時33分です。</p>",
            JAPANESE.verify,
            JAPANESE.send_again,
        ],
        missing: &[JAPANESE.sent, "に送信しました。", "メールサーバーへの受け渡し"],
        focus: "spellcheck=\"false\" autofocus>",
    },
    Expected {
        state: "wrong-code",
        texts: &[
            JAPANESE.sent,
            JAPANESE.code_wrong,
            "あと4回入力できます。",
            "aria-describedby=\"code-error\" aria-invalid=\"true\"",
        ],
        missing: &[JAPANESE.code_replaced, "999999"],
        focus: "aria-invalid=\"true\" autofocus>",
    },
    Expected {
        state: "old-code",
        texts: &[JAPANESE.code_replaced, "あと4回入力できます。"],
        missing: &[JAPANESE.code_wrong, "000000"],
        focus: "aria-invalid=\"true\" autofocus>",
    },
    Expected {
        state: "malformed",
        texts: &[JAPANESE.code_malformed],
        missing: &["回入力できます"],
        focus: "aria-invalid=\"true\" autofocus>",
    },
    Expected {
        state: "expired",
        texts: &[JAPANESE.code_expired, "name=\"code\"", JAPANESE.no_mail_hint],
        missing: &["aria-invalid"],
        focus: "autofocus>新しいコードを送信します",
    },
    Expected {
        state: "spent",
        texts: &[JAPANESE.code_spent],
        missing: &["name=\"code\"", JAPANESE.no_mail_hint],
        focus: "autofocus>新しいコードを送信します",
    },
    Expected {
        state: "failed",
        texts: &[JAPANESE.send_failed, JAPANESE.enquiry],
        missing: &["name=\"code\"", JAPANESE.sent],
        focus: "autofocus>確認コードを送信",
    },
    Expected {
        state: "too-soon",
        texts: &[
            JAPANESE.sent,
            "role=\"status\">新しいコードは、あと41秒たつと送信できます。",
            "name=\"code\"",
        ],
        missing: &["role=\"alert\""],
        focus: "aria-describedby=\"wait\" autofocus>",
    },
    Expected {
        state: "too-many",
        texts: &[JAPANESE.too_many_codes, "name=\"code\""],
        missing: &[JAPANESE.code_wrong],
        focus: "autofocus>キャンセル",
    },
    Expected {
        state: "codes-locked",
        texts: &[JAPANESE.codes_locked],
        missing: CODES,
        focus: "role=\"alert\" tabindex=\"-1\" autofocus>",
    },
    Expected {
        state: "codes-closed",
        texts: &[JAPANESE.disabled],
        missing: CODES,
        focus: "role=\"alert\" tabindex=\"-1\" autofocus>",
    },
    Expected {
        state: "verified",
        texts: &[JAPANESE.verified, "gantoroku@example.com"],
        missing: &[
            "name=\"code\"",
            JAPANESE.send,
            JAPANESE.send_again,
            "*****",
            "role=\"alert\"",
        ],
        focus: "autofocus>続行",
    },
];

#[tokio::test]
async fn every_state_shows_its_texts_and_puts_the_focus_where_it_belongs() {
    for expected in STATES {
        let page = show(expected.state).await.page;
        for text in expected
            .texts
            .iter()
            .chain(&[">続行</button>", ">キャンセル</button>", expected.focus])
        {
            assert!(page.shows(text), "{}: {text}", expected.state);
        }
        for text in expected.missing {
            assert!(!page.shows(text), "{}: {text}", expected.state);
        }
    }
}

async fn signed_in_with_code() -> (World, Browser) {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.sign_in().await;
    browser.press(SEND, &[]).await;
    (world, browser)
}

#[tokio::test]
async fn enter_in_the_code_compares_it_and_the_other_buttons_come_after() {
    let page = show("sent").await.page;
    let at = |form: &str| page.text.find(&format!("action=\"{form}\"")).unwrap();
    assert!(at(VERIFY) < at(SEND) && at(SEND) < at(CONTINUE) && at(CONTINUE) < at(CANCEL));
    assert_eq!(page.form(VERIFY).matches("<button").count(), 1);
}

#[tokio::test]
async fn a_reload_still_tells_that_a_code_was_wrong() {
    let (_, mut browser) = signed_in_with_code().await;
    browser.press(VERIFY, &[("code", "999999")]).await;
    let page = browser.open("/signin/email").await;
    assert!(page.shows(JAPANESE.code_wrong) && page.shows("あと4回入力できます。"));
}

#[tokio::test]
async fn an_empty_code_and_a_novel_are_not_compared() {
    let (world, mut browser) = signed_in_with_code().await;
    assert!(
        browser
            .press(VERIFY, &[("code", "\u{3000}")])
            .await
            .shows(JAPANESE.code_missing)
    );
    assert!(
        browser
            .press(VERIFY, &[("code", &"1".repeat(65))])
            .await
            .shows(JAPANESE.code_malformed)
    );
    assert_eq!(world.count("VerifyCode"), 0);
}

#[tokio::test]
async fn a_code_that_died_meanwhile_is_shown_as_the_log_has_it() {
    let (world, mut browser) = signed_in_with_code().await;
    for (reason, stage, text) in [
        ("OTP_CODE_EXPIRED", Stage::Expired, JAPANESE.code_expired),
        ("OTP_CODE_SPENT", Stage::Spent, JAPANESE.code_spent),
        ("OTP_NO_LIVE_CODE", Stage::NotSent, JAPANESE.not_sent),
        ("OTP_LOCKED", Stage::Locked, JAPANESE.codes_locked),
        ("OTP_CLOSED", Stage::Closed, JAPANESE.disabled),
    ] {
        world.state().flow.stage = Stage::Live.into();
        browser.open("/signin/email").await;
        let request = browser.filled(VERIFY, &[("code", CODE)]);
        world.refuse("VerifyCode", Code::FailedPrecondition, reason);
        world.state().flow.stage = stage.into();
        assert!(browser.follow(request).await.shows(text), "{reason}");
    }
}

#[tokio::test]
async fn what_wrong_codes_have_shut_is_shown_when_a_code_is_asked_for() {
    let (world, mut browser) = signed_in_with_code().await;
    for (reason, stage, text) in [
        ("OTP_LOCKED", Stage::Locked, JAPANESE.codes_locked),
        ("OTP_CLOSED", Stage::Closed, JAPANESE.disabled),
    ] {
        world.state().flow.stage = Stage::Live.into();
        browser.open("/signin/email").await;
        let request = browser.filled(SEND, &[]);
        world.refuse("IssueCode", Code::FailedPrecondition, reason);
        world.state().flow.stage = stage.into();
        let page = browser.follow(request).await;
        assert!(page.shows(text) && page.address == "/signin/email", "{reason}");
        // It cannot be gone on with, only given up.
        let page = browser.press(CONTINUE, &[]).await;
        assert!(page.shows(text), "{reason}");
    }
}

#[tokio::test]
async fn a_wait_that_is_over_is_not_told() {
    let (world, mut browser) = signed_in_with_code().await;
    world.refuse("IssueCode", Code::FailedPrecondition, "OTP_TOO_SOON");
    let page = browser.press(SEND, &[]).await;
    assert!(!page.shows("秒たつと") && page.shows(JAPANESE.sent));
    let shown = |resend_at, now| {
        world.state().flow.resend_at = Some(at(resend_at));
        world.state().flow.now = Some(at(now));
    };
    shown(60, 60);
    assert!(!browser.press(SEND, &[]).await.shows("秒たつと"));
    shown(60, 59);
    assert!(
        browser
            .press(SEND, &[])
            .await
            .shows("あと1秒たつと送信できます。")
    );
    // A reload tells it no more.
    assert!(!browser.open("/signin/email").await.shows("秒たつと"));
}

#[tokio::test]
async fn an_accepted_code_stays_accepted_when_it_is_sent_again() {
    let (_, mut browser) = signed_in_with_code().await;
    let again = browser.filled(VERIFY, &[("code", CODE)]);
    assert!(
        browser
            .press(VERIFY, &[("code", CODE)])
            .await
            .shows(JAPANESE.verified)
    );
    assert!(browser.follow(again).await.shows(JAPANESE.verified));
}

#[tokio::test]
async fn the_page_after_an_accepted_code_has_seen_its_entry() {
    let (world, mut browser) = signed_in_with_code().await;
    browser.press(VERIFY, &[("code", CODE)]).await;
    let state = world.state();
    let described = state
        .calls
        .iter()
        .rfind(|(name, _)| *name == "DescribeFlow")
        .unwrap();
    assert_eq!(described.1, 42u64.to_be_bytes());
}

#[tokio::test]
async fn a_double_click_is_one_command_and_the_next_page_another() {
    let (world, mut browser) = signed_in_with_code().await;
    let (first, second) = (browser.filled(SEND, &[]), browser.filled(SEND, &[]));
    browser.follow(first).await;
    browser.follow(second).await;
    browser.press(SEND, &[]).await;
    let state = world.state();
    let commands: Vec<_> = state
        .calls
        .iter()
        .filter(|(name, _)| *name == "IssueCode")
        .map(|(_, id)| id)
        .collect();
    assert_eq!(commands.len(), 4);
    assert!(commands.iter().all(|id| id.len() == 16));
    assert_eq!(commands[1], commands[2]);
    assert!(commands[0] != commands[1] && commands[2] != commands[3]);
}

#[tokio::test]
async fn continuing_too_early_says_what_is_missing_and_changes_nothing() {
    for (state, text) in [
        ("not-sent", JAPANESE.not_verified),
        ("sent", JAPANESE.not_verified),
        ("spent", JAPANESE.code_spent),
    ] {
        let mut browser = show(state).await;
        let page = browser.press(CONTINUE, &[]).await;
        assert_eq!(page.address, "/signin/email#error-summary");
        assert!(page.shows(text), "{state}");
        assert!(!browser.cookies.contains_key("__Host-gtol_sid"));
    }
}

#[tokio::test]
async fn a_mail_that_failed_gets_an_enquiry_number() {
    let (world, mut browser) = signed_in_with_code().await;
    world.state().flow.mail = Mail::Failed.into();
    let page = browser.open("/signin/email").await;
    assert!(page.title().starts_with("エラー：") && page.shows("<span class=\"whole\">"));
    world.state().flow.mail = Mail::HandedOver.into();
    assert!(!browser.open("/signin/email").await.shows(JAPANESE.enquiry));
}

/// The help desk finds what the log says of the flow by it.
#[tokio::test]
async fn every_error_within_a_flow_has_the_number_of_the_flow() {
    let (world, mut browser) = signed_in_with_code().await;
    world.state().flow.mail = Mail::Failed.into();
    let of_flow = Enquiry::of_flow(FLOW);
    assert_eq!(enquiry(browser.open("/signin/email").await), of_flow);
    world.refuse("GetFlow", Code::Unavailable, "");
    let down = browser.open("/signin/email").await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(enquiry(down), of_flow);

    // Elsewhere the flow may be that of somebody who has left.
    for path in ["/nowhere", "/top/nowhere"] {
        assert_ne!(enquiry(browser.open(path).await), of_flow, "{path}");
    }
    world.refuse("VerifyPassword", Code::Unavailable, "");
    browser.open("/signin").await;
    let refused = browser.sign_in().await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_ne!(enquiry(refused), of_flow);
}

/// The number that a page shows.
fn enquiry(page: &Page) -> Enquiry {
    let words = page.text.split(|c: char| !c.is_ascii_digit() && c != '-');
    let mut numbers = words
        .filter(|word| word.len() == 14)
        .filter_map(|word| word.parse().ok());
    numbers
        .next()
        .unwrap_or_else(|| panic!("no number in {}", page.text))
}

#[tokio::test]
async fn cancelling_ends_the_flow_in_the_log_and_in_the_browser() {
    let (world, mut browser) = signed_in_with_code().await;
    let page = browser.press(CANCEL, &[]).await;
    assert_eq!(page.address, "/signin#user_id");
    assert!(page.shows("role=\"status\">サインインをキャンセルしました。</p>") && !page.shows(" autofocus"));
    assert_eq!(world.count("CancelFlow"), 1);
    assert!(!browser.cookies.contains_key("__Host-gtol_tx"));
}

/// Whoever goes back did nothing wrong, and no time is over.
#[tokio::test]
async fn going_back_to_what_was_cancelled_says_that_it_was_cancelled() {
    let (_, mut browser) = signed_in_with_code().await;
    browser.press(CANCEL, &[]).await;
    for _ in 0..2 {
        let page = browser.open("/signin/email").await;
        assert!(page.shows(JAPANESE.cancelled) && !page.shows(JAPANESE.flow_over));
        assert!(page.shows("<title>サインイン"), "{}", page.text);
    }
    // What is lost after the next beginning is lost.
    browser.sign_in().await;
    browser.cookies.remove("__Host-gtol_tx");
    assert!(browser.open("/signin/email").await.shows(JAPANESE.flow_over));
}

/// So is one with an NCR account.
#[tokio::test]
async fn a_sign_in_with_an_ncr_account_is_a_beginning_as_well() {
    let (_, mut browser) = signed_in_with_code().await;
    browser.press(CANCEL, &[]).await;
    browser.press("/ncr/start", &[]).await;
    browser.cookies.remove("__Host-gtol_tx");
    assert!(browser.open("/signin/email").await.shows(JAPANESE.flow_over));
}

/// The answer to the button is not buried under what was wrong before it.
#[tokio::test]
async fn who_asks_too_soon_is_told_that_and_no_more_that_a_code_was_wrong() {
    let (world, mut browser) = signed_in_with_code().await;
    world.state().flow.was_guessed_at = true;
    assert!(browser.open("/signin/email").await.shows(JAPANESE.code_wrong));
    world.refuse("IssueCode", Code::FailedPrecondition, "OTP_TOO_SOON");
    world.state().flow.resend_at = Some(at(60));
    world.state().flow.now = Some(at(0));
    let page = browser.press(SEND, &[]).await;
    assert!(
        page.shows("新しいコードは、あと60秒たつと送信できます。"),
        "{}",
        page.text
    );
    assert!(!page.shows(JAPANESE.code_wrong) && !page.shows("エラー："));
}

#[tokio::test]
async fn cancelling_what_cannot_be_recorded_is_not_claimed() {
    let (world, mut browser) = signed_in_with_code().await;
    world.refuse("CancelFlow", Code::Unavailable, "");
    let page = browser.press(CANCEL, &[]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.shows("<a href=\"/signin/email\">"));
    assert!(browser.cookies.contains_key("__Host-gtol_tx"));
}

/// 続行 is slow, キャンセル comes while it runs, and its answer with the cookie never reaches the browser.
#[tokio::test]
async fn cancelling_what_has_become_a_session_ends_the_session() {
    let (world, mut browser) = signed_in_with_code().await;
    world.state().flow.set_stage(Stage::Verified);
    let cancel = browser.filled(CANCEL, &[]);
    let before = browser.clone();
    browser.press(CONTINUE, &[]).await;
    assert!(world.state().token.is_some());
    let mut browser = before;
    world.refuse("CancelFlow", Code::FailedPrecondition, "FLOW_USED");
    assert!(browser.follow(cancel).await.shows(JAPANESE.cancelled));
    assert_eq!(world.state().token, None);
}

#[tokio::test]
async fn a_session_that_cannot_be_ended_is_not_called_cancelled() {
    let (world, mut browser) = signed_in_with_code().await;
    world.state().flow.set_stage(Stage::Verified);
    world.refuse("CancelFlow", Code::FailedPrecondition, "FLOW_USED");
    world.refuse("End", Code::Unavailable, "");
    let page = browser.press(CANCEL, &[]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// Two tabs, two flows: the browser is in the newer one.
#[tokio::test]
async fn a_button_of_another_flow_does_nothing_and_shows_the_present_state() {
    let (world, old) = signed_in_with_code().await;
    let mut browser = old.clone();
    browser.sign_in().await;
    browser.open("/signin/email").await;
    let calls = ["IssueCode", "VerifyCode", "Start", "CancelFlow"].map(|method| world.count(method));
    for form in [SEND, VERIFY, CONTINUE, CANCEL] {
        let mut tab = browser.clone();
        tab.page = old.page.clone();
        let page = tab
            .press(form, &[("code", CODE)][..usize::from(form == VERIFY)])
            .await;
        assert!(
            page.address.starts_with("/signin/email"),
            "{form}: {}",
            page.address
        );
        // Nobody did anything wrong.
        let said = format!("role=\"status\" tabindex=\"-1\">{}", JAPANESE.stale_button);
        assert!(
            page.shows(&said) && !page.title().starts_with("エラー："),
            "{form}"
        );
        assert!(!page.shows("role=\"alert\""), "{form}");
    }
    let after = ["IssueCode", "VerifyCode", "Start", "CancelFlow"].map(|method| world.count(method));
    assert_eq!(after, calls);
}

/// A page that looks on by itself may be of a window that another one has left behind.
#[tokio::test]
async fn whoever_looks_on_takes_nothing_away() {
    let (world, mut browser) = signed_in_with_code().await;
    world.refuse("VerifyCode", Code::InvalidArgument, "OTP_CODE_MALFORMED");
    browser.send(VERIFY, &[("code", "12")]).await;
    let by_script = |browser: &Browser| {
        let request = browser.request(http::Method::GET, "/signin/email");
        request
            .header("x-script", "1")
            .body(axum::body::Body::empty())
            .unwrap()
    };
    // What is said once is said to the person.
    let mut looking = browser.clone();
    let request = by_script(&looking);
    let page = looking.ask(request).await;
    assert_eq!((page.status, page.header("set-cookie")), (StatusCode::OK, ""));
    assert!(!page.shows(JAPANESE.code_malformed));
    assert!(
        browser
            .clone()
            .open("/signin/email")
            .await
            .shows(JAPANESE.code_malformed)
    );
    // Another window has begun anew: its flow is not taken away by an answer about this one.
    world.refuse("GetFlow", Code::FailedPrecondition, "FLOW_CANCELLED");
    let request = by_script(&browser);
    let page = browser.ask(request).await;
    assert_eq!(
        (page.status, page.header("set-cookie")),
        (StatusCode::RESET_CONTENT, "")
    );
    browser.cookies.remove("__Host-gtol_tx");
    let request = by_script(&browser);
    let page = browser.ask(request).await;
    assert_eq!(
        (page.status, page.header("set-cookie")),
        (StatusCode::RESET_CONTENT, "")
    );
}

/// The mail server may never have had the mail with a code that is too old now.
#[tokio::test]
async fn a_code_that_was_never_mailed_is_not_said_to_be_sent() {
    for (mail, is_said) in [
        (Mail::HandedOver, true),
        (Mail::Waiting, false),
        (Mail::Failed, false),
    ] {
        let (world, mut browser) = signed_in_with_code().await;
        world.state().flow.stage = Stage::Expired.into();
        world.state().flow.mail = mail.into();
        let page = browser.open("/signin/email").await;
        assert!(page.shows(JAPANESE.code_expired));
        assert_eq!(page.shows(JAPANESE.sent), is_said, "{mail:?}");
    }
}

#[tokio::test]
async fn a_full_service_leads_back_to_where_one_stood() {
    let (world, mut browser) = signed_in_with_code().await;
    world.refuse("VerifyCode", Code::ResourceExhausted, "LOG_BUSY");
    let page = browser.press(VERIFY, &[("code", CODE)]).await;
    assert!(page.shows(JAPANESE.busy_intro) && page.shows("<a href=\"/signin/email\">"));
}

#[tokio::test]
async fn cancelling_twice_is_cancelled() {
    let (_, mut browser) = signed_in_with_code().await;
    let again = browser.filled(CANCEL, &[]);
    browser.send(CANCEL, &[]).await;
    assert!(browser.follow(again).await.shows(JAPANESE.cancelled));
}

#[tokio::test]
async fn a_flow_that_is_over_leads_to_the_sign_in_from_every_address() {
    for reason in [
        "FLOW_UNKNOWN",
        "FLOW_SECRET_WRONG",
        "FLOW_CANCELLED",
        "FLOW_USED",
        "FLOW_MIXED",
        "EVIDENCE_CUT",
        "EVIDENCE_OLD",
    ] {
        for (method, form) in [
            ("GetFlow", ""),
            ("IssueCode", SEND),
            ("VerifyCode", VERIFY),
            ("Start", CONTINUE),
        ] {
            let (world, mut browser) = signed_in_with_code().await;
            world.refuse(method, Code::FailedPrecondition, reason);
            let page = match form {
                "" => browser.open("/signin/email").await,
                form => {
                    browser
                        .press(form, &[("code", CODE)][..usize::from(form == VERIFY)])
                        .await
                }
            };
            assert_eq!(page.address, "/signin#error-summary", "{reason} {method}");
            assert!(page.shows(JAPANESE.flow_over));
            assert!(
                !browser.cookies.contains_key("__Host-gtol_tx"),
                "{reason} {method}"
            );
        }
    }
}

#[tokio::test]
async fn a_service_that_is_down_leads_back_to_where_the_person_was() {
    for (method, form) in [
        ("GetFlow", ""),
        ("DescribeFlow", ""),
        ("IssueCode", SEND),
        ("VerifyCode", VERIFY),
    ] {
        let (world, mut browser) = signed_in_with_code().await;
        world.refuse(method, Code::Unavailable, "");
        let page = match form {
            "" => browser.open("/signin/email").await,
            form => {
                browser
                    .press(form, &[("code", CODE)][..usize::from(form == VERIFY)])
                    .await
            }
        };
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{method}");
        assert!(
            page.shows("<a href=\"/signin/email\">メールアドレス確認へ戻る</a>"),
            "{method}"
        );
        // Screens 1.3, `failure_verify_code_msg`.
        assert_eq!(page.shows(JAPANESE.down_code), method == "VerifyCode");
        assert_eq!(page.shows(JAPANESE.down_sign_in), method != "VerifyCode");
        assert!(browser.cookies.contains_key("__Host-gtol_tx"), "{method}");
    }
}

#[tokio::test]
async fn without_a_flow_every_address_leads_to_the_sign_in() {
    let (_, mut browser) = signed_in_with_code().await;
    let requests = [SEND, CONTINUE, CANCEL].map(|form| browser.filled(form, &[]));
    browser.cookies.remove("__Host-gtol_tx");
    for request in requests {
        let cookie = request.headers()["cookie"].to_str().unwrap().to_owned();
        let kept: Vec<_> = cookie
            .split("; ")
            .filter(|pair| !pair.starts_with("__Host-gtol_tx"))
            .collect();
        let (mut parts, body) = request.into_parts();
        parts.headers.insert("cookie", kept.join("; ").parse().unwrap());
        let page = browser.follow(http::Request::from_parts(parts, body)).await;
        assert_eq!(page.address, "/signin#error-summary");
        assert!(page.shows(JAPANESE.flow_over));
    }
}

#[tokio::test]
async fn a_planted_flow_cookie_opens_nothing() {
    let (world, mut browser) = signed_in_with_code().await;
    let calls = world.state().calls.len();
    let plain = format!("{{\"id\":{FLOW:?},\"secret\":\"{}\",\"seen\":0}}", "A".repeat(43));
    let foreign = browser.cookies["__Host-gtol_csrf"].clone();
    for planted in [plain, foreign, "x".into()] {
        browser.cookies.insert("__Host-gtol_tx".into(), planted);
        assert!(browser.open("/signin/email").await.shows(JAPANESE.flow_over));
    }
    assert_eq!(world.state().calls.len(), calls);
}
