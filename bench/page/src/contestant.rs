//! Who takes part: each side's server, and what it serves.

use crate::{
    Arguments,
    rival::{Friends, Opponent, PLACEHOLDER, Rival},
};
use anyhow::{Context, Result, ensure};
use miniature_e2e::{people, server::Server};
use std::{fs, path::Path};
use tempfile::TempDir;

/// A side's server.
#[derive(Debug)]
pub(crate) struct Contestant {
    /// As named on the command line.
    pub(crate) name: String,
    /// None for a build of the app.
    pub(crate) rival: Option<Rival>,
    pub(crate) server: Server,
    /// Whether the dashboard's panel is open.
    pub(crate) panel: bool,
    /// What the server serves, if it was written for it.
    _folder: Option<TempDir>,
}

/// Starts the servers, ours first. One at a time: each draws the demo portraits first.
///
/// # Errors
///
/// If a folder holds no page or a server does not get ready.
pub(crate) async fn start_all(arguments: &Arguments) -> Result<Vec<Contestant>> {
    let Arguments { ours, server, against_server, .. } = arguments;
    let first = Contestant::build("ours".into(), server, ours).await?;
    let mut all = vec![Contestant { panel: arguments.panel, ..first }];
    for opponent in arguments.opponents() {
        all.push(match opponent {
            Opponent::Build(dist) => {
                let server = against_server.as_ref().unwrap_or(server);
                Contestant::build(dist.display().to_string(), server, &dist).await?
            }
            Opponent::Rival(rival) => {
                let contestant = Contestant::rival(rival, arguments).await;
                contestant.with_context(|| rival.name())?
            }
        });
    }
    Ok(all)
}

impl Contestant {
    async fn build(name: String, server: &Path, dist: &Path) -> Result<Self> {
        ensure!(dist.join("index.html").is_file(), "no index.html in {}", dist.display());
        let server = Server::start(server, dist, tempfile::tempdir()?).await?;
        Ok(Self { name, rival: None, server, panel: false, _folder: None })
    }

    /// The page names pictures that only its server knows. The server reads it anew at each request.
    async fn rival(rival: Rival, arguments: &Arguments) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let dist = folder.path();
        fs::write(dist.join("index.html"), PLACEHOLDER)?;
        let server = Server::start(&arguments.server, dist, tempfile::tempdir()?).await?;
        let friends: Friends = people::first_friends(server.address(), "ada").await?;
        rival.write(dist, &friends, arguments.browser, arguments.workbox.as_deref())?;
        Ok(Self {
            name: rival.name().into(),
            rival: Some(rival),
            server,
            panel: false,
            _folder: Some(folder),
        })
    }
}
