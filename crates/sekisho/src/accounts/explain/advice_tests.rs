use sekisho_proto::credentials::v1::account::{Lock, What};
use sekisho_proto::credentials::v1::federated_identity_rejected::Reason;
use sekisho_proto::credentials::v1::{
    Episode, FederatedIdentityAccepted, FederatedIdentityLinked, FederatedIdentityRejected, LoggedEvent,
    PasswordAccepted, PasswordRejected, PasswordResetRequested, SignInRefused,
};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::otp::v1::{
    CodeAccepted, CodeIssued, CodeRefused, CodeRejected, FlowCancelled, Mailed, Purpose,
};
use sekisho_proto::sessions::v1::SessionStarted;
use sekisho_proto::{Event, to_timestamp};
use time::Duration;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-03-02 10:00 UTC);

fn account() -> Account {
    Account {
        login_id: "04500001".to_owned(),
        last_accepted_at: Some(to_timestamp(NOW)),
        address: "hanako@example.com".to_owned(),
        ..Account::default()
    }
}

fn logged<E: Event>(event: &E) -> LoggedEvent {
    LoggedEvent {
        recorded_at: Some(to_timestamp(NOW)),
        kind: E::KIND.to_string(),
        event_type: event.event_type().to_owned(),
        event: event.encode(),
    }
}

fn accepted() -> LoggedEvent {
    logged(&AccountEvent::from(PasswordAccepted::default()))
}

fn code(event: impl Into<CodeEvent>) -> LoggedEvent {
    logged(&event.into())
}

fn issued() -> CodeIssued {
    CodeIssued {
        reference: "7K3M".to_owned(),
        expires_at: Some(to_timestamp(NOW + Duration::minutes(10))),
        ..CodeIssued::default()
    }
}

fn failed(class: mail_failed::Class) -> LoggedEvent {
    code(MailFailed {
        class: class.into(),
        reply: 550,
        ..MailFailed::default()
    })
}

