//! Several instances, which tell each other through Redis, or do not.

use std::time::Duration;

use axum::http::Method;
use miniature_api::Change;
use miniature_server::{
    App, Collection, app, clock::Clock, images::ImageStore, profiles::Profiles, redis,
    upkeep::Upkeep,
};
use miniature_services::{Redis, RedisCluster};
use serde_json::json;
use tokio::time::Instant;

use crate::fixture::{Browser, Instance, config, database, limits, user};

/// What a busy machine adds to a limit.
const SLACK: Duration = Duration::from_millis(1_500);

async fn what_happens_at_one_instance_is_heard_at_the_other(urls: &[String]) {
    let database = database().await;
    let (one, other) = (Instance::on(&database, urls).await, Instance::on(&database, urls).await);
    let (bea, ada) = (one.browser("bea").await, other.browser("ada").await);
    let (mut beas, mut adas) = (bea.listen().await, ada.listen().await);
    let mut zoes = other.browser("zoe").await.listen().await;
    assert_eq!(ada.name_of("bea").await, "bea");

    bea.rename("Beatrice").await;
    let heard = adas.next().await;
    assert_eq!(heard.name, "profile");
    assert_eq!(ada.name_of("bea").await, "Beatrice", "the other's memory knows before its clients");
    assert_eq!(beas.next().await, heard, "under the same id everywhere");

    bea.write("while you were away").await;
    let mut moved = one.browser("ada").await.listen_since(Some(&heard.id)).await;
    assert_eq!(moved.next().await.post(), "while you were away");
    other.browser("zoe").await.write("a stranger's").await;
    assert_eq!(zoes.next().await.post(), "a stranger's");

    let late = Instance::on(&database, urls).await;
    let mut replayed = late.browser("ada").await.listen_since(Some(&heard.id)).await;
    assert_eq!(replayed.next().await.post(), "while you were away");
    assert_eq!(replayed.next().await.name, "");
}

#[tokio::test]
async fn instances_tell_each_other_through_redis() {
    let redis = Redis::start().unwrap();
    what_happens_at_one_instance_is_heard_at_the_other(&[redis.url()]).await;
}

#[tokio::test]
async fn instances_tell_each_other_through_a_cluster() {
    let cluster = RedisCluster::start().unwrap();
    what_happens_at_one_instance_is_heard_at_the_other(&cluster.urls()).await;
}

#[tokio::test]
async fn a_stream_ends_within_five_seconds_of_a_sign_out_at_another_instance() {
    let database = database().await;
    let (one, other) = (Instance::on(&database, &[]).await, Instance::on(&database, &[]).await);
    let here = one.browser("ada").await;
    let there = Browser { instance: &other, cookie: here.cookie.clone() };
    let bea = other.browser("bea").await;
    let (mut stream, mut beas) = (there.listen().await, bea.listen().await);

    let since = Instant::now();
    here.send(Method::DELETE, "/api/session", &json!({})).await;

    assert_eq!(stream.block().await, None);
    assert!(since.elapsed() < Duration::from_secs(5) + SLACK, "{:?}", since.elapsed());
    bea.write("still here").await;
    assert_eq!(beas.next().await.post(), "still here");
}

/// Two instances on one Redis, that do what servers do unasked.
async fn two_instances(redis: &Redis) -> ([Instance; 2], [Upkeep; 2]) {
    let (database, urls) = (database().await, [redis.url()]);
    let instances = [Instance::on(&database, &urls).await, Instance::on(&database, &urls).await];
    let upkeeps = [instances[0].upkeep(), instances[1].upkeep()];
    (instances, upkeeps)
}

#[tokio::test]
async fn a_redis_that_crashes_silences_nobody_and_its_loss_is_told() {
    let mut redis = Redis::start().unwrap();
    let ([one, other], _upkeeps) = two_instances(&redis).await;
    let bea = one.browser("bea").await;
    let (here, there) = (one.browser("ada").await, other.browser("ada").await);
    let (mut near, mut far) = (here.listen().await, there.listen().await);
    let mut stranger = one.browser("zoe").await.listen().await;
    bea.write("before").await;
    let before = near.next().await;
    assert_eq!(before.post(), "before");
    assert_eq!(far.next().await, before);

    redis.kill();
    bea.write("in between").await;
    near.until_post("in between").await;
    assert_eq!(here.listen_since(Some(&before.id)).await.next().await.post(), "in between");
    bea.rename("Beatrice").await;
    assert_eq!(near.next().await.name, "profile");

    redis.restart().unwrap();
    near.until("reset").await;
    far.until("reset").await;
    assert_eq!(there.name_of("bea").await, "Beatrice");
    for (browser, seen) in [(&here, &*before.id), (&there, "1-1")] {
        assert_eq!(browser.listen_since(Some(seen)).await.next().await.name, "reset");
    }
    bea.write("after").await;
    far.until_text("after").await;
    near.until_text("after").await;
    assert_eq!(stranger.next().await.name, "reset", "a stranger has heard nothing before");
}

