//! What does not come first, by the names of functions.
//!
//! A function may be named here if nothing can call it before its part is there. Failures of loading,
//! clicks, and what the browser says by itself come before the later half, and stay in the first.

use super::Part;

/// Of modules that only a developer asks for.
const MONITOR: [&str; 14] = [
    "::browser::indexed_db::inventory::",
    "::browser::indexed_db::shelf::IndexedDbShelf>::inventory",
    "::browser::picture_cache::PictureShelf>::inventory",
    "::cache::orders::",
    "::cache::replay::",
    "::cache::what_if::",
    "::store::bypass::compare",
    "::store::bypass::plain_view",
    "::store::inventory::",
    "::store::monitor::methods::",
    "::store::record::session::",
    "::store::simulate::answered",
    "::store::simulate::carry_out",
    "::store::simulate::found",
];

/// Of modules and functions that no first frame needs.
const LATER: [&str; 58] = [
    "::app::feed::",
    "::app::friends::later::",
    "::app::me::",
    "::app::profile_card::",
    "::app::profile_modal::",
    "::app::sign_in::",
    "::browser::caches::",
    "::browser::decode::",
    "::browser::indexed_db::evict::",
    "::browser::indexed_db::ledger::",
    "::browser::indexed_db::read::ending",
    "::browser::indexed_db::read::scrub",
    "::browser::indexed_db::shelf::IndexedDbShelf as miniature::browser::layer::CacheLayer>::apply::",
    "::browser::indexed_db::shelf::IndexedDbShelf>::ending::",
    "::browser::indexed_db::shelf::IndexedDbShelf>::usage::",
    "::browser::indexed_db::write::",
    "::browser::lab::",
    "::browser::local_storage::shelf::LocalStorageShelf>::apply",
    "::browser::local_storage::shelf::LocalStorageShelf>::count",
    "::browser::local_storage::write::",
    "::browser::lock::",
    "::browser::origin::api::Api>::listen",
    "::browser::origin::api::Api>::read_stream",
    "::browser::origin::change::",
    "::browser::origin::listen::read::",
    "::browser::picture_cache::PictureShelf>::apply",
    "::browser::picture_cache::PictureShelf>::get_many",
    "::browser::picture_cache::PictureShelf>::usage",
    "::browser::picture_file::",
    "::browser::worker::",
    // It is looked at by what comes later alone.
    "::cache::core::feed::Feed>::hand_out_posts",
    // Nothing is noted before it was counted, which a write begins with.
    "::cache::core::ledger::Ledger>::note",
    "::post::PostId, ",
    "::session::Credentials",
    "::session::SignInError",
    "::store::driver::Driver>::listen",
    "::store::driver::Driver>::lock",
    "::store::effects::all_is_here",
    "::store::feed::",
    // What is heard before waits for `all_is_here`.
    "::store::lines::hear",
    "::store::monitor::",
    "::store::own::OwnPicture>::remove",
    "::store::own::OwnPicture>::save",
    "::store::own::OwnPicture>::settle",
    "::store::own::OwnPicture>::undo",
    "::store::own::describe::",
    "::store::profile::",
    "::store::room::",
    "::store::sync::",
    "::store::worker::begin",
    "::store::worker::update",
    // The core wants none of these effects while `WritesWait`; what it has erased waits for the later half.
    "::store::writes::begin",
    "::store::writes::carry_out",
    "::store::writes::erase_durable::{closure#0}::{closure#0}",
    "::store::writes::erase_pictures::{closure#0}::{closure#0}",
    "::store::writes::survey",
    "::store::writes::use_pictures",
    "::ui::dashboard::draw",
];
/// What the core does only after `WritesWait` has ended, and what follows from that: to layers and with news.
/// Beside those, what only pages tell it that come later.
const OF_CORE: [&str; 28] = [
    "begin_renewal",
    "compare_with_heard",
    "counted",
    "decoded",
    "described",
    "end_renewal",
    "feed_page",
    "leave_profile",
    "measure_layers",
    "measured",
    "next_of_live",
    "next_write",
    "no_profile",
    "not_decoded",
    "overheard",
    "plan_live",
    "plan_renewal",
    "posted",
    "profile_answer",
    "shed_what_is_known",
    "storage_used",
    "stream_ended",
    "streamed",
    "surveyed",
    "view_profile",
    "write_timed_out",
    "write_what_is_due",
    "written",
];
/// What such a function's name follows.
const CORE: &str = "::cache::core::Core<miniature::cache::entry::Content>>::";

/// Where a function belongs; none: to the first half.
///
/// Of a function that is named after several modules, as one that is generic over their types, none
/// may be needed in the first frame: those end at a type that says nothing of what is in it.
pub(super) fn part_of(function: &str) -> Option<Part> {
    let name = without_hashes(function);
    if MONITOR.iter().any(|module| name.contains(module)) {
        return Some(Part::Monitor);
    }
    let of_core = name.match_indices(CORE).map(|(at, core)| &name[at + core.len()..]);
    let mut of_core = of_core.filter_map(|rest| rest.split([':', '>', ',']).next());
    let is_later = of_core.any(|function| OF_CORE.contains(&function))
        || LATER.iter().any(|module| name.contains(module));
    is_later.then_some(Part::Later)
}

/// Rust names a crate with its hash, as in `miniature[c4caf6f82e393251]::app`.
fn without_hashes(function: &str) -> String {
    let is_hash = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut parts = function.split('[');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, rest)) if hash.len() > 8 && is_hash(hash) => name.push_str(rest),
            _ => name.extend(["[", part]),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_no_part_of_a_name() {
        let cases = [
            (
                "<miniature[c4caf6f82e393251]::a::B as core[15266d276e3a205]::C>::d",
                "<miniature::a::B as core::C>::d",
            ),
            ("<[u8; 4usize]>::to_vec::<[[u8]]>", "<[u8; 4usize]>::to_vec::<[[u8]]>"),
            ("main", "main"),
        ];
        for (name, expected) in cases {
            assert_eq!(without_hashes(name), expected);
        }
    }

    #[test]
    fn where_a_function_belongs_is_told_by_its_name() {
        let core = "<miniature[c4caf6f82e393251]::cache::core::Core<miniature[c4caf6f82e393251]::cache::entry::Content>>::";
        let layer = "core::a::<<miniature[c4caf6f82e393251]::browser::indexed_db::shelf::IndexedDbShelf as \
                     miniature[c4caf6f82e393251]::browser::layer::CacheLayer>::";
        let cases = [
            (format!("{layer}apply::{{closure#0}}>"), true),
            (format!("{layer}get_many::{{closure#0}}>"), false),
            (format!("{core}written"), true),
            (format!("alloc::b::<{core}written::{{closure#0}}>"), true),
            (format!("alloc::b::<u8, {core}written>::c"), true),
            (format!("{core}written_off"), false),
            (format!("{core}handle"), false),
            ("miniature[c4caf6f82e393251]::app::me::me".into(), true),
            ("miniature[c4caf6f82e393251]::app::friends::row::row".into(), false),
        ];
        for (name, expected) in cases {
            assert_eq!(part_of(&name), expected.then_some(Part::Later), "{name}");
        }
        let asked_for = "miniature[c4caf6f82e393251]::store::monitor::methods::export";
        assert_eq!(part_of(asked_for), Some(Part::Monitor));
    }
}
