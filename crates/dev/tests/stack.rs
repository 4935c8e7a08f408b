//! A stack in the hands of a test.

use std::net::TcpStream;
use std::time::Duration;

use sekisho_dev::{Nats, Postgres, Schema, Service, Stack, StackOptions, wait};

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

/// What the server keeps of the passwords of our roles.
fn passwords(postgres: &Postgres) -> anyhow::Result<String> {
    let query =
        "select string_agg(rolpassword, ',' order by rolname) from pg_authid where rolname like 'sekisho%';";
    postgres.database()?.sql(query)
}

#[test]
fn servers_that_somebody_else_runs_are_used_and_left_running() {
    let postgres = Postgres::start_with(Schema::Empty).unwrap();
    let nats = Nats::start().unwrap();
    let elsewhere = StackOptions {
        postgres: Some(postgres.url("postgres")),
        nats: Some(nats.url("credentials")),
        ..options()
    };
    let mut stack = Stack::start(&elsewhere).unwrap();
    let listed = stack.listing();
    for server in ["postgres", "nats"] {
        let part = listed.iter().find(|part| part.name == server).unwrap();
        assert!(part.process.is_none() && part.log_file.is_none(), "{part:?}");
        let mistake = stack.kill_part(server).unwrap_err().to_string();
        assert!(mistake.contains("not ours to stop"), "{mistake}");
        let mistake = stack.start_part(server).unwrap_err().to_string();
        assert!(mistake.contains("not ours to start"), "{mistake}");
    }
    assert!(
        stack
            .database_url("otp")
            .contains(&format!(":{}/", postgres.port()))
    );
    stack.stop_all().unwrap();
    drop(stack);
    assert!(TcpStream::connect(("127.0.0.1", postgres.port())).is_ok());
    assert!(TcpStream::connect(nats.address()).is_ok());

    // It is another installation's now, with passwords that stay as they are.
    let before = passwords(&postgres).unwrap();
    let mistake = Stack::start(&elsewhere).unwrap_err().to_string();
    assert!(mistake.contains("is used by another installation"), "{mistake}");
    assert_eq!(passwords(&postgres).unwrap(), before);

    let stranger = format!("nats://credentials:wrong@{}", nats.address());
    let refused = format!("the server of --nats, {}, cannot be used", nats.address());
    for (postgres, nats, said) in [
        (None, Some(stranger.as_str()), refused.as_str()),
        (Some("localhost"), None, "--postgres takes"),
        (None, Some("localhost"), "--nats takes"),
        (
            None,
            Some("nats://127.0.0.1:1"),
            "the server of --nats, 127.0.0.1:1, does not answer",
        ),
    ] {
        let mistake = Stack::start(&StackOptions {
            postgres: postgres.map(str::to_owned),
            nats: nats.map(str::to_owned),
            ..options()
        });
        let mistake = mistake.unwrap_err().to_string();
        assert!(mistake.starts_with(said), "{mistake}");
    }
}
