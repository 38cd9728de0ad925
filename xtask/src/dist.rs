//! `cargo xtask dist`: the release build, compressed once instead of at every request.

use crate::{
    command::{cargo, program, root},
    previous_build::{PreviousBuild, kept_files},
    setup::{self, Purpose},
    step::{self, Stopwatch, readable},
    worker,
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

/// The most that the program may weigh on the wire, brotli, in bytes: all `.wasm` and `.js` that a first
/// frame waits for, what comes later, the service worker, the dashboard's panel and what that calls.
const BARS: [(&str, u64); 5] = [
    ("first load", 200_000),
    ("later", 122_000),
    ("worker", 4_000),
    ("dashboard", 120_000),
    ("monitor", 112_000),
];
/// The most that the script may weigh that draws the page before the program starts, likewise. The minifier
/// chooses names by chance: 30 bytes more or fewer.
const BOOT_BAR: u64 = 3_000;
/// Names that script, within the page.
const BOOT: &str = "miniatureFirstScreen";
/// How the names of files begin that no first frame waits for (see [`crate::split`]).
const LATER: &str = "miniature-later-";
/// The same of the dashboard's panel, and of what `window.cacheMonitor` does, which nobody waits for who does not
/// ask for it.
const LAB: &str = "miniature-lab";
pub(crate) const MONITOR: &str = "miniature-monitor-";
/// Makes WebAssembly small by means that stable Rust does not offer yet: std is compiled for this
/// program, without the texts and the formatting of panics and `{:?}`, a tenth of the whole. A panic
/// says `unreachable` and no more. Names tell all types, and each function has its own: they say which
/// part of the program it belongs to; wasm-opt merges what is the same in a part. The linker says which function
/// refers to which constant. The toolchain is
/// pinned, so these mean the same until it is raised.
const SMALL: [(&str, &str); 4] = [
    ("RUSTC_BOOTSTRAP", "1"),
    ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort"),
    ("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size"),
    (
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
        "-Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=none -Zlocation-detail=none \
         -Csymbol-mangling-version=v0 -Zmerge-functions=disabled -Clink-arg=--emit-relocs",
    ),
];
/// What gains by compression. Pictures do not.
const COMPRESSIBLE: [&str; 7] = ["html", "css", "js", "wasm", "svg", "webmanifest", "txt"];

/// Whether the release server is built too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// For a deployment.
    Build,
    /// Journeys run against the development build of the server.
    Skip,
}

/// One file of `dist/` and its weights in bytes.
#[derive(Clone, Debug)]
struct Asset {
    path: PathBuf,
    raw: u64,
    brotli: u64,
    gzip: u64,
}

impl Asset {
    /// What does not gain by compression is sent as it is.
    fn weigh(path: PathBuf) -> Result<Self> {
        let raw = fs::metadata(&path)?.len();
        let sent = |suffix| fs::metadata(beside(&path, suffix)).map_or(raw, |file| file.len());
        let (brotli, gzip) = (sent("br"), sent("gz"));
        Ok(Self { path, raw, brotli, gzip })
    }
}

/// Builds `dist/`, compresses it, and holds it against the bar.
///
/// # Errors
///
/// If something does not build, or the program weighs more than it may.
pub(crate) fn dist(server: Server) -> Result<()> {
    let path = setup::prepare(Purpose::Dist)?;
    build_frontend(&path)?;
    let weight = weigh();
    if server == Server::Build {
        step::quiet("build the server", &mut cargo("build --release -p miniature-server", &path)?)?;
    }
    weight
}

/// Builds and compresses the frontend alone.
///
/// # Errors
///
/// If it does not build, or its page holds code that the server's policy refuses, or that is not minified.
pub(crate) fn build_frontend(path: &OsString) -> Result<()> {
    let folder = folder()?;
    let previous = PreviousBuild::read(&folder)?;
    step::quiet("build the frontend", trunk(path)?.args(["build", "--release"]))?;
    previous.keep_in(&folder)?;
    refuse_inline_code(&fs::read_to_string(folder.join("index.html"))?)?;
    worker::fill_in(&folder)?;
    let watch = Stopwatch::start();
    compress_all(&folder)?;
    println!("compress: done in {}", readable(watch.elapsed()));
    Ok(())
}

