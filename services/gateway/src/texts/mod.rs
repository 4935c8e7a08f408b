//! Every text that a browser shows, in each language: a table with a field for each, so that none can be missing.
//!
//! Japanese texts that the user manual (chapter 3) prints are equal to it byte for byte, half-width and full-width characters
//! included; `tests/seed-strings.txt` lists them. The others are in the manual's style.

mod en;
mod ja;
mod marked;

pub use en::ENGLISH;
pub use ja::JAPANESE;
pub use marked::marked;

/// Something that keeps people from signing in, with what helps.
#[derive(Debug)]
pub struct Case {
    /// What one sees.
    pub title: &'static str,
    /// What may be the reason.
    pub cause: &'static str,
    /// What to try, in order.
    pub steps: &'static [&'static str],
}

/// What may have happened to an account, as its owner reads it.
#[derive(Debug)]
pub struct Happenings {
    /// A session began.
    pub signed_in: &'static str,
    /// サインアウト was pressed.
    pub signed_out: &'static str,
    /// A session ended for want of activity.
    pub ended_idle: &'static str,
    /// A session was as old as one may get.
    pub ended_absolute: &'static str,
    /// A session was ended by support or a new password, from another device, or by one session too many.
    pub ended_elsewhere: &'static str,
    /// The first step.
    pub password_accepted: &'static str,
    /// A wrong password.
    pub password_wrong: &'static str,
    /// Refused by a lock, whatever was typed.
    pub refused_locked: &'static str,
    /// Refused because the account is disabled.
    pub refused_disabled: &'static str,
    /// The mail server has a code.
    pub code_mailed: &'static str,
    /// It will never have it.
    pub code_not_mailed: &'static str,
    /// A wrong code.
    pub code_wrong: &'static str,
    /// The second step.
    pub code_accepted: &'static str,
    /// Somebody asked for a new password.
    pub reset_requested: &'static str,
    /// A new password was set.
    pub password_changed: &'static str,
    /// An administrator wants a new password.
    pub password_expired: &'static str,
    /// Another address for codes.
    pub address_changed: &'static str,
    /// Another facility or name.
    pub profile_changed: &'static str,
    /// The account was made.
    pub account_registered: &'static str,
    /// An administrator disabled the account.
    pub account_disabled: &'static str,
    /// And enabled it again.
    pub account_enabled: &'static str,
    /// An administrator ended a lock.
    pub account_unlocked: &'static str,
    /// A person at the provider opens the account.
    pub ncr_linked: &'static str,
    /// And no longer does.
    pub ncr_unlinked: &'static str,
    /// The provider vouched for the person.
    pub ncr_accepted: &'static str,
    /// The provider vouched, and the account was not opened.
    pub ncr_refused: &'static str,
}

/// The texts of a language.
#[derive(Debug)]
pub struct Texts {
    /// The language itself (BCP 47).
    pub lang: &'static str,
    /// The system's name: the `<h1>` of the pages before the top page, and the end of every `<title>`.
    pub system: &'static str,
    /// The `<h1>` once somebody is signed in (manual 3.6).
    pub system_signed_in: &'static str,
    /// What a `<title>` begins with when the page reports an error.
    pub title_error: &'static str,
    /// The skip link.
    pub skip: &'static str,
    /// The banner of the second host.
    pub standby_banner: &'static str,

    /// The help pointer at the foot of the pages of a sign-in.
    pub help_sign_in: &'static str,
    /// The help pointer at the foot of every other page.
    pub help: &'static str,
    /// The link at the foot of every page, and the screen name of `/help` (manual 3.8).
    pub help_title: &'static str,
    /// The first sentence of `/help` (manual 3.8).
    pub help_intro: &'static str,
    /// The cases of `/help` (manual 3.8).
    pub help_cases: [Case; 3],
    /// Before the cause of a case.
    pub cause: &'static str,
    /// Before what to do about it.
    pub remedy: &'static str,
    /// What to do when this host is away; [`Self::standby_url`] follows.
    pub maintenance: &'static str,
    /// The second host, as text.
    pub standby_url: &'static str,

