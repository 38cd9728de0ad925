//! Layers in trouble, as a developer asked for it: at the edge, between what the core wants and who does it.

use std::cell::{Cell, RefCell};

use super::driver::{Driver, driver};
use crate::{
    browser::{badge, schedule},
    cache::{
        core::{Answer, Effect, EffectId, Fetched, Refusal},
        entry::{Content, Found},
        key::Source,
        layer::{LayerError, OriginError},
        raster::RasterType,
        trouble::{Trouble, Troubles, Wish},
    },
};

/// What is simulated.
#[derive(Debug, Default)]
pub(super) struct Simulation {
    is_on: Cell<bool>,
    troubles: RefCell<Troubles>,
    /// Reads whose answers are to be spoilt.
    spoilt: RefCell<Vec<EffectId>>,
}

impl Simulation {
    pub(super) fn is_on(&self) -> bool {
        self.is_on.get()
    }

    fn of(&self, layer: Source) -> Option<Trouble> {
        self.troubles.borrow().of(layer)
    }
}

/// Has a layer in trouble, or ends that, and says so on the page.
pub(super) fn simulate(wish: &Wish) -> Result<(), String> {
    let simulation = &driver().simulation;
    simulation.troubles.borrow_mut().set(wish)?;
    let troubles = simulation.troubles.borrow().clone();
    // What is under way may have to be spoilt still.
    simulation.is_on.set(true);
    badge::show((!troubles.is_empty()).then(|| troubles.in_words()).as_deref());
    Ok(())
}

/// What LocalStorage says within a call.
#[inline(never)]
pub(super) fn found(read: &dyn Fn() -> Result<Found, LayerError>) -> Result<Found, LayerError> {
    match driver().simulation.of(Source::LocalStorage) {
        Some(Trouble::Off) => Err(LayerError::Failed),
        Some(Trouble::Corrupt) => read().map(spoil),
        _ => read(),
    }
}

/// Carries an effect out, as far as the layer's trouble lets it.
#[inline(never)]
pub(super) fn carry_out(effect: Effect<Content>) {
    let driver = driver();
    let Some((id, layer)) = asked(&effect) else { return driver.act(effect) };
    match driver.simulation.of(layer) {
        Some(Trouble::Off) => fail(driver, id, &effect, LayerError::Failed),
        Some(Trouble::Full) if matches!(effect, Effect::Write { .. }) => {
            fail(driver, id, &effect, LayerError::Full);
        }
        Some(Trouble::Slow(by)) => {
            schedule::spawn(async move {
                schedule::sleep(by).await;
                // What was given up meanwhile, as by a sign-out, is never carried out.
                if driver.read(|core| core.awaits(id)) {
                    driver.act(effect);
                }
            });
        }
        Some(Trouble::Corrupt) if matches!(effect, Effect::Read { .. }) => {
            driver.simulation.spoilt.borrow_mut().push(id);
            driver.act(effect);
        }
        _ => driver.act(effect),
    }
}

/// What comes of an effect, spoilt if it is to be.
#[inline(never)]
pub(super) fn answered(id: EffectId, answer: Answer<Content>) -> Answer<Content> {
    let mut ids = driver().simulation.spoilt.borrow_mut();
    let Some(at) = ids.iter().position(|other| *other == id) else { return answer };
    ids.swap_remove(at);
    match answer {
        Answer::Read(Ok(found)) => Answer::Read(Ok(found.into_iter().map(spoil).collect())),
        answer => answer,
    }
}

/// Which layer an effect asks.
fn asked(effect: &Effect<Content>) -> Option<(EffectId, Source)> {
    Some(match effect {
        Effect::Read { id, layer, .. }
        | Effect::Write { id, layer, .. }
        | Effect::Measure { id, layer } => (*id, *layer),
        Effect::ReadDocuments { id, .. } => (*id, Source::IndexedDb),
        Effect::Count { id } => (*id, Source::LocalStorage),
        Effect::Fetch { id, .. } | Effect::Listen { id, .. } => (*id, Source::Network),
        _ => return None,
    })
}

fn fail(driver: &Driver, id: EffectId, effect: &Effect<Content>, error: LayerError) {
    let refusal = Refusal::from(OriginError::Unreachable);
    let answer = match effect {
        Effect::Read { .. } => Answer::Read(Err(error)),
        Effect::ReadDocuments { .. } => Answer::Documents(Err(error)),
        Effect::Write { .. } => Answer::Written(Err(error)),
        Effect::Measure { .. } => Answer::Measured(Err(error)),
        Effect::Count { .. } => Answer::Counted(Err(error)),
        Effect::Listen { .. } => Answer::Hushed(refusal),
        _ => Answer::Fetched(Fetched {
            lineage: None,
            account: None,
            asked: None,
            event: None,
            outcome: Err(refusal),
        }),
    };
    driver.answer(id, answer);
}

/// The same, with bytes that no browser can paint.
fn spoil(mut found: Found) -> Found {
    if let Some(rendition) = &mut found.rendition {
        rendition.content = Content::Bytes(RasterType::Webp, [0; 64].into());
    }
    found
}
