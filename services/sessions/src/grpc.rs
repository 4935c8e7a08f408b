//! Protobuf to use cases and back. No rules.

use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_proto::sessions::v1::administration_service_server::AdministrationService;
use sekisho_proto::sessions::v1::get_history_response::Happening;
use sekisho_proto::sessions::v1::sessions_service_server::SessionsService;
use sekisho_proto::sessions::v1::{
    CheckRequest, CheckResponse, CutSessionsRequest, CutSessionsResponse, EndOthersRequest,
    EndOthersResponse, EndRequest, EndResponse, EndSessionRequest, EndSessionResponse, GetHistoryRequest,
    GetHistoryResponse, GetMaintenanceRequest, GetMaintenanceResponse, ListSessionsRequest,
    ListSessionsResponse, StartRequest, StartResponse, VerifyStateRequest, VerifyStateResponse,
    get_history_response, list_sessions_response, verify_state_response,
};
use sekisho_proto::to_timestamp;
use sekisho_service::refusal::{self, malformed};
use sekisho_service::server::{Method, Peer};
use sekisho_service::settings::Secret;
use sekisho_service::{Late, roles, second_best};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::app::{Confirmed, Ended, Error, Sessions, Verified};
use crate::domain::SessionId;

/// Who may call what on the main listener.
pub const CALLERS: &[Method] = &[
    Method {
        path: "/signin.sessions.v1.SessionsService/Start",
        roles: &[roles::GATEWAY],
    },
    Method {
        path: "/signin.sessions.v1.SessionsService/Check",
        roles: &[roles::GATEWAY],
    },
    Method {
        path: "/signin.sessions.v1.SessionsService/End",
        roles: &[roles::GATEWAY],
    },
    Method {
        path: "/signin.sessions.v1.SessionsService/GetHistory",
        roles: &[roles::GATEWAY],
    },
    Method {
        path: "/signin.sessions.v1.SessionsService/EndOthers",
        roles: &[roles::GATEWAY],
    },
    Method {
        path: "/signin.sessions.v1.SessionsService/GetMaintenance",
        roles: &[roles::GATEWAY],
    },
];

/// Who may call what on the administration listener.
pub const ADMINISTRATORS: &[Method] = &[
    Method {
        path: "/signin.sessions.v1.AdministrationService/CutSessions",
        roles: &[roles::ADMINISTRATOR],
    },
    Method {
        path: "/signin.sessions.v1.AdministrationService/ListSessions",
        roles: &[roles::ADMINISTRATOR],
    },
    Method {
        path: "/signin.sessions.v1.AdministrationService/EndSession",
        roles: &[roles::ADMINISTRATOR],
    },
    Method {
        path: "/signin.sessions.v1.AdministrationService/VerifyState",
        roles: &[roles::ADMINISTRATOR],
    },
];

/// Both services. Answers NOT_READY until the log was reached for the first time.
#[derive(Debug, Clone, Default)]
pub struct Api(pub Late<Sessions>);

#[tonic::async_trait]
impl SessionsService for Api {
    async fn start(&self, request: Request<StartRequest>) -> Result<Response<StartResponse>, Status> {
        let StartRequest { flow_id, flow_secret } = request.into_inner();
        let flow_secret = Secret::new(flow_secret);
        let flow = FlowId::try_from(flow_id.as_slice()).map_err(|_| malformed("flow_id", 16))?;
        let started = self.0.get()?.start(flow, flow_secret.expose()).await?;
        Ok(Response::new(StartResponse {
            token: started.token.expose().to_vec(),
            session_id: started.session.to_vec(),
            position: started.position.0,
            previous_started_at: started.previous_started_at.map(to_timestamp),
        }))
    }

    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let token = Secret::new(request.into_inner().token);
        let checked = self.0.get()?.check(token.expose()).await?;
        let answer = Response::new(CheckResponse {
            session_id: checked.session.to_vec(),
            account_id: checked.account.to_vec(),
            started_at: Some(to_timestamp(checked.started_at)),
            idle_deadline: Some(to_timestamp(checked.live.idle)),
            absolute_deadline: Some(to_timestamp(checked.live.absolute)),
            last_confirmed_at: checked.last_confirmed_at.map(to_timestamp),
            now: Some(to_timestamp(checked.now)),
        });
        Ok(match checked.last_confirmed_at {
            Some(_) => second_best::mark(answer),
            None => answer,
        })
    }

    async fn end(&self, request: Request<EndRequest>) -> Result<Response<EndResponse>, Status> {
        let token = Secret::new(request.into_inner().token);
        let ended = self.0.get()?.end(token.expose()).await?;
        let position = match ended {
            Ended::Recorded(position) => position,
            Ended::Unrecorded | Ended::Nothing => Position(0),
        };
        Ok(Response::new(EndResponse {
            position: position.0,
            unrecorded: ended == Ended::Unrecorded,
        }))
    }

    async fn get_history(
        &self,
        request: Request<GetHistoryRequest>,
    ) -> Result<Response<GetHistoryResponse>, Status> {
        let token = Secret::new(request.into_inner().token);
        let history = self.0.get()?.history(token.expose()).await?;
        let happenings = history.happenings.into_iter().map(|happening| Happening {
            at: Some(to_timestamp(happening.at)),
            what: happening.what.into(),
            count: happening.count,
            first_at: Some(to_timestamp(happening.first_at)),
        });
        let sessions = history
            .sessions
            .into_iter()
            .map(|session| get_history_response::Session {
                started_at: Some(to_timestamp(session.started_at)),
                own: session.own,
            });
        Ok(Response::new(GetHistoryResponse {
            happenings: happenings.collect(),
            sessions: sessions.collect(),
        }))
    }

    async fn end_others(
        &self,
        request: Request<EndOthersRequest>,
    ) -> Result<Response<EndOthersResponse>, Status> {
        let token = Secret::new(request.into_inner().token);
        let ended = self.0.get()?.end_others(token.expose()).await?;
        Ok(Response::new(EndOthersResponse {
            ended: u32::try_from(ended).unwrap_or(u32::MAX),
        }))
    }

    async fn get_maintenance(
        &self,
        _: Request<GetMaintenanceRequest>,
    ) -> Result<Response<GetMaintenanceResponse>, Status> {
        let (closed_hosts, confirmed) = self.0.get()?.closed_hosts().await?;
        let answer = Response::new(GetMaintenanceResponse {
            closed_hosts: closed_hosts.into_iter().collect(),
        });
        Ok(match confirmed {
            Confirmed::Now => answer,
            Confirmed::Before => second_best::mark(answer),
        })
    }
}

