//! Every Japanese text that a browser shows.
//!
//! Texts that the user manual (chapter 3) prints are equal to it byte for byte, half-width and full-width characters
//! included; `tests/seed-strings.txt` lists them. The others are in the manual's style.

/// The system's name: the `<h1>` of the pages before the top page, and the end of every `<title>`.
pub const SYSTEM: &str = "がん登録オンラインシステム";
/// The `<h1>` once somebody is signed in (manual 3.6).
pub const SYSTEM_SIGNED_IN: &str = "がん登録オンラインシステム (GTOL)";
/// What a `<title>` begins with when the page reports an error.
pub const TITLE_ERROR: &str = "エラー：";
/// The skip link.
pub const SKIP: &str = "本文へ移動";
/// The banner of the second host.
pub const STANDBY_BANNER: &str = "予備のサイト（portal2）に接続しています。";

/// The help pointer at the foot of the pages of a sign-in.
pub const HELP_SIGN_IN: &str = "サインインできないときは『9章 お困りのときは』を参照してください。";
/// The help pointer at the foot of every other page.
pub const HELP: &str = "操作でお困りのときは『9章 お困りのときは』を参照してください。";
/// What to do when this host is away; [`STANDBY_URL`] follows.
pub const MAINTENANCE: &str = "メンテナンス等の理由でアクセスできない場合は、ご利用端末の設定画面でVPNを sub-gtol-vpn に切り替えた後、次のURLにアクセスしてください。";
/// The second host, as text.
pub const STANDBY_URL: &str = "https://portal2.internal.gtol.ncc.go.jp";

/// Screen name of `/signin`.
pub const SIGN_IN: &str = "サインイン";
/// Section of the hospitals.
pub const HOSPITALS: &str = "医療機関の方はこちら";
/// Label of the login id.
pub const USER_ID: &str = "利用者ID";
/// Hint at the login id.
pub const USER_ID_HINT: &str = "通常8桁の数字です（例：04500001）";
/// Label of the password.
pub const PASSWORD: &str = "パスワード";
/// The button beside a hidden password; only with script.
pub const SHOW_PASSWORD: &str = "パスワードを表示";
/// The same button beside one that is shown.
pub const HIDE_PASSWORD: &str = "パスワードを非表示";
/// What screen readers hear then.
pub const PASSWORD_SHOWN: &str = "パスワードを表示しています";
/// First half of the link to the reset; the screens of the manual print this.
pub const FORGOT: &str = "パスワードを忘れた場合";
/// Second half of the same link; the manual's prose prints both.
pub const FORGOT_RESET: &str = "（再設定）";
/// The button.
pub const SIGN_IN_BUTTON: &str = "サインイン";
/// Section of NCC's and the prefectures' staff.
pub const STAFF: &str = "NCC・都道府県の方はこちら";
/// The staff's button.
pub const STAFF_BUTTON: &str = "NCRアカウントでサインイン";

/// Screen name of the page that leads to the provider.
pub const TO_NCR: &str = "NCRアカウントの認証サービスへ移動";
/// Its sentence.
pub const TO_NCR_INTRO: &str = "NCRアカウントの認証サービスへ移動しています。画面が切り替わらない場合は、次のリンクをクリックしてください。";
/// Its link.
pub const TO_NCR_LINK: &str = "NCRアカウントの認証サービスへ進む";
/// The provider has failed, or what it says is not to be believed.
pub const NCR_FAILED: &str = "NCRアカウントでのサインインに失敗しました。後でもう一度やり直してください。";
/// The provider cannot be reached.
pub const NCR_UNREACHABLE: &str =
    "NCRアカウントの認証サービスに接続できません。後でもう一度やり直してください。";
/// The provider wants to be asked again.
pub const NCR_RETRY: &str = "もう一度「NCRアカウントでサインイン」を押してください。";
/// No account is linked with the person's.
pub const NCR_NO_ACCOUNT: &str =
    "このNCRアカウントには、GTOLの利用が許可されていません。サポート担当者に連絡してください。";
/// The person signed in at the provider without a second factor.
pub const NCR_FACTOR_MISSING: &str = "多要素認証でサインインし直してください。";

