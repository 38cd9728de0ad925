//! How the server runs: flags, or the environment.
//!
//! **Invariant:** a value that cannot be used stops the start with one line that names it; and no
//! secret is shown by `Debug`.

use std::{fmt, net::SocketAddr, num::NonZeroU32, path::PathBuf, str::FromStr};

use axum::http::HeaderValue;
use clap::{Args, Parser, Subcommand, ValueEnum, builder::BoolishValueParser};
use thiserror::Error;
use url::{Origin, Url};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "miniature-server", version, about = "The API of Miniature")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the server can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API until told to stop.
    Serve(Box<Config>),
    /// Create the demo people and their pictures, where they are not there yet.
    Demo(Box<DemoArgs>),
}

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    #[arg(long, env = "MINIATURE_LISTEN", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,

    /// Where to serve metrics; nowhere if not given. Keep it private.
    #[arg(long, env = "MINIATURE_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,

    /// Where people and pictures are kept.
    #[command(flatten)]
    pub storage: Storage,

    /// The folder of the built frontend, to serve it too.
    #[arg(long, env = "MINIATURE_DIST")]
    pub dist: Option<PathBuf>,

    /// Create the demo people when there are none yet.
    #[arg(long, env = "MINIATURE_DEMO", value_parser = BoolishValueParser::new())]
    pub demo: bool,

    /// How often one name may try to sign in from one address, a minute.
    #[arg(long, env = "MINIATURE_SIGN_INS_PER_NAME", default_value = "10")]
    pub sign_ins_per_name: NonZeroU32,

    /// How often one address may try to sign in, whatever the name, a minute.
    #[arg(long, env = "MINIATURE_SIGN_INS_PER_ADDRESS", default_value = "60")]
    pub sign_ins_per_address: NonZeroU32,

    /// How often one user may change their picture, a minute.
    #[arg(long, env = "MINIATURE_PICTURE_CHANGES_PER_USER", default_value = "30")]
    pub picture_changes_per_user: NonZeroU32,

    /// Pages of these other origins may use the API too: `https://app.example`, by commas.
    #[arg(long, env = "MINIATURE_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<AllowedOrigin>,

    /// How many proxies stand before this server, each adding to `X-Forwarded-For`.
    #[arg(long, env = "MINIATURE_TRUSTED_PROXIES", default_value = "0")]
    pub trusted_proxies: u8,

    /// Whether cookies travel by HTTPS only. Default: unless this listens on loopback.
    #[arg(long, env = "MINIATURE_SECURE_COOKIES", value_parser = BoolishValueParser::new())]
    pub secure_cookies: Option<bool>,

    /// How long it goes on answering once told to stop, in seconds, so that proxies can turn away.
    #[arg(long, env = "MINIATURE_DRAIN_S", default_value = "1")]
    pub drain_s: u8,

    /// How the log is written, to standard error.
    #[arg(long, env = "MINIATURE_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// Where people and pictures are kept.
#[derive(Clone, Debug, Args)]
pub struct Storage {
    /// The folder of the database and the images.
    #[arg(long, env = "MINIATURE_DATA", default_value = "data")]
    pub data: PathBuf,

    /// A PostgreSQL database, `postgres://...`; none: SQLite in the folder.
    #[arg(long, env = "MINIATURE_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Secret>,

    /// Redis, `redis://...`, as a cache that instances share; for a cluster some of its nodes, by
    /// commas.
    #[arg(long, env = "MINIATURE_REDIS_URL", hide_env_values = true, value_delimiter = ',')]
    pub redis_url: Vec<Secret>,

    /// An S3-compatible store for pictures; none: files in the folder.
    #[command(flatten)]
    pub s3: S3Args,

    /// How pictures travel: through this server, or from the S3 store by signed URLs.
    #[arg(long, env = "MINIATURE_DELIVERY", default_value = "proxy")]
    pub delivery: Delivery,

    /// Another service that knows who people are; none: the database does.
    #[command(flatten)]
    pub users: Users,
}

impl Storage {
    /// The origin from which browsers fetch pictures, unless it is ours.
    pub fn pictures_origin(&self) -> Option<String> {
        let endpoint = self.s3.s3_endpoint.as_ref()?;
        (self.delivery == Delivery::Presigned).then(|| endpoint.origin().ascii_serialization())
    }
}

/// An S3-compatible store: all of it, or nothing.
#[derive(Clone, Debug, Default, Args)]
pub struct S3Args {
    /// Where the S3-compatible store answers; buckets are in the path.
    #[arg(long, env = "MINIATURE_S3_ENDPOINT")]
    pub s3_endpoint: Option<Url>,

    /// The bucket for pictures.
    #[arg(long, env = "MINIATURE_S3_BUCKET")]
    pub s3_bucket: Option<String>,

