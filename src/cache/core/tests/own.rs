//! A picture that its owner has chosen.

use miniature_api::{ImageId, UserId};

use super::*;
use crate::cache::{
    core::testing::{Weather, account},
    entry::Rendition,
    key::{RenditionKey, Wanted},
};

/// A page of ada, who has a picture that is on screen.
fn of_ada() -> (Fixture, ViewerId) {
    let mut t = Fixture::with_users(0);
    t.world.borrow_mut().server.change(&account(), true);
    let (viewer, _) = t.doc.look(Wanted { user: account(), size: Size::S64 });
    t.doc.wait(secs(5));
    t.doc.requests();
    (t, viewer)
}

fn chosen() -> Rendition<Blob> {
    let image: ImageId = "000000000000000000000000000000ff".parse().unwrap();
    let key = RenditionKey { image, size: Size::S512 };
    Rendition { key, content: Blob { image, size: key.size, decodes: true } }
}

fn shown(t: &Fixture, viewer: ViewerId) -> Option<ImageId> {
    t.view(viewer).shown.map(|shown| shown.rendition.key.image)
}

/// The server takes another picture of ada, and answers.
fn taken(t: &mut Fixture, picture: bool) {
    let (record, lineage, sent) = {
        let world = &mut *t.world.borrow_mut();
        world.server.change(&account(), picture);
        (world.server.truth[&account()].clone(), world.server.lineage(), world.now().running)
    };
    t.doc.tell(Event::Taken { account: account(), record, lineage, sent });
}

fn current(t: &Fixture) -> Option<ImageId> {
    t.world.borrow().server.truth[&account()].image_id
}

#[test]
fn a_chosen_picture_is_shown_at_once_and_kept_by_no_layer() {
    let (mut t, viewer) = of_ada();
    t.doc.changed.clear();
    t.doc.tell(Event::Proposed(Some(chosen())));
    assert_eq!(shown(&t, viewer), Some(chosen().key.image));
    t.doc.wait(secs(30));
    assert!(!t.doc.changed.is_empty(), "the page is told");
    assert!(t.doc.requests().is_empty());
    let (elsewhere, _) = t.doc.look(Wanted { user: account(), size: Size::S256 });
    assert_eq!(shown(&t, elsewhere), Some(chosen().key.image), "at every size");
    t.doc.wait(secs(30));
    let world = t.world.borrow();
    let holds = world.durable.renditions.keys().any(|key| key.image == chosen().key.image);
    assert!(!holds);
}

#[test]
fn it_is_shown_until_what_the_server_made_of_it_is_here() {
    let (mut t, viewer) = of_ada();
    t.doc.tell(Event::Proposed(Some(chosen())));
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    taken(&mut t, true);
    t.doc.wait(secs(5));
    assert_eq!(shown(&t, viewer), Some(chosen().key.image), "its bytes do not come yet");
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(2));
    assert_eq!(shown(&t, viewer), current(&t));
    assert_eq!(t.revisions(0), [None, None], "of nobody else");
}

#[test]
fn what_is_refused_gives_way_to_what_was_before() {
    let (mut t, viewer) = of_ada();
    let before = shown(&t, viewer);
    for picture in [Some(chosen()), None] {
        t.doc.tell(Event::Proposed(picture.clone()));
        t.doc.run();
        assert_eq!(shown(&t, viewer), picture.map(|picture| picture.key.image));
        t.doc.changed.clear();
        t.doc.tell(Event::Withdrawn);
        t.doc.run();
        assert_eq!(shown(&t, viewer), before);
        assert!(!t.doc.changed.is_empty(), "the page is told");
    }
    assert!(t.doc.requests().is_empty());
}

#[test]
fn a_removed_picture_is_gone_for_good_once_the_server_says_so() {
    let (mut t, viewer) = of_ada();
    t.doc.tell(Event::Proposed(None));
    taken(&mut t, false);
    t.doc.wait(secs(5));
    assert_eq!((shown(&t, viewer), t.view(viewer).status), (None, Status::Settled));
    t.doc.tell(Event::Withdrawn);
    assert_eq!(shown(&t, viewer), None);
}

#[test]
fn a_later_change_from_elsewhere_replaces_it() {
    let (mut t, viewer) = of_ada();
    t.doc.tell(Event::Proposed(Some(chosen())));
    taken(&mut t, true);
    t.world.borrow_mut().server.change(&account(), true);
    t.hear();
    t.doc.wait(secs(5));
    assert_eq!(shown(&t, viewer), current(&t));
}

#[test]
fn it_ends_with_its_account_and_is_no_others() {
    let (mut t, _) = of_ada();
    t.doc.tell(Event::Proposed(Some(chosen())));
    t.doc.tell(Event::SignOut);
    t.doc.sign_in("grace");
    t.doc.run();
    let grace: UserId = "grace".parse().unwrap();
    for user in [account(), grace] {
        let (viewer, _) = t.doc.look(Wanted { user, size: Size::S64 });
        t.doc.wait(secs(5));
        assert_ne!(shown(&t, viewer), Some(chosen().key.image));
    }
    taken(&mut t, true);
    let (viewer, _) = t.doc.look(Wanted { user: account(), size: Size::S64 });
    assert_eq!(t.view(viewer).revision, Some(Revision(1)), "an answer to somebody else");
}
