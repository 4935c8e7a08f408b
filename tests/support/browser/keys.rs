//! A keyboard, for whoever has no mouse.

use anyhow::Result;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::key::Key;
use serde_json::Value;

use super::Browser;

/// What has the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Focused {
    /// What screen readers call it.
    pub name: String,
    /// Its HTML element, in lower case.
    pub element: String,
    /// Whether one sees that it has the focus.
    pub is_visible: bool,
}

const FOCUSED: &str = r"
    const focused = document.activeElement ?? document.body;
    const name = [...focused.labels ?? []].map((label) => label.textContent).join(' ') || focused.textContent;
    const style = getComputedStyle(focused);
    const box = focused.getBoundingClientRect();
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const inside = box.bottom > 0 && box.top < innerHeight && box.width > 0;
    return [name.trim(), focused.localName, outlined && inside];";

impl Browser {
    /// Presses a key, wherever the focus is.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn press_key(&self, key: Key) -> Result<()> {
        self.keys([char::from(key)]).await
    }

    /// Types, wherever the focus is.
    ///
    /// # Errors
    /// When the browser cannot.
    pub async fn type_keys(&self, text: &str) -> Result<()> {
        self.keys(text.chars()).await
    }

    /// What has the focus.
    ///
    /// # Errors
    /// When there is no page.
    pub async fn focused(&self) -> Result<Focused> {
        let told = self.run(FOCUSED).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Focused {
            name: text(&told[0]),
            element: text(&told[1]),
            is_visible: told[2] == true,
        })
    }

    async fn keys(&self, keys: impl IntoIterator<Item = char>) -> Result<()> {
        let mut typed = KeyActions::new("keyboard".to_owned());
        for value in keys {
            typed = typed
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        Ok(self.client.perform_actions(typed).await?)
    }
}