/// Nobody has the login id (manual 3.8, case 1).
pub const UNKNOWN_ACCOUNT: &str = "ご利用のアカウントが見つからないようです。";
/// What to try after [`UNKNOWN_ACCOUNT`].
pub const UNKNOWN_ACCOUNT_HINT: &str = "利用者IDをもう一度確認してください。「0（ゼロ）」と「O（オー）」、「1（イチ）」と「l（エル）」の間違いにご注意ください。";
/// The password is wrong (manual 3.8, case 2).
pub const WRONG_PASSWORD: &str = "パスワードが正しくありません。";
/// What to try after [`WRONG_PASSWORD`].
pub const WRONG_PASSWORD_HINT: &str = "大文字と小文字、全角文字と半角文字を確認してください。お忘れの場合は「パスワードを忘れた場合（再設定）」から再設定してください。";
/// In place of both texts, where unknown ids and wrong passwords are not to be told apart.
pub const NOT_ACCEPTED: &str = "利用者IDまたはパスワードが正しくありません。";
/// The account is locked for a while.
pub const LOCKED: &str =
    "ご使用のアカウントは、不正使用を防ぐために一時的にロックされています。後で再試行してください。";
/// What ends a lock at once.
pub const LOCKED_HINT: &str = "パスワードを再設定すると、すぐにサインインできます。";
/// The account is disabled.
pub const DISABLED: &str = "ご使用のアカウントはロックされています。サポート担当者に連絡してロックを解除してから、もう一度お試しください。";
/// Where a disabled account's owner finds help.
pub const DISABLED_HINT: &str = "『9章 お困りのときは』を参照してください。";
/// The account has no address for codes.
pub const NO_EMAIL: &str = "確認用のメールアドレスが登録されていません。サポート担当者に連絡してください。";
/// The login id is missing.
pub const USER_ID_MISSING: &str = "利用者IDを入力してください。";
/// The password is missing.
pub const PASSWORD_MISSING: &str = "パスワードを入力してください。";
/// The flow of the sign-in is over.
pub const FLOW_OVER: &str = "サインインの有効時間が過ぎました。もう一度サインインしてください。";
/// The session ended after 30 minutes without activity.
pub const IDLE: &str = "30分間操作がなかったため、サインアウトしました。もう一度サインインしてください。";
/// Somebody pressed キャンセル.
pub const CANCELLED: &str = "サインインをキャンセルしました。";
/// The form was too old.
pub const STALE_FORM: &str = "画面の有効時間が過ぎました。もう一度入力してください。";

/// A button that does not fit any more: another tab has gone on, or has begun another sign-in.
pub const STALE_BUTTON: &str = "画面が古くなっていたため、現在の状態を表示しています。";

/// Screen name of `/signin/email`.
pub const EMAIL: &str = "メールアドレス確認";
/// Its first sentence.
pub const EMAIL_INTRO: &str = "以下の情報を入力してください。";
/// Before a code was asked for. The button has another name: the manual has it so.
pub const NOT_SENT: &str = "確認が必要です。[送信] ボタンをクリックしてください。";
/// What screen readers hear before the address.
pub const ADDRESS: &str = "メールアドレス：";
/// The button that asks for a code.
pub const SEND: &str = "確認コードを送信";
/// The code has been mailed.
pub const SENT: &str = "確認コードが受信トレイに送信されました。次の入力ボックスにコピーしてください。";
/// The code is being mailed.
pub const SENDING: &str = "確認コードを送信しています。届くまで数分かかることがあります。";
/// Label of the code.
pub const CODE: &str = "確認コード";
/// The button that compares the code.
pub const VERIFY: &str = "コードの確認";
/// The button that asks for another code.
pub const SEND_AGAIN: &str = "新しいコードを送信します";
/// What to do when no mail comes (manual 3.4, 注意).
pub const NO_MAIL_HINT: &str = "確認コードのメールが届かない場合は、迷惑メールフォルダを確認してください。それでも届かない場合は、[新しいコードを送信します]ボタンをクリックして再送信できます。";
/// Before the number that page and mail both show.
pub const REFERENCE: &str = "照合番号：";
/// What that number is for.
pub const REFERENCE_HINT: &str = "メールに書かれた照合番号が同じであることを確認してください。";
/// The code has been accepted.
pub const VERIFIED: &str = "電子メール アドレスが確認されました。今すぐ続行できます。";
/// The button that opens the session.
pub const CONTINUE: &str = "続行";
/// The button that ends the flow.
pub const CANCEL: &str = "キャンセル";
/// The code is missing.
pub const CODE_MISSING: &str = "確認コードを入力してください。";
/// The code is not six digits.
pub const CODE_MALFORMED: &str = "確認コードは6桁の数字で入力してください。";
/// The code is wrong; [`tries_left`] follows.
pub const CODE_WRONG: &str = "そのコードが正しくありません。再試行してください。";
/// The code is an older one of the same flow.
pub const CODE_REPLACED: &str = "古い確認コードです。いちばん新しいメールの確認コードを入力してください。";
/// The code is too old.
pub const CODE_EXPIRED: &str = "コードの有効期限が切れています。新しいコードを送信してください。";
/// The code was guessed at too often.
pub const CODE_SPENT: &str =
    "正しくないコードが何度も入力されたため、このコードは無効になりました。新しいコードを送信してください。";
