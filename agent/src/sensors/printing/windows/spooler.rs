//! Speaks with the print spooler.

use std::collections::BTreeSet;
use std::io;
use std::ptr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, HANDLE, INVALID_HANDLE_VALUE, SYSTEMTIME, WAIT_FAILED, WAIT_TIMEOUT,
};
use windows_sys::Win32::Graphics::Printing::{
    ClosePrinter, EnumJobsW, EnumPrintersW, FindClosePrinterChangeNotification,
    FindFirstPrinterChangeNotification, FindNextPrinterChangeNotification, JOB_INFO_1W,
    OpenPrinterW, PRINTER_CHANGE_ADD_JOB, PRINTER_ENUM_LOCAL, PRINTER_HANDLE, PRINTER_INFO_4W,
};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

/// Jobs asked for of one printer.
const JOBS_MAX: u32 = 1000;
/// Longest text read, in units of UTF-16.
const TEXT_MAX_UNITS: usize = 1024;
/// Tries to get a list that grows while it is asked for.
const TRIES: usize = 4;

/// A job in a queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Job {
    pub(super) printer: String,
    pub(super) number: u32,
    pub(super) made_at: Timestamp,
    pub(super) title: String,
}

/// The spooler of this machine.
pub(super) struct Spooler {
    /// Open as long as changes are told.
    _server: Printer,
    changes: HANDLE,
}

/// An open printer, or the spooler itself.
struct Printer(PRINTER_HANDLE);

impl Spooler {
    /// Connects, and has it say when a job is added.
    #[expect(unsafe_code, reason = "the spooler has no safe binding")]
    pub(super) fn open() -> io::Result<Self> {
        let server = Printer::open(None)?;
        // SAFETY: the server is open; no further particulars are asked for.
        let changes = unsafe {
            FindFirstPrinterChangeNotification(server.0, PRINTER_CHANGE_ADD_JOB, 0, ptr::null())
        };
        if changes == INVALID_HANDLE_VALUE || changes.is_null() {
            return Err(io::Error::last_os_error());
        }

        Ok(Self { _server: server, changes })
    }

    /// Waits until a job was added. Returns whether one was.
    #[expect(unsafe_code, reason = "the spooler has no safe binding")]
    pub(super) fn wait(&self, patience: Duration) -> io::Result<bool> {
        let millis = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        // SAFETY: the handle is open as long as this is.
        match unsafe { WaitForSingleObject(self.changes, millis) } {
            WAIT_TIMEOUT => return Ok(false),
            WAIT_FAILED => return Err(io::Error::last_os_error()),
            _ => {}
        }
        let mut what = 0;
        // SAFETY: as above; particulars are not asked for.
        let told = unsafe {
            FindNextPrinterChangeNotification(
                self.changes,
                &raw mut what,
                ptr::null(),
                ptr::null_mut(),
            )
        };
        if told == 0 { Err(io::Error::last_os_error()) } else { Ok(true) }
    }

    /// Returns what is in every queue of this machine.
    pub(super) fn jobs(&self) -> io::Result<BTreeSet<Job>> {
        let mut jobs = BTreeSet::new();
        for name in printers()? {
            // One that was removed meanwhile has none.
            if let Ok(printer) = Printer::open(Some(&name)) {
                jobs.extend(printer.jobs(&name)?);
            }
        }

        Ok(jobs)
    }
}

impl Drop for Spooler {
    #[expect(unsafe_code, reason = "the system made it and wants it back")]
    fn drop(&mut self) {
        // SAFETY: it came from the system, this is its only owner, and the server is still open.
        unsafe { FindClosePrinterChangeNotification(self.changes) };
    }
}

