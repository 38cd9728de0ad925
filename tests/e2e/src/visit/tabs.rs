//! Several tabs of one browser.

use super::{GLANCE, PATIENCE, Visit};
use crate::engine::Engine;
use anyhow::{Result, ensure};
use thirtyfour::WindowHandle;
use tokio::time::{Instant, sleep};

impl Visit<'_> {
    /// Opens a tab beside this one, and goes on in it. Returns this one.
    ///
    /// In WebKitGTK it is a window: its driver talks to another tab without bringing it to the front,
    /// where it would be visible.
    pub async fn open_tab(&mut self, path: &str) -> Result<WindowHandle> {
        let before = self.driver.window().await?;
        let tab = match self.engine() {
            Engine::WebKit => self.driver.new_window().await?,
            Engine::Chromium | Engine::Firefox => self.driver.new_tab().await?,
        };
        self.driver.switch_to_window(tab).await?;
        self.open(path).await?;
        Ok(before)
    }

    /// Goes on in another tab. Returns the one before.
    pub async fn switch_to(&mut self, tab: WindowHandle) -> Result<WindowHandle> {
        let before = self.driver.window().await?;
        self.driver.switch_to_window(tab).await?;
        Ok(before)
    }

    /// The window that is not this one, once there is one.
    pub async fn other_window(&self) -> Result<WindowHandle> {
        let start = Instant::now();
        loop {
            let own = self.driver.window().await?;
            let all = self.driver.windows().await?;
            if let Some(other) = all.into_iter().find(|window| *window != own) {
                return Ok(other);
            }
            ensure!(start.elapsed() < PATIENCE, "no other window is opened");
            sleep(GLANCE).await;
        }
    }

    /// Closes this tab and goes on in another.
    pub async fn close_tab(&mut self, next: WindowHandle) -> Result<()> {
        self.driver.close_window().await?;
        self.driver.switch_to_window(next).await?;
        Ok(())
    }
}