/// The mail could not be handed over; an enquiry number follows.
pub const SEND_FAILED: &str = "確認コードを送信できませんでした。しばらくしてから、もう一度お試しください。";
/// 続行 was pressed too early.
pub const NOT_VERIFIED: &str =
    "メールアドレスの確認が完了していません。確認コードを送信し、届いたコードを入力してください。";

/// Too many wrong codes in a row.
pub const CODES_LOCKED: &str = "確認コードの入力に何度も失敗したため、しばらくサインインできません。30分ほどたってから、もう一度お試しください。";
/// The same in a reset.
pub const RESETS_LOCKED: &str = "確認コードの入力に何度も失敗したため、しばらくパスワードを再設定できません。30分ほどたってから、もう一度お試しください。";
/// Far too many in resets.
pub const RESETS_CLOSED: &str =
    "確認コードの入力に何度も失敗したため、パスワードを再設定できません。サポート担当者に連絡してください。";
/// Another code would be one too many.
pub const TOO_MANY_CODES: &str =
    "このメール アドレスを確認するリクエストが多すぎます。しばらく待って、再試行してください。";

/// Screen name of the pages of a reset.
pub const RESET: &str = "パスワードの再設定";
/// The first sentence of `/password/forgot`.
pub const RESET_INTRO: &str =
    "利用者IDを入力してください。登録されているメールアドレスに確認コードを送信します。";
/// Above the code of a reset, whether a mail is on its way or not.
pub const RESET_SENT: &str =
    "入力された利用者IDが登録されている場合、登録されているメールアドレスに確認コードを送信しました。";
/// Above the code of a reset that began with a password which opens nothing else.
pub const MUST_CHANGE: &str = "このパスワードは変更が必要です。登録されているメールアドレスに送信した確認コードを入力し、新しいパスワードを設定してください。";
/// The reset is over.
pub const RESET_OVER: &str = "有効時間が過ぎました。もう一度お試しください。";
/// Somebody pressed キャンセル in a reset.
pub const RESET_CANCELLED: &str = "パスワードの再設定をキャンセルしました。";
/// Label of the new password.
pub const NEW_PASSWORD: &str = "新しいパスワード";
/// Label of the field below it.
pub const NEW_PASSWORD_AGAIN: &str = "新しいパスワード（確認）";
/// How to choose one.
pub const NEW_PASSWORD_ADVICE: [&str; 3] = [
    "文字の種類に決まりはありません。空白や日本語も使用できます。",
    "ほかのサービスで使っていない、いくつかの言葉を組み合わせた長いパスワードをお勧めします。",
    "よく使われるパスワードと、利用者ID、氏名、施設名、システム名を含むパスワードは使用できません。",
];
/// The button.
pub const CHANGE_PASSWORD: &str = "パスワードを変更";
/// The new password is missing.
pub const NEW_PASSWORD_MISSING: &str = "新しいパスワードを入力してください。";
/// Both fields do not hold the same.
pub const MISMATCH: &str = "2つの欄のパスワードが一致しません。同じパスワードを入力してください。";
/// The new password is easily guessed; why, follows.
pub const GUESSABLE: &str =
    "このパスワードは推測されやすいため使用できません。別のパスワードを入力してください。";
/// Many people use it.
pub const GUESSABLE_COMMON: &str = "理由：よく使われるパスワードです。";
/// It holds a word of the account or the system.
pub const GUESSABLE_CONTEXTUAL: &str = "理由：利用者IDやシステム名を含みます。";
/// The new password is the one that must be changed.
pub const UNCHANGED: &str = "これまでのパスワードは使用できません。別のパスワードを入力してください。";
/// Screen name of `/password/forgot/done`.
pub const RESET_DONE: &str = "パスワードの再設定完了";
/// Its sentence.
pub const RESET_DONE_INTRO: &str = "パスワードを変更しました。新しいパスワードでサインインしてください。";
/// The way back to `/password/forgot`.
pub const BACK_TO_RESET: &str = "パスワードの再設定へ戻る";

