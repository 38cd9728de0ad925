//! How the server runs: flags, or the environment.
//!
//! **Invariant:** a value that cannot be used stops the start with one line that names it; and no
//! secret is shown by `Debug`.

mod origin;
mod s3;
mod secret;

use std::{fmt, net::SocketAddr, num::NonZeroU32, path::PathBuf, str::FromStr};

use clap::{Args, Parser, Subcommand, ValueEnum, builder::BoolishValueParser};
use thiserror::Error;
use url::Url;

pub use self::{
    origin::{AllowedOrigin, OriginError},
    s3::{S3, S3Args},
    secret::Secret,
};

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
    /// Ask a server that runs whether it answers, as containers do.
    Healthy(HealthyArgs),
    /// Which history of the database revisions belong to.
    #[command(subcommand)]
    Lineage(LineageCommand),
}

/// What can be done with the lineage.
#[derive(Debug, Subcommand)]
pub enum LineageCommand {
    /// Begin a new lineage: once a backup has been restored, before a server starts on it.
    Renew(Box<Storage>),
}

/// What to ask.
#[derive(Clone, Debug, Args)]
pub struct HealthyArgs {
    /// Where it is to answer 200.
    #[arg(long, default_value = "http://127.0.0.1:8787/healthz")]
    pub url: HttpUrl,
}

/// A URL that can be asked over HTTP. It may hold a password: `Debug` shows its origin alone.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUrl(Url);

impl HttpUrl {
    /// The URL, with whatever it holds.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl FromStr for HttpUrl {
    type Err = HttpUrlError;

    /// `localhost:8000` is a URL too, of the scheme `localhost`.
    fn from_str(text: &str) -> Result<Self, HttpUrlError> {
        let url = text.parse::<Url>().ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        url.map(HttpUrl).ok_or(HttpUrlError)
    }
}

/// A text is no URL that can be asked over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it begins with http:// or https://")]
pub struct HttpUrlError;

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

    /// Whether the frontend has a service worker. `false` ends it in every browser that comes back.
    #[arg(
        long,
        env = "MINIATURE_SERVICE_WORKER",
        default_value = "true",
        action = clap::ArgAction::Set,
        value_parser = BoolishValueParser::new()
    )]
    pub service_worker: bool,

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

    /// How many posts one user may write, a minute.
    #[arg(long, env = "MINIATURE_POSTS_PER_USER", default_value = "20")]
    pub posts_per_user: NonZeroU32,

    /// How many users one user may name in reads, a second: each in a batch counts, and a profile or a
    /// picture as one. After a pause, 2 000 at once.
    #[arg(long, env = "MINIATURE_NAMES_PER_USER", default_value = "500")]
    pub names_per_user: NonZeroU32,

    /// How often one user may change their name or headline, a minute. Each time all of their posts
    /// are rewritten.
    #[arg(long, env = "MINIATURE_PROFILE_CHANGES_PER_USER", default_value = "20")]
    pub profile_changes_per_user: NonZeroU32,

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

impl Config {
    /// Whether cookies travel by HTTPS only.
    pub fn secure_cookies(&self) -> bool {
        self.secure_cookies.unwrap_or(!self.listen.ip().is_loopback())
    }
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
        (self.delivery == Delivery::Presigned)
            .then(|| endpoint.as_url().origin().ascii_serialization())
    }
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

/// Another service that knows who people are.
#[derive(Clone, Debug, Default, Args)]
pub struct Users {
    /// A service that knows names and headlines, asked with `POST` (see docs/operating.md).
    #[arg(long, env = "MINIATURE_USERS_URL", hide_env_values = true)]
    pub users_url: Option<HttpUrl>,

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

    /// How many friends `crowd` has, who signs in as `ada` does: to try a long list.
    #[arg(long, default_value_t = 0)]
    pub crowd: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn every_command_that_the_documents_name_is_one() {
        use clap::CommandFactory;
        let documents =
            [include_str!("../../../README.md"), include_str!("../../../docs/operating.md")];
        let named = documents.iter().flat_map(|text| text.lines()).filter_map(|line| {
            let (_, words) = line
                .split_once("miniature-server -- ")
                .or_else(|| line.split_once("release/miniature-server "))
                .or_else(|| line.split_once("`miniature-server "))?;
            Some(words.split('`').next().unwrap().trim())
        });
        let named = named.filter(|words| !words.starts_with("--")).collect::<Vec<_>>();
        assert!(named.len() >= 3, "{named:?}");
        for words in named {
            let words = std::iter::once("miniature-server").chain(words.split(' '));
            if let Err(error) = Cli::command().try_get_matches_from(words) {
                panic!("{error}");
            }
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
