//! Changes: all of them or none.

use std::collections::{BTreeMap, BTreeSet};

use miniature_api::{ImageId, UserId};

use super::{
    BELIEVE_FROM, LINEAGE, LIVE, LocalStorageShelf, PREVIEW, RECORD, get, page_name, remove,
    row::{Row, image_of, parse_preview, preview_text},
    set,
    start::{note_text, time_text},
};
use crate::{
    browser::json,
    cache::{
        clock::Timestamp,
        core::{Op, Written},
        document::Document,
        entry::{CheckedRecord, Content, Rendition},
        key::RenditionKey,
        layer::LayerError,
    },
};

impl LocalStorageShelf {
    /// Carries the changes out in their order, all or none; `now` becomes the last use of all that
    /// they keep. Of documents only the first pages of lists are kept here.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent, [`LayerError::Unavailable`] if the browser
    /// denies this storage; nothing is changed.
    #[inline(never)]
    pub fn apply(&self, ops: &[Op<Content>], now: Timestamp) -> Result<Written, LayerError> {
        let mut writer = Writer {
            shelf: self,
            now,
            before: BTreeMap::new(),
            users: BTreeSet::new(),
            standing: Vec::new(),
        };
        let written = ops.iter().try_for_each(|op| writer.carry_out(op));
        match written.and_then(|()| writer.report()) {
            Ok(written) => Ok(written),
            Err(error) => {
                writer.restore();
                Err(error)
            }
        }
    }
}

/// What one call changes.
struct Writer<'a> {
    shelf: &'a LocalStorageShelf,
    now: Timestamp,
    /// What stood under each key that was changed.
    before: BTreeMap<String, Option<String>>,
    /// Whose rows were named.
    users: BTreeSet<UserId>,
    standing: Vec<CheckedRecord>,
}

