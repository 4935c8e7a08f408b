//! An SMTP relay on a real socket that does what a test tells it to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::until;

/// Where the relay asks what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody has connected.
    Greeting,
    /// `RCPT TO` was read.
    Recipient,
    /// A letter was read whole, and is kept.
    Letter,
}

/// What it does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Replies what such a step gets.
    Take,
    Reply(&'static str),
    /// Replies so ten seconds later.
    Late(&'static str),
    /// Replies so at one byte a second.
    Drip(&'static str),
    /// Replies 250 once the test lets go.
    Hold,
    /// Says nothing and closes the connection.
    HangUp,
}

type Plan = dyn Fn(Step, usize) -> Act + Send + Sync;

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With the connection.
    AtOnce,
    /// With STARTTLS.
    WhenAsked,
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

type Stream = BufReader<Box<dyn Transport>>;

/// A running relay.
#[derive(Clone)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    plan: Box<Plan>,
    tls: Option<(Begin, TlsAcceptor)>,
    /// Whether it came under TLS, for each sign-in and each letter.
    encrypted: Mutex<Vec<bool>>,
    greetings: AtomicUsize,
    recipients: AtomicUsize,
    letters: watch::Sender<Vec<String>>,
    let_go: Semaphore,
}

impl Relay {
    /// A relay that takes everything.
    pub async fn start() -> Self {
        Self::with_plan(|_, _| Act::Take).await
    }

    /// A relay that does this at each such step, and takes everything else.
    pub async fn that(step: Step, act: Act) -> Self {
        Self::with_plan(move |reached, _| if reached == step { act } else { Act::Take }).await
    }

    /// A relay that does this at the first such step, and takes everything else.
    pub async fn that_first(step: Step, act: Act) -> Self {
        let is_first = move |reached, before| reached == step && before == 0;
        Self::with_plan(move |reached, before| if is_first(reached, before) { act } else { Act::Take }).await
    }

    /// A relay with a plan: step and how often it was reached before → act.
    pub async fn with_plan(plan: impl Fn(Step, usize) -> Act + Send + Sync + 'static) -> Self {
        Self::listen(Box::new(plan), None).await
    }

    /// A relay that takes everything under TLS, and lets people sign in.
    pub async fn under_tls(begin: Begin, acceptor: TlsAcceptor) -> Self {
        Self::listen(Box::new(|_, _| Act::Take), Some((begin, acceptor))).await
    }

    async fn listen(plan: Box<Plan>, tls: Option<(Begin, TlsAcceptor)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            plan,
            tls,
            encrypted: Mutex::default(),
            greetings: AtomicUsize::new(0),
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

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whether it came under TLS, for each sign-in and each letter.
    pub fn encrypted(&self) -> Vec<bool> {
        self.shared.encrypted.lock().unwrap().clone()
    }

    /// The letters so far, as they came over the wire.
    pub fn letters(&self) -> Vec<String> {
        self.shared.letters.borrow().clone()
    }

    /// What stands in the only letter, as plain text.
    pub fn text(&self) -> String {
        let letters = self.letters();
        assert_eq!(letters.len(), 1);
        let letter = mailparse::parse_mail(letters[0].as_bytes()).unwrap();
        letter.subparts[0].get_body().unwrap()
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
    let mut is_encrypted = false;
    let mut stream = BufReader::new(Box::new(stream) as Box<dyn Transport>);
    if let Some((Begin::AtOnce, acceptor)) = &shared.tls {
        stream = encrypt(stream, acceptor).await?;
        is_encrypted = true;
    }
    let before = shared.greetings.fetch_add(1, Ordering::SeqCst);
    if !act(&mut stream, shared, Step::Greeting, before).await? {
        return Ok(());
    }
    let mut line = String::new();
    let mut is_open = false;
    while {
        line.clear();
        stream.read_line(&mut line).await?
    } > 0
    {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let goes_on = match verb.as_str() {
            // RFC 5321, 4.1.4: one transaction at a time.
            "MAIL" if std::mem::replace(&mut is_open, true) => say(&mut stream, "503 a mail is open").await?,
            "EHLO" => say(&mut stream, shared.extensions(is_encrypted)).await?,
            "STAR" => match &shared.tls {
                Some((Begin::WhenAsked, acceptor)) if !is_encrypted => {
                    say(&mut stream, "220 go on").await?;
                    stream = encrypt(stream, acceptor).await?;
                    is_encrypted = true;
                    true
                }
                _ => say(&mut stream, "502 unknown").await?,
            },
            "AUTH" => {
                shared.encrypted.lock().unwrap().push(is_encrypted);
                say(&mut stream, "235 welcome").await?
            }
            "RSET" => {
                is_open = false;
                say(&mut stream, "250 ok").await?
            }
            "RCPT" => {
                let before = shared.recipients.fetch_add(1, Ordering::SeqCst);
                act(&mut stream, shared, Step::Recipient, before).await?
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let letter = read_letter(&mut stream).await?;
                shared.encrypted.lock().unwrap().push(is_encrypted);
                is_open = false;
                let mut before = 0;
                shared.letters.send_modify(|letters| {
                    before = letters.len();
                    letters.push(letter);
                });
                act(&mut stream, shared, Step::Letter, before).await?
            }
            _ => say(&mut stream, "250 ok").await?,
        };
        if !goes_on {
            break;
        }
    }
    Ok(())
}

impl Shared {
    fn extensions(&self, is_encrypted: bool) -> &'static str {
        match self.tls {
            None => "250 ok",
            Some((Begin::WhenAsked, _)) if !is_encrypted => "250-test\r\n250 STARTTLS",
            Some(_) => "250-test\r\n250 AUTH PLAIN",
        }
    }
}

async fn encrypt(stream: Stream, acceptor: &TlsAcceptor) -> std::io::Result<Stream> {
    let encrypted = acceptor.accept(stream.into_inner()).await?;
    Ok(BufReader::new(Box::new(encrypted)))
}

/// Whether the conversation goes on.
async fn act(stream: &mut Stream, shared: &Shared, step: Step, before: usize) -> std::io::Result<bool> {
    match (shared.plan)(step, before) {
        Act::Take if step == Step::Greeting => say(stream, "220 test").await,
        Act::Take => say(stream, "250 ok").await,
        Act::Reply(reply) => say(stream, reply).await,
        Act::Late(reply) => {
            tokio::time::sleep(Duration::from_secs(10)).await;
            say(stream, reply).await
        }
        Act::Drip(reply) => {
            for byte in reply.as_bytes() {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            say(stream, "").await
        }
        Act::Hold => {
            shared.let_go.acquire().await.unwrap().forget();
            say(stream, "250 ok").await
        }
        Act::HangUp => Ok(false),
    }
}

/// Says it, and the conversation goes on.
async fn say(stream: &mut Stream, reply: &str) -> std::io::Result<bool> {
    stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    Ok(true)
}

async fn read_letter(stream: &mut Stream) -> std::io::Result<String> {
    let mut letter = String::new();
    loop {
        let start = letter.len();
        if stream.read_line(&mut letter).await? == 0 || &letter[start..] == ".\r\n" {
            letter.truncate(start);
            return Ok(letter);
        }
    }
}
