//! Somebody who visits the portal without a browser: keeps cookies, reads hidden fields, follows 303.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sekisho_dev::Stack;
use ureq::http::Response;

use crate::{ADDRESS, LOGIN, PASSWORD, mail};

/// One visitor with a cookie jar. The portal speaks plain HTTP on loopback; the jar keeps Secure cookies all the same,
/// as browsers do on localhost.
#[derive(Debug, Clone)]
pub struct Visitor {
    portal: String,
    agent: ureq::Agent,
    /// Names and values.
    pub cookies: BTreeMap<String, String>,
    /// Headers that go with every request.
    pub extra: Vec<(String, String)>,
}

/// An answer of the portal.
#[derive(Debug, Clone)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// Path of a redirect.
    pub location: Option<String>,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Page {
    /// The value of a hidden field of the form with this action.
    pub fn hidden(&self, action: &str, field: &str) -> Option<String> {
        let (_, form) = self.body.split_once(&format!("action=\"{action}\""))?;
        let form = form.split("</form>").next()?;
        let input = form
            .split("<input")
            .find(|input| input.contains(&format!("name=\"{field}\"")))?;
        let (_, value) = input.split_once("value=\"")?;
        Some(value.split('"').next()?.to_owned())
    }

    /// All hidden fields of the form with this action.
    pub fn hidden_fields(&self, action: &str) -> Vec<(String, String)> {
        let Some((_, form)) = self.body.split_once(&format!("action=\"{action}\"")) else {
            return Vec::new();
        };
        let form = form.split("</form>").next().unwrap_or_default();
        let names = form
            .split("<input")
            .filter(|input| input.contains("type=\"hidden\""))
            .filter_map(|input| {
                let (_, name) = input.split_once("name=\"")?;
                Some(name.split('"').next()?.to_owned())
            });
        names
            .filter_map(|name| Some((name.clone(), self.hidden(action, &name)?)))
            .collect()
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Visitor {
    /// A visitor who has never been there.
    pub fn new(portal: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        Self {
            portal: portal.to_owned(),
            agent: config.into(),
            cookies: BTreeMap::new(),
            extra: Vec::new(),
        }
    }

    /// Walks through a sign-in of the first demo account; the top page.
    ///
    /// # Errors
    /// When the portal or the mailbox does not answer, or no mail comes.
    pub fn sign_in(&mut self, stack: &Stack) -> Result<Page> {
        let page = self.get("/signin")?;
        let page = self.send(&page, "/signin", &[("user_id", LOGIN), ("password", PASSWORD)])?;
        let before = mail::to(&stack.mailbox_url(), ADDRESS)?.len();
        let page = self.send(&page, "/signin/email/send", &[])?;
        let mails = mail::wait_for(&stack.mailbox_url(), ADDRESS, before + 1)?;
        let code = mails.last().context("no mail")?.code()?;
        let page = self.send(&page, "/signin/email/verify", &[("code", &code)])?;
        self.send(&page, "/signin/email/continue", &[])
    }

    /// Opens a page; follows redirects.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub fn get(&mut self, path: &str) -> Result<Page> {
        let page = self.get_once(path)?;
        self.follow(page)
    }

    /// Opens a page and stays on a redirect.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub fn get_once(&mut self, path: &str) -> Result<Page> {
        let mut request = self
            .agent
            .get(format!("{}{path}", self.portal))
            .header("cookie", self.cookie_header());
        for (name, value) in &self.extra {
            request = request.header(name, value);
        }
        let response = request.call()?;
        self.read(response)
    }

    /// Fills in and sends the form with this action of a page; follows redirects.
    ///
    /// # Errors
    /// When the page has no such form or the portal does not answer.
    pub fn send(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Result<Page> {
        let answer = self.send_once(page, action, fields)?;
        self.follow(answer)
    }

    /// Like [`send`](Self::send), but stays on the redirect.
    ///
    /// # Errors
    /// When the page has no such form or the portal does not answer.
    pub fn send_once(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Result<Page> {
        page.body
            .contains(&format!("action=\"{action}\""))
            .then_some(())
            .with_context(|| {
                format!(
                    "no form {action} on this page (status {}):\n{}",
                    page.status, page.body
                )
            })?;
        let mut form = page.hidden_fields(action);
        form.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.post(action, &form)
    }

    /// Posts fields as they are.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub fn post(&mut self, path: &str, fields: &[(String, String)]) -> Result<Page> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.portal))
            .header("cookie", self.cookie_header());
        for (name, value) in &self.extra {
            request = request.header(name, value);
        }
        let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let response = request.send_form(pairs)?;
        self.read(response)
    }

    /// Posts a form's text as it is.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub fn post_text(&mut self, path: &str, text: &str) -> Result<Page> {
        let request = self
            .agent
            .post(format!("{}{path}", self.portal))
            .header("cookie", self.cookie_header())
            .header("content-type", "application/x-www-form-urlencoded");
        let response = request.send(text)?;
        self.read(response)
    }

    fn follow(&mut self, mut page: Page) -> Result<Page> {
        for _ in 0..10 {
            let Some(location) = page.location.clone() else {
                break;
            };
            page = self.get_once(location.split('#').next().unwrap_or_default())?;
        }
        Ok(page)
    }

    fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn read(&mut self, mut response: Response<ureq::Body>) -> Result<Page> {
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.keep(cookie);
        }
        let location = headers
            .iter()
            .find(|(name, _)| name == "location")
            .map(|(_, value)| value.clone());
        let status = response.status().as_u16();
        Ok(Page {
            status,
            location,
            headers,
            body: response.body_mut().read_to_string()?,
        })
    }

    fn keep(&mut self, cookie: &str) {
        let Some((name, rest)) = cookie.split_once('=') else {
            return;
        };
        let value = rest.split(';').next().unwrap_or_default();
        if value.is_empty() || rest.to_lowercase().contains("max-age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
