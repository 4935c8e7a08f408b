//! A browser as far as the portal needs one: cookies, forms and redirects, and no script.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Method, Request, StatusCode, header};
use sekisho_gateway::backends::{Backends, Transport};
use sekisho_gateway::board::{Board, CurrentBoard};
use sekisho_gateway::edge::{Hosts, Proxies, RefusedForms};
use sekisho_gateway::maintenance::Maintenance;
use sekisho_gateway::notes::Disclosure;
use sekisho_gateway::seals::Seals;
use sekisho_gateway::{Gateway, build};
use sekisho_service::settings::KeyRing;
use tonic::transport::Channel;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::services;
use crate::world::World;

/// The first host.
pub const MAIN: &str = "portal.internal.gtol.ncc.go.jp";
/// The second host.
pub const STANDBY: &str = "portal2.internal.gtol.ncc.go.jp";

/// Where the provider sends whoever has signed in there.
pub const CALLBACK: &str =
    "/ncr/callback?code=canary-code&state=canary-state&iss=https%3A%2F%2Fncr.example.jp";

/// A browser with one tab.
#[derive(Clone)]
pub struct Browser {
    /// The portal.
    pub router: Router,
    /// What `Host` says.
    pub host: &'static str,
    /// What `Accept-Language` says, if anything.
    pub language: Option<&'static str>,
    /// Cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// The attributes with which each cookie came, of all that it ever had.
    pub attributes: BTreeMap<String, String>,
    /// The page that is open.
    pub page: Page,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its text.
    pub text: String,
    /// Where the address bar ended up, with the fragment.
    pub address: String,
}

impl Browser {
    /// A fresh browser at the portal of this world.
    pub fn new(world: &World) -> Self {
        Self::at(gateway(services::serve(world)))
    }

    /// A fresh browser at a portal with other settings.
    pub fn at(gateway: Gateway) -> Self {
        let page = Page::default();
        Self {
            router: build(gateway),
            host: MAIN,
            language: None,
            cookies: BTreeMap::new(),
            attributes: BTreeMap::new(),
            page,
        }
    }

    /// Opens an address and follows where it leads.
    pub async fn open(&mut self, path: &str) -> &Page {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        self.follow(request).await
    }

    /// Opens an address without following where it leads.
    pub async fn look(&mut self, path: &str) -> &Page {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        self.ask(request).await
    }

    /// Presses the button of the form with this action on the open page, after typing into its fields.
    pub async fn press(&mut self, action: &str, typed: &[(&str, &str)]) -> &Page {
        let request = self.filled(action, typed);
        self.follow(request).await
    }

    /// What [`Browser::press`] sends, without the redirect after it.
    pub async fn send(&mut self, action: &str, typed: &[(&str, &str)]) -> &Page {
        let request = self.filled(action, typed);
        self.ask(request).await
    }

    /// The request that the form with this action makes.
    pub fn filled(&self, action: &str, typed: &[(&str, &str)]) -> Request<Body> {
        let mut fields = self.page.fields(action);
        for (name, value) in typed {
            fields.insert((*name).to_owned(), (*value).to_owned());
        }
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        self.post(action, pairs.join("&"))
    }

    /// A POST with this body, as a browser of the same host sends it.
    pub fn post(&self, path: &str, body: impl Into<Body>) -> Request<Body> {
        self.request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header(header::ORIGIN, "null")
            .body(body.into())
            .unwrap()
    }