/// Screen name of `/top`.
pub const TOP: &str = "トップページ";
/// Before the time of the sign-in before this one.
pub const LAST_SIGN_IN: &str = "前回のサインイン：";
/// In place of that time at the first sign-in.
pub const NO_LAST_SIGN_IN: &str = "なし（今回が初めてのサインインです）";
/// The notices.
pub const NOTICES: &str = "お知らせ";
/// No notice.
pub const NO_NOTICES: &str = "現在お知らせはありません。";
/// The menu.
pub const QUICK_ACCESS: &str = "クイックアクセス";
/// No menu entry.
pub const NO_QUICK_ACCESS: &str = "利用できるメニューはありません。";

/// Screen name of GET `/signout`, and its button everywhere.
pub const SIGN_OUT: &str = "サインアウト";
/// What the button does.
pub const SIGN_OUT_INTRO: &str =
    "GTOLからサインアウトします。よろしければ[サインアウト]をクリックしてください。";
/// The way back from there.
pub const BACK_TO_TOP: &str = "トップページへ戻る";
/// Screen name of `/signed-out`.
pub const SIGNED_OUT: &str = "サインアウト完了";
/// Its sentence.
pub const SIGNED_OUT_DONE: &str = "GTOLからのサインアウトが完了しました。";
/// Beneath it, while the log cannot be reached: nobody accepts the session any more.
pub const NOT_RECORDED_YET: &str = "サインアウトの操作は、まだ記録されていません。システムが回復すると自動的に記録されますので、操作は必要ありません。";
/// Screen name of the page that leads to the end of a sign-in at the provider, after our own has ended.
pub const NCR_SIGN_OUT: &str = "NCRアカウントのサインアウト";
/// Its sentence.
pub const NCR_SIGN_OUT_INTRO: &str = "GTOLからのサインアウトが完了しました。続けて、NCRアカウントからサインアウトします。画面が切り替わらない場合は、次のリンクをクリックしてください。";
/// Its link.
pub const NCR_SIGN_OUT_LINK: &str = "NCRアカウントからサインアウトする";
/// Beneath [`SIGNED_OUT_DONE`], where the provider has no place for it.
pub const NCR_STILL_SIGNED_IN: &str = "NCRアカウントには、まだサインインしている場合があります。共用の端末では、NCRアカウントからもサインアウトするか、ブラウザをすべて閉じてください。";
/// The heading above the VPN steps.
pub const VPN: &str = "VPN接続の切断";
/// The sentence before the VPN steps.
pub const VPN_INTRO: &str = "サインアウト後、VPN接続を切断します。GUIツール上の[切断する]をクリックすることでVPN接続の切断が可能です。以下の手順は、Windowsの設定画面からの切断方法です。";
/// Where macOS is described.
pub const VPN_MAC: &str = "※macOSをご利用の場合は、『GUIツール(VPN接続)セットアップマニュアル 3.3 VPNの切断方法』をご参照ください。";
/// The VPN steps of the first host.
pub const VPN_STEPS: [&str; 7] = [
    "画面左下の[Windowsマーク]をクリックします。",
    "[設定]をクリックします。",
    "Windowsの【設定】画面が表示されます。[ネットワークとインターネット]をクリックします。",
    "左側に表示される[VPN]をクリックします。",
    "[main-gtol-vpn]をクリックします。",
    "[切断]をクリックします。",
    "「接続済み」の表示が消えると、切断完了です。",
];
/// The fifth VPN step on the second host.
pub const VPN_STEP_STANDBY: &str = "[sub-gtol-vpn]をクリックします。";
/// The way back to `/signin`.
pub const BACK_TO_SIGN_IN: &str = "サインインページへ戻る";

/// Before an enquiry number.
pub const ENQUIRY: &str = "お問い合わせ番号：";
/// What the number is for.
pub const ENQUIRY_HINT: &str = "お問い合わせの際は、この番号をお知らせください。";
/// The way back to `/signin/email`.
pub const BACK_TO_EMAIL: &str = "メールアドレス確認へ戻る";

