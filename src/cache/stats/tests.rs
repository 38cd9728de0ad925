use super::*;
use crate::cache::{
    event::Step,
    layer::{LayerError, OriginError},
};
use miniature_api::Size;

fn load(source: Source, took_ms: f64, missed: &[Source]) -> CacheEvent {
    let miss = |layer: &Source| Step { layer: *layer, answer: Answer::Absent, took_ms: 0.0 };
    CacheEvent::Loaded(Load {
        user: "ada".parse().unwrap(),
        size: Size::S64,
        outcome: Outcome::Shown(source),
        asked_ms: 0.0,
        took_ms,
        bytes: 1000,
        path: missed.iter().map(miss).collect(),
    })
}

fn counted(events: impl IntoIterator<Item = CacheEvent>) -> Metrics {
    let mut stats = Stats::new(Timestamp(0));
    events.into_iter().for_each(|event| stats.count(event));
    let held = Usage { entries: 3, bytes: 40 };
    stats.metrics(|layer| (layer == Source::Memory).then_some(held), None)
}

#[test]
fn percentiles_are_of_the_last_pictures_alone() {
    let count = u32::try_from(RECENT).unwrap();
    let times = (1..=count + 5).map(f64::from);
    let metrics = counted(times.map(|took_ms| load(Source::IndexedDb, took_ms, &[])));
    let median = metrics.layers[Source::IndexedDb].p50_ms;
    assert_eq!(median, Some(f64::from(count / 2 + 5)));
}

#[test]
fn a_request_counts_once_for_the_layer_that_answered() {
    let metrics = counted([
        load(Source::Network, 100.0, &[Source::Memory, Source::LocalStorage]),
        load(Source::Memory, 1.0, &[]),
        load(Source::IndexedDb, 20.0, &[Source::Memory]),
    ]);
    assert_eq!(metrics.total_requests, 3);
    assert_eq!(metrics.hit_rate, 2.0 / 3.0);
    assert_eq!((metrics.bytes_saved, metrics.time_saved_ms), (2000, 99.0 + 80.0));
    let memory = metrics.layers[Source::Memory];
    assert_eq!((memory.hits, memory.misses), (1, 2));
}

#[test]
fn every_event_is_counted_where_it_belongs() {
    let CacheEvent::Loaded(shown) = load(Source::Network, 9.0, &[]) else { unreachable!() };
    let answered = |outcome| CacheEvent::Loaded(Load { outcome, took_ms: 5.0, ..shown.clone() });
    let metrics = counted([
        CacheEvent::Coalesced,
        CacheEvent::Coalesced,
        CacheEvent::Stale,
        CacheEvent::Requested,
        CacheEvent::Received(700),
        CacheEvent::Received(300),
        CacheEvent::OriginFailed(OriginError::Unreachable),
        answered(Outcome::Failed),
        answered(Outcome::Negative(Source::Network)),
        answered(Outcome::Negative(Source::Memory)),
        answered(Outcome::Negative(Source::Memory)),
        load(Source::Network, 9.0, &[]),
    ]);
    assert_eq!((metrics.schema, metrics.since), (SCHEMA, Timestamp(0)));
    assert_eq!((metrics.coalesced, metrics.stale, metrics.api_requests), (2, 1, 1));
    assert_eq!((metrics.bytes_from_network, metrics.bytes_saved), (1000, 0));
    assert_eq!((metrics.total_requests, metrics.negative), (5, 3));
    assert_eq!((metrics.hit_rate, metrics.average_load_ms), (0.4, 5.8));
    let network = metrics.layers[Source::Network];
    assert_eq!((network.hits, network.errors, network.p50_ms), (2, 1, Some(9.0)));
}

#[test]
fn nothing_counted_is_nothing() {
    let metrics = counted([]);
    assert_eq!((metrics.hit_rate, metrics.average_load_ms), (0.0, 0.0));
    assert_eq!(metrics.layers[Source::Network].p95_ms, None);
}

#[test]
fn a_load_that_was_slower_than_the_network_saves_nothing() {
    let events = [10.0, 30.0, 20.0].map(|ms| load(Source::Network, ms, &[]));
    let metrics = counted(events.into_iter().chain([load(Source::IndexedDb, 50.0, &[])]));
    assert_eq!(metrics.time_saved_ms, 0.0);
}

#[test]
fn percentiles_are_of_the_last_500_pictures() {
    let slow = (0..500).map(|_| load(Source::Memory, 900.0, &[]));
    let times = |fast| {
        let fast = (0..fast).map(|_| load(Source::Memory, 1.0, &[]));
        let memory = counted(slow.clone().chain(fast)).layers[Source::Memory];
        (memory.p50_ms, memory.p95_ms)
    };
    assert_eq!(times(249), (Some(900.0), Some(900.0)));
    assert_eq!(times(250), (Some(1.0), Some(900.0)));
    assert_eq!(times(500), (Some(1.0), Some(1.0)));
}

