//! What is known of one user, whatever is asked.

use miniature_api::{ImageId, Lineage, Record};

use super::*;
use crate::cache::{
    clock::{Moment, Timestamp},
    core::person::{Decodes, Gone, Known, Learnt, Person},
    entry::Rendition,
    key::RenditionKey,
};

fn at(seconds: u64) -> Moment {
    Moment::of(secs(seconds))
}

fn image(revision: u32) -> ImageId {
    image_of(&user(0), 0, revision)
}

/// An answer that was asked for then.
fn answer(revision: u32, has_image: bool, asked: u64) -> Known {
    let record = Record {
        user_id: user(0),
        revision: Revision(revision),
        image_id: has_image.then(|| image(revision)),
        thumbhash: None,
    };
    let lineage: Lineage = "1800000000000-0000000000000001".parse().unwrap();
    let checked = CheckedRecord { record, lineage: Some(lineage), checked_at: Timestamp(asked) };
    Known { checked, asked: at(asked), fresh_until: at(asked + 60), heard: true }
}

fn no_user(asked: u64) -> Gone {
    Gone { asked: at(asked), until: at(asked + 60), last: None }
}

fn rendition(revision: u32) -> Rendition<Blob> {
    rendition_at(revision, Size::S64)
}

fn rendition_at(revision: u32, size: Size) -> Rendition<Blob> {
    let key = RenditionKey { image: image(revision), size };
    Rendition { key, content: Blob { image: key.image, size: key.size, decodes: true } }
}

#[test]
fn of_a_picture_and_that_there_is_no_such_user_what_was_asked_later_stands() {
    let cases = [
        // the picture asked, that nobody is there, whether that changes something
        (10, 5, false),
        (10, 10, true),
        (10, 15, true),
    ];
    for (known, gone, expected) in cases {
        let mut person = Person::<Blob>::default();
        person.learn(answer(1, true, known));
        assert_eq!(person.forget(no_user(gone)), expected, "{known}, {gone}");
        assert_eq!(person.known.is_none(), expected, "{known}, {gone}");
    }
    for (gone, known, expected) in [(10, 5, Learnt::Older), (10, 15, Learnt::Newer)] {
        let mut person = Person::<Blob>::default();
        assert!(person.forget(no_user(gone)));
        assert_eq!(person.learn(answer(1, true, known)), expected, "{gone}, {known}");
    }
}

#[test]
fn of_someone_without_a_picture_no_layer_may_hold_one() {
    for layers in [[true, false], [false, true], [false, false]] {
        let mut person = Person::<Blob>::default();
        person.learn(answer(1, false, 10));
        for (row, holds) in [&mut person.local, &mut person.durable].into_iter().zip(layers) {
            row.unwanted = holds.then(|| image(1)).into_iter().collect();
        }
        assert_eq!(person.has_unwanted(), layers != [false, false], "{layers:?}");
    }
}

#[test]
fn bytes_are_kept_if_they_are_of_the_picture_or_there_is_nothing_else() {
    use Decodes::{Unknown, Yes};
    let cases = [
        // held before, arrived, whether that is known to decode, held then
        (None, 2, Unknown(0), vec![2]),
        (None, 1, Yes, vec![1]),
        (Some(1), 2, Unknown(0), vec![1, 2]),
        (Some(1), 2, Yes, vec![2]),
        (Some(2), 1, Yes, vec![2]),
        (Some(2), 2, Yes, vec![2]),
    ];
    for (before, arrived, decodes, expected) in cases {
        let mut person = Person::default();
        person.learn(answer(2, true, 10));
        let before = before.map(|revision| (revision, Unknown(0)));
        for (revision, decodes) in before.into_iter().chain([(arrived, decodes)]) {
            person.keep_bytes(rendition(revision), Source::Network, decodes);
        }
        let held: Vec<ImageId> = person.held.iter().map(|held| held.rendition.image()).collect();
        let expected: Vec<ImageId> = expected.into_iter().map(image).collect();
        assert_eq!(held, expected, "{before:?}, then {arrived}");
    }
}

#[test]
fn bytes_of_the_picture_end_the_failure_of_the_sizes_that_they_answer() {
    for (revision, ends) in [(2, true), (1, false)] {
        let mut person = Person::default();
        person.learn(answer(2, true, 10));
        for size in [Size::S64, Size::S256] {
            person.want(size).failure = Some(crate::cache::layer::OriginError::Malformed);
        }
        person.keep_bytes(rendition(revision), Source::Network, Decodes::Unknown(0));
        let failed = |size| person.target(size).unwrap().failure.is_some();
        assert_eq!((failed(Size::S64), failed(Size::S256)), (!ends, true), "{revision}");
    }
}

#[test]
fn the_right_size_is_shown_else_the_nearest_larger_else_the_largest() {
    use Size::{S64, S128, S256, S512};
    let cases = [
        // held, wanted, shown
        (vec![S64, S128, S256], S64, S64),
        (vec![S64, S128, S256], S128, S128),
        (vec![S256, S512, S64], S128, S256),
        (vec![S64, S128], S512, S128),
        (vec![S256], S64, S256),
    ];
    for (held, wanted, expected) in cases {
        let mut person = Person::default();
        person.learn(answer(2, true, 10));
        for size in &held {
            person.keep_bytes(rendition_at(2, *size), Source::Network, Decodes::Yes);
        }
        let shown = person.shown(wanted).unwrap().rendition.key.size;
        assert_eq!(shown, expected, "{wanted:?} of {held:?}");
    }
    let mut person = Person::default();
    person.learn(answer(2, true, 10));
    person.keep_bytes(rendition_at(1, S64), Source::Network, Decodes::Unknown(0));
    person.keep_bytes(rendition_at(2, S512), Source::Network, Decodes::Unknown(0));
    assert_eq!(
        person.shown(S64).unwrap().rendition.key.image,
        image(2),
        "rather than an older one"
    );
}
