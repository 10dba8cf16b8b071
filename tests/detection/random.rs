//! A seeded generator: the same seed makes the same files, the same payload and the same order on every machine.
//!
//! Not for secrets: what is "encrypted" here is overwritten with its bytes, and no key exists.

/// `SplitMix64`.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Returns the generator of one run of one scenario.
    pub(crate) fn of(name: &str, seed: u64) -> Self {
        let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in name.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(state)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Returns a number from 0 to `end`, which is left out.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes);
        bytes
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.below(last + 1);
            list.swap(last, other);
        }
    }

    /// Returns a word of lower-case letters.
    pub(crate) fn word(&mut self, letters: usize) -> String {
        let mut letter = || {
            let index = u8::try_from(self.below(26)).unwrap_or(0);
            char::from(b'a' + index)
        };
        (0..letters).map(|_| letter()).collect()
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_and_another_gives_another() {
        let words = |name: &str, seed| Random::of(name, seed).bytes(64);
        assert_eq!(words("A01", 1), words("A01", 1));
        assert_ne!(words("A01", 1), words("A01", 2));
        assert_ne!(words("A01", 1), words("A02", 1));
    }

    #[test]
    fn shuffling_keeps_everything() {
        let mut list: Vec<_> = (0..100).collect();
        Random::of("shuffle", 7).shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }
}