    /// The region that signatures name.
    #[arg(long, env = "MINIATURE_S3_REGION", default_value = "us-east-1")]
    pub s3_region: String,

    /// Names the key to sign with.
    #[arg(long, env = "MINIATURE_S3_ACCESS_KEY")]
    pub s3_access_key: Option<String>,

    /// The key to sign with.
    #[arg(long, env = "MINIATURE_S3_SECRET_KEY", hide_env_values = true)]
    pub s3_secret_key: Option<Secret>,
}

/// An S3-compatible store.
#[derive(Clone, Debug)]
pub struct S3 {
    /// Where it answers; buckets are in the path.
    pub endpoint: Url,
    /// The bucket for pictures.
    pub bucket: String,
    /// The region that signatures name.
    pub region: String,
    /// Names the key.
    pub access_key: String,
    /// The key.
    pub secret_key: Secret,
}

/// Values that cannot be used together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// An S3 store is named in part.
    #[error("{0} is missing; an S3 store needs an endpoint, a bucket and both keys")]
    S3Missing(&'static str),
    /// A secret setting is no URL.
    #[error("{0} is no URL")]
    NoUrl(&'static str),
    /// Signed URLs, and nobody to honour them.
    #[error("MINIATURE_DELIVERY=presigned needs an S3 store, named by MINIATURE_S3_ENDPOINT")]
    NothingToSignFor,
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

/// Another service that knows who people are.
#[derive(Clone, Debug, Default, Args)]
pub struct Users {
    /// A service that knows names and headlines, asked with `POST` (see docs/operating.md).
    #[arg(long, env = "MINIATURE_USERS_URL")]
    pub users_url: Option<Url>,

    /// What proves to that service that it is us: sent as `Authorization: Bearer`.
    #[arg(long, env = "MINIATURE_USERS_TOKEN", hide_env_values = true, requires = "users_url")]
    pub users_token: Option<Secret>,
}

/// How pictures travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Delivery {
    /// Through this server, with a session.
    #[default]
    Proxy,
    /// From the S3 store, by URLs that are signed for an hour.
    Presigned,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// What must not be shown: not by `Debug`, not in a complaint about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl Secret {
    /// As a URL.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoUrl`] with the name of the setting, not with what it holds.
    pub fn url(&self, name: &'static str) -> Result<Url, ConfigError> {
        self.0.parse().map_err(|_| ConfigError::NoUrl(name))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// An origin whose pages may use the API: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin(HeaderValue);

/// A text names no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an origin is a scheme, a host and perhaps a port, as https://app.example")]
pub struct OriginError;

impl AllowedOrigin {
    /// As browsers send it.
    pub fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for AllowedOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = text.parse::<Url>().map_err(|_| OriginError)?;
        let origin = url.origin();
        let says_no_more = matches!(origin, Origin::Tuple(..)) && url.path() == "/";
        if !says_no_more || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError);
        }
        let origin = HeaderValue::try_from(origin.ascii_serialization());
        origin.map(Self).map_err(|_| OriginError)
    }
}

/// How to create the demo people.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Where people and pictures are kept.
    #[command(flatten)]
    pub storage: Storage,

    /// A folder of photographs for ada's friends: in the order of their file names, to her friends
    /// in the order of her list.
    #[arg(long)]
    pub pictures: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_no_more_than_that() {
        let cases = [
            ("https://app.example", Some("https://app.example")),
            ("https://app.example/", Some("https://app.example")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("https://app.example/page", None),
            ("https://app.example/?a", None),
            ("app.example", None),
            ("file:///etc", None),
            ("*", None),
        ];
        for (text, expected) in cases {
            let origin = text.parse::<AllowedOrigin>().ok();
            let origin = origin.as_ref().map(|origin| origin.as_header().to_str().unwrap());
            assert_eq!(origin, expected, "{text}");
        }
    }

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

    #[test]
    fn browsers_fetch_pictures_from_the_store_only_by_signed_urls() {
        let cases = [
            ("proxy", "http://127.0.0.1:9000", None),
            ("presigned", "https://s3.example/prefix/", Some("https://s3.example")),
            ("presigned", "http://127.0.0.1:9000", Some("http://127.0.0.1:9000")),
        ];
        for (delivery, endpoint, expected) in cases {
            let words = ["server", "serve", "--delivery", delivery, "--s3-endpoint", endpoint];
            let Command::Serve(config) = Cli::parse_from(words).command else { panic!("serve") };
            assert_eq!(config.storage.pictures_origin().as_deref(), expected, "{endpoint}");
        }
    }

    #[test]
    fn the_command_line_is_sound_and_shows_no_secret() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let secret = Secret("hunter2".to_owned());
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
