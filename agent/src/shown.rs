//! How times and sizes are shown to people.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};

/// Returns a time as Japan reads it, with its zone: `2026-02-09 01:50:00 JST (UTC+09:00)`.
pub(crate) fn japan_time(at: Timestamp) -> String {
    let zoned = at.to_zoned(TimeZone::fixed(offset(9)));
    format!("{} JST (UTC+09:00)", zoned.strftime("%Y-%m-%d %H:%M:%S"))
}

/// Displays bytes in the unit that fits.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        for (unit, size) in UNITS {
            if size <= self.0 {
                let tenths = u128::from(self.0) * 10 / u128::from(size);
                return write!(f, "{}.{} {unit}", tenths / 10, tenths % 10);
            }
        }
        write!(f, "{} B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_as_japan_reads_it() {
        let night = shirase_shared::testing::builders::night();
        assert_eq!(japan_time(night), "2026-02-09 01:50:00 JST (UTC+09:00)");
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let shown = [0, 1023, 1024, 1536, 10 << 20, 5 << 30].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "10.0 MiB", "5.0 GiB"]);
    }
}
