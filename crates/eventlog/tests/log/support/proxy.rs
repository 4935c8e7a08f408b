//! A proxy before PostgreSQL that stops or cuts at a chosen point of the protocol.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const COMMAND_COMPLETE: u8 = b'C';
const ERROR_RESPONSE: u8 = b'E';

/// Where the first statement that appends meets the proxy. Every later one passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Half of its message is forwarded, then nothing in either direction.
    InsideQuery,
    /// The last byte of its message is forwarded, then nothing in either direction, and nothing is read.
    AfterQuery,
    /// The server's word that it has committed is held back.
    CommitHeldBack,
    /// Both connections are closed when the server says that it has committed.
    CutAfterCommit,
    /// The server commits and is then told to stop: in place of the answer comes 57P01, and both connections close.
    ShutdownAfterCommit,
    /// Of the extended protocol: everything up to its execution is forwarded, but no Sync.
    BeforeSync,
}

/// Listens on a port of its own; ends with this value.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    server: SocketAddr,
    point: Mutex<Option<Point>>,
    reached: watch::Sender<bool>,
    /// Connections up to this one are stopped.
    stopped_to: AtomicU64,
    connections: AtomicU64,
    /// Of answers, on each connection; 0 for as many as come.
    bytes_a_second: AtomicU64,
}

/// One connection of a client and its counterpart.
struct Pair {
    shared: Arc<Shared>,
    number: u64,
    /// What the server sends now is an answer that must not arrive.
    answer: Mutex<Option<Point>>,
    quiet: AtomicBool,
}

impl Proxy {
    /// A proxy before a server, which stops at a point.
    pub async fn start(server: SocketAddr, point: Option<Point>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            point: Mutex::new(point),
            reached: watch::Sender::new(false),
            stopped_to: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            bytes_a_second: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            _tasks: tasks,
        }
    }

    /// Waits until a statement has met the point.
    pub async fn reached(&self) {
        self.shared
            .reached
            .subscribe()
            .wait_for(|reached| *reached)
            .await
            .unwrap();
    }

    /// How many were made so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// From now on answers come slowly.
    pub fn slow_down(&self, bytes_a_second: u64) {
        self.shared.bytes_a_second.store(bytes_a_second, Ordering::SeqCst);
    }

    /// From now on nothing passes, and no connection is told.
    pub fn break_network(&self) {
        self.shared.stopped_to.store(u64::MAX, Ordering::SeqCst);
    }

    /// Connections that are made from now on work; those that are there stay silent for ever.
    pub fn mend_network(&self) {
        let connections = self.shared.connections.load(Ordering::SeqCst);
        self.shared.stopped_to.store(connections, Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut pairs = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let socket = TcpSocket::new_v4().unwrap();
        // As little as the kernel allows: a client that does not read has no room for an answer.
        socket.set_recv_buffer_size(1).unwrap();
        let Ok(server) = socket.connect(shared.server).await else {
            continue;
        };
        let pair = Pair {
            shared: Arc::clone(&shared),
            number,
            answer: Mutex::new(None),
            quiet: AtomicBool::new(false),
        };
        pairs.spawn(pair.run(client, server));
    }
}

impl Pair {
    async fn run(self, client: TcpStream, server: TcpStream) {
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        // Whoever ends first ends both.
        tokio::select! {
            () = self.requests(from_client, to_server) => {}
            () = self.answers(from_server, to_client) => {}
        }
    }

    async fn requests(&self, mut client: OwnedReadHalf, mut server: OwnedWriteHalf) {
        let mut first = true;
        let mut executes = false;
        while let Some(frame) = read(&mut client, first).await {
            self.unless_stopped().await;
            let kind = if first { 0 } else { frame[0] };
            first = false;
            executes |= kind == b'P' && mentions_append(&frame);
            let point = *self.shared.point.lock().unwrap();
            match point {
                Some(Point::BeforeSync) if executes && kind == b'E' => {
                    self.take_point();
                    *self.answer.lock().unwrap() = Some(Point::BeforeSync);
                    server.write_all(&frame).await.unwrap();
                    // A Flush asks for the answer, which says that it was executed.
                    server.write_all(&[b'H', 0, 0, 0, 4]).await.unwrap();
                    std::future::pending::<()>().await;
                }
                Some(point) if kind == b'Q' && mentions_append(&frame) => {
                    self.take_point();
                    self.query(point, &frame, &mut server).await;
                }
                _ if server.write_all(&frame).await.is_err() => return,
                _ => {}
            }
        }
    }

    async fn query(&self, point: Point, frame: &[u8], server: &mut OwnedWriteHalf) {
        match point {
            Point::InsideQuery => {
                server.write_all(&frame[..frame.len() / 2]).await.unwrap();
                self.stop().await;
            }
            Point::AfterQuery => {
                self.quiet.store(true, Ordering::SeqCst);
                server.write_all(frame).await.unwrap();
                self.stop().await;
            }
            Point::CommitHeldBack
            | Point::CutAfterCommit
            | Point::ShutdownAfterCommit
            | Point::BeforeSync => {
                *self.answer.lock().unwrap() = Some(point);
                server.write_all(frame).await.unwrap();
            }
        }
    }

    async fn answers(&self, mut server: OwnedReadHalf, mut client: OwnedWriteHalf) {
        let mut due = Instant::now();
        while let Some(frame) = read(&mut server, false).await {
            self.unless_stopped().await;
            due = due.max(Instant::now()) + self.time_of(&frame);
            sleep_until(due).await;
            if self.quiet.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let point = *self.answer.lock().unwrap();
            let ends = matches!(frame[0], COMMAND_COMPLETE | ERROR_RESPONSE);
            match point.filter(|_| ends) {
                Some(Point::CutAfterCommit) => {
                    self.shared.reached.send_replace(true);
                    return;
                }
                Some(Point::ShutdownAfterCommit) => {
                    self.shared.reached.send_replace(true);
                    let _ = client.write_all(&shutdown()).await;
                    return;
                }
                Some(_) => self.stop().await,
                None => {
                    if client.write_all(&frame).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn take_point(&self) {
        *self.shared.point.lock().unwrap() = None;
    }

    async fn stop(&self) {
        self.shared.reached.send_replace(true);
        std::future::pending::<()>().await;
    }

    fn time_of(&self, frame: &[u8]) -> Duration {
        let rate = self.shared.bytes_a_second.load(Ordering::SeqCst);
        let micros = (frame.len() as u64 * 1_000_000).checked_div(rate);
        Duration::from_micros(micros.unwrap_or_default())
    }

    async fn unless_stopped(&self) {
        if self.shared.stopped_to.load(Ordering::SeqCst) >= self.number {
            std::future::pending::<()>().await;
        }
    }
}

/// What a server says that an administrator stops.
fn shutdown() -> Vec<u8> {
    let fields = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [&[ERROR_RESPONSE], &length[..], fields].concat()
}

fn mentions_append(frame: &[u8]) -> bool {
    let text = String::from_utf8_lossy(frame);
    text.contains("log.append") || text.contains("test.set_secret")
}

/// One message; the first of a client has no type. `None` at the end of the connection.
async fn read(from: &mut OwnedReadHalf, first: bool) -> Option<Vec<u8>> {
    let head = if first { 4 } else { 5 };
    let mut frame = vec![0; head];
    from.read_exact(&mut frame).await.ok()?;
    let length = u32::from_be_bytes(frame[head - 4..].try_into().ok()?) as usize;
    frame.resize(head - 4 + length, 0);
    from.read_exact(&mut frame[head..]).await.ok()?;
    Some(frame)
}
