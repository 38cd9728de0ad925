//! What each command needs installed.

use crate::{
    debian::{self, Package},
    step::{Stopwatch, readable},
    tools::{self, Tool},
};
use anyhow::Result;
use std::ffi::OsString;

/// What the tools are needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Running the app while working on it.
    Serve,
    /// The release build.
    Dist,
    /// Tests without a browser.
    Native,
    /// Unit tests in Chromium and Firefox.
    Browser,
    /// Journeys in three browsers.
    Journeys,
    /// Measuring the server.
    Bench,
    /// Measuring the page.
    PageBench,
    /// The same, beside a page with a service worker made of Workbox.
    PageBenchOfRivals,
    /// The same, in any browser.
    PageBenchAnywhere,
    /// Tests of the pure core alone.
    Core,
    /// Mutation testing.
    Mutants,
    /// All of it.
    Everything,
}

impl Purpose {
    fn tools(self) -> &'static [Tool] {
        match self {
            Self::Serve => &[Tool::Trunk, Tool::WasmBindgen],
            Self::Dist | Self::PageBench => &[Tool::Trunk, Tool::WasmBindgen, Tool::WasmOpt],
            Self::PageBenchOfRivals => {
                &[Tool::Trunk, Tool::WasmBindgen, Tool::WasmOpt, Tool::Workbox]
            }
            Self::PageBenchAnywhere => {
                use Tool::{Geckodriver, Trunk, WasmBindgen, WasmOpt, Workbox};
                &[Trunk, WasmBindgen, WasmOpt, Geckodriver, Workbox]
            }
            Self::Native => &[Tool::Deny, Tool::S3Store, Tool::Schemathesis],
            Self::Bench | Self::Core => &[],
            Self::Mutants => &[Tool::Mutants],
            Self::Browser => &[Tool::WasmBindgen, Tool::Geckodriver],
            Self::Journeys => {
                use Tool::{Axe, Geckodriver, Trunk, WasmBindgen, WasmOpt};
                &[Trunk, WasmBindgen, WasmOpt, Geckodriver, Axe]
            }
            Self::Everything => {
                use Tool::{
                    Axe, Deny, Geckodriver, S3Store, Schemathesis, Trunk, WasmBindgen, WasmOpt,
                    Workbox,
                };
                &[
                    Trunk,
                    WasmBindgen,
                    WasmOpt,
                    Geckodriver,
                    Axe,
                    Deny,
                    S3Store,
                    Schemathesis,
                    Workbox,
                ]
            }
        }
    }

    fn packages(self) -> &'static [Package] {
        use Package::{
            Chromium, ChromiumDriver, Firefox, Pip, Postgres, Redis, Vips, WebKitDriver, Wrk, Xvfb,
        };
        match self {
            Self::Serve | Self::Dist | Self::Core | Self::Mutants => &[],
            Self::Native => &[Redis, Postgres, Pip],
            Self::Browser => &[Chromium, ChromiumDriver, Firefox],
            Self::Journeys => &[Chromium, ChromiumDriver, Firefox, WebKitDriver, Xvfb, Redis],
            Self::Bench => &[Redis, Vips, Wrk],
            Self::PageBench | Self::PageBenchOfRivals => &[Chromium, ChromiumDriver],
            Self::PageBenchAnywhere => &[Chromium, ChromiumDriver, Firefox, WebKitDriver, Xvfb],
            Self::Everything => &[
                Chromium,
                ChromiumDriver,
                Firefox,
                WebKitDriver,
                Xvfb,
                Redis,
                Postgres,
                Pip,
                Vips,
                Wrk,
            ],
        }
    }
}

/// Installs what is missing and returns the `PATH` to run commands with.
///
/// # Errors
///
/// If something is missing and cannot be installed; says what to do.
pub(crate) fn prepare(purpose: Purpose) -> Result<OsString> {
    let watch = Stopwatch::start();
    tools::ensure_rust_parts()?;
    debian::ensure(purpose.packages())?;
    let path = tools::ensure(purpose.tools())?;
    println!("setup: done in {}", readable(watch.elapsed()));
    Ok(path)
}
