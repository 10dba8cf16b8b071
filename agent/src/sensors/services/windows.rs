//! Asks the Service Control Manager how a service is.

use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;
use windows_service::service::{ServiceAccess, ServiceExitCode, ServiceState, ServiceStatus};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::Foundation::ERROR_SERVICE_DOES_NOT_EXIST;

use super::Answer;
use crate::observation::Presence;

/// What the sensor sees with.
pub(super) const NAME: &str = "service control manager";
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks one question at a time: one that hangs (the manager does while it is locked) is waited for, not repeated.
#[derive(Default)]
pub(super) struct Manager(Option<JoinHandle<Result<Answer, String>>>);

impl Manager {
    pub(super) async fn state(&mut self, service: &str) -> Result<Answer, String> {
        if let Some(earlier) = self.0.take_if(|earlier| !earlier.is_finished()) {
            self.0 = Some(earlier);
            return Err(slow());
        }
        let name = service.to_owned();
        let mut asked = tokio::task::spawn_blocking(move || ask(&name));
        match tokio::time::timeout(PATIENCE, &mut asked).await {
            Ok(answered) => answered.map_err(|error| format!("the question failed: {error}"))?,
            Err(_) => {
                self.0 = Some(asked);
                Err(slow())
            }
        }
    }
}

fn slow() -> String {
    format!("the service control manager did not answer within {} s", PATIENCE.as_secs())
}

fn ask(name: &str) -> Result<Answer, String> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
        .map_err(|error| {
            format!("the service control manager does not answer: {}", words(&error))
        })?;
    let asked = manager
        .open_service(name, ServiceAccess::QUERY_STATUS)
        .and_then(|service| service.query_status());
    match asked {
        Ok(status) => Ok(answer(&status)),
        Err(windows_service::Error::Winapi(error)) if is_unknown(&error) => {
            Ok(Answer { presence: Presence::Down, detail: "not installed".to_owned() })
        }
        Err(error) => Err(format!("a service cannot be asked: {}", words(&error))),
    }
}

fn is_unknown(error: &io::Error) -> bool {
    error.raw_os_error().map(i32::cast_unsigned) == Some(ERROR_SERVICE_DOES_NOT_EXIST)
}

/// The library says "IO error in winapi call" and keeps the reason inside.
fn words(error: &windows_service::Error) -> String {
    if let windows_service::Error::Winapi(error) = error {
        error.to_string()
    } else {
        error.to_string()
    }
}

/// Puts a status into one answer. A paused service runs and does nothing.
fn answer(status: &ServiceStatus) -> Answer {
    let (presence, word) = match status.current_state {
        ServiceState::Running => (Presence::Up, "running"),
        ServiceState::Stopped => (Presence::Down, "stopped"),
        ServiceState::StartPending => (Presence::Down, "starting"),
        ServiceState::StopPending => (Presence::Down, "stopping"),
        ServiceState::Paused => (Presence::Down, "paused"),
        ServiceState::PausePending => (Presence::Down, "pausing"),
        ServiceState::ContinuePending => (Presence::Down, "resuming"),
    };
    let detail = match &status.exit_code {
        code if presence == Presence::Down && *code != ServiceExitCode::NO_ERROR => {
            format!("{word} ({code:?})")
        }
        _ => word.to_owned(),
    };

    Answer { presence, detail }
}
