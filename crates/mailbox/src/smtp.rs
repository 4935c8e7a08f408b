//! SMTP (RFC 5321): every mail is accepted, for whomever it is.

use std::io;

use smtp_proto::request::receiver::{DataReceiver, RequestReceiver};
use smtp_proto::{Error, Request};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::mail::Envelope;
use crate::store::Store;

/// The largest mail, in bytes.
const LARGEST: usize = 1 << 20;

/// Takes mails for ever.
pub(crate) async fn serve(listener: TcpListener, store: Store) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let session = Session::new(store.clone());
        // A client that goes away in the middle is no concern of the others.
        tokio::spawn(session.run(stream));
    }
}

/// What comes next from the client.
enum Stage {
    Command,
    Mail(DataReceiver, Vec<u8>),
}

struct Session {
    store: Store,
    envelope: Option<Envelope>,
    commands: RequestReceiver,
    stage: Stage,
}

/// What the client hears.
enum Reply {
    Line(&'static str),
    Goodbye,
    Queued(u64),
}

impl Session {
    fn new(store: Store) -> Self {
        Self {
            store,
            envelope: None,
            commands: RequestReceiver::default(),
            stage: Stage::Command,
        }
    }

    async fn run(mut self, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(b"220 localhost mailbox\r\n").await?;
        let mut buffer = vec![0; 8 * 1024];
        loop {
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            let mut bytes = buffer[..count].iter();
            while let Some(reply) = self.step(&mut bytes) {
                stream.write_all(text(&reply).as_bytes()).await?;
                if matches!(reply, Reply::Goodbye) {
                    return Ok(());
                }
            }
        }
    }

    /// Takes the next command, or the rest of a mail, from what has arrived; `None` when more must arrive first.
    fn step(&mut self, bytes: &mut std::slice::Iter<'_, u8>) -> Option<Reply> {
        let Stage::Mail(receiver, mail) = &mut self.stage else {
            return self.command(bytes);
        };
        let complete = receiver.ingest(bytes, mail);
        if !complete {
            // More than is kept is still read, so that the answer comes when the client expects it.
            mail.truncate(LARGEST + 2);
            return None;
        }
        let mail = std::mem::take(mail);
        self.stage = Stage::Command;
        let envelope = self.envelope.take().unwrap_or_default();
        if mail.len() > LARGEST {
            return Some(Reply::Line("552 5.3.4 The mail is too large"));
        }
        Some(Reply::Queued(self.store.take(now(), &envelope, &mail)))
    }

    fn command(&mut self, bytes: &mut std::slice::Iter<'_, u8>) -> Option<Reply> {
        let request = match self.commands.ingest(bytes) {
            Ok(request) => request.into_owned(),
            Err(Error::NeedsMoreData { .. }) => return None,
            Err(Error::UnknownCommand) => return Some(Reply::Line("500 5.5.1 Unknown command")),
            Err(_) => return Some(Reply::Line("501 5.5.2 Not understood")),
        };
        Some(self.answer(request))
    }

    fn answer(&mut self, request: Request<String>) -> Reply {
        match request {
            Request::Ehlo { .. } => Reply::Line(
                "250-localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 SIZE 1048576",
            ),
            Request::Helo { .. } => Reply::Line("250 localhost"),
            Request::Mail { from } => {
                self.envelope = Some(Envelope {
                    sender: from.address,
                    recipients: Vec::new(),
                });
                Reply::Line("250 2.1.0 Sender accepted")
            }
            Request::Rcpt { to } => match &mut self.envelope {
                Some(envelope) => {
                    envelope.recipients.push(to.address);
                    Reply::Line("250 2.1.5 Recipient accepted")
                }
                None => Reply::Line("503 5.5.1 MAIL comes first"),
            },
            Request::Data
                if self
                    .envelope
                    .as_ref()
                    .is_some_and(|envelope| !envelope.recipients.is_empty()) =>
            {
                self.stage = Stage::Mail(DataReceiver::new(), Vec::new());
                Reply::Line("354 End with a dot on a line of its own")
            }
            Request::Data => Reply::Line("503 5.5.1 RCPT comes first"),
            Request::Rset => {
                self.envelope = None;
                Reply::Line("250 2.0.0 Forgotten")
            }
            Request::Noop { .. } => Reply::Line("250 2.0.0 Still here"),
            Request::Quit => Reply::Goodbye,
            _ => Reply::Line("502 5.5.1 Not offered here"),
        }
    }
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Line(line) => format!("{line}\r\n"),
        Reply::Goodbye => "221 2.0.0 Goodbye\r\n".to_owned(),
        Reply::Queued(id) => format!("250 2.0.0 Queued as {id}\r\n"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the mailbox plays another company's machine, with a clock of its own"
)]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
