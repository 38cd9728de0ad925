//! The three engines and their drivers.

use crate::group::{Group, Output, await_line};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::{
    env, fmt, fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use thirtyfour::{Capabilities, WebDriver};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(50);

/// What renders the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
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

impl Engine {
    /// The engine named by `MINIATURE_BROWSER`.
    fn from_environment() -> Result<Self> {
        let name = env::var("MINIATURE_BROWSER").context("MINIATURE_BROWSER")?;
        Ok(match name.as_str() {
            "chromium" => Self::Chromium,
            "firefox" => Self::Firefox,
            "webkit" => Self::WebKit,
            other => bail!("MINIATURE_BROWSER: chromium, firefox or webkit, not `{other}`"),
        })
    }

    fn driver(self) -> &'static str {
        match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
            Self::WebKit => "WebKitWebDriver",
        }
    }

    fn capabilities(self) -> Result<Capabilities> {
        let options = match self {
            Self::Chromium => json!({
                "browserName": "chrome",
                "goog:loggingPrefs": { "browser": "ALL" },
                "goog:chromeOptions": { "args": [
                    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update",
                    "--disable-sync", "--force-device-scale-factor=1", "--window-size=1200,900",
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

/// A driver that opens browsers of one engine, each with a profile of its own.
#[derive(Debug)]
pub(crate) struct Browser {
    engine: Engine,
    url: String,
    // In this order: the driver closes its browser before the screen and the profiles go.
    _driver: Group,
    _screen: Option<Group>,
    _profiles: TempDir,
}

impl Browser {
    /// Starts the driver of the engine that `MINIATURE_BROWSER` names.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not get ready.
    pub(crate) async fn start() -> Result<Self> {
        let engine = Engine::from_environment()?;
        let profiles = tempfile::tempdir()?;
        let mut command = Command::new(engine.driver());
        let port = free_port()?;
        command.arg(format!("--port={port}")).env("TMPDIR", profiles.path()).stderr(Stdio::null());
        let screen = match engine {
            Engine::WebKit => {
                let (screen, display) = start_screen().await?;
                command.env("DISPLAY", display);
                Some(screen)
            }
            Engine::Chromium | Engine::Firefox => None,
        };
        let (driver, output) = Group::start(&mut command)?;
        drain(output);
        await_port(port).await.with_context(|| engine.driver())?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { engine, url, _driver: driver, _screen: screen, _profiles: profiles })
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// Opens a browser that has never seen anything.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub(crate) async fn open(&self) -> Result<WebDriver> {
        let driver = WebDriver::new(&self.url, self.engine.capabilities()?).await?;
        driver.set_window_rect(0, 0, 1200, 900).await?;
        driver.set_script_timeout(PATIENCE).await?;
        Ok(driver)
    }
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
