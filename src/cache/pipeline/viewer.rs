//! Someone who looks at a picture.

use std::rc::Rc;

use super::{Environment, Pipeline};
use crate::cache::{
    clock::Clock,
    key::{RenditionKey, Source, Wanted},
    memory::View,
};

/// Someone who looks at a picture. What is on screen is never given up; dropping the viewer
/// cancels the load if nobody else waits for it.
#[derive(Debug)]
pub struct Viewer<E: Environment> {
    pipeline: Rc<Pipeline<E>>,
    wanted: Wanted,
    opened: Option<(RenditionKey, Source)>,
}

impl<E: Environment> Viewer<E> {
    pub(super) fn new(
        pipeline: Rc<Pipeline<E>>,
        wanted: Wanted,
        opened: Option<(RenditionKey, Source)>,
    ) -> Self {
        Self { pipeline, wanted, opened }
    }

    /// What is looked at.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// What is to be shown now. The source is the layer that gave it to this viewer: what was in
    /// memory when it looked came from memory, wherever memory once had it from.
    pub fn view(&self) -> View {
        let mut view = self.pipeline.view(&self.wanted);
        if let (Some(shown), Some((key, source))) = (&mut view.shown, self.opened)
            && shown.rendition.key == key
        {
            shown.source = source;
        }
        view
    }
}

impl<E: Environment> Drop for Viewer<E> {
    fn drop(&mut self) {
        let now = self.pipeline.env.clock().now();
        let mut state = self.pipeline.state.borrow_mut();
        state.memory.leave(&self.wanted.user, now);
        state.inflight.leave(&self.wanted);
        if state.memory.len() > self.pipeline.policy.memory.entries {
            state.memory.trim(self.pipeline.policy.memory);
        }
    }
}
