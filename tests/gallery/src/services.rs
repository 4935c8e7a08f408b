//! The three services, scripted, in this process.

use std::future::ready;
use std::io;

use http::Uri;
use hyper_util::rt::TokioIo;
use prost_types::Timestamp;
use sekisho_proto::credentials::v1 as credentials;
use sekisho_proto::credentials::v1::credentials_service_server::{
    CredentialsService, CredentialsServiceServer,
};
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::flow_view::{Mail, Stage};
use sekisho_proto::otp::v1::otp_service_server::{OtpService, OtpServiceServer};
use sekisho_proto::sessions::v1 as sessions;
use sekisho_proto::sessions::v1::sessions_service_server::{SessionsService, SessionsServiceServer};
use sekisho_service::refusal::refuse;
use sha2::{Digest, Sha256};
use tokio::io::duplex;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tower::service_fn;

use crate::world::{AUTHORIZATION, CODE, OLD_CODE, State, World, at, not_sent, sent};

/// Where the scripted session starts stand in the log.
pub const POSITION: u64 = 77;
/// The scripted flow.
pub const FLOW: [u8; 16] = [7; 16];

/// Bytes on their way in one direction, at most.
const UNDER_WAY: usize = 64 * 1024;

/// Serves all three for as long as somebody has the channel. Through memory: a test that begins thousands of times would run out
/// of ports.
pub fn serve(world: &World) -> Channel {
    let (connections, incoming) = mpsc::unbounded_channel();
    let server = Server::builder()
        .add_service(CredentialsServiceServer::new(world.clone()))
        .add_service(OtpServiceServer::new(world.clone()))
        .add_service(SessionsServiceServer::new(world.clone()))
        .serve_with_incoming(UnboundedReceiverStream::new(incoming));
    tokio::spawn(server);
    let connect = service_fn(move |_: Uri| {
        let (client, server) = duplex(UNDER_WAY);
        let accepted = connections.send(Ok::<_, io::Error>(server));
        ready(accepted.map(|()| TokioIo::new(client)))
    });
    Endpoint::from_static("http://services").connect_with_connector_lazy(connect)
}

fn open(state: &State, flow_id: &[u8], secret: &[u8]) -> Result<(), Status> {
    let right = flow_id == FLOW && Sha256::digest(secret).as_slice() == state.digest;
    if right {
        Ok(())
    } else {
        Err(refuse(Code::PermissionDenied, "FLOW_SECRET_WRONG", "scripted"))
    }
}

#[tonic::async_trait]
impl CredentialsService for World {
    async fn verify_password(
        &self,
        request: Request<credentials::VerifyPasswordRequest>,
    ) -> Result<Response<credentials::VerifyPasswordResponse>, Status> {
        use credentials::verify_password_response::{Accepted, MustChange, Outcome, Rejected};
        let asked = request.into_inner();
        let mut state = self.called(
            "VerifyPassword",
            format!("{}|{}", asked.login_id, asked.password).as_bytes(),
        )?;
        state.devices_are_new.push(asked.device_is_new);
        state.devices.push(asked.device);
        state.client = asked.client.map(|client| (client.address, client.user_agent));
        let outcome = if let Some(reason) = state.rejected {
            Outcome::Rejected(Rejected {
                reason: reason.into(),
            })
        } else {
            state.digest = asked.secret_digest;
            state.flow = not_sent();
            state.is_reset = state.must_change;
            let flow_id = FLOW.to_vec();
            if state.must_change {
                Outcome::MustChange(MustChange { flow_id })
            } else {
                Outcome::Accepted(Accepted { flow_id })
            }
        };
        Ok(Response::new(credentials::VerifyPasswordResponse {
            outcome: Some(outcome),
        }))
    }

