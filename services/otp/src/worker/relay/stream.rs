//! The bytes between us and a relay. lettre reads a reply until its line ends, however long that takes, and keeps what came with it;
//! here it gets a line at a time, and so much between two commands.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio_rustls::client::TlsStream;

/// What a relay may say between two commands, in bytes; a handshake with its certificates is the longest.
const MOST: usize = 64 * 1_024;
/// Read at a time.
const CHUNK: usize = 4 * 1_024;
/// The first byte of a TLS handshake (RFC 8446, 5.1); no command begins with it.
const HANDSHAKE: u8 = 0x16;

/// A connection that ends when the relay says too much, or says something that nobody has asked for before it is encrypted: that would
/// be taken for a reply under TLS, though somebody in between may have written it (CVE-2011-0411 and its like).
pub(super) struct Stream {
    tcp: TcpStream,
    held: Held,
    /// Bytes that came since anything was asked.
    unasked: usize,
    is_clear: bool,
}

/// What was read and not given on yet.
struct Held {
    bytes: Box<[u8; CHUNK]>,
    from: usize,
    to: usize,
}

impl Stream {
    /// Connects.
    pub async fn connect(relay: impl ToSocketAddrs) -> io::Result<Self> {
        let tcp = TcpStream::connect(relay).await?;
        // A letter is several small writes: without this each waits for the acknowledgement of the one before.
        tcp.set_nodelay(true)?;
        Ok(Self {
            tcp,
            held: Held {
                bytes: Box::new([0; CHUNK]),
                from: 0,
                to: 0,
            },
            unasked: 0,
            is_clear: true,
        })
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unasked >= MOST {
            return Poll::Ready(Err(broken("the relay says more than any reply")));
        }
        let mut buffer = ReadBuf::new(self.held.bytes.as_mut_slice());
        ready!(Pin::new(&mut self.tcp).poll_read(context, &mut buffer))?;
        let read = buffer.filled().len();
        (self.held.from, self.held.to) = (0, read);
        self.unasked += read;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            ready!(self.poll_fill(context))?;
        }
        let is_clear = self.is_clear;
        buffer.put_slice(self.held.take(buffer.remaining(), is_clear));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_clear && !self.held.is_empty() {
            return Poll::Ready(Err(broken("the relay says something that nobody has asked for")));
        }
        let written = ready!(Pin::new(&mut self.tcp).poll_write(context, bytes))?;
        self.unasked = 0;
        self.is_clear &= bytes.first() != Some(&HANDSHAKE);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Stream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}

impl Held {
    fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// So much at most, and in clear no more than a line.
    fn take(&mut self, most: usize, is_clear: bool) -> &[u8] {
        let rest = self.bytes.get(self.from..self.to).unwrap_or_default();
        let line = rest.iter().position(|byte| *byte == b'\n').filter(|_| is_clear);
        let length = line.map_or(rest.len(), |end| end + 1).min(most);
        self.from += length;
        rest.get(..length).unwrap_or_default()
    }
}

/// A connection that is encrypted from its first byte.
#[derive(Debug)]
pub(super) struct Encrypted(pub TlsStream<Stream>);

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

fn broken(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    /// A stream, and the relay at its other end.
    async fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stream, accepted) = tokio::join!(Stream::connect(address), listener.accept());
        (stream.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn a_line_without_end_ends_the_connection() {
        let (stream, mut relay) = pair().await;
        let saying = tokio::spawn(async move { while relay.write_all(&[b'2'; CHUNK]).await.is_ok() {} });
        let mut line = Vec::new();
        let mut reader = BufReader::new(stream);
        let reading = timeout(Duration::from_secs(10), reader.read_until(b'\n', &mut line));
        let error = reading.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(line.len() <= MOST, "{}", line.len());
        drop(reader);
        saying.await.unwrap();
    }

    #[tokio::test]
    async fn a_relay_may_say_as_much_again_after_each_command() {
        let (mut stream, mut relay) = pair().await;
        let mut read = vec![0; MOST / 2];
        for _ in 0..8 {
            stream.write_all(b"NOOP\r\n").await.unwrap();
            relay.write_all(&read).await.unwrap();
            stream.read_exact(&mut read).await.unwrap();
        }
    }

    /// Somebody in between adds replies to the one that agrees to TLS, and lets the handshake pass.
    #[tokio::test]
    async fn what_comes_with_a_reply_in_clear_is_never_taken_for_the_next_reply() {
        for added in ["", "250 forged\r\n"] {
            let (stream, mut relay) = pair().await;
            relay
                .write_all(format!("220 go on\r\n{added}").as_bytes())
                .await
                .unwrap();
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            reader.read_line(&mut line).await.unwrap();
            assert_eq!((line.as_str(), reader.buffer()), ("220 go on\r\n", &b""[..]));
            let written = reader.get_mut().write_all(&[HANDSHAKE, 3, 1]).await;
            assert_eq!(written.is_ok(), added.is_empty(), "{added}");
        }
    }

    /// TLS says when it likes, and its bytes are no lines.
    #[tokio::test]
    async fn what_is_encrypted_is_given_on_as_it_comes() {
        let (mut stream, mut relay) = pair().await;
        stream.write_all(&[HANDSHAKE]).await.unwrap();
        relay.write_all(b"\n\n\n\n").await.unwrap();
        let mut first = [0; 1];
        stream.read_exact(&mut first).await.unwrap();
        stream.write_all(b"x").await.unwrap();
        let mut rest = [0; 3];
        stream.read_exact(&mut rest).await.unwrap();
        assert_eq!(rest, *b"\n\n\n");
    }
}
