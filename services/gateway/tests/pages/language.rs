//! Japanese, or English for whoever's browser prefers it.

use sekisho_gateway::texts::{ENGLISH, JAPANESE};

use sekisho_gallery::browser::Browser;
use sekisho_gallery::states::{STATES, show, show_in};
use sekisho_gallery::world::World;

const ENGLISH_FIRST: Option<&str> = Some("en-US,en;q=0.9,ja;q=0.8");

#[tokio::test]
async fn every_page_speaks_the_language_that_its_browser_prefers() {
    for state in STATES.iter() {
        let page = show_in(state, ENGLISH_FIRST).await.page;
        assert!(page.shows("<html lang=\"en\">"), "{state}");
        assert!(page.title().is_ascii(), "{state}: {}", page.title());
        assert_eq!(unmarked_japanese(&page.text), "", "{state}");
        assert!(page.shows(ENGLISH.skip) && !page.shows(JAPANESE.skip), "{state}");
        assert!(show(state).await.page.shows("<html lang=\"ja\">"), "{state}");
    }
}

/// Where Japanese stands that no mark announces to screen readers (WCAG 2.2, 3.1.2). What was typed is nobody's text.
fn unmarked_japanese(page: &str) -> String {
    let mut unmarked = String::new();
    for (number, part) in page.split("<span lang=\"ja\">").enumerate() {
        let rest = match part.split_once("</span>") {
            Some((_, rest)) if number > 0 => rest,
            _ => part,
        };
        unmarked.extend(rest.chars().filter(|one| is_japanese(*one)));
    }
    unmarked
}

fn is_japanese(one: char) -> bool {
    matches!(one, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..)
}

#[tokio::test]
async fn whoever_changes_the_language_goes_on_where_they_are() {
    let mut browser = Browser::new(&World::new());
    browser.sign_in().await;
    browser.press("/signin/email/send", &[]).await;
    browser.language = ENGLISH_FIRST;
    let page = browser.press("/signin/email/verify", &[("code", "999999")]).await;
    assert!(
        page.shows(ENGLISH.code_wrong) && page.shows("Tries left: 4."),
        "{}",
        page.text
    );
}

/// Manual 3.8, from wherever somebody stands.
#[tokio::test]
async fn every_page_leads_to_what_helps() {
    for state in STATES.iter() {
        let page = show(state).await.page;
        assert!(
            page.shows("<div class=\"foot-in\">\n<p>")
                && page.shows("</p>\n<p><a href=\"/help\">サインインできない場合</a></p>"),
            "{state}: in the same place everywhere (C-117)"
        );
    }
    let page = show("help").await.page;
    assert!(page.shows("ケース3：サインインページが表示されない"));
    // And from there back to where they stand.
    for (state, back) in [
        ("signin", "/signin"),
        ("not-sent", "/signin/email"),
        // Who is at the provider has no page of ours with a code.
        ("to-ncr", "/signin"),
        ("reset-sent", "/password/forgot/code"),
        ("top", "/top"),
    ] {
        let mut browser = show(state).await;
        let page = browser.open("/help").await;
        assert!(page.shows(&format!("<p><a href=\"{back}\">")), "{state}");
    }
}
