//! A photograph of 12 megapixels, uploaded.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use miniature_api::Size;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    people::{photograph, vips},
    process::Server,
    report::{Row, median},
};

/// How often it is uploaded.
const ROUNDS: u8 = 5;

/// How much memory an upload may take above what an idle server holds, in MiB.
const MEMORY_MIB: u64 = 150;

/// Uploads it to the server, in turn with `vipsthumbnail` to as many sizes.
///
/// # Errors
///
/// If vips or the server fails.
pub async fn measure(server: &Server) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let photograph = twelve_megapixels(&folder)?;
    let idle = server.process.memory("VmRSS")?;
    server.process.forget_peak()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        ours.push(milliseconds(upload(server, &photograph, round).await?));
        theirs.push(milliseconds(thumbnails(&photograph)?));
    }
    let above = server.process.memory("VmHWM")?.saturating_sub(idle) >> 20;
    let (ours, theirs) = (median(ours), median(theirs));
    Ok(vec![
        Row::held(
            "upload of 12 megapixels, four sizes: memory",
            format!("{above} MiB above idle ({} MiB)", idle >> 20),
            format!("under {MEMORY_MIB} MiB"),
            above < MEMORY_MIB,
        ),
        Row::shown(
            format!("the same: time; median of {ROUNDS}"),
            format!("{ours:.0} ms"),
            format!("beside `vipsthumbnail`, four times: {theirs:.0} ms"),
        ),
    ])
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// A photograph of 512 px, 48 times side by side: as much detail as a camera's.
fn twelve_megapixels(folder: &TempDir) -> Result<std::path::PathBuf> {
    let (tiles, file) = (folder.path().join("tiles.v"), folder.path().join("photograph.jpg"));
    vips(&["replicate"], &[&photograph("astronaut.jpg"), &tiles], &["8", "6"])?;
    vips(&["jpegsave"], &[&tiles, &file], &["--Q", "90"])?;
    Ok(file)
}

/// Uploads it, with a byte after its end that makes it another.
async fn upload(server: &Server, photograph: &Path, round: u8) -> Result<Duration> {
    let mut body = std::fs::read(photograph)?;
    body.push(round);
    let request = server.client.put(format!("{}/api/users/me/picture", server.url)).body(body);
    let since = Instant::now();
    let answer = request.header("content-type", "image/jpeg").send().await?;
    ensure!(answer.status().is_success(), "the upload was answered {}", answer.status());
    answer.bytes().await?;
    Ok(since.elapsed())
}

/// Makes the same sizes, in the same format and quality.
fn thumbnails(photograph: &Path) -> Result<Duration> {
    let since = Instant::now();
    for size in Size::ALL {
        let square = format!("{0}x{0}", size.px());
        let mut command = Command::new("vipsthumbnail");
        command.args(["--size", &square, "--smartcrop", "centre", "--output"]);
        command.arg(format!("%s-{size}.webp[Q=85,strip]")).arg(photograph);
        let output = command.output().context("cannot start vipsthumbnail")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(since.elapsed())
}
