//! Events of kind `account`.

use sekisho_proto::credentials::v1::{
    PasswordRejected, SealedClient, federated_identity_rejected, sign_in_refused,
};
use sekisho_proto::events::AccountEvent;

use super::{Said, Value, lock_seconds, moment};

pub(super) fn said(event: &AccountEvent) -> Said {
    match event {
        AccountEvent::AccountRegistered(event) => Said::new("アカウント登録")
            .with(
                "施設コード",
                "facility_code",
                Value::Text(event.facility_code.clone()),
            )
            .with_some(
                "配布パスワード",
                "password_is_initial",
                event.password_is_initial.then_some(Value::Flag(true)),
            )
            .with_some("無効", "disabled", event.disabled.then_some(Value::Flag(true))),
        AccountEvent::PasswordAccepted(event) => Said::new("パスワード一致")
            .with(
                "パスワードの版",
                "password_version",
                Value::Number(event.password_version),
            )
            .with(
                "フローの秘密",
                "secret_digest",
                Value::Digest(event.secret_digest.clone()),
            )
            .with(
                "確認済みのブラウザ",
                "device_known",
                Value::Flag(event.device_known),
            )
            .with_device(&event.device)
            .with_client(event.client.as_ref()),
        AccountEvent::PasswordRejected(event) => Said::new("パスワード不一致")
            .with(
                "パスワードの版",
                "password_version",
                Value::Number(event.password_version),
            )
            .with("結果", "consequence", consequence(event))
            .with_some("ロック秒数", "lock_seconds", lock_seconds(event.lock.as_ref()))
            .with_device(&event.device)
            .with_client(event.client.as_ref()),
        AccountEvent::SignInRefused(event) => Said::new("サインイン拒否")
            .with("理由", "reason", refused_because(event.reason()))
            .with_client(event.client.as_ref()),
        AccountEvent::PasswordResetRequested(event) => Said::new("パスワード再設定の申し込み")
            .with(
                "フローの秘密",
                "secret_digest",
                Value::Digest(event.secret_digest.clone()),
            )
            .with_some(
                "変更が必要なパスワードの版",
                "password_version",
                (event.password_version > 0).then_some(Value::Number(event.password_version)),
            )
            .with_some(
                "確認済みのブラウザ",
                "device_known",
                event.device_known.then_some(Value::Flag(true)),
            )
            .with_client(event.client.as_ref()),
        AccountEvent::PasswordChanged(event) => Said::new("パスワード変更")
            .with("根拠", "evidence", Value::Numbers(event.evidence.clone()))
            .with_device(&event.device),
        AccountEvent::EmailChanged(_) => Said::new("電子メール アドレス変更"),
        AccountEvent::ProfileChanged(event) => Said::new("登録情報変更").with_some(
            "新しい施設コード",
            "facility_code",
            Some(&event.facility_code)
                .filter(|code| !code.is_empty())
                .map(|code| Value::Text(code.clone())),
        ),
        AccountEvent::AccountDisabled(_) => Said::new("アカウント無効化"),
        AccountEvent::AccountEnabled(_) => Said::new("アカウント有効化"),
        AccountEvent::AccountUnlocked(_) => Said::new("ロック解除"),
        AccountEvent::PasswordExpired(_) => Said::new("パスワード失効"),
        AccountEvent::AccountErased(_) => Said::new("アカウント消去"),
        AccountEvent::FederatedIdentityLinked(event) => Said::new(if event.removed {
            "NCRアカウントとの結び付け解除"
        } else {
            "NCRアカウントへの結び付け"
        }),
        AccountEvent::FederatedIdentityAccepted(event) => Said::new("NCRアカウントの受け入れ")
            .with(
                "フローの秘密",
                "secret_digest",
                Value::Digest(event.secret_digest.clone()),
            )
            .with_some(
                "認証サービスでのサインイン",
                "authenticated_at",
                moment(event.authenticated_at.as_ref()),
            )
            .with_client(event.client.as_ref()),
        AccountEvent::FederatedIdentityRejected(event) => Said::new("NCRアカウントの拒否")
            .with("理由", "reason", unopened_because(event.reason()))
            .with_client(event.client.as_ref()),
    }
}

impl Said {
    fn with_device(self, device: &[u8]) -> Self {
        let device = Some(device).filter(|device| !device.is_empty());
        self.with_some(
            "ブラウザの印",
            "device",
            device.map(|device| Value::Digest(device.to_vec())),
        )
    }

    fn with_client(self, client: Option<&SealedClient>) -> Self {
        let sealed = client.is_some_and(|client| !client.sealed.is_empty());
        let tag = client
            .map(|client| client.address_tag.clone())
            .filter(|tag| !tag.is_empty());
        self.with("端末", "client", Value::Sealed(sealed)).with_some(
            "アドレスの印",
            "address_tag",
            tag.map(Value::Digest),
        )
    }
}

fn refused_because(reason: sign_in_refused::Reason) -> Value {
    match reason {
        sign_in_refused::Reason::Unspecified => Value::Word("不明", "unspecified"),
        sign_in_refused::Reason::Locked => Value::Word("ロック中", "locked"),
        sign_in_refused::Reason::Disabled => Value::Word("無効", "disabled"),
    }
}

fn unopened_because(reason: federated_identity_rejected::Reason) -> Value {
    use federated_identity_rejected::Reason;
    match reason {
        Reason::Unspecified => Value::Word("不明", "unspecified"),
        Reason::NoAccount => Value::Word("アカウントなし", "no_account"),
        Reason::Disabled => Value::Word("無効", "disabled"),
        Reason::FactorMissing => Value::Word("多要素認証なし", "factor_missing"),
    }
}

fn consequence(event: &PasswordRejected) -> Value {
    if event.closes {
        Value::Word("パスワードの再設定が必要なロック", "closes")
    } else if event.lock.is_some() {
        Value::Word("ロック", "locks")
    } else if event.repeated {
        Value::Word("同じ誤り", "repeats")
    } else {
        Value::Word("失敗", "counts")
    }
}
