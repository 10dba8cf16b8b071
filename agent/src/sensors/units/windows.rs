//! Asks the Service Control Manager for all its services at once, and which of them start with the system.
//!
//! Services that are started on demand are left out: on Windows they come and go by the dozen all day. Names have the
//! ending they have on the other systems, which Windows does not know.

use std::collections::BTreeMap;
use std::ptr;
use std::time::Duration;

use tokio::task::JoinHandle;
use windows_service::service::{ServiceAccess, ServiceStartType};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::Foundation::ERROR_MORE_DATA;
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ENUM_SERVICE_STATUS_PROCESSW, EnumServicesStatusExW, OpenSCManagerW,
    SC_ENUM_PROCESS_INFO, SC_HANDLE, SC_MANAGER_CONNECT, SC_MANAGER_ENUMERATE_SERVICE,
    SERVICE_CONTINUE_PENDING, SERVICE_PAUSE_PENDING, SERVICE_PAUSED, SERVICE_RUNNING,
    SERVICE_START_PENDING, SERVICE_STATE_ALL, SERVICE_STOP_PENDING, SERVICE_WIN32,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{GetSystemMetrics, SM_SHUTTINGDOWN};

use super::{Bus, Jobs, Listing, Unit};
use crate::wide;

/// What the sensor sees with.
pub(super) const NAME: &str = "service control manager";
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Services taken at once, in words of eight bytes.
const ROOM_WORDS: usize = 32 * 1024;
/// What the manager says of itself while the system goes down, in the words of the other systems.
const STOPPING: &str = "stopping";
/// Ending of a service's name.
const SERVICE: &str = ".service";
/// Longest name of a service, in units of UTF-16.
const NAME_MAX_UNITS: usize = 256;

/// Every Windows has one.
pub(super) fn is_there() -> bool {
    true
}

/// Asks one question at a time: one that hangs is waited for, not repeated.
pub(super) struct Manager {
    hanging: Option<JoinHandle<()>>,
    /// Which services start by themselves, as far as that was looked up.
    starts: BTreeMap<String, String>,
}

/// One service as the manager lists it.
struct Listed {
    name: String,
    unit: Unit,
    process: u32,
}

impl Manager {
    pub(super) fn new(_: Bus) -> Self {
        Self { hanging: None, starts: BTreeMap::new() }
    }

    /// Tells whether the system goes down; Windows does not say what a service is stopped for.
    pub(super) async fn jobs(&mut self) -> Result<Jobs, String> {
        let listing = self.list().await?;

        Ok(Jobs { system: listing.system, ..Jobs::default() })
    }

    /// Lists the services that start with the system.
    pub(super) async fn list(&mut self) -> Result<Listing, String> {
        let known = self.starts.clone();
        let (listing, starts) = self
            .patiently(move || {
                let listed = list()?;
                let unknown: Vec<_> = listed
                    .iter()
                    .filter(|service| !known.contains_key(&service.name))
                    .map(|service| service.name.clone())
                    .collect();
                let mut starts = known;
                starts.extend(look_up(&unknown)?);
                let units = listed
                    .into_iter()
                    .filter(|service| {
                        starts
                            .get(&service.name)
                            .is_some_and(|word| word == "enabled")
                    })
                    .map(|service| (service.name, service.unit))
                    .collect();
                Ok((Listing { system: system(), units }, starts))
            })
            .await?;
        self.starts = starts;

        Ok(listing)
    }

    /// Returns those of the names that are installed, with the word for whether they start with the system.
    pub(super) async fn installed(
        &mut self,
        names: &[String],
    ) -> Result<BTreeMap<String, String>, String> {
        // What was looked up is looked up anew, a few times an hour: somebody may have changed it.
        self.starts.clear();
        let names = names.to_vec();
        self.patiently(move || look_up(&names)).await
    }

    /// Returns the service this process belongs to, if it is one.
    pub(super) async fn own_service(&mut self) -> Result<Option<String>, String> {
        self.patiently(|| {
            let own = std::process::id();
            let found = list()?.into_iter().find(|service| service.process == own);
            Ok(found.map(|service| service.name))
        })
        .await
    }

    async fn patiently<T: Send + 'static>(
        &mut self,
        ask: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        if self
            .hanging
            .as_ref()
            .is_some_and(|hanging| !hanging.is_finished())
        {
            return Err(silent());
        }
        let (answer, answered) = tokio::sync::oneshot::channel();
        let asking = tokio::task::spawn_blocking(move || drop(answer.send(ask())));
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(answered) => answered.map_err(|_| "the question failed".to_owned())?,
            Err(_) => {
                self.hanging = Some(asking);
                Err(silent())
            }
        }
    }
}

