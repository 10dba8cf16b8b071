//! No processes are suspended on this system: nobody tells here which one changed a file.

use std::io;

use super::Table;
use crate::observation::Kin;

/// Returns no process.
pub(crate) fn table() -> Table {
    Table::default()
}

/// Refuses.
pub(crate) fn suspend(_: Kin) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Refuses.
pub(crate) fn resume(_: Kin) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Knows none.
pub(crate) fn is_alive(_: Kin) -> bool {
    false
}
