//! The portal speaks TLS itself, as with `cargo dev up --https`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use sekisho_dev::stack::Scheme;
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_tests::browser::Browser;
use sekisho_tests::seed::seed;
use sekisho_tests::{LOGIN, PASSWORD};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portal_speaks_tls_and_nothing_else_when_it_is_told_to() -> Result<()> {
    let options = StackOptions {
        name: "https".to_owned(),
        scheme: Scheme::Https,
        ..StackOptions::default()
    };
    let stack = tokio::task::block_in_place(|| Stack::start(&options))?;
    let browser = Browser::open_trusting().await?;
    browser.visit(&stack.portal_url()).await?;
    browser.type_into(seed("利用者ID"), LOGIN).await?;
    browser.type_into(seed("パスワード"), PASSWORD).await?;
    browser.press(seed("サインイン")).await?;
    browser.see(seed("メールアドレス確認")).await?;
    assert!(browser.address().await?.starts_with("https://localhost:"));

    let mut plain = TcpStream::connect(stack.process(Service::Gateway, 0).address)?;
    plain.set_read_timeout(Some(Duration::from_secs(5)))?;
    plain.write_all(b"GET /signin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    // An end by force is an answer, too.
    let _ = plain.read_to_end(&mut answer);
    assert!(
        !answer.starts_with(b"HTTP/"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    Ok(())
}
