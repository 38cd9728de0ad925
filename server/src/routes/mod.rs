//! The wire: one file a route, and what they share.

mod address;
mod batch;
mod conditional;
mod cors;
mod events;
mod friends;
mod frontend;
mod guard;
mod health;
mod images;
mod json;
mod lineage;
mod me;
mod multipart;
mod observe;
mod openapi;
mod params;
mod posts;
mod security;
mod session;
mod timing;
mod upload;
mod users;
mod words;

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::FutureExt;
use tokio::time::timeout;
use tower::ServiceBuilder;
use tracing::Instrument;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::{
    cors::Origins,
    frontend::{Frontend, Settings as FrontendSettings},
    health::Readiness,
    lineage::OurLineage,
};
use self::{guard::SignedIn, lineage::Asked, observe::Counting, openapi::Description};
use crate::{ApiError, App};

/// The longest body that a route takes unless it says otherwise, in bytes.
const MAX_BODY: usize = 4 << 10;

/// The whole API as a router, and the frontend if there is one. Needs no socket.
pub fn app(app: App) -> Router {
    let (routes, mut description) = described().split_for_parts();
    openapi::add_session(&mut description, app.sign_in());
    openapi::add_lineage(&mut description);
    openapi::add_account(&mut description);
    let description = Arc::new(description);
    let describe = async move |signed_in: SignedIn| openapi::answer(signed_in, &description);
    let routes = routes
        .route("/api/openapi.json", get(describe))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed);
    let (frontend, cors) = (app.frontend().clone(), app.origins().layer());
    routes
        .fallback(async move |request: Request| unrouted(frontend.as_deref(), request).await)
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(app.clone(), surround))
                .option_layer(cors)
                .layer(DefaultBodyLimit::max(MAX_BODY)),
        )
        .with_state(app)
}

/// Every route with its description.
fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(session::current, session::sign_in, session::sign_out))
        .routes(routes!(friends::friends))
        .routes(routes!(me::describe))
        .routes(routes!(users::profile))
        .routes(routes!(users::picture))
        .routes(routes!(batch::batch))
        .merge(posts::routes())
        .routes(routes!(events::events))
        .routes(routes!(images::image))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(upload::replace, upload::remove))
}

/// What surrounds every route. One function in one layer: a router copies each of its layers at each
/// request.
async fn surround(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = observe::id(request.headers());
    let span = observe::span(&id, &request);
    answer(app, id, request, next).instrument(span).await
}

async fn answer(app: App, id: HeaderValue, mut request: Request, next: Next) -> Response {
    let counting = Counting::begin(&request);
    let mut asked = Asked::begin(&mut request, &app);
    let handled = handle(&app, counting.route(), request, next, asked.as_mut()).await;
    let mut answer = handled.unwrap_or_else(IntoResponse::into_response);
    let status = answer.status();
    let headers = answer.headers_mut();
    if let Some(asked) = asked {
        asked.end(app.lineage(), status, headers);
    }
    headers.insert(observe::REQUEST_ID, id);
    security::add_headers(headers, app.origins());
    health::close_when_stopping(app.stop(), headers);
    counting.end(status);
    answer
}

/// Lets the route answer, if it may and is done in time.
async fn handle(
    app: &App,
    route: &str,
    mut request: Request,
    next: Next,
    asked: Option<&mut Asked>,
) -> Result<Response, ApiError> {
    let handled = AssertUnwindSafe(async {
        if let Some(asked) = asked {
            asked.identify(&mut request, app).await?;
        }
        guard::refuse_cross_site(&request, app.origins(), app.sign_in())?;
        Ok(next.run(request).await)
    });
    let handled = handled.catch_unwind();
    // The panic itself is in the log already.
    let panicked = |_| ApiError::internal("a handler panicked");
    match guard::takes_at_most(route) {
        Some(within) => timeout(within, handled).await.map_err(|_| ApiError::Busy)?,
        None => handled.await,
    }
    .map_err(panicked)?
}

/// What no route answers is a file of the frontend, one of its pages, or nothing.
async fn unrouted(frontend: Option<&Frontend>, request: Request) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let frontend = frontend.filter(|_| !is_ours(path)).ok_or(ApiError::NotFound)?;
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err(ApiError::MethodNotAllowed);
    }
    frontend.answer(request).await
}

/// Whether only the API answers under this path, so that a mistyped route never gets a page.
fn is_ours(path: &str) -> bool {
    ["/api", "/images"].iter().any(|ours| is_under(path, ours))
}

fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
