//! The two browsers, their drivers, and how they are set up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use sekisho_dev::firefox;
use sekisho_dev::tools::{self, Tool};
use serde_json::{Map, Value, json};

/// Which browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// With ChromeDriver.
    Chromium,
    /// With geckodriver.
    Firefox,
}

/// Whether the pages' scripts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// As most people have it.
    On,
    /// Blocked by the browser's settings.
    Blocked,
}

/// How often a driver is started until it stays.
const TRIES: u32 = 3;

/// What one of the tries makes.
fn again_and_again<T>(mut attempt: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    for _ in 0..TRIES {
        if let Some(started) = attempt()? {
            return Ok(started);
        }
    }
    anyhow::bail!("the browser's driver did not start")
}

impl Engine {
    /// Whatever the driver and the browser leave behind is below their folder.
    ///
    /// ChromeDriver takes a free port of IPv4 and then wants the same one of IPv6; where somebody has that, it ends.
    pub(super) fn start_driver(self, folder: &Path) -> Result<(Child, u16)> {
        again_and_again(|| self.try_driver(folder))
    }

    /// `None` if it ends at once.
    fn try_driver(self, folder: &Path) -> Result<Option<(Child, u16)>> {
        let (driver, before_port) = match self {
            Self::Chromium => (tools::require(Tool::ChromiumDriver)?, "successfully on port "),
            Self::Firefox => (firefox::driver()?, "Listening on 127.0.0.1:"),
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = driver.stdout.take().context("a driver says nothing")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next().transpose()? {
            if let Some((_, port)) = line.split_once(before_port) {
                let port = port.trim_end_matches('.').parse()?;
                // Who is not read from stops when the pipe is full.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                return Ok(Some((driver, port)));
            }
        }
        driver.wait()?;
        Ok(None)
    }

    pub(super) fn capabilities(self, script: Script, profile: &Path) -> Result<Map<String, Value>> {
        let wanted = match self {
            Self::Chromium => chromium(script, profile)?,
            Self::Firefox => firefox(script)?,
        };
        match wanted {
            Value::Object(map) => Ok(map),
            _ => anyhow::bail!("no capabilities"),
        }
    }
}

fn chromium(script: Script, profile: &Path) -> Result<Value> {
    let blocked = if script == Script::Blocked { 2 } else { 1 };
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--lang=ja",
        "--window-size=1280,1180",
        &format!("--user-data-dir={}", profile.display()),
    ];
    Ok(json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": tools::require(Tool::Chromium)?,
            "args": arguments,
            "prefs": {
                "profile.managed_default_content_settings.javascript": blocked,
                "intl.accept_languages": "ja",
            },
        },
    }))
}

fn firefox(script: Script) -> Result<Value> {
    Ok(json!({
        "browserName": "firefox",
        "moz:firefoxOptions": {
            "binary": tools::require(Tool::Firefox)?,
            "args": ["-headless", "--width=1280", "--height=1180"],
            "prefs": {
                "javascript.enabled": script == Script::On,
                "intl.accept_languages": "ja",
            },
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_ends_at_once_is_started_again_and_not_for_ever() {
        let mut tries = 0;
        let third = again_and_again(|| {
            tries += 1;
            Ok((tries == 3).then_some(tries))
        });
        assert_eq!(third.unwrap(), 3);
        assert!(again_and_again::<()>(|| Ok(None)).is_err());
    }
}
