//! The agent and the Service Control Manager: how it is installed, and how it runs when the manager starts it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use shirase_shared::error::Chain;
use tokio::sync::Notify;
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceControl, ServiceControlAccept,
    ServiceErrorControl, ServiceExitCode, ServiceFailureActions, ServiceFailureResetPeriod,
    ServiceInfo, ServiceStartType, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{
    self, ServiceControlHandlerResult, ServiceStatusHandle,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_service::{Error, service_dispatcher};
use windows_sys::Win32::Foundation::{
    ERROR_FAILED_SERVICE_CONTROLLER_CONNECT, ERROR_SERVICE_ALREADY_RUNNING,
    ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_EXISTS, ERROR_SERVICE_NOT_ACTIVE,
};

use super::log;

/// Its name to the manager, and in the Event Log.
pub(super) const NAME: &str = "shirase-agent";
/// What people read in the list of services.
const SHOWN: &str = "Shirase agent";
/// What it is there for, in the list of services.
const DESCRIPTION: &str = "知らせ: sees mass changes of files, outages and intrusions on this server, and tells the hospital's collector. \
     Stopping it leaves the server unwatched, and the collector says so.";
/// Pauses before the manager starts it again after a first, a second and every later failure.
const RESTARTS: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(60)];
/// Time without a failure after which the next one is the first again.
const FORGIVEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the manager should wait for a start: a large buffer is read through then.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// How long the manager should wait for a stop: the stages drain.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks whether it has stopped.
const LOOK: Duration = Duration::from_millis(200);

/// What the manager asked for.
pub(super) static STOP: Notify = Notify::const_new();
/// The manager says that the configuration changed.
pub(super) static RELOAD: Notify = Notify::const_new();

/// What the service does, until the manager calls for it.
static WORK: Mutex<Option<Work>> = Mutex::new(None);
/// Where the manager is told how the service is; set while it runs as one.
static STATUS: OnceLock<ServiceStatusHandle> = OnceLock::new();

type Work = Box<dyn FnOnce() -> anyhow::Result<()> + Send>;

windows_service::define_windows_service!(called_by_the_manager, begin);

fn begin(_: Vec<OsString>) {
    serve();
}

/// Does the work of a service under the manager, which must have started this process.
pub(crate) fn host(
    work: impl FnOnce() -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
    match service_dispatcher::start(NAME, called_by_the_manager) {
        Err(Error::Winapi(error)) if is(&error, ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) => {
            anyhow::bail!(
                "`service` is for the service manager alone; start it with `sc.exe start {NAME}`, or use `run`"
            )
        }
        ended => Ok(ended?),
    }
}

/// Whether the manager started this process.
pub(super) fn is_service() -> bool {
    STATUS.get().is_some()
}

/// Runs from the manager's call to the end.
fn serve() {
    match service_control_handler::register(NAME, control) {
        Ok(handle) => drop(STATUS.set(handle)),
        Err(error) => {
            tracing::error!(error = %Chain(&error), "the service manager takes no handler");
            return;
        }
    }
    tell(ServiceState::StartPending, START_PATIENCE, ServiceExitCode::NO_ERROR);
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ended = work.map_or(Ok(()), |work| work());
    let code = match ended {
        Ok(()) => ServiceExitCode::NO_ERROR,
        Err(error) => {
            tracing::error!("{}", Chain(error.as_ref()));
            ServiceExitCode::ServiceSpecific(1)
        }
    };
    tell(ServiceState::Stopped, Duration::ZERO, code);
}

fn control(asked: ServiceControl) -> ServiceControlHandlerResult {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "another crate's list, of which this is what is accepted"
    )]
    match asked {
        ServiceControl::Stop | ServiceControl::Shutdown => STOP.notify_one(),
        ServiceControl::ParamChange => RELOAD.notify_one(),
        ServiceControl::Interrogate => {}
        _ => return ServiceControlHandlerResult::NotImplemented,
    }

    ServiceControlHandlerResult::NoError
}

/// Tells the manager that the service is up. Without one nothing happens.
pub(crate) fn notify_ready() {
    tell(ServiceState::Running, Duration::ZERO, ServiceExitCode::NO_ERROR);
}

/// Tells the manager that the service is going down.
pub(crate) fn notify_stopping() {
    tell(ServiceState::StopPending, STOP_PATIENCE, ServiceExitCode::NO_ERROR);
}

fn tell(state: ServiceState, patience: Duration, exit_code: ServiceExitCode) {
    let Some(handle) = STATUS.get() else { return };
    let accepted = match state {
        ServiceState::Running => {
            ServiceControlAccept::STOP
                | ServiceControlAccept::SHUTDOWN
                | ServiceControlAccept::PARAM_CHANGE
        }
        ServiceState::StartPending
        | ServiceState::StopPending
        | ServiceState::Stopped
        | ServiceState::Paused
        | ServiceState::PausePending
        | ServiceState::ContinuePending => ServiceControlAccept::empty(),
    };
    let status = ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: accepted,
        exit_code,
        checkpoint: 0,
        wait_hint: patience,
        process_id: None,
    };
    if let Err(error) = handle.set_service_status(status) {
        tracing::warn!(error = %Chain(&error), "the service manager was not told how the service is");
    }
}