    async fn describe_flow(
        &self,
        request: Request<credentials::DescribeFlowRequest>,
    ) -> Result<Response<credentials::DescribeFlowResponse>, Status> {
        use credentials::describe_flow_response::{NewPassword, Person};
        let asked = request.into_inner();
        let state = self.called("DescribeFlow", &asked.min_position.to_be_bytes())?;
        open(&state, &asked.flow_id, &asked.flow_secret)?;
        let verified = state.flow.stage() == Stage::Verified;
        if state.is_reset {
            return Ok(Response::new(credentials::DescribeFlowResponse {
                new_password: verified.then_some(NewPassword {
                    shortest: 15,
                    longest: 128,
                }),
                ..Default::default()
            }));
        }
        let person = state.person.clone().filter(|_| state.token.is_some());
        Ok(Response::new(credentials::DescribeFlowResponse {
            masked_address: "g*****@example.com".into(),
            address: if verified {
                "gantoroku@example.com".into()
            } else {
                String::new()
            },
            person: person.map(|(facility, name)| Person { facility, name }),
            new_password: None,
        }))
    }

    async fn request_password_reset(
        &self,
        request: Request<credentials::RequestPasswordResetRequest>,
    ) -> Result<Response<credentials::RequestPasswordResetResponse>, Status> {
        let asked = request.into_inner();
        let mut state = self.called("RequestPasswordReset", asked.login_id.as_bytes())?;
        state.client = asked.client.map(|client| (client.address, client.user_agent));
        state.digest = asked.secret_digest;
        state.flow = not_sent();
        state.is_reset = true;
        Ok(Response::new(credentials::RequestPasswordResetResponse {
            flow_id: FLOW.to_vec(),
        }))
    }

    async fn note_refused_forms(
        &self,
        request: Request<credentials::NoteRefusedFormsRequest>,
    ) -> Result<Response<credentials::NoteRefusedFormsResponse>, Status> {
        let asked = request.into_inner();
        let address = asked.client.map(|client| client.address).unwrap_or_default();
        let told = format!("{} from {address}", asked.forms);
        drop(self.called("NoteRefusedForms", told.as_bytes())?);
        Ok(Response::new(credentials::NoteRefusedFormsResponse {}))
    }

    async fn begin_federated_sign_in(
        &self,
        request: Request<credentials::BeginFederatedSignInRequest>,
    ) -> Result<Response<credentials::BeginFederatedSignInResponse>, Status> {
        let asked = request.into_inner();
        let told = format!("{}|{}", asked.host, asked.ask_again);
        let mut state = self.called("BeginFederatedSignIn", told.as_bytes())?;
        state.digest = asked.secret_digest;
        state.flow = not_sent();
        Ok(Response::new(credentials::BeginFederatedSignInResponse {
            flow_id: FLOW.to_vec(),
            url: AUTHORIZATION.into(),
        }))
    }

    async fn finish_federated_sign_in(
        &self,
        request: Request<credentials::FinishFederatedSignInRequest>,
    ) -> Result<Response<credentials::FinishFederatedSignInResponse>, Status> {
        use credentials::finish_federated_sign_in_response::{Accepted, Outcome, Reason, Rejected};
        let asked = request.into_inner();
        let told = [
            asked.host.as_str(),
            &asked.state,
            &asked.code,
            &asked.iss,
            &asked.error,
            &asked.error_description,
        ];
        let mut state = self.called("FinishFederatedSignIn", told.join("|").as_bytes())?;
        state.client = asked.client.map(|client| (client.address, client.user_agent));
        let is_its_own = open(&state, &asked.flow_id, &asked.flow_secret).is_ok();
        let reason = match state.unvouched {
            _ if !is_its_own || asked.state != "canary-state" => Some(Reason::Binding),
            reason => reason,
        };
        let outcome = if let Some(reason) = reason {
            Outcome::Rejected(Rejected {
                reason: reason.into(),
            })
        } else {
            state.flow.stage = Stage::Verified.into();
            Outcome::Accepted(Accepted {
                end_session_url: state.end_session_url.clone(),
            })
        };
        Ok(Response::new(credentials::FinishFederatedSignInResponse {
            outcome: Some(outcome),
        }))
    }

