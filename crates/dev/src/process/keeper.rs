//! One thread that lives as long as this process and starts every child.
//!
//! The kernel's parent-death signal (prctl(2), `PR_SET_PDEATHSIG`) comes when the *thread* that started the child
//! ends. A child started by a test's own thread would die with that test, while others still use it.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

struct Order {
    command: Command,
    answer: Sender<io::Result<Child>>,
}

static KEEPER: OnceLock<Sender<Order>> = OnceLock::new();

/// Starts a command from the keeper's thread.
///
/// # Errors
/// When the command cannot be started.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    let (answer, answered) = channel();
    let gone = |_| io::Error::other("the thread that starts processes has ended");
    keeper()
        .send(Order { command, answer })
        .map_err(|_| io::Error::other("no thread starts processes"))?;
    answered.recv().map_err(gone)?
}

fn keeper() -> &'static Sender<Order> {
    KEEPER.get_or_init(|| {
        let (orders, received) = channel();
        thread::spawn(move || keep(&received));
        orders
    })
}

fn keep(orders: &Receiver<Order>) {
    for mut order in orders {
        // Whoever asked has gone: then the child has no owner and must not stay.
        if let Err(unclaimed) = order.answer.send(order.command.spawn())
            && let Ok(mut child) = unclaimed.0
        {
            let _ = child.kill();
        }
    }
}
