//! An SMTP relay on a real socket that does what a test tells it to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::until;

/// Where the relay asks what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `RCPT TO` was read.
    Recipient,
    /// A letter was read whole, and is kept.
    Letter,
}

/// What it does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Reply(&'static str),
    /// Replies 250 once the test lets go.
    Hold,
    /// Says nothing and closes the connection.
    HangUp,
}

const TAKES: Act = Act::Reply("250 ok");

type Plan = dyn Fn(Step, usize) -> Act + Send + Sync;

/// A running relay.
#[derive(Clone)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    plan: Box<Plan>,
    recipients: AtomicUsize,
    letters: watch::Sender<Vec<String>>,
    let_go: Semaphore,
}

impl Relay {
    /// A relay that takes everything.
    pub async fn start() -> Self {
        Self::with_plan(|_, _| TAKES).await
    }

    /// A relay that does this at each such step, and takes everything else.
    pub async fn that(step: Step, act: Act) -> Self {
        Self::with_plan(move |reached, _| if reached == step { act } else { TAKES }).await
    }

    /// A relay that does this at the first such step, and takes everything else.
    pub async fn that_first(step: Step, act: Act) -> Self {
        let is_first = move |reached, before| reached == step && before == 0;
        Self::with_plan(move |reached, before| if is_first(reached, before) { act } else { TAKES }).await
    }

    /// A relay with a plan: step and how often it was reached before → act.
    pub async fn with_plan(plan: impl Fn(Step, usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            plan: Box::new(plan),
            recipients: AtomicUsize::new(0),
            letters: watch::Sender::new(Vec::new()),
            let_go: Semaphore::new(0),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                // A client that hangs up ends its conversation.
                tokio::spawn(async move { drop(converse(stream, &shared).await) });
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The letters so far, as they came over the wire.
    pub fn letters(&self) -> Vec<String> {
        self.shared.letters.borrow().clone()
    }

    /// How many recipients were named so far.
    pub fn recipients(&self) -> usize {
        self.shared.recipients.load(Ordering::SeqCst)
    }

    pub async fn until_letters(&self, count: usize) {
        until("a letter", async || self.letters().len() >= count).await;
    }

    pub async fn until_recipients(&self, count: usize) {
        until("a recipient", async || self.recipients() >= count).await;
    }

    /// Lets one held reply go.
    pub fn let_go(&self) {
        self.shared.let_go.add_permits(1);
    }
}

async fn converse(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await?;
    let mut line = String::new();
    let mut is_open = false;
    while {
        line.clear();
        stream.read_line(&mut line).await?
    } > 0
    {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            // RFC 5321, 4.1.4: one transaction at a time.
            "MAIL" if std::mem::replace(&mut is_open, true) => Some("503 a mail is open"),
            "RSET" => {
                is_open = false;
                Some("250 ok")
            }
            "RCPT" => {
                let before = shared.recipients.fetch_add(1, Ordering::SeqCst);
                act(shared, Step::Recipient, before).await
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let letter = read_letter(&mut stream).await?;
                is_open = false;
                let mut before = 0;
                shared.letters.send_modify(|letters| {
                    before = letters.len();
                    letters.push(letter);
                });
                act(shared, Step::Letter, before).await
            }
            _ => Some("250 ok"),
        };
        let Some(reply) = reply else { break };
        stream.write_all(reply.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
    }
    Ok(())
}

/// The reply; `None` to hang up.
async fn act(shared: &Shared, step: Step, before: usize) -> Option<&'static str> {
    match (shared.plan)(step, before) {
        Act::Reply(reply) => Some(reply),
        Act::Hold => {
            shared.let_go.acquire().await.unwrap().forget();
            Some("250 ok")
        }
        Act::HangUp => None,
    }
}

async fn read_letter(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut letter = String::new();
    loop {
        let start = letter.len();
        if stream.read_line(&mut letter).await? == 0 || &letter[start..] == ".\r\n" {
            letter.truncate(start);
            return Ok(letter);
        }
    }
}