fn trunk(path: &OsString) -> Result<Command> {
    let mut trunk = program("trunk", path)?;
    // These would take the place of the flags for one target.
    trunk.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").envs(SMALL);
    Ok(trunk)
}

fn folder() -> Result<PathBuf> {
    Ok(root()?.join("dist"))
}

/// The page may hold no code but the loader of `Trunk.toml`, which the server names in its
/// Content-Security-Policy by hash.
fn refuse_inline_code(html: &str) -> Result<()> {
    let scripts = html.split("<script").skip(1);
    let inline = scripts.filter(|script| !opening_tag(script).contains("src="));
    let mut foreign = inline.map(code).filter(|code| !code.contains("miniature"));
    // A script may set the property of an element.
    let mut styles = html.match_indices("style=").filter(|(at, _)| !html[..*at].ends_with('.'));
    if foreign.next().is_some() || html.contains("<style") || styles.next().is_some() {
        bail!("dist/index.html holds inline code or style, which the server's policy refuses");
    }
    let mut lines = html.lines();
    // It says nothing where it meets syntax that it does not know.
    ensure!(
        !lines.any(|line| line.trim_start().starts_with("//")),
        "dist/index.html holds a comment: trunk's minifier gave up at a script"
    );
    Ok(())
}

fn opening_tag(script: &str) -> &str {
    script.split('>').next().unwrap_or_default()
}

fn code(script: &str) -> &str {
    script.split("</script").next().unwrap_or_default()
}

/// Compresses every file that gains by it, a thread each.
fn compress_all(folder: &Path) -> Result<()> {
    let files = compressible(folder)?;
    thread::scope(|scope| {
        let threads: Vec<_> = files.iter().map(|file| scope.spawn(|| compress(file))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| panicked()))
    })
}

fn panicked() -> Result<()> {
    bail!("a compressor panicked")
}

fn compressible(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files(folder)?;
    files.retain(|path| COMPRESSIBLE.iter().any(|kind| has_extension(path, kind)));
    Ok(files)
}

