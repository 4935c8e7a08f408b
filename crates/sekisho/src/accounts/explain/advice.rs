//! What to tell whoever is on the telephone, and what to do.

use std::collections::BTreeSet;
use std::fmt;

use sekisho_proto::credentials::v1::{Account, Episode, ExplainAccountResponse};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::from_timestamp;
use sekisho_proto::otp::v1::{CodeIssued, MailFailed, Purpose, mail_failed};
use time::{Duration, OffsetDateTime};

use super::story::Told;
use crate::text::{clean, minute};

/// After so long nothing of an attempt can be gone on with (design, "Flows": a flow gets codes for an hour).
const OVER: Duration = Duration::hours(1);
/// Before anything is changed for somebody on the telephone.
const CALL_BACK: &str =
    "電話の依頼だけでは変更しないでください。施設の登録済み代表電話にかけ直し、施設の担当者に確認してから、";

/// A sentence for whoever answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Advice {
    /// May be said to the caller.
    Tell(String),
    /// Is for whoever answers alone.
    Do(String),
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tell(sentence) => write!(f, "伝える：{sentence}"),
            Self::Do(sentence) => write!(f, "操作：{sentence}"),
        }
    }
}

fn tell(sentence: impl Into<String>) -> Advice {
    Advice::Tell(sentence.into())
}

/// What to say and to do, the most pressing first. Speaks of the first attempt of the answer.
pub(super) fn advice(answer: &ExplainAccountResponse, now: OffsetDateTime) -> Vec<Advice> {
    let Some(account) = &answer.account else {
        return vec![
            tell(
                "利用者ID（通常8桁の数字）を、もう一度読み上げてください。0とO、1とlの間違いも確かめてください。",
            ),
            tell("正しければ、登録されていません。施設の担当者を通じて登録を依頼してください。"),
        ];
    };
    let mut all = of_account(account, now);
    let attempt = answer.episodes.iter().find(|episode| is_attempt(episode));
    if let Some(attempt) = attempt.map(Attempt::of) {
        all.extend(of_attempt(&attempt, account, now));
    }
    if all.is_empty() {
        all.push(Advice::Do(
            "アカウントの状態には、サインインを妨げるものは見つかりません。画面の文とお問い合わせ番号を聞いてください。".to_owned(),
        ));
        all.push(tell(
            "「一時的にロックされています」と出るなら、パスワードを再設定してください。「リクエストが多すぎます」なら、しばらく待ってください。画面が開かないなら、VPN接続を確認してください。",
        ));
    }
    all
}

/// For how many minutes more strangers' browsers are locked.
pub(super) fn locked_for(account: &Account, now: OffsetDateTime) -> Option<i64> {
    let until = account.locked_until.as_ref().and_then(from_timestamp)?;
    let seconds = (until - now).whole_seconds();
    (seconds > 0).then_some((seconds + 59) / 60)
}

fn of_account(account: &Account, now: OffsetDateTime) -> Vec<Advice> {
    let login = clean(&account.login_id);
    let mut all = Vec::new();
    if account.disabled {
        all.push(Advice::Do(format!(
            "アカウントは無効です（正しいパスワードを入力した人の画面には「ご使用のアカウントはロックされています」と出ます。unlock では解除できません）。無効にした理由を確認し、{CALL_BACK}sekisho accounts enable {login} で有効にします。"
        )));
    }
    if account.closed {
        all.push(tell(
            "パスワードの誤りが上限に達したため、サインインできません。「パスワードを忘れた場合（再設定）」からパスワードを再設定すると解除されます。",
        ));
        all.push(Advice::Do(
            "unlock では解除できません。本人に心当たりがなければ、運用担当者に連絡します。".to_owned(),
        ));
    } else if let Some(minutes) = locked_for(account, now) {
        all.extend(of_lock(account, minutes));
    }
    if account.address.is_empty() {
        all.push(Advice::Do(format!(
            "メールアドレスが登録されていないため、サインインも再設定もできません。{CALL_BACK}sekisho accounts set-email {login} で登録します（変更前のメールアドレスがないため、お知らせは誰にも届きません）。"
        )));
    }
    if account.password_expired {
        all.push(tell(
            "パスワードは失効しています。今のパスワードでサインインすると、確認コードのあとで新しいパスワードを設定する画面になります。思い出せないときは、「パスワードを忘れた場合（再設定）」からも設定できます。",
        ));
    } else if account.last_accepted_at.is_none() {
        all.extend(of_newcomer(account));
    }
    all
}

fn of_lock(account: &Account, minutes: i64) -> Vec<Advice> {
    let mut all = vec![tell(format!(
        "「パスワードを忘れた場合（再設定）」から再設定すると、すぐにサインインできます。または、あと{minutes}分待ってください。"
    ))];
    if account.known_devices > 0 {
        all.push(tell(
            "いつも使っているブラウザからは、サインインできることがあります。",
        ));
    }
    all.push(Advice::Do(format!(
        "本人に入力間違いの心当たりがなければ、他の人が試しているおそれがあります。sekisho accounts unlock {} は、施設の登録済み代表電話にかけ直して本人を確認できたときだけ使います。",
        clean(&account.login_id)
    )));
    all
}