#[test]
fn layers_are_exported_by_name() {
    let json = serde_json::to_value(counted([load(Source::Memory, 1.0, &[])])).unwrap();
    let layers = json["layers"].as_object().unwrap();
    assert_eq!(layers.len(), 5);
    assert_eq!((&layers["memory"]["hits"], &layers["network"]["hits"]), (&1.into(), &0.into()));
    assert_eq!(layers["indexed_db"]["entries"], serde_json::Value::Null);
}

#[test]
fn no_time_is_saved_before_a_network_load_was_measured() {
    assert_eq!(counted([load(Source::Memory, 1.0, &[])]).time_saved_ms, 0.0);
}

#[test]
fn percentiles_are_by_nearest_rank() {
    let metrics = counted((1..=100_u8).map(|ms| load(Source::Memory, f64::from(ms), &[])));
    let memory = metrics.layers[Source::Memory];
    assert_eq!((memory.p50_ms, memory.p95_ms), (Some(50.0), Some(95.0)));
}

#[test]
fn an_answer_without_a_picture_is_a_hit_that_says_nothing_of_time() {
    let CacheEvent::Loaded(shown) = load(Source::Memory, 0.0, &[]) else { unreachable!() };
    let nobody = Load { outcome: Outcome::Negative(Source::Memory), ..shown };
    let metrics = counted([CacheEvent::Loaded(nobody), load(Source::IndexedDb, 20.0, &[])]);
    let (memory, durable) = (metrics.layers[Source::Memory], metrics.layers[Source::IndexedDb]);
    assert_eq!((metrics.negative, memory.hits), (1, 1));
    assert_eq!((memory.p50_ms, memory.p95_ms), (None, None));
    assert_eq!(durable.p50_ms, Some(20.0));
}

#[test]
fn what_cannot_be_counted_is_not_called_empty() {
    let metrics = counted([]);
    let held = |layer: Source| (metrics.layers[layer].entries, metrics.layers[layer].bytes);
    assert_eq!(held(Source::Memory), (Some(3), Some(40)));
    assert_eq!(held(Source::IndexedDb), (None, None));
}

#[test]
fn a_layer_that_fails_has_errors_and_no_misses() {
    let failed = Step { layer: Source::LocalStorage, answer: Answer::Failed, took_ms: 0.0 };
    let CacheEvent::Loaded(shown) = load(Source::Network, 9.0, &[Source::Memory]) else {
        unreachable!()
    };
    let path = [shown.path.clone(), vec![failed]].concat();
    let denied = LayerError::Unavailable;
    let metrics = counted([
        CacheEvent::LayerFailed(Source::LocalStorage, denied),
        CacheEvent::Loaded(Load { path, ..shown }),
    ]);
    let local = metrics.layers[Source::LocalStorage];
    assert_eq!((local.misses, local.errors), (0, 1));
    assert_eq!(metrics.layers[Source::Memory].misses, 1);
}

#[test]
fn a_miss_is_counted_by_its_reason() {
    let answers = [Answer::Absent, Answer::TooSmall, Answer::TooSmall, Answer::OtherRevision];
    let others = [Answer::Hit, Answer::Stale, Answer::Denied, Answer::TimedOut];
    let path = answers.into_iter().chain(others);
    let path = path.map(|answer| Step { layer: Source::IndexedDb, answer, took_ms: 0.0 });
    let CacheEvent::Loaded(shown) = load(Source::Network, 9.0, &[]) else { unreachable!() };
    let metrics = counted([CacheEvent::Loaded(Load { path: path.collect(), ..shown })]);
    let layer = metrics.layers[Source::IndexedDb];
    let expected = Missed { absent: 1, other_revision: 1, too_small: 2 };
    assert_eq!((layer.misses, layer.missed), (4, expected));
}

#[test]
fn the_last_hour_is_remembered_by_the_minute() {
    let at = |asked_ms: f64, source| {
        let CacheEvent::Loaded(load) = load(source, 10.0, &[]) else { unreachable!() };
        CacheEvent::Loaded(Load { asked_ms, ..load })
    };
    let metrics = counted([
        at(1_000.0, Source::Network),
        // Answered in the next minute.
        at(59_995.0, Source::Memory),
        at(60_000.0, Source::IndexedDb),
        at(240_000.0, Source::Network),
        // It has waited for long, and ended later than the one before.
        at(3_000.0, Source::Memory),
    ]);
    let minute = |minute, requests, hits| Minute { minute, requests, hits };
    assert_eq!(metrics.minutes, [minute(0, 1, 0), minute(1, 2, 2), minute(4, 2, 1)]);

    let metrics = counted((0..70).map(|minute| at(f64::from(minute) * MINUTE_MS, Source::Memory)));
    assert_eq!((metrics.minutes.len(), metrics.minutes[0].minute), (60, 10));
}

#[test]
fn the_last_500_loads_are_remembered() {
    let metrics = counted((0..600).map(|_| load(Source::Memory, 1.0, &[])));
    assert_eq!((metrics.recent.len(), metrics.total_requests), (500, 600));
}
