//! The mailbox's pages in a real browser.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::Result;
use sekisho_tests::browser::{Browser, Script};
use sekisho_tests::stack;

/// As wide as WCAG 2.1 asks for (1.4.10), in CSS pixels.
const NARROW: u32 = 320;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mailbox_fits_a_narrow_window_whatever_a_mail_holds() -> Result<()> {
    let stack = stack::shared();
    let word = "w".repeat(200);
    send(stack.smtp_address(), &word)?;
    let browser = Browser::open(Script::On).await?;
    browser.resize(NARROW, 700).await?;
    for page in ["/", "/mails/latest", "/mails/0"] {
        browser.visit(&format!("{}{page}", stack.mailbox_url())).await?;
        let (frame, content) = browser.widths().await?;
        assert!(frame <= u64::from(NARROW), "{page}: {frame}");
        assert_eq!(content, frame, "{page} scrolls sideways");
    }
    Ok(())
}

/// Forty tests a day with a browser each would fill the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_is_closed_leaves_no_process() -> Result<()> {
    let browser = Browser::open(Script::On).await?;
    browser.visit(&stack::shared().mailbox_url()).await?;
    let processes = browser.processes();
    assert!(processes.len() > 2, "{processes:?}");
    drop(browser);
    let left: Vec<_> = processes.iter().filter(|process| process.is_alive()).collect();
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

/// A mail with the same long word wherever a mail can have one.
fn send(relay: SocketAddr, word: &str) -> Result<()> {
    let talk = format!(
        "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<narrow@example.com>\r\nDATA\r\n\
         From: {word} <{word}@b.example>\r\nTo: {word} <{word}@d.example>\r\nSubject: {word}\r\n\r\n{word}\r\n.\r\nQUIT\r\n"
    );
    let mut stream = TcpStream::connect(relay)?;
    stream.write_all(talk.as_bytes())?;
    let mut answers = String::new();
    stream.read_to_string(&mut answers)?;
    assert!(answers.contains("Queued"), "{answers}");
    Ok(())
}
