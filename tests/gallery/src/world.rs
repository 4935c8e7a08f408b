//! What the scripted services know and are told to do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prost_types::Timestamp;
use sekisho_proto::credentials::v1::finish_federated_sign_in_response::Reason as Unvouched;
use sekisho_proto::credentials::v1::verify_password_response::Reason;
use sekisho_proto::otp::v1::{FlowView, flow_view};
use tonic::{Code, Status};
use tracing_subscriber::layer::SubscriberExt;

/// A world of one account and one flow.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<State>>);

/// What is true in it.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of a script that have nothing to do with each other"
)]
pub struct State {
    /// What the next password gets; accepted by default.
    pub rejected: Option<Reason>,
    /// Whether the next password is a distributed one.
    pub must_change: bool,
    /// Whether the flow is a reset.
    pub is_reset: bool,
    /// Where the flow stands.
    pub flow: FlowView,
    /// What each method refuses with, by its name.
    pub refusals: HashMap<&'static str, (Code, &'static str)>,
    /// Every call, in order, with what matters of its question.
    pub calls: Vec<(&'static str, Vec<u8>)>,
    /// Digest of the secret of the newest flow.
    pub digest: Vec<u8>,
    /// The live session's token.
    pub token: Option<Vec<u8>>,
    /// Hosts that are closed for people.
    pub closed_hosts: Vec<String>,
    /// How many seconds the session still lives without activity, and whatever is done; half an hour and half a day by default.
    pub left: Option<(i64, i64)>,
    /// Whether sessions is of a version that tells no time.
    pub is_timeless: bool,
    /// How many other sessions the account has.
    pub others: u32,
    /// Whether the next end of a session cannot be recorded yet.
    pub unrecorded: bool,
    /// Facility and name.
    pub person: Option<(String, String)>,
    /// The sign-in before.
    pub last: Option<Timestamp>,
    /// The client that the last password came from.
    pub client: Option<(String, String)>,
    /// The device of each password, in order.
    pub devices: Vec<Vec<u8>>,
    /// What the provider says of the next person; accepted by default.
    pub unvouched: Option<Unvouched>,
    /// Where a sign-in ends at the provider.
    pub end_session_url: String,
    /// Whether each was made for its password.
    pub devices_are_new: Vec<bool>,
}

/// 10:23:45 on 2 March 2026 in Tokyo.
pub const SENT_AT: i64 = 1_772_414_625;
/// Where the provider signs people in.
pub const AUTHORIZATION: &str = "https://ncr.example.jp/auth?client_id=gtol&state=canary-state";
/// Where it signs them out.
pub const END_SESSION: &str = "https://ncr.example.jp/session/end?client_id=gtol";
/// The code that is right.
pub const CODE: &str = "123456";
/// A code that was right once.
pub const OLD_CODE: &str = "000000";

/// Traces whatever runs in this process, from before the gateway's first line on. Without it, a test that listens alone
/// may hear nothing: which spans anybody wants is decided when their line first runs, in whatever thread that is.
fn trace() {
    static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let provider = SdkTracerProvider::builder().build();
        let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(spans)).unwrap();
        provider
    });
}

impl World {
    /// A world in which everything works.
    pub fn new() -> Self {
        trace();
        let world = Self::default();
        {
            let mut state = world.state();
            state.flow = not_sent();
            state.person = Some(("国立がん研究センター中央病院".into(), "関所 花子".into()));
            state.last = Some(at(0));
            state.end_session_url = END_SESSION.into();
        }
        world
    }

    /// To look into and to change.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// From now on a method refuses.
    pub fn refuse(&self, method: &'static str, code: Code, reason: &'static str) {
        self.state().refusals.insert(method, (code, reason));
    }

    /// From now on a method works again.
    pub fn allow(&self, method: &'static str) {
        self.state().refusals.remove(method);
    }

    /// How often a method was called.
    pub fn count(&self, method: &str) -> usize {
        self.state()
            .calls
            .iter()
            .filter(|(name, _)| *name == method)
            .count()
    }

    /// Notes a call and gives its scripted refusal.
    pub fn called(&self, method: &'static str, what: &[u8]) -> Result<MutexGuard<'_, State>, Status> {
        let mut state = self.state();
        state.calls.push((method, what.to_vec()));
        match state.refusals.get(method) {
            Some((code, "")) => Err(Status::new(*code, "scripted")),
            Some((code, reason)) => Err(sekisho_service::refusal::refuse(*code, reason, "scripted")),
            None => Ok(state),
        }
    }
}

/// A flow whose password was right.
pub fn not_sent() -> FlowView {
    FlowView {
        stage: flow_view::Stage::NotSent.into(),
        tries_left: 5,
        ..FlowView::default()
    }
}

/// A flow whose code was mailed.
pub fn sent() -> FlowView {
    FlowView {
        stage: flow_view::Stage::Live.into(),
        mail: flow_view::Mail::HandedOver.into(),
        reference: "K7M2".into(),
        issued_at: Some(at(0)),
        mailed_at: Some(at(0)),
        expires_at: Some(at(600)),
        now: Some(at(1)),
        tries_left: 5,
        was_guessed_at: false,
        resend_at: None,
    }
}

/// So many seconds after [`SENT_AT`].
pub fn at(seconds: i64) -> Timestamp {
    Timestamp {
        seconds: SENT_AT + seconds,
        nanos: 0,
    }
}
