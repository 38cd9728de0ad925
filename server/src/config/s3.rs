//! An S3-compatible store, named as a whole or not at all.

use clap::{
    Args,
    builder::{NonEmptyStringValueParser, TypedValueParser},
};

use super::{ConfigError, HttpUrl, Secret};

/// An S3-compatible store: all of it, or nothing.
#[derive(Clone, Debug, Default, Args)]
pub struct S3Args {
    /// Where the S3-compatible store answers; buckets are in the path.
    #[arg(long, env = "MINIATURE_S3_ENDPOINT", hide_env_values = true)]
    pub s3_endpoint: Option<HttpUrl>,

    /// The bucket for pictures.
    #[arg(long, env = "MINIATURE_S3_BUCKET", value_parser = NonEmptyStringValueParser::new())]
    pub s3_bucket: Option<String>,

    /// The region that signatures name.
    #[arg(
        long,
        env = "MINIATURE_S3_REGION",
        default_value = "us-east-1",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub s3_region: String,

    /// Names the key to sign with.
    #[arg(
        long,
        env = "MINIATURE_S3_ACCESS_KEY",
        hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub s3_access_key: Option<String>,

    /// The key to sign with.
    #[arg(
        long,
        env = "MINIATURE_S3_SECRET_KEY",
        hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new().map(Secret)
    )]
    pub s3_secret_key: Option<Secret>,
}

/// An S3-compatible store.
#[derive(Clone, Debug)]
pub struct S3 {
    /// Where it answers; buckets are in the path.
    pub endpoint: HttpUrl,
    /// The bucket for pictures.
    pub bucket: String,
    /// The region that signatures name.
    pub region: String,
    /// Names the key.
    pub access_key: String,
    /// The key.
    pub secret_key: Secret,
}

impl S3Args {
    /// The store that is named, or none.
    ///
    /// # Errors
    ///
    /// [`ConfigError::S3Missing`] if it is named in part.
    pub fn store(&self) -> Result<Option<S3>, ConfigError> {
        let given = [
            ("MINIATURE_S3_ENDPOINT", self.s3_endpoint.is_some()),
            ("MINIATURE_S3_BUCKET", self.s3_bucket.is_some()),
            ("MINIATURE_S3_ACCESS_KEY", self.s3_access_key.is_some()),
            ("MINIATURE_S3_SECRET_KEY", self.s3_secret_key.is_some()),
        ];
        let (Some(endpoint), Some(bucket), Some(access_key), Some(secret_key)) = (
            self.s3_endpoint.clone(),
            self.s3_bucket.clone(),
            self.s3_access_key.clone(),
            self.s3_secret_key.clone(),
        ) else {
            let missing = given.iter().find(|(_, there)| !there).map(|(name, _)| *name);
            let any = given.iter().any(|(_, there)| *there);
            return missing
                .filter(|_| any)
                .map_or(Ok(None), |name| Err(ConfigError::S3Missing(name)));
        };
        let region = self.s3_region.clone();
        Ok(Some(S3 { endpoint, bucket, region, access_key, secret_key }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_as_a_whole_or_not_at_all() {
        let mut args = S3Args::default();
        assert!(args.store().unwrap().is_none());
        args.s3_bucket = Some("pictures".to_owned());
        assert_eq!(args.store().unwrap_err(), ConfigError::S3Missing("MINIATURE_S3_ENDPOINT"));
        args.s3_endpoint = Some("http://127.0.0.1:9000".parse().unwrap());
        args.s3_access_key = Some("key".to_owned());
        assert_eq!(args.store().unwrap_err(), ConfigError::S3Missing("MINIATURE_S3_SECRET_KEY"));
        args.s3_secret_key = Some(Secret("secret".to_owned()));
        assert_eq!(args.store().unwrap().unwrap().bucket, "pictures");
    }
}
