//! The three engines and their drivers.

use crate::group::{Group, Output, await_line};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::{
    env, fmt, fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    ops::Deref,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr,
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use thirtyfour::{
    Capabilities, WebDriver,
    cdp::ScriptId,
    error::{WebDriverError, WebDriverErrorInner},
};
use tokio::time::{Instant, sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(50);

/// What renders the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Blink, as Debian packages it.
    Chromium,
    /// Gecko.
    Firefox,
    /// WebKitGTK's own test browser.
    WebKit,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::WebKit => "WebKitGTK",
        })
    }
}

impl FromStr for Engine {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "chromium" => Self::Chromium,
            "firefox" => Self::Firefox,
            "webkit" => Self::WebKit,
            other => bail!("chromium, firefox or webkit, not `{other}`"),
        })
    }
}

impl Engine {
    /// The engine named by `MINIATURE_BROWSER`.
    ///
    /// # Errors
    ///
    /// If the variable is missing or names no engine.
    pub fn from_environment() -> Result<Self> {
        let name = env::var("MINIATURE_BROWSER").context("MINIATURE_BROWSER")?;
        name.parse().context("MINIATURE_BROWSER")
    }

    fn driver(self) -> &'static str {
        match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
            Self::WebKit => "WebKitWebDriver",
        }
    }

    /// `type_at_least`: below so many CSS pixels no type is set; 0 for any size.
    fn capabilities(self, profile: &Path, type_at_least: u32) -> Result<Capabilities> {
        let options = match self {
            Self::Chromium => json!({
                "browserName": "chrome",
                "goog:loggingPrefs": { "browser": "ALL" },
                "goog:chromeOptions": { "args": [
                    format!("--user-data-dir={}", profile.display()), "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update",
                    "--disable-sync", "--force-device-scale-factor=1", "--window-size=1200,900",
                    format!("--blink-settings=minimumFontSize={type_at_least}"),
                ] },
            }),
            Self::Firefox => json!({
                "browserName": "firefox",
                "moz:firefoxOptions": {
                    "args": ["-headless", "--width=1200", "--height=900"],
                    "prefs": {
                        "app.update.disabledForTesting": true,
                        "network.captive-portal-service.enabled": false,
                        "network.connectivity-service.enabled": false,
                        "datareporting.policy.dataSubmissionEnabled": false,
                        "font.minimum-size.x-western": type_at_least,
                    },
                },
            }),
            Self::WebKit => json!({
                "browserName": "MiniBrowser",
                "webkitgtk:browserOptions": { "binary": mini_browser()?, "args": ["--automation"] },
            }),
        };
        Ok(serde_json::from_value(options)?)
    }
}

/// WebKitGTK's own test browser, which Debian puts under the machine's architecture.
fn mini_browser() -> Result<PathBuf> {
    let libraries = fs::read_dir("/usr/lib")?.filter_map(Result::ok);
    libraries
        .map(|folder| folder.path().join("webkit2gtk-4.1/MiniBrowser"))
        .find(|file| file.is_file())
        .context("MiniBrowser is missing: install webkit2gtk-driver")
}

/// Opens browsers of one engine, each with a profile and a driver of its own.
#[derive(Debug)]
pub struct Browser {
    engine: Engine,
    screen: Option<(Group, String)>,
    profiles: TempDir,
}

/// An open browser; driver and browser end when dropped, and the profile with them.
#[derive(Debug)]
pub struct Session {
    driver: WebDriver,
    process: Group,
    profile: Arc<TempDir>,
    injected: Option<ScriptId>,
}

impl Deref for Session {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

impl Session {
    /// Closes the browser, then its driver.
    pub async fn close(self) {
        self.quit().await;
    }

    async fn quit(&self) {
        // One that does not answer any more is ended with its driver.
        let _ = timeout(PATIENCE, self.driver.clone().quit()).await;
    }

    /// The process of the driver, under which those of the browser are.
    pub(crate) fn driver_id(&self) -> u32 {
        self.process.id()
    }

