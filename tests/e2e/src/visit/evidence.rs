//! What is left of a journey that failed.

use super::Visit;
use anyhow::{Error, anyhow};
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
    /// the report, which may be all that is left.
    pub async fn leave_evidence(&self, stem: &Path) -> String {
        // The journey has failed already; evidence that cannot be had changes nothing.
        let _ = timeout(PATIENCE, self.write_evidence(stem)).await;
        self.plight().await
    }

    /// The error of a wait. It says where the browser stood, unless the report does.
    pub(super) async fn in_vain(&self, patience: Duration, what: &str) -> Error {
        let plight = if self.is_main { String::new() } else { self.plight().await };
        anyhow!("waited {} s in vain: {what}{plight}", patience.as_secs())
    }

    /// What passed the gate last, and what the page says of itself, a line each. They tell a page that
    /// does not ask from one that gets no answer.
    async fn plight(&self) -> String {
        let passages = self.passages();
        let last = passages.len().saturating_sub(LAST_PASSAGES);
        let mut lines: Vec<String> = passages[last..].iter().map(ToString::to_string).collect();
        lines.push(format!("the gate is {:.1} s old", self.gate.age().as_secs_f64()));
        let told = timeout(PATIENCE, self.eval(SELF_DESCRIPTION)).await;
        lines.push(match told {
            Ok(told) => told.unwrap_or_else(|error| format!("{error:#}")),
            Err(_) => "the browser does not answer any more".to_owned(),
        });
        lines.iter().fold(String::new(), |text, line| text + "\n        " + line.as_str())
    }

    async fn write_evidence(&self, stem: &Path) {
        let text = self.sights().await;
        let log = stem.with_extension("txt");
        if fs::write(&log, text).is_ok() {
            println!("        see {}", log.display());
        }
        let _ = self.driver.screenshot(&stem.with_extension("png")).await;
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
