//! Profiles from memory, Redis and the source, against the real things.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{collections::HashMap, time::Duration};

use miniature_api::{Marker, Revision, UserId};
use miniature_server::{
    Collection,
    images::ImageStore,
    limits::Limits,
    profiles::{Layer, Profiles},
    redis,
    storage::{Database, Disuse, ImageMetadata, NewPerson, NewPicture},
};
use miniature_services::{Postgres, Redis, RedisCluster};
use tempfile::TempDir;

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

fn people(count: usize) -> Vec<NewPerson> {
    let person = |n| NewPerson {
        user_id: user(&format!("user{n}")),
        name: format!("User {n}"),
        headline: String::new(),
        password_hash: None,
    };
    (0..count).map(person).collect()
}

/// Like what runs in one of many processes: memory of its own, the rest shared.
struct Instance {
    collection: Collection,
    _folder: TempDir,
}

fn instance(database: &Database, urls: &[String]) -> Instance {
    let urls = urls.iter().map(|url| url.parse().unwrap()).collect::<Vec<_>>();
    let redis = redis::Redis::new(&urls).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let profiles = Profiles::new(database.clone(), Some(redis), &limits);
    let images = ImageStore::in_folder(folder.path()).unwrap();
    let collection = Collection::of(database.clone(), profiles, images, &limits);
    Instance { collection, _folder: folder }
}

impl Instance {
    async fn name_and_layer(&self, id: &str) -> (String, Layer) {
        let (found, layer) = self.collection.profiles.find(&user(id)).await.unwrap();
        (found.unwrap().name.clone(), layer)
    }
}

async fn database(count: usize) -> Database {
    let database = Database::in_memory().await.unwrap();
    database.add_people(&people(count), &[]).await.unwrap();
    database
}

async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

async fn what_one_instance_read_another_has_from_redis(urls: &[String]) {
    let database = database(120).await;
    let (one, other) = (instance(&database, urls), instance(&database, urls));
    let all = people(120).into_iter().map(|person| person.user_id).collect::<Vec<_>>();

    let (found, layer) = one.collection.profiles.get_many(&all).await.unwrap();
    assert_eq!((found.len(), layer), (120, Layer::Source));

    let (shared, layer) = other.collection.profiles.get_many(&all).await.unwrap();
    assert_eq!(layer, Layer::Redis);
    assert_eq!(shared, found);
    let (_, layer) = other.collection.profiles.get_many(&all).await.unwrap();
    assert_eq!(layer, Layer::Memory);
}

#[tokio::test]
async fn instances_share_profiles_through_redis() {
    let redis = Redis::start().unwrap();
    what_one_instance_read_another_has_from_redis(&[redis.url()]).await;
}

#[tokio::test]
async fn instances_share_profiles_through_a_cluster() {
    let cluster = RedisCluster::start().unwrap();
    what_one_instance_read_another_has_from_redis(&cluster.urls()).await;
}

#[tokio::test]
async fn what_is_known_to_have_changed_is_not_read_from_a_redis_that_has_not_heard_of_it() {
    let redis = Redis::start().unwrap();
    let database = database(3).await;
    let urls = [redis.url()];
    let (one, other) = (instance(&database, &urls), instance(&database, &urls));
    for n in 0..3 {
        one.name_and_layer(&format!("user{n}")).await;
        other.name_and_layer(&format!("user{n}")).await;
        database.describe(&user(&format!("user{n}")), Some("Renamed"), None).await.unwrap();
    }

    let changed = [(user("user0"), Some(1)), (user("user1"), None), (user("user2"), Some(0))];
    other.collection.profiles.relearn(HashMap::from(changed)).await.unwrap();

    let renamed = ("Renamed".to_owned(), Layer::Memory);
    assert_eq!(other.name_and_layer("user0").await, renamed, "Redis had version 0");
    assert_eq!(other.name_and_layer("user1").await, renamed, "which version is not known");
    let is_known = ("User 2".to_owned(), Layer::Memory);
    assert_eq!(other.name_and_layer("user2").await, is_known, "memory had that version");
    let third = instance(&database, &urls);
    assert_eq!(third.name_and_layer("user0").await, ("Renamed".to_owned(), Layer::Redis));
    assert_eq!(other.collection.profiles.catch_up().await.unwrap(), 0, "Redis has heard of all");
}

