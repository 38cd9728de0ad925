//! One's own picture and profile: each change is seen at once, and taken back if it is refused.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::future::{AbortHandle, abortable};
use leptos::prelude::*;
use miniature_api::{ImageId, Profile, ProfileChange, Record, Size, UserId};

use super::driver::driver;
pub use crate::browser::{
    origin::ChangeError,
    picture_file::{Cut, FileError},
};
use crate::{
    browser::{
        clock,
        listener::Listener,
        origin::Changed,
        random,
        schedule::{self, Timer},
    },
    cache::{
        core::Event,
        entry::{Content, Rendition},
        key::RenditionKey,
    },
};

/// How long a removal can be undone.
const UNDO: Duration = Duration::from_secs(10);

/// What becomes of a change of one's own picture.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnState {
    /// What is shown is so.
    Settled,
    /// It is on its way: so much of it has been sent, from 0 to 1.
    Sending(f64),
    /// It is removed, and that can be undone for some seconds.
    Removed,
    /// It was not changed.
    Failed(ChangeError),
}

/// The signed-in account's own picture, as its user changes it. Clones share it.
#[derive(Clone, Debug)]
pub struct OwnPicture {
    account: UserId,
    state: ArcRwSignal<OwnState>,
    under_way: Rc<RefCell<UnderWay>>,
}

#[derive(Debug, Default)]
struct UnderWay {
    upload: Option<AbortHandle>,
    removal: Option<Timer>,
    /// Until the page goes: what is to be removed is removed then.
    _leaves: Option<Listener>,
}

impl OwnPicture {
    /// The picture of this account, for as long as the reactive owner lives.
    pub fn new(account: UserId) -> Self {
        let (state, under_way) = (ArcRwSignal::new(OwnState::Settled), Rc::default());
        let own = Self { account, state, under_way };
        let left = own.clone();
        let leaves = Listener::on_window("pagehide", move |_| {
            // Only the later half begins a removal, and only it can carry one out.
            if left.under_way.borrow().removal.is_some() {
                left.remove_now();
            }
        });
        own.under_way.borrow_mut()._leaves = leaves;
        own
    }

    /// What becomes of the last change. Tracks.
    pub fn state(&self) -> OwnState {
        self.state.get()
    }

    /// Sends a picture, which is shown from now on.
    pub fn save(&self, cut: Cut) {
        self.stop();
        let key = RenditionKey { image: made_up(), size: Size::S512 };
        let rendition = Rendition { key, content: Content::DataUrl(cut.preview.into()) };
        driver().handle(Event::Proposed(Some(rendition)));
        self.state.set(OwnState::Sending(0.0));
        let (own, progress) = (self.clone(), self.state.clone());
        let sent = move |share| progress.set(OwnState::Sending(share));
        let silence = driver().read(|core| core.policy().silence);
        let begun = clock::now().running;
        let upload = async move {
            let answer =
                driver().api.replace_picture(&own.account, &cut.upload, silence, sent).await;
            own.settle(begun, answer);
        };
        let (upload, abort) = abortable(upload);
        self.under_way.borrow_mut().upload = Some(abort);
        schedule::spawn(async move {
            let _ = upload.await;
        });
    }

    /// Ends the upload: the picture of before is shown again.
    pub fn cancel(&self) {
        self.stop();
        driver().handle(Event::Withdrawn);
        self.state.set(OwnState::Settled);
    }

    /// Removes the picture, in some seconds. It is gone from the screen at once.
    pub fn remove(&self) {
        self.stop();
        driver().handle(Event::Proposed(None));
        self.state.set(OwnState::Removed);
        let own = self.clone();
        self.under_way.borrow_mut().removal = Timer::set(UNDO, move || own.remove_now());
    }

    /// The picture is not removed.
    pub fn undo(&self) {
        if self.under_way.borrow_mut().removal.take().is_some() {
            driver().handle(Event::Withdrawn);
            self.state.set(OwnState::Settled);
        }
    }

    /// Does what waits to be undone.
    pub fn remove_now(&self) {
        if self.under_way.borrow_mut().removal.take().is_none() {
            return;
        }
        let (own, silence) = (self.clone(), driver().read(|core| core.policy().silence));
        let begun = clock::now().running;
        schedule::spawn(async move {
            let answer = driver().api.remove_picture(&own.account, silence).await;
            own.settle(begun, answer);
        });
    }

    fn stop(&self) {
        let (upload, removal) = {
            let mut under_way = self.under_way.borrow_mut();
            (under_way.upload.take(), under_way.removal.take())
        };
        drop(removal);
        if let Some(upload) = upload {
            upload.abort();
        }
    }

    fn settle(&self, sent: Duration, answer: Result<Changed<Record>, ChangeError>) {
        self.under_way.borrow_mut().upload = None;
        let driver = driver();
        match answer {
            Ok(Changed { lineage, now: record }) => {
                let account = self.account.clone();
                driver.handle(Event::Taken { account, record, lineage, sent });
                let _ = self.state.try_set(OwnState::Settled);
            }
            Err(error) => {
                driver.handle(Event::Withdrawn);
                match error {
                    ChangeError::SignedOut => driver.handle(Event::AskSession),
                    // It may have been made all the same.
                    ChangeError::Unreachable => {
                        driver.handle(Event::Invalidate(self.account.clone()));
                    }
                    ChangeError::Refused(..) | ChangeError::TooMany(_) => {}
                }
                let _ = self.state.try_set(OwnState::Failed(error));
            }
        }
    }
}

/// Puts the picture of this account, as it is changed, into the context.
pub fn provide_own_picture(account: &UserId) {
    provide_context(StoredValue::new_local(OwnPicture::new(account.clone())));
}

/// The picture in the context; without one, the picture of this account while the owner lives.
pub fn use_own_picture(account: &UserId) -> StoredValue<OwnPicture, LocalStorage> {
    use_context().unwrap_or_else(|| StoredValue::new_local(OwnPicture::new(account.clone())))
}

/// Changes the name or headline of the signed-in account.
///
/// # Errors
///
/// [`ChangeError`], by what can be done about it.
pub async fn describe(account: &UserId, change: &ProfileChange) -> Result<(), ChangeError> {
    let driver = driver();
    let silence = driver.read(|core| core.policy().silence);
    let answer = driver.api.describe::<Profile>(account, change, silence).await;
    match answer {
        Ok(Changed { lineage, now: profile }) => {
            driver.handle(Event::Described { account: account.clone(), profile, lineage });
            Ok(())
        }
        Err(error) => {
            if error == ChangeError::SignedOut {
                driver.handle(Event::AskSession);
            }
            Err(error)
        }
    }
}

/// A name for a picture that the server has not named yet; like no other's.
fn made_up() -> ImageId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random::seed().to_be_bytes());
    bytes[8..].copy_from_slice(&random::seed().to_be_bytes());
    ImageId::from_bytes(bytes)
}
