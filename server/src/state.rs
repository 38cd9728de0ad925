//! What is kept, and what the routes share.

use std::{io, path::Path, sync::Arc};

use axum::extract::FromRef;
use sqlx::migrate::MigrateError;
use thiserror::Error;

use crate::{
    clock::Clock,
    config::{Config, Limits},
    images::{Pictures, Renditions},
    profiles::Profiles,
    routes::Frontend,
    sign_in::SignIn,
    storage::{Database, Files},
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
    /// The database cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] MigrateError),
}

impl Collection {
    /// Opens what is kept in a folder, made if it is not there.
    ///
    /// # Errors
    ///
    /// What cannot be used.
    pub async fn open(folder: &Path, limits: &Limits) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Folder(folder.display().to_string(), error);
        tokio::fs::create_dir_all(folder).await.map_err(unusable)?;
        let database = Database::open(folder).await?;
        let collection = Self::of(database, Files::new(&folder.join("images")), limits);
        collection.renditions.measure().await.map_err(unusable)?;
        Ok(collection)
    }

    /// What is kept in this database and these files.
    pub fn of(database: Database, files: Files, limits: &Limits) -> Self {
        let workers = Workers::one_a_core();
        let profiles = Profiles::new(database.clone(), limits);
        let renditions = Renditions::new(files, workers.clone(), limits);
        let pictures = Pictures::new(database.clone(), profiles.clone(), renditions.clone());
        Self { database, profiles, renditions, pictures, workers }
    }
}

/// The server without its listeners. Cheap to clone; clones share everything.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    database: Database,
    profiles: Profiles,
    renditions: Renditions,
    sign_in: SignIn,
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
        Ok(Self { database, profiles, renditions, sign_in, frontend })
    }

    pub(crate) fn frontend(&self) -> Option<Arc<Frontend>> {
        self.frontend.clone()
    }
}
