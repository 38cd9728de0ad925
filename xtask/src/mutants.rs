//! `cargo xtask mutants`: changes the core and the wire types in thousands of small ways, and
//! counts the changes that a test notices.

use crate::{
    command::cargo,
    core_alone,
    setup::{self, Purpose},
    step,
};
use anyhow::{Result, ensure};
use std::{ffi::OsString, fs, path::Path, process::Command};

/// How thoroughly each change is looked at: histories of the simulation, and how much its code is
/// optimised, which takes longer than most tests.
const QUICKLY: (&str, &str) = ("60", "0");
/// What was not noticed so is looked at once more.
const THOROUGHLY: (&str, &str) = ("2000", "1");

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

/// What share of the changes is to be noticed, in percent.
const BAR: usize = 95;

/// Runs cargo-mutants over the core and the wire types; `words` are passed on (`-j 2`,
/// `--file 'src/cache/core/pause.rs'`). What nobody notices stands in `mutants.out/missed.txt` of
/// `target/core` at the end.
///
/// # Errors
///
/// If less than 95 % of the changes are noticed, or the tool cannot be installed.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let path = setup::prepare(Purpose::Mutants)?;
    let folder = core_alone::write()?;
    let mut quickly = mutants(&path, &folder, QUICKLY)?;
    quickly.args(SKIPPED.iter().flat_map(|(name, _)| ["--exclude-re", name])).args(words);
    // It fails where one is missed: that is judged below.
    let ended = step::shown("mutants, quickly", quickly.args(TESTS));
    let first = Tally::read(&folder);
    if first.all() == 0 {
        return ended;
    }
    let mut noticed = first.noticed;
    if !first.missed.is_empty() {
        let mut thoroughly = mutants(&path, &folder, THOROUGHLY)?;
        let jobs = words.windows(2).find(|pair| pair[0] == "-j");
        thoroughly.args(jobs.unwrap_or_default());
        thoroughly.args(first.missed.iter().flat_map(|name| ["--re".to_owned(), exactly(name)]));
        let ended = step::shown("mutants, thoroughly", thoroughly.args(TESTS));
        let second = Tally::read(&folder);
        if second.all() == 0 {
            return ended;
        }
        noticed += second.noticed;
    }
    judge(noticed, first.all())
}

fn judge(noticed: usize, all: usize) -> Result<()> {
    println!("{noticed} of {all} changes are noticed");
    ensure!(noticed * 100 >= all * BAR, "less than {BAR} % of the changes are noticed");
    Ok(())
}

/// What came of the changes that compile.
struct Tally {
    noticed: usize,
    missed: Vec<String>,
}

impl Tally {
    fn read(folder: &Path) -> Self {
        let lines = |name: &str| -> Vec<String> {
            let text = fs::read_to_string(folder.join("mutants.out").join(name));
            text.unwrap_or_default().lines().map(str::to_owned).collect()
        };
        let noticed = lines("caught.txt").len() + lines("timeout.txt").len();
        Self { noticed, missed: lines("missed.txt") }
    }

    fn all(&self) -> usize {
        self.noticed + self.missed.len()
    }
}

/// Nothing but the libraries has tests. One test that fails is enough: the others, above all the
/// simulation, are cut short.
const TESTS: [&str; 5] = ["--", "--lib", "--", "-Zunstable-options", "--fail-fast"];

fn mutants(path: &OsString, folder: &Path, (cases, optimised): (&str, &str)) -> Result<Command> {
    let mut command = cargo("mutants --workspace --test-workspace=true --timeout 20", path)?;
    command.current_dir(folder).env_remove("CARGO_TARGET_DIR").env("RUSTC_BOOTSTRAP", "1");
    // That a history fails is enough; the shortest that does is not looked for.
    command.env("PROPTEST_CASES", cases).env("PROPTEST_MAX_SHRINK_ITERS", "0");
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", optimised);
    // What is only there for tests is no mutant's home.
    for tests in
        ["src/cache/core/testing/**", "src/cache/core/simulation/**", "src/cache/core/tests/**"]
    {
        command.args(["--exclude", tests]);
    }
    command.arg("--no-shuffle");
    Ok(command)
}

/// A regular expression for this name alone. Escaped, `<` and `>` would be ends of words.
fn exactly(name: &str) -> String {
    let escaped = name.chars().map(|letter| match letter {
        letter if letter.is_alphanumeric() || " :/_<>".contains(letter) => letter.to_string(),
        letter => format!("\\{letter}"),
    });
    format!("^{}$", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nineteen_of_twenty_changes_are_to_be_noticed() {
        assert!(judge(19, 20).is_ok() && judge(95, 100).is_ok());
        assert!(judge(94, 100).is_err() && judge(18, 19).is_err());
    }

    #[test]
    fn what_came_of_the_changes_is_read_from_their_lists() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("mutants.out");
        fs::create_dir(&out).unwrap();
        for (name, text) in
            [("caught.txt", "a\nb\n"), ("timeout.txt", "c\n"), ("missed.txt", "d\n")]
        {
            fs::write(out.join(name), text).unwrap();
        }
        let tally = Tally::read(folder.path());
        assert_eq!((tally.noticed, tally.missed.len(), tally.all()), (3, 1, 4));
        assert_eq!(Tally::read(Path::new("nowhere")).all(), 0);
    }

    #[test]
    fn a_name_is_looked_for_as_it_stands() {
        let name = "src/a.rs:3:5: replace <impl A for B<C>>::is_so -> bool with (a && b)";
        let expected =
            r"^src/a\.rs:3:5: replace <impl A for B<C>>::is_so \-> bool with \(a \&\& b\)$";
        assert_eq!(exactly(name), expected);
    }
}
