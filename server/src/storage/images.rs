//! What is known of images without reading them.

use miniature_api::{ImageId, Size};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Database, people::decode, seconds};

/// What is known of an image without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageMetadata {
    /// The media type of every rendition.
    pub content_type: String,
    /// The edge of the square that renditions are made from, in pixels.
    pub edge: u32,
    /// The length of each rendition in bytes, in the order of [`Size::ALL`].
    pub bytes: [u32; Size::ALL.len()],
    /// A [ThumbHash](https://evanw.github.io/thumbhash/), in base64.
    pub thumbhash: String,
}

/// Says that an image was kept, and with it whether it has been removed since: it holds for one life
/// of the image's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim(pub(super) String);

#[derive(sqlx::FromRow)]
struct ImageRow {
    content_type: String,
    edge: i64,
    bytes_64: i64,
    bytes_128: i64,
    bytes_256: i64,
    bytes_512: i64,
    thumbhash: String,
}

impl ImageMetadata {
    /// How long a rendition is, in bytes.
    pub fn bytes_of(&self, size: Size) -> u32 {
        let [s64, s128, s256, s512] = self.bytes;
        match size {
            Size::S64 => s64,
            Size::S128 => s128,
            Size::S256 => s256,
            Size::S512 => s512,
        }
    }
}

impl Database {
    /// What was recorded of an image, or none.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn image(&self, image: ImageId) -> sqlx::Result<Option<ImageMetadata>> {
        let query = sqlx::query_as::<_, ImageRow>(
            "SELECT content_type, edge, bytes_64, bytes_128, bytes_256, bytes_512, thumbhash \
             FROM images WHERE image_id = $1",
        );
        let row = self.ask(async |c| query.bind(image.to_string()).fetch_optional(c).await).await?;
        row.map(ImageRow::metadata).transpose()
    }

    /// Records what is known of an image, in place of what was. If nobody comes to show it, it counts
    /// as unused since a time in seconds since 1970; 0 if it is not known whether somebody does.
    ///
    /// Returns what to show it with, or none while it is being removed.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn add_image(
        &self,
        image: ImageId,
        known: &ImageMetadata,
        unused_since: u64,
    ) -> sqlx::Result<Option<Claim>> {
        let mut query = sqlx::query_scalar(
            "INSERT INTO images (image_id, content_type, edge, thumbhash, bytes_64, bytes_128, \
             bytes_256, bytes_512, unused_since, life) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (image_id) DO UPDATE SET bytes_64 = $5, bytes_128 = $6, bytes_256 = $7, \
             bytes_512 = $8, unused_since = \
             CASE WHEN images.unused_since IS NULL THEN NULL ELSE $9 END \
             WHERE images.being_removed_since IS NULL RETURNING life",
        );
        query = query.bind(image.to_string()).bind(&known.content_type);
        query = query.bind(i64::from(known.edge)).bind(&known.thumbhash);
        for bytes in known.bytes {
            query = query.bind(i64::from(bytes));
        }
        let query = query.bind(seconds(unused_since)).bind(Uuid::now_v7().to_string());
        Ok(self.ask(async |c| query.fetch_optional(c).await).await?.map(Claim))
    }
}

impl ImageRow {
    fn metadata(self) -> sqlx::Result<ImageMetadata> {
        let number = |column| u32::try_from(column).map_err(decode);
        Ok(ImageMetadata {
            content_type: self.content_type,
            edge: number(self.edge)?,
            bytes: [
                number(self.bytes_64)?,
                number(self.bytes_128)?,
                number(self.bytes_256)?,
                number(self.bytes_512)?,
            ],
            thumbhash: self.thumbhash,
        })
    }
}
