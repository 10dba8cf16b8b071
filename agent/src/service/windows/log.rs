//! The Event Log: the agent's own log while it runs as a service, and the last resort when no collector answers.

use std::io;
use std::ptr;

use jiff::Timestamp;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE,
    RegisterEventSourceW, ReportEventW,
};
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, KEY_SET_VALUE, REG_DWORD, REG_EXPAND_SZ, REG_OPTION_NON_VOLATILE,
    RegCloseKey, RegCreateKeyExW, RegDeleteTreeW, RegSetValueExW,
};

use super::manager;
use crate::wide::wide;

/// Where the system keeps who writes to its log.
const SOURCES: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";
/// A file of the system's whose messages 1 to 1000 are just the text that is given. So no file of our own is needed.
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";
/// The number of the one message.
const MESSAGE: u32 = 1;

/// Writes one line to the Event Log, for the night when no collector answers.
pub(crate) fn write_system_log(message: &str, _: Timestamp) -> io::Result<()> {
    write(message, EVENTLOG_ERROR_TYPE)
}

#[expect(unsafe_code, reason = "the Event Log has no safe binding")]
fn write(message: &str, kind: u16) -> io::Result<()> {
    let (source, text) = (wide(manager::NAME), wide(message));
    // SAFETY: both texts end with a zero and live until the calls return; the handle is closed once.
    unsafe {
        let log = RegisterEventSourceW(ptr::null(), source.as_ptr());
        if log.is_null() {
            return Err(io::Error::last_os_error());
        }
        let texts = [text.as_ptr()];
        let none = ptr::null_mut();
        let written = ReportEventW(log, kind, 0, MESSAGE, none, 1, 0, texts.as_ptr(), ptr::null());
        let result = if written == 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
        DeregisterEventSource(log);
        result
    }
}

/// Where the log goes: to the Event Log while this runs as a service, else to standard error.
pub(crate) struct LogWriter;

/// Returns where the log goes.
pub(crate) const fn log_writer() -> LogWriter {
    LogWriter
}

/// One line of the log.
pub(crate) struct Line {
    kind: u16,
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line { kind: EVENTLOG_INFORMATION_TYPE }
    }

    fn make_writer_for(&self, of: &Metadata<'_>) -> Line {
        let kind = match *of.level() {
            Level::ERROR => EVENTLOG_ERROR_TYPE,
            Level::WARN => EVENTLOG_WARNING_TYPE,
            _ => EVENTLOG_INFORMATION_TYPE,
        };
        Line { kind }
    }
}

impl io::Write for Line {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if !manager::is_service() {
            return io::stderr().write(text);
        }
        write(String::from_utf8_lossy(text).trim_end(), self.kind)?;

        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Has the Event Log show lines of this name as they are.
#[expect(unsafe_code, reason = "the registry has no safe binding here")]
pub(super) fn register_source(name: &str) -> io::Result<()> {
    let key = wide(&format!(r"{SOURCES}\{name}"));
    let mut opened = ptr::null_mut();
    // SAFETY: the name ends with a zero; what is opened is closed below.
    told(unsafe {
        RegCreateKeyExW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            0,
            ptr::null(),
            REG_OPTION_NON_VOLATILE,
            KEY_SET_VALUE,
            ptr::null(),
            &raw mut opened,
            ptr::null_mut(),
        )
    })?;
    let file: Vec<u8> = wide(MESSAGES)
        .iter()
        .flat_map(|unit| unit.to_le_bytes())
        .collect();
    let kinds = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    let values = [
        ("EventMessageFile", REG_EXPAND_SZ, file),
        ("TypesSupported", REG_DWORD, u32::from(kinds).to_le_bytes().to_vec()),
    ];
    let mut result = Ok(());
    for (name, kind, value) in values {
        let name = wide(name);
        let length = u32::try_from(value.len()).unwrap_or(0);
        // SAFETY: the key is open; name and value live until the call returns and are as long as said.
        let set = unsafe { RegSetValueExW(opened, name.as_ptr(), 0, kind, value.as_ptr(), length) };
        result = result.and(told(set));
    }
    // SAFETY: it was opened above and is closed once.
    unsafe { RegCloseKey(opened) };

    result
}

/// Takes a name out of the Event Log's list; what it wrote stays.
#[expect(unsafe_code, reason = "the registry has no safe binding here")]
pub(super) fn remove_source(name: &str) -> io::Result<()> {
    let key = wide(&format!(r"{SOURCES}\{name}"));
    // SAFETY: the name ends with a zero and lives until the call returns.
    match unsafe { RegDeleteTreeW(HKEY_LOCAL_MACHINE, key.as_ptr()) } {
        ERROR_FILE_NOT_FOUND => Ok(()),
        code => told(code),
    }
}

/// The registry returns its errors instead of setting them.
fn told(code: u32) -> io::Result<()> {
    match code {
        ERROR_SUCCESS => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}
