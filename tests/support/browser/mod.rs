//! A real browser, driven by its driver: Chromium, or Firefox.

mod devtools;
mod driver;
mod keys;

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::Signal;
use sekisho_dev::process::{self, Identity};

pub use devtools::Appearance;
pub use driver::{Engine, Script};
pub use keys::Focused;

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// One window of a browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens a window.
    ///
    /// # Errors
    /// When Chromium or its driver is missing or does not start.
    pub async fn open(script: Script) -> Result<Self> {
        Self::open_with(Engine::Chromium, script, false).await
    }

    /// Opens a window of this browser.
    ///
    /// # Errors
    /// When the browser or its driver is missing or does not start.
    pub async fn open_in(engine: Engine, script: Script) -> Result<Self> {
        Self::open_with(engine, script, false).await
    }

    /// Opens a window that believes any certificate.
    ///
    /// # Errors
    /// When Chromium or its driver is missing or does not start.
    pub async fn open_trusting() -> Result<Self> {
        Self::open_with(Engine::Chromium, Script::On, true).await
    }

    async fn open_with(engine: Engine, script: Script, trusting: bool) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let (driver, port) = engine.start_driver(profile.path())?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let mut wanted = engine.capabilities(script, profile.path())?;
        wanted.insert("acceptInsecureCerts".to_owned(), trusting.into());
        builder.capabilities(wanted);
        let client = builder.connect(&format!("http://127.0.0.1:{port}")).await?;
        Ok(Self {
            client,
            driver,
            _profile: profile,
        })
    }

    /// Opens an address.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn visit(&self, url: &str) -> Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// Opens an address in another window of the same person, and goes there.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn open_window(&self, url: &str) -> Result<()> {
        let opened = self.client.new_window(false).await?;
        self.client.switch_to_window(opened.handle).await?;
        self.visit(url).await
    }

    /// Goes to a window, counted from 0 in the order in which they were opened.
    ///
    /// # Errors
    /// When there is none.
    pub async fn go_to_window(&self, number: usize) -> Result<()> {
        let window = self.client.windows().await?.into_iter().nth(number);
        Ok(self
            .client
            .switch_to_window(window.context("no such window")?)
            .await?)
    }

    /// Goes back by the browser's button.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn back(&self) -> Result<()> {
        Ok(self.client.back().await?)
    }

    /// Loads the page again.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// Types into the field with this label.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn type_into(&self, label: &str, text: &str) -> Result<()> {
        let xpath = format!("//input[@id = //label[normalize-space() = '{label}']/@for]");
        let field = self.find(&xpath).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Presses the button or link with this text.
    ///
    /// # Errors
    /// When there is none.
    pub async fn press(&self, text: &str) -> Result<()> {
        let xpath = format!("//*[self::button or self::a][normalize-space() = '{text}']");
        Ok(self.find(&xpath).await?.click().await?)
    }

    /// Waits until the page shows a text.
    ///
    /// # Errors
    /// When it does not within 15 s; the error holds what the page shows.
    pub async fn see(&self, text: &str) -> Result<()> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let shown = self.text().await.unwrap_or_default();
            if shown.contains(text) {
                return Ok(());
            }
            anyhow::ensure!(
                tokio::time::Instant::now() < end,
                "the page does not show {text:?}:\n{shown}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the page shows one of these texts, and says which.
    ///
    /// # Errors
    /// When it shows none within 15 s.
    pub async fn see_one_of<'a>(&self, texts: &[&'a str]) -> Result<&'a str> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let shown = self.text().await.unwrap_or_default();
            if let Some(text) = texts.iter().find(|text| shown.contains(**text)) {
                return Ok(text);
            }
            anyhow::ensure!(
                tokio::time::Instant::now() < end,
                "the page shows none of {texts:?}:\n{shown}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The visible text of the page.
    ///
    /// # Errors
    /// When there is no page.
    pub async fn text(&self) -> Result<String> {
        Ok(self.client.find(Locator::Css("body")).await?.text().await?)
    }

    /// Waits until the page's title holds a text: when the page before shows the same words, only the title tells them apart.
    ///
    /// # Errors
    /// When it does not within 15 s.
    pub async fn see_in_title(&self, text: &str) -> Result<()> {
        let end = tokio::time::Instant::now() + PATIENCE;
        while !self.title().await.unwrap_or_default().contains(text) {
            anyhow::ensure!(
                tokio::time::Instant::now() < end,
                "the title does not hold {text:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The page's title.
    ///
    /// # Errors
    /// When there is no page.
    pub async fn title(&self) -> Result<String> {
        Ok(self.client.title().await?)
    }

    /// The page's address.
    ///
    /// # Errors
    /// When there is no page.
    pub async fn address(&self) -> Result<String> {
        Ok(self.client.current_url().await?.to_string())
    }

    /// The HTML of the page.
    ///
    /// # Errors
    /// When there is no page.
    pub async fn source(&self) -> Result<String> {
        Ok(self.client.source().await?)
    }

    /// The horizontal place of the first element that shows this text, in CSS pixels, and the width of the window.
    ///
    /// # Errors
    /// When there is none.
    pub async fn place_of(&self, text: &str) -> Result<(f64, f64, f64)> {
        let xpath = format!("//*[not(self::title) and text()[contains(., '{text}')]]");
        let (x, y, width, _) = self.find(&xpath).await?.rectangle().await?;
        let (window, _) = self.client.get_window_size().await?;
        Ok((x + width, y, f64::from(u32::try_from(window)?)))
    }

    /// A picture of the window, as PNG.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn picture(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, self.client.screenshot().await?)?)
    }

    /// Makes the window this large.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        Ok(self.client.set_window_size(width, height).await?)
    }

    /// What a script in the page answers.
    ///
    /// # Errors
    /// When the browser does not run it.
    pub async fn run(&self, script: &str) -> Result<serde_json::Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// The same with arguments.
    ///
    /// # Errors
    /// When the browser does not run it.
    pub async fn run_with(
        &self,
        script: &str,
        arguments: Vec<serde_json::Value>,
    ) -> Result<serde_json::Value> {
        Ok(self.client.execute(script, arguments).await?)
    }

    /// What a script in the page answers by calling its last argument.
    ///
    /// # Errors
    /// When the browser does not run it.
    pub async fn run_async(&self, script: &str) -> Result<serde_json::Value> {
        Ok(self.client.execute_async(script, Vec::new()).await?)
    }

    /// The kind of the field with this label, such as `password`.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn kind_of(&self, label: &str) -> Result<String> {
        let xpath = format!("//input[@id = //label[normalize-space() = '{label}']/@for]");
        let kind = self.find(&xpath).await?.prop("type").await?;
        kind.context("a field without a kind")
    }

    /// How wide the page's frame and its content are, in CSS pixels; a wider content scrolls sideways.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn widths(&self) -> Result<(u64, u64)> {
        let script = "const page = document.documentElement; return [page.clientWidth, page.scrollWidth];";
        let widths = self.client.execute(script, Vec::new()).await?;
        let width = |place: usize| widths[place].as_u64().context("no width");
        Ok((width(0)?, width(1)?))
    }

    async fn find(&self, xpath: &str) -> Result<Element> {
        let waiting = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::XPath(xpath));
        waiting
            .await
            .with_context(|| format!("nothing on the page matches {xpath}"))
    }
}

impl Browser {
    /// The processes of the browser.
    pub fn processes(&self) -> Vec<Identity> {
        process::descendants(self.driver.id())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind.
        let processes = self.processes();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        for process in &processes {
            process.signal(Signal::KILL);
        }
        // Whoever still writes would keep the folder from going.
        for process in &processes {
            let _ = process.wait_gone(PATIENCE);
        }
    }
}