    /// Runs a script before every other script of each document from now on, in place of the last one
    /// that was injected. Only Chromium can.
    ///
    /// # Errors
    ///
    /// If the driver does not answer.
    pub async fn inject(&mut self, script: String) -> Result<()> {
        let cdp = self.driver.cdp();
        if let Some(last) = self.injected.take() {
            cdp.page().remove_script_to_evaluate_on_new_document(last).await?;
        }
        let id = cdp.page().add_script_to_evaluate_on_new_document(script).await?;
        self.injected = Some(id);
        Ok(())
    }
}

impl Browser {
    /// Prepares for an engine.
    ///
    /// # Errors
    ///
    /// If what it needs is not installed or does not get ready.
    pub async fn start(engine: Engine) -> Result<Self> {
        // Built with the server, reqwest has no provider of cryptography of its own, though no driver
        // needs one. It fails only if there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let screen = match engine {
            Engine::WebKit => Some(start_screen().await?),
            Engine::Chromium | Engine::Firefox => None,
        };
        Ok(Self { engine, screen, profiles: tempfile::tempdir()? })
    }

    /// What its sessions render with.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Opens a browser that has never seen anything. One that hangs at its start, as WebKitGTK's
    /// does now and then, is given up for another.
    ///
    /// # Errors
    ///
    /// If neither starts.
    pub async fn open(&self) -> Result<Session> {
        self.open_with(0).await
    }

    /// The same; no type is set in fewer CSS pixels than `type_at_least`, as its user wants it.
    /// WebKitGTK's test browser has no such setting.
    ///
    /// # Errors
    ///
    /// If none starts.
    pub async fn open_with(&self, type_at_least: u32) -> Result<Session> {
        match timeout(PATIENCE, self.try_open(self.profile()?, type_at_least)).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(_)) | Err(_) => {
                timeout(PATIENCE, self.try_open(self.profile()?, type_at_least)).await?
            }
        }
    }

    /// Ends the browser's process and starts another with what it has stored. Only Chromium keeps
    /// anything.
    ///
    /// # Errors
    ///
    /// If it does not start again.
    pub async fn restart(&self, session: &mut Session) -> Result<()> {
        ensure!(self.engine == Engine::Chromium, "{} forgets everything when it ends", self.engine);
        session.quit().await;
        *session = timeout(PATIENCE, self.try_open(Arc::clone(&session.profile), 0)).await??;
        Ok(())
    }

    fn profile(&self) -> Result<Arc<TempDir>> {
        Ok(Arc::new(tempfile::tempdir_in(&self.profiles)?))
    }

    async fn try_open(&self, profile: Arc<TempDir>, type_at_least: u32) -> Result<Session> {
        let (process, url) = self.start_driver().await?;
        let capabilities = self.engine.capabilities(profile.path(), type_at_least)?;
        let driver = WebDriver::new(url, capabilities).await?;
        let session = Session { driver, process, profile, injected: None };
        session.set_window_rect(0, 0, 1200, 900).await?;
        session.set_script_timeout(PATIENCE).await?;
        Ok(session)
    }

    async fn start_driver(&self) -> Result<(Group, String)> {
        let port = free_port()?;
        let mut command = Command::new(self.engine.driver());
        command.arg(format!("--port={port}")).env("TMPDIR", self.profiles.path());
        if let Some((_, display)) = &self.screen {
            command.env("DISPLAY", display);
        }
        // WebKitGTK's browser says nothing but why it ends.
        command.stderr(match self.engine {
            Engine::WebKit => Stdio::inherit(),
            Engine::Chromium | Engine::Firefox => Stdio::null(),
        });
        let (driver, output) = Group::start(&mut command)?;
        drain(output);
        await_port(port).await.with_context(|| self.engine.driver())?;
        Ok((driver, format!("http://127.0.0.1:{port}")))
    }
}

/// Whether a driver said that its browser has ended.
#[must_use]
pub fn has_ended(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<WebDriverError>());
    causes.any(|cause| matches!(cause.as_inner(), WebDriverErrorInner::InvalidSessionId(_)))
}

/// A screen in memory, for the engine that has no headless mode.
async fn start_screen() -> Result<(Group, String)> {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]);
    let (screen, output) = Group::start(command.stderr(Stdio::null()))?;
    let number = await_line(output, PATIENCE, |line| line.trim().parse::<u32>().ok())
        .await
        .context("Xvfb")?;
    Ok((screen, format!(":{number}")))
}

/// Keeps reading, so that the child never blocks on a full pipe.
fn drain(mut output: Output) {
    tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

async fn await_port(port: u16) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if start.elapsed() > PATIENCE {
            bail!("it did not get ready in time");
        }
        sleep(GLANCE).await;
    }
    Ok(())
}
