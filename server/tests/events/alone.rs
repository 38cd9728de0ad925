//! One instance, which knows all that happens.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use futures_util::{FutureExt, StreamExt};
use miniature_api::{EVENT_HEADER, Post, Profile, Record, Revision};
use miniature_server::storage::Database;
use miniature_services::Postgres;
use serde_json::json;

use crate::fixture::{Event, Instance, picture, png, populated, user};

#[tokio::test]
async fn what_happens_to_a_friend_is_heard_and_what_happens_to_a_stranger_is_not() {
    let t = Instance::alone().await;
    let (ada, bea, zoe) = (t.browser("ada").await, t.browser("bea").await, t.browser("zoe").await);
    let (mut adas, mut beas, mut zoes) =
        (ada.listen().await, bea.listen().await, zoe.listen().await);

    bea.write("hello").await;
    zoe.write("anyone?").await;
    bea.rename("Beatrice").await;
    t.collection.pictures.set_picture(&user("bea"), png().into()).await.unwrap();

    let mut ids = Vec::new();
    for stream in [&mut adas, &mut beas] {
        let (post, profile, picture) =
            (stream.next().await, stream.next().await, stream.next().await);
        let said = serde_json::from_str::<Post>(&post.data).unwrap();
        assert_eq!((said.text.as_str(), said.author.name.as_str()), ("hello", "bea"));
        let renamed = serde_json::from_str::<Profile>(&profile.data).unwrap();
        assert_eq!((profile.name.as_str(), renamed.name.as_str()), ("profile", "Beatrice"));
        let record = serde_json::from_str::<Record>(&picture.data).unwrap();
        assert_eq!((picture.name.as_str(), record.revision), ("picture", Revision(1)));
        let order = [post, profile, picture].map(|event| event.millisecond_and_count());
        assert!(order.is_sorted_by(|one, next| one < next), "{order:?}");
        ids.push(order);
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(zoes.next().await.post(), "anyone?");
    assert!(zoes.body.next().now_or_never().is_none(), "a stranger hears no more");
}

#[tokio::test]
async fn a_picture_or_a_profile_that_is_as_it_was_is_no_news() {
    let t = Instance::alone().await;
    let (ada, bea) = (t.browser("ada").await, t.browser("bea").await);
    let mut stream = ada.listen().await;
    let upload = async || t.collection.pictures.set_picture(&user("bea"), png().into()).await;
    upload().await.unwrap();
    bea.rename("Beatrice").await;
    assert_eq!(stream.next().await.name, "picture");
    assert_eq!(stream.next().await.name, "profile");

    upload().await.unwrap();
    bea.rename("Beatrice").await;
    let headline = json!({ "name": "Beatrice", "headline": "" });
    bea.send(Method::PATCH, "/api/users/me", &headline).await;
    t.collection.pictures.remove_picture(&user("ada")).await.unwrap();
    bea.write("the next that happens").await;

    assert_eq!(stream.next().await.post(), "the next that happens");
}

#[tokio::test]
async fn whoever_comes_back_hears_what_they_missed_of_the_last_thousand() {
    let t = Instance::alone().await;
    let (ada, zoe) = (t.browser("ada").await, t.browser("zoe").await);
    let first = ada.listen_since(None).await.next().await.id;
    let events = &t.collection.events;
    for revision in 1..=1_000 {
        events.publish(&picture(revision)).await;
    }

    let mut stream = ada.listen_since(Some(&first)).await;
    let mut ids = Vec::new();
    for revision in 1..=1_000 {
        let event = stream.next().await;
        assert_eq!(serde_json::from_str::<Record>(&event.data).unwrap().revision.0, revision);
        ids.push(event.id);
    }
    assert_eq!(stream.next().await, Event { id: ids[999].clone(), ..Event::default() });

    let mut later = ada.listen_since(Some(&ids[990])).await;
    assert_eq!(later.next().await.id, ids[991]);
    let mut stranger = zoe.listen_since(Some(&first)).await;
    assert_eq!(stranger.next().await, Event { id: ids[999].clone(), ..Event::default() });

    events.publish(&picture(1_001)).await;
    for (name, seen) in [("too old", first.as_str()), ("not ours", "9-9"), ("nonsense", "x")] {
        let reset = ada.listen_since(Some(seen)).await.next().await;
        assert_eq!((reset.name.as_str(), reset.data.as_str()), ("reset", "{}"), "{name}");
        let mut after = ada.listen_since(Some(&reset.id)).await;
        assert_eq!(after.next().await.name, "", "{name}: nothing was missed since");
    }
}

#[tokio::test]
async fn a_client_that_cannot_set_a_header_names_the_last_event_in_the_address() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut stream = ada.listen_since(None).await;
    let before = stream.next().await.id;
    for text in ["one", "two"] {
        ada.write(text).await;
    }
    let first = stream.next().await.id;
    let address = |id: &str| format!("/api/events?last_event_id={id}");

    let mut by_address = ada.listen_at(&address(&before), None).await;
    assert_eq!(by_address.next().await.post(), "one");
    assert_eq!(by_address.next().await.post(), "two");

    let mut by_both = ada.listen_at(&address(&before), Some(&first)).await;
    assert_eq!(by_both.next().await.post(), "two", "the header wins");
    assert_eq!(ada.listen_at(&address("x"), None).await.next().await.name, "reset");
    let twice = ada.events_at("/api/events?last_event_id=1-0&last_event_id=2-0", None).await;
    assert_eq!(twice.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_stream_after_the_event_that_an_answer_names_tells_what_the_answer_does_not() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    ada.write("before").await;
    let answer = ada.send(Method::GET, "/api/friends", &json!(null)).await;
    let name = answer.headers().get(EVENT_HEADER).expect("the last event").to_str().unwrap();
    ada.write("after").await;

    let mut stream = ada.listen_since(Some(name)).await;
    assert_eq!(stream.next().await.post(), "after");
    assert_eq!(stream.next().await.name, "", "and nothing else");
}

#[tokio::test]
async fn a_reader_that_takes_too_little_is_cut_off_and_catches_up() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut stream = ada.listen_since(None).await;
    let first = stream.next().await.id;
    for revision in 1..=300 {
        t.collection.events.publish(&picture(revision)).await;
    }

    let (mut last, mut read) = (first, 0);
    while let Some(event) = stream.next_or_end().await {
        read += 1;
        assert_eq!(serde_json::from_str::<Record>(&event.data).unwrap().revision.0, read);
        last = event.id;
    }
    assert!(read < 300, "it was cut off");

    let mut again = ada.listen_since(Some(&last)).await;
    for revision in read + 1..=300 {
        let event = again.next().await;
        assert_eq!(serde_json::from_str::<Record>(&event.data).unwrap().revision.0, revision);
    }
}

