//! The command `miniature-server`.

use std::{
    env::{self, VarError},
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{Parser, error::ErrorKind};
use mimalloc::MiMalloc;
use miniature_server::{
    Collection,
    config::{Cli, Command, DemoArgs, LineageCommand, LogFormat, Storage},
    demo, healthy,
    limits::Limits,
    lineage, panics, serve,
};
use tracing_subscriber::EnvFilter;

/// Gives back what decoding a picture or hashing a password took. glibc's keeps that for each thread
/// that ever did so: 800 MB after a thousand changes.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What was asked for cannot be done with these values.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let log_format = match &cli.command {
        Command::Serve(config) => config.log_format,
        Command::Demo(_) | Command::Healthy(_) | Command::Lineage(_) => LogFormat::Text,
    };
    if let Err(reason) = log_to_stderr(log_format) {
        return refuse(&reason);
    }
    panics::log();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error.to_string()),
    }
}

#[tokio::main]
async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(config) => Ok(serve(*config, stop_signal()?).await?),
        Command::Demo(arguments) => create_demo(*arguments).await,
        Command::Healthy(arguments) => Ok(healthy(arguments.url.as_url().clone()).await?),
        Command::Lineage(LineageCommand::Renew(storage)) => renew_lineage(&storage).await,
    }
}

async fn create_demo(arguments: DemoArgs) -> anyhow::Result<()> {
    let collection = Collection::open(&arguments.storage, &Limits::default()).await?;
    demo::create(&collection).await?;
    if let Some(folder) = arguments.pictures {
        demo::give_photographs(&collection, &folder).await?;
    }
    demo::create_crowd(&collection, arguments.crowd).await?;
    collection.database.close().await;
    Ok(())
}

async fn renew_lineage(storage: &Storage) -> anyhow::Result<()> {
    let (before, renewed) = lineage::renew(storage).await?;
    writeln!(io::stdout(), "lineage was {before}\nlineage is  {renewed}")?;
    Ok(())
}

/// Resolves when told to stop, by Ctrl-C or by the system.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// As much as `RUST_LOG` says.
fn log_to_stderr(format: LogFormat) -> Result<(), String> {
    let wanted = match env::var(EnvFilter::DEFAULT_ENV) {
        Err(VarError::NotPresent) => "info".to_owned(),
        wanted => wanted.map_err(|error| format!("RUST_LOG cannot be used: {error}"))?,
    };
    let filter = EnvFilter::try_new(wanted);
    let filter = filter.map_err(|error| format!("RUST_LOG cannot be used: {error}"))?;
    // Colours are for terminals: in a file they are noise, and they take half the time of a line.
    let log = tracing_subscriber::fmt().with_ansi(io::stderr().is_terminal());
    let log = log.with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// Help goes out whole; a mistake in one line.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return error.print().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let message = error.to_string();
    let mistake = message.split("\n\n").next().unwrap_or_default(); // then come usage and advice
    let line = mistake.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    refuse(line.trim_start_matches("error: "))
}

fn refuse(reason: &str) -> ExitCode {
    let written = writeln!(io::stderr(), "miniature-server: {reason}");
    written.map_or(ExitCode::FAILURE, |()| ExitCode::from(UNUSABLE))
}