/// Heading of 400.
pub const UNREADABLE: &str = "入力内容を読み取れませんでした";
/// Sentence of 400.
pub const UNREADABLE_INTRO: &str = "入力内容を読み取れませんでした。もう一度入力してください。";
/// Heading of 403.
pub const FORGED: &str = "操作を確認できませんでした";
/// Sentence of 403.
pub const FORGED_INTRO: &str = "操作を確認できませんでした。お手数ですが、もう一度操作してください。";
/// Heading of a POST without its cookie.
pub const COOKIE_MISSING: &str = "Cookieを確認できませんでした";
/// Why that happens.
pub const COOKIE_MISSING_INTRO: &str = "サインインに必要なCookieがブラウザから届きませんでした。ブラウザの設定でCookieが無効になっているか、画面を開いたままブラウザを終了した可能性があります。";
/// What to do.
pub const COOKIE_MISSING_ADVICE: &str = "ブラウザの設定でこのサイトのCookieを有効にしてから、サインインページを開き直し、もう一度入力してください。";
/// Heading of 404.
pub const NOT_FOUND: &str = "ページが見つかりません";
/// Sentence of 404.
pub const NOT_FOUND_INTRO: &str = "お探しのページはありません。URLが正しいか確認してください。";
/// Heading of 405.
pub const METHOD: &str = "この操作はできません";
/// Sentence of 405.
pub const METHOD_INTRO: &str =
    "このページでは、その操作は利用できません。サインインページからやり直してください。";
/// Heading of 408.
pub const TOO_SLOW: &str = "通信に時間がかかりすぎました";
/// Sentence of 408.
pub const TOO_SLOW_INTRO: &str =
    "入力内容の受信に時間がかかりすぎました。通信の状態を確認してから、もう一度お試しください。";
/// Heading of 413.
pub const TOO_LARGE: &str = "入力内容が大きすぎます";
/// Sentence of 413.
pub const TOO_LARGE_INTRO: &str =
    "入力内容が大きすぎるため、受け付けられませんでした。もう一度入力してください。";
/// Heading of 415.
pub const MEDIA_TYPE: &str = "入力内容の形式が正しくありません";
/// Sentence of 415.
pub const MEDIA_TYPE_INTRO: &str =
    "入力内容の形式が正しくないため、受け付けられませんでした。サインインページからやり直してください。";
/// Heading of 421.
pub const WRONG_HOST: &str = "URLが正しくありません";
/// Sentence of 421.
pub const WRONG_HOST_INTRO: &str = "このURLでは利用できません。入力したURLが正しいか確認してください。";
/// Heading when too many sign in at once.
pub const BUSY: &str = "混み合っています";
/// Heading of 429.
pub const THROTTLED: &str = "リクエストが多すぎます";
/// Sentence when too many sign in at once, or too much comes from one address.
pub const BUSY_INTRO: &str = "ただいまリクエストが多すぎます。しばらく待って、もう一度やり直してください。";
/// Heading of 503 and 500.
pub const DOWN: &str = "一時的に利用できません";
/// Sentence of 503 during a sign-in.
pub const DOWN_SIGN_IN: &str = "サインインで問題が発生しました。後でもう一度やり直してください。";
/// Sentence of 503 while a password is being reset.
pub const DOWN_RESET: &str = "パスワードの再設定で問題が発生しました。後でもう一度やり直してください。";
/// Sentence of 503 when a session could not be asked for: the person is still signed in.
pub const DOWN_SIGNED_IN: &str = "サインインの状態を確認できませんでした。サインアウトはされていません。しばらくしてから、もう一度お試しください。";
/// Sentence of 503 when a session could not be ended.
pub const DOWN_SIGN_OUT: &str = "サインアウトできませんでした。まだサインインした状態です。しばらくしてから、もう一度サインアウトしてください。";

/// A time of day.
pub fn minute(hour: u8, minute: u8) -> String {
    format!("{hour}時{minute:02}分")
}

/// A day.
pub fn day(year: i32, month: u8, day: u8) -> String {
    format!("{year}年{month}月{day}日")
}

/// What follows [`CODE_WRONG`].
pub fn tries_left(tries: u32) -> String {
    format!("あと{tries}回入力できます。")
}

/// Another code was asked for too soon.
pub fn resend_in(seconds: i64) -> String {
    format!("新しいコードは、あと{seconds}秒たつと送信できます。")
}

/// How long a new password must be, in characters.
pub fn new_password_length(shortest: u32, longest: u32) -> String {
    format!("新しいパスワードは、{shortest}文字以上{longest}文字以内で入力してください。")
}

/// A new password is too short.
pub fn too_short(shortest: u32) -> String {
    format!("{shortest}文字以上で入力してください。")
}

/// A new password is too long.
pub fn too_long(longest: u32) -> String {
    format!("{longest}文字以内で入力してください。")
}

/// When a code was mailed and how long it lives, both as `10時23分`.
pub fn mailed(at: &str, until: &str) -> String {
    format!("{at}に送信しました。{}", valid(until))
}

/// How long a code lives that is still being mailed.
pub fn valid(until: &str) -> String {
    format!("有効期限は{until}です。")
}
