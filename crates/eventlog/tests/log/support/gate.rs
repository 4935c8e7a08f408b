//! A proxy before NATS that can stop taking bytes.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Forwards bytes until it is closed; connections stay open then, and nothing is read.
pub struct Gate {
    pub address: SocketAddr,
    closed: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Gate {
    /// An open gate before a server.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let closed = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        let watching = closed.subscribe();
        tasks.spawn(async move {
            let mut pairs = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = TcpStream::connect(server).await.unwrap().into_split();
                pairs.spawn(forward(from_client, to_server, watching.clone()));
                pairs.spawn(forward(from_server, to_client, watching.clone()));
            }
        });
        Self {
            address,
            closed,
            _tasks: tasks,
        }
    }

    /// From now on nothing passes.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut closed: watch::Receiver<bool>) {
    let mut bytes = vec![0; 4096];
    loop {
        let read = tokio::select! {
            biased;
            _ = closed.changed() => None,
            read = from.read(&mut bytes) => Some(read),
        };
        match read {
            None => std::future::pending().await,
            Some(Ok(length @ 1..)) if to.write_all(&bytes[..length]).await.is_ok() => {}
            Some(_) => return,
        }
    }
}