/// Nobody has signed in with this account yet.
fn of_newcomer(account: &Account) -> Option<Advice> {
    if account.password_is_initial {
        Some(tell(
            "施設を通じて配布されたパスワードでサインインします。見当たらなければ、「パスワードを忘れた場合（再設定）」から設定できます。",
        ))
    } else if account.password_is_of_registration {
        Some(tell(
            "このシステムでは、まだパスワードを設定していません。サインインページの「パスワードを忘れた場合（再設定）」から設定してください（前のシステムのパスワードを引き継いだ人は、そのままサインインできます）。",
        ))
    } else {
        None
    }
}

/// How an attempt ended, as far as it goes.
#[derive(Debug, Default)]
struct Attempt {
    newest_at: Option<OffsetDateTime>,
    steps: BTreeSet<Step>,
    issued: Option<CodeIssued>,
    failed: Option<MailFailed>,
    tries_left: Option<u32>,
}

/// What happened in an attempt. Of codes and mails only what is about the newest code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    IsReset,
    PasswordWrong,
    PasswordAccepted,
    CodeRefused,
    Mailed,
    CodeAccepted,
    Cancelled,
    Completed,
}

fn of_attempt(attempt: &Attempt, account: &Account, now: OffsetDateTime) -> Option<Advice> {
    let at = attempt.newest_at?;
    if attempt.has(Step::Completed) {
        return None;
    }
    if attempt.has(Step::PasswordWrong) {
        return Some(tell(format!(
            "{}に入力されたパスワードは違っていました。大文字・小文字と全角・半角を確かめ、思い出せなければ「パスワードを忘れた場合（再設定）」から再設定してください。",
            minute(at)
        )));
    }
    if attempt.has(Step::Cancelled) {
        return Some(tell(
            "最後の手続きは、画面の[キャンセル]で終わっています。最初からやり直してください。",
        ));
    }
    if at + OVER <= now {
        return Some(tell(format!(
            "最後の手続き（{}）は、有効時間が過ぎています。最初からやり直してください。",
            minute(at)
        )));
    }
    if attempt.has(Step::CodeAccepted) {
        return Some(tell(if attempt.has(Step::IsReset) {
            "確認コードは一致しています。画面で新しいパスワードを2回入力し、[パスワードを変更]ボタンをクリックしてください（30分以内）。"
        } else {
            "確認コードは一致しています。画面の[続行]ボタンをクリックしてください（30分以内）。"
        }));
    }
    if attempt.tries_left == Some(0) {
        return Some(tell(
            "確認コードを5回間違えています。画面から新しいコードを送信してください。画面が閉じていれば、最初からやり直してください。",
        ));
    }
    of_code(attempt, account, now)
}

/// What became of the code of an attempt that is still under way.
fn of_code(attempt: &Attempt, account: &Account, now: OffsetDateTime) -> Option<Advice> {
    if let Some(failed) = &attempt.failed {
        return of_failed(failed, account);
    }
    let too_many = "再設定のメールが上限（1時間に3通、1日に6通）に達しています（画面には送ったように表示されることがあります）。1時間、それでも届かなければ1日待ってください。いつも使っているブラウザからなら、上限に関係なく送れます。";
    if attempt.has(Step::CodeRefused) || attempt.issued.as_ref().is_some_and(|issued| issued.withheld) {
        return Some(tell(too_many));
    }
    let Some(issued) = &attempt.issued else {
        let waits = attempt.has(Step::PasswordAccepted) && !account.address.is_empty();
        return waits.then(|| {
            tell("パスワードは一致しています。画面の[確認コードを送信]ボタンをクリックしてください。")
        });
    };
    let expires_at = issued.expires_at.as_ref().and_then(from_timestamp);
    Some(match expires_at.filter(|at| *at <= now) {
        Some(at) => tell(format!(
            "確認コードは{}に期限が切れました。画面から新しいコードを送信してください。画面が閉じていれば、最初からやり直してください。",
            minute(at)
        )),
        None if attempt.has(Step::Mailed) => tell(format!(
            "確認コードのメールは送信済みです（照合番号 {}）。迷惑メールフォルダを確認してください。",
            clean(&issued.reference)
        )),
        None => tell("確認コードのメールを送信中です。1分ほど待ってください。"),
    })
}

fn of_failed(failed: &MailFailed, account: &Account) -> Option<Advice> {
    match failed.class() {
        _ if failed.will_retry => Some(tell(
            "メールを送れず、もう一度送るところです。1分ほど待ってください。",
        )),
        mail_failed::Class::Permanent => Some(Advice::Do(format!(
            "メールサーバーがメールの受け取りを拒否しました（応答 {}）。メールアドレスはこちらから読み上げず、相手に言ってもらってください。登録と違っていても、{CALL_BACK}変更します。",
            failed.reply
        ))),
        // Said of the account already.
        mail_failed::Class::NoAddress if account.disabled || account.address.is_empty() => None,
        mail_failed::Class::NoAddress => Some(tell(
            "確認コードを送った時点では、メールを送れない状態でした。最初からやり直してください。",
        )),
        mail_failed::Class::Dead => Some(tell(
            "確認コードは使われる前に無効になりました。画面から新しいコードを送信してください。画面が閉じていれば、最初からやり直してください。",
        )),
        mail_failed::Class::Unspecified
        | mail_failed::Class::Unreachable
        | mail_failed::Class::Transient
        | mail_failed::Class::InDoubt => Some(Advice::Do(
            "メールを送れませんでした。運用担当者に連絡し、しばらくしてから新しいコードを送信してもらいます。".to_owned(),
        )),
    }
}