#[tokio::test]
async fn one_user_has_sixteen_streams_at_most() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(ada.listen().await);
    }
    let refused = ada.events(None).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "30");
    t.browser("bea").await.listen().await;
    open.pop();
    ada.listen().await;
}

/// Time passes for the streams alone: a database that answers from a thread of its own would be
/// timed out if it stood still for longer.
async fn let_pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_stream_says_every_fifteen_seconds_that_it_is_there() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut stream = ada.listen().await;
    for _ in 0..3 {
        let_pass(Duration::from_millis(14_000)).await;
        assert!(stream.body.next().now_or_never().is_none(), "it is too early");
        let_pass(Duration::from_millis(1_100)).await;
        assert_eq!(stream.block().await.unwrap().trim_end(), ":", "a comment");
    }
}

#[tokio::test]
async fn a_stream_ends_at_once_with_its_session_and_others_go_on() {
    for (path, everywhere) in [("/api/session", false), ("/api/session?everywhere=1", true)] {
        let t = Instance::alone().await;
        let (ada, elsewhere) = (t.browser("ada").await, t.browser("ada").await);
        let bea = t.browser("bea").await;
        let (mut own, mut other) = (ada.listen().await, elsewhere.listen().await);
        let mut beas = bea.listen().await;

        let signed_out = ada.send(Method::DELETE, path, &json!({})).await;

        assert_eq!(signed_out.status(), StatusCode::NO_CONTENT);
        assert!(own.has_ended(), "{path}");
        assert_eq!(other.has_ended(), everywhere, "{path}");
        bea.write("still here").await;
        assert_eq!(beas.next().await.post(), "still here", "{path}");
    }
}

#[tokio::test]
async fn every_stream_ends_when_the_server_stops() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut quiet = ada.listen().await;
    let mut behind = ada.listen_since(Some("0-0")).await;
    t.stop.begin();
    assert_eq!(quiet.block().await, None);
    assert_eq!(behind.block().await, None);
    assert_eq!(ada.listen_since(Some("0-0")).await.block().await, None);
}

#[tokio::test]
async fn posts_and_their_authors_are_kept_in_postgresql_too() {
    let postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    let t = Instance::on(&populated(database.clone()).await, &[]).await;
    let (ada, bea) = (t.browser("ada").await, t.browser("bea").await);
    let mut stream = ada.listen().await;
    bea.write("one").await;
    t.browser("zoe").await.write("a stranger's").await;
    ada.write("two").await;
    bea.write("ß 😀").await;
    for text in ["one", "two", "ß 😀"] {
        assert_eq!(stream.next().await.post(), text);
    }

    let (page, next) = database.feed(&user("ada"), None, 2).await.unwrap();
    let (last, end) = database.feed(&user("ada"), next.as_ref(), 2).await.unwrap();
    let texts = page.iter().chain(&last).map(|stored| stored.post.text.as_str());
    assert_eq!(texts.collect::<Vec<_>>(), ["ß 😀", "two", "one"]);
    assert_eq!(end, None);

    bea.rename("Beatrice").await;
    let beatrice = t.collection.profiles.get(&user("bea")).await.unwrap().unwrap();
    let later = 9_999_999_999;
    assert_eq!(database.rewrite_author(&beatrice, Some(later)).await.unwrap(), 2);
    assert_eq!(database.rewrite_author(&beatrice, Some(later)).await.unwrap(), 0);
    let (stored, _) = database.feed(&user("ada"), None, 1).await.unwrap();
    assert_eq!((stored[0].post.author.name.as_str(), stored[0].author_as_of), ("Beatrice", later));
}
