//! Signed URLs: whoever holds one can fetch one object for some time, and nothing else.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use rusty_s3::{Bucket, BucketError, Credentials, S3Action, UrlStyle, actions::GetObject};

use crate::{config::S3, limits::Limits, storage::FileName};

/// Signs for one bucket.
#[derive(Clone)]
pub struct Signer {
    bucket: Bucket,
    credentials: Credentials,
    window: Duration,
    lifetime: Duration,
}

impl Signer {
    /// Signs for this bucket.
    ///
    /// # Errors
    ///
    /// If what names the bucket is no URL of HTTP.
    pub fn new(s3: &S3, limits: &Limits) -> Result<Self, BucketError> {
        let (name, region) = (s3.bucket.clone(), s3.region.clone());
        let bucket = Bucket::new(s3.endpoint.as_url().clone(), UrlStyle::Path, name, region)?;
        let credentials = Credentials::new(&s3.access_key, &s3.secret_key.0);
        let (window, lifetime) = (limits.hint_window, limits.hint_signed_for);
        Ok(Self { bucket, credentials, window, lifetime })
    }

    /// The start of the window that contains `now`, in seconds since 1970.
    ///
    /// URLs signed for one object at this time are byte for byte the same, whoever signs. Such a URL
    /// has more than `lifetime - window` left, whenever in the window it is handed out.
    pub(super) fn window_start(&self, now: u64) -> u64 {
        now - now % self.window.as_secs().max(1)
    }

    /// How many seconds a URL signed at a time works at least, from now on until the window is over;
    /// times are in seconds since 1970.
    pub(super) fn left(&self, signed_at: u64, now: u64) -> u64 {
        let window = self.window.as_secs().max(1);
        let end_of_window = now.saturating_add(1).next_multiple_of(window);
        signed_at.saturating_add(self.lifetime.as_secs()).saturating_sub(end_of_window)
    }

    /// The URL of an object, signed at a time in seconds since 1970; none for a time that is no date.
    ///
    /// # Source
    ///
    /// AWS Signature Version 4, query-string authentication.
    pub(super) fn sign(&self, name: FileName, signed_at: u64) -> Option<String> {
        let time = Timestamp::from_second(i64::try_from(signed_at).ok()?).ok()?;
        let key = name.key();
        let get = GetObject::new(&self.bucket, Some(&self.credentials), &key);
        Some(get.sign_with_time(self.lifetime, &time).into())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}
