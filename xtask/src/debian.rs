//! Browsers and servers that tests run against, and what the benchmark compares with: packages of
//! Debian and its kin.

use crate::{command::find, step};
use anyhow::{Result, bail};
use std::{fs, process::Command};

/// A package, found by what it installs and not by asking dpkg: another system may have it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
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
}

impl Package {
    fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::ChromiumDriver => "chromium-driver",
            Self::Firefox => "firefox-esr",
            Self::WebKitDriver => "webkit2gtk-driver",
            Self::Xvfb => "xvfb",
            Self::Redis => "redis-server",
            Self::Postgres => "postgresql",
            Self::Pip => "python3-pip",
            Self::Vips => "libvips-tools",
            Self::Wrk => "wrk",
        }
    }

    fn is_there(self) -> bool {
        if self == Self::Postgres && fs::exists("/usr/lib/postgresql").unwrap_or(false) {
            return true; // Debian keeps it off the path
        }
        let programs: &[&str] = match self {
            Self::Chromium => &["chromium"],
            Self::ChromiumDriver => &["chromedriver"],
            Self::Firefox => &["firefox-esr", "firefox"],
            Self::WebKitDriver => &["WebKitWebDriver"],
            Self::Xvfb => &["Xvfb"],
            Self::Redis => &["redis-server"],
            Self::Postgres => &["postgres"],
            Self::Pip => &["pip3"],
            Self::Vips => &["vipsthumbnail"],
            Self::Wrk => &["wrk"],
        };
        programs.iter().any(|program| find(program).is_some())
    }
}

/// Makes sure that the packages are there.
///
/// # Errors
///
/// If one is missing and cannot be installed here; says how to.
pub(crate) fn ensure(packages: &[Package]) -> Result<()> {
    let missing: Vec<&str> =
        packages.iter().filter(|package| !package.is_there()).map(|p| p.name()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if find("apt-get").is_none() || !is_root() {
        bail!("missing: install it with `sudo apt-get install {}`", missing.join(" "));
    }
    step::quiet("apt-get update", apt_get().arg("update"))?;
    let install = ["install", "--yes", "--no-install-recommends"];
    let name = format!("apt-get install {}", missing.join(" "));
    step::quiet(&name, apt_get().args(install).args(&missing))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Whether this process runs as root, by the owner of its own entry in `/proc`.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