fn said(account: Account, events: Vec<LoggedEvent>) -> String {
    let episode = Episode {
        events,
        enquiry: String::new(),
    };
    let answer = ExplainAccountResponse {
        account: Some(account),
        episodes: vec![episode],
        now: None,
    };
    advice(&answer, NOW)
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn whatever_keeps_an_account_out_is_said_with_what_helps() {
    let with = |change: fn(&mut Account)| {
        let mut account = account();
        change(&mut account);
        said(account, Vec::new())
    };
    let lock = |what: What, seconds: Option<i64>| Lock {
        what: what.into(),
        until: seconds.map(|seconds| to_timestamp(NOW + Duration::seconds(seconds))),
    };
    let locked_by = |what, seconds| {
        let mut account = account();
        account.locks = vec![lock(what, seconds)];
        said(account, Vec::new())
    };
    let locked = locked_by(What::UnknownBrowsers, Some(61));
    assert!(
        locked.contains("あと2分待ってください") && locked.contains("unlock 04500001"),
        "{locked}"
    );
    assert!(!locked.contains("いつも使っているブラウザ"), "{locked}");
    let nothing = "妨げるものは見つかりません";
    assert!(locked_by(What::UnknownBrowsers, Some(0)).contains(nothing));
    let own = locked_by(What::KnownBrowser, Some(60));
    assert!(
        own.contains("そのブラウザからは、あと1分") && own.contains("unlock 04500001"),
        "{own}"
    );
    for what in [What::UnknownBrowsers, What::KnownBrowser] {
        assert!(locked_by(what, None).contains("unlock では解除できません"));
    }
    assert!(locked_by(What::SignInCodes, Some(1_800)).contains("あと30分サインインできません"));
    assert!(locked_by(What::SignInCodes, None).contains("他の人がパスワードを知っています"));
    assert!(locked_by(What::ResetCodes, Some(1_800)).contains("あと30分、パスワードを再設定できません"));
    assert!(locked_by(What::ResetCodes, None).contains("unlock 04500001"));
    assert!(with(|account| account.disabled = true).contains("sekisho accounts enable 04500001"));
    assert!(with(|account| account.address.clear()).contains("set-email 04500001"));
    assert!(with(|account| account.password_expired = true).contains("失効"));
    let newcomer = |account: &mut Account| {
        account.last_accepted_at = None;
        account.password_is_of_registration = true;
    };
    assert!(with(newcomer).contains("まだパスワードを設定していません"));
    assert!(with(|_| ()).contains(nothing));
}

/// An address or a state is never changed because somebody on the telephone asks for it.
#[test]
fn whoever_answers_calls_back_before_anything_is_changed() {
    for change in [
        |account: &mut Account| account.disabled = true,
        |account: &mut Account| account.address.clear(),
    ] {
        let mut account = account();
        change(&mut account);
        let said = said(account, Vec::new());
        assert!(said.contains("操作：") && said.contains("かけ直し"), "{said}");
    }
    let refused = vec![accepted(), code(issued()), failed(mail_failed::Class::Permanent)];
    assert!(said(account(), refused).contains("かけ直し"));
}

#[test]
fn an_id_that_nobody_has_is_asked_for_again() {
    let nobody = ExplainAccountResponse::default();
    assert!(advice(&nobody, NOW)[0].to_string().contains("もう一度読み上げて"));
}

#[test]
fn the_last_attempt_says_where_somebody_is_stuck() {
    let rejected = logged(&AccountEvent::from(PasswordRejected::default()));
    let wrong_code = |tries_left| {
        code(CodeRejected {
            tries_left,
            ..CodeRejected::default()
        })
    };
    let mailed = || code(Mailed::default());
    let late = CodeIssued {
        expires_at: Some(to_timestamp(NOW)),
        ..issued()
    };
    let withheld = CodeIssued {
        withheld: true,
        ..issued()
    };
    let reset = logged(&AccountEvent::from(PasswordResetRequested::default()));
    let started = logged(&SessionEvent::from(SessionStarted::default()));
    let of_reset = CodeIssued {
        purpose: Purpose::Reset.into(),
        ..issued()
    };
    let code_accepted = || code(CodeAccepted::default());
    let cases = [
        (vec![rejected], "に入力されたパスワードは違っていました"),
        (vec![accepted()], "[確認コードを送信]"),
        (vec![accepted(), code(issued())], "送信中です"),
        (vec![accepted(), code(issued()), mailed()], "照合番号 7K3M"),
        (
            vec![accepted(), code(late), mailed()],
            "3月2日 19:00に期限が切れました",
        ),
        (
            vec![accepted(), code(issued()), failed(mail_failed::Class::Permanent)],
            "応答 550",
        ),
        (
            vec![
                accepted(),
                code(issued()),
                failed(mail_failed::Class::Unreachable),
            ],
            "運用担当者に連絡し",
        ),
        (
            vec![accepted(), code(issued()), mailed(), wrong_code(0)],
            "5回間違えています",
        ),
        (
            vec![
                accepted(),
                code(issued()),
                wrong_code(0),
                code(issued()),
                mailed(),
            ],
            "照合番号 7K3M",
        ),
        (vec![accepted(), code(issued()), code_accepted()], "[続行]"),
        (
            vec![reset.clone(), code(of_reset), code_accepted()],
            "[パスワードを変更]",
        ),
        (vec![accepted(), code(FlowCancelled {})], "[キャンセル]"),
        (vec![reset.clone(), code(withheld)], "1日待ってください"),
        (vec![reset, code(CodeRefused::default())], "1日待ってください"),
    ];
    for (events, expected) in cases {
        let said = said(account(), events);
        assert!(said.contains(expected), "{expected} in {said}");
    }
    let done = said(account(), vec![accepted(), code_accepted(), started]);
    assert!(done.contains("妨げるものは見つかりません"), "{done}");
}

#[test]
fn nobody_is_sent_back_to_a_page_that_is_over() {
    let mut event = accepted();
    event.recorded_at = Some(to_timestamp(NOW - OVER));
    assert!(said(account(), vec![event]).contains("有効時間が過ぎています"));
}

/// No address, and it is disabled: both are said of the account.
#[test]
fn a_mail_without_an_address_is_no_reason_to_enter_one() {
    let events = || vec![accepted(), code(issued()), failed(mail_failed::Class::NoAddress)];
    let disabled = Account {
        disabled: true,
        ..account()
    };
    assert!(!said(disabled, events()).contains("set-email"));
    assert!(said(account(), events()).contains("最初からやり直してください"));
}

#[test]
fn what_an_administrator_did_is_no_attempt() {
    let rejected = logged(&AccountEvent::from(PasswordRejected::default()));
    let unlocked = logged(&AccountEvent::from(
        sekisho_proto::credentials::v1::AccountUnlocked {},
    ));
    let episode = |event| Episode {
        events: vec![event],
        enquiry: String::new(),
    };
    let answer = ExplainAccountResponse {
        account: Some(account()),
        episodes: vec![episode(unlocked), episode(rejected)],
        now: None,
    };
    let said = advice(&answer, NOW)[0].to_string();
    assert!(said.contains("入力されたパスワードは違っていました"), "{said}");
}

/// Another sign-in gets codes again, another hour helps nobody who has used up those of one sign-in.
#[test]
fn whoever_used_up_the_codes_of_a_sign_in_begins_anew_and_of_an_hour_waits() {
    let sign_in = |codes: usize, more: &[LoggedEvent]| {
        let mut events = vec![accepted()];
        events.extend((0..codes).map(|_| code(issued())));
        events.push(code(CodeRefused::default()));
        events.extend(more.iter().cloned());
        said(account(), events)
    };
    assert!(sign_in(5, &[]).contains("[キャンセル]をクリックして、最初から"));
    let hour = sign_in(4, &[]);
    assert!(hour.contains("1時間に10通") && hour.contains("1時間、"), "{hour}");
    // Beginning anew would not help.
    let cancelled = sign_in(4, &[code(FlowCancelled::default())]);
    assert!(cancelled.contains("1時間に10通"), "{cancelled}");
    let accepted = sign_in(4, &[code(CodeAccepted::default())]);
    assert!(accepted.contains("[続行]"), "{accepted}");
    let reset = logged(&AccountEvent::from(PasswordResetRequested::default()));
    let withheld = CodeIssued {
        withheld: true,
        purpose: Purpose::Reset.into(),
        ..issued()
    };
    let reset = said(account(), vec![reset, code(withheld)]);
    assert!(
        reset.contains("1時間に3通") && reset.contains("unlock 04500001"),
        "{reset}"
    );
}

/// The page has no button for a code then.
#[test]
fn where_codes_are_locked_nobody_is_told_to_send_one() {
    let locked = |what: What, events| {
        let mut account = account();
        account.locks = vec![Lock {
            what: what.into(),
            until: Some(to_timestamp(NOW + Duration::minutes(30))),
        }];
        account.last_accepted_at = None;
        account.password_is_initial = true;
        said(account, events)
    };
    let codes = locked(What::SignInCodes, vec![accepted()]);
    assert!(!codes.contains("[確認コードを送信]"), "{codes}");
    let resets = locked(What::ResetCodes, vec![]);
    assert!(!resets.contains("から設定できます"), "{resets}");
}

/// By its enquiry number somebody asks about just this attempt.
#[test]
fn an_attempt_that_a_lock_refused_is_not_called_a_wrong_password() {
    let refused = logged(&AccountEvent::from(SignInRefused::default()));
    let after = said(account(), vec![refused.clone()]);
    assert!(after.contains("制限のためサインインできませんでした"), "{after}");
    let mut locked = account();
    locked.locks = vec![Lock {
        what: What::UnknownBrowsers.into(),
        until: Some(to_timestamp(NOW + Duration::minutes(2))),
    }];
    let locked = said(locked, vec![refused]);
    assert!(
        locked.contains("あと2分") && !locked.contains("今は制限がありません"),
        "{locked}"
    );
}

#[test]
fn who_signs_in_with_an_ncr_account_hears_of_no_password_and_no_code() {
    let linked = || Account {
        ncr_subject: "ncr-1".to_owned(),
        address: String::new(),
        last_accepted_at: None,
        password_is_of_registration: true,
        ..account()
    };
    let of = |event: AccountEvent| said(linked(), vec![logged(&event)]);
    let said = said(linked(), Vec::new());
    assert!(said.contains("[NCRアカウントでサインイン]"), "{said}");
    for other in ["再設定", "set-email", "メールアドレス"] {
        assert!(!said.contains(other), "{other}: {said}");
    }
    let weak = FederatedIdentityRejected {
        reason: Reason::FactorMissing.into(),
        ..FederatedIdentityRejected::default()
    };
    assert!(of(weak.into()).contains("多要素認証"));
    let of_nobody = |reason: Reason| {
        let stranger = FederatedIdentityRejected {
            reason: reason.into(),
            ..FederatedIdentityRejected::default()
        };
        let answer = ExplainAccountResponse {
            account: None,
            episodes: vec![Episode {
                events: vec![logged(&AccountEvent::from(stranger))],
                ..Episode::default()
            }],
            ..ExplainAccountResponse::default()
        };
        advice(&answer, NOW)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let stranger = of_nobody(Reason::NoAccount);
    assert!(
        stranger[1].contains("link-ncr") && !stranger.concat().contains("8桁"),
        "{stranger:?}"
    );
    assert!(!stranger.concat().contains("多要素認証"));
    assert!(of_nobody(Reason::FactorMissing)[2].contains("多要素認証"));
    let ended = AccountEvent::from(FederatedIdentityLinked {
        removed: true,
        ..FederatedIdentityLinked::default()
    });
    let of_before = Account {
        password_expired: true,
        ..account()
    };
    let unlinked = self::said(of_before, vec![logged(&ended)]);
    assert!(
        unlinked.starts_with("操作：NCRアカウントとの結び付きが外されています"),
        "{unlinked}"
    );
    // Linked again, its password of before stays used up.
    let again = Account {
        password_expired: true,
        ..linked()
    };
    assert!(!self::said(again, vec![logged(&ended)]).contains("外されています"));
    let half = of(FederatedIdentityAccepted::default().into());
    assert!(half.contains("サインインは完了していません"), "{half}");
}
