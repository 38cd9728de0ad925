//! The Redis stream in which all instances write what happens.
//!
//! An entry holds a change, the id of its message and which instance wrote it; of one that was written
//! twice the second is dropped where it is read. Or it is a mark: `start` where the stream begins, so
//! that there is something to begin after; `gap` where entries were lost, or are of another lineage.

use std::time::Duration;

use ::redis::{
    Cmd, FromRedisValue, RedisError, cmd,
    streams::{StreamId, StreamRangeReply, StreamReadReply},
};
use miniature_api::{Change, Lineage};
use thiserror::Error;
use tokio::time::{error::Elapsed, timeout};

use super::log::{EventId, EventIdError};
use crate::{
    redis::{Connection, Redis},
    storage::Message,
};

/// Where the stream is.
const KEY: &str = "miniature:events";

/// Names the servers that hold everything that was ever written to them, and its lineage. If it names
/// others or none, a replica took over, a server was started anew, or the database was restored.
const WHOLE: &str = "miniature:whole";

/// How long Redis waits for something to happen before it says that nothing has.
const WAITS_FOR: Duration = Duration::from_secs(5);

/// How long it may take beyond that. Then the connection counts as lost.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// The most entries read at once.
const AT_ONCE: usize = 100;

/// The stream, as one instance sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct SharedStream {
    redis: Redis,
    lineage: Lineage,
    /// Tells our entries from those of others.
    instance: String,
    limit: usize,
}

/// What stands in the stream.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: EventId,
    pub(super) item: Item,
}

/// What an entry says.
#[derive(Debug)]
pub(super) enum Item {
    /// We wrote it; our caches know.
    Ours(Message),
    /// Another instance wrote it.
    Theirs(Message),
    /// Something happened that we never heard of.
    Gap,
    /// Nothing that we can read: the start, or what a newer version wrote.
    Other,
}

/// A place in the stream that says something of the stream itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Start,
    Gap,
}

impl Mark {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Gap => "gap",
        }
    }
}

/// Why the stream cannot be followed any further.
#[derive(Debug, Error)]
pub(super) enum StreamError {
    #[error("Redis is away")]
    Away,
    #[error("Redis does not answer")]
    Silent(#[from] Elapsed),
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("an entry has no id: {0}")]
    Id(#[from] EventIdError),
}

impl SharedStream {
    /// The stream in this Redis, of which it keeps so many entries.
    pub(super) fn new(redis: Redis, lineage: Lineage, limit: usize) -> Self {
        Self { redis, lineage, instance: uuid::Uuid::now_v7().to_string(), limit }
    }

    /// Adds what happened. False if Redis did not say that it took it.
    pub(super) async fn add(&self, message: &Message) -> bool {
        let Ok(json) = serde_json::to_string(&message.change) else { return false };
        let mut add = self.adding();
        add.arg("from").arg(&self.instance).arg("message").arg(&message.id);
        add.arg("change").arg(json);
        if let Some(version) = message.version {
            add.arg("version").arg(version);
        }
        self.redis.ask::<String>(&add).await.is_some()
    }

    /// Connects, once Redis answers others too.
    pub(super) async fn connect(&self) -> Result<Connection, StreamError> {
        if !self.redis.ping().await {
            return Err(StreamError::Away);
        }
        Ok(timeout(ANSWERS_WITHIN, self.redis.dedicated()).await??)
    }

    /// Adds a mark.
    pub(super) async fn mark(
        &self,
        connection: &mut Connection,
        mark: Mark,
    ) -> Result<(), StreamError> {
        let mut add = self.adding();
        add.arg("from").arg(&self.instance).arg("mark").arg(mark.name());
        ask::<String>(connection, &add, ANSWERS_WITHIN).await.map(drop)
    }

    /// Which servers answer now, and our lineage, unless they hold everything that was ever written to
    /// them, all of that lineage.
    pub(super) async fn unknown_servers(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<String>, StreamError> {
        let now = format!("{} {}", self.lineage, self.redis.incarnation().await?);
        let whole =
            ask::<Option<String>>(connection, cmd("GET").arg(WHOLE), ANSWERS_WITHIN).await?;
        Ok((whole.as_ref() != Some(&now)).then_some(now))
    }

    /// Nobody believes any more what these servers held before.
    pub(super) async fn vouch_for(
        &self,
        connection: &mut Connection,
        servers: &str,
    ) -> Result<(), StreamError> {
        let set = cmd("SET").arg(WHOLE).arg(servers).to_owned();
        ask::<()>(connection, &set, ANSWERS_WITHIN).await
    }

    /// Whether an entry is there. If it was and is not, others may have gone with it.
    pub(super) async fn holds(
        &self,
        connection: &mut Connection,
        id: EventId,
    ) -> Result<bool, StreamError> {
        let mut range = cmd("XRANGE");
        range.arg(KEY).arg(id.to_string()).arg(id.to_string());
        let held = ask::<StreamRangeReply>(connection, &range, ANSWERS_WITHIN).await?;
        Ok(!held.ids.is_empty())
    }

    /// All that it holds, the oldest first.
    pub(super) async fn all(&self, connection: &mut Connection) -> Result<Vec<Entry>, StreamError> {
        let mut range = cmd("XRANGE");
        range.arg(KEY).arg("-").arg("+");
        let held = ask::<StreamRangeReply>(connection, &range, ANSWERS_WITHIN).await?;
        self.entries(held.ids)
    }

    /// What comes after an entry. Waits for it, and comes back with nothing if it takes long.
    pub(super) async fn after(
        &self,
        connection: &mut Connection,
        last: EventId,
    ) -> Result<Vec<Entry>, StreamError> {
        let mut read = cmd("XREAD");
        let wait_ms = u64::try_from(WAITS_FOR.as_millis()).unwrap_or(u64::MAX);
        read.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(wait_ms);
        read.arg("STREAMS").arg(KEY).arg(last.to_string());
        let limit = WAITS_FOR + ANSWERS_WITHIN;
        let reply = ask::<Option<StreamReadReply>>(connection, &read, limit).await?;
        let keys = reply.map_or(Vec::new(), |reply| reply.keys);
        self.entries(keys.into_iter().flat_map(|key| key.ids).collect())
    }

    fn adding(&self) -> Cmd {
        let mut add = cmd("XADD");
        add.arg(KEY).arg("MAXLEN").arg("=").arg(self.limit).arg("*");
        add
    }

    fn entries(&self, held: Vec<StreamId>) -> Result<Vec<Entry>, StreamError> {
        held.into_iter()
            .map(|held| Ok(Entry { id: held.id.parse()?, item: self.item(&held) }))
            .collect()
    }

    fn item(&self, held: &StreamId) -> Item {
        let ours = held.get::<String>("from").as_ref() == Some(&self.instance);
        match (message(held), held.get::<String>("mark").as_deref()) {
            (Some(message), _) if ours => Item::Ours(message),
            (Some(message), _) => Item::Theirs(message),
            (None, Some("gap")) => Item::Gap,
            (None, _) => Item::Other,
        }
    }
}

/// What an entry says that happened. An older instance gives it no id; then that of the entry is one.
fn message(held: &StreamId) -> Option<Message> {
    let change = serde_json::from_str::<Change>(&held.get::<String>("change")?).ok()?;
    let id = held.get("message").unwrap_or_else(|| held.id.clone());
    Some(Message { id, change, version: held.get("version") })
}

async fn ask<T: FromRedisValue>(
    connection: &mut Connection,
    command: &Cmd,
    limit: Duration,
) -> Result<T, StreamError> {
    Ok(timeout(limit, command.query_async::<T>(connection)).await??)
}
