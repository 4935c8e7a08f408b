//! `cargo dev screens`: a picture of every page and state, for the guide and for whoever changes how they look.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Parser;
use sekisho_dev::paths;
use sekisho_gallery::states::STATES;
use sekisho_tests::browser::{Appearance, Browser, Script};
use sekisho_tests::gallery;

/// Makes pictures of the portal's pages.
#[derive(Debug, Parser)]
#[command(name = "cargo dev screens", bin_name = "cargo dev screens")]
struct Options {
    /// Which states; all of them without a name
    names: Vec<String>,
    /// In dark colours
    #[arg(long)]
    dark: bool,
    /// How wide the window is, in CSS pixels
    #[arg(long, default_value_t = 1280, value_parser = clap::value_parser!(u32).range(320..))]
    width: u32,
    /// Into which folder; docs/screens without it
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let into = options
        .into
        .unwrap_or_else(|| paths::workspace().join("docs/screens"));
    if let Some(unknown) = options.names.iter().find(|name| !STATES.contains(&name.as_str())) {
        bail!(
            "there is no state {unknown}; the states are {}",
            STATES.join(", ")
        );
    }
    let wanted = |state: &&&str| options.names.is_empty() || options.names.iter().any(|name| name == **state);
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    if options.dark {
        browser.show_as(Appearance::Dark).await?;
    }
    for state in STATES.iter().filter(wanted) {
        browser.visit(&format!("{gallery}/show/{state}")).await?;
        let file = into.join(format!("{state}.png"));
        take(&browser, options.width, &file).await?;
        println!("{}", file.display());
    }
    Ok(())
}

/// The whole page, however long it is.
async fn take(browser: &Browser, width: u32, file: &Path) -> Result<()> {
    browser.show_in_size(width, 600).await?;
    let length = browser
        .run("return document.documentElement.scrollHeight;")
        .await?;
    let length = u32::try_from(length.as_u64().unwrap_or(600))?;
    browser.show_in_size(width, length).await?;
    browser.picture(file).await
}
