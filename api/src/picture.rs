//! What is known of a user's picture, and how it is asked for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{IdError, ImageId, UserId};

/// Counts a user's changes of picture, removal included. A newer one always beats an older one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revision(pub u32);

/// The edge of a square rendition, in pixels. The closed set of sizes that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Size {
    /// 64 px: lists.
    S64,
    /// 128 px: lists on dense screens; the largest preview in LocalStorage.
    S128,
    /// 256 px: the profile modal.
    S256,
    /// 512 px: the profile modal on dense screens.
    S512,
}

/// A number that is no size of a rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a size is 64, 128, 256 or 512")]
pub struct SizeError;

impl Size {
    /// The largest size of which a browser keeps a preview for its first frame.
    pub const PREVIEW: Self = Self::S128;

    /// The most bytes of a preview: renditions up to [`Self::PREVIEW`] take no more, since a
    /// browser's LocalStorage holds two hundred of them.
    pub const PREVIEW_BYTES: usize = 6 * 1024;

    /// Every size, smallest first.
    pub const ALL: [Self; 4] = [Self::S64, Self::S128, Self::S256, Self::S512];

    /// The edge, in pixels.
    pub const fn px(self) -> u32 {
        match self {
            Self::S64 => 64,
            Self::S128 => 128,
            Self::S256 => 256,
            Self::S512 => 512,
        }
    }

    /// The smallest size with at least `px` pixels an edge, or the largest there is.
    pub fn covering(px: u32) -> Self {
        Self::ALL.into_iter().find(|size| size.px() >= px).unwrap_or(Self::S512)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Size {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let sizes = Self::ALL.map(|size| size.px());
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::Integer)
            .enum_values(Some(sizes))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Size {}

impl TryFrom<u32> for Size {
    type Error = SizeError;

    fn try_from(px: u32) -> Result<Self, SizeError> {
        Self::ALL.into_iter().find(|size| size.px() == px).ok_or(SizeError)
    }
}

impl From<Size> for u32 {
    fn from(size: Size) -> Self {
        size.px()
    }
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        text.parse::<u32>().map_err(|_| SizeError)?.try_into()
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.px().fmt(f)
    }
}

/// What is known of a user's picture. Only this can be stale; what it names cannot.
///
/// The time at which it was checked is not on the wire: it is that of the clock of whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Record {
    /// Whose picture.
    pub user_id: UserId,
    /// How often it has changed.
    pub revision: Revision,
    /// The image, or none if the user has no picture.
    pub image_id: Option<ImageId>,
    /// A [ThumbHash](https://evanw.github.io/thumbhash/) of the image, in base64; under 50 bytes.
    pub thumbhash: Option<Box<str>>,
}

/// Where a rendition can be fetched until some time. Never an identity, never a cache key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hint {
    /// Absolute, or absolute within this origin.
    pub url: String,
    /// How long the URL works at least, in seconds; none if for good.
    pub expires_in_s: Option<u64>,
    /// The media type of what the URL answers.
    pub content_type: String,
    /// The length of what the URL answers, in bytes.
    pub bytes: u64,
}

/// The answer of `GET /api/images/user/{user_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PictureAnswer {
    /// What is known of the picture.
    #[serde(flatten)]
    pub record: Record,
    /// Where to fetch it; none if the user has no picture.
    pub hint: Option<Hint>,
}

/// One user in `users=` of a batch: `ada:12` (revision 12 is held) or `grace` (nothing is).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchUser {
    /// Whose picture.
    pub user_id: UserId,
    /// The revision whose bytes the asker holds.
    pub held: Option<Revision>,
}

impl FromStr for BatchUser {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once(':') {
            None => Ok(Self { user_id: text.parse()?, held: None }),
            Some((user, revision)) => {
                let revision = revision.parse().map_err(|_| IdError::User)?;
                Ok(Self { user_id: user.parse()?, held: Some(Revision(revision)) })
            }
        }
    }
}

impl fmt::Display for BatchUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.held {
            None => self.user_id.fmt(f),
            Some(Revision(revision)) => write!(f, "{}:{revision}", self.user_id),
        }
    }
}

/// One user in the answer of a batch, in the order asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "BatchLine")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BatchEntry {
    /// There is such a user.
    Found {
        /// What is known of the picture.
        #[serde(flatten)]
        record: Record,
        /// Where to fetch it, if its bytes do not come with the answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<Box<Hint>>,
    },
    /// There is no such user.
    Missing {
        /// Who was asked for.
        user_id: UserId,
        /// Always `not_found`.
        error: NotFound,
    },
}

/// The word `not_found`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum NotFound {
    /// There is no such user.
    NotFound,
}

/// [`BatchEntry`] as it is read. Serde's own reading of untagged enums would do, and weigh several
/// kB in the frontend's bundle: it keeps a copy of whatever it may be reading.
#[derive(Deserialize)]
struct BatchLine {
    user_id: UserId,
    revision: Option<Revision>,
    image_id: Option<ImageId>,
    thumbhash: Option<Box<str>>,
    hint: Option<Box<Hint>>,
    error: Option<NotFound>,
}

impl TryFrom<BatchLine> for BatchEntry {
    type Error = &'static str;

    fn try_from(line: BatchLine) -> Result<Self, &'static str> {
        let BatchLine { user_id, revision, image_id, thumbhash, hint, error } = line;
        match (revision, error) {
            (Some(revision), None) => {
                let record = Record { user_id, revision, image_id, thumbhash };
                Ok(Self::Found { record, hint })
            }
            (None, Some(error)) => Ok(Self::Missing { user_id, error }),
            (Some(_), Some(_)) | (None, None) => Err("either a revision or an error"),
        }
    }
}

impl From<Record> for BatchEntry {
    fn from(record: Record) -> Self {
        Self::Found { record, hint: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_size_that_fits_is_chosen() {
        let cases = [
            (48, Size::S64),
            (64, Size::S64),
            (65, Size::S128),
            (96, Size::S128),
            (2000, Size::S512),
        ];
        for (px, expected) in cases {
            assert_eq!(Size::covering(px), expected, "{px}");
        }
    }

    #[test]
    fn a_size_is_one_of_four_numbers_of_pixels() {
        let sizes = [(64, Size::S64), (128, Size::S128), (256, Size::S256), (512, Size::S512)];
        for (px, size) in sizes {
            assert_eq!((size.px(), u32::from(size)), (px, px));
            assert_eq!(size.to_string(), px.to_string());
            assert_eq!(px.to_string().parse::<Size>().ok(), Some(size));
        }
        for text in ["0", "63", "65", "1024", "", "x", "-64"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_batch_user_reads_as_it_is_written() {
        for text in ["ada", "ada:12", "grace_h-1:0"] {
            assert_eq!(text.parse::<BatchUser>().unwrap().to_string(), text);
        }
        for text in ["", ":", "ada:", ":12", "ada:x", "ada:-1", "ada:1:2"] {
            assert!(text.parse::<BatchUser>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_batch_lists_the_unknown_beside_the_known() {
        let json = r#"[{"user_id":"ada","revision":3,"image_id":null,"thumbhash":null},{"user_id":"nobody","error":"not_found"}]"#;
        let entries: Vec<BatchEntry> = serde_json::from_str(json).unwrap();
        assert!(matches!(&entries[..], [BatchEntry::Found { .. }, BatchEntry::Missing { .. }]));
        assert_eq!(serde_json::to_string(&entries).unwrap(), json);
        assert!(serde_json::from_str::<BatchEntry>(r#"{"user_id":"ada"}"#).is_err());
    }
}