    /// Screen name of `/signin`.
    pub sign_in: &'static str,
    /// Section of the hospitals.
    pub hospitals: &'static str,
    /// Label of the login id.
    pub user_id: &'static str,
    /// Hint at the login id.
    pub user_id_hint: &'static str,
    /// Label of the password.
    pub password: &'static str,
    /// The button beside a hidden password; only with script.
    pub show_password: &'static str,
    /// The same button beside one that is shown.
    pub hide_password: &'static str,
    /// What screen readers hear then.
    pub password_shown: &'static str,
    /// Beside a password that is being typed; only with script.
    pub caps_lock: &'static str,
    /// Beside one with characters of full width; only with script.
    pub full_width: &'static str,
    /// What screen readers hear after a button was pressed; only with script.
    pub wait: &'static str,
    /// First half of the link to the reset; the screens of the manual print this.
    pub forgot: &'static str,
    /// Second half of the same link; the manual's prose prints both.
    pub forgot_reset: &'static str,
    /// The button.
    pub sign_in_button: &'static str,
    /// Section of NCC's and the prefectures' staff.
    pub staff: &'static str,
    /// The staff's button.
    pub staff_button: &'static str,

    /// Screen name of the page that leads to the provider.
    pub to_ncr: &'static str,
    /// Its sentence.
    pub to_ncr_intro: &'static str,
    /// Its link.
    pub to_ncr_link: &'static str,
    /// The provider has failed, or what it says is not to be believed.
    pub ncr_failed: &'static str,
    /// The provider cannot be reached.
    pub ncr_unreachable: &'static str,
    /// The provider wants to be asked again.
    pub ncr_retry: &'static str,
    /// No account is linked with the person's.
    pub ncr_no_account: &'static str,
    /// The person signed in at the provider without a second factor.
    pub ncr_factor_missing: &'static str,

    /// Nobody has the login id (manual 3.8, case 1).
    pub unknown_account: &'static str,
    /// What to try after [`Self::unknown_account`].
    pub unknown_account_hint: &'static str,
    /// The password is wrong (manual 3.8, case 2).
    pub wrong_password: &'static str,
    /// What to try after [`Self::wrong_password`].
    pub wrong_password_hint: &'static str,
    /// In place of both texts, where unknown ids and wrong passwords are not to be told apart.
    pub not_accepted: &'static str,
    /// The account is locked for a while.
    pub locked: &'static str,
    /// What ends a lock at once.
    pub locked_hint: &'static str,
    /// The account is disabled.
    pub disabled: &'static str,
    /// Where a disabled account's owner finds help.
    pub disabled_hint: &'static str,
    /// The account has no address for codes.
    pub no_email: &'static str,
    /// The login id is missing.
    pub user_id_missing: &'static str,
    /// The password is missing.
    pub password_missing: &'static str,
    /// The flow of the sign-in is over.
    pub flow_over: &'static str,
    /// The session was as old as one may get.
    pub absolute: &'static str,
    /// The session was ended by a new password, by support, or from another device.
    pub ended_elsewhere: &'static str,
    /// The session ended after 30 minutes without activity.
    pub idle: &'static str,
    /// Somebody pressed キャンセル.
    pub cancelled: &'static str,
    /// The form was too old.
    pub stale_form: &'static str,

    /// A button that does not fit any more: another tab has gone on, or has begun another sign-in.
    pub stale_button: &'static str,

    /// Screen name of `/signin/email`.
    pub email: &'static str,
    /// Its first sentence.
    pub email_intro: &'static str,
    /// Before a code was asked for. The button has another name: the manual has it so.
    pub not_sent: &'static str,
    /// What screen readers hear before the address.
    pub address: &'static str,
    /// The button that asks for a code.
    pub send: &'static str,
    /// The code has been mailed.
    pub sent: &'static str,
    /// The code is being mailed.
    pub sending: &'static str,
    /// How to learn what became of the mail, without script.
    pub sending_reload: &'static str,
    /// Label of the code.
    pub code: &'static str,
    /// The button that compares the code.
    pub verify: &'static str,
    /// The button that asks for another code.
    pub send_again: &'static str,
    /// What to do when no mail comes (manual 3.4, 注意).
    pub no_mail_hint: &'static str,
    /// Before the number that page and mail both show.
    pub reference: &'static str,
    /// What that number is for.
    pub reference_hint: &'static str,
    /// The code has been accepted.
    pub verified: &'static str,
    /// The button that opens the session.
    pub proceed: &'static str,
    /// The button that ends the flow.
    pub cancel: &'static str,
    /// The code is missing.
    pub code_missing: &'static str,
    /// The code is not six digits.
    pub code_malformed: &'static str,
    /// The code is wrong; [`Self::tries_left`] follows.
    pub code_wrong: &'static str,
    /// The code is an older one of the same flow.
    pub code_replaced: &'static str,
    /// The code is too old.
    pub code_expired: &'static str,
    /// The code was guessed at too often.
    pub code_spent: &'static str,
    /// The mail could not be handed over; an enquiry number follows.
    pub send_failed: &'static str,
    /// 続行 was pressed too early.
    pub not_verified: &'static str,

