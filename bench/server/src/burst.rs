//! A thousand requests at once for what no cache holds.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use miniature_api::Size;
use miniature_server::metrics::{RENDITIONS_MADE, SOURCE_CALLS};

use crate::{
    people::{Friend, People, friends},
    process::Server,
    report::Row,
};

/// How many ask at once.
const CALLERS: usize = 1_000;

/// Asks a server that has just started, from a thousand connections, for one rendition and for one
/// profile.
///
/// # Errors
///
/// If any of them is not answered.
pub async fn measure(people: &People) -> Result<Vec<Row>> {
    people.forget_renditions()?;
    let server = Server::start(&people.data()).await?;
    let friends = friends(&server).await?;
    let Friend { image, .. } = &friends[0];
    let rendition = format!("/images/{image}?size={}", Size::S256);
    let profile = format!("/api/users/{}", friends[1].user);
    Ok(vec![
        once(&server, &rendition, RENDITIONS_MADE, "rendition: decoded").await?,
        once(&server, &profile, SOURCE_CALLS, "profile: source asked").await?,
    ])
}

async fn once(server: &Server, path: &str, counter: &str, what: &str) -> Result<Row> {
    let before = server.counted(counter).await?;
    let answers = try_join_all((0..CALLERS).map(|_| server.get(path))).await?;
    ensure!(answers.iter().all(|answer| answer == &answers[0]), "the answers differ");
    let times = server.counted(counter).await? - before;
    let what = format!("{CALLERS} first requests at once for one {what}");
    Ok(Row::held(what, format!("{times} x"), "1 x", times == 1))
}
