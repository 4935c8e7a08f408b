//! `kill -9` of writers and of PostgreSQL under load: every acknowledged event is there, positions are 1..n.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sekisho_dev::{Database, Postgres, Schema};
use sekisho_eventlog::{Decided, Decision, Facts, Log};
use sekisho_service::entropy;

use super::support::{Db, Tally, context, issued, settings};

const ROUNDS: usize = 20;
const WRITERS: usize = 3;
/// Events that must be acknowledged before the next kill.
const BETWEEN_KILLS: usize = 150;
const URL: &str = "SEKISHO_TEST_WRITER_DATABASE_URL";

type Acknowledged = Arc<Mutex<HashMap<u64, String>>>;

/// Not a test: the process that the test below starts and kills. It decides on streams that all writers share and
/// prints position and event id of each event once it is acknowledged.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test that kills it"]
async fn a_process_that_writes() {
    let Ok(url) = std::env::var(URL) else { return };
    let log = loop {
        if let Ok(log) = Log::connect(settings(url.clone())).await {
            break log;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let log = log.clone();
        tasks.spawn(async move {
            loop {
                write_one(&log).await;
            }
        });
    }
    tasks.join_all().await;
}

async fn write_one(log: &Log) {
    let number = entropy::bytes::<1>()[0] % 40;
    let decide = |facts: &Facts<Tally>| {
        assert_eq!(facts.state.count, facts.version.0);
        Ok::<_, ()>(Decision::Record(issued(facts.version.0)))
    };
    match log.decide(&context(number.into()), decide).await {
        Ok(Decided::Recorded { recorded, .. }) => {
            let line = format!("acknowledged {} {}\n", recorded.position, recorded.event_id);
            std::io::stdout().write_all(line.as_bytes()).unwrap();
        }
        Ok(other) => panic!("not recorded: {other:?}"),
        // PostgreSQL is away.
        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
    }
}

struct Writer(Child);

impl Writer {
    /// A writer whose client wants commits that are not durable.
    fn start(database: &Database, acknowledged: &Acknowledged) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "crashes::a_process_that_writes",
                "--ignored",
                "--nocapture",
            ])
            .env(
                URL,
                format!("{}?options[synchronous_commit]=off", database.url("otp")),
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let acknowledged = Arc::clone(acknowledged);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let words: Vec<&str> = line.split(' ').collect();
                if let ["acknowledged", position, event_id] = words[..]
                    && event_id.len() == 36
                {
                    let position = position.parse().unwrap();
                    let before = acknowledged.lock().unwrap().insert(position, event_id.to_owned());
                    assert_eq!(before, None, "position {position} was acknowledged twice");
                }
            }
        });
        Self(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn wait_for(acknowledged: &Acknowledged, more: usize) {
    let wanted = acknowledged.lock().unwrap().len() + more;
    let begun = Instant::now();
    while acknowledged.lock().unwrap().len() < wanted {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "nothing is acknowledged any more"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_event_survives_kills_of_writers_and_of_postgresql() {
    let _turn = Db::turn().await;
    let server = Postgres::start_with(Schema::Files).unwrap();
    let database = server.database().unwrap();
    // Nobody flushes what a commit did not: a commit that is not durable is lost in the next kill.
    database.sql("alter system set wal_writer_delay = '10s'; alter system set wal_writer_flush_after = 0; select pg_reload_conf();").unwrap();
    let acknowledged = Acknowledged::default();
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|_| Writer::start(&database, &acknowledged))
        .collect();
    let begun = Instant::now();
    for round in 0..ROUNDS {
        wait_for(&acknowledged, BETWEEN_KILLS);
        if round % 2 == 0 {
            let writer = &mut writers[round / 2 % WRITERS];
            writer.kill();
            *writer = Writer::start(&database, &acknowledged);
        } else {
            server.kill().unwrap();
            server.restart().unwrap();
        }
    }
    wait_for(&acknowledged, BETWEEN_KILLS);
    drop(writers);
    let (count, lost) = compare(&database, &acknowledged);
    assert_eq!(lost, Vec::<u64>::new(), "acknowledged and not in the log");
    assert_eq!(database.faults_of_the_log().unwrap(), "0|0|0|0|0");
    println!("{ROUNDS} kills in {:?}: {count} acknowledged", begun.elapsed());
}

/// How many events were acknowledged, and the positions of those that are not there.
fn compare(database: &Database, acknowledged: &Acknowledged) -> (usize, Vec<u64>) {
    let rows = database.sql("select position, event_id from log.entry;").unwrap();
    let stored: HashMap<u64, &str> = rows
        .lines()
        .filter_map(|row| row.split_once('|'))
        .map(|(position, event_id)| (position.parse().unwrap(), event_id))
        .collect();
    let acknowledged = acknowledged.lock().unwrap();
    let missing = acknowledged
        .iter()
        .filter(|(position, id)| stored.get(position) != Some(&id.as_str()));
    (
        acknowledged.len(),
        missing.map(|(position, _)| *position).collect(),
    )
}
