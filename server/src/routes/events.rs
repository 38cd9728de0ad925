//! `/api/events`: what happens to oneself and one's friends, as it happens.

use std::{convert::Infallible, pin::Pin};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Sse, sse::Event},
};
use futures_util::{Stream, stream::unfold};
use miniature_api::Problem;

use super::{
    guard::SignedIn,
    lineage::HoldsOurs,
    openapi::{Invalid, Refused},
    params::Params,
};
use crate::{
    ApiError,
    events::{Events, Frame, Listener},
    sign_in::SignIn,
    stop::Stop,
};

/// Nothing on the way keeps it, or waits until there is more of it.
const UNBUFFERED: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];

/// `GET /api/events`: server-sent events `picture`, `profile`, `post` and `reset`. A client that names
/// the last `id` it read gets what it missed first, or `reset` if that is not known, or if the client
/// holds another lineage than ours. It names the id in `Last-Event-ID` or, as curl or a new
/// `EventSource` would, in `?last_event_id=`. The header wins: a browser sends it when it reconnects to
/// an address that still has the first id.
///
/// An event without `id` may come once more. After a loss `reset` comes within half a minute, to each
/// client at a moment of its own.
///
/// It ends when the session has ended, when the reader takes too little, and when the server stops.
///
/// # Errors
///
/// [`ApiError::TooManyStreams`] (429); [`ApiError::Invalid`] (422) if the parameter is there twice.
///
/// # Source
///
/// HTML, section 9.2, server-sent events.
#[utoipa::path(
    get,
    path = "/api/events",
    params(
        (
            "Last-Event-ID" = Option<String>, Header,
            description = "the last `id` that came; it wins over `last_event_id`"
        ),
        (
            "last_event_id" = Option<String>, Query,
            description = "the same, for clients that cannot set the header"
        ),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused, Invalid,
    )
)]
pub(crate) async fn events(
    signed_in: SignedIn,
    State(events): State<Events>,
    State(sessions): State<SignIn>,
    State(stop): State<Stop>,
    HoldsOurs(holds_ours): HoldsOurs,
    headers: HeaderMap,
    params: Params,
) -> Result<impl IntoResponse, ApiError> {
    let given = params.optional::<String>("last_event_id")?;
    let header = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let seen = if holds_ours { header.or(given.as_deref()) } else { Some("") };
    let listener = events.listen(signed_in.user, seen, &stop);
    let listener = listener.ok_or(ApiError::TooManyStreams)?;
    let ended = Box::pin(sessions.until_ended(signed_in.token));
    let client = Client { listener, ended };
    Ok((UNBUFFERED, Sse::new(client.frames())))
}

/// One who listens, for as long as they are signed in.
struct Client {
    listener: Listener,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Client {
    fn frames(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, |mut client| async {
            let frame = tokio::select! {
                biased;
                () = &mut client.ended => return None,
                frame = client.listener.next() => frame?,
            };
            Some((Ok(event(frame)), client))
        })
    }
}

fn event(frame: Frame) -> Event {
    match frame {
        // No data: a page hears nothing of it, its browser keeps the id.
        Frame::UpTo(id) => Event::default().id(id),
        Frame::Event(told, id) => {
            let event = Event::default().event(told.name).data(&told.data);
            id.into_iter().fold(event, Event::id)
        }
        Frame::Heartbeat => Event::default().comment(""),
    }
}