/// Every file in a folder and the folders in it, sorted.
///
/// # Errors
///
/// If a folder cannot be read.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(files(&path)?);
        } else {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn has_extension(path: &Path, kind: &str) -> bool {
    path.extension().is_some_and(|extension| extension == kind)
}

fn compress(path: &Path) -> Result<()> {
    let raw = fs::read(path)?;
    for (suffix, bytes) in [("br", brotli(&raw)?), ("gz", gzip(&raw)?)] {
        // A server sends what is there, so what would not gain must not be there.
        if bytes.len() < raw.len() {
            let beside = beside(path, suffix);
            fs::write(&beside, bytes)
                .with_context(|| format!("cannot write {}", beside.display()))?;
        }
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}", path.display()))
}

fn brotli(raw: &[u8]) -> Result<Vec<u8>> {
    let parameters =
        brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*raw, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(raw: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(raw)?;
    Ok(encoder.finish()?)
}

/// Prints what each file of this build weighs, and holds the program against the bar.
///
/// # Errors
///
/// If the program weighs more than it may.
pub(crate) fn weigh() -> Result<()> {
    let folder = folder()?;
    let kept: Vec<_> = kept_files(&folder)?.into_iter().map(|path| folder.join(path)).collect();
    let own = compressible(&folder)?.into_iter().filter(|path| !kept.contains(path));
    let assets: Vec<Asset> = own.map(Asset::weigh).collect::<Result<_>>()?;
    println!("\n{:<44} {:>9} {:>9} {:>9}", "bytes", "raw", "brotli", "gzip");
    for asset in &assets {
        let name = asset.path.strip_prefix(&folder).unwrap_or(&asset.path).display().to_string();
        println!("{name:<44} {:>9} {:>9} {:>9}", asset.raw, asset.brotli, asset.gzip);
    }
    let boot = weight_of_boot(&fs::read_to_string(folder.join("index.html"))?)?;
    println!("{:<44} {:>9} {boot:>9} of {BOOT_BAR}", "boot.js, in the page", "");
    hold_against_bars(&assets)?;
    ensure!(boot <= BOOT_BAR, "boot.js: {boot} bytes with brotli, {} over", boot - BOOT_BAR);
    Ok(())
}

fn weight_of_boot(html: &str) -> Result<u64> {
    let boot = html.split("<script").skip(1).map(code).find(|code| code.contains(BOOT));
    let (_, boot) = boot.and_then(|boot| boot.split_once('>')).context("no boot.js in the page")?;
    Ok(brotli(boot.as_bytes())?.len().try_into()?)
}

fn hold_against_bars(assets: &[Asset]) -> Result<()> {
    let is_program = |asset: &&Asset| ["js", "wasm"].iter().any(|k| has_extension(&asset.path, k));
    let mut over = Vec::new();
    for (name, bar) in BARS {
        let of_part = |asset: &&Asset| is_program(asset) && part(&asset.path) == name;
        let sum: u64 = assets.iter().filter(of_part).map(|asset| asset.brotli).sum();
        println!("{:<44} {:>9} {sum:>9} of {bar}", format!("wasm + js, {name}"), "");
        if sum > bar {
            over.push(format!("{name}: {sum} bytes with brotli, {} over the bar", sum - bar));
        }
    }
    println!();
    if over.is_empty() { Ok(()) } else { bail!("wasm and js weigh too much: {}", over.join("; ")) }
}

/// The part of the program that a file belongs to, as [`BARS`] names it.
fn part(path: &Path) -> &'static str {
    match path.file_name().unwrap_or_default().to_string_lossy() {
        name if name.starts_with(LATER) => "later",
        name if name == worker::SCRIPT => "worker",
        name if name.starts_with(MONITOR) => "monitor",
        name if name.starts_with(LAB) => "dashboard",
        _ => "first load",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let text = "portrait ".repeat(200);
        fs::write(folder.path().join("app.js"), &text).unwrap();
        fs::write(folder.path().join("icon.png"), &text).unwrap();

        compress_all(folder.path()).unwrap();

        assert!(!folder.path().join("icon.png.br").exists(), "a picture is left alone");
        let gzip = fs::File::open(folder.path().join("app.js.gz")).unwrap();
        let back = std::io::read_to_string(flate2::read::GzDecoder::new(gzip)).unwrap();
        assert_eq!(back, text);
        let mut back = Vec::new();
        let mut file = fs::File::open(folder.path().join("app.js.br")).unwrap();
        brotli::BrotliDecompress(&mut file, &mut back).unwrap();
        assert_eq!(back, text.as_bytes());
    }

    #[test]
    fn inline_code_is_refused() {
        let cases = [
            // html, accepted
            ("<script src=/boot.js></script><script>fetch('/miniature.wasm')</script>", true),
            ("<script>alert(1)</script>", false),
            ("<p style=\"color: red\">", false),
            ("<script>miniature(); p.style=`--at: 1`</script>", true),
            ("<style>p {}</style>", false),
            ("<script>\n  // Starts.\n  miniature()</script>", false),
        ];
        for (html, accepted) in cases {
            assert_eq!(refuse_inline_code(html).is_ok(), accepted, "{html}");
        }
    }

    #[test]
    fn boot_is_found_in_the_page() {
        let page = format!("<script>start()</script><script type=a>{BOOT}</script>");
        assert_eq!(weight_of_boot(&page).unwrap(), brotli(BOOT.as_bytes()).unwrap().len() as u64);
        assert!(weight_of_boot("<script>start()</script>").is_err());
    }

    #[test]
    fn a_program_over_a_bar_fails() {
        let asset = |path: &str, bytes| Asset { path: path.into(), raw: 0, brotli: bytes, gzip: 0 };
        let [(_, first), (_, later), (_, worker), (_, dashboard), (_, monitor)] = BARS;
        let within = || {
            vec![
                asset("dist/a.wasm", first),
                asset("dist/miniature-later-1.wasm", later),
                asset("dist/sw.js", worker),
                asset("dist/miniature-lab_bg.wasm", dashboard),
                asset("dist/miniature-monitor-1.wasm", monitor),
            ]
        };

        assert!(hold_against_bars(&within()).is_ok());
        for more in
            ["dist/b.js", "dist/miniature-later-2.wasm", "dist/x/sw.js", "dist/miniature-lab.js"]
        {
            let assets = [within(), vec![asset(more, 1)]].concat();
            assert!(hold_against_bars(&assets).is_err(), "{more}");
        }
        assert!(hold_against_bars(&[asset("dist/a.css", first + 1)]).is_ok(), "not of the program");
    }
}
