//! Reading: all of a batch in one transaction.

use miniature_api::{BatchUser, ImageId, Lineage, Size};
use wasm_bindgen::JsValue;
use web_sys::{IdbKeyRange, IdbObjectStore, IdbTransaction};

use super::{
    Done, PAGES, RECORDS, RENDITIONS,
    ledger::Ledger,
    place::{self, Place},
    request,
    row::{self, Rank, RecordRow},
};
use crate::{
    browser::join,
    cache::{
        clock::Timestamp,
        document::{Document, DocumentKey},
        entry::{Found, Rendition},
        key::{Lookup, RenditionKey},
    },
};

/// What was found, and what cannot be read.
pub(super) type Read<T> = (T, Vec<Place>);

/// Looks all of them up, in the order asked.
pub(super) async fn find_all(
    transaction: &IdbTransaction,
    lookups: &[Lookup],
) -> Done<Vec<Read<Found>>> {
    let shelf = Shelf {
        records: transaction.object_store(RECORDS)?,
        renditions: transaction.object_store(RENDITIONS)?,
    };
    // A rendition is asked for as soon as its record is there, whatever the others do.
    let found = lookups.iter().map(|lookup| shelf.find(lookup));
    join::all(found).await.into_iter().collect()
}

/// Reads documents, in the order asked.
pub(super) async fn documents(
    transaction: &IdbTransaction,
    keys: &[DocumentKey],
) -> Done<Vec<Read<Option<Document>>>> {
    let pages = transaction.object_store(PAGES)?;
    let read = keys.iter().map(async |key| {
        let place = Place::Page(key.clone());
        let row = request::result(pages.get(&place.name().into())).await?;
        let document = row::read_page(&row, key);
        let is_corrupt = document.is_none() && !row.is_undefined();
        Ok((document, is_corrupt.then_some(place).into_iter().collect()))
    });
    join::all(read).await.into_iter().collect()
}

/// Whose rows were not checked in this time, each with the revision whose picture is held; `most` of those
/// used last, at the end.
pub(super) async fn ending(
    transaction: &IdbTransaction,
    (since, until): (Timestamp, Timestamp),
    lineage: Option<Lineage>,
    most: usize,
) -> Done<Vec<BatchUser>> {
    let rows = request::result(transaction.object_store(RECORDS)?.get_all()).await?;
    let (mut uses, mut users) = (Vec::new(), Vec::new());
    for row in js_sys::Array::from(&rows).iter() {
        let Some(RecordRow { known, held, used_at }) = RecordRow::of_anybody(&row) else {
            continue;
        };
        if since <= known.checked_at && known.checked_at <= until {
            continue;
        }
        let is_held = known.record.image_id == held && known.lineage == lineage;
        let held = is_held.then_some(known.record.revision);
        let at = uses.partition_point(|other| *other <= used_at);
        uses.insert(at, used_at);
        users.insert(at, BatchUser { user_id: known.record.user_id, held });
        if users.len() > most {
            uses.remove(0);
            users.remove(0);
        }
    }
    Ok(users)
}

/// Removes what still cannot be read.
pub(super) async fn scrub(transaction: &IdbTransaction, places: &[Place]) -> Done<()> {
    let mut ledger = Ledger::open(transaction).await?;
    for place in places {
        let (store, name) = (transaction.object_store(place.store())?, place.name());
        let row = request::result(store.get(&name.as_str().into())).await?;
        if row.is_undefined() || place.is_readable(&row) {
            continue;
        }
        match place {
            Place::Record(_) => ledger.remove(Rank::Record, &name).await?,
            Place::Rendition(_) => ledger.remove(Rank::Rendition, &name).await?,
            Place::Page(_) => store.delete(&name.into()).map(drop)?,
        }
    }
    ledger.close()
}

struct Shelf {
    records: IdbObjectStore,
    renditions: IdbObjectStore,
}

impl Shelf {
    async fn find(&self, lookup: &Lookup) -> Done<Read<Found>> {
        let user = &lookup.wanted.user;
        let mut corrupt = Vec::new();
        let row = request::result(self.records.get(&user.as_str().into())).await?;
        let record = RecordRow::read(&row, user);
        if record.is_none() && !row.is_undefined() {
            corrupt.push(Place::Record(user.clone()));
        }
        let mut found = Found::default();
        for image in images(lookup, record.as_ref()) {
            found.rendition = self.best(image, lookup.wanted.size, &mut corrupt).await?;
            if found.rendition.is_some() {
                break;
            }
        }
        if let Some(RecordRow { known, used_at, held: _ }) = record {
            found.record = Some(known);
            found.used_at = used_at;
        }
        Ok((found, corrupt))
    }

    /// The rendition of the size asked for, or else the next larger, or else the largest.
    async fn best(
        &self,
        image: ImageId,
        size: Size,
        corrupt: &mut Vec<Place>,
    ) -> Done<Option<Rendition>> {
        let exact = self.rendition(RenditionKey { image, size }, corrupt).await?;
        if exact.is_some() {
            return Ok(exact);
        }
        let [from, to] = place::bounds_of(image).map(JsValue::from);
        let names = self.renditions.get_all_keys_with_key(&IdbKeyRange::bound(&from, &to)?.into());
        let names = js_sys::Array::from(&request::result(names).await?);
        let mut sizes: Vec<Size> = names.iter().filter_map(|name| place::size_of(&name)).collect();
        sizes.retain(|held| *held != size);
        // The larger ones, smallest first; then the smaller ones, largest first.
        sizes.sort_by_key(|held| if *held > size { (0, held.px()) } else { (1, 512 - held.px()) });
        for size in sizes {
            let other = self.rendition(RenditionKey { image, size }, corrupt).await?;
            if other.is_some() {
                return Ok(other);
            }
        }
        Ok(None)
    }

    async fn rendition(
        &self,
        key: RenditionKey,
        corrupt: &mut Vec<Place>,
    ) -> Done<Option<Rendition>> {
        let place = Place::Rendition(key);
        let row = request::result(self.renditions.get(&place.name().into())).await?;
        let rendition = row::read_rendition(&row, key);
        if rendition.is_none() && !row.is_undefined() {
            corrupt.push(place);
        }
        Ok(rendition)
    }
}

/// The images of which a rendition will do, the best first.
fn images(lookup: &Lookup, record: Option<&RecordRow>) -> Vec<ImageId> {
    let own = record.and_then(|row| row.known.record.image_id);
    // A picture that was removed has no older one to stand in for it.
    let older = record.filter(|_| own.is_some()).and_then(|row| row.held);
    let mut images: Vec<ImageId> = [lookup.image, own, older].into_iter().flatten().collect();
    images.dedup();
    images
}
