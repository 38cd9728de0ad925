//! What hands do in a page.

use super::{PATIENCE, Visit};
use anyhow::{Context, Result};
use serde_json::json;
use std::{path::Path, time::Duration};
use thirtyfour::{
    By, WebElement,
    common::command::{Actions, Command},
    error::{WebDriverErrorInner, WebDriverResult},
};
use tokio::time::{Instant, sleep};

impl Visit<'_> {
    /// Does something with the element, once it can be clicked. The page may put another element in its
    /// place in between, as the app does with the page that was drawn before it: then that one is taken.
    async fn with<A>(&self, selector: &str, act: A) -> Result<()>
    where
        A: AsyncFn(&WebElement) -> WebDriverResult<()>,
    {
        let start = Instant::now();
        loop {
            let element = self.find(selector).await?;
            let Err(error) = act(&element).await else { return Ok(()) };
            let is_stale = matches!(&*error, WebDriverErrorInner::StaleElementReference(_));
            if !is_stale || start.elapsed() > PATIENCE {
                return Err(error).context(format!("{selector} is not to be had"));
            }
        }
    }

    /// Clicks the element with the mouse, once it is visible.
    pub async fn click(&self, selector: &str) -> Result<()> {
        self.with(selector, async |element| element.click().await).await
    }

    /// Moves the mouse onto the element, once it is visible.
    pub async fn hover(&self, selector: &str) -> Result<()> {
        self.with(selector, async |element| {
            self.driver.action_chain().move_to_element_center(element).perform().await
        })
        .await
    }

    /// Rests the mouse on an element for a time, then clicks it, as one movement of a hand.
    pub async fn hover_then_click(&self, selector: &str, rest: Duration) -> Result<()> {
        self.with(selector, async |element| {
            self.driver.action_chain().move_to_element_center(element).perform().await?;
            sleep(rest).await;
            self.driver.action_chain().click_element(element).perform().await
        })
        .await
    }

    /// Chooses a file in a field for files.
    pub async fn attach(&self, selector: &str, file: &Path) -> Result<()> {
        // The field itself is out of sight; what is seen is its label.
        let is_there = format!("return !!document.querySelector({selector:?})");
        self.wait(&format!("{selector} is there"), &is_there).await?;
        let path = file.to_str().context("a path that is not UTF-8")?;
        self.driver.find(By::Css(selector.to_owned())).await?.send_keys(path).await?;
        Ok(())
    }

    /// Types into the element, once it is visible.
    pub async fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        self.with(selector, async |element| element.send_keys(text).await).await
    }

    /// Clicks the element twice in a moment, once it is visible.
    pub async fn double_click(&self, selector: &str) -> Result<()> {
        self.with(selector, async |element| {
            self.driver.action_chain().double_click_element(element).perform().await
        })
        .await
    }

    /// Presses the mouse on one element and lets it go this far from its middle.
    pub async fn drag_from(&self, selector: &str, by: (i64, i64)) -> Result<()> {
        self.with(selector, async |element| {
            let chain = self.driver.action_chain().move_to_element_center(element).click_and_hold();
            chain.move_by_offset(by.0, by.1).release().perform().await
        })
        .await
    }

    /// Clicks at a point of the window, in CSS pixels.
    pub async fn click_at(&self, x: i64, y: i64) -> Result<()> {
        Ok(self.driver.action_chain().move_to(x, y).click().perform().await?)
    }

    /// Puts a finger on the element, moves it up by so many pixels, and lifts it after a time.
    pub async fn touch(&self, selector: &str, up: i64, rest: Duration) -> Result<()> {
        let millis = u64::try_from(rest.as_millis())?;
        let away = json!({
            "type": "pointerMove", "duration": millis, "x": 0, "y": -up, "origin": "pointer",
        });
        let pause = json!({ "type": "pause", "duration": millis });
        let then = if up == 0 { pause } else { away };
        self.with(selector, async |element| {
            let origin = element.to_json()?;
            let actions = json!([{
                "type": "pointer",
                "id": "finger",
                "parameters": { "pointerType": "touch" },
                "actions": [
                    { "type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin },
                    { "type": "pointerDown", "button": 0 },
                    then,
                    { "type": "pointerUp", "button": 0 },
                ],
            }]);
            self.driver.cmd(Command::PerformActions(Actions::from(actions))).await.map(drop)
        })
        .await
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
