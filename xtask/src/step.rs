//! One step that the developer waits for: its name, its progress, how long it took.

use crate::command::describe;
use anyhow::{Context, Result, anyhow, bail};
use std::{
    io::{self, BufRead, BufReader, IsTerminal, PipeReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

const REDRAW: Duration = Duration::from_millis(500);
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// Wide enough to be useful, narrow enough not to wrap.
const TAIL_COLUMNS: usize = 60;

/// How long something has taken so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "tells a person how long a step took")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn readable(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f32()),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Runs a command whose output matters only if it fails, and then shows it whole.
///
/// # Errors
///
/// If the command cannot be started, or ends with anything but success.
pub(crate) fn quiet(name: &str, command: &mut Command) -> Result<()> {
    let watch = Stopwatch::start();
    let (child, output) = spawn_piped(command)?;
    let mut progress = Progress::new(name, watch);
    let lines = progress.follow(&output);
    finish(name, child, watch).inspect_err(|_| {
        eprintln!("{}", lines.join("\n"));
    })
}

/// Runs a command and passes its output through.
///
/// # Errors
///
/// If the command cannot be started, or ends with anything but success.
pub(crate) fn shown(name: &str, command: &mut Command) -> Result<()> {
    let watch = Stopwatch::start();
    println!("{name} ...");
    let child = command.spawn().with_context(|| format!("cannot start {}", describe(command)))?;
    finish(name, child, watch)
}

/// Runs tests and passes their output through; the error repeats what it says of those that failed.
///
/// # Errors
///
/// If the command cannot be started, or ends with anything but success.
pub(crate) fn tests(name: &str, command: &mut Command) -> Result<()> {
    let watch = Stopwatch::start();
    println!("{name} ...");
    let (child, failures) = read_tests(command, |line| println!("{line}"))?;
    finish(name, child, watch).map_err(|error| anyhow!("{error}{}", failures.repeated))
}

/// The same for several commands at once. What each writes to its standard output is printed when it has ended.
///
/// # Errors
///
/// If any of them cannot be started, or ends with anything but success.
pub(crate) fn tests_beside(name: &str, commands: Vec<Command>) -> Result<()> {
    let watch = Stopwatch::start();
    println!("{name} ...");
    let run = |mut command: Command| {
        let mut output = String::new();
        let read = read_tests(&mut command, |line| {
            output.push_str(line);
            output.push('\n');
        });
        let ended = read.and_then(|(child, failures)| {
            let name = describe(&command);
            finish(&name, child, watch).map_err(|error| anyhow!("{error}{}", failures.repeated))
        });
        println!("{output}");
        ended.err()
    };
    let errors: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> =
            commands.into_iter().map(|command| scope.spawn(|| run(command))).collect();
        let ended = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Some(anyhow!("{name}: a thread ended early")))
        });
        ended.flatten().map(|error| format!("{error:#}")).collect()
    });
    if errors.is_empty() { Ok(()) } else { bail!("{}", errors.join("\n")) }
}

/// Hands over each line that tests print, until they print no more.
fn read_tests(command: &mut Command, mut tell: impl FnMut(&str)) -> Result<(Child, Failures)> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", describe(command)))?;
    let mut failures = Failures::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            tell(&line);
            failures.read(&line);
        }
    }
    Ok((child, failures))
}

/// Reads what tests print, and keeps the lines about those that failed.
#[derive(Debug, Default)]
struct Failures {
    repeated: String,
    /// Whether the line before named one: what is indented below it says why.
    explained: bool,
}

impl Failures {
    fn read(&mut self, line: &str) {
        self.explained =
            line.contains("FAIL") || (self.explained && line.starts_with(char::is_whitespace));
        if self.explained {
            self.repeated.push('\n');
            self.repeated.push_str(line);
        }
    }
}

fn finish(name: &str, mut child: Child, watch: Stopwatch) -> Result<()> {
    let status = child.wait()?;
    if !status.success() {
        bail!("{name} failed after {} ({status})", readable(watch.elapsed()));
    }
    println!("{name}: done in {}", readable(watch.elapsed()));
    Ok(())
}