impl Writer<'_> {
    fn carry_out(&mut self, op: &Op<Content>) -> Result<(), LayerError> {
        match op {
            Op::Record { record, insert } => self.record(record, *insert),
            Op::Rendition { user, rendition } => self.rendition(user, rendition),
            Op::Touch { user, rendition: _ } => self.touch(user),
            Op::Expire(user) => self.update(user, |row| row.known.checked_at = Timestamp(0)),
            Op::RemoveUser(user) => self.remove_user(user),
            Op::RemoveRendition { user, key } => self.remove_rendition(user, *key),
            Op::RemoveImage { user, image } => self.remove_image(user, *image),
            Op::Document(document) => self.document(document),
            Op::RemoveDocument(key) => page_name(key).map_or(Ok(()), |name| self.remove(name)),
            Op::BelieveFrom(time) => self.set(self.shelf.key(BELIEVE_FROM), &time_text(*time)),
            Op::Lineage(lineage) => self.set(self.shelf.key(LINEAGE), &lineage.to_string()),
            Op::Live(note) => self.set(self.shelf.key(LIVE), &note_text(note)),
        }
    }

    fn record(&mut self, record: &CheckedRecord, insert: bool) -> Result<(), LayerError> {
        let user = &record.record.user_id;
        match self.row(user)? {
            Some(held) if !record.supersedes(&held.known, self.now) => {
                self.standing.push(held.known);
                return Ok(());
            }
            None if !insert => return Ok(()),
            Some(_) | None => {}
        }
        self.put(&Row { known: record.clone(), used_at: self.now })?;
        if record.record.image_id.is_none() { self.remove_key(PREVIEW, user) } else { Ok(()) }
    }

    fn rendition(&mut self, user: &UserId, rendition: &Rendition) -> Result<(), LayerError> {
        let row = self.row(user)?;
        let held = row.as_ref().map(|row| row.known.record.image_id);
        let image = rendition.image();
        let is_overtaken = match held {
            // The picture was removed.
            Some(None) => true,
            Some(Some(newer)) => newer != image && self.preview(user)? == Some(newer),
            None => false,
        };
        if is_overtaken {
            return Ok(());
        }
        self.set(self.shelf.user_key(PREVIEW, user), &preview_text(rendition))?;
        self.touch(user)
    }

    fn touch(&mut self, user: &UserId) -> Result<(), LayerError> {
        let now = self.now;
        self.update(user, |row| row.used_at = now)
    }

    /// Changes the row of a user, if there is one.
    fn update(&mut self, user: &UserId, change: impl FnOnce(&mut Row)) -> Result<(), LayerError> {
        let Some(mut row) = self.row(user)? else { return Ok(()) };
        change(&mut row);
        self.put(&row)
    }

    fn remove_user(&mut self, user: &UserId) -> Result<(), LayerError> {
        self.remove_key(RECORD, user)?;
        self.remove_key(PREVIEW, user)
    }

    fn remove_rendition(&mut self, user: &UserId, key: RenditionKey) -> Result<(), LayerError> {
        self.users.insert(user.clone());
        let text = get(&self.shelf.storage, &self.shelf.user_key(PREVIEW, user))?;
        let held = text.and_then(|text| parse_preview(&text));
        if held.is_some_and(|held| held.key == key) {
            self.remove_key(PREVIEW, user)
        } else {
            Ok(())
        }
    }

    fn remove_image(&mut self, user: &UserId, image: ImageId) -> Result<(), LayerError> {
        self.users.insert(user.clone());
        if self.preview(user)? == Some(image) { self.remove_key(PREVIEW, user) } else { Ok(()) }
    }

    fn document(&mut self, document: &Document) -> Result<(), LayerError> {
        let Some(name) = page_name(&document.key) else {
            return Ok(());
        };
        let key = self.shelf.key(name);
        let held = get(&self.shelf.storage, &key)?.and_then(|text| json::read::<Document>(&text));
        if held.is_some_and(|held| !document.supersedes(&held, self.now)) {
            return Ok(());
        }
        let text = json::write(document).ok_or(LayerError::Failed)?;
        self.set(key, &text)
    }

    /// The row of a user, who is named in the report. One that cannot be read is none.
    fn row(&mut self, user: &UserId) -> Result<Option<Row>, LayerError> {
        self.users.insert(user.clone());
        let text = get(&self.shelf.storage, &self.shelf.user_key(RECORD, user))?;
        Ok(text.and_then(|text| Row::parse(&text, user)))
    }

    /// The image of a user's preview.
    fn preview(&self, user: &UserId) -> Result<Option<ImageId>, LayerError> {
        let text = get(&self.shelf.storage, &self.shelf.user_key(PREVIEW, user))?;
        Ok(text.and_then(|text| image_of(&text)))
    }

    fn put(&mut self, row: &Row) -> Result<(), LayerError> {
        let key = self.shelf.user_key(RECORD, &row.known.record.user_id);
        self.set(key, &row.to_text())
    }

    fn remove_key(&mut self, kind: &str, user: &UserId) -> Result<(), LayerError> {
        self.users.insert(user.clone());
        self.remove(&format!("{kind}:{user}"))
    }

    fn set(&mut self, key: String, value: &str) -> Result<(), LayerError> {
        self.note(&key)?;
        set(&self.shelf.storage, &key, value)
    }

    fn remove(&mut self, name: &str) -> Result<(), LayerError> {
        let key = self.shelf.key(name);
        self.note(&key)?;
        remove(&self.shelf.storage, &key)
    }

    fn note(&mut self, key: &str) -> Result<(), LayerError> {
        if !self.before.contains_key(key) {
            let old = get(&self.shelf.storage, key)?;
            self.before.insert(key.to_owned(), old);
        }
        Ok(())
    }

    fn report(&mut self) -> Result<Written, LayerError> {
        let users = std::mem::take(&mut self.users);
        let lines = users.into_iter().map(|user| self.shelf.line(user));
        let lines = lines.collect::<Result<_, _>>()?;
        Ok(Written { standing: std::mem::take(&mut self.standing), lines, ..Written::default() })
    }

    /// What was held fits again once all that replaced it is gone.
    fn restore(&self) {
        let storage = &self.shelf.storage;
        for key in self.before.keys() {
            let _ = remove(storage, key);
        }
        for (key, old) in &self.before {
            if let Some(old) = old {
                let _ = set(storage, key, old);
            }
        }
    }
}