fn silent() -> String {
    format!("the service control manager did not answer within {} s", PATIENCE.as_secs())
}

/// Returns which of the services there are, with the word for how they start.
fn look_up(names: &[String]) -> Result<BTreeMap<String, String>, String> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
        .map_err(|error| format!("the service control manager does not answer: {error}"))?;
    let word = |name: &String| {
        let own = name.strip_suffix(SERVICE).unwrap_or(name);
        let service = manager
            .open_service(own, ServiceAccess::QUERY_CONFIG)
            .ok()?;
        let word = match service.query_config().ok()?.start_type {
            ServiceStartType::AutoStart
            | ServiceStartType::BootStart
            | ServiceStartType::SystemStart => "enabled",
            ServiceStartType::OnDemand => "static",
            ServiceStartType::Disabled => "disabled",
        };
        Some((name.clone(), word.to_owned()))
    };

    Ok(names.iter().filter_map(word).collect())
}

#[expect(unsafe_code, reason = "no safe binding")]
fn system() -> String {
    // SAFETY: a number goes in, a number comes out.
    let ends = unsafe { GetSystemMetrics(SM_SHUTTINGDOWN) } != 0;
    if ends { STOPPING.to_owned() } else { "running".to_owned() }
}

/// A connection to the manager.
struct Connection(SC_HANDLE);

impl Drop for Connection {
    #[expect(unsafe_code, reason = "the system made it and wants it back")]
    fn drop(&mut self) {
        // SAFETY: it came from the system, and this is its only owner.
        unsafe { CloseServiceHandle(self.0) };
    }
}

#[expect(unsafe_code, reason = "no safe binding lists services")]
fn list() -> Result<Vec<Listed>, String> {
    let failed = || format!("services cannot be listed: {}", std::io::Error::last_os_error());
    let access = SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE;
    // SAFETY: no names; what is opened is owned below.
    let manager = Connection(unsafe { OpenSCManagerW(ptr::null(), ptr::null(), access) });
    if manager.0.is_null() {
        return Err(failed());
    }
    let mut room = vec![0_u64; ROOM_WORDS];
    let mut found = Vec::new();
    let mut resume = 0;
    loop {
        let bytes = u32::try_from(size_of_val(room.as_slice())).unwrap_or(0);
        let (mut needed, mut count) = (0, 0);
        // SAFETY: the room is as large as said and aligned for the structures the manager writes into it.
        let whole = unsafe {
            EnumServicesStatusExW(
                manager.0,
                SC_ENUM_PROCESS_INFO,
                SERVICE_WIN32,
                SERVICE_STATE_ALL,
                room.as_mut_ptr().cast(),
                bytes,
                &raw mut needed,
                &raw mut count,
                &raw mut resume,
                ptr::null(),
            )
        };
        let last = std::io::Error::last_os_error()
            .raw_os_error()
            .map(i32::cast_unsigned);
        if whole == 0 && (last != Some(ERROR_MORE_DATA) || count == 0) {
            return Err(failed());
        }
        let count = usize::try_from(count).unwrap_or(0);
        // SAFETY: the manager has just written that many structures to the beginning of the room.
        let services = unsafe {
            std::slice::from_raw_parts(room.as_ptr().cast::<ENUM_SERVICE_STATUS_PROCESSW>(), count)
        };
        found.extend(services.iter().map(|service| Listed {
            name: name_of(service) + SERVICE,
            unit: unit(service.ServiceStatusProcess.dwCurrentState),
            process: service.ServiceStatusProcess.dwProcessId,
        }));
        if whole != 0 {
            return Ok(found);
        }
    }
}

#[expect(unsafe_code, reason = "the manager tells names as pointers into the room it filled")]
fn name_of(service: &ENUM_SERVICE_STATUS_PROCESSW) -> String {
    // SAFETY: the name lies in the room, which is still as it was filled, and ends with a zero.
    unsafe { wide::read(service.lpServiceName, NAME_MAX_UNITS) }
}

/// Puts a state into the words of the other systems.
fn unit(state: u32) -> Unit {
    let (active, sub) = match state {
        SERVICE_RUNNING => ("active", "running"),
        SERVICE_START_PENDING | SERVICE_CONTINUE_PENDING => ("activating", "start"),
        SERVICE_STOP_PENDING | SERVICE_PAUSE_PENDING => ("deactivating", "stop"),
        SERVICE_PAUSED => ("inactive", "paused"),
        _ => ("inactive", "dead"),
    };

    Unit { active: active.to_owned(), sub: sub.to_owned() }
}
