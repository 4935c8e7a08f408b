//! What is logged. A test on one thread reads what it has caused itself.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ThisThread;

impl io::Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to write down, in all threads: a subscriber of one thread may miss what another thread was the first to log.
pub fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        tracing_subscriber::fmt()
            .with_writer(|| ThisThread)
            .with_ansi(false)
            .init();
    });
}

/// All lines of this thread.
pub fn of_this_thread() -> String {
    LINES.with_borrow(|lines| String::from_utf8_lossy(lines).into_owned())
}

/// Forgets the lines of this thread.
pub fn forget() {
    LINES.with_borrow_mut(Vec::clear);
}
