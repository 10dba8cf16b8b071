//! Blocks made for the purpose, and what is said of them.

use std::path::Path;

use super::*;
use crate::sensors::content::noise;

#[test]
fn random_bytes_have_no_shape_and_hardly_anything_else_is_like_them() {
    let mut mistaken = 0;
    for seed in 1..=2000 {
        mistaken += usize::from(!is_random(&noise(BLOCK_BYTES, seed)));
    }
    assert!(mistaken <= 8, "{mistaken} of 2000 random blocks were taken for something else");
    for seed in 1..=200 {
        assert!(is_random(&noise(1024, seed)) || is_random(&noise(1024, seed + 1000)));
    }
    let counting: Vec<u8> = (0..=u8::MAX).cycle().take(BLOCK_BYTES).collect();
    let base64: Vec<u8> = noise(BLOCK_BYTES, 3)
        .iter()
        .map(|byte| b'0' + byte % 64)
        .collect();
    for shaped in [text(BLOCK_BYTES), counting, base64, vec![0; BLOCK_BYTES], pixels(BLOCK_BYTES)] {
        assert!(!is_random(&shaped));
    }
    assert!(!is_random(&noise(BLOCK_MIN_BYTES - 1, 1)));
}

#[test]
fn one_random_block_is_one_too_many_where_all_should_be_text() {
    let file = text(64 * 1024);
    check("a.txt", &file, Texture::Shaped);
    check("a.csv", &overwritten(&file, 0..0), Texture::Shaped);
    // The head whole, the middle encrypted.
    check("a.csv", &overwritten(&file, 16_384..49_152), Texture::Random);
    check("12_20260209_ADT-00_9_2026_-_1", &overwritten(&file, 8192..49_152), Texture::Random);
    check("a.txt", &overwritten(&file, 61_440..65_536), Texture::Random);
    // Every other 16 bytes.
    let mut half = file.clone();
    for (place, sixteen) in half.chunks_mut(16).enumerate().skip(64) {
        if place % 2 == 1 {
            sixteen.copy_from_slice(&noise(sixteen.len(), 7 + place as u64));
        }
    }
    check("a.txt", &half, Texture::Random);
    // A log somebody else cut, with a hole in it, is none.
    let mut hole = file;
    hole[20_000..40_000].fill(0);
    check("a.txt", &hole, Texture::Shaped);
}

#[test]
fn a_kilobyte_in_sixteen_is_enough_wherever_every_part_must_have_a_shape() {
    let stripes = |file: &[u8]| {
        let from = (4096..file.len()).step_by(16 * 1024);
        from.fold(file.to_vec(), |file, at| overwritten(&file, at..(at + 1024).min(file.len())))
    };
    for bytes in [9_000, 20_000, 33_000, 48_000, 200_000] {
        check("a.csv", &text(bytes), Texture::Shaped);
        check("a.csv", &stripes(&text(bytes)), Texture::Random);
        check("12_20260209_ADT-00_9_2026_-_1", &stripes(&text(bytes)), Texture::Random);
        let (whole, _) = (jpeg(bytes), ());
        check("a.jpg", &whole, Texture::Shaped);
        check("a.jpg", &stripes(&whole), Texture::Random);
    }
}

#[test]
fn an_unknown_file_is_random_only_if_all_of_it_is() {
    let file = noise(40_000, 5);
    check("k3jf9a", &file, Texture::Random);
    check("a.qzx", &file, Texture::Random);
    check("a.sqlite", &file, Texture::Random);
    let mut headed = file;
    headed[..2048].fill(b'x');
    check("a.qzx", &headed, Texture::Shaped);
    check("short", &noise(300, 1), Texture::Unknown);
}

#[test]
fn of_compressed_files_only_what_must_stand_there_counts() {
    let body = noise(40_000, 9);
    check("a.gz", &body, Texture::Unknown);
    check("a.7z", &body, Texture::Unknown);
    check("backup.tar.gpg", &body, Texture::Unknown);
    let whole = |head: &[u8], end: &[u8]| {
        let mut file = body.clone();
        file[..head.len()].copy_from_slice(head);
        let at = file.len() - end.len();
        file[at..].copy_from_slice(end);
        file
    };
    let list: Vec<u8> =
        [b"PK\x01\x02word/document.xml".repeat(40), b"PK\x05\x06".to_vec(), vec![0; 18]].concat();
    check("a.docx", &whole(b"PK\x03\x04", &list), Texture::Shaped);
    check("a.docx", &whole(b"PK\x03\x04", b""), Texture::Random);
    check("a.pdf", &whole(b"%PDF-1.7", b"\nstartxref\n39000\n%%EOF\n"), Texture::Shaped);
    check("a.pdf", &whole(b"%PDF-1.7", b""), Texture::Random);
    check("a.png", &whole(b"\x89PNG", b"\0\0\0\0IEND\xae\x42\x60\x82"), Texture::Shaped);
    check("a.png", &whole(b"\x89PNG", b""), Texture::Random);
    check("a.docx", &whole(b"PK\x03\x04", b"")[..3000], Texture::Unknown);
}

