//! What the log says of a call that fails.

use crate::support::api::cut;
use crate::support::sample::Settings;
use crate::support::{Authority, url};
use rustix::process::Signal;
use sekisho_service::client;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_has_one_line_in_the_log() {
    let authority = Authority::new();
    authority.certify("sessions");
    for (fault, message) in [
        ("call-refuses", "not answered"),
        ("call-fails", "a call failed"),
        ("call-panics", "panicked"),
    ] {
        let mut sample = Settings::working(&authority, "sessions")
            .set("FAULT", fault)
            .start();
        let urls = [url(sample.address())];
        let channel = client::connect("sessions", &urls, &authority.certify("administrator")).unwrap();
        let failed = cut(&channel, 1).await.unwrap_err();
        assert_eq!(failed.code(), Code::Internal, "{fault}");
        assert!(!failed.message().contains("canary"), "{fault}");
        sample.line(message);
        sample.signal(Signal::TERM);
        assert_eq!(sample.ended().code(), Some(0));
        let lines = sample.lines();
        let faults: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
        assert_eq!(faults.len(), 1, "{fault}: {faults:?}");
        assert_eq!(faults[0]["message"], message);
    }
}
