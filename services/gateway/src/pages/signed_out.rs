//! `/signed-out`: サインアウト完了, and how to end the VPN connection. Public and the same for everybody.

use askama::Template;

use super::{Answer, Frame, assets, html};
use crate::edge::Site;
use crate::texts;

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOut {
    frame: Frame,
}

/// GET: the page.
pub async fn show(site: Site) -> Answer {
    let frame = Frame {
        icon: assets::CLEARING_ICON_ADDRESS,
        ..Frame::new(texts::SIGNED_OUT, &site)
    };
    html(&SignedOut { frame })
}

impl SignedOut {
    /// The steps; the fifth names the VPN by which this host is reached.
    fn steps(&self) -> impl Iterator<Item = &'static str> {
        let standby = self.frame.standby;
        texts::VPN_STEPS
            .into_iter()
            .enumerate()
            .map(move |(index, step)| match index {
                4 if standby => texts::VPN_STEP_STANDBY,
                _ => step,
            })
    }
}
