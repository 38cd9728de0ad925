//! A long list.

use super::{FIRST_PAGE, FRIENDS, sign_in};
use crate::{page::hook, visit::Visit};
use anyhow::{Result, ensure};

/// Page after page to the end: all show, and what is far from view is let go.
pub(super) async fn through_all(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;

    visit.wait("the end of the list", &scroll_until(FRIENDS)).await?;
    visit.wait("pictures where one looks", VISIBLE_ROWS_COMPLETE).await?;
    let far: u32 = visit.eval(PICTURES_FAR_AWAY).await?;
    ensure!(far == 0, "{far} rows far from view still hold a picture");

    visit.click("a[href='/me']").await?;
    visit.wait_gone(&hook("friend-list")).await?;
    visit.click("a[href='/friends']").await?;
    visit.wait_pictures(FIRST_PAGE.min(5)).await
}

/// Scrolls on by a screen each time it is asked; true at the end.
fn scroll_until(rows: u32) -> String {
    format!(
        "const list = document.querySelector('[data-testid=friend-list]');
         let box = list;
         while (box && box.scrollHeight <= box.clientHeight + 1) box = box.parentElement;
         (box || document.scrollingElement).scrollBy(0, innerHeight * 0.8);
         const at = box || document.scrollingElement;
         const end = at.scrollTop + at.clientHeight >= at.scrollHeight - 2;
         return end && list.querySelectorAll('[data-testid=friend]').length >= {rows}"
    )
}

const VISIBLE_ROWS_COMPLETE: &str = "
    const rows = [...document.querySelectorAll('[data-testid=friend]')].filter((row) => {
        const box = row.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight;
    });
    return rows.length > 0 && rows.every((row) => window.__isComplete(row.querySelector('.picture')))";

/// Rows more than 5 000 CSS pixels away that still hold an image; a first page is 3 600 high, and is
/// to be complete as a whole.
const PICTURES_FAR_AWAY: &str = "
    return [...document.querySelectorAll('[data-testid=friend]')].filter((row) => {
        const box = row.getBoundingClientRect();
        const far = box.bottom < -5000 || box.top > innerHeight + 5000;
        return far && row.querySelector('.picture img');
    }).length";
