//! The outbox: changes that are to be announced, each written in the transaction that makes it.
//!
//! ```text
//! change + row ─▶ announced right after the commit ─▶ row removed
//!                   └─ not known to be, or the server died ─▶ claimed by any instance a moment later
//! ```
//!
//! **Invariant:** a change that was made has a row until it was announced.

use std::time::Duration;

use miniature_api::{Change, Post};
use sqlx::AnyConnection;

use super::{Database, Versioned, placeholders, seconds};
use crate::clock::Clock;

/// A change that is to be announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Names the change: a repeat has the same id.
    pub id: String,
    /// What happened.
    pub change: Change,
    /// The version that the profile has since; none if that is not known.
    pub version: Option<u64>,
}

impl Message {
    /// Someone has this picture now.
    pub fn picture(of: &Versioned) -> Self {
        let record = of.picture.clone();
        let id = format!("picture/{}/{}", record.user_id, record.revision.0);
        Self { id, change: Change::Picture(record), version: Some(of.version) }
    }

    /// Someone has this profile now.
    pub fn profile(of: &Versioned) -> Self {
        let id = format!("profile/{}/{}", of.user_id, of.version);
        Self { id, change: Change::Profile(of.profile.clone()), version: Some(of.version) }
    }

    /// Someone has written this.
    pub fn post(post: &Post) -> Self {
        Self { id: format!("post/{}", post.id), change: Change::Post(post.clone()), version: None }
    }
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: String,
    payload: String,
    version: Option<i64>,
    written_at: i64,
}

impl MessageRow {
    /// None for one of a later version of this program, which announces it: it must not hold up the
    /// others.
    fn message(self) -> Option<Message> {
        let change = serde_json::from_str(&self.payload);
        let change = change.inspect_err(
            |error| tracing::warn!(id = self.id, %error, "a change in the outbox cannot be read"),
        );
        let version = self.version.and_then(|version| u64::try_from(version).ok());
        Some(Message { id: self.id, change: change.ok()?, version })
    }
}

impl Database {
    /// Claims messages that nobody has claimed, or announced, for some time, the oldest first. Two
    /// instances never get the same.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn claim_messages(
        &self,
        idle_for: Duration,
        limit: usize,
    ) -> sqlx::Result<Vec<Message>> {
        let now = Clock::system().now_ms();
        let idle_ms = u64::try_from(idle_for.as_millis()).unwrap_or(u64::MAX);
        let due = seconds(now.saturating_sub(idle_ms));
        // Mostly there are none, and a look does not take SQLite's one place for writers.
        let look = sqlx::query("SELECT id FROM outbox WHERE claimed_at <= $1 LIMIT 1").bind(due);
        if self.ask(async |c| look.fetch_optional(c).await).await?.is_none() {
            return Ok(Vec::new());
        }
        let claim = sqlx::query_as::<_, MessageRow>(
            "UPDATE outbox SET claimed_at = $1 WHERE claimed_at <= $2 AND id IN \
             (SELECT id FROM outbox WHERE claimed_at <= $2 ORDER BY written_at, id LIMIT $3) \
             RETURNING id, payload, version, written_at",
        );
        let claim = claim.bind(seconds(now)).bind(due);
        let claim = claim.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let mut rows = self.ask(async |c| claim.fetch_all(c).await).await?;
        rows.sort_by(|one, other| (one.written_at, &one.id).cmp(&(other.written_at, &other.id)));
        Ok(rows.into_iter().filter_map(MessageRow::message).collect())
    }

    /// Removes messages that were announced.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn remove_messages(&self, ids: &[String]) -> sqlx::Result<()> {
        let sql = format!("DELETE FROM outbox WHERE id IN ({})", placeholders(ids.len()));
        let query = ids.iter().fold(sqlx::query(&sql), |query, id| query.bind(id));
        self.ask(async |c| query.execute(c).await).await.map(drop)
    }
}

/// Adds a message, in the transaction on this connection.
pub(super) async fn add(connection: &mut AnyConnection, message: &Message) -> sqlx::Result<()> {
    let payload = serde_json::to_string(&message.change);
    let payload = payload.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let query = sqlx::query(
        "INSERT INTO outbox (id, payload, version, written_at, claimed_at) \
         VALUES ($1, $2, $3, $4, $4)",
    );
    let query = query.bind(&message.id).bind(payload).bind(message.version.map(seconds));
    query.bind(seconds(Clock::system().now_ms())).execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    use miniature_api::{Profile, Record, Revision, UserId};

    use super::*;

    #[tokio::test]
    async fn a_message_that_cannot_be_read_holds_up_no_other() {
        let database = Database::in_memory().await.unwrap();
        let user_id: UserId = "ada".parse().unwrap();
        let (name, headline) = ("Ada".to_owned(), String::new());
        let picture = Record {
            user_id: user_id.clone(),
            revision: Revision(0),
            image_id: None,
            thumbhash: None,
        };
        let profile = Profile { user_id, name, headline, friend_count: 0, picture };
        let message = Message::profile(&Versioned { version: 2, profile });
        database.ask(async |c| add(c, &message).await).await.unwrap();
        let of_later = "INSERT INTO outbox (id, payload, version, written_at, claimed_at) \
                        VALUES ('later', '{\"of\":\"a later version\"}', NULL, 0, 0)";
        database.ask(async |c| sqlx::query(of_later).execute(c).await).await.unwrap();

        let claimed = database.claim_messages(Duration::ZERO, 10).await.unwrap();

        assert_eq!(claimed, [message]);
        database.remove_messages(&[claimed[0].id.clone()]).await.unwrap();
        assert_eq!(database.claim_messages(Duration::ZERO, 10).await.unwrap(), []);
    }
}
