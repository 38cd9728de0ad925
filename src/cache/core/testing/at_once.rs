//! What the world answers within the call.

use miniature_api::UserId;

use super::{Blob, Document};
use crate::cache::{
    core::{Answer, Effect, EffectId},
    key::Source,
};

impl Document {
    /// The answer to an effect that does not wait.
    pub(super) fn answer_at_once(
        &self,
        effect: &Effect<Blob>,
        own: &UserId,
    ) -> Option<(EffectId, Answer<Blob>)> {
        let world = &mut *self.world.borrow_mut();
        Some(match effect {
            Effect::Write { id, layer: Source::LocalStorage, ops, now, .. } => {
                (*id, Answer::Written(world.layers(own).0.apply(ops, *now)))
            }
            Effect::Count { id } => (*id, Answer::Counted(world.layers(own).0.count())),
            Effect::Erase { id, account, layer: Source::LocalStorage } => {
                (*id, Answer::Erased(world.layers(account).0.clear()))
            }
            Effect::Erase { id, account, layer: Source::ServiceWorker } => {
                (*id, Answer::Erased(world.pictures(account).clear()))
            }
            _ => return None,
        })
    }

    /// How often a layer of an account was deleted.
    pub(super) fn deletions(&self, account: &UserId, layer: Source) -> usize {
        let world = &mut *self.world.borrow_mut();
        match layer {
            Source::ServiceWorker => world.pictures(account).deletions,
            _ => world.layers(account).1.deletions,
        }
    }
}