#[test]
fn a_jpeg_is_known_by_what_follows_0xff() {
    let mut image = noise(40_000, 11);
    for at in 0..image.len() - 1 {
        if image[at] == 0xff {
            image[at + 1] = 0;
        }
    }
    check("a.jpg", &image, Texture::Shaped);
    check("a.jpg", &noise(40_000, 11), Texture::Random);
}

#[test]
fn a_raw_dicom_image_has_a_shape_and_a_compressed_one_need_not() {
    let dicom = |syntax: &[u8]| {
        let mut file = pixels(64 * 1024);
        let head = [&[0; 128], b"DICM\x02\0\x10\0UI\x14\0".as_slice(), syntax, b"\0"].concat();
        file[..head.len()].copy_from_slice(&head);
        file
    };
    let (raw, jpeg2000) = (b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.4.90");
    check("a.dcm", &dicom(raw), Texture::Shaped);
    check("a.dcm", &overwritten(&dicom(raw), 30_000..50_000), Texture::Random);
    check("a.dcm", &overwritten(&dicom(jpeg2000), 30_000..50_000), Texture::Unknown);
}

#[test]
fn blocks_lie_within_the_file_and_none_twice() {
    for size in [1, 511, 4096, 4097, 8192, 12_288, 20_000, 65_536, u64::MAX / 16] {
        for wanted in [Wanted::None, Wanted::Last, Wanted::Few, Wanted::Many, Wanted::Front] {
            let places: Vec<_> = wanted.spans(size).iter().map(|span| span.at).collect();
            let within = |at: &u64| *at < size && (wanted == Wanted::Front || at + 4096 <= size);
            assert!(places.iter().all(within), "{size}: {places:?}");
            assert!(wanted == Wanted::Front || places.is_sorted(), "{size}: {places:?}");
        }
        let read: usize = Wanted::Many.spans(size).iter().map(|span| span.bytes).sum();
        assert!(read <= 7 * BLOCK_BYTES, "{size}: {read}");
    }
}

// === Helpers ===

#[track_caller]
fn check(name: &str, file: &[u8], expected: Texture) {
    let head = &file[..file.len().min(BLOCK_BYTES)];
    let promise = Promise::of(Path::new(name), name);
    let grain = Grain::of(promise.as_ref(), name, name, head);
    let spans = grain.wants(head).spans(file.len() as u64);
    let block = |span: &Span| {
        let at = usize::try_from(span.at).unwrap();
        file[at..file.len().min(at + span.bytes)].to_vec()
    };
    let others: Vec<_> = spans.iter().map(block).collect();
    assert_eq!(judge(grain, head, &others), expected, "{name}: {grain:?}, {spans:?}");
}

/// An image with nothing behind it.
fn jpeg(bytes: usize) -> Vec<u8> {
    let mut image = noise(bytes, 11);
    for at in 0..image.len() - 1 {
        if image[at] == 0xff {
            image[at + 1] = 0;
        }
    }
    image[..4].copy_from_slice(b"\xff\xd8\xff\xe0");
    let end = image.len() - 2;
    image[end..].copy_from_slice(b"\xff\xd9");
    image
}

/// Lines of a table, of different words.
fn text(bytes: usize) -> Vec<u8> {
    let line = |number: usize| {
        let (date, dose) = (20_260_101 + number % 28, number * 7 % 50);
        format!("{number},{date},アムロジピン錠{dose}mg,1日1回,朝食後,{}\r\n", number * 31 % 97)
    };
    let all: String = (0..bytes / 30).map(line).collect();
    all.into_bytes().into_iter().take(bytes).collect()
}

/// Grey values of twelve bits with little noise, as a device makes them.
fn pixels(bytes: usize) -> Vec<u8> {
    let grain = noise(bytes / 2, 13);
    (0_u16..)
        .zip(grain)
        .flat_map(|(place, noise)| (900 + place % 512 / 4 + u16::from(noise % 32)).to_le_bytes())
        .take(bytes)
        .collect()
}

fn overwritten(file: &[u8], part: std::ops::Range<usize>) -> Vec<u8> {
    let mut file = file.to_vec();
    let cipher = noise(part.len(), 17);
    file[part].copy_from_slice(&cipher);
    file
}