/// Installs the service, or brings one that is installed up to date. Returns what to do next.
pub(crate) fn install(config: &Path) -> anyhow::Result<Vec<String>> {
    let program = std::env::current_exe().context("failed to find this program's own file")?;
    let info = ServiceInfo {
        name: OsString::from(NAME),
        display_name: OsString::from(SHOWN),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program,
        launch_arguments: [OsStr::new("service"), OsStr::new("--config"), config.as_os_str()]
            .map(OsStr::to_owned)
            .to_vec(),
        dependencies: Vec::new(),
        // The system itself: reading change journals, the Security log and every watched file needs it.
        account_name: None,
        account_password: None,
    };
    let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START;
    let manager = manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
    let (service, done) = match manager.create_service(&info, access) {
        Ok(service) => (service, "installed"),
        Err(Error::Winapi(error)) if is(&error, ERROR_SERVICE_EXISTS) => {
            let service = manager.open_service(NAME, access).map_err(explained)?;
            service.change_config(&info).map_err(explained)?;
            (service, "brought up to date")
        }
        Err(error) => return Err(explained(error)),
    };
    service.set_description(DESCRIPTION).map_err(explained)?;
    log::register_source(NAME).context("failed to register with the Event Log")?;
    let mut lines = vec![format!("the service `{NAME}` is {done}; it starts with the system")];
    if let Err(error) = recover(&service) {
        lines.push(format!(
            "warning: it is not started again when it fails: {:#}",
            explained(error)
        ));
    }
    lines.push(format!("start it now: sc.exe start {NAME}"));

    Ok(lines)
}

/// Has the manager start the service again when it fails, also when it ends by itself with an error.
fn recover(service: &Service) -> Result<(), Error> {
    let restart = |delay| ServiceAction { action_type: ServiceActionType::Restart, delay };
    service.update_failure_actions(ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(FORGIVEN_AFTER),
        reboot_msg: None,
        command: None,
        actions: Some(RESTARTS.map(restart).to_vec()),
    })?;

    service.set_failure_actions_on_non_crash_failures(true)
}

/// Starts the service; it is no mistake if it runs already. Returns what was done.
pub(crate) fn start() -> anyhow::Result<Vec<String>> {
    let service = manager(ServiceManagerAccess::CONNECT)?
        .open_service(NAME, ServiceAccess::START)
        .map_err(explained)?;
    match service.start::<&OsStr>(&[]) {
        Err(Error::Winapi(error)) if is(&error, ERROR_SERVICE_ALREADY_RUNNING) => {}
        started => started.map_err(explained)?,
    }

    Ok(vec![format!("the service `{NAME}` is started")])
}

/// Stops the service and takes it out of the manager's list. What it wrote stays. Returns what was done.
pub(crate) fn uninstall() -> anyhow::Result<Vec<String>> {
    let manager = manager(ServiceManagerAccess::CONNECT)?;
    let access = ServiceAccess::QUERY_STATUS | ServiceAccess::STOP | ServiceAccess::DELETE;
    let service = match manager.open_service(NAME, access) {
        Ok(service) => service,
        Err(Error::Winapi(error)) if is(&error, ERROR_SERVICE_DOES_NOT_EXIST) => {
            return Ok(vec![format!("the service `{NAME}` is not installed")]);
        }
        Err(error) => return Err(explained(error)),
    };
    match service.stop() {
        Ok(_) => {}
        Err(Error::Winapi(error)) if is(&error, ERROR_SERVICE_NOT_ACTIVE) => {}
        Err(error) => return Err(explained(error)),
    }
    let begun = Instant::now();
    while service.query_status().map_err(explained)?.current_state != ServiceState::Stopped {
        anyhow::ensure!(
            begun.elapsed() < STOP_PATIENCE,
            "the service did not stop within {} s; end its process, then try again",
            STOP_PATIENCE.as_secs()
        );
        std::thread::sleep(LOOK);
    }
    service.delete().map_err(explained)?;
    log::remove_source(NAME).context("failed to take the name out of the Event Log")?;

    Ok(vec![format!(
        "the service `{NAME}` is removed; its configuration and state are kept below C:\\ProgramData\\Shirase"
    )])
}

fn manager(access: ServiceManagerAccess) -> anyhow::Result<ServiceManager> {
    ServiceManager::local_computer(None::<&str>, access).map_err(explained)
}

/// The library keeps the system's reason inside.
fn explained(error: Error) -> anyhow::Error {
    let refused =
        matches!(&error, Error::Winapi(error) if error.kind() == io::ErrorKind::PermissionDenied);
    let what = match refused {
        true => "the service manager refused; run this as administrator",
        false => "the service manager refused",
    };

    anyhow::Error::from(error).context(what)
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error().map(i32::cast_unsigned) == Some(code)
}
