//! What happens in the cache, for those who only listen: the dashboard, and tests.

use miniature_api::{Size, UserId};
use serde::{Deserialize, Serialize};

use super::{
    key::Source,
    layer::{LayerError, OriginError},
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum CacheEvent {
    /// A request was answered.
    Loaded(Load),
    /// A request joined one that was under way.
    Coalesced,
    /// A request was answered with something past its lifetime.
    Stale,
    /// A layer could not do what was asked.
    LayerFailed(Source, LayerError),
    /// One request for pictures was sent to the API.
    Requested,
    /// The API did not answer as asked.
    OriginFailed(OriginError),
    /// Encoded images arrived from the API, so many bytes.
    Received(u64),
    /// A layer gave up so many bytes: the origin stored too much.
    Shed(Source, u64),
}

/// One request for a picture, answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Whose picture.
    pub user: UserId,
    /// The size asked for.
    pub size: Size,
    /// What came of it.
    pub outcome: Outcome,
    /// When it was asked for, in milliseconds since the document began.
    pub asked_ms: f64,
    /// From asking to having something to paint, in milliseconds.
    pub took_ms: f64,
    /// The length of the encoded image, in bytes.
    pub bytes: u64,
    /// The layers asked, in order.
    pub path: Vec<Step>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "source")]
pub enum Outcome {
    /// A picture, from this layer.
    Shown(Source),
    /// The user has no picture, as this layer knows.
    Negative(Source),
    /// No layer had it, and the API could not be asked.
    Failed,
}

/// One layer on the way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The layer.
    pub layer: Source,
    /// What it said.
    pub answer: Answer,
    /// How long it took, in milliseconds; shared by all that asked in the same trip.
    pub took_ms: f64,
}

/// What a layer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It had the answer.
    Hit,
    /// It had the answer, past its lifetime: that was shown, and asked about again.
    Stale,
    /// It held no picture of the user; the service worker's cache, none as large as asked for.
    Absent,
    /// It held another image than the one that the user is known to have.
    OtherRevision,
    /// It held the image, smaller than asked for.
    TooSmall,
    /// The browser denies it.
    Denied,
    /// It did not answer in time.
    TimedOut,
    /// It failed in another way, or was left alone after failures.
    Failed,
}

impl Answer {
    /// Its name in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Absent => "absent",
            Self::OtherRevision => "other_revision",
            Self::TooSmall => "too_small",
            Self::Denied => "denied",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
        }
    }

    /// Whether the load was answered by it.
    pub fn is_hit(self) -> bool {
        matches!(self, Self::Hit | Self::Stale)
    }
}

impl From<LayerError> for Answer {
    fn from(error: LayerError) -> Self {
        match error {
            LayerError::Unavailable => Self::Denied,
            LayerError::TimedOut => Self::TimedOut,
            LayerError::Full | LayerError::Disconnected | LayerError::Failed => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_called_the_same_wherever_it_is_named() {
        use Answer::{Absent, Denied, Failed, Hit, OtherRevision, Stale, TimedOut, TooSmall};
        for answer in [Hit, Stale, Absent, OtherRevision, TooSmall, Denied, TimedOut, Failed] {
            assert_eq!(serde_json::to_value(answer).unwrap(), answer.as_str());
        }
    }
}
