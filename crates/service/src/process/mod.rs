//! The life of a process: arguments, settings, telemetry, work, drain, exit code.

mod arguments;
mod handle;
mod signals;
mod supervise;

pub use handle::Process;

use crate::settings::{self, Mistakes, Reader, Settings, Source};
use crate::telemetry::{LogFilter, Telemetry};
use arguments::Asked;
use std::process::ExitCode;
use std::time::Duration;
use supervise::End;

/// Anything that can end a process, for services that use one error type of their own or `anyhow`.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A configuration that cannot be used (`EX_USAGE` of sysexits.h).
pub const EXIT_CONFIGURATION: u8 = 64;

/// A fifth of a request's time went into the allocator of the C library (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the runtime waits for blocking work, such as a password hash, once everything else has ended.
const LAST_WORK: Duration = Duration::from_millis(500);

/// What every process reads.
#[derive(Debug)]
struct ProcessSettings {
    drain_timeout: Duration,
}

/// Runs the service `name` (`otp`) until it is told to end.
///
/// Reads `--version`, `--help`, `--settings` and the settings `C` (prefix `SEKISHO_OTP_`), starts telemetry, then hands over to
/// `main`. The first SIGTERM or SIGINT cancels [`Process::shutdown`]; `main` should then finish what runs and return.
///
/// Exit codes: 0 after a drain; 64 for mistakes in the configuration, all of them on standard error; 1 if `main` or a
/// background task failed, if draining took longer than `DRAIN_TIMEOUT`, or after a second signal.
pub fn run<C: Settings, E: Into<Error>>(
    name: &'static str,
    main: impl AsyncFnOnce(C, Process) -> Result<(), E>,
) -> ExitCode {
    let prefix = prefix(name);
    match arguments::parse(std::env::args().skip(1)) {
        Asked::Version => {
            println!("{}", crate::version::line(&program(name)));
            return ExitCode::SUCCESS;
        }
        Asked::Help => {
            print!("{}", arguments::help(&program(name), &documented::<C>(&prefix)));
            return ExitCode::SUCCESS;
        }
        Asked::Settings => {
            print!("{}", settings::markdown(&documented::<C>(&prefix)));
            return ExitCode::SUCCESS;
        }
        Asked::Unknown(argument) => {
            eprintln!("{}: unknown argument {argument}; try --help", program(name));
            return ExitCode::from(EXIT_CONFIGURATION);
        }
        Asked::Nothing => {}
    }
    let source = Source::environment();
    match load::<C>(&prefix, &source) {
        Ok(settings) => start(name, settings, &source, main),
        Err(mistakes) => {
            eprintln!("{}: {mistakes}", program(name));
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}

struct Loaded<C> {
    process: ProcessSettings,
    log: LogFilter,
    service: C,
    unknown: Vec<String>,
}

fn load<C: Settings>(prefix: &str, source: &Source) -> Result<Loaded<C>, Mistakes> {
    let own = settings::load::<(C, ProcessSettings)>(prefix, source);
    let shared = settings::load::<LogFilter>("SEKISHO_", source);
    match (own, shared) {
        (Ok((service, process)), Ok(log)) => Ok(Loaded {
            process,
            log,
            service,
            unknown: settings::unknown::<(C, ProcessSettings)>(prefix, source),
        }),
        (own, shared) => Err(own.err().into_iter().chain(shared.err()).collect()),
    }
}

fn start<C: Settings, E: Into<Error>>(
    name: &'static str,
    loaded: Loaded<C>,
    source: &Source,
    main: impl AsyncFnOnce(C, Process) -> Result<(), E>,
) -> ExitCode {
    crate::crypto::install();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(name, &error),
    };
    let telemetry = {
        let _inside = runtime.enter();
        Telemetry::start(&program(name), &loaded.log, source)
    };
    let telemetry = match telemetry {
        Ok(telemetry) => telemetry,
        Err(error) => return failed(name, &error),
    };
    std::panic::set_hook(Box::new(log_panic));
    for variable in &loaded.unknown {
        tracing::warn!(
            variable,
            "a variable with this process's prefix that it does not know"
        );
    }
    let process = Process::new(loaded.process.drain_timeout);
    let service = loaded.service;
    let end = runtime.block_on(supervise::supervise(process.clone(), async move || {
        main(service, process).await.map_err(Into::into)
    }));
    match end {
        End::Drained(code) => {
            telemetry.flush();
            runtime.shutdown_timeout(LAST_WORK);
            code
        }
        End::Aborted => {
            runtime.shutdown_background();
            ExitCode::FAILURE
        }
    }
}

/// One line that says where. The message stays out: it may repeat a value that no log may hold.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "panicked");
}

fn failed(name: &str, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("{}: {}", program(name), crate::chain(error));
    ExitCode::FAILURE
}

fn documented<C: Settings>(prefix: &str) -> Vec<settings::Setting> {
    let mut all = settings::reference::<(C, ProcessSettings)>(prefix);
    all.extend(settings::reference::<LogFilter>("SEKISHO_"));
    all
}

fn prefix(name: &str) -> String {
    format!("SEKISHO_{}_", name.to_uppercase())
}

fn program(name: &str) -> String {
    format!("sekisho-{name}")
}

impl Settings for ProcessSettings {
    fn read(reader: &mut Reader) -> Option<Self> {
        let help = "how long running work may take to finish after a signal";
        let drain_timeout = reader.or("DRAIN_TIMEOUT", "20s", help);
        Some(Self {
            drain_timeout: drain_timeout?,
        })
    }
}
