//! The stream of events.
//!
//! Not by `EventSource`, which cannot name the last event when it is made, gives up for good on any
//! status but 200, and hides heartbeats.

use futures_util::future::LocalBoxFuture;
use miniature_api::{
    ACCOUNT_HEADER, Change, LINEAGE_HEADER, Lineage, PICTURE_EVENT, POST_EVENT, PROFILE_EVENT,
    RESET_EVENT, UserId,
    sse::{Block, Reader},
};

use super::{
    api::Api,
    exchange::{Call, Exchange},
    reply::refusal,
    retry_after::retry_after,
};
use crate::{
    browser::json,
    cache::{
        core::{Refusal, StreamBody, StreamEvent},
        layer::OriginError,
    },
};

/// What the stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing, but the line lives.
    Alive,
    /// An event, to this account, and as other tabs are told of it.
    Event(UserId, Box<StreamEvent>, String),
}

impl Api {
    /// Reads the stream of events until it ends, and says why. Dropping the future closes it.
    ///
    /// A pointer, and so not a part of what waits for it: its code can come later.
    #[inline(never)]
    pub fn listen<'a>(
        &'a self,
        lineage: Option<Lineage>,
        last: Option<&'a str>,
        hear: &'a dyn Fn(Heard),
    ) -> LocalBoxFuture<'a, Refusal> {
        Box::pin(self.read_stream(lineage, last, hear))
    }

    async fn read_stream(
        &self,
        lineage: Option<Lineage>,
        last: Option<&str>,
        hear: &dyn Fn(Heard),
    ) -> Refusal {
        let mut call = Call::get(self.url("/api/events")).header("accept", "text/event-stream");
        if let Some(lineage) = lineage {
            call = call.header(LINEAGE_HEADER, lineage.to_string());
        }
        if let Some(last) = last {
            call = call.header("last-event-id", last);
        }
        match call.send().await {
            Ok(answer) if answer.status() == 200 => {
                read(&answer, hear).await.err().unwrap_or(OriginError::Unreachable).into()
            }
            Ok(answer) => {
                let error = refusal(&answer, &|_| {}).await;
                Refusal { error, retry_after: retry_after(&answer) }
            }
            Err(error) => error.into(),
        }
    }
}

/// Until the server ends it.
async fn read(answer: &Exchange, hear: &dyn Fn(Heard)) -> Result<(), OriginError> {
    let of = |name| answer.header(name);
    let lineage = of(LINEAGE_HEADER).and_then(|lineage| lineage.parse::<Lineage>().ok());
    let account = of(ACCOUNT_HEADER).and_then(|account| account.parse::<UserId>().ok());
    // What names neither is not of our server.
    let (lineage, account) = lineage.zip(account).ok_or(OriginError::Unreachable)?;
    let mut reader = Reader::default();
    answer
        .pieces(&mut |piece| {
            let blocks = reader.read(&piece).map_err(|_| OriginError::Malformed)?;
            if blocks.is_empty() {
                hear(Heard::Alive);
            }
            for block in blocks {
                let id = block.id.as_deref();
                let text = [id.unwrap_or_default(), &block.name, &block.data].join("\n");
                let text = format!("{lineage}\n{text}");
                let event = StreamEvent { lineage, id: id.map(Into::into), body: body(&block) };
                hear(Heard::Event(account.clone(), Box::new(event), text));
            }
            Ok(())
        })
        .await
}

/// What another tab was told, by the text that it passes on.
pub fn overheard(text: &str) -> Option<StreamEvent> {
    let mut lines = text.splitn(4, '\n');
    let (lineage, id) = (lines.next()?.parse().ok()?, lines.next()?);
    let id = (!id.is_empty()).then(|| id.into());
    let (name, data) = (lines.next()?.to_owned(), lines.next()?.to_owned());
    let body = body(&Block { id: None, name, data });
    Some(StreamEvent { lineage, id, body })
}

/// In place of all up to and with this one: events were missed.
pub fn as_reset(text: &str) -> Option<String> {
    let mut lines = text.splitn(4, '\n');
    let (lineage, id) = (lines.next()?, lines.next()?);
    Some([lineage, id, RESET_EVENT, ""].join("\n"))
}

/// An event that cannot be read says nothing but that it happened.
fn body(block: &Block) -> StreamBody {
    let data = block.data.as_str();
    let change = match block.name.as_str() {
        PICTURE_EVENT => json::read(data).map(Change::Picture),
        PROFILE_EVENT => json::read(data).map(Change::Profile),
        POST_EVENT => json::read(data).map(Change::Post),
        RESET_EVENT => return StreamBody::Reset,
        _ => None,
    };
    change.map_or(StreamBody::UpTo, StreamBody::Change)
}