    /// A request with the cookies.
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let path = path.split('#').next().unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.host);
        request = request
            .header(header::USER_AGENT, "Test/1")
            .extension(ConnectInfo(peer()));
        if let Some(language) = self.language {
            request = request.header(header::ACCEPT_LANGUAGE, language);
        }
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request
    }

    /// Sends a request and follows where it leads.
    pub async fn follow(&mut self, request: Request<Body>) -> &Page {
        self.ask(request).await;
        for _ in 0..5 {
            let Some(location) = self.page.headers.get(header::LOCATION) else {
                break;
            };
            assert_eq!(self.page.status, StatusCode::SEE_OTHER);
            let location = location.to_str().unwrap().to_owned();
            let request = self.request(Method::GET, &location).body(Body::empty()).unwrap();
            self.ask(request).await;
            self.page.address = location;
        }
        &self.page
    }

    /// Sends a request; keeps the cookies of its answer.
    pub async fn ask(&mut self, request: Request<Body>) -> &Page {
        let address = request.uri().path().to_owned();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        self.page = Page {
            status: parts.status,
            headers: parts.headers,
            text,
            address,
        };
        &self.page
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
            self.attributes.insert(name.to_owned(), attributes.to_owned());
        }
    }

    /// Types the password; the e-mail page opens.
    pub async fn sign_in(&mut self) -> &Page {
        self.open("/signin").await;
        self.press("/signin", &[("user_id", "04500001"), ("password", "pass")])
            .await
    }

    /// Goes to the provider of NCR accounts and comes back signed in there.
    pub async fn come_back(&mut self) -> &Page {
        self.open("/signin").await;
        self.press("/ncr/start", &[]).await;
        self.open(CALLBACK).await
    }

    /// Asks for a new password; the page with the code opens.
    pub async fn forget(&mut self) -> &Page {
        self.open("/password/forgot").await;
        self.press("/password/forgot", &[("user_id", "04500001")]).await
    }

    /// Proves the address of a forgotten password; the page for a new one opens.
    pub async fn forget_and_prove(&mut self) -> &Page {
        self.forget().await;
        self.press("/password/forgot/code/verify", &[("code", crate::world::CODE)])
            .await
    }

    /// Goes all the way to the top page.
    pub async fn sign_in_fully(&mut self) -> &Page {
        self.sign_in().await;
        self.press("/signin/email/send", &[]).await;
        self.press("/signin/email/verify", &[("code", crate::world::CODE)])
            .await;
        self.press("/signin/email/continue", &[]).await
    }
}

impl Page {
    /// The hidden and filled-in fields of the form with this action.
    pub fn fields(&self, action: &str) -> BTreeMap<String, String> {
        let form = self.form(action);
        let inputs = form
            .split("<input ")
            .skip(1)
            .map(|input| &input[..input.find('>').unwrap()]);
        // What has no name is not sent.
        let field = |input| {
            Some((
                attribute(input, "name")?,
                attribute(input, "value").unwrap_or_default(),
            ))
        };
        inputs.filter_map(field).collect()
    }

    /// The form with this action.
    pub fn form(&self, action: &str) -> &str {
        let start = self.text.find(&format!("action=\"{action}\""));
        let form = &self.text[start.unwrap_or_else(|| panic!("no form {action} on {}", self.text))..];
        &form[..form.find("</form>").unwrap()]
    }

    /// Whether the page shows a text.
    pub fn shows(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// What the title says.
    pub fn title(&self) -> &str {
        let (_, rest) = self.text.split_once("<title>").unwrap();
        rest.split_once("</title>").unwrap().0
    }

    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }
}

/// A portal over a connection to scripted services.
pub fn gateway(channel: Channel) -> Gateway {
    Gateway {
        backends: backends(channel),
        seals: Seals::new(keys()),
        hosts: Hosts::new([MAIN, STANDBY, "localhost"].map(String::from)),
        disclosure: Disclosure::Seed,
        proxies: Proxies::default(),
        board: CurrentBoard::of(Board::default()),
        maintenance: Maintenance::of(BTreeSet::new()),
        refused_forms: RefusedForms::default(),
    }
}

/// All three services over one connection.
pub fn backends(channel: Channel) -> Backends {
    let transport = transport(channel);
    Backends::new(transport.clone(), transport.clone(), transport)
}

/// A portal behind which nothing listens.
pub fn alone() -> Gateway {
    gateway(Channel::from_static("http://127.0.0.1:1").connect_lazy())
}

fn transport(channel: Channel) -> Transport {
    let failed = |error: tonic::transport::Error| tonic::Status::from_error(error.into());
    BoxCloneSyncService::new(channel.map_err(failed))
}

fn keys() -> KeyRing {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "test {}", "5a".repeat(32)).unwrap();
    KeyRing::read(file.path()).unwrap()
}

fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], 50_000))
}

fn attribute(input: &str, name: &str) -> Option<String> {
    let (_, rest) = input.split_once(&format!("{name}=\""))?;
    Some(rest[..rest.find('"')?].to_owned())
}

/// As a form encodes a value.
pub fn encode(value: &str) -> String {
    value
        .bytes()
        .fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}