impl Printer {
    #[expect(unsafe_code, reason = "the spooler has no safe binding")]
    fn open(name: Option<&str>) -> io::Result<Self> {
        let name: Option<Vec<u16>> = name.map(|name| name.encode_utf16().chain([0]).collect());
        let mut opened = PRINTER_HANDLE::default();
        let name = name.as_ref().map_or(ptr::null(), Vec::as_ptr);
        // SAFETY: the name ends with a zero and lives until the call returns, or there is none.
        let done = unsafe { OpenPrinterW(name, &raw mut opened, ptr::null()) };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(opened)) }
    }

    #[expect(unsafe_code, reason = "the spooler has no safe binding")]
    fn jobs(&self, printer: &str) -> io::Result<Vec<Job>> {
        let (room, count) = filled(|into, bytes, needed, count| {
            // SAFETY: the room is as large as said; the printer is open.
            unsafe { EnumJobsW(self.0, 0, JOBS_MAX, 1, into, bytes, needed, count) }
        })?;
        // SAFETY: the spooler has just written that many structures to the beginning of the room.
        let jobs =
            unsafe { std::slice::from_raw_parts(room.as_ptr().cast::<JOB_INFO_1W>(), count) };

        Ok(jobs
            .iter()
            .map(|job| Job {
                printer: printer.to_owned(),
                number: job.JobId,
                made_at: time(&job.Submitted),
                title: text(job.pDocument),
            })
            .collect())
    }
}

impl Drop for Printer {
    #[expect(unsafe_code, reason = "the system made it and wants it back")]
    fn drop(&mut self) {
        // SAFETY: it came from the system, and this is its only owner.
        unsafe { ClosePrinter(self.0) };
    }
}

#[expect(unsafe_code, reason = "the spooler has no safe binding")]
fn printers() -> io::Result<Vec<String>> {
    let (room, count) = filled(|into, bytes, needed, count| {
        // SAFETY: the room is as large as said; there is no name.
        unsafe { EnumPrintersW(PRINTER_ENUM_LOCAL, ptr::null(), 4, into, bytes, needed, count) }
    })?;
    // SAFETY: the spooler has just written that many structures to the beginning of the room.
    let printers =
        unsafe { std::slice::from_raw_parts(room.as_ptr().cast::<PRINTER_INFO_4W>(), count) };

    Ok(printers
        .iter()
        .map(|printer| text(printer.pPrinterName))
        .collect())
}

/// Has the spooler fill room, which is made as large as it says.
fn filled(
    mut ask: impl FnMut(*mut u8, u32, *mut u32, *mut u32) -> i32,
) -> io::Result<(Vec<u64>, usize)> {
    let mut room = vec![0_u64; 1024];
    for _ in 0..TRIES {
        let (mut needed, mut count) = (0, 0);
        let bytes = u32::try_from(size_of_val(room.as_slice())).unwrap_or(0);
        if ask(room.as_mut_ptr().cast(), bytes, &raw mut needed, &raw mut count) != 0 {
            return Ok((room, usize::try_from(count).unwrap_or(0)));
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error().map(i32::cast_unsigned) != Some(ERROR_INSUFFICIENT_BUFFER) {
            return Err(error);
        }
        room.resize(
            usize::try_from(needed)
                .unwrap_or(0)
                .div_ceil(8)
                .max(room.len() * 2),
            0,
        );
    }

    Err(io::ErrorKind::OutOfMemory.into())
}

#[expect(unsafe_code, reason = "the spooler tells texts as pointers into the room it filled")]
fn text(from: *const u16) -> String {
    let mut units = Vec::new();
    if from.is_null() {
        return String::new();
    }
    for at in 0..TEXT_MAX_UNITS {
        // SAFETY: the text lies in the room, which is still as it was filled, and ends with a zero, where this stops.
        let unit = unsafe { *from.add(at) };
        if unit == 0 {
            break;
        }
        units.push(unit);
    }

    String::from_utf16_lossy(&units)
}

/// The spooler tells UTC, and no time at all for a job it does not know one of.
fn time(told: &SYSTEMTIME) -> Timestamp {
    let small = |number: u16| i8::try_from(number).unwrap_or(0);
    let made = || {
        let year = i16::try_from(told.wYear).ok()?;
        let (hour, minute, second) = (small(told.wHour), small(told.wMinute), small(told.wSecond));
        let civil =
            DateTime::new(year, small(told.wMonth), small(told.wDay), hour, minute, second, 0)
                .ok()?;
        civil
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    };

    made().unwrap_or(Timestamp::UNIX_EPOCH)
}
