//! Errors on the wire.

use serde::{Deserialize, Serialize};

/// A refused request, as `application/problem+json`.
///
/// # Source
///
/// RFC 9457, Problem Details for HTTP APIs. `field` is our extension member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Names the kind of problem, for programs: `about:blank` where the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words, the same each time.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request. Never a cause from inside the server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The part of the request that is wrong.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
}

impl Problem {
    /// The kind of a 401 that says that there is no session, or none any more. A gateway's own 401
    /// says nothing of ours.
    pub const NO_SESSION: &str = "/problems/no-session";
}