#[tokio::test]
async fn a_change_that_cannot_be_read_while_the_database_is_away_is_read_when_it_is_back() {
    let redis = Redis::start().unwrap();
    let mut postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    database.add_people(&people(1), &[]).await.unwrap();
    let profiles = instance(&database, &[redis.url()]).collection.profiles;
    profiles.get(&user("user0")).await.unwrap();
    database.describe(&user("user0"), Some("Renamed"), None).await.unwrap();

    postgres.kill();
    let changed = HashMap::from([(user("user0"), Some(1))]);
    assert!(profiles.relearn(changed).await.is_err());
    assert!(profiles.get(&user("user0")).await.is_err(), "the old one is forgotten everywhere");
    postgres.restart().unwrap();

    until("it is read", async || profiles.catch_up().await.is_ok_and(|read| read == 1)).await;
    let (found, layer) = profiles.find(&user("user0")).await.unwrap();
    assert_eq!((&*found.unwrap().name, layer), ("Renamed", Layer::Memory));
    assert_eq!(profiles.catch_up().await.unwrap(), 0);
}

#[tokio::test]
async fn profiles_of_another_lineage_are_not_read_from_redis() {
    let redis = Redis::start().unwrap();
    let (later, restored) = (database(1).await, database(1).await);
    later.describe(&user("user0"), Some("Renamed"), None).await.unwrap();
    let before = instance(&later, &[redis.url()]);
    assert_eq!(before.name_and_layer("user0").await, ("Renamed".to_owned(), Layer::Source));

    for layer in [Layer::Source, Layer::Redis] {
        let after = instance(&restored, &[redis.url()]);
        assert_eq!(after.name_and_layer("user0").await, ("User 0".to_owned(), layer));
    }
}

/// More than Redis names at once.
async fn what_instances_share_can_be_forgotten(urls: &[String]) {
    const MANY: usize = 5_000;
    let database = database(1).await;
    let one = instance(&database, urls);
    let urls = urls.iter().map(|url| url.parse().unwrap()).collect::<Vec<_>>();
    let shared = redis::Redis::new(&urls).unwrap();
    let minute = Duration::from_secs(60);
    let keys = (0..MANY).map(|n| format!("miniature:profile:user{n}")).collect::<Vec<_>>();
    for some in keys.chunks(500) {
        let set = some.iter().map(|key| shared.set(key, 1, b"{}", minute));
        assert!(futures_util::future::join_all(set).await.into_iter().all(|is_set| is_set));
    }
    assert!(shared.set("miniature:other", 1, b"{}", minute).await);

    one.collection.profiles.forget_shared().await.unwrap();

    assert_eq!(shared.get_many(&keys).await, vec![None; MANY]);
    assert_eq!(shared.get("miniature:other").await.as_deref(), Some(&b"{}"[..]));
}

#[tokio::test]
async fn what_instances_share_in_a_server_can_be_forgotten() {
    let redis = Redis::start().unwrap();
    what_instances_share_can_be_forgotten(&[redis.url()]).await;
}

#[tokio::test]
async fn what_instances_share_in_a_cluster_can_be_forgotten() {
    let cluster = RedisCluster::start().unwrap();
    what_instances_share_can_be_forgotten(&cluster.urls()).await;
}

#[tokio::test]
async fn a_change_reaches_redis_and_an_older_copy_never_replaces_it() {
    let redis = Redis::start().unwrap();
    let database = database(1).await;
    let (one, other) = (instance(&database, &[redis.url()]), instance(&database, &[redis.url()]));
    one.name_and_layer("user0").await;
    other.name_and_layer("user0").await;

    database.describe(&user("user0"), Some("Renamed"), None).await.unwrap();
    one.collection.profiles.refresh(&user("user0")).await.unwrap();
    let changed = HashMap::from([(user("user0"), Some(1))]);
    other.collection.profiles.relearn(changed).await.unwrap();

    assert_eq!(other.name_and_layer("user0").await, ("Renamed".to_owned(), Layer::Memory));
    let old = redis::Redis::new(&[redis.url().parse().unwrap()]).unwrap();
    let minute = Duration::from_secs(60);
    let key = format!("miniature:profile:{}:user0", database.lineage());
    assert!(old.set(&key, 0, b"{}", minute).await);
    let third = instance(&database, &[redis.url()]);
    assert_eq!(third.name_and_layer("user0").await, ("Renamed".to_owned(), Layer::Redis));
}