#[tokio::test]
async fn a_redis_that_hangs_silences_nobody_and_resets_nobody() {
    let redis = Redis::start().unwrap();
    let ([one, other], _upkeeps) = two_instances(&redis).await;
    let bea = one.browser("bea").await;
    let (here, there) = (one.browser("ada").await, other.browser("ada").await);
    let (mut near, mut far) = (here.listen().await, there.listen().await);
    bea.write("before").await;
    let before = near.next().await;
    assert_eq!(far.next().await, before);

    redis.hang().unwrap();
    bea.write("in between").await;
    assert_eq!(near.until_post("in between").await, ["in between"]);
    let mut back = here.listen_since(Some(&before.id)).await;
    assert_eq!(back.until_post("in between").await, ["in between"]);
    near.is_silent_for(HANGS_FOR).await;

    redis.resume().unwrap();
    bea.write("after").await;
    assert_eq!(far.until_post("after").await, ["in between", "after"], "each once, and no reset");
    for stream in [&mut near, &mut back] {
        assert_eq!(stream.until_post("after").await, ["after"]);
    }
    let mut moved = there.listen_since(Some(&before.id)).await;
    assert_eq!(moved.until_post("after").await, ["in between", "after"]);
}

/// Longer than a reader of the stream waits for Redis: then it counts the connection as lost.
const HANGS_FOR: Duration = Duration::from_secs(8);

/// What is written while this is done to Redis is told once in both instances, and nobody is reset.
async fn told_once_while(hurt: &[&str]) {
    let redis = Redis::start().unwrap();
    let ([one, other], _upkeeps) = two_instances(&redis).await;
    let bea = one.browser("bea").await;
    let mut near = one.browser("ada").await.listen().await;
    let mut far = other.browser("ada").await.listen().await;

    redis.command(hurt).unwrap();
    bea.write("late").await;

    for stream in [&mut near, &mut far] {
        assert_eq!(stream.until_post("late").await, ["late"]);
        stream.is_silent_for(SLACK).await;
    }
    bea.write("after").await;
    for stream in [&mut near, &mut far] {
        assert_eq!(stream.until_post("after").await, ["after"]);
    }
}

#[tokio::test]
async fn a_write_that_redis_takes_late_is_told_once_and_resets_nobody() {
    told_once_while(&["CLIENT", "PAUSE", "300", "WRITE"]).await;
}

#[tokio::test]
async fn a_connection_that_is_lost_while_no_event_is_resets_nobody() {
    told_once_while(&["CLIENT", "KILL", "TYPE", "normal"]).await;
}

#[tokio::test]
async fn a_redis_that_is_away_at_the_start_is_followed_once_it_is_there() {
    let mut redis = Redis::start().unwrap();
    let (url, database) = (redis.url(), database().await);
    redis.kill();
    let folder = tempfile::tempdir().unwrap();
    let limits = limits();
    let shared = redis::Redis::new(&[url.parse().unwrap()]).unwrap();
    let profiles = Profiles::new(database.clone(), Some(shared), &limits);
    let images = ImageStore::in_folder(folder.path()).unwrap();
    let collection = Collection::of(database.clone(), profiles, images, &limits);
    let state = App::new(collection.clone(), &config(), Clock::system(), &limits).unwrap();
    let stop = state.stopping();
    let early = Instance { router: app(state), collection, stop, _folder: folder };
    let ada = early.browser("ada").await;
    let mut stream = ada.listen().await;
    early.browser("bea").await.write("without Redis").await;
    assert_eq!(stream.next().await.post(), "without Redis");

    redis.restart().unwrap();
    stream.until("reset").await;
    let late = Instance::on(&database, &[url]).await;
    late.browser("bea").await.write("with Redis").await;
    assert_eq!(stream.until("post").await.post(), "with Redis");
}

/// Redis is taken back to what it was some time ago, as after a crash between two of its snapshots.
async fn what_was_lost_with_a_redis_is_not_believed(
    save: impl Fn(),
    lose: impl FnOnce(),
    urls: &[String],
) {
    let database = database().await;
    let (one, other) = (Instance::on(&database, urls).await, Instance::on(&database, urls).await);
    let (bea, ada) = (one.browser("bea").await, other.browser("ada").await);
    let (mut near, mut far) = (one.browser("ada").await.listen().await, ada.listen().await);
    assert_eq!(ada.name_of("bea").await, "bea");
    bea.write("kept").await;
    far.until_post("kept").await;
    save();
    bea.rename("Beatrice").await;
    let seen = far.until("profile").await;
    bea.write("lost").await;
    far.until_post("lost").await;

    lose();

    near.until("reset").await;
    far.until("reset").await;
    let late = Instance::on(&database, urls).await;
    let ada = late.browser("ada").await;
    assert_eq!(ada.name_of("bea").await, "Beatrice", "not what Redis held long ago");
    let mut stream = ada.listen().await;
    bea.write("after").await;
    stream.until("post").await;
    for instance in [&one, &other, &late] {
        let ada = instance.browser("ada").await;
        let mut again = ada.listen_since(Some(&seen.id)).await;
        assert_eq!(again.next().await.name, "reset", "what was lost cannot be told");
    }
}

