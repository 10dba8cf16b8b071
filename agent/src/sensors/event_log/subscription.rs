//! Has Windows hand over the entries of a log, the old ones first and then each as it comes.

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_NO_MORE_ITEMS, WAIT_FAILED};
use windows_sys::Win32::System::EventLog::{
    EVT_HANDLE, EvtClose, EvtCreateBookmark, EvtNext, EvtQuery, EvtQueryChannelPath,
    EvtQueryForwardDirection, EvtRender, EvtRenderEventXml, EvtSubscribe,
    EvtSubscribeStartAfterBookmark, EvtSubscribeStrict, EvtSubscribeToFutureEvents,
};
use windows_sys::Win32::System::Threading::{CreateEventW, ResetEvent, WaitForSingleObject};

use crate::wide::wide;

/// Entries taken at once.
const TOGETHER: usize = 64;
/// Longest entry read, in units of UTF-16.
const ENTRY_MAX_UNITS: usize = 64 * 1024;

/// A log that is followed.
pub(crate) struct Subscription {
    entries: Handle,
    signal: OwnedHandle,
}

/// A handle of the event log's.
struct Handle(EVT_HANDLE);

impl Subscription {
    /// Follows a log, with the entries behind number `after`, or with those from now on. Fails if the entries behind
    /// that number are gone.
    #[expect(unsafe_code, reason = "the event log has no safe binding")]
    pub(crate) fn open(log: &str, kinds: &[u32], after: Option<u64>) -> io::Result<Self> {
        // SAFETY: no name and no attributes; what is made is owned below.
        let signal = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
        if signal.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the system has just made it, and nobody else knows it.
        let signal = unsafe { OwnedHandle::from_raw_handle(signal) };
        let bookmark = after.map(|number| bookmark(log, number)).transpose()?;
        let flags = match bookmark {
            Some(_) => EvtSubscribeStartAfterBookmark | EvtSubscribeStrict,
            None => EvtSubscribeToFutureEvents,
        };
        let (name, query) = (wide(log), wide(&query(kinds)));
        // SAFETY: both texts end with a zero and live until the call returns; the event lives as long as what is opened.
        let entries = unsafe {
            EvtSubscribe(
                0,
                signal.as_raw_handle(),
                name.as_ptr(),
                query.as_ptr(),
                bookmark.as_ref().map_or(0, |bookmark| bookmark.0),
                ptr::null(),
                None,
                flags,
            )
        };

        Ok(Self { entries: Handle::of(entries)?, signal })
    }

    /// Waits for entries and returns them as XML, oldest first; none if none came in time.
    #[expect(unsafe_code, reason = "the event log has no safe binding")]
    pub(crate) fn next(&self, patience: Duration) -> io::Result<Vec<String>> {
        let mut handles = [0; TOGETHER];
        let room = u32::try_from(TOGETHER).unwrap_or(0);
        let mut count = 0;
        // SAFETY: the array has the room that is said; each handle in it is owned below.
        let got =
            unsafe { EvtNext(self.entries.0, room, handles.as_mut_ptr(), 0, 0, &raw mut count) };
        if got == 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error().map(i32::cast_unsigned) != Some(ERROR_NO_MORE_ITEMS) {
                return Err(error);
            }
            return self.wait(patience).map(|()| Vec::new());
        }
        let handles = handles
            .into_iter()
            .take(usize::try_from(count).unwrap_or(0));

        handles.map(Handle).map(|entry| render(&entry)).collect()
    }

    #[expect(unsafe_code, reason = "no safe binding waits for an event")]
    fn wait(&self, patience: Duration) -> io::Result<()> {
        let millis = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        // SAFETY: the event is open as long as this is.
        let waited = unsafe { WaitForSingleObject(self.signal.as_raw_handle(), millis) };
        if waited == WAIT_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: as above. Reset before the next question, so that an entry that comes in between is not slept over.
        unsafe { ResetEvent(self.signal.as_raw_handle()) };

        Ok(())
    }
}

/// Returns the oldest entry a log holds, as XML; `None` if it is empty.
#[expect(unsafe_code, reason = "the event log has no safe binding")]
pub(crate) fn oldest(log: &str) -> io::Result<Option<String>> {
    let (name, query) = (wide(log), wide("*"));
    // SAFETY: both texts end with a zero and live until the call returns; what is opened is owned.
    let found = Handle::of(unsafe {
        let flags = EvtQueryChannelPath | EvtQueryForwardDirection;
        EvtQuery(0, name.as_ptr(), query.as_ptr(), flags)
    })?;
    let (mut handle, mut count) = (0, 0);
    // SAFETY: there is room for the one that is asked for, which is owned below.
    let got = unsafe { EvtNext(found.0, 1, &raw mut handle, 0, 0, &raw mut count) };
    if got == 0 {
        let error = io::Error::last_os_error();
        let is_empty = error.raw_os_error().map(i32::cast_unsigned) == Some(ERROR_NO_MORE_ITEMS);
        return if is_empty { Ok(None) } else { Err(error) };
    }

    render(&Handle::of(handle)?).map(Some)
}

impl Handle {
    fn of(handle: EVT_HANDLE) -> io::Result<Self> {
        if handle == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }
}

impl Drop for Handle {
    #[expect(unsafe_code, reason = "the system made it and wants it back")]
    fn drop(&mut self) {
        // SAFETY: it came from the system, and this is its only owner.
        unsafe { EvtClose(self.0) };
    }
}

#[expect(unsafe_code, reason = "the event log has no safe binding")]
fn bookmark(log: &str, number: u64) -> io::Result<Handle> {
    let xml = wide(&format!(
        "<BookmarkList><Bookmark Channel='{log}' RecordId='{number}' IsCurrent='true'/></BookmarkList>"
    ));
    // SAFETY: the text ends with a zero and lives until the call returns.
    Handle::of(unsafe { EvtCreateBookmark(xml.as_ptr()) })
}

#[expect(unsafe_code, reason = "the event log has no safe binding")]
fn render(entry: &Handle) -> io::Result<String> {
    let mut text = vec![0_u16; 4096];
    loop {
        let room = u32::try_from(text.len() * 2).unwrap_or(0);
        let (mut used, mut properties) = (0, 0);
        // SAFETY: the buffer has the room that is said; the entry is open.
        let rendered = unsafe {
            let into = text.as_mut_ptr().cast();
            EvtRender(0, entry.0, EvtRenderEventXml, room, into, &raw mut used, &raw mut properties)
        };
        let units = usize::try_from(used).unwrap_or(0) / 2;
        if rendered != 0 {
            text.truncate(units);
            return Ok(String::from_utf16_lossy(&text)
                .trim_end_matches('\0')
                .to_owned());
        }
        let error = io::Error::last_os_error();
        let too_small =
            error.raw_os_error().map(i32::cast_unsigned) == Some(ERROR_INSUFFICIENT_BUFFER);
        if !too_small || ENTRY_MAX_UNITS < units {
            return Err(error);
        }
        text.resize(units.max(text.len() + 1), 0);
    }
}

/// The question for entries of these kinds.
fn query(kinds: &[u32]) -> String {
    let kinds: Vec<_> = kinds.iter().map(|kind| format!("EventID={kind}")).collect();
    format!("*[System[({})]]", kinds.join(" or "))
}
