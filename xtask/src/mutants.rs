//! `cargo xtask mutants`: changes the core and the wire types in thousands of small ways, and
//! counts the changes that a test notices.

use crate::{
    command::cargo,
    core_alone,
    setup::{self, Purpose},
    step,
};
use anyhow::Result;

/// Histories that the simulation tries for each change.
const HISTORIES: &str = "800";

/// Changes that change nothing that anybody could notice, by a regular expression over their names,
/// and why. At most 3 % of all.
const SKIPPED: &[(&str, &str)] = &[
    (
        r"replace (<|>) with (<=|>=) in (Person<B>::is_fresh|Doc::next|Clocks::gap|Core<B>::look_again)",
        "what ends at this very moment may count as over or not",
    ),
    (
        r"replace > with >= in Core<B>::begin_session",
        "the time that is written is the one that is there",
    ),
    (r"replace < with <= in Core<B>::see_lineage", "the lineage that is known is noted again"),
    (r"replace \| with \^ in <impl FromStr for ImageId>", "two halves of a byte share no bit"),
    (r"PartialSchema for Size", "the server's tests read the description, with that feature on"),
];

/// Runs cargo-mutants over the core and the wire types; `words` are passed on (`--shard 1/20`,
/// `--file 'src/cache/core/pause.rs'`).
///
/// # Errors
///
/// If a change is noticed by nobody, or the tool cannot be installed.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let path = setup::prepare(Purpose::Mutants)?;
    let folder = core_alone::write()?;
    let mut command = cargo("mutants --workspace --test-workspace=true --timeout 60", &path)?;
    command.current_dir(&folder).env_remove("CARGO_TARGET_DIR");
    // That a history fails is enough; the shortest that does is not looked for.
    command.env("PROPTEST_CASES", HISTORIES).env("PROPTEST_MAX_SHRINK_ITERS", "0");
    // What is only there for tests is no mutant's home.
    for tests in
        ["src/cache/core/testing/**", "src/cache/core/simulation/**", "src/cache/core/tests/**"]
    {
        command.args(["--exclude", tests]);
    }
    for (name, _) in SKIPPED {
        command.args(["--exclude-re", name]);
    }
    command.arg("--no-shuffle").args(words);
    // One test that fails is enough: the others, above all the simulation, are cut short.
    command.env("RUSTC_BOOTSTRAP", "1").args(["--", "--", "-Zunstable-options", "--fail-fast"]);
    step::shown("mutants", &mut command)
}