#[tokio::test]
async fn a_redis_that_comes_back_older_than_it_was_is_not_believed() {
    let redis = std::cell::RefCell::new(Redis::start().unwrap());
    let urls = [redis.borrow().url()];
    let save = || drop(redis.borrow().command(&["SAVE"]).unwrap());
    let lose = || redis.borrow_mut().restart().unwrap();
    what_was_lost_with_a_redis_is_not_believed(save, lose, &urls).await;
}

#[tokio::test]
async fn a_cluster_that_comes_back_older_than_it_was_is_not_believed() {
    let cluster = std::cell::RefCell::new(RedisCluster::start().unwrap());
    let urls = cluster.borrow().urls();
    let save = || cluster.borrow().command(&["SAVE"]).unwrap();
    let lose = || cluster.borrow_mut().restart().unwrap();
    what_was_lost_with_a_redis_is_not_believed(save, lose, &urls).await;
}

#[tokio::test]
async fn what_happened_in_another_lineage_is_not_replayed() {
    let redis = Redis::start().unwrap();
    let urls = [redis.url()];
    let before = Instance::on(&database().await, &urls).await;
    let mut stream = before.browser("ada").await.listen().await;
    let bea = before.browser("bea").await;
    bea.write("seen").await;
    let seen = stream.until("post").await;
    bea.write("not in the backup").await;
    let newest = stream.until("post").await;
    drop((stream, bea));
    drop(before);

    let restored = database().await;
    let (one, other) = (Instance::on(&restored, &urls).await, Instance::on(&restored, &urls).await);
    for instance in [&one, &other] {
        let ada = instance.browser("ada").await;
        for seen in [&seen, &newest] {
            assert_eq!(ada.listen_since(Some(&seen.id)).await.next().await.name, "reset");
        }
    }
    let mut stream = other.browser("ada").await.listen().await;
    one.browser("bea").await.write("after").await;
    assert_eq!(stream.until("post").await.post(), "after");
}

#[tokio::test]
async fn an_instance_that_falls_behind_by_more_than_redis_keeps_resets_its_clients() {
    let redis = Redis::start().unwrap();
    let t = Instance::on(&database().await, &[redis.url()]).await;
    let ada = t.browser("ada").await;
    let mut stream = ada.listen().await;
    let bea = t.browser("bea").await;
    bea.write("before").await;
    stream.until_post("before").await;

    // More than are kept, all at once: nobody can read the first of them.
    let flood = "for n = 1, 1500 do redis.call('XADD', 'miniature:events', 'MAXLEN', '=', \
                 '1000', '*', 'from', 'elsewhere', 'mark', 'unknown') end";
    redis.command(&["EVAL", flood, "0"]).unwrap();

    stream.until("reset").await;
    bea.write("after").await;
    assert_eq!(stream.until("post").await.post(), "after");
}

#[tokio::test]
async fn a_change_of_which_redis_has_an_older_profile_is_read_from_the_database() {
    let redis = Redis::start().unwrap();
    let database = database().await;
    let t = Instance::on(&database, &[redis.url()]).await;
    let ada = t.browser("ada").await;
    let mut stream = ada.listen().await;
    assert_eq!(ada.name_of("bea").await, "bea");
    let key = format!("miniature:profile:{}:bea", database.lineage());
    let old = redis.command(&["GET", &key]).unwrap();
    let renamed = database.describe(&user("bea"), Some("Beatrice"), None).await.unwrap();
    let renamed = renamed.unwrap().profile;
    let change = serde_json::to_string(&Change::Profile(renamed.profile.clone())).unwrap();

    // As another instance tells it, while Redis still has, or has again, what was before.
    let tell = "redis.call('SET', KEYS[1], ARGV[1]); redis.call('XADD', KEYS[2], '*', 'from', \
                'elsewhere', 'change', ARGV[2], 'version', ARGV[3])";
    let version = renamed.version.to_string();
    let words = ["EVAL", tell, "2", &key, "miniature:events", &old, &change, &version];
    redis.command(&words).unwrap();

    stream.until("profile").await;
    assert_eq!(ada.name_of("bea").await, "Beatrice");
}
