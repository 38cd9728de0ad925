//! What is kept, and what the routes share.

use std::{io, sync::Arc};

use axum::extract::FromRef;
use thiserror::Error;

use crate::{
    changes::Changes,
    clock::Clock,
    config::{Config, ConfigError, Storage},
    events::Events,
    images::{Hints, ImageStore, ImageStoreError, Intake, Metadata, Pictures, Renditions, Unused},
    limits::Limits,
    pace::Pace,
    posts::Posts,
    profiles::{Profiles, SourceError},
    redis::{Redis, RedisUrlError},
    relay::Relay,
    routes::{Frontend, FrontendSettings, Origins, OurLineage, Readiness},
    sign_in::SignIn,
    stop::Stop,
    storage::{Database, DatabaseError},
    tls,
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
    /// Where they can be fetched.
    pub hints: Hints,
    /// Changes of pictures.
    pub pictures: Pictures,
    /// Pictures that nobody shows any more.
    pub unused: Unused,
    /// Changes of people, and what follows them.
    pub changes: Changes,
    /// What happens to people, here and in other instances.
    pub events: Events,
    /// Announces what happens, and what is still to be announced.
    pub relay: Relay,
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
    /// Pictures cannot be kept as configured.
    #[error(transparent)]
    Images(#[from] ImageStoreError),
}

impl Collection {
    /// Opens what is kept, in a folder that is made if it is not there.
    ///
    /// # Errors
    ///
    /// What cannot be used.
    pub async fn open(storage: &Storage, limits: &Limits) -> Result<Self, OpenError> {
        tls::choose_provider();
        let folder = &storage.data;
        let unusable = |error| OpenError::Folder(folder.display().to_string(), error);
        tokio::fs::create_dir_all(folder).await.map_err(unusable)?;
        let database = open_database(storage).await?;
        let redis = open_redis(storage)?;
        let profiles = Profiles::new(database.clone(), redis.clone(), limits);
        let profiles = profiles.asking(&storage.users, database.clone())?;
        let images = ImageStore::open(storage, redis, limits)?;
        let collection = Self::of(database, profiles, images, limits);
        if let Err(error) = collection.renditions.measure().await {
            tracing::warn!(%error, "the folder of renditions cannot be read; going on without");
        }
        let renditions = collection.renditions.clone();
        tokio::spawn(async move { renditions.check_store().await });
        Ok(collection)
    }

    /// What is kept in this database and with these images.
    pub fn of(database: Database, profiles: Profiles, images: ImageStore, limits: &Limits) -> Self {
        let workers = Workers::one_a_core();
        let ImageStore { objects, files, signer, redis } = images;
        let renditions = Renditions::new(objects, files, signer.is_some(), workers.clone(), limits);
        let metadata = Metadata::new(database.clone(), renditions.clone(), redis.clone(), limits);
        let hints = Hints::new(signer, metadata.clone(), renditions.clone(), redis, limits);
        let (kept, known) = (renditions.clone(), metadata.clone());
        let unused = Unused::new(database.clone(), kept, known, hints.clone(), limits);
        let events = Events::new(database.clone(), profiles.clone(), Clock::system(), limits);
        let relay = Relay::new(database.clone(), profiles.clone(), events.clone(), limits);
        let changes = Changes::new(database.clone(), profiles.clone(), relay.clone());
        let pictures = Pictures::new(renditions.clone(), metadata, changes.clone(), limits);
        Self {
            database,
            profiles,
            renditions,
            hints,
            pictures,
            unused,
            changes,
            events,
            relay,
            workers,
        }
    }
}

/// The database alone; the folder must be there.
pub(crate) async fn open_database(storage: &Storage) -> Result<Database, OpenError> {
    tls::choose_provider();
    Ok(match &storage.database_url {
        Some(url) => Database::connect(&url.url("MINIATURE_DATABASE_URL")?).await?,
        None => Database::open(&storage.data).await?,
    })
}

fn open_redis(storage: &Storage) -> Result<Option<Redis>, OpenError> {
    let urls = storage.redis_url.iter().map(|url| url.url("MINIATURE_REDIS_URL"));
    let urls = urls.collect::<Result<Vec<_>, _>>()?;
    if urls.is_empty() { Ok(None) } else { Ok(Some(Redis::new(&urls)?)) }
}

/// How often one may change one's profile.
#[derive(Clone, Debug)]
pub(crate) struct ProfilePace(pub(crate) Pace);

/// How often one may name users, to read who they are or what picture they have.
#[derive(Clone, Debug)]
pub(crate) struct ReadPace(pub(crate) Pace);

/// The server without its listeners. Cheap to clone, as is done at each request; clones share
/// everything.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// Declares what the routes share, and that a route can take any of it as its `State`.
macro_rules! parts {
    ($($name:ident: $part:ty,)*) => {
        #[derive(Debug)]
        struct Parts {
            $($name: $part,)*
        }

        $(impl FromRef<App> for $part {
            fn from_ref(app: &App) -> Self {
                app.0.$name.clone()
            }
        })*

        // Where a route is asked often, it borrows: some of these are dozens of counts to clone.
        #[expect(dead_code, reason = "one for each part, whoever asks")]
        impl App {
            $(pub(crate) fn $name(&self) -> &$part {
                &self.0.$name
            })*
        }
    };
}

parts! {
    database: Database,
    lineage: OurLineage,
    profiles: Profiles,
    renditions: Renditions,
    hints: Hints,
    pictures: Pictures,
    intake: Intake,
    changes: Changes,
    profile_pace: ProfilePace,
    read_pace: ReadPace,
    events: Events,
    posts: Posts,
    sign_in: SignIn,
    stop: Stop,
    readiness: Readiness,
    origins: Origins,
    frontend: Option<Arc<Frontend>>,
}

impl App {
    /// Serves a collection, and the built frontend if the configuration names its folder. Begins to
    /// follow what happens in other instances, if profiles are shared with any.
    ///
    /// # Errors
    ///
    /// If that folder has no readable `index.html`.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(
        collection: Collection,
        config: &Config,
        clock: Clock,
        limits: &Limits,
    ) -> io::Result<Self> {
        let Collection {
            database,
            profiles,
            renditions,
            hints,
            pictures,
            unused: _,
            changes,
            events,
            relay,
            workers,
        } = collection;
        let hints = hints.timed_by(clock.clone());
        let pictures = pictures.timed_by(clock.clone());
        let intake = Intake::new(config, limits);
        let sign_in = SignIn::new(database.clone(), workers, clock.clone(), config);
        let settings = FrontendSettings {
            pictures_from: config.storage.pictures_origin(),
            service_worker: config.service_worker,
        };
        let open = |dist| Frontend::open(dist, settings).map(Arc::new);
        let frontend = config.dist.as_deref().map(open).transpose()?;
        let origins = Origins::new(&config.allowed_origins);
        events.follow();
        let posts = Posts::new(database.clone(), profiles.clone(), relay, clock, limits);
        let posts = posts.at_most(config.posts_per_user);
        let profile_pace = ProfilePace(Pace::per_minute(config.profile_changes_per_user));
        let at_once = limits.names_at_once.max(config.names_per_user);
        let read_pace = ReadPace(Pace::per_second(config.names_per_user, at_once));
        let stop = Stop::default();
        let lineage = OurLineage::new(database.lineage());
        Ok(Self(Arc::new(Parts {
            database,
            lineage,
            profiles,
            renditions,
            hints,
            pictures,
            intake,
            changes,
            profile_pace,
            read_pace,
            events,
            posts,
            sign_in,
            stop,
            readiness: Readiness::default(),
            origins,
            frontend,
        })))
    }

    /// Tells the server to stop, or whether it is.
    pub fn stopping(&self) -> Stop {
        self.stop().clone()
    }
}
