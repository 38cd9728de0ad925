//! A store, the gate before it, and servers that keep their pictures there.

use miniature_api::{PictureAnswer, Size};
use miniature_server::{
    clock::Clock,
    config::{Config, Delivery, S3Args, Secret, Storage},
    images::ImageStore,
    limits::Limits,
    redis::Redis,
    storage::{Database, Objects},
};
use miniature_services::S3;

use crate::{
    fixture::{Fixture, config},
    gate::Gate,
};

/// A store and the gate before it.
pub(crate) struct Store {
    pub(crate) s3: S3,
    pub(crate) gate: Gate,
}

impl Store {
    pub(crate) async fn start() -> Self {
        let s3 = S3::start().unwrap();
        let gate = Gate::before(s3.endpoint()).await;
        Self { s3, gate }
    }

    fn config(&self, delivery: Delivery) -> Config {
        let mut config = config();
        config.storage.delivery = delivery;
        config.storage.s3 = S3Args {
            s3_endpoint: Some(self.gate.endpoint.parse().unwrap()),
            s3_bucket: Some(S3::BUCKET.to_owned()),
            s3_region: "us-east-1".to_owned(),
            s3_access_key: Some(S3::ACCESS_KEY.to_owned()),
            s3_secret_key: Some(Secret(S3::SECRET_KEY.to_owned())),
        };
        config
    }

    /// What is in the store.
    pub(crate) fn objects(&self) -> Objects {
        let config = self.config(Delivery::Proxy);
        Objects::in_bucket(&config.storage.s3.store().unwrap().unwrap()).unwrap()
    }

    /// A server with the usual people, whose pictures go into the store.
    pub(crate) async fn server(&self, delivery: Delivery) -> Fixture {
        let database = Database::in_memory().await.unwrap();
        let server = self.another(database, delivery, None);
        server.populate().await;
        server
    }

    /// One more server over the same people, with nothing in memory or files.
    pub(crate) fn another(
        &self,
        database: Database,
        delivery: Delivery,
        redis: Option<Redis>,
    ) -> Fixture {
        self.another_within(database, delivery, redis, &Limits::default())
    }

    /// The same within other limits.
    pub(crate) fn another_within(
        &self,
        database: Database,
        delivery: Delivery,
        redis: Option<Redis>,
        limits: &Limits,
    ) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let config = self.config(delivery);
        let storage = Storage { data: folder.path().to_owned(), ..config.storage.clone() };
        let images = ImageStore::open(&storage, redis, limits).unwrap();
        let server = Fixture::over(database, images, folder, &config, limits);
        server.set_clock(Clock::system().now()); // the store goes by the real time
        server
    }

    /// One more server like this one, with nothing in memory or files.
    pub(crate) fn cold(&self, server: &Fixture, delivery: Delivery) -> Fixture {
        self.another(server.collection.database.clone(), delivery, None)
    }
}

impl Fixture {
    pub(crate) fn set_clock(&self, now: u64) {
        self.hand.store(now, std::sync::atomic::Ordering::SeqCst);
    }

    /// What `ada` is told of someone's picture.
    pub(crate) async fn picture(&self, user: &str, size: Size) -> PictureAnswer {
        let browser = self.browser("ada").await;
        browser.get(&format!("/api/images/user/{user}?size={size}")).await.json()
    }
}
