//! NCRアカウントでサインイン in a real browser, with a provider that the OpenID Foundation has certified.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_tests::browser::{Browser, Script};
use sekisho_tests::collector::{Collector, Span};
use sekisho_tests::flow::Gateway;
use sekisho_tests::seed::seed;
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD};
use serde_json::Value;

use crate::chapter_3;

const STAFF: &str = "NCRアカウントでサインイン";
/// The heading of the provider's page.
const PROVIDER: &str = "NCRアカウント（開発用）";
const PROVIDER_PASSWORD: &str = "ncr-demo-2026";

fn options(name: &str) -> StackOptions {
    StackOptions {
        name: name.to_owned(),
        provider: true,
        ..StackOptions::default()
    }
}

fn start(options: &StackOptions) -> Result<Stack> {
    tokio::task::block_in_place(|| Stack::start(options))
}

fn picture(name: &str) -> PathBuf {
    chapter_3::picture(&format!("staff-{name}"))
}

/// From the sign-in page to the provider's.
async fn to_provider(browser: &Browser, stack: &Stack) -> Result<()> {
    browser.visit(&stack.portal_url()).await?;
    browser.press(seed(STAFF)).await?;
    browser.see(PROVIDER).await
}

async fn sign_in_as(browser: &Browser, person: &str, button: &str) -> Result<()> {
    browser.type_into("NCRアカウント", person).await?;
    browser.type_into("パスワード", PROVIDER_PASSWORD).await?;
    browser.press(button).await
}

