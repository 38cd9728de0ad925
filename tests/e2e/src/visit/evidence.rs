//! What is left of a journey that failed.

use super::Visit;
use std::{fmt::Write, fs, path::Path, time::Duration};
use tokio::time::timeout;

/// How long a browser may take to say what it saw. One that hangs has failed already.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many requests a report ends with.
const LAST_PASSAGES: usize = 12;

const SELF_DESCRIPTION: &str = "
    const banner = document.querySelector('[data-testid=offline-banner] p');
    return `${location.pathname}, ${document.visibilityState}, ${navigator.onLine ? 'online' : 'offline'}, `
        + `${Math.round(performance.now())} ms old, banner: ${banner?.textContent ?? 'none'}`";

impl Visit<'_> {
    /// Writes a screenshot, what the page saw and what passed the gate beside `stem`. Returns lines for
    /// the report, which may be all that is left: what passed last, and what the page says of itself.
    /// They tell a page that does not ask from one that gets no answer.
    pub async fn leave_evidence(&self, stem: &Path) -> Vec<String> {
        let passages = self.passages();
        let last = passages.len().saturating_sub(LAST_PASSAGES);
        let mut lines: Vec<String> = passages[last..].iter().map(ToString::to_string).collect();
        lines.push(format!("the gate is {:.1} s old", self.gate.age().as_secs_f64()));
        let told = timeout(PATIENCE, self.ask_the_browser(stem)).await;
        lines.push(told.unwrap_or_else(|_| "the browser does not answer any more".to_owned()));
        lines
    }

    /// Returns what the page says of itself.
    async fn ask_the_browser(&self, stem: &Path) -> String {
        let text = self.sights().await;
        let log = stem.with_extension("txt");
        // The journey has failed already; evidence that cannot be had changes nothing.
        if fs::write(&log, text).is_ok() {
            println!("        see {}", log.display());
        }
        let _ = self.driver.screenshot(&stem.with_extension("png")).await;
        self.eval(SELF_DESCRIPTION).await.unwrap_or_else(|error| format!("{error:#}"))
    }

    async fn sights(&self) -> String {
        let mut text = String::new();
        if let Ok(url) = self.driver.current_url().await {
            let _ = writeln!(text, "{url}\n");
        }
        if let Ok(seen) = self.eval::<serde_json::Value>("return window.__seen").await {
            let _ = writeln!(text, "{seen:#}\n");
        }
        if let Ok(html) = self.eval::<String>("return document.body.outerHTML.slice(0, 6000)").await
        {
            let _ = writeln!(text, "{html}\n");
        }
        for passage in self.passages() {
            let _ = writeln!(text, "{passage}");
        }
        text
    }
}
