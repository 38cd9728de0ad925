//! How the server runs: flags, or the environment.
//!
//! Every lifetime and limit of the server is here or in [`Limits`]. Nothing else may hold one.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, builder::BoolishValueParser};

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
    Serve(Config),
    /// Create the demo people and their pictures, where they are not there yet.
    Demo(DemoArgs),
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

    /// The folder of the database and the images.
    #[arg(long, env = "MINIATURE_DATA", default_value = "data")]
    pub data: PathBuf,

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
}

/// How to create the demo people.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// The folder of the database and the images.
    #[arg(long, env = "MINIATURE_DATA", default_value = "data")]
    pub data: PathBuf,

    /// A folder of photographs for ada's friends: in the order of their file names, to her friends
    /// in the order of her list.
    #[arg(long)]
    pub pictures: Option<PathBuf>,
}

/// Every lifetime and limit that is not for the operator to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many profiles are kept in memory. Default: 1 000, about half a megabyte.
    pub profiles: u64,

    /// For how long a profile is answered from memory. Default: 5 minutes.
    pub profile_fresh_for: Duration,

    /// For how long "no such user" is answered from memory. Default: 10 seconds.
    ///
    /// Long enough to blunt a scan of names, short enough that a new user is found at once.
    pub missing_fresh_for: Duration,

    /// How many bytes of renditions are kept in memory. Default: 64 MiB.
    ///
    /// About 4 000 pictures of 15 kB, well over what one instance shows in an hour.
    pub rendition_memory_bytes: u64,

    /// For how long a rendition that nobody asks for stays in memory. Default: 1 hour.
    pub rendition_kept_for: Duration,

    /// How many bytes of renditions are kept as files. Default: 1 GiB; the least recently used go.
    pub rendition_file_bytes: u64,

    /// For how long one stays signed in. Default: 30 days.
    pub session_lasts: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            profiles: 1_000,
            profile_fresh_for: Duration::from_secs(5 * 60),
            missing_fresh_for: Duration::from_secs(10),
            rendition_memory_bytes: 64 << 20,
            rendition_kept_for: Duration::from_secs(60 * 60),
            rendition_file_bytes: 1 << 30,
            session_lasts: Duration::from_secs(30 * 24 * 60 * 60),
        }
    }
}
