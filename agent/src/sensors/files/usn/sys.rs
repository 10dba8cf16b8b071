//! Asks Windows about volumes, journals and file ids.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::{Component, Path, PathBuf, Prefix};
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_JOURNAL_NOT_ACTIVE, ERROR_NOT_SUPPORTED, GENERIC_READ, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, ExtendedFileIdType, FILE_FLAG_BACKUP_SEMANTICS, FILE_ID_128, FILE_ID_DESCRIPTOR,
    FILE_ID_DESCRIPTOR_0, FILE_ID_INFO, FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, FileIdInfo, FileIdType, GetFileInformationByHandleEx,
    GetFinalPathNameByHandleW, GetVolumeNameForVolumeMountPointW, GetVolumePathNameW,
    OPEN_EXISTING, OpenFileById,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{
    CREATE_USN_JOURNAL_DATA, FSCTL_CREATE_USN_JOURNAL, FSCTL_QUERY_USN_JOURNAL,
    FSCTL_READ_USN_JOURNAL, READ_USN_JOURNAL_DATA_V1, USN_JOURNAL_DATA_V0,
};

use super::places::Locate;
use super::position::Journal;
use super::records::{FileId, REASONS};

/// Longest path Windows has, in units of UTF-16.
const PATH_MAX_UNITS: usize = 32_768;
/// Everybody may go on working with what is opened here.
const SHARED: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
/// Size of a journal that is made where there is none: about a hundred thousand changes.
const JOURNAL_BYTES: u64 = 64 << 20;
/// Step in which it grows.
const JOURNAL_STEP_BYTES: u64 = 8 << 20;

/// A volume whose journal can be read.
pub(super) struct Volume(OwnedHandle);

/// Where a path's volume is mounted (`D:\`) and what the system calls it (`\\?\Volume{…}\`).
pub(super) struct VolumeName {
    pub(super) mounted: PathBuf,
    pub(super) name: String,
}

impl VolumeName {
    /// Finds the volume a path is on. A network share has none.
    #[expect(unsafe_code, reason = "no safe binding")]
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let path = wide(&plain(path)?);
        let mut mounted = vec![0; PATH_MAX_UNITS];
        let room = u32::try_from(mounted.len()).unwrap_or(0);
        // SAFETY: the path ends with a zero, and the buffer has the room that is said.
        succeeded(unsafe { GetVolumePathNameW(path.as_ptr(), mounted.as_mut_ptr(), room) })?;
        let mut name = [0; 64];
        // SAFETY: as above; the first buffer was just filled and ends with a zero.
        succeeded(unsafe {
            GetVolumeNameForVolumeMountPointW(mounted.as_ptr(), name.as_mut_ptr(), 64)
        })?;

        Ok(Self {
            mounted: PathBuf::from(text(&mounted)),
            name: text(&name).to_string_lossy().into_owned(),
        })
    }
}

impl Volume {
    /// Opens a volume. It needs an administrator.
    #[expect(unsafe_code, reason = "no safe binding opens a volume by its name alone")]
    pub(super) fn open(name: &str) -> io::Result<Self> {
        // With the backslash at the end it would be the root directory.
        let name = wide(Path::new(name.trim_end_matches('\\')));
        // SAFETY: the name ends with a zero; what is made is owned below.
        let handle = unsafe {
            CreateFileW(
                name.as_ptr(),
                GENERIC_READ,
                SHARED,
                ptr::null(),
                OPEN_EXISTING,
                0,
                ptr::null_mut(),
            )
        };
        owned(handle).map(Self)
    }

    /// Returns the journal, which is made if there is none, and whether it was.
    pub(super) fn journal(&self) -> io::Result<(Journal, bool)> {
        match self.query() {
            Err(error) if is(&error, ERROR_JOURNAL_NOT_ACTIVE) => {
                let wanted = CREATE_USN_JOURNAL_DATA {
                    MaximumSize: JOURNAL_BYTES,
                    AllocationDelta: JOURNAL_STEP_BYTES,
                };
                self.control(FSCTL_CREATE_USN_JOURNAL, Some(&wanted), &mut [])?;
                Ok((self.query()?, true))
            }
            found => Ok((found?, false)),
        }
    }

    #[expect(unsafe_code, reason = "the system fills a structure of its own")]
    fn query(&self) -> io::Result<Journal> {
        let mut room = [0_u64; size_of::<USN_JOURNAL_DATA_V0>() / 8];
        self.control::<u64>(FSCTL_QUERY_USN_JOURNAL, None, &mut room)?;
        // SAFETY: the room has the structure's size and alignment, and any bytes are one.
        let told = unsafe { &*room.as_ptr().cast::<USN_JOURNAL_DATA_V0>() };

        Ok(Journal { id: told.UsnJournalID, first: told.FirstUsn, next: told.NextUsn })
    }

    /// Reads the records from a number on, as many as fit. Returns how many bytes were filled.
    pub(super) fn read(&self, from: i64, journal: u64, room: &mut [u64]) -> io::Result<usize> {
        let wanted = READ_USN_JOURNAL_DATA_V1 {
            StartUsn: from,
            ReasonMask: REASONS,
            ReturnOnlyOnClose: 0,
            Timeout: 0,
            BytesToWaitFor: 0,
            UsnJournalID: journal,
            MinMajorVersion: 2,
            MaxMajorVersion: 3,
        };
        self.control(FSCTL_READ_USN_JOURNAL, Some(&wanted), room)
    }