#[tonic::async_trait]
impl AdministrationService for Api {
    async fn cut_sessions(
        &self,
        request: Request<CutSessionsRequest>,
    ) -> Result<Response<CutSessionsResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let account = account(&request.into_inner().account_id)?;
        let cut = self.0.get()?.cut(account, &actor).await?;
        Ok(Response::new(CutSessionsResponse { position: cut.0 }))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let account = account(&request.into_inner().account_id)?;
        let sessions = self.0.get()?.list(account).await?;
        let sessions = sessions
            .into_iter()
            .map(|checked| list_sessions_response::Session {
                session_id: checked.session.to_vec(),
                started_at: Some(to_timestamp(checked.started_at)),
                idle_deadline: Some(to_timestamp(checked.live.idle)),
                absolute_deadline: Some(to_timestamp(checked.live.absolute)),
            });
        Ok(Response::new(ListSessionsResponse {
            sessions: sessions.collect(),
        }))
    }

    async fn end_session(
        &self,
        request: Request<EndSessionRequest>,
    ) -> Result<Response<EndSessionResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let asked = request.into_inner();
        let account = account(&asked.account_id)?;
        let session =
            SessionId::try_from(asked.session_id.as_slice()).map_err(|_| malformed("session_id", 16))?;
        let ended = self.0.get()?.revoke(account, session, &actor).await?;
        Ok(Response::new(EndSessionResponse {
            position: ended.unwrap_or(Position(0)).0,
        }))
    }

    type VerifyStateStream = ReceiverStream<Result<VerifyStateResponse, Status>>;

    async fn verify_state(
        &self,
        _: Request<VerifyStateRequest>,
    ) -> Result<Response<Self::VerifyStateStream>, Status> {
        let sessions = self.0.get()?.clone();
        let (steps, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            let hear = |position, head| {
                // Whoever reads slowly hears less of the way.
                let _ = steps.try_send(Ok(progress(position, head)));
            };
            let verified = tokio::select! {
                verified = sessions.verify(hear) => verified,
                () = steps.closed() => return,
            };
            // A caller that has gone needs no result.
            let _ = steps.send(verified.map(Into::into).map_err(Into::into)).await;
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

impl From<Verified> for VerifyStateResponse {
    fn from(verified: Verified) -> Self {
        let result = verify_state_response::Result {
            position: verified.position.0,
            digest: verified.digest.to_vec(),
            rebuilt_digest: verified.rebuilt.to_vec(),
            sessions: verified.sessions as u64,
            differing_session_ids: verified.differing.into_iter().map(SessionId::to_vec).collect(),
        };
        Self {
            step: Some(verify_state_response::Step::Result(result)),
        }
    }
}

fn progress(position: Position, head: Position) -> VerifyStateResponse {
    let progress = verify_state_response::Progress {
        position: position.0,
        head: head.0,
    };
    VerifyStateResponse {
        step: Some(verify_state_response::Step::Progress(progress)),
    }
}

fn account(id: &[u8]) -> Result<StreamId, Status> {
    StreamId::try_from(id).map_err(|_| malformed("account_id", 16))
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        refusal::status(&error)
    }
}
