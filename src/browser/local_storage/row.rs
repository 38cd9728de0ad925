//! What stands under a user's two keys.

use std::rc::Rc;

use miniature_api::{ImageId, Record, Revision, UserId};

use crate::cache::{
    clock::Timestamp,
    entry::{CheckedRecord, Content, Rendition},
    key::RenditionKey,
};

/// In the place of what there is none of.
const NONE: &str = "-";

/// A record, and when it was last used.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) known: CheckedRecord,
    pub(super) used_at: Timestamp,
}

impl Row {
    /// Reads the record of `user`; none if it is not whole.
    pub(super) fn parse(text: &str, user: &UserId) -> Option<Self> {
        let mut fields = text.splitn(6, ' ');
        let mut next = || fields.next();
        let revision = Revision(next()?.parse().ok()?);
        let image_id = optional(next()?)?;
        let lineage = optional(next()?)?;
        let checked_at = Timestamp(next()?.parse().ok()?);
        let used_at = Timestamp(next()?.parse().ok()?);
        let thumbhash = next().map(Into::into);
        let record = Record { user_id: user.clone(), revision, image_id, thumbhash };
        Some(Self { known: CheckedRecord { record, lineage, checked_at }, used_at })
    }

    pub(super) fn to_text(&self) -> String {
        let CheckedRecord { record, lineage, checked_at } = &self.known;
        let (Revision(revision), Timestamp(checked_at)) = (record.revision, checked_at);
        let Timestamp(used_at) = self.used_at;
        let (image, lineage) = (or_none(record.image_id), or_none(*lineage));
        let mut text = format!("{revision} {image} {lineage} {checked_at} {used_at}");
        if let Some(thumbhash) = &record.thumbhash {
            text.push(' ');
            text.push_str(thumbhash);
        }
        text
    }
}

fn or_none(field: Option<impl ToString>) -> String {
    field.map_or_else(|| NONE.to_owned(), |field| field.to_string())
}

/// None if the field can be read as neither.
fn optional<T: std::str::FromStr>(field: &str) -> Option<Option<T>> {
    if field == NONE { Some(None) } else { field.parse().ok().map(Some) }
}

/// The image of a preview; none if that is no preview.
pub(super) fn image_of(preview: &str) -> Option<ImageId> {
    preview.split_once(' ')?.0.parse().ok()
}

/// Reads a preview; none if it is not whole.
pub(super) fn parse_preview(text: &str) -> Option<Rendition> {
    let (image, rest) = text.split_once(' ')?;
    let (size, url) = rest.split_once(' ')?;
    let key = RenditionKey { image: image.parse().ok()?, size: size.parse().ok()? };
    url.starts_with("data:image/")
        .then(|| Rendition { key, content: Content::DataUrl(Rc::from(url)) })
}

pub(super) fn preview_text(rendition: &Rendition) -> String {
    let RenditionKey { image, size } = rendition.key;
    format!("{image} {size} {}", rendition.content.to_data_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(image: Option<u8>, lineage: Option<&str>, thumbhash: Option<&str>) -> Row {
        let record = Record {
            user_id: "ada".parse().unwrap(),
            revision: Revision(12),
            image_id: image.map(|number| ImageId::from_bytes([number; 16])),
            thumbhash: thumbhash.map(Into::into),
        };
        let lineage = lineage.map(|lineage| lineage.parse().unwrap());
        let known = CheckedRecord { record, lineage, checked_at: Timestamp(1) };
        Row { known, used_at: Timestamp(2) }
    }

    #[test]
    fn a_row_reads_as_it_is_written() {
        let lineage = Some("1767225600000-0123456789abcdef");
        let cases = [
            ("whole", row(Some(7), lineage, Some("1QcSHQRnh493V4dIh4eXh1h4kJUI"))),
            ("without a picture", row(None, lineage, None)),
            ("without a lineage", row(Some(7), None, Some("a"))),
            ("a thumbhash with spaces", row(Some(7), None, Some(" a b "))),
            ("an empty thumbhash", row(Some(7), None, Some(""))),
        ];
        for (name, row) in cases {
            let text = row.to_text();
            assert!(text.len() <= 150, "{name}: {text}");
            let read = Row::parse(&text, &row.known.record.user_id).unwrap();
            assert_eq!((read.known, read.used_at), (row.known, row.used_at), "{name}");
        }
    }

    #[test]
    fn what_is_not_whole_is_no_row() {
        let whole = row(Some(7), None, None).to_text();
        let cases = [
            ("nothing", String::new()),
            ("cut off", whole[..whole.len() - 2].to_owned()),
            ("JSON", r#"{"revision": 1, "image": 2, "a": 3, "b": 4 }"#.to_owned()),
            ("another image", whole.replace("07", "0x")),
            ("a time before 1970", whole.replace(" 1 ", " -1 ")),
        ];
        for (name, text) in cases {
            assert!(Row::parse(&text, &"ada".parse().unwrap()).is_none(), "{name}: {text}");
        }
    }
}