    /// Too many wrong codes in a row.
    pub codes_locked: &'static str,
    /// The same in a reset.
    pub resets_locked: &'static str,
    /// Far too many in resets.
    pub resets_closed: &'static str,
    /// Another code would be one too many.
    pub too_many_codes: &'static str,

    /// Screen name of the pages of a reset, of the first one alone.
    pub reset: &'static str,
    /// Of the one with the code.
    pub reset_code: &'static str,
    /// Of the one with the new password.
    pub reset_new: &'static str,
    /// The first sentence of `/password/forgot`.
    pub reset_intro: &'static str,
    /// Above the code of a reset, whether a mail is on its way or not.
    pub reset_sent: &'static str,
    /// Above the code of a reset that began with a password which opens nothing else.
    pub must_change: &'static str,
    /// The reset is over.
    pub reset_over: &'static str,
    /// Somebody pressed キャンセル in a reset.
    pub reset_cancelled: &'static str,
    /// Label of the new password.
    pub new_password: &'static str,
    /// Label of the field below it.
    pub new_password_again: &'static str,
    /// How to choose one.
    pub new_password_advice: [&'static str; 3],
    /// How many characters are typed; only with script. `{}` stands for the number.
    pub typed_length: &'static str,
    /// They are enough; for screen readers.
    pub long_enough: &'static str,
    /// The button.
    pub change_password: &'static str,
    /// The new password is missing.
    pub new_password_missing: &'static str,
    /// Both fields do not hold the same.
    pub mismatch: &'static str,
    /// The new password is easily guessed; why, follows.
    pub guessable: &'static str,
    /// Many people use it.
    pub guessable_common: &'static str,
    /// It holds a word of the account or the system.
    pub guessable_contextual: &'static str,
    /// The new password is the one that must be changed.
    pub unchanged: &'static str,
    /// Screen name of `/password/forgot/done`.
    pub reset_done: &'static str,
    /// Its sentence.
    pub reset_done_intro: &'static str,
    /// The way back to `/password/forgot`.
    pub back_to_reset: &'static str,

    /// Screen name of `/top`.
    pub top: &'static str,
    /// Before the time of the sign-in before this one.
    pub last_sign_in: &'static str,
    /// In place of that time at the first sign-in.
    pub no_last_sign_in: &'static str,
    /// Screen name of `/history`, and the link to it.
    pub history: &'static str,
    /// What to do about what one does not know of.
    pub history_intro: &'static str,
    /// Heading of what happened.
    pub records: &'static str,
    /// Which of it is shown.
    pub records_intro: &'static str,
    /// Above the live sessions.
    pub open_sessions: &'static str,
    /// Beside one's own.
    pub this_device: &'static str,
    /// The button that ends all others.
    pub end_others: &'static str,
    /// They have ended.
    pub others_ended: &'static str,
    /// The way back to `/history`.
    pub back_to_history: &'static str,
    /// There is none.
    pub no_others: &'static str,
    /// What may have happened.
    pub happenings: Happenings,
    /// The announcements.
    pub announcements: &'static str,
    /// No announcement.
    pub no_announcements: &'static str,
    /// The menu.
    pub quick_access: &'static str,
    /// No menu entry.
    pub no_quick_access: &'static str,

    /// What the warning is about that comes before the session ends for want of activity; only with script, as the next ones.
    pub idle_title: &'static str,
    /// The warning; `{}` stands for minutes.
    pub idle_warning: &'static str,
    /// How long there is, as it is announced; `{}` stands for minutes.
    pub idle_left: &'static str,
    /// The button that keeps the session did not get an answer.
    pub keep_failed: &'static str,
    /// The button that keeps the session.
    pub keep_working: &'static str,
    /// Before the session ends whatever is done.
    pub absolute_warning: &'static str,

    /// Screen name of GET `/signout`, and its button everywhere.
    pub sign_out: &'static str,
    /// What the button does.
    pub sign_out_intro: &'static str,
    /// The way back from there.
    pub back_to_top: &'static str,
    /// Screen name of `/signed-out`.
    pub signed_out: &'static str,
    /// Its sentence.
    pub signed_out_done: &'static str,
    /// Beneath it, while the log cannot be reached: nobody accepts the session any more.
    pub not_recorded_yet: &'static str,
    /// Screen name of the page that leads to the end of a sign-in at the provider, after our own has ended.
    pub ncr_sign_out: &'static str,
    /// Its sentence.
    pub ncr_sign_out_intro: &'static str,
    /// Its link.
    pub ncr_sign_out_link: &'static str,
    /// Beneath [`Self::signed_out_done`], where the provider has no place for it.
    pub ncr_still_signed_in: &'static str,
    /// The heading above the VPN steps.
    pub vpn: &'static str,
    /// The sentence before the VPN steps.
    pub vpn_intro: &'static str,
    /// Where macOS is described.
    pub vpn_mac: &'static str,
    /// The VPN steps of the first host.
    pub vpn_steps: [&'static str; 7],
    /// The fifth VPN step on the second host.
    pub vpn_step_standby: &'static str,
    /// The way back to `/signin`.
    pub back_to_sign_in: &'static str,

    /// Before an enquiry number.
    pub enquiry: &'static str,
    /// What the number is for.
    pub enquiry_hint: &'static str,
    /// The way back to `/signin/email`.
    pub back_to_email: &'static str,

    /// Heading of 400.
    pub unreadable: &'static str,
    /// Sentence of 400.
    pub unreadable_intro: &'static str,
    /// Heading of 403.
    pub forged: &'static str,
    /// Sentence of 403.
    pub forged_intro: &'static str,
    /// Heading of a POST without its cookie.
    pub cookie_missing: &'static str,
    /// Why that happens.
    pub cookie_missing_intro: &'static str,
    /// What to do.
    pub cookie_missing_advice: &'static str,
    /// Heading of 404.
    pub not_found: &'static str,
    /// Sentence of 404.
    pub not_found_intro: &'static str,
    /// Heading of 405.
    pub method: &'static str,
    /// Sentence of 405.
    pub method_intro: &'static str,
    /// Heading of 408.
    pub too_slow: &'static str,
    /// Sentence of 408.
    pub too_slow_intro: &'static str,
    /// Heading of 413.
    pub too_large: &'static str,
    /// Sentence of 413.
    pub too_large_intro: &'static str,
    /// Heading of 415.
    pub media_type: &'static str,
    /// Sentence of 415.
    pub media_type_intro: &'static str,
    /// Heading of 421.
    pub wrong_host: &'static str,
    /// Sentence of 421.
    pub wrong_host_intro: &'static str,
    /// Heading while operators have closed this host.
    pub closed: &'static str,
    /// What to do then; [`Self::standby_url`] follows.
    pub closed_intro: &'static str,
    /// The same where the portal is nowhere else.
    pub closed_here: &'static str,
    /// The way back then.
    pub open_again: &'static str,
    /// Heading when too many sign in at once.
    pub busy: &'static str,
    /// Heading of 429.
    pub throttled: &'static str,
    /// Sentence when too many sign in at once, or too much comes from one address.
    pub busy_intro: &'static str,
    /// Heading of 503 and 500.
    pub down: &'static str,
    /// Sentence of 503 during a sign-in.
    pub down_sign_in: &'static str,
    /// Sentence of 503 while a password is being reset.
    pub down_reset: &'static str,
    /// Sentence of 503 when a session could not be asked for: the person is still signed in.
    pub down_signed_in: &'static str,
    /// Sentence of 503 when a session could not be ended.
    pub down_sign_out: &'static str,
    /// Sentence of 503 when the other sessions could not be ended.
    pub down_others: &'static str,
    /// Sentence of 503 when a code could not be compared.
    pub down_code: &'static str,

    /// A time of day.
    pub minute: fn(hour: u8, minute: u8) -> String,
    /// A time of day, to the second.
    pub second: fn(hour: u8, minute: u8, second: u8) -> String,
    /// A day.
    pub day: fn(year: i32, month: u8, day: u8) -> String,
    /// Since when a session lives.
    pub since: fn(at: &str) -> String,
    /// How often something happened in a row, and when for the first time.
    pub repeated: fn(count: u32, first_at: &str) -> String,
    /// The same of something that was not counted to its end.
    pub often: fn(count: u32) -> String,
    /// What follows [`Self::code_wrong`].
    pub tries_left: fn(tries: u32) -> String,
    /// Another code was asked for too soon; `{}` stands for the seconds.
    pub resend_in: &'static str,
    /// The seconds are over; only with script.
    pub resend_now: &'static str,
    /// How long a new password must be, in characters.
    pub new_password_length: fn(shortest: u32, longest: u32) -> String,
    /// A new password is too short.
    pub too_short: fn(shortest: u32) -> String,
    /// A new password is too long.
    pub too_long: fn(longest: u32) -> String,
    /// When a code was mailed and how long it lives, both as times of day.
    pub mailed: fn(at: &str, until: &str) -> String,
    /// When the mail server took the mail with a code.
    pub handed_over: fn(at: &str) -> String,
    /// How long a code lives that is still being mailed.
    pub valid: fn(until: &str) -> String,
}