    async fn set_password(
        &self,
        request: Request<credentials::SetPasswordRequest>,
    ) -> Result<Response<credentials::SetPasswordResponse>, Status> {
        let asked = request.into_inner();
        let mut state = self.called("SetPassword", asked.new_password.as_bytes())?;
        open(&state, &asked.flow_id, &asked.flow_secret)?;
        if state.flow.stage() != Stage::Verified {
            return Err(refuse(Code::FailedPrecondition, "EVIDENCE_MISSING", "scripted"));
        }
        state.devices.push(asked.device);
        Ok(Response::new(credentials::SetPasswordResponse {
            position: POSITION,
        }))
    }

    async fn resolve_address(
        &self,
        _: Request<credentials::ResolveAddressRequest>,
    ) -> Result<Response<credentials::ResolveAddressResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }
}

#[tonic::async_trait]
impl OtpService for World {
    async fn issue_code(
        &self,
        request: Request<otp::IssueCodeRequest>,
    ) -> Result<Response<otp::IssueCodeResponse>, Status> {
        let asked = request.into_inner();
        let mut state = self.called("IssueCode", &asked.command_id)?;
        open(&state, &asked.flow_id, &asked.flow_secret)?;
        state.flow = sent();
        if state.is_reset {
            // Of a reset nothing is told of the mail.
            state.flow.mail = Mail::Unspecified.into();
            state.flow.mailed_at = None;
        }
        Ok(Response::new(otp::IssueCodeResponse {
            flow: Some(state.flow.clone()),
        }))
    }

    async fn verify_code(
        &self,
        request: Request<otp::VerifyCodeRequest>,
    ) -> Result<Response<otp::VerifyCodeResponse>, Status> {
        use otp::verify_code_response::{Accepted, Outcome, Rejected};
        let asked = request.into_inner();
        let mut state = self.called("VerifyCode", asked.code.as_bytes())?;
        open(&state, &asked.flow_id, &asked.flow_secret)?;
        if asked.code.len() != 6 {
            return Err(refuse(Code::InvalidArgument, "OTP_CODE_MALFORMED", "scripted"));
        }
        let outcome = if asked.code == CODE {
            state.flow.stage = Stage::Verified.into();
            Outcome::Accepted(Accepted { position: 42 })
        } else {
            state.flow.tries_left = state.flow.tries_left.saturating_sub(1);
            state.flow.was_guessed_at = true;
            if state.flow.tries_left == 0 {
                state.flow.stage = Stage::Spent.into();
            }
            Outcome::Rejected(Rejected {
                tries_left: state.flow.tries_left,
                replaced: asked.code == OLD_CODE,
            })
        };
        Ok(Response::new(otp::VerifyCodeResponse {
            outcome: Some(outcome),
        }))
    }

    async fn cancel_flow(
        &self,
        request: Request<otp::CancelFlowRequest>,
    ) -> Result<Response<otp::CancelFlowResponse>, Status> {
        let asked = request.into_inner();
        let mut state = self.called("CancelFlow", &[])?;
        open(&state, &asked.flow_id, &asked.flow_secret)?;
        state.digest.clear();
        Ok(Response::new(otp::CancelFlowResponse {}))
    }

    async fn get_flow(
        &self,
        request: Request<otp::GetFlowRequest>,
    ) -> Result<Response<otp::GetFlowResponse>, Status> {
        let asked = request.into_inner();
        let state = self.called("GetFlow", &[])?;
        open(&state, &asked.flow_id, &asked.flow_secret)?;
        Ok(Response::new(otp::GetFlowResponse {
            flow: Some(state.flow.clone()),
        }))
    }
}

