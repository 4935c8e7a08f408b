//! What only Chromium's developer tools tell and do.

use anyhow::Result;
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::Browser;

/// How a page looks beside its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appearance {
    /// As most people have it.
    Light,
    /// For whoever prefers dark colours.
    Dark,
    /// With the few colours that the system forces on every page.
    Forced,
    /// On paper.
    Print,
}

/// A command of ChromeDriver's own.
#[derive(Debug)]
struct Command {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    /// Shows pages in this width, in CSS pixels: also narrower than any window can be.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn show_in_width(&self, width: u32) -> Result<()> {
        self.show_in_size(width, 800).await
    }

    /// Shows pages in this width and height, in CSS pixels.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn show_in_size(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics)
            .await
    }

    /// Shows pages like that.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn show_as(&self, appearance: Appearance) -> Result<()> {
        let feature = |name: &str, value: &str| json!({ "name": name, "value": value });
        let media = match appearance {
            Appearance::Light => json!({ "media": "", "features": [
                feature("prefers-color-scheme", "light"), feature("forced-colors", "none"),
            ]}),
            Appearance::Dark => json!({ "media": "", "features": [feature("prefers-color-scheme", "dark")] }),
            Appearance::Forced => json!({ "media": "", "features": [feature("forced-colors", "active")] }),
            Appearance::Print => json!({ "media": "print", "features": [] }),
        };
        self.devtools("Emulation.setEmulatedMedia", &media).await
    }

    /// Whether pages that are opened from now on run the scripts that they bring; those of tests run all the same only while they
    /// do.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn let_scripts_run(&self, run: bool) -> Result<()> {
        let disabled = json!({ "value": !run });
        self.devtools("Emulation.setScriptExecutionDisabled", &disabled)
            .await
    }

    /// What the browser has complained of since the last call: refused by the page's policy, broken scripts, missing files.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let log = Command {
            path: "se/log",
            body: json!({ "type": "browser" }),
        };
        let entries = self.client.issue_cmd(log).await?;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let complaints = entries.iter().filter(|entry| entry["level"] != "INFO");
        let texts = complaints.filter_map(|entry| Some(entry["message"].as_str()?.to_owned()));
        Ok(texts.collect())
    }

    async fn devtools(&self, method: &str, parameters: &Value) -> Result<()> {
        let command = Command {
            path: "goog/cdp/execute",
            body: json!({ "cmd": method, "params": parameters }),
        };
        self.client.issue_cmd(command).await?;
        Ok(())
    }
}
