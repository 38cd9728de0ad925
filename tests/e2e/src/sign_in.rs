//! Signing in without the app.

use crate::visit::Visit;
use anyhow::{Result, ensure};

/// Signs in by the API alone, so that the app itself has never been loaded.
///
/// # Errors
///
/// If the server does not let `ada` in.
pub async fn sign_in_without_the_app(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_page(own_page(""));
    visit.open("/__page").await?;
    let status = sign_in_by_api(visit, "ada", "miniature").await?;
    ensure!(status == 200, "sign-in answered {status}");
    Ok(())
}

/// A page of the harness's own: observed like the app, and with an icon that asks for nothing.
pub fn own_page(body: &str) -> String {
    format!(
        "<!doctype html><title>own</title><link rel=icon href=\"data:,\">\
         <script src=\"/__sampler.js\"></script>{body}"
    )
}

/// Posts credentials from the page that is open; returns the status.
///
/// # Errors
///
/// If the page does not answer.
pub async fn sign_in_by_api(visit: &Visit<'_>, username: &str, password: &str) -> Result<u16> {
    visit
        .eval_async(&format!(
            "const done = arguments[arguments.length - 1];
             fetch('/api/session', {{
                 method: 'POST',
                 headers: {{ 'content-type': 'application/json' }},
                 body: JSON.stringify({{ username: {username:?}, password: {password:?} }}),
             }}).then((answer) => done(answer.status), () => done(0))"
        ))
        .await
}
