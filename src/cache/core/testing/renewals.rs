//! What the edge does of a sync: it looks through IndexedDB and tells what ends soon.

use miniature_api::{BatchUser, Lineage};

use super::{Document, Durable, good};
use crate::cache::{clock::Timestamp, core::Event, what_if::layers::DurableRow};

impl Document {
    /// Has what ends soon renewed, as far as IndexedDB can be read.
    pub(in crate::cache::core) fn sync(&mut self, woken: bool) {
        let (account, lasting) = (self.own_account(), self.core.lasting());
        let lineage = self.core.lineage();
        let users = {
            let world = &mut *self.world.borrow_mut();
            let (_, durable) = world.layers(&account);
            durable.fault.check().map(|()| durable.ending(lasting, lineage)).unwrap_or_default()
        };
        self.tell(Event::Renew { users, woken });
    }
}

impl Durable {
    /// Whose rows were not checked in this time, those used last at the end.
    fn ending(
        &self,
        (since, until): (Timestamp, Timestamp),
        lineage: Option<Lineage>,
    ) -> Vec<BatchUser> {
        let ends = |(record, ..): &&DurableRow| !(since..=until).contains(&record.checked_at);
        let mut rows: Vec<&DurableRow> = self.records.values().filter(ends).collect();
        rows.sort_by_key(|(_, used_at, _)| *used_at);
        let ending = |(known, _, held): &DurableRow| {
            let is_held = known.record.image_id == *held && known.lineage == lineage;
            let held = is_held.then_some(known.record.revision);
            BatchUser { user_id: known.record.user_id.clone(), held }
        };
        rows.into_iter().map(ending).collect()
    }

    /// Whether all that is stored is what its key says, and decodes.
    pub(in crate::cache::core) fn is_sound(&self) -> bool {
        self.renditions.iter().all(|(key, (content, _))| *content == good(*key).content)
    }
}
