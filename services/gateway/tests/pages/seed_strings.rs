//! The manual's own words, letter for letter.

use sekisho_gallery::states::{STATES, show};

const SEED_STRINGS: &str = include_str!("../../../../tests/seed-strings.txt");
const MANUAL: &str = include_str!("../../../../docs/manual-chapter-3.txt");

/// Seed strings that stand in a mail, only describe something, or that a page shows in a shorter form.
const ON_NO_PAGE: [&str; 5] = [
    "x*****@xxx.xxxx",
    "国立がん研究センター（GTOL B2C production）アカウントの電子メール確認コード",
    "確認コード（6桁の数字）",
    "所属施設名と氏名",
    "以上で、GTOLからのサインアウトが完了しました。",
];

/// Seed strings that stand within a longer text.
const WITHIN: [&str; 2] = [
    "パスワードを忘れた場合",
    "入力したURLが正しいか確認してください（URL:",
];

#[test]
fn every_seed_string_stands_in_the_manual() {
    for line in SEED_STRINGS.lines() {
        assert!(!line.is_empty() && MANUAL.contains(line), "{line}");
    }
}

#[tokio::test]
async fn every_seed_string_of_a_page_stands_on_a_page() {
    let mut pages = Vec::new();
    for state in STATES.iter() {
        pages.push(show(state).await.page.text);
    }
    let of_pages = SEED_STRINGS.lines().filter(|line| !ON_NO_PAGE.contains(line));
    let whole = |page: &String, line: &str| page.contains(&format!(">{line}<"));
    let missing: Vec<_> = of_pages
        .filter(|line| !pages.iter().any(|page| whole(page, line)))
        .collect();
    assert_eq!(
        missing, WITHIN,
        "as a text of its own, from its first to its last character"
    );
}

#[test]
fn what_stands_on_no_page_is_a_seed_string_all_the_same() {
    for string in ON_NO_PAGE {
        assert!(SEED_STRINGS.lines().any(|line| line == string), "{string}");
    }
}
