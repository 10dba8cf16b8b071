//! Sums up many runs in a few numbers.

use serde::Serialize;

/// The least, the median, the 95th percentile and the most of some values.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) p95: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Returns nothing for no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |hundredth: usize| {
            // The smallest value that at least so many per cent do not exceed.
            let rank = (sorted.len() * hundredth).div_ceil(100).max(1);
            sorted.get(rank - 1).copied()
        };

        Some(Self {
            least: sorted.first().copied()?,
            median: at(50)?,
            p95: at(95)?,
            most: sorted.last().copied()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let spread = Spread::of((1..=30).map(f64::from)).unwrap();
        assert_eq!((spread.least, spread.median, spread.p95, spread.most), (1.0, 15.0, 29.0, 30.0));
        let one = Spread::of([7.0]).unwrap();
        assert_eq!((one.median, one.p95), (7.0, 7.0));
        assert_eq!(Spread::of([]), None);
    }
}
