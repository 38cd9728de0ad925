//! What is kept, and what the routes share.

use std::{io, sync::Arc};

use axum::extract::FromRef;
use thiserror::Error;

use crate::{
    clock::Clock,
    config::{Config, ConfigError, Storage},
    images::{Pictures, Renditions},
    limits::Limits,
    profiles::{Profiles, SourceError},
    redis::{Redis, RedisUrlError},
    routes::Frontend,
    sign_in::SignIn,
    stop::Stop,
    storage::{Database, DatabaseError, Files},
    workers::Workers,
};

/// People and their pictures, with the caches before them. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Collection {
    /// The truth about people.
    pub database: Database,
    /// Who is who.
    pub profiles: Profiles,
    /// The bytes of pictures.
    pub renditions: Renditions,
    /// Changes of pictures.
    pub pictures: Pictures,
    /// For work that keeps a core busy.
    pub workers: Workers,
}

/// Why the server cannot start on these files.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder cannot be made or read.
    #[error("the data folder {0} cannot be used: {1}")]
    Folder(String, #[source] io::Error),
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] DatabaseError),
    /// The service that knows people cannot be asked.
    #[error("MINIATURE_USERS_URL cannot be used: {0}")]
    Users(#[from] SourceError),
    /// Redis cannot be used.
    #[error("MINIATURE_REDIS_URL names no Redis: {0}")]
    Redis(#[from] RedisUrlError),
}

impl Collection {
    /// Opens what is kept, in a folder that is made if it is not there.
    ///
    /// # Errors
    ///
    /// What cannot be used.
    pub async fn open(storage: &Storage, limits: &Limits) -> Result<Self, OpenError> {
        // One provider of cryptography for all who speak TLS. It fails only if there is one already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = &storage.data;
        let unusable = |error| OpenError::Folder(folder.display().to_string(), error);
        tokio::fs::create_dir_all(folder).await.map_err(unusable)?;
        let database = match &storage.database_url {
            Some(url) => Database::connect(&url.url("MINIATURE_DATABASE_URL")?).await?,
            None => Database::open(folder).await?,
        };
        let profiles = Profiles::new(database.clone(), open_redis(storage)?, limits);
        let profiles = profiles.asking(&storage.users, database.clone())?;
        let files = Files::new(&folder.join("images"));
        let collection = Self::of(database, profiles, files, limits);
        collection.renditions.measure().await.map_err(unusable)?;
        Ok(collection)
    }

    /// What is kept in this database and these files.
    pub fn of(database: Database, profiles: Profiles, files: Files, limits: &Limits) -> Self {
        let workers = Workers::one_a_core();
        let renditions = Renditions::new(files, workers.clone(), limits);
        let pictures = Pictures::new(database.clone(), profiles.clone(), renditions.clone());
        Self { database, profiles, renditions, pictures, workers }
    }
}

fn open_redis(storage: &Storage) -> Result<Option<Redis>, OpenError> {
    let urls = storage.redis_url.iter().map(|url| url.url("MINIATURE_REDIS_URL"));
    let urls = urls.collect::<Result<Vec<_>, _>>()?;
    if urls.is_empty() { Ok(None) } else { Ok(Some(Redis::new(&urls)?)) }
}

/// The server without its listeners. Cheap to clone; clones share everything.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    database: Database,
    profiles: Profiles,
    renditions: Renditions,
    sign_in: SignIn,
    stop: Stop,
    frontend: Option<Arc<Frontend>>,
}

impl App {
    /// Serves a collection, and the built frontend if the configuration names its folder.
    ///
    /// # Errors
    ///
    /// If that folder has no readable `index.html`.
    pub fn new(collection: Collection, config: &Config, clock: Clock) -> io::Result<Self> {
        let Collection { database, profiles, renditions, workers, .. } = collection;
        let sign_in = SignIn::new(database.clone(), workers, clock, config);
        let frontend = config.dist.as_deref().map(Frontend::open).transpose()?.map(Arc::new);
        Ok(Self { database, profiles, renditions, sign_in, stop: Stop::default(), frontend })
    }

    /// Tells the server to stop, or whether it is.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    pub(crate) fn frontend(&self) -> Option<Arc<Frontend>> {
        self.frontend.clone()
    }
}
