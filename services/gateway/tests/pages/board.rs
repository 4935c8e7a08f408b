//! What operators put on the top page.

use sekisho_gallery::browser::Browser;
use sekisho_gallery::states::{show, with_board};
use sekisho_gallery::world::World;

#[tokio::test]
async fn the_top_page_shows_what_is_on_the_board() {
    let page = show("top-board").await.page;
    for shown in [
        "<time datetime=\"2026-04-01\">2026年4月1日</time>",
        "システムメンテナンスを行います。",
        "<a href=\"https://example.jp/manual\">操作マニュアルを改訂しました。3章をご覧ください。</a>",
        "<a href=\"/forms\">Webフォーム届出</a>",
        // Text, and no markup.
        "<a href=\"/questions\">よくあるご質問（Q&#38;A）</a>",
    ] {
        assert!(page.shows(shown), "{shown}: {}", page.text);
    }
    assert!(!page.shows("現在お知らせはありません。") && !page.shows("利用できるメニューはありません。"));
}

/// Whoever has not signed in learns nothing of it.
#[tokio::test]
async fn the_board_is_for_whoever_is_signed_in() {
    let world = World::new();
    let mut browser = Browser::at(with_board(&world).await);
    assert!(!browser.open("/signin").await.shows("メンテナンスを行います"));
    assert!(!browser.open("/top").await.shows("メンテナンスを行います"));
}
