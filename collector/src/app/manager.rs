//! What systemd is told of the collector: up, alive, going. Under anything else nothing happens.
//!
//! Always holds: the watchdog hears of life only while the store answers, because a collector whose database hangs is
//! of no use to anybody and a new start may cure it.

use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// Says that every listener is open.
pub(super) fn tell_ready() {
    tell(State::Ready);
}

/// Says that what is open is being finished.
pub(super) fn tell_stopping() {
    tell(State::Stopping);
}

/// Asks the store and tells the watchdog, at half the time after which it would kill, until asked to end.
pub(super) async fn keep_alive(store: Store, stop: CancellationToken) {
    let Some(limit) = watchdog_limit() else {
        stop.cancelled().await;
        return;
    };
    let mut every = tokio::time::interval(limit / 2);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        match store.ping().await {
            Ok(()) => tell(State::Alive),
            Err(error) => {
                tracing::error!(%error, "the watchdog is not told: the store does not answer")
            }
        }
    }
}

#[derive(Clone, Copy)]
enum State {
    Ready,
    Alive,
    Stopping,
}

#[cfg(target_os = "linux")]
fn tell(state: State) {
    use sd_notify::NotifyState;

    let state = match state {
        State::Ready => NotifyState::Ready,
        State::Alive => NotifyState::Watchdog,
        State::Stopping => NotifyState::Stopping,
    };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

#[cfg(not(target_os = "linux"))]
fn tell(_: State) {}

#[cfg(target_os = "linux")]
fn watchdog_limit() -> Option<std::time::Duration> {
    sd_notify::watchdog_enabled()
}

#[cfg(not(target_os = "linux"))]
fn watchdog_limit() -> Option<std::time::Duration> {
    None
}
