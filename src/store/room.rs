//! How much room the browser gives, and what is done about little of it. It comes with the later half of the
//! program.

use super::driver::driver;
use crate::{
    browser::{clock, quota, schedule, visibility},
    cache::core::Event,
};

/// Asks for the life of the document, while that is visible, how much the origin stores: above 80 % of its quota
/// the core gives some up.
pub(super) fn begin() {
    let shed = driver().read(|core| core.policy().shed);
    schedule::spawn(async move {
        schedule::sleep(shed.asked_after).await;
        loop {
            if visibility::is_visible() {
                look().await;
                ask_to_stay().await;
            }
            schedule::sleep(shed.asked_every).await;
        }
    });
}

async fn look() {
    if let Some(quota::Estimate { usage_bytes: used, quota_bytes: quota }) = quota::estimate().await
    {
        driver().handle(Event::StorageUsed { used, quota });
    }
}

/// Once, when somebody comes back, the browser is asked to keep the storage when the disk is full.
async fn ask_to_stay() {
    let driver = driver();
    let pause = driver.read(|core| core.policy().comes_back_after);
    let now = clock::now().wall;
    let is_back = driver.shelves.on_local(|shelf| shelf.comes_back(now, pause));
    if is_back == Ok(true) && quota::persisted().await == Some(false) {
        // Whatever it says, nobody is asked again.
        let _ = quota::persist().await;
    }
}
