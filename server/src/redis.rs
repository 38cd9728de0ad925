//! Redis as a cache that instances share: what it does not answer counts as not held.
//!
//! One server or a cluster. Values are kept with a version, so that of two writers the one with the
//! newer value wins, whatever order they arrive in.
//!
//! **Invariant:** nothing here fails a request. Redis away means slower, never wrong.

use std::{fmt, sync::Arc, time::Duration};

use ::redis::{
    Client, Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Script, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo},
    from_redis_value,
};
use futures_util::future::join_all;
use tokio::sync::OnceCell;
use url::Url;

use crate::breaker::Breaker;

/// How long Redis may take to answer. What it holds can be had from the database in about that.
const ANSWERS_WITHIN: Duration = Duration::from_millis(250);

/// How long until it is clear that nobody listens there.
const CONNECTS_WITHIN: Duration = Duration::from_secs(1);

/// Sets a key unless what it holds has a higher version: `version:value`, for some milliseconds.
const SET_UNLESS_NEWER: &str = "\
    local held = redis.call('GET', KEYS[1]) \
    if held and tonumber(string.match(held, '^%d+')) > tonumber(ARGV[1]) then return 0 end \
    redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2], 'PX', ARGV[3]) \
    return 1";

/// A server or a cluster. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Redis {
    target: Arc<Target>,
    connection: Arc<OnceCell<Connection>>,
    breaker: Breaker,
    set_unless_newer: Arc<Script>,
}

enum Target {
    Server(Box<Client>),
    /// The URLs of some of its nodes.
    Cluster(Vec<String>),
}

impl Redis {
    /// The server at this URL, or the cluster of which these are some nodes. Connects when first
    /// used, so that it may be away at the start.
    ///
    /// # Errors
    ///
    /// If a URL is none of Redis.
    pub fn new(urls: &[Url]) -> RedisResult<Self> {
        let target = match urls {
            [one] => Target::Server(Box::new(Client::open(one.as_str())?)),
            nodes => {
                let nodes = nodes.iter().map(Url::to_string).collect::<Vec<_>>();
                ClusterClient::new(nodes.clone())?; // says now if one is no URL of Redis
                Target::Cluster(nodes)
            }
        };
        Ok(Self {
            target: Arc::new(target),
            connection: Arc::default(),
            breaker: Breaker::new("redis", ANSWERS_WITHIN),
            set_unless_newer: Arc::new(Script::new(SET_UNLESS_NEWER)),
        })
    }

    /// What is held under each key, in the order asked, in one trip.
    pub async fn get_many(&self, keys: &[String]) -> Vec<Option<Vec<u8>>> {
        let none = vec![None; keys.len()];
        if keys.is_empty() {
            return none;
        }
        let mut command = ::redis::cmd("MGET");
        command.arg(keys);
        self.ask::<Vec<Option<Vec<u8>>>>(&command).await.map_or(none, |held| {
            held.into_iter().map(|value| value.and_then(|value| after_version(&value))).collect()
        })
    }

    /// What is held under a key.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let held = self.ask::<Option<Vec<u8>>>(::redis::cmd("GET").arg(key)).await?;
        held.and_then(|value| after_version(&value))
    }

    /// For how long each key will still be held, in the order asked: no time for one that is not.
    /// None where Redis does not say, as while it is away.
    pub async fn kept_for(&self, keys: &[String]) -> Vec<Option<Duration>> {
        let asked = keys.iter().map(|key| async move {
            let left_ms = self.ask::<i64>(::redis::cmd("PTTL").arg(key)).await?;
            // Negative: there is no such key, or it is held for good, as we keep none.
            Some(Duration::from_millis(u64::try_from(left_ms).unwrap_or_default()))
        });
        join_all(asked).await
    }

    /// Keeps a value for some time, unless a newer one is held. False if Redis is away, so that what
    /// it holds may be old.
    pub async fn set(&self, key: &str, version: u64, value: &[u8], kept_for: Duration) -> bool {
        let kept_ms = u64::try_from(kept_for.as_millis()).unwrap_or(u64::MAX);
        let set = async {
            let mut connection = self.connection().await?;
            let mut call = self.set_unless_newer.key(key);
            let call = call.arg(version).arg(value).arg(kept_ms);
            call.invoke_async::<i64>(&mut connection).await
        };
        self.breaker.call(set).await.is_ok()
    }

    /// Forgets what is held under a key. False if Redis is away.
    pub async fn remove(&self, key: &str) -> bool {
        self.ask::<i64>(::redis::cmd("DEL").arg(key)).await.is_some()
    }

    /// Forgets all whose key matches a pattern, wherever in a cluster it is. Others are answered
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// If Redis is away: some of it may be there still.
    pub(crate) async fn remove_matching(&self, pattern: &str) -> RedisResult<()> {
        let mut connection = self.connection().await?;
        for (node, mut page) in connection.ask_primaries(&scan(0, pattern)).await? {
            loop {
                let (cursor, keys) = from_redis_value::<(u64, Vec<Vec<u8>>)>(page)?;
                if !keys.is_empty() {
                    ::redis::cmd("UNLINK").arg(keys).query_async::<()>(&mut connection).await?;
                }
                if cursor == 0 {
                    break;
                }
                page = connection.ask_node(&node, &scan(cursor, pattern)).await?;
            }
        }
        Ok(())
    }

    /// Names the processes that hold what is kept. After a restart, and once a replica has taken over,
    /// it is another.
    ///
    /// # Errors
    ///
    /// If Redis is away.
    ///
    /// # Source
    ///
    /// Redis, `INFO`: `run_id` is "a random value identifying the Redis server".
    pub(crate) async fn incarnation(&self) -> RedisResult<String> {
        let mut connection = self.connection().await?;
        let mut names = Vec::new();
        for (_, info) in connection.ask_primaries(::redis::cmd("INFO").arg("server")).await? {
            let info = from_redis_value::<String>(info)?;
            let name = info.lines().find_map(|line| line.strip_prefix("run_id:"));
            names.push(name.unwrap_or_default().to_owned());
        }
        names.sort_unstable();
        Ok(names.join(" "))
    }

    /// Runs a command; none if Redis is away.
    pub async fn ask<T: ::redis::FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        let answer = async {
            let mut connection = self.connection().await?;
            command.query_async::<T>(&mut connection).await
        };
        self.breaker.call(answer).await.ok()
    }

    /// A connection of its own, for commands that wait.
    ///
    /// # Errors
    ///
    /// If Redis is away.
    pub(crate) async fn dedicated(&self) -> RedisResult<Connection> {
        self.target.connect(None).await
    }

    /// Whether Redis answers now.
    pub async fn ping(&self) -> bool {
        self.ask::<String>(&::redis::cmd("PING")).await.is_some()
    }

    async fn connection(&self) -> RedisResult<Connection> {
        if let Some(connection) = self.connection.get() {
            return Ok(connection.clone());
        }
        let (target, connection) = (Arc::clone(&self.target), Arc::clone(&self.connection));
        // A task of its own: to learn of a whole cluster takes longer than an answer may, and goes on
        // when whoever asked first has given up.
        let connecting = tokio::spawn(async move {
            let connect = || target.connect(Some(ANSWERS_WITHIN));
            connection.get_or_try_init(connect).await.cloned()
        });
        connecting.await.map_err(|error| RedisError::from(std::io::Error::other(error)))?
    }
}