/// Starts the command with both its outputs in one channel, in the order written.
fn spawn_piped(command: &mut Command) -> Result<(Child, Receiver<String>)> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn().with_context(|| format!("cannot start {}", describe(command)))?;
    // The channel ends when the last writer is closed, so ours must go.
    command.stdout(io::stderr()).stderr(io::stderr());
    Ok((child, read_lines(reader)))
}

fn read_lines(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(reader).split(b'\n').map_while(Result::ok);
        for line in lines {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A line that tells what a quiet command is busy with.
struct Progress<'a> {
    name: &'a str,
    watch: Stopwatch,
    tail: String,
    told: Duration,
    terminal: bool,
}

impl<'a> Progress<'a> {
    fn new(name: &'a str, watch: Stopwatch) -> Self {
        let terminal = io::stdout().is_terminal();
        if !terminal {
            println!("{name} ...");
        }
        Self { name, watch, tail: String::new(), told: Duration::ZERO, terminal }
    }

    /// Shows progress until the output ends; returns all of it.
    fn follow(&mut self, output: &Receiver<String>) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match output.recv_timeout(REDRAW) {
                Ok(line) => {
                    self.tail = line.trim().chars().take(TAIL_COLUMNS).collect();
                    lines.push(line);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tell();
        }
        self.wipe();
        lines
    }

    /// On a terminal one line that is redrawn; in a log a line a minute.
    fn tell(&mut self) {
        let elapsed = self.watch.elapsed();
        let pause = if self.terminal { REDRAW } else { SIGN_OF_LIFE };
        if elapsed - self.told < pause {
            return;
        }
        self.told = elapsed;
        let line = format!("{} ({})  {}", self.name, readable(elapsed), self.tail);
        if self.terminal {
            print!("\r\x1b[2K{line}");
            // A terminal that is gone is no reason to stop the build.
            let _ = io::stdout().flush();
        } else {
            println!("{line}");
        }
    }

    fn wipe(&self) {
        if self.terminal {
            print!("\r\x1b[2K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_naturally() {
        let cases = [
            // milliseconds, expected
            (400, "0.4 s"),
            (12_300, "12 s"),
            (185_000, "3 min 05 s"),
        ];
        for (milliseconds, expected) in cases {
            assert_eq!(readable(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn a_failing_command_is_an_error_that_names_the_step() {
        let error = quiet("the step", &mut Command::new("false")).unwrap_err();

        assert!(error.to_string().starts_with("the step failed"), "{error}");
    }

    #[test]
    fn the_error_of_tests_repeats_those_that_failed_and_why() {
        let output = "ok      one\nFAILED  two\n        because\nok      three\n        a note\n\
                      four --- FAILED";
        let mut command = Command::new("sh");
        command.args(["-c", "printf '%s' \"$0\"; exit 1", output]);

        let error = tests("the tests", &mut command).unwrap_err().to_string();

        let (first, repeated) = error.split_once('\n').unwrap();
        assert!(first.starts_with("the tests failed"), "{first}");
        assert_eq!(repeated, "FAILED  two\n        because\nfour --- FAILED");
    }

    #[test]
    fn of_several_commands_each_that_failed_is_told() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let scripts = ["echo ok", "echo 'one --- FAILED'; exit 1", "echo 'two --- FAILED'; exit 2"];

        let error = tests_beside("the tests", scripts.map(shell).into()).unwrap_err().to_string();

        let failed: Vec<&str> = error.lines().filter(|line| line.ends_with("FAILED")).collect();
        assert_eq!(failed, ["one --- FAILED", "two --- FAILED"], "{error}");
        assert!(tests_beside("the tests", vec![shell("true")]).is_ok());
    }

    #[test]
    fn both_outputs_are_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2"]);

        let (mut child, output) = spawn_piped(&mut command).unwrap();
        let lines = Progress::new("echo", Stopwatch::start()).follow(&output);

        assert_eq!(lines, ["one", "two"]);
        assert!(child.wait().unwrap().success());
    }
}
