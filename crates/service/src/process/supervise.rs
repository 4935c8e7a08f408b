//! Runs `main` beside the signals and decides how the process ends.

use super::signals::Signals;
use super::{Error, Process};
use std::process::ExitCode;

/// How a process has ended.
pub(super) enum End {
    /// Everything that ran has finished.
    Drained(ExitCode),
    /// Something still runs and nobody waits for it.
    Aborted,
}

/// Why the process ends without waiting any longer.
enum Cut {
    SecondSignal(&'static str),
    DrainTimeout,
}

pub(super) async fn supervise(process: Process, main: impl AsyncFnOnce() -> Result<(), Error>) -> End {
    let signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!(error = crate::chain(&error), "signals cannot be listened to");
            return End::Drained(ExitCode::FAILURE);
        }
    };
    tokio::select! {
        code = work(&process, main) => End::Drained(code),
        cut = cut(&process, signals) => {
            match cut {
                Cut::SecondSignal(signal) => tracing::warn!(signal, "aborted by a second signal"),
                Cut::DrainTimeout => tracing::error!("aborted: the drain took too long"),
            }
            End::Aborted
        }
    }
}

/// Runs `main`, then waits for the workers.
async fn work(process: &Process, main: impl AsyncFnOnce() -> Result<(), Error>) -> ExitCode {
    let ended = main().await;
    process.request_shutdown();
    process.workers_ended().await;
    match ended {
        Err(error) => {
            tracing::error!(error = crate::chain(error.as_ref()), "ended by an error");
            ExitCode::FAILURE
        }
        Ok(()) if process.has_failed() => ExitCode::FAILURE,
        Ok(()) => {
            tracing::info!("ended");
            ExitCode::SUCCESS
        }
    }
}

/// First signal: drain. Second signal or too long a drain: no more waiting.
async fn cut(process: &Process, mut signals: Signals) -> Cut {
    let shutdown = process.shutdown();
    tokio::select! {
        signal = signals.next() => tracing::info!(signal, "draining"),
        () = shutdown.cancelled() => tracing::info!("draining"),
    }
    process.request_shutdown();
    tokio::select! {
        signal = signals.next() => Cut::SecondSignal(signal),
        () = tokio::time::sleep(process.drain_timeout()) => Cut::DrainTimeout,
    }
}
