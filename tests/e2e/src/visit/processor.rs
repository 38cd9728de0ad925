//! What the pages cost the machine: how long their main threads were on a processor, whatever else it does,
//! and how much memory they hold.

use super::Visit;
use crate::engine::Engine;
use anyhow::{Result, ensure};
use std::{collections::BTreeMap, fs, time::Duration};

/// What Linux counts processor time in, for every architecture: `USER_HZ` of proc(5).
const TICKS_A_SECOND: u64 = 100;

impl Visit<'_> {
    /// The processor time of the main threads of this browser's pages since each of them began, to 10 ms.
    pub fn main_thread_time(&self) -> Result<Duration> {
        let ticks: u64 = self.page_processes()?.into_iter().filter_map(main_thread_ticks).sum();
        Ok(Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND))
    }

    /// The resident memory of this browser's pages, in KiB.
    pub fn page_memory(&self) -> Result<u64> {
        Ok(self.page_processes()?.into_iter().filter_map(resident_kib).sum())
    }

    fn page_processes(&self) -> Result<Vec<u32>> {
        let mut pages = descendants(&tasks(), self.driver.driver_id());
        pages.retain(|id| is_page(self.engine(), *id));
        ensure!(!pages.is_empty(), "no process of this browser holds a page");
        Ok(pages)
    }
}

/// Each process and its parent.
fn tasks() -> BTreeMap<u32, u32> {
    let ids = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let ids = ids.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    ids.filter_map(|id| Some((id, parent(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?)))
        .collect()
}

fn descendants(tasks: &BTreeMap<u32, u32>, root: u32) -> Vec<u32> {
    let is_under = |id: &u32| {
        let up = |id: &u32| tasks.get(id).copied();
        std::iter::successors(Some(*id), up).take(tasks.len()).any(|id| id == root)
    };
    tasks.keys().copied().filter(is_under).collect()
}

/// Whether a process is one in which the engine runs pages.
fn is_page(engine: Engine, id: u32) -> bool {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    match engine {
        Engine::Chromium => line.contains("--type=renderer"),
        Engine::Firefox => {
            line.contains("-contentproc") && line.trim_end_matches('\0').ends_with("tab")
        }
        Engine::WebKit => line.contains("WebKitWebProcess"),
    }
}

/// The main thread has the number of its process.
fn main_thread_ticks(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/task/{id}/stat")).ok()?;
    let [user, system] = [14, 15].map(|number| field(&stat, number)?.parse::<u64>().ok());
    Some(user? + system?)
}

fn resident_kib(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn parent(stat: &str) -> Option<u32> {
    field(stat, 4)?.parse().ok()
}

/// A field of `/proc/…/stat` by its number in proc(5), from the third. The second is a name, which may hold
/// anything.
fn field(stat: &str, number: usize) -> Option<&str> {
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(number.checked_sub(3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let stat = "7 (a) b) S 3 7 7 0 -1 0 0 0 0 0 41 2 0 0 20 0 1";
        assert_eq!(
            (parent(stat), field(stat, 14), field(stat, 15)),
            (Some(3), Some("41"), Some("2"))
        );
        assert_eq!((parent(""), parent("7 (x"), field(stat, 99)), (None, None, None));
    }

    #[test]
    fn a_process_descends_from_itself_and_all_above() {
        let tasks = BTreeMap::from([(1, 0), (2, 1), (3, 2), (4, 1), (5, 6), (6, 5)]);
        assert_eq!(descendants(&tasks, 2), [2, 3]);
        assert_eq!(descendants(&tasks, 1), [1, 2, 3, 4]);
    }

    #[test]
    fn a_process_that_runs_is_found() {
        let id = std::process::id();
        assert!(main_thread_ticks(id).is_some() && tasks().contains_key(&id));
        assert!(resident_kib(id).is_some_and(|kib| kib > 100));
    }
}