#[tonic::async_trait]
impl SessionsService for World {
    async fn start(
        &self,
        request: Request<sessions::StartRequest>,
    ) -> Result<Response<sessions::StartResponse>, Status> {
        let asked = request.into_inner();
        let mut state = self.called("Start", &[])?;
        open(&state, &asked.flow_id, &asked.flow_secret)?;
        if state.flow.stage() != Stage::Verified {
            return Err(refuse(Code::FailedPrecondition, "EVIDENCE_MISSING", "scripted"));
        }
        let token = Sha256::digest([b"token", asked.flow_secret.as_slice()].concat()).to_vec();
        state.token = Some(token.clone());
        Ok(Response::new(sessions::StartResponse {
            token,
            session_id: vec![1; 16],
            position: POSITION,
            previous_started_at: state.last,
        }))
    }

    async fn check(
        &self,
        request: Request<sessions::CheckRequest>,
    ) -> Result<Response<sessions::CheckResponse>, Status> {
        let asked = request.into_inner();
        let state = self.called("Check", &[])?;
        if state.token.as_ref() == Some(&asked.token) {
            let (idle, absolute) = state.left.unwrap_or((1_800, 43_200));
            Ok(Response::new(sessions::CheckResponse {
                // As it is in life: between two seconds.
                now: (!state.is_timeless).then(|| Timestamp { nanos: 1, ..at(0) }),
                idle_deadline: Some(at(idle)),
                absolute_deadline: Some(at(absolute)),
                ..sessions::CheckResponse::default()
            }))
        } else {
            Err(refuse(Code::Unauthenticated, "SESSION_SIGNED_OUT", "scripted"))
        }
    }

    async fn get_history(
        &self,
        request: Request<sessions::GetHistoryRequest>,
    ) -> Result<Response<sessions::GetHistoryResponse>, Status> {
        use sessions::get_history_response::{Happening, Session, What};
        let asked = request.into_inner();
        let state = self.called("GetHistory", &asked.token)?;
        let happening = |(seconds, what, count): (i64, What, u32)| Happening {
            at: Some(at(-seconds)),
            what: what.into(),
            count,
            first_at: Some(at(-seconds - 60 * i64::from(count - 1))),
        };
        let happenings = [
            (0, What::SignedIn, 1),
            (5, What::CodeAccepted, 1),
            (20, What::CodeMailed, 1),
            (25, What::PasswordAccepted, 1),
            (40, What::PasswordWrong, 3),
            (50, What::Unspecified, 1),
            (86_400, What::SignedOut, 1),
            (90_000, What::RefusedLocked, 250),
        ];
        let others = (0..state.others).map(|number| Session {
            started_at: Some(at(-3_600 * i64::from(number + 1))),
            own: false,
        });
        let own = Session {
            started_at: Some(at(0)),
            own: true,
        };
        Ok(Response::new(sessions::GetHistoryResponse {
            happenings: happenings.map(happening).to_vec(),
            sessions: others.chain([own]).collect(),
        }))
    }

    async fn end_others(
        &self,
        request: Request<sessions::EndOthersRequest>,
    ) -> Result<Response<sessions::EndOthersResponse>, Status> {
        let asked = request.into_inner();
        let mut state = self.called("EndOthers", &asked.token)?;
        let ended = std::mem::take(&mut state.others);
        Ok(Response::new(sessions::EndOthersResponse { ended }))
    }

    async fn get_maintenance(
        &self,
        _: Request<sessions::GetMaintenanceRequest>,
    ) -> Result<Response<sessions::GetMaintenanceResponse>, Status> {
        let state = self.called("GetMaintenance", &[])?;
        Ok(Response::new(sessions::GetMaintenanceResponse {
            closed_hosts: state.closed_hosts.clone(),
        }))
    }

    async fn end(
        &self,
        request: Request<sessions::EndRequest>,
    ) -> Result<Response<sessions::EndResponse>, Status> {
        let asked = request.into_inner();
        let mut state = self.called("End", &[])?;
        if state.token.as_ref() == Some(&asked.token) {
            state.token = None;
        }
        Ok(Response::new(sessions::EndResponse {
            position: 78,
            unrecorded: state.unrecorded,
        }))
    }
}
