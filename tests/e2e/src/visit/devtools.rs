//! What Chromium's developer tools can do to a tab, and no other browser on request.

use super::Visit;
use crate::engine::Engine;
use anyhow::Result;
use thirtyfour::WindowHandle;

impl Visit<'_> {
    /// Whether the browser can end the renderer of a tab at once, as `kill -9` does, and freeze it, as
    /// a browser that saves energy does.
    pub fn can_stop_tabs(&self) -> bool {
        self.engine() == Engine::Chromium
    }

    /// Asks for dark colours, as the system's settings do, or for light ones. Returns whether this browser
    /// can be asked.
    pub async fn prefer_dark(&self, dark: bool) -> Result<bool> {
        if self.engine() != Engine::Chromium {
            return Ok(false);
        }
        let value = if dark { "dark" } else { "light" };
        let features = [serde_json::json!({ "name": "prefers-color-scheme", "value": value })];
        let media = serde_json::json!({ "features": features });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
        Ok(true)
    }

    /// Puts so many pixels into a CSS pixel. Returns whether this browser can be asked.
    pub async fn set_density(&self, density: u32) -> Result<bool> {
        if self.engine() != Engine::Chromium {
            return Ok(false);
        }
        let metrics = serde_json::json!({
            "width": 0, "height": 0, "deviceScaleFactor": density, "mobile": false,
        });
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await?;
        Ok(true)
    }

    /// Has this tab collect its garbage. Returns whether this browser can be asked.
    pub async fn collect_garbage(&self) -> Result<bool> {
        if self.engine() != Engine::Chromium {
            return Ok(false);
        }
        let nothing = serde_json::json!({});
        self.driver.cdp().send_raw("HeapProfiler.collectGarbage", nothing).await?;
        Ok(true)
    }

    /// Has the browser wake the worker as it does once there is a network again. Returns whether this browser
    /// can be asked.
    pub async fn wake_worker(&self, tag: &str) -> Result<bool> {
        if self.engine() != Engine::Chromium {
            return Ok(false);
        }
        let cdp = self.driver.cdp();
        cdp.send_raw("ServiceWorker.enable", serde_json::json!({})).await?;
        let origin = self.gate.url("");
        // Numbered from 0, and a browser without a past has one.
        let woken = serde_json::json!({
            "origin": origin, "registrationId": "0", "tag": tag, "lastChance": false,
        });
        cdp.send_raw("ServiceWorker.dispatchSyncEvent", woken).await?;
        Ok(true)
    }

    /// Freezes this tab: nothing of it runs any more.
    pub async fn freeze_tab(&self) -> Result<()> {
        let frozen = serde_json::json!({ "state": "frozen" });
        self.driver.cdp().send_raw("Page.setWebLifecycleState", frozen).await?;
        Ok(())
    }

    /// Ends this tab's renderer, and goes on in another tab.
    pub async fn crash_tab(&mut self, next: WindowHandle) -> Result<()> {
        // The answer is that the tab has crashed.
        let _ = self.driver.goto("chrome://crash").await;
        self.driver.switch_to_window(next).await?;
        Ok(())
    }
}