/// C-93 as well: a terminal that several people share.
async fn walk(script: Script) -> Result<()> {
    let name = if script == Script::On {
        "staff"
    } else {
        "staff-no-script"
    };
    let stack = start(&options(name))?;
    let browser = Browser::open(script).await?;
    to_provider(&browser, &stack).await?;
    browser.picture(&picture("provider")).await?;
    sign_in_as(&browser, "ncr-staff-1", "サインイン").await?;
    browser.see(seed("がん登録オンラインシステム (GTOL)")).await?;
    for text in ["見本がん対策部", "見本 四季", seed("お知らせ")] {
        browser.see(text).await?;
    }
    assert!(browser.address().await?.ends_with("/top"));
    browser.picture(&picture("top")).await?;

    browser.press(seed("サインアウト")).await?;
    browser.see("NCRアカウント（開発用）のサインアウト").await?;
    browser.press("サインアウト").await?;
    browser.see(seed("サインアウト完了")).await?;
    browser.picture(&picture("signed-out")).await?;

    // The provider forgot who was there, and would have to ask all the same.
    to_provider(&browser, &stack).await?;
    browser.press("キャンセル").await?;
    browser.see("サインインをキャンセルしました。").await?;
    browser.see("お問い合わせ番号：").await?;
    assert!(!browser.address().await?.contains('?'));
    browser.picture(&picture("cancelled")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_sign_in_and_out_with_script() -> Result<()> {
    walk(Script::On).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_sign_in_and_out_without_script() -> Result<()> {
    walk(Script::Blocked).await
}

/// Whoever leaves the portal without the provider's page, and whoever may not come in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_in_on_what_the_provider_remembers_of_somebody_else() -> Result<()> {
    let stack = start(&options("staff-others"))?;
    let browser = Browser::open(Script::On).await?;
    to_provider(&browser, &stack).await?;
    sign_in_as(&browser, "ncr-staff-2", "サインイン").await?;
    browser
        .see("このNCRアカウントには、GTOLの利用が許可されていません。サポート担当者に連絡してください。")
        .await?;
    browser.picture(&picture("no-account")).await?;
    // The provider still knows who that was, and asks.
    browser.press(seed(STAFF)).await?;
    browser.see(PROVIDER).await?;
    sign_in_as(&browser, "ncr-staff-1", "多要素認証なしでサインイン").await?;
    browser.see("多要素認証でサインインし直してください。").await?;
    browser.picture(&picture("factor-missing")).await?;
    browser.press(seed(STAFF)).await?;
    browser.see(PROVIDER).await?;
    sign_in_as(&browser, "ncr-staff-1", "サインイン").await?;
    browser.see("見本 四季").await?;

    // Signs out of the portal alone, and goes away.
    browser.press(seed("サインアウト")).await?;
    browser.see("NCRアカウント（開発用）のサインアウト").await?;
    to_provider(&browser, &stack).await?;

    // The Back button finds nobody's answer.
    browser
        .visit(&format!("{}/ncr/callback?code=x&state=y", stack.portal_url()))
        .await?;
    browser
        .see("サインインの有効時間が過ぎました。もう一度サインインしてください。")
        .await
}

/// C-94, F18.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_provider_hospitals_sign_in_as_ever() -> Result<()> {
    let mut stack = start(&options("staff-away"))?;
    let mut gateway = Gateway::connect(&stack, 0).await?;
    tokio::task::block_in_place(|| stack.kill_part("ncr-provider"))?;
    let browser = Browser::open(Script::On).await?;
    browser.visit(&stack.portal_url()).await?;
    browser.press(seed(STAFF)).await?;
    browser
        .see("NCRアカウントの認証サービスに接続できません。後でもう一度やり直してください。")
        .await?;
    browser.picture(&picture("unreachable")).await?;
    let flow = gateway.verified_flow(LOGIN, PASSWORD, ADDRESS).await?;
    gateway.start(&flow).await?;
    tokio::task::block_in_place(|| stack.start_part("ncr-provider"))?;
    to_provider(&browser, &stack).await?;
    sign_in_as(&browser, "ncr-staff-1", "サインイン").await?;
    browser.see("見本 四季").await
}

/// C-92: with everything that services may say switched on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_providers_tokens_reach_no_browser_no_log_and_no_trace() -> Result<()> {
    let collector = Collector::start().await?;
    let mut settings = options("staff-tokens");
    for service in Service::ALL {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()),
            ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned()),
            ("SEKISHO_LOG", "debug".to_owned()),
        ] {
            settings.environment.push((service, name.to_owned(), value));
        }
    }
    let stack = start(&settings)?;
    let browser = Browser::open(Script::On).await?;
    to_provider(&browser, &stack).await?;
    sign_in_as(&browser, "ncr-staff-1", "サインイン").await?;
    browser.see("見本 四季").await?;
    let stored = browser
        .run("return JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, document.body.innerHTML])")
        .await?;
    // The question's and the answer's, of both services: what comes last holds what the browser brought.
    let is_traced = || {
        let spans = collector.spans();
        let told = |service: &str, name: &str| {
            let of_it = |span: &Span| span.service.contains(service) && span.name.contains(name);
            spans.iter().any(of_it)
        };
        told("gateway", "/ncr/callback") && told("credentials", "FinishFederatedSignIn")
    };
    let traced = tokio::time::timeout(Duration::from_secs(20), async {
        while !is_traced() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    traced.await.context("the answer of the provider is not traced")?;

    let secret = fs::read_to_string(stack.certificates().join("ncr-client.secret"))?;
    let secret = secret.trim().to_owned();
    let basic = BASE64_STANDARD.encode(format!("gtol:{secret}"));
    let mut places = vec![
        ("browser".to_owned(), stored.to_string().into_bytes()),
        ("telemetry".to_owned(), collector.bytes()),
    ];
    for service in Service::ALL {
        let log = fs::read(stack.log_file(service.name()))?;
        assert!(!log.is_empty(), "{service} says nothing");
        places.push((service.to_string(), log));
    }
    // The provider's own log says what it gave us.
    let said = fs::read_to_string(stack.log_file("ncr-provider"))?;
    let given = said.lines().find(|line| line.starts_with("{\"code\""));
    let given: Value = serde_json::from_str(given.context("no code was exchanged")?)?;
    let token = |name: &str| {
        given[name]
            .as_str()
            .map(str::to_owned)
            .context("a token is missing")
    };
    let tokens = [token("code")?, token("access_token")?, token("id_token")?];
    assert!(tokens[2].starts_with("eyJ"));
    for secret in tokens.iter().chain([&secret, &basic]) {
        for (place, content) in &places {
            let found = content
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{place} holds {secret}");
        }
    }
    let issuer = stack.issuer().context("no provider")?;
    assert!(issuer.starts_with("http://127.0.0.1:"));
    Ok(())
}
