//! Tells an open page that something changed at a facility its reader may see.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::console::ConsoleState;
use super::page_error::PageError;
use super::session::Call;
use crate::jobs::Change;
use crate::people::Grants;

/// A stream ends after this long, so that a session that ended is noticed when the page asks again.
const STREAM_LIFE: Duration = Duration::from_secs(300);
/// How often an idle stream says that it is alive, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Streams one event `change` for each change the reader may know of. It names nothing: the page asks again, and the
/// answer is checked as every other.
pub(super) async fn live(
    State(state): State<ConsoleState>,
    call: Call,
) -> Result<Response, PageError> {
    let grants = call.caller()?.grants.clone();
    let ends = tokio::time::Instant::now() + STREAM_LIFE;
    let changes = state.nudge.listen();
    let stream = stream::unfold((changes, grants), move |(mut changes, grants)| async move {
        let heard = tokio::time::timeout_at(ends, next(&mut changes, &grants)).await;
        match heard {
            Ok(true) => {
                let event: Result<Event, Infallible> =
                    Ok(Event::default().event("change").data("1"));
                Some((event, (changes, grants)))
            }
            Ok(false) | Err(_) => None,
        }
    });

    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

/// Waits for a change the reader may know of; `false` when there will be none any more.
async fn next(changes: &mut Receiver<Change>, grants: &Grants) -> bool {
    loop {
        match changes.recv().await {
            Ok(change)
                if grants
                    .facilities()
                    .any(|facility| *facility == change.facility) =>
            {
                return true;
            }
            Ok(_) => {}
            // Some were missed: the page looks at everything again.
            Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}
