//! What keeps people from using a page that is open in a browser.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use crate::browser::Browser;

/// Runs every rule of axe that is about the page itself. Without a reply the page has no obstacle that axe knows.
const AXE: &str = r"
    const done = arguments[arguments.length - 1];
    const told = (violation) => violation.nodes.map((node) => `${violation.id}: ${node.html}`);
    axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })
        .then((found) => done(found.violations.flatMap(told)), (error) => done([String(error)]));";

/// What a page that is too wide scrolls by; and whose text does not fit, so that some of it cannot be read.
const CUT_OFF: &str = r"
    const page = document.documentElement;
    const problems = page.scrollWidth > page.clientWidth ? [`${page.scrollWidth} > ${page.clientWidth}`] : [];
    for (const part of document.body.querySelectorAll('*')) {
        const style = getComputedStyle(part);
        const hides = [style.overflowX, style.overflowY].some((how) => how === 'hidden' || how === 'clip');
        const fits = part.scrollWidth <= part.clientWidth + 1 && part.scrollHeight <= part.clientHeight + 1;
        if (hides && !fits && !part.closest('.unseen')) {
            problems.push(part.outerHTML.slice(0, 100));
        }
    }
    return problems;";

/// As much room as WCAG 2.2, 1.4.12 lets people give to text.
const TEXT_SPACING: &str = r"
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
        p { margin-bottom: 2em !important; }`);
    document.adoptedStyleSheets = [sheet];";

/// Which of the characters look like one that no font has, in the page's own font.
const WITHOUT_GLYPH: &str = r"
    const context = new OffscreenCanvas(48, 48).getContext('2d', { willReadFrequently: true });
    context.font = `24px ${getComputedStyle(document.body).fontFamily}`;
    const drawn = (text) => {
        context.clearRect(0, 0, 48, 48);
        context.fillText(text, 8, 32);
        return context.getImageData(0, 0, 48, 48).data.join();
    };
    const nobodys = drawn('\u0378');
    return arguments[0].filter((character) => drawn(character) === nobodys);";

impl Browser {
    /// What axe finds on the page, with its script.
    ///
    /// # Errors
    /// When the browser does not run it.
    pub async fn obstacles(&self, axe: &str) -> Result<Vec<String>> {
        self.run(axe).await?;
        Ok(texts(&self.run_async(AXE).await?))
    }

    /// What is too wide for the window, or does not fit where it stands.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn cut_off(&self) -> Result<Vec<String>> {
        Ok(texts(&self.run(CUT_OFF).await?))
    }

    /// Gives text more room, until the next page.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn space_text(&self) -> Result<()> {
        self.run(TEXT_SPACING).await.map(drop)
    }

    /// Those characters for which no font of this machine has a glyph.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn without_glyph(&self, characters: &BTreeSet<String>) -> Result<Vec<String>> {
        let characters = characters.iter().map(|character| Value::from(character.as_str()));
        let arguments = vec![Value::Array(characters.collect())];
        Ok(texts(&self.run_with(WITHOUT_GLYPH, arguments).await?))
    }
}

fn texts(told: &Value) -> Vec<String> {
    let told = told.as_array().map_or(&[][..], Vec::as_slice);
    told.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
