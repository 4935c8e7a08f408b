//! The SMTP relay (RFC 5321).
//!
//! lettre speaks the protocol; its own transport is not used, because a last look into the log belongs between RCPT and
//! DATA, and because its asynchronous transport has a time-out for connecting only.

mod line;
mod stream;
mod tls;
mod url;

pub use url::RelayUrl;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Message;
use sekisho_service::tls::Certificates;
use tokio::time::Instant;

use super::failure::Failure;
use super::times::MAILS_AT_ONCE;
use line::Line;
use tls::Tls;

pub use tls::RelayError;

/// A connection that was used longer ago is not used again: relays close idle ones.
const IDLE: Duration = Duration::from_secs(20);

/// The relay, with a few connections kept open.
pub struct Relay {
    url: RelayUrl,
    tls: Tls,
    kept: Mutex<Vec<(Line, Instant)>>,
}

impl Relay {
    /// A relay; connects when the first mail is handed over. Where it is encrypted, it must prove its name by a
    /// certificate of this authority; without one, of those that the system believes.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn new(url: RelayUrl, authority: Option<&Certificates>) -> Result<Self, RelayError> {
        Ok(Self {
            tls: Tls::new(&url, authority)?,
            url,
            kept: Mutex::default(),
        })
    }

    /// Hands a letter over and answers the relay's reply code. `last_look` runs when the relay has agreed to the
    /// recipient; if it fails, the relay gets no DATA.
    pub(super) async fn hand_over(
        &self,
        letter: &Message,
        last_look: impl Future<Output = Result<(), Failure>>,
    ) -> Result<u16, Failure> {
        let mut line = self.line().await?;
        let outcome = line.hand_over(letter, last_look).await;
        if line.is_usable() {
            self.keep(line);
        }
        outcome
    }

    async fn line(&self) -> Result<Line, Failure> {
        while let Some((mut line, used)) = self.take() {
            if used.elapsed() < IDLE && line.answers().await {
                return Ok(line);
            }
        }
        Line::connect(&self.url, &self.tls).await
    }

    fn take(&self) -> Option<(Line, Instant)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, line: Line) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAILS_AT_ONCE {
            kept.push((line, Instant::now()));
        }
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sekisho_proto::otp::v1::mail_failed::Class;
    use sekisho_service::settings::Value as _;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::{TcpListener, TcpStream};

    use super::super::times::{self, COMMAND, CONTENT, LAST_LOOK};
    use super::*;

    /// Not a line that anybody sends.
    const GREETING: &str = "(greeting)";

    /// How often somebody connected to a relay, and how many letters it has.
    #[derive(Default)]
    struct Counts {
        connections: AtomicUsize,
        letters: AtomicUsize,
    }

    impl Counts {
        fn connections(&self) -> usize {
            self.connections.load(Ordering::SeqCst)
        }

        fn letters(&self) -> usize {
            self.letters.load(Ordering::SeqCst)
        }
    }

    /// A relay that takes every mail, so many on one connection.
    async fn relay(most: usize) -> (Relay, Arc<Counts>) {
        relay_silent_at(most, None).await
    }

    /// A relay that says nothing where it should greet, or where it should reply to such a line, while hours pass.
    async fn relay_silent_at(most: usize, silent: Option<&'static str>) -> (Relay, Arc<Counts>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, most, silent, Arc::clone(&counted)));
            }
        });
        (Relay::new(RelayUrl::parse(&url).unwrap(), None).unwrap(), counts)
    }

    /// A conversation of so many letters, after which the relay hangs up.
    async fn converse(
        stream: TcpStream,
        mut most: usize,
        silent: Option<&'static str>,
        counts: Arc<Counts>,
    ) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        be_silent(silent, GREETING).await;
        stream.write_all(b"220 test\r\n").await?;
        let (mut line, mut is_letter) = (String::new(), false);
        while most > 0 && stream.read_line(&mut line).await? > 0 {
            be_silent(silent, &line).await;
            let reply = match line.as_str() {
                ".\r\n" => "250 ok\r\n",
                _ if is_letter => "",
                "DATA\r\n" => "354 go on\r\n",
                _ => "250 ok\r\n",
            };
            if is_letter && !reply.is_empty() {
                most -= 1;
                counts.letters.fetch_add(1, Ordering::SeqCst);
            }
            is_letter = reply.starts_with("354") || is_letter && reply.is_empty();
            stream.write_all(reply.as_bytes()).await?;
            line.clear();
        }
        Ok(())
    }

    /// From here on time passes as fast as nothing happens.
    async fn be_silent(silent: Option<&str>, now: &str) {
        if silent.is_some_and(|silent| now.starts_with(silent)) {
            tokio::time::pause();
            std::future::pending::<()>().await;
        }
    }

    fn letter() -> Message {
        letter_to("gantoroku@example.com")
    }

    fn letter_to(address: &str) -> Message {
        let letter = Message::builder()
            .from(address.parse().unwrap())
            .to(address.parse().unwrap());
        letter.body(String::new()).unwrap()
    }

    #[tokio::test]
    async fn a_connection_is_used_again_unless_it_was_idle_for_long() {
        let (relay, counts) = relay(usize::MAX).await;
        for _ in 0..3 {
            assert_eq!(relay.hand_over(&letter(), async { Ok(()) }).await.unwrap(), 250);
        }
        assert_eq!(counts.connections(), 1);
        tokio::time::pause();
        tokio::time::advance(IDLE).await;
        tokio::time::resume();
        relay.hand_over(&letter(), async { Ok(()) }).await.unwrap();
        assert_eq!(counts.connections(), 2);
    }

    #[tokio::test]
    async fn a_connection_that_the_relay_has_closed_costs_no_mail() {
        let (relay, counts) = relay(1).await;
        for number in 1..=3 {
            assert_eq!(relay.hand_over(&letter(), async { Ok(()) }).await.unwrap(), 250);
            assert_eq!(counts.connections(), number);
        }
    }

    /// Each step has a time-out of its own; only after the letter is it in doubt whether the relay has it.
    #[tokio::test]
    async fn a_silent_relay_is_given_up_at_every_step() {
        for (silent, limit, class) in [
            (GREETING, times::GREETING, Class::Unreachable),
            ("MAIL", COMMAND, Class::Unreachable),
            ("RCPT", COMMAND, Class::Unreachable),
            ("DATA", COMMAND, Class::Unreachable),
            (".\r\n", CONTENT, Class::InDoubt),
        ] {
            let (relay, _) = relay_silent_at(usize::MAX, Some(silent)).await;
            let begun = Instant::now();
            let outcome = relay.hand_over(&letter(), async { Ok(()) }).await;
            let took = begun.elapsed();
            tokio::time::resume();
            assert_eq!(outcome, Err(Failure::of(class)), "{silent}");
            assert!(
                took >= limit && took < limit + Duration::from_secs(2),
                "{silent}: {took:?}"
            );
        }
    }

    /// RFC 6531; the relay here knows no extension.
    #[tokio::test]
    async fn an_address_that_the_relay_cannot_read_gets_no_letter() {
        let (relay, counts) = relay(usize::MAX).await;
        let outcome = relay
            .hand_over(&letter_to("漢字@example.com"), async { Ok(()) })
            .await;
        assert_eq!(outcome, Err(Failure::of(Class::Permanent)));
        assert_eq!(counts.letters(), 0);
    }

    /// As if the process had been stopped between the look and the letter.
    #[tokio::test]
    async fn a_look_that_is_too_old_sends_no_letter() {
        let (relay, counts) = relay(usize::MAX).await;
        let looks = async {
            tokio::time::pause();
            tokio::time::advance(LAST_LOOK + COMMAND + Duration::from_millis(1)).await;
            tokio::time::resume();
            Ok(())
        };
        let outcome = relay.hand_over(&letter(), looks).await;
        assert_eq!(outcome, Err(Failure::of(Class::Unreachable)));
        assert_eq!(counts.letters(), 0);
    }
}
