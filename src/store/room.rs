//! How much room the browser gives, and what is done about little of it. It comes with the later half of the
//! program.

use super::driver::driver;
use crate::{
    browser::{local_storage, quota, schedule, visibility},
    cache::core::Event,
};

/// As many sign-ins tell of someone who comes back.
const COMES_BACK: u32 = 2;

/// Asks for the life of the document, while that is visible, how much the origin stores: above 80 % of its quota
/// the core gives some up.
pub(super) fn begin() {
    let (every, within) =
        driver().read(|core| (core.policy().storage_asked_every, core.policy().idle_within));
    let ask = move || {
        schedule::spawn(async move {
            loop {
                if visibility::is_visible() {
                    look().await;
                }
                schedule::sleep(every).await;
            }
        });
    };
    schedule::on_idle(ask, within);
}

/// Asks once, and tells the core.
pub(super) async fn look() -> Option<quota::Estimate> {
    let estimate = quota::estimate().await?;
    let (used, quota) = (estimate.usage_bytes, estimate.quota_bytes);
    driver().handle(Event::StorageUsed { used, quota });
    Some(estimate)
}

/// Somebody has signed in: the second time in this browser, it is asked once to keep the storage when the disk is
/// full.
pub(super) fn signed_in() {
    if local_storage::count_sign_in() != Some(COMES_BACK) {
        return;
    }
    schedule::spawn(async {
        if quota::persisted().await == Some(false) {
            // Whatever it says, nobody is asked again.
            let _ = quota::persist().await;
        }
    });
}
