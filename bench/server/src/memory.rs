//! Memory over a hundred thousand requests of every kind.

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use miniature_api::Size;

use crate::{
    people::{Friend, friends},
    process::Server,
    report::Row,
};

/// How many requests in all.
const REQUESTS: usize = 100_000;

/// After how many memory is looked at.
const LOOKS: usize = 20_000;

/// How many are under way at once.
const AT_ONCE: usize = 32;

/// How much more memory may be held at the end than after the first look, of a hundred.
const GROWTH: u64 = 5;

/// Asks for everything there is, again and again.
///
/// # Errors
///
/// If a request fails.
pub async fn measure(server: &Server) -> Result<Vec<Row>> {
    let paths = paths(&friends(server).await?);
    let mut looks = Vec::new();
    for look in 0..REQUESTS / LOOKS {
        let numbers = look * LOOKS..(look + 1) * LOOKS;
        let requests = numbers.map(|n| server.get(&paths[n % paths.len()]));
        stream::iter(requests).buffer_unordered(AT_ONCE).try_for_each(async |_| Ok(())).await?;
        looks.push(server.process.memory("VmRSS")?);
    }
    let (first, last) = (looks[0], looks[looks.len() - 1]);
    let seen = looks.iter().map(|bytes| format!("{:.1}", mebibytes(*bytes)));
    Ok(vec![Row::held(
        format!("memory after {REQUESTS} mixed requests"),
        format!("{} MiB, each after {LOOKS} more", seen.collect::<Vec<_>>().join(", ")),
        format!("flat: the last at most {GROWTH} % over the first"),
        last * 100 <= first * (100 + GROWTH),
    )])
}

#[expect(clippy::cast_precision_loss, reason = "to be read by people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Every picture in every size, everybody's record and profile, lists and batches.
fn paths(friends: &[Friend]) -> Vec<String> {
    let mut paths = vec!["/api/session".to_owned(), "/api/friends".to_owned()];
    for size in Size::ALL {
        paths.push(format!("/api/friends?pictures={size}"));
        for Friend { user, image } in friends {
            paths.push(format!("/images/{image}?size={size}"));
            paths.push(format!("/api/images/user/{user}?size={size}"));
            paths.push(format!("/api/images/batch?size={size}&users={user}"));
        }
    }
    paths.extend(friends.iter().map(|friend| format!("/api/users/{}", friend.user)));
    paths
}