fn is_attempt(episode: &Episode) -> bool {
    episode.events.iter().any(|event| match Told::of(event) {
        Told::Account(event) => matches!(
            event,
            AccountEvent::PasswordAccepted(_)
                | AccountEvent::PasswordRejected(_)
                | AccountEvent::PasswordResetRequested(_)
        ),
        Told::Code(_) | Told::Session(_) | Told::Unknown => false,
    })
}

impl Attempt {
    fn of(episode: &Episode) -> Self {
        let mut attempt = Self::default();
        for event in &episode.events {
            let at = event.recorded_at.as_ref().and_then(from_timestamp);
            attempt = attempt.after(Told::of(event));
            attempt.newest_at = at.or(attempt.newest_at);
        }
        attempt
    }

    fn has(&self, step: Step) -> bool {
        self.steps.contains(&step)
    }

    fn with(mut self, step: Step) -> Self {
        self.steps.insert(step);
        self
    }

    fn after(self, event: Told) -> Self {
        match event {
            Told::Account(event) => self.after_account(&event),
            Told::Code(event) => self.after_code(event),
            Told::Session(SessionEvent::SessionStarted(_)) => self.with(Step::Completed),
            Told::Session(_) | Told::Unknown => self,
        }
    }

    fn after_account(self, event: &AccountEvent) -> Self {
        match event {
            AccountEvent::PasswordAccepted(_) => self.with(Step::PasswordAccepted),
            AccountEvent::PasswordRejected(_) => self.with(Step::PasswordWrong),
            AccountEvent::PasswordResetRequested(_) => self.with(Step::IsReset),
            AccountEvent::PasswordChanged(_) => self.with(Step::Completed),
            AccountEvent::AccountRegistered(_)
            | AccountEvent::SignInRefused(_)
            | AccountEvent::EmailChanged(_)
            | AccountEvent::ProfileChanged(_)
            | AccountEvent::AccountDisabled(_)
            | AccountEvent::AccountEnabled(_)
            | AccountEvent::AccountUnlocked(_)
            | AccountEvent::PasswordExpired(_)
            | AccountEvent::AccountErased(_) => self,
        }
    }

    /// A new code takes the place of the old one, with its mail and its tries. Mails of notices are no part of an attempt.
    fn after_code(self, event: CodeEvent) -> Self {
        let is_of_mail = matches!(event, CodeEvent::Mailed(_) | CodeEvent::MailFailed(_));
        if is_of_mail && self.issued.is_none() {
            return self;
        }
        match event {
            CodeEvent::CodeIssued(issued) => self.with_code(issued),
            CodeEvent::CodeRefused(_) => self.with(Step::CodeRefused),
            CodeEvent::Mailed(_) => Self {
                failed: None,
                ..self.with(Step::Mailed)
            },
            CodeEvent::MailFailed(failed) => Self {
                failed: Some(failed),
                ..self
            },
            CodeEvent::CodeRejected(rejected) => Self {
                tries_left: Some(rejected.tries_left),
                ..self
            },
            CodeEvent::CodeAccepted(_) => self.with(Step::CodeAccepted),
            CodeEvent::FlowCancelled(_) => self.with(Step::Cancelled),
            CodeEvent::MailStarted(_) => self,
        }
    }

    fn with_code(mut self, issued: CodeIssued) -> Self {
        self.steps.remove(&Step::CodeRefused);
        self.steps.remove(&Step::Mailed);
        if issued.purpose() == Purpose::Reset {
            self.steps.insert(Step::IsReset);
        }
        Self {
            issued: Some(issued),
            failed: None,
            tries_left: None,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use sekisho_proto::credentials::v1::{
        LoggedEvent, PasswordAccepted, PasswordRejected, PasswordResetRequested,
    };
    use sekisho_proto::otp::v1::{CodeAccepted, CodeRefused, CodeRejected, FlowCancelled, Mailed};
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
        let minutes = |account: &mut Account| {
            account.locked_until = Some(to_timestamp(NOW + Duration::seconds(61)));
        };
        let locked = with(minutes);
        assert!(
            locked.contains("あと2分待ってください") && locked.contains("unlock 04500001"),
            "{locked}"
        );
        assert!(!locked.contains("いつも使っているブラウザ"), "{locked}");
        let nothing = "妨げるものは見つかりません";
        assert!(with(|account| account.locked_until = Some(to_timestamp(NOW))).contains(nothing));
        assert!(with(|account| account.disabled = true).contains("sekisho accounts enable 04500001"));
        assert!(with(|account| account.closed = true).contains("unlock では解除できません"));
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
}
