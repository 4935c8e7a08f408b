//! A stack in the hands of a test.

use std::net::TcpStream;
use std::time::Duration;

use sekisho_dev::{Service, Stack, StackOptions, wait};

/// Two replicas of one service are enough to see what a test can do with a stack.
fn options() -> StackOptions {
    let replicas = vec![
        (Service::Credentials, 2),
        (Service::Otp, 0),
        (Service::Sessions, 0),
        (Service::Gateway, 0),
    ];
    StackOptions {
        replicas,
        ..StackOptions::default()
    }
}

#[test]
fn a_replica_is_killed_and_starts_again_where_it_was() {
    let mut stack = Stack::start(&options()).unwrap();
    let address = stack.process(Service::Credentials, 1).address;
    let first = stack.process(Service::Credentials, 1).pid;
    assert_ne!(stack.process(Service::Credentials, 0).address, address);

    stack.kill(Service::Credentials, 1).unwrap();
    assert!(TcpStream::connect(address).is_err());
    assert!(TcpStream::connect(stack.process(Service::Credentials, 0).address).is_ok());

    stack.start_service(Service::Credentials, 1).unwrap();
    assert!(TcpStream::connect(address).is_ok());
    assert_ne!(stack.process(Service::Credentials, 1).pid, first);

    // The same signal that an orchestrator sends: it drains and ends well.
    assert_eq!(stack.stop(Service::Credentials, 1).unwrap(), Some(0));

    // What it wrote before has nothing to do with a kill from outside.
    let pid = stack.process(Service::Credentials, 0).pid;
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let told = wait::poll("its end to be noticed", Duration::from_secs(10), || {
        Ok(stack.notice_ended().pop())
    });
    let told = told.unwrap();
    assert!(told.starts_with("credentials ended (signal 9; log: "), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    stack.stop_all().unwrap();
}

#[test]
fn a_service_that_does_not_start_says_why() {
    let mistaken = ("SEKISHO_CREDENTIALS_HASH_QUEUE".to_owned(), "many".to_owned());
    let environment = vec![(Service::Credentials, mistaken.0, mistaken.1)];
    let mistake = Stack::start(&StackOptions {
        environment,
        ..options()
    })
    .unwrap_err()
    .to_string();
    assert!(
        mistake.starts_with("credentials ended (exit code 64); the last lines of "),
        "{mistake}"
    );
    assert!(mistake.contains("SEKISHO_CREDENTIALS_HASH_QUEUE"), "{mistake}");
}
