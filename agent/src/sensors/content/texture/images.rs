//! What cannot be in the middle of an image, so that one that begins and ends well is still known to be harmed.
//!
//! A JPEG image's entropy coding never has 0xff followed by most bytes; random bytes have one such pair in 260. A PNG
//! image says the checksum of each of its parts.
//!
//! Always holds: pure; any bytes are read to an end.

/// Bytes in which a JPEG image is looked at at once, and by how many the next look begins later.
const WINDOW_BYTES: usize = 1024;
const STEP_BYTES: usize = 512;
/// Pairs of bytes that cannot be there, from which such a window is no part of a JPEG image.
const BROKEN_PAIRS: usize = 2;
/// Pairs from which a whole block is none, whatever else is in it.
const BROKEN_PAIRS_OF_BLOCK: usize = 6;
/// How near its end a JPEG image that has nothing behind it says that it is over.
const END_BYTES: usize = 32;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Bytes of a part's length, name and checksum.
const CHUNK_FRAME_BYTES: usize = 12;

/// Whether the bytes can stand within a JPEG image: 0xff is followed by what its entropy coding or a marker allows.
pub(super) fn is_jpeg(block: &[u8]) -> bool {
    broken_pairs(block) < BROKEN_PAIRS_OF_BLOCK
}

/// Whether a run of bytes within a JPEG image cannot be part of it. `is_random` says whether one has no shape.
///
/// Where another image begins, its settings follow, which are no entropy coding.
pub(super) fn is_broken_jpeg(block: &[u8], is_random: impl Fn(&[u8]) -> bool) -> bool {
    if block.windows(2).any(|pair| pair == [0xff, 0xd8]) {
        return false;
    }
    let mut begins = (0..block.len()).step_by(STEP_BYTES);
    begins.any(|at| {
        let window = block.get(at..at + WINDOW_BYTES).unwrap_or_default();
        BROKEN_PAIRS <= broken_pairs(window) && is_random(window)
    })
}

/// Whether nothing stands behind a JPEG image, by its last block: telephones put films there.
pub(super) fn ends_as_jpeg(last: &[u8]) -> bool {
    let near = last.len().saturating_sub(END_BYTES);
    let end = last.get(near..).unwrap_or_default();

    end.windows(2).any(|pair| pair == [0xff, 0xd9])
}

fn broken_pairs(block: &[u8]) -> usize {
    let broken = block
        .windows(2)
        .filter(|pair| pair.first() == Some(&0xff))
        .filter(|pair| {
            let follows = pair.last().copied().unwrap_or_default();
            !matches!(follows, 0x00 | 0xc4 | 0xd0..=0xdb | 0xdd | 0xff)
        });

    broken.count()
}

/// Whether a part of a PNG image has another checksum than it says. `front` is the image from its first byte on, as far
/// as it was read; parts that end behind it are not known.
pub(super) fn is_broken_png(front: &[u8]) -> bool {
    let Some(mut rest) = front.strip_prefix(PNG) else { return false };
    while let Some(chunk) = Chunk::first(rest) {
        if crc32fast::hash(chunk.content) != chunk.sum {
            return true;
        }
        if chunk.content.starts_with(b"IEND") {
            return false;
        }
        rest = chunk.after;
    }

    false
}

/// One part of a PNG image.
struct Chunk<'a> {
    /// Its name and its data.
    content: &'a [u8],
    /// The checksum it says they have.
    sum: u32,
    after: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let length = usize::try_from(u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?)).ok()?;
        let whole = length.checked_add(CHUNK_FRAME_BYTES)?;
        let (chunk, after) = bytes.split_at_checked(whole)?;
        let (content, sum) = chunk.get(4..)?.split_at_checked(length + 4)?;

        Some(Self { content, sum: u32::from_be_bytes(sum.try_into().ok()?), after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::content::noise;

    fn png(parts: &[&[u8]]) -> Vec<u8> {
        let mut all = PNG.to_vec();
        for part in parts {
            let body = [b"IDAT".as_slice(), part].concat();
            all.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            all.extend(&body);
            all.extend(crc32fast::hash(&body).to_be_bytes());
        }
        all
    }

    #[test]
    fn a_part_of_a_png_that_was_overwritten_is_known_and_one_that_was_not_read_is_not() {
        let part = noise(9000, 3);
        let mut image = png(&[b"head", &part, &part]);
        assert!(!is_broken_png(&image) && !is_broken_png(&image[..12_000]));
        image[5000..6024].copy_from_slice(&noise(1024, 4));
        assert!(is_broken_png(&image));
        assert!(!is_broken_png(&image[..8000]), "that part is not whole");
        for length in 0..200 {
            is_broken_png(&image[..length]);
        }
        assert!(!is_broken_png(&[PNG, &[0xff; 40]].concat()), "a length beyond everything");
    }

    #[test]
    fn a_kilobyte_of_noise_within_a_jpeg_is_known() {
        let mut scan = noise(4096, 5);
        for at in 0..scan.len() - 1 {
            if scan[at] == 0xff {
                scan[at + 1] = 0;
            }
        }
        assert!(!is_broken_jpeg(&scan, |_| true));
        let mut found = 0;
        for seed in 0..100 {
            let mut harmed = scan.clone();
            harmed[1024..2048].copy_from_slice(&noise(1024, 100 + seed));
            found += usize::from(is_broken_jpeg(&harmed, |_| true));
        }
        assert!(80 <= found, "{found} of 100");
        let another = [&scan[..2000], b"\xff\xd8\xff\xe1\xff\xc0\xff\xfe", &scan[2000..]].concat();
        assert!(!is_broken_jpeg(&another, |_| true));
        assert!(
            ends_as_jpeg(b"....\xff\xd9\n")
                && !ends_as_jpeg(&[b"\xff\xd9".as_slice(), &scan].concat())
        );
    }
}
