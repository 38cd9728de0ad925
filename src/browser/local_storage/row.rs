//! A user's line in LocalStorage.

use std::rc::Rc;

use miniature_api::{ImageId, Record, Size};
use serde::{Deserialize, Serialize};

use crate::{
    browser::json,
    cache::{
        clock::Timestamp,
        entry::{CheckedRecord, Content, Entry, Found, Rendition},
        key::RenditionKey,
    },
};

/// A record, its preview, and when it was last used.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row {
    record: Record,
    checked_at: Timestamp,
    pub(super) used_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    preview: Option<Preview>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Preview {
    image: ImageId,
    size: Size,
    /// A `data:` URL.
    url: String,
}

impl Row {
    /// The line for an entry. Without a rendition of its own, `held` stays if it shows the
    /// record's image.
    pub(super) fn new(entry: &Entry, held: Option<Preview>, now: Timestamp) -> Self {
        let CheckedRecord { record, checked_at } = entry.record.clone();
        let preview = entry
            .rendition
            .as_ref()
            .map(Preview::of)
            .or(held)
            .filter(|preview| Some(preview.image) == record.image_id);
        Self { record, checked_at, used_at: now, preview }
    }

    /// Reads a line of `user`'s; none if it is not whole.
    pub(super) fn parse(text: &str, user: &str) -> Option<Self> {
        let row: Self = json::read(text)?;
        let whole =
            row.preview.as_ref().is_none_or(|preview| preview.url.starts_with("data:image/"));
        (whole && row.record.user_id.as_str() == user).then_some(row)
    }

    pub(super) fn into_found(self) -> Found {
        let record = CheckedRecord { record: self.record, checked_at: self.checked_at };
        Found { record: Some(record), rendition: self.preview.map(Preview::into_rendition) }
    }

    pub(super) fn into_preview(self) -> Option<Preview> {
        self.preview
    }
}

impl Preview {
    fn of(rendition: &Rendition) -> Self {
        let RenditionKey { image, size } = rendition.key;
        Self { image, size, url: rendition.content.to_data_url().as_ref().to_owned() }
    }

    fn into_rendition(self) -> Rendition {
        Rendition {
            key: RenditionKey { image: self.image, size: self.size },
            content: Content::DataUrl(Rc::from(self.url)),
        }
    }
}
