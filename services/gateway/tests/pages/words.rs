//! Properties of every page.

use std::collections::BTreeSet;
use std::path::Path;

use sekisho_gallery::states::{STATES, show};

#[tokio::test]
async fn every_page_is_complete_and_accessible_in_its_markup() {
    for state in STATES.iter() {
        let page = show(state).await.page;
        let text = &page.text;
        let count = |what: &str| text.matches(what).count();
        assert!(text.starts_with("<!doctype html>\n<html lang=\"ja\">"), "{state}");
        assert_eq!(
            (
                count("<h1>"),
                count("<main "),
                count("<header "),
                count("<footer ")
            ),
            (1, 1, 1, 1),
            "{state}"
        );
        assert!(
            page.title().ends_with(" | がん登録オンラインシステム"),
            "{state}: {}",
            page.title()
        );
        // Besides the one of a warning that is not in sight.
        let alerts = count("role=\"alert\"") - count("<p class=\"field-error\" role=\"alert\"></p>");
        assert_eq!(
            alerts,
            usize::from(page.title().starts_with("エラー：")),
            "{state}"
        );
        assert!(
            text.contains("<a class=\"skip\" href=\"#main\">") && text.contains("id=\"main\""),
            "{state}"
        );
        assert!(text.contains("『9章 お困りのときは』"), "{state}");
        assert!(count(" autofocus") <= 1, "{state}");
        assert_eq!(count("<form "), count("novalidate"), "{state}");
        assert_eq!(count("<form "), count("name=\"csrf\""), "{state}");
        assert_eq!(count("<script"), 1, "{state}");
        assert_eq!(
            count("<script src=\"/assets/script-"),
            1,
            "{state}: from our own file alone"
        );
        for unwanted in [
            " onclick=",
            " onpaste=",
            " style=",
            "秘密の質問",
            "ヒント",
            "placeholder",
            "disabled",
            "readonly",
            "maxlength",
            "pattern=",
        ] {
            assert!(!text.contains(unwanted), "{state}: {unwanted}");
        }
    }
}

/// C-118: whoever hears the title knows which step it is.
#[tokio::test]
async fn every_step_has_a_title_of_its_own() {
    let mut titles = BTreeSet::new();
    for state in [
        "signin",
        "not-sent",
        "forgot",
        "reset-sent",
        "new-password",
        "reset-done",
        "to-ncr",
        "top",
        "history",
        "signout",
        "ncr-sign-out",
        "signed-out",
        "help",
    ] {
        let title = show(state).await.page.title().to_owned();
        assert!(titles.insert(title.clone()), "{state}: {title}");
    }
}

#[tokio::test]
async fn every_field_has_its_label_and_names_what_describes_it() {
    for state in STATES.iter() {
        let text = show(state).await.page.text;
        for input in text
            .split("<input ")
            .skip(1)
            .filter(|input| !input.starts_with("type=\"hidden\""))
        {
            let value = |name: &str| {
                Some(
                    input
                        .split_once(&format!("{name}=\""))?
                        .1
                        .split('"')
                        .next()
                        .unwrap(),
                )
            };
            let id = value("id").unwrap();
            assert!(text.contains(&format!("<label for=\"{id}\">")), "{state}: {id}");
            for described in value("aria-describedby").unwrap_or_default().split_whitespace() {
                assert_eq!(
                    text.matches(&format!("id=\"{described}\"")).count(),
                    1,
                    "{state}: {described}"
                );
            }
        }
    }
}

/// C-8: what password managers and telephones fill in (WCAG 1.3.5).
#[tokio::test]
async fn every_field_says_what_it_is_for_and_passwords_are_hidden() {
    let mut passwords = 0;
    for (state, fields) in [
        (
            "signin",
            &[("user_id", "username"), ("password", "current-password")][..],
        ),
        ("sent", &[("code", "one-time-code")]),
        ("forgot", &[("user_id", "username")]),
        ("reset-sent", &[("code", "one-time-code")]),
        (
            "new-password",
            &[
                ("username", "username"),
                ("new_password", "new-password"),
                ("new_password_again", "new-password"),
            ],
        ),
    ] {
        let text = show(state).await.page.text;
        for (id, token) in fields {
            let input = text.split("<input ").find(|input| {
                input
                    .split_whitespace()
                    .any(|part| part == format!("id=\"{id}\""))
            });
            let input = input.unwrap_or_else(|| panic!("{state}: {id}"));
            let input = input.split('>').next().unwrap();
            assert!(
                input.contains(&format!("autocomplete=\"{token}\"")),
                "{state}: {input}"
            );
            if token.ends_with("-password") {
                assert!(
                    input.contains("type=\"password\"") && input.contains("data-show="),
                    "{input}"
                );
                passwords += 1;
            }
        }
    }
    assert_eq!(passwords, 3);
}

#[test]
fn every_text_for_people_stands_in_one_folder() {
    let mut strays = Vec::new();
    search(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut strays,
    );
    assert_eq!(strays, Vec::<String>::new());
}

/// Lines with Japanese outside comments and tests, in every folder but the one with the texts.
fn search(folder: &Path, strays: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "texts") {
                search(&path, strays);
            }
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let japanese = |line: &&str| {
                line.split("//")
                    .next()
                    .is_some_and(|code| code.chars().any(is_japanese))
            };
            strays.extend(
                code.lines()
                    .filter(japanese)
                    .map(|line| format!("{}: {line}", path.display())),
            );
        }
    }
}

fn is_japanese(character: char) -> bool {
    matches!(character, '\u{3001}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF01}'..='\u{FFEF}')
}
