//! What to tell whoever is on the telephone, and what to do.

use std::fmt;

use sekisho_proto::credentials::v1::account::{Lock, What};
use sekisho_proto::credentials::v1::federated_identity_rejected::Reason as Unopened;
use sekisho_proto::credentials::v1::{Account, Episode, ExplainAccountResponse};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::from_timestamp;
use sekisho_proto::otp::v1::{MailFailed, mail_failed};
use time::OffsetDateTime;

use super::attempt::{Attempt, OVER, Step, is_attempt};
use super::story::Told;
use crate::accounts::{locks, show};
use crate::text::{clean, minute};

/// Mails of one sign-in (screens, part 6).
const CODES_OF_A_SIGN_IN: usize = 5;
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
        if let Some(reason) = answer.episodes.iter().find_map(unopened) {
            return of_unlinked_staff(reason);
        }
        return vec![
            tell(
                "利用者ID（通常8桁の数字）を、もう一度読み上げてください。0とO、1とlの間違いも確かめてください。",
            ),
            tell("正しければ、登録されていません。施設の担当者を通じて登録を依頼してください。"),
        ];
    };
    let lost_its_link = answer.episodes.iter().any(was_linked) && account.password_expired;
    let mut all = of_account(account, lost_its_link, now);
    let attempt = answer.episodes.iter().find(|episode| is_attempt(episode));
    if let Some(attempt) = attempt
        .map(Attempt::of)
        .filter(|attempt| !attempt.is_shut(account, now))
    {
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

/// Whether a link with an NCR account was made or ended.
fn was_linked(episode: &Episode) -> bool {
    let mut told = episode.events.iter().map(Told::of);
    told.any(|told| matches!(told, Told::Account(AccountEvent::FederatedIdentityLinked(_))))
}

/// Why the provider vouched for somebody in vain, if it did.
fn unopened(episode: &Episode) -> Option<Unopened> {
    let mut told = episode.events.iter().map(Told::of);
    told.find_map(|told| match told {
        Told::Account(AccountEvent::FederatedIdentityRejected(rejected)) => Some(rejected.reason()),
        Told::Account(_) | Told::Code(_) | Told::Session(_) | Told::Unknown => None,
    })
}

/// Of a person whom no account is linked with.
fn of_unlinked_staff(reason: Unopened) -> Vec<Advice> {
    let mut all = vec![
        tell(
            "NCRアカウントは確認できましたが、GTOLのアカウントと結び付いていません。所属の担当者を通じて登録を依頼してください。",
        ),
        Advice::Do(format!(
            "登録する場合は、{CALL_BACK}NCRアカウントの担当者にサブジェクト識別子（sub）を確認し、sekisho accounts link-ncr で結び付けます。"
        )),
    ];
    if reason == Unopened::FactorMissing {
        all.push(tell(
            "登録のあとは、NCRアカウントの認証サービスで、多要素認証を使ってサインインしてください。",
        ));
    }
    all
}

/// `lost_its_link` counts for an account without one.
fn of_account(account: &Account, lost_its_link: bool, now: OffsetDateTime) -> Vec<Advice> {
    let login = clean(&account.login_id);
    let mut all = Vec::new();
    if account.disabled {
        all.push(Advice::Do(format!(
            "アカウントは無効です（正しいパスワードを入力した人の画面には「ご使用のアカウントはロックされています」と出ます。unlock では解除できません）。無効にした理由を確認し、{CALL_BACK}sekisho accounts enable {login} で有効にします。"
        )));
    }
    if show::is_linked(account) {
        all.push(tell(
            "NCRアカウントでサインインする利用者です。サインインページの[NCRアカウントでサインイン]ボタンからサインインします（利用者IDとパスワードではサインインできません）。",
        ));
        return all;
    }
    if lost_its_link {
        all.push(Advice::Do(format!(
            "NCRアカウントとの結び付きが外されています。NCRアカウントで利用する人なら、{CALL_BACK}sekisho accounts link-ncr {login} で結び付けます（パスワードの設定は要りません）。"
        )));
    }
    all.extend(account.locks.iter().flat_map(|lock| of_lock(lock, account, now)));
    if account.address.is_empty() {
        all.push(Advice::Do(format!(
            "メールアドレスが登録されていないため、サインインも再設定もできません。{CALL_BACK}sekisho accounts set-email {login} で登録します（変更前のメールアドレスがないため、お知らせは誰にも届きません）。"
        )));
    }
    if account.password_expired {
        all.push(tell(
            "パスワードは失効しています。今のパスワードでサインインすると、確認コードのあとで新しいパスワードを設定する画面になります。思い出せないときは、「パスワードを忘れた場合（再設定）」からも設定できます。",
        ));
    } else if account.last_accepted_at.is_none() && !is_locked(account, &[What::ResetCodes], now) {
        all.extend(of_newcomer(account));
    }
    all
}

/// Whether something of an account is locked at a moment.
pub(super) fn is_locked(account: &Account, what: &[What], now: OffsetDateTime) -> bool {
    let holds = |lock: &Lock| locks::until(lock).is_none_or(|until| locks::minutes(until, now) > 0);
    account
        .locks
        .iter()
        .any(|lock| what.contains(&lock.what()) && holds(lock))
}

/// What helps against a lock, and what it may mean.
fn of_lock(lock: &Lock, account: &Account, now: OffsetDateTime) -> Vec<Advice> {
    const RESET: &str = "「パスワードを忘れた場合（再設定）」からパスワードを再設定すると、";
    let minutes = locks::until(lock).map(|until| locks::minutes(until, now));
    if minutes.is_some_and(|minutes| minutes <= 0) {
        return Vec::new();
    }
    let login = clean(&account.login_id);
    let unlock = format!(
        "sekisho accounts unlock {login} は、施設の登録済み代表電話にかけ直して本人を確認できたときだけ使います。"
    );
    let stranger = "本人に入力間違いの心当たりがなければ、他の人が試しているおそれがあります。";
    let knows = "本人に入力間違いの心当たりがなければ、他の人がパスワードを知っています。すぐに再設定してもらいます。";
    match (lock.what(), minutes) {
        (What::UnknownBrowsers | What::KnownBrowser, None) => vec![
            tell(format!(
                "パスワードの誤りが上限に達したため、サインインできません。{RESET}解除されます。"
            )),
            Advice::Do(
                "unlock では解除できません。本人に心当たりがなければ、運用担当者に連絡します。".to_owned(),
            ),
        ],
        (What::UnknownBrowsers, Some(minutes)) => {
            let mut all = vec![tell(format!(
                "{RESET}すぐにサインインできます。または、あと{minutes}分待ってください。"
            ))];
            if account.known_devices > 0 {
                all.push(tell(
                    "いつも使っているブラウザからは、サインインできることがあります。",
                ));
            }
            all.push(Advice::Do(format!("{stranger}{unlock}")));
            all
        }
        (What::KnownBrowser, Some(minutes)) => vec![
            tell(format!(
                "いつも使っているブラウザの1つで、パスワードの誤りが続きました。そのブラウザからは、あと{minutes}分サインインできません。{RESET}すぐにサインインできます。"
            )),
            Advice::Do(format!("{stranger}{unlock}")),
        ],
        (What::SignInCodes, Some(minutes)) => vec![
            tell(format!(
                "確認コードの誤りが続いたため、あと{minutes}分サインインできません。{RESET}すぐにサインインできます。"
            )),
            Advice::Do(format!("{knows}{unlock}")),
        ],
        (What::SignInCodes, None) => vec![
            tell(format!(
                "確認コードの誤りが上限に達したため、サインインできません。{RESET}解除されます。"
            )),
            Advice::Do(format!("{knows}{unlock}")),
        ],
        (What::ResetCodes, Some(minutes)) => vec![
            tell(format!(
                "再設定の確認コードの誤りが続いたため、あと{minutes}分、パスワードを再設定できません。"
            )),
            Advice::Do(format!("{stranger}{unlock}")),
        ],
        (What::ResetCodes, None) => vec![
            tell("再設定の確認コードの誤りが上限に達したため、パスワードを再設定できません。"),
            Advice::Do(format!("{stranger}{unlock}")),
        ],
        (What::Unspecified, _) => vec![Advice::Do(
            "この版のコマンドでは分からないロックがあります。運用担当者に連絡します。".to_owned(),
        )],
    }
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

fn of_attempt(attempt: &Attempt, account: &Account, now: OffsetDateTime) -> Vec<Advice> {
    if attempt.waits_for_limit(now) {
        return of_limit(attempt, account);
    }
    of_step(attempt, account, now).into_iter().collect()
}

/// Too many mails: of this sign-in, which another one does not mind, or of the hour and the day.
fn of_limit(attempt: &Attempt, account: &Account) -> Vec<Advice> {
    if attempt.has(Step::IsReset) {
        let login = clean(&account.login_id);
        return vec![
            tell(
                "再設定のメールが上限（1時間に3通、1日に6通）に達しています（画面には送ったように表示されることがあります）。1時間、それでも届かなければ1日待ってください。いつも使っているブラウザからは、送れることがあります。",
            ),
            Advice::Do(format!(
                "急ぐときは、施設の登録済み代表電話にかけ直して本人を確認してから、sekisho accounts unlock {login} で上限を取り消せます。"
            )),
        ];
    }
    vec![tell(if attempt.codes >= CODES_OF_A_SIGN_IN {
        "1回のサインインで送れる確認コードのメール（5通）を使い切りました。届いたメールがあれば、いちばん新しい確認コードを入力してください。なければ、画面の[キャンセル]をクリックして、最初からやり直してください。"
    } else {
        "確認コードのメールが上限（1時間に10通、1日に20通）に達しています。届いたメールがあれば、いちばん新しい確認コードを入力してください。なければ、1時間、それでも送れなければ1日待ってから、最初からやり直してください。"
    })]
}

fn of_step(attempt: &Attempt, account: &Account, now: OffsetDateTime) -> Option<Advice> {
    let at = attempt.newest_at?;
    if attempt.has(Step::Completed) {
        return None;
    }
    if attempt.has(Step::Refused) {
        return Some(tell(format!(
            "{}には、制限のためサインインできませんでした。今は制限がありません。もう一度サインインしてください。",
            minute(at)
        )));
    }
    if attempt.has(Step::PasswordWrong) {
        return Some(tell(format!(
            "{}に入力されたパスワードは違っていました。大文字・小文字と全角・半角を確かめ、思い出せなければ「パスワードを忘れた場合（再設定）」から再設定してください。",
            minute(at)
        )));
    }
    if attempt.has(Step::FactorMissing) {
        return Some(tell(format!(
            "{}には、NCRアカウントの認証サービスで多要素認証を使わなかったため、サインインできませんでした。多要素認証でサインインし直してください。",
            minute(at)
        )));
    }
    if attempt.has(Step::IdentityAccepted) {
        return Some(tell(
            "NCRアカウントは確認できましたが、サインインは完了していません。最初からやり直してください。",
        ));
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
        // No relay was asked.
        mail_failed::Class::Permanent if failed.reply == 0 => Some(Advice::Do(
            "このメールアドレスへのメールは作れませんでした。運用担当者に連絡し、登録したメールアドレスの形を確認してもらいます。".to_owned(),
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
        | mail_failed::Class::Unprepared
        | mail_failed::Class::Transient
        | mail_failed::Class::InDoubt => Some(Advice::Do(
            "メールを送れませんでした。運用担当者に連絡し、しばらくしてから新しいコードを送信してもらいます。".to_owned(),
        )),
    }
}

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