impl Target {
    /// Connects; each command may then take this long, or as long as it likes.
    async fn connect(&self, answers_within: Option<Duration>) -> RedisResult<Connection> {
        match self {
            Self::Server(client) => {
                let config = ConnectionManagerConfig::new()
                    .set_connection_timeout(Some(CONNECTS_WITHIN))
                    .set_response_timeout(answers_within)
                    .set_number_of_retries(0);
                let manager = ConnectionManager::new_lazy_with_config((**client).clone(), config)?;
                Ok(Connection::Server(manager))
            }
            Self::Cluster(nodes) => {
                let client = ClusterClient::builder(nodes.clone())
                    .connection_timeout(CONNECTS_WITHIN)
                    .response_timeout(answers_within.unwrap_or(Duration::MAX))
                    .retries(1)
                    .build()?;
                Ok(Connection::Cluster(client.get_async_connection().await?))
            }
        }
    }
}

fn scan(cursor: u64, pattern: &str) -> Cmd {
    let mut scan = ::redis::cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(1_000);
    scan
}

/// What was written by [`Redis::set`], without its version.
fn after_version(held: &[u8]) -> Option<Vec<u8>> {
    let colon = held.iter().position(|byte| *byte == b':')?;
    Some(held[colon + 1..].to_vec())
}

/// One connection, over which many commands go at once.
#[derive(Clone)]
pub(crate) enum Connection {
    Server(ConnectionManager),
    Cluster(ClusterConnection),
}

/// One server of a cluster; none where there is but one.
type Node = Option<RoutingInfo>;

impl Connection {
    /// Asks every server that holds keys of its own.
    async fn ask_primaries(&mut self, command: &Cmd) -> RedisResult<Vec<(Node, Value)>> {
        let Self::Cluster(cluster) = self else {
            return Ok(vec![(None, self.req_packed_command(command).await?)]);
        };
        let primaries = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        let answers = cluster.route_command(command.clone(), primaries).await?;
        let answers = from_redis_value::<Vec<(String, Value)>>(answers)?;
        Ok(answers.into_iter().map(|(address, answer)| (node(&address), answer)).collect())
    }

    async fn ask_node(&mut self, node: &Node, command: &Cmd) -> RedisResult<Value> {
        match (self, node) {
            (Self::Cluster(cluster), Some(node)) => {
                cluster.route_command(command.clone(), node.clone()).await
            }
            (connection, _) => connection.req_packed_command(command).await,
        }
    }
}

/// The server at `host:port`.
fn node(address: &str) -> Node {
    let (host, port) = address.rsplit_once(':')?;
    let (host, port) = (host.to_owned(), port.parse().ok()?);
    Some(RoutingInfo::SingleNode(SingleNodeRoutingInfo::ByAddress { host, port }))
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(server) => server.req_packed_command(cmd),
            Self::Cluster(cluster) => cluster.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(server) => server.req_packed_commands(pipeline, offset, count),
            Self::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(server) => server.get_db(),
            Self::Cluster(cluster) => cluster.get_db(),
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

/// Why Redis cannot be used at all.
pub type RedisUrlError = RedisError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_taken_off_and_nothing_else() {
        let cases: [(&[u8], Option<&[u8]>); 3] =
            [(b"12:a:b", Some(b"a:b")), (b"0:", Some(b"")), (b"other", None)];
        for (held, expected) in cases {
            assert_eq!(after_version(held).as_deref(), expected);
        }
    }
}
