//! Every page and state, as people with whatever eyes, hands and windows meet it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use sekisho_dev::axe;
use sekisho_gallery::states::{STATES, show_in};
use sekisho_gateway::texts::{ENGLISH, JAPANESE};
use sekisho_tests::browser::{Appearance, Browser, Script};
use sekisho_tests::gallery;

/// The narrowest window that pages must fit (WCAG 2.2, 1.4.10): also one of 1280 in which everything is four times as large.
const NARROW: u32 = 320;
const WIDE: u32 = 1280;

/// C-109, C-116: in the narrow window, where it is hardest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_has_an_obstacle_in_a_narrow_window() -> Result<()> {
    without_obstacles(NARROW, Appearance::Light, Script::On, "").await
}

/// C-116: whatever distance between letters, words and lines somebody needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_read_with_more_room_between_its_letters() -> Result<()> {
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    browser.show_in_width(NARROW).await?;
    let mut problems = Vec::new();
    let spacing = "return getComputedStyle(document.querySelector('main p')).letterSpacing;";
    browser.visit(&format!("{gallery}/show/sent")).await?;
    let before = browser.run(spacing).await?;
    browser.space_text().await?;
    assert_ne!(browser.run(spacing).await?, before);
    for state in STATES.iter() {
        browser.visit(&format!("{gallery}/show/{state}")).await?;
        browser.space_text().await?;
        note(&mut problems, state, browser.cut_off().await?);
    }
    anyhow::ensure!(problems.is_empty(), "{problems:#?}");
    // A page that has no room for it is found.
    browser
        .run("document.querySelector('h1').style.cssText = 'overflow: hidden; height: 1em';")
        .await?;
    anyhow::ensure!(!browser.cut_off().await?.is_empty(), "nothing is found anywhere");
    Ok(())
}

/// WCAG 2.2, 1.4.11: what has to be seen to be used, and where the focus is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_control_stands_out_from_what_is_behind_it() -> Result<()> {
    const FAINT: &str = "
        const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
        const light = (color) => {
            const [red, green, blue] = rgb(color).map((value) => channel(value / 255));
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        const contrast = (one, other) => {
            const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
            return (bright + 0.05) / (dark + 0.05);
        };
        const ground = (part) => {
            for (let one = part; one; one = one.parentElement) {
                const color = getComputedStyle(one).backgroundColor;
                if (rgb(color)[3] !== 0) {
                    return color;
                }
            }
            return 'rgb(255, 255, 255)';
        };
        const faint = [];
        for (const part of document.querySelectorAll('input:not([type=hidden]), button')) {
            if (!part.checkVisibility() || part.closest('.unseen')) {
                continue;
            }
            const [own, behind] = [getComputedStyle(part), ground(part.parentElement)];
            const seen = Math.max(contrast(own.borderTopColor, behind), contrast(ground(part), behind), contrast(own.color, behind) * (part.matches('button')));
            part.focus({ focusVisible: true });
            const ring = contrast(getComputedStyle(part).outlineColor, behind);
            if (seen < 3 || ring < 3) {
                faint.push(`${part.outerHTML.slice(0, 60)}: ${seen.toFixed(1)}, ring ${ring.toFixed(1)}`);
            }
        }
        return faint;";
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    browser.show_in_width(WIDE).await?;
    let mut problems = Vec::new();
    for appearance in [Appearance::Light, Appearance::Dark] {
        browser.show_as(appearance).await?;
        for state in ["signin", "sent", "wrong-code", "new-password", "top", "history"] {
            browser.visit(&format!("{gallery}/show/{state}")).await?;
            let faint = browser.run(FAINT).await?;
            note(&mut problems, state, serde_json::from_value(faint)?);
        }
    }
    anyhow::ensure!(problems.is_empty(), "{problems:#?}");
    browser
        .run("document.querySelector('#open').closest('section').querySelector('button').style.cssText = 'all: unset; color: var(--paper)';")
        .await?;
    let found: Vec<String> = serde_json::from_value(browser.run(FAINT).await?)?;
    anyhow::ensure!(!found.is_empty(), "nothing is found anywhere");
    Ok(())
}

/// What is printed is what one reads: paper has no buttons.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_paper_there_is_nothing_to_press() -> Result<()> {
    const IN_SIGHT: &str = "
        const all = [...document.querySelectorAll('.button:not(dialog *), .skip, footer')];
        return [all.length, all.filter((one) => one.checkVisibility()).length];";
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    browser.show_in_width(WIDE).await?;
    let mut problems = Vec::new();
    for appearance in [Appearance::Light, Appearance::Print] {
        browser.show_as(appearance).await?;
        for state in ["signin", "sent", "top-board", "history", "signed-out"] {
            browser.visit(&format!("{gallery}/show/{state}")).await?;
            note(&mut problems, state, browser.cut_off().await?);
            let in_sight = browser.run(IN_SIGHT).await?;
            let is_paper = appearance == Appearance::Print;
            let expected = if is_paper {
                in_sight[1] == 0
            } else {
                in_sight[1] == in_sight[0]
            };
            assert!(expected && in_sight[0] != 0, "{state} {appearance:?}: {in_sight}");
        }
    }
    anyhow::ensure!(problems.is_empty(), "{problems:#?}");
    Ok(())
}

