//! What hands do in a page.

use super::Visit;
use anyhow::Result;
use std::time::Duration;
use tokio::time::sleep;

impl Visit<'_> {
    /// Clicks the element with the mouse, once it is visible.
    pub async fn click(&self, selector: &str) -> Result<()> {
        Ok(self.find(selector).await?.click().await?)
    }

    /// Rests the mouse on an element for a time, then clicks it, as one movement of a hand.
    pub async fn hover_then_click(&self, selector: &str, rest: Duration) -> Result<()> {
        let element = self.find(selector).await?;
        self.driver.action_chain().move_to_element_center(&element).perform().await?;
        sleep(rest).await;
        self.driver.action_chain().click_element(&element).perform().await?;
        Ok(())
    }

    /// Types into the element, once it is visible.
    pub async fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        Ok(self.find(selector).await?.send_keys(text).await?)
    }

    /// Clicks the element twice in a moment, once it is visible.
    pub async fn double_click(&self, selector: &str) -> Result<()> {
        let element = self.find(selector).await?;
        Ok(self.driver.action_chain().double_click_element(&element).perform().await?)
    }

    /// Presses the mouse on one element and lets it go this far from its middle.
    pub async fn drag_from(&self, selector: &str, by: (i64, i64)) -> Result<()> {
        let element = self.find(selector).await?;
        let chain = self.driver.action_chain().move_to_element_center(&element).click_and_hold();
        Ok(chain.move_by_offset(by.0, by.1).release().perform().await?)
    }

    /// Clicks at a point of the window, in CSS pixels.
    pub async fn click_at(&self, x: i64, y: i64) -> Result<()> {
        Ok(self.driver.action_chain().move_to(x, y).click().perform().await?)
    }

    /// Presses a key while Shift is held.
    pub async fn press_with_shift(&self, key: thirtyfour::Key) -> Result<()> {
        let chain = self.driver.action_chain().key_down(thirtyfour::Key::Shift).send_keys(key);
        Ok(chain.key_up(thirtyfour::Key::Shift).perform().await?)
    }

    /// Presses a key wherever the focus is.
    pub async fn press(&self, key: thirtyfour::Key) -> Result<()> {
        Ok(self.driver.action_chain().send_keys(key).perform().await?)
    }
}
