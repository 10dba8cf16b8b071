//! Overwriting a file through a memory mapping: the kernel tells of it only when the file is let go.

#![expect(unsafe_code, reason = "a memory mapping has no other face")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// Maps `file`, whose length is `content`'s, closes nothing, writes `content` into memory, and unmaps it.
pub(super) fn overwrite_mapped(file: &File, content: &[u8]) -> io::Result<()> {
    if content.is_empty() {
        return Ok(());
    }
    let length = content.len();
    // SAFETY: a new shared mapping of an open file, at an address the kernel chooses; the result is checked.
    let at = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is `length` bytes long, writable, and nobody else in this process knows of it; the file is
    // as long as the mapping, made by this harness, and nobody shortens it meanwhile.
    unsafe { std::ptr::copy_nonoverlapping(content.as_ptr(), at.cast::<u8>(), length) };
    // SAFETY: exactly the mapping made above, used no more after this.
    if unsafe { libc::munmap(at, length) } != 0 {
        return Err(io::Error::last_os_error());
    }

    Ok(())
}
