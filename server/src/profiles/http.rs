//! Another service that knows who people are.
//!
//! It is asked for at most 50 users at once, and answers with those that exist:
//!
//! ```text
//! POST {MINIATURE_USERS_URL}                 {"users": ["ada", "grace"]}
//! 200 application/json                       {"users": [{"user_id": "ada", "name": "Ada Lovelace",
//!                                               "headline": "Analyst", "version": 7}]}
//! ```
//!
//! `headline` may be left out, and so may `version`, which counts up with each change there. Pictures
//! and friendships stay in our database, where names are copied to, so that a friend list is sorted
//! by them. An answer of 4xx is final; 5xx, 429 and silence are tried again.

use std::{collections::HashMap, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use miniature_api::{Profile, Record, Revision, UserId};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use super::source::{ProfileSource, SourceError};
use crate::{
    breaker::Breaker,
    config::Secret,
    storage::{Database, Versioned},
};

/// How long one try may take.
const ONE_TRY: Duration = Duration::from_millis(1_500);

/// How long all tries together may take: a request of ours waits for them.
const ALL_TRIES: Duration = Duration::from_secs(5);

/// How often it is tried again. The pauses are random, about 50, 100 and 200 ms.
const RETRIES: usize = 3;

/// A service that knows who people are. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct HttpSource {
    client: Client,
    url: Url,
    token: Option<Secret>,
    breaker: Breaker,
    database: Database,
}

#[derive(Serialize)]
struct Question<'a> {
    users: &'a [UserId],
}

#[derive(Deserialize)]
struct Answer {
    users: Vec<Person>,
}

#[derive(Deserialize)]
struct Person {
    user_id: UserId,
    name: String,
    #[serde(default)]
    headline: String,
    #[serde(default)]
    version: u64,
}

#[derive(Debug, Error)]
enum TryError {
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("{0}")]
    Http(reqwest::Error),
}

/// Without the URL, in which a key may stand: this is logged.
impl From<reqwest::Error> for TryError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

impl TryError {
    /// Whether it may go better a moment later.
    fn passes(&self) -> bool {
        match self {
            Self::Status(status) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Http(error) => !error.is_decode() && !error.is_builder(),
        }
    }
}

impl HttpSource {
    /// The service at this URL; pictures are in this database.
    ///
    /// # Errors
    ///
    /// If the system's certificates cannot be read.
    pub(super) fn new(
        url: Url,
        token: Option<Secret>,
        database: Database,
    ) -> Result<Self, SourceError> {
        let client = Client::builder().timeout(ONE_TRY).build();
        let client =
            client.map_err(|error| SourceError::Service(error.without_url().to_string()))?;
        let breaker = Breaker::new("users", ALL_TRIES);
        Ok(Self { client, url, token, breaker, database })
    }

    /// Whether it answered when it was last asked. It is not asked for this: what it makes of a
    /// question about nobody is not agreed on.
    pub(super) fn is_well(&self) -> bool {
        self.breaker.is_well()
    }

    async fn ask(&self, users: &[UserId]) -> Result<Answer, TryError> {
        let mut request = self.client.post(self.url.clone()).json(&Question { users });
        if let Some(Secret(token)) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        if answer.status() != StatusCode::OK {
            return Err(TryError::Status(answer.status()));
        }
        Ok(answer.json().await?)
    }

    async fn people(&self, users: &[UserId]) -> Result<Vec<Person>, SourceError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_times(RETRIES)
            .with_jitter();
        let tries = (|| self.ask(users)).retry(pauses).when(TryError::passes);
        let answer = self.breaker.call(tries.into_future()).await;
        // Whom we did not ask for is left out: nobody waits for them.
        let mut people = answer.map_err(|error| SourceError::Service(error.to_string()))?.users;
        people.retain(|person| users.contains(&person.user_id));
        Ok(people)
    }
}

impl ProfileSource for HttpSource {
    async fn profiles(&self, users: &[UserId]) -> Result<HashMap<UserId, Versioned>, SourceError> {
        let people = self.people(users).await?;
        let mut ours = self.database.profiles(users).await?;
        let mut profiles = HashMap::with_capacity(people.len());
        for person in people {
            let mut held = ours.remove(&person.user_id);
            if held.as_ref().is_some_and(|held| differs(held, &person)) {
                let (user, database) = (&person.user_id, &self.database);
                // It has a version of its own then, above that of the copies before it.
                held = database.copy_description(user, &person.name, &person.headline).await?;
            }
            profiles.insert(person.user_id.clone(), joined(held, person));
        }
        Ok(profiles)
    }
}

fn differs(held: &Profile, person: &Person) -> bool {
    held.name != person.name || held.headline != person.headline
}

/// Who someone is, and what picture they have.
fn joined(held: Option<Versioned>, person: Person) -> Versioned {
    let Person { user_id, name, headline, version } = person;
    let no_picture = |user_id| Record {
        user_id,
        revision: Revision::default(),
        image_id: None,
        thumbhash: None,
    };
    let ours = held.as_ref().map_or(0, |held| held.version);
    let friend_count = held.as_ref().map_or(0, |held| held.friend_count);
    let picture = held.map_or_else(|| no_picture(user_id.clone()), |held| held.profile.picture);
    // Both count up, so their sum does.
    let version = version.saturating_add(ours);
    Versioned { version, profile: Profile { user_id, name, headline, friend_count, picture } }
}
