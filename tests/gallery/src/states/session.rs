//! Pages of whoever is signed in, and サインアウト完了.

use sekisho_gateway::Gateway;
use sekisho_gateway::board::{Board, CurrentBoard};

use crate::browser::{Browser, STANDBY, gateway};
use crate::services;
use crate::world::World;

pub const STATES: &[&str] = &[
    "top",
    "top-long",
    "top-board",
    "ends-idle",
    "ends-absolute",
    "ends-soon",
    "history",
    "history-alone",
    "others-ended",
    "signout",
    "signed-out",
    "standby-signed-out",
    "unrecorded",
];

const BOARD: &str = r#"
    [[announcements]]
    date = "2026-04-01"
    text = "4月15日（水）19時から21時まで、システムメンテナンスを行います。"

    [[announcements]]
    date = "2026-03-02"
    text = "操作マニュアルを改訂しました。3章をご覧ください。"
    url = "https://example.jp/manual"

    [[quick_access]]
    text = "Webフォーム届出"
    url = "/forms"

    [[quick_access]]
    text = "よくあるご質問（Q&A）"
    url = "/questions"
"#;

/// A portal with announcements and a link.
pub async fn with_board(world: &World) -> Gateway {
    Gateway {
        board: CurrentBoard::of(Board::parse(BOARD).unwrap()),
        ..gateway(services::serve(world))
    }
}

pub async fn show(world: &World, browser: &mut Browser, name: &str) {
    match name {
        "top-long" => {
            let facility =
                "独立行政法人地域医療機能推進機構\u{8fbb}\u{e0100}東京\u{20bb7}野家総合医療センター"
                    .repeat(6);
            world.state().person = Some((facility, "斉\u{e0101}藤 ".repeat(8)));
            world.state().last = None;
        }
        "top-board" => browser.router = Browser::at(with_board(world).await).router,
        "standby-signed-out" => browser.host = STANDBY,
        _ => {}
    }
    browser.sign_in_fully().await;
    // How many seconds there are without activity, and in any case.
    world.state().left = match name {
        "ends-idle" => Some((290, 40_000)),
        "ends-absolute" => Some((590, 590)),
        "ends-soon" => Some((180, 180)),
        _ => None,
    };
    world.state().others = u32::from(matches!(name, "history" | "others-ended")) * 2;
    world.state().unrecorded = name == "unrecorded";
    match name {
        "history" | "history-alone" => browser.open("/history").await,
        "others-ended" => {
            browser.open("/history").await;
            browser.press("/history/others", &[]).await
        }
        "signout" => browser.open("/signout").await,
        "signed-out" | "standby-signed-out" | "unrecorded" => browser.press("/signout", &[]).await,
        _ => browser.open("/top").await,
    };
}
