//! NATS stopped.

use std::time::{Duration, Instant};

use anyhow::Result;
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_tests::flow::Gateway;
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD, mail};

fn stack() -> Result<Stack> {
    let replicas = vec![(Service::Otp, 3), (Service::Gateway, 0)];
    Stack::start(&StackOptions {
        name: "bus".to_owned(),
        replicas,
        ..StackOptions::default()
    })
}

async fn sign_in(gateway: &mut Gateway) -> Result<Duration> {
    let start = Instant::now();
    let flow = gateway.verified_flow(LOGIN, PASSWORD, ADDRESS).await?;
    let token = gateway.start(&flow).await?.token;
    gateway.check(&token).await?;
    Ok(start.elapsed())
}

#[tokio::test]
async fn without_the_bus_a_sign_in_takes_at_most_two_seconds_longer_and_mails_once() -> Result<()> {
    let mut stack = stack()?;
    let mut gateway = Gateway::connect(&stack, 0).await?;
    sign_in(&mut gateway).await?;
    let with = sign_in(&mut gateway).await?;
    stack.kill_part("nats")?;
    // The shorter one of two: a machine that does much else must not decide.
    let without = sign_in(&mut gateway).await?.min(sign_in(&mut gateway).await?);
    println!("a sign-in took {with:?} with NATS and {without:?} without");
    assert!(without <= with + Duration::from_secs(2));

    // No relay either: the mail is still owed when the bus is back, and each of the three replicas knows of it.
    stack.kill_part("mailbox")?;
    let flow = gateway.accept_password(LOGIN, PASSWORD).await?;
    let reference = gateway.issue_code(&flow).await?.reference;
    stack.start_part("mailbox")?;
    stack.start_part("nats")?;
    arrival(&stack, &reference).await?;
    // Two more sign-ins: by then every replica had its chance to mail the first code again.
    sign_in(&mut gateway).await?;
    sign_in(&mut gateway).await?;
    assert_eq!(copies(&stack, &reference)?, 1, "copies of the mail");
    Ok(())
}

/// Waits until a code's mail has arrived.
async fn arrival(stack: &Stack, reference: &str) -> Result<()> {
    let arrived = async {
        while copies(stack, reference)? == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    };
    tokio::time::timeout(Duration::from_mins(1), arrived).await?
}

fn copies(stack: &Stack, reference: &str) -> Result<usize> {
    let mails = mail::to(&stack.mailbox_url(), ADDRESS)?;
    Ok(mails.iter().filter(|mail| mail.text.contains(reference)).count())
}
