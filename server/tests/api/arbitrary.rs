//! Whatever is asked for, the answer is one of those that are described.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use futures_util::future::join_all;
use miniature_api::BatchEntry;
use miniature_server::limits::Limits;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::fixture::{Fixture, config};

#[tokio::test]
async fn a_batch_of_arbitrary_users_is_answered_in_order_or_refused() {
    let limits = Limits { names_at_once: NonZeroU32::MAX, ..Limits::default() };
    let t = Fixture::limited(&config(), &limits).await;
    let browser = t.browser("ada").await;
    let mut runner = TestRunner::deterministic();
    let ids = proptest::collection::vec("(ada|bea|cem|[A-Za-z0-9_-]{1,64})(:[0-9]{1,9})?", 1..55);
    let asked = (0..200).map(|_| ids.new_tree(&mut runner).unwrap().current()).collect::<Vec<_>>();

    let answers = join_all(asked.iter().map(async |users| {
        let path = format!("/api/images/batch?size=64&bytes=0&users={}", users.join(","));
        browser.get(&path).await
    }));

    for (users, answer) in asked.iter().zip(answers.await) {
        if users.len() > 50 {
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{users:?}");
            continue;
        }
        assert_eq!(answer.status, StatusCode::OK, "{users:?}");
        let told = answer.json::<Vec<BatchEntry>>().into_iter().map(|entry| match entry {
            BatchEntry::Found { record, .. } => record.user_id,
            BatchEntry::Missing { user_id, .. } => user_id,
        });
        let told = told.map(|user| user.to_string()).collect::<Vec<_>>();
        let wanted = users.iter().map(|user| user.split(':').next().unwrap().to_owned());
        assert_eq!(told, wanted.collect::<Vec<_>>());
    }
}