#[tokio::test]
async fn redis_may_be_killed_and_come_back() {
    let mut redis = Redis::start().unwrap();
    let database = database(10).await;
    let one = instance(&database, &[redis.url()]);
    one.name_and_layer("user0").await;

    redis.kill();

    for n in 1..5 {
        assert_eq!(one.name_and_layer(&format!("user{n}")).await.1, Layer::Source);
    }
    redis.restart().unwrap();
    until("profiles are shared again", async || {
        one.collection.profiles.refresh(&user("user5")).await.unwrap();
        instance(&database, &[redis.url()]).name_and_layer("user5").await.1 == Layer::Redis
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_hangs_delays_a_few_requests_and_no_more() {
    let redis = Redis::start().unwrap();
    let database = database(40).await;
    let one = instance(&database, &[redis.url()]);
    one.name_and_layer("user0").await;
    redis.hang().unwrap();

    let since = tokio::time::Instant::now();
    for n in 1..40 {
        assert_eq!(one.name_and_layer(&format!("user{n}")).await.1, Layer::Source);
    }

    // Three calls that wait 250 ms open the breaker; then one in two seconds.
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    redis.resume().unwrap();
}

#[tokio::test]
async fn what_changed_while_redis_was_away_is_written_to_it_when_it_is_back() {
    let redis = Redis::start().unwrap();
    let database = database(1).await;
    let one = instance(&database, &[redis.url()]);
    one.name_and_layer("user0").await;
    redis.hang().unwrap();
    database.describe(&user("user0"), Some("Renamed"), None).await.unwrap();
    one.collection.profiles.refresh(&user("user0")).await.unwrap();
    redis.resume().unwrap();

    until("Redis is asked again", async || {
        one.collection.profiles.refresh(&user("nobody")).await.unwrap();
        one.collection.profiles.catch_up().await.unwrap() > 0
    })
    .await;

    let other = instance(&database, &[redis.url()]);
    assert_eq!(other.name_and_layer("user0").await, ("Renamed".to_owned(), Layer::Redis));
}

#[tokio::test]
async fn a_redis_without_memory_to_spare_is_done_without() {
    let redis = Redis::start_with(&["--maxmemory", "1"]).unwrap();
    let refused = redis.command(&["SET", "a", "b"]).unwrap_err().to_string();
    assert!(refused.contains("OOM"), "{refused}");
    let database = database(5).await;
    let one = instance(&database, &[redis.url()]);
    for n in 0..5 {
        assert_eq!(one.name_and_layer(&format!("user{n}")).await.1, Layer::Source);
        assert_eq!(one.name_and_layer(&format!("user{n}")).await.1, Layer::Memory);
    }
}

#[tokio::test]
async fn postgresql_answers_as_sqlite_does() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url().parse().unwrap();
    let mut answers = Vec::new();
    for database in [Database::in_memory().await.unwrap(), Database::connect(&url).await.unwrap()] {
        answers.push(everything_that_is_asked(&database).await);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn instances_that_start_together_bring_postgresql_up_to_date_once() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url().parse().unwrap();
    let started = futures_util::future::join_all((0..4).map(|_| Database::connect(&url))).await;
    let lineages = started.into_iter().map(|database| database.unwrap().lineage());
    let lineages = lineages.collect::<Vec<_>>();
    assert!(lineages.iter().all(|lineage| *lineage == lineages[0]), "{lineages:?}");
}

#[tokio::test]
async fn a_postgresql_that_restarts_is_used_again() {
    let mut postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    database.add_people(&people(3), &[]).await.unwrap();

    postgres.kill();
    assert!(database.profiles(&[user("user1")]).await.is_err());
    postgres.restart().unwrap();

    until("it answers", async || database.profiles(&[user("user1")]).await.is_ok()).await;
}

fn metadata() -> ImageMetadata {
    let (content_type, thumbhash) = ("image/webp".to_owned(), "hash".to_owned());
    ImageMetadata { content_type, edge: 512, bytes: [1, 2, 3, 4], thumbhash }
}

/// Each question that is asked of a database, and what it answered.
async fn everything_that_is_asked(database: &Database) -> Vec<String> {
    let (ada, bea, nobody) = (user("user0"), user("user1"), user("nobody"));
    let mut said = Vec::new();
    let mut say =
        |what: &str, answer: &dyn std::fmt::Debug| said.push(format!("{what}: {answer:?}"));
    say("empty", &database.has_people().await.unwrap());
    let pairs = [(ada.clone(), bea.clone()), (ada.clone(), user("user2"))];
    for _ in 0..2 {
        database.add_people(&people(4), &pairs).await.unwrap();
    }
    say("people", &database.has_people().await.unwrap());
    let image = miniature_server::images::image_id(b"an image");
    let lost = miniature_server::images::image_id(b"never kept");
    let claim = database.add_image(image, &metadata(), 100).await.unwrap().unwrap();
    let picture = NewPicture { image_id: image, thumbhash: "hash".to_owned(), claim };
    let not_kept = NewPicture { image_id: lost, ..picture.clone() };
    say("not kept", &database.set_picture(&bea, Some(&not_kept), 100).await.unwrap());
    for picture in [Some(&picture), Some(&picture), None] {
        say("picture", &database.set_picture(&bea, picture, 200).await.unwrap());
        say("nobody's", &database.set_picture(&nobody, picture, 200).await.unwrap());
    }
    let later = Disuse::at(200 + 25 * 60 * 60, &Limits::default());
    say("unused", &database.unused_images(&later, 10).await.unwrap());
    for _ in 0..2 {
        say("removal", &database.begin_removal(image, &later).await.unwrap());
        say("refused", &database.add_image(image, &metadata(), 300).await.unwrap());
        say("held back", &database.set_picture(&ada, Some(&picture), 300).await.unwrap());
    }
    say("known", &database.kept_among(&[image, lost]).await.unwrap());
    database.end_removal(image, &later).await.unwrap();
    say("gone", &database.kept_among(&[image, lost]).await.unwrap());
    database.add_image(image, &metadata(), 400).await.unwrap().unwrap();
    say("another", &database.set_picture(&ada, Some(&picture), 400).await.unwrap());
    say("described", &database.describe(&ada, Some("Ada"), None).await.unwrap());
    say("as it was", &database.describe(&ada, Some("Ada"), Some("")).await.unwrap());
    say("nobody", &database.describe(&nobody, None, None).await.unwrap());
    let wanted = [ada.clone(), bea.clone(), nobody.clone()];
    let found = database.profiles(&wanted).await.unwrap();
    let found = found.into_iter().collect::<std::collections::BTreeMap<_, _>>();
    assert_eq!(found[&bea].picture.revision, Revision(2));
    say("profiles", &found);
    let page = database.friends(&ada, None, 1).await.unwrap();
    let after = page.next.as_deref().unwrap().parse().unwrap();
    say("friends", &(page, database.friends(&ada, Some(&after), 50).await.unwrap()));
    say("password", &database.password_hash(&ada).await.unwrap());
    database.add_session("a", &ada, &Marker::new(&ada, 1), 100, 200).await.unwrap();
    database.add_session("b", &ada, &Marker::new(&ada, 1), 100, 300).await.unwrap();
    database.add_session("c", &bea, &Marker::new(&bea, 1), 250, 400).await.unwrap();
    say("session", &database.session("a").await.unwrap());
    say("ended", &database.end_sessions(&ada).await.unwrap());
    let other = Marker::new(&bea, 2);
    say("not meant", &database.end_session("c", Some(&other)).await.unwrap());
    say("session", &database.session("c").await.unwrap());
    say("ended", &database.end_session("c", Some(&Marker::new(&bea, 1))).await.unwrap());
    say("session", &database.session("c").await.unwrap());
    database.note_active(&bea, 500).await.unwrap();
    say("active", &database.active_since(400, 10).await.unwrap());
    said
}

#[tokio::test]
async fn profiles_of_active_users_are_read_ahead() {
    let database = database(3).await;
    let redis = Redis::start().unwrap();
    let one = instance(&database, &[redis.url()]);
    database.note_active(&user("user1"), 10_000).await.unwrap();
    let (clock, _) = miniature_server::clock::Clock::by_hand(10_000);

    let limits = Limits::default();
    let read = miniature_server::upkeep::warm_up(&one.collection, &clock, &limits).await.unwrap();

    assert_eq!(read, 1);
    let layers = ["user1", "user2"].map(|id| one.name_and_layer(id));
    let layers = futures_util::future::join_all(layers).await;
    let layers = layers.into_iter().collect::<HashMap<_, _>>();
    assert_eq!(layers["User 1"], Layer::Memory);
    assert_eq!(layers["User 2"], Layer::Source);
}

#[tokio::test]
async fn whoever_is_asked_for_is_read_ahead_before_redis_forgets_them() {
    let database = database(3).await;
    let redis = Redis::start().unwrap();
    let one = instance(&database, &[redis.url()]);
    one.name_and_layer("user1").await;
    let profiles = &one.collection.profiles;
    let held_for = Limits::default().profile_shared_for;

    assert_eq!(profiles.warm_up(&[], held_for / 2).await.unwrap(), 0, "Redis holds it for longer");
    assert_eq!(profiles.warm_up(&[], held_for).await.unwrap(), 1, "by then it is forgotten");
    assert_eq!(profiles.warm_up(&[user("user2")], held_for / 2).await.unwrap(), 1, "an active one");
}

#[tokio::test]
async fn nobody_who_does_not_exist_is_read_ahead() {
    let database = database(1).await;
    let redis = Redis::start().unwrap();
    let one = instance(&database, &[redis.url()]);
    let profiles = &one.collection.profiles;
    let mut asked = (0..49).map(|n| user(&format!("nobody{n}"))).collect::<Vec<_>>();
    asked.push(user("user0"));
    profiles.get_many(&asked).await.unwrap();

    let all = Limits::default().profile_shared_for;
    assert_eq!(profiles.warm_up(&[], all).await.unwrap(), 1);
}