    #[expect(unsafe_code, reason = "no safe binding")]
    fn control<T>(&self, code: u32, wanted: Option<&T>, room: &mut [u64]) -> io::Result<usize> {
        let bytes = |length: usize| u32::try_from(length).unwrap_or(0);
        let (wanted, length) = wanted
            .map_or((ptr::null(), 0), |wanted| (ptr::from_ref(wanted), bytes(size_of::<T>())));
        let mut filled = 0;
        // SAFETY: both buffers live until the call returns, which waits, and have the lengths that are said.
        succeeded(unsafe {
            DeviceIoControl(
                self.0.as_raw_handle(),
                code,
                wanted.cast(),
                length,
                room.as_mut_ptr().cast(),
                bytes(size_of_val(room)),
                &raw mut filled,
                ptr::null_mut(),
            )
        })?;

        Ok(usize::try_from(filled).unwrap_or(0))
    }
}

impl Locate for Volume {
    #[expect(unsafe_code, reason = "no safe binding opens by id")]
    fn path_of(&self, id: FileId) -> io::Result<PathBuf> {
        // NTFS knows its ids by 64 bits, whatever the length in which the journal writes them; ReFS needs all.
        let (kind, id) = match i64::try_from(id) {
            Ok(short) => (FileIdType, FILE_ID_DESCRIPTOR_0 { FileId: short }),
            Err(_) => {
                let long = FILE_ID_128 { Identifier: id.to_le_bytes() };
                (ExtendedFileIdType, FILE_ID_DESCRIPTOR_0 { ExtendedFileId: long })
            }
        };
        let size = u32::try_from(size_of::<FILE_ID_DESCRIPTOR>()).unwrap_or(0);
        let descriptor = FILE_ID_DESCRIPTOR { dwSize: size, Type: kind, Anonymous: id };
        // SAFETY: the descriptor lives until the call returns; what is opened is owned below.
        let handle = unsafe {
            OpenFileById(
                self.0.as_raw_handle(),
                &raw const descriptor,
                FILE_READ_ATTRIBUTES,
                SHARED,
                ptr::null(),
                FILE_FLAG_BACKUP_SEMANTICS,
            )
        };
        final_path(&owned(handle)?)
    }

    #[expect(unsafe_code, reason = "the standard library does not tell ids")]
    fn id_of(&self, path: &Path) -> io::Result<FileId> {
        let opened = look_at(path)?;
        let mut told = FILE_ID_INFO::default();
        let size = u32::try_from(size_of::<FILE_ID_INFO>()).unwrap_or(0);
        // SAFETY: what is filled lives until the call returns and has the size that is said.
        succeeded(unsafe {
            let into = (&raw mut told).cast();
            GetFileInformationByHandleEx(opened.as_raw_handle(), FileIdInfo, into, size)
        })?;

        Ok(FileId::from_le_bytes(told.FileId.Identifier))
    }

    fn directories_in(&self, path: &Path) -> Vec<OsString> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.file_name())
            .collect()
    }
}

/// Whether an error is this one of the system's.
pub(super) fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error().map(i32::cast_unsigned) == Some(code)
}

/// Opens something without a right to its content.
fn look_at(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(FILE_READ_ATTRIBUTES)
        .share_mode(SHARED)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)
}

#[expect(unsafe_code, reason = "no safe binding")]
fn final_path(handle: &OwnedHandle) -> io::Result<PathBuf> {
    let mut path = vec![0; PATH_MAX_UNITS];
    let room = u32::try_from(path.len()).unwrap_or(0);
    // SAFETY: the buffer has the room that is said.
    let length =
        unsafe { GetFinalPathNameByHandleW(handle.as_raw_handle(), path.as_mut_ptr(), room, 0) };
    match usize::try_from(length)
        .ok()
        .and_then(|length| path.get(..length))
    {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(OsString::from_wide(path))),
        Some(_) | None => Err(io::Error::last_os_error()),
    }
}

#[expect(unsafe_code, reason = "the one place where a handle gets an owner")]
fn owned(handle: windows_sys::Win32::Foundation::HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE || handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has just made it, and nobody else knows it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn succeeded(result: windows_sys::core::BOOL) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Returns a path without `\\?\`, with which not every question about volumes is answered. A share has no volume here.
fn plain(path: &Path) -> io::Result<PathBuf> {
    let mut parts = path.components();
    match parts.next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::VerbatimDisk(letter) => {
                let mut plain = PathBuf::from(format!(r"{}:\", char::from(letter)));
                plain.extend(parts.filter(|part| *part != Component::RootDir));
                Ok(plain)
            }
            Prefix::UNC(..) | Prefix::VerbatimUNC(..) => {
                Err(io::Error::from_raw_os_error(ERROR_NOT_SUPPORTED.cast_signed()))
            }
            Prefix::Disk(_) | Prefix::Verbatim(_) | Prefix::DeviceNS(_) => Ok(path.to_owned()),
        },
        Some(_) | None => Ok(path.to_owned()),
    }
}

fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

/// Returns what stands before the first zero.
fn text(units: &[u16]) -> OsString {
    let end = units.iter().position(|unit| *unit == 0);
    OsString::from_wide(units.get(..end.unwrap_or(units.len())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_asked_about_in_its_plain_form() {
        let asked = |path: &str| plain(Path::new(path)).map(|plain| plain.display().to_string());
        assert_eq!(asked(r"\\?\D:\ehr\カルテ").unwrap(), r"D:\ehr\カルテ");
        assert_eq!(asked(r"D:\").unwrap(), r"D:\");
        assert!(asked(r"\\?\UNC\nas\share").is_err() && asked(r"\\nas\share").is_err());
    }
}