/// Rare kanji of names and facilities among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_character_of_every_page_has_a_glyph() -> Result<()> {
    let mut characters = BTreeSet::new();
    for state in STATES.iter() {
        for language in [None, Some("en")] {
            let page = show_in(state, language).await.page.text;
            let shown = page
                .chars()
                .filter(|one| !one.is_whitespace() && !is_selector(*one));
            characters.extend(shown.map(String::from));
        }
    }
    // Those that script shows, and those of pages that are hard to reach.
    for texts in [format!("{JAPANESE:?}"), format!("{ENGLISH:?}")] {
        characters.extend(texts.chars().filter(|one| !one.is_whitespace()).map(String::from));
    }
    anyhow::ensure!(characters.contains("\u{20bb7}") && characters.len() > 300);
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    browser.visit(&format!("{gallery}/show/signin")).await?;
    assert_eq!(browser.without_glyph(&characters).await?, Vec::<String>::new());
    // A character that nobody has is found.
    let unknown = BTreeSet::from(["\u{2fe0}".to_owned(), "あ".to_owned()]);
    assert_eq!(browser.without_glyph(&unknown).await?, ["\u{2fe0}"]);
    Ok(())
}

/// They choose among the forms of a character and have none of their own.
fn is_selector(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// `language` is the end of the gallery's addresses.
async fn without_obstacles(width: u32, appearance: Appearance, script: Script, language: &str) -> Result<()> {
    let axe = axe::script()?;
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    browser.show_in_width(width).await?;
    browser.show_as(appearance).await?;
    let mut problems = Vec::new();
    let mut revealing = false;
    for state in STATES.iter() {
        browser.let_scripts_run(script == Script::On).await?;
        browser
            .visit(&format!("{gallery}/show/{state}{language}"))
            .await?;
        // The page has none of its own now; axe is one, and waits for itself.
        browser.let_scripts_run(true).await?;
        note(&mut problems, state, browser.cut_off().await?);
        let obstacles = browser.obstacles(&axe).await;
        note(
            &mut problems,
            state,
            obstacles.with_context(|| state.to_string())?,
        );
        // C-76: the page's own policy refuses nothing, and nothing is missing.
        note(&mut problems, state, browser.complaints().await?);
        revealing |= browser
            .run("return document.querySelector('.reveal') !== null;")
            .await?
            == true;
    }
    anyhow::ensure!(problems.is_empty(), "{problems:#?}");
    anyhow::ensure!(
        revealing == (script == Script::On),
        "the page's script ran: {revealing}"
    );
    anyhow::ensure!(
        finds_obstacles(&browser, &gallery, &axe).await?,
        "nothing is found anywhere"
    );
    Ok(())
}

/// Whether what is looked for would be found.
async fn finds_obstacles(browser: &Browser, gallery: &str, axe: &str) -> Result<bool> {
    const BREAK: &str = "
        document.querySelector('label').remove();
        document.querySelector('main').style.minWidth = '2000px';
        document.head.append(Object.assign(document.createElement('script'), { src: 'https://example.com/x.js' }));";
    browser.visit(&format!("{gallery}/show/signin")).await?;
    browser.run(BREAK).await?;
    let found = [
        browser.cut_off().await?,
        browser.obstacles(axe).await?,
        browser.complaints().await?,
    ];
    Ok(found.iter().all(|found| !found.is_empty()))
}

fn note(problems: &mut Vec<String>, state: &str, found: Vec<String>) {
    problems.extend(found.into_iter().map(|problem| format!("{state}: {problem}")));
}

mod long_screens {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "long tier"]
    async fn no_page_has_an_obstacle_however_it_is_shown() -> Result<()> {
        for (width, appearance, script, language) in [
            (NARROW, Appearance::Light, Script::Blocked, ""),
            (WIDE, Appearance::Light, Script::On, ""),
            (WIDE, Appearance::Dark, Script::On, ""),
            (NARROW, Appearance::Dark, Script::On, "/en"),
            (NARROW, Appearance::Forced, Script::On, ""),
            (WIDE, Appearance::Forced, Script::On, "/en"),
            (WIDE, Appearance::Print, Script::On, ""),
            (NARROW, Appearance::Light, Script::On, "/en"),
        ] {
            without_obstacles(width, appearance, script, language).await?;
        }
        Ok(())
    }
}
