//! The content of one file of each kind.

use crate::random::Random;

/// A kind of file hospitals have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pdf,
    Docx,
    Xlsx,
    Jpeg,
    Png,
    Dicom,
    Text,
    Csv,
    Xml,
    Hl7,
    Source,
    Log,
}

impl Kind {
    /// What a share holds. Source and logs are made where a scenario asks for them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Pdf,
        Self::Docx,
        Self::Xlsx,
        Self::Jpeg,
        Self::Png,
        Self::Dicom,
        Self::Text,
        Self::Csv,
        Self::Xml,
        Self::Hl7,
    ];

    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Dicom => "dcm",
            Self::Text => "txt",
            Self::Csv => "csv",
            Self::Xml => "xml",
            Self::Hl7 => "hl7",
            Self::Source => "toml",
            Self::Log => "log",
        }
    }

    pub(crate) const fn stem(self) -> &'static str {
        match self {
            Self::Pdf => "紹介状",
            Self::Docx => "診療情報提供書",
            Self::Xlsx => "集計",
            Self::Jpeg => "写真",
            Self::Png => "scan",
            Self::Dicom => "IM",
            Self::Text => "memo",
            Self::Csv => "検査結果",
            Self::Xml => "order",
            Self::Hl7 => "message",
            Self::Source => "module",
            Self::Log => "service",
        }
    }

    /// Returns about `bytes` bytes that such a file could hold.
    pub(crate) fn content(self, bytes: usize, random: &mut Random) -> Vec<u8> {
        match self {
            Self::Pdf => pdf(bytes, random),
            Self::Docx => office("word/document.xml", bytes, random),
            Self::Xlsx => office("xl/workbook.xml", bytes, random),
            Self::Jpeg => framed(&JPEG_HEAD, &[0xff, 0xd9], bytes, random),
            Self::Png => png(bytes, random),
            Self::Dicom => dicom(bytes, random),
            Self::Text => text(bytes, random),
            Self::Csv => lines(bytes, random, |random| {
                format!("{},{},{}\r\n", random.below(99_999), random.word(6), random.below(300))
            }),
            Self::Xml => {
                let mut all = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<orders>\n".to_vec();
                all.extend(lines(bytes, random, |random| {
                    format!("  <order id=\"{}\">{}</order>\n", random.below(9999), random.word(9))
                }));
                all.extend(b"</orders>\n");
                all
            }
            Self::Hl7 => hl7(bytes, random),
            Self::Source => lines(bytes, random, |random| {
                format!("{} = \"{}\"\n", random.word(8), random.word(12))
            }),
            Self::Log => lines(bytes, random, |random| {
                format!("2026-11-01T08:{:02} info {}\n", random.below(60), random.word(20))
            }),
        }
    }
}

const JPEG_HEAD: [u8; 20] =
    [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];

fn lines(bytes: usize, random: &mut Random, line: impl Fn(&mut Random) -> String) -> Vec<u8> {
    let mut all = Vec::with_capacity(bytes + 80);
    while all.len() < bytes {
        all.extend(line(random).into_bytes());
    }
    all
}

fn text(bytes: usize, random: &mut Random) -> Vec<u8> {
    lines(bytes, random, |random| {
        let words = ["患者", "処方", "検査", "血圧", "予約", "the", "ward", "report", "of", "and"];
        let picked = (0..8).filter_map(|_| random.pick(&words).copied());
        format!("{}。\n", picked.collect::<Vec<_>>().join(" "))
    })
}

fn hl7(bytes: usize, random: &mut Random) -> Vec<u8> {
    let control = random.below(1_000_000);
    let mut all =
        format!("MSH|^~\\&|HIS|HP|LIS|HP|20261101080000||OML^O21|{control}|P|2.5\r").into_bytes();
    all.extend(lines(bytes, random, |random| {
        format!("OBX|{}|NM|{}||{}|||N\r", random.below(99), random.word(5), random.below(200))
    }));
    all
}

/// Random bytes between a head and an end, as a compressed image has them: 0xff is followed by zero.
fn framed(head: &[u8], end: &[u8], bytes: usize, random: &mut Random) -> Vec<u8> {
    let mut all = head.to_vec();
    all.extend(random.bytes(bytes.saturating_sub(head.len() + end.len())));
    let mut escaped = false;
    for byte in all.iter_mut().skip(head.len()) {
        if std::mem::take(&mut escaped) {
            *byte = 0;
        }
        escaped = *byte == 0xff;
    }
    all.extend(end);
    all
}

fn png(bytes: usize, random: &mut Random) -> Vec<u8> {
    let mut all = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut all, *b"IHDR", &[0, 0, 2, 0, 0, 0, 2, 0, 8, 2, 0, 0, 0]);
    let data = random.bytes(bytes.saturating_sub(70));
    chunk(&mut all, *b"IDAT", &data);
    chunk(&mut all, *b"IEND", &[]);
    all
}

fn chunk(all: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let mut body = name.to_vec();
    body.extend(data);
    all.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    let sum = crc32fast::hash(&body);
    all.extend(body);
    all.extend(sum.to_be_bytes());
}

fn pdf(bytes: usize, random: &mut Random) -> Vec<u8> {
    let mut all = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
        2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R \
        /MediaBox [0 0 595 842] /Contents 4 0 R >>\nendobj\n"
        .to_vec();
    let stream = bytes.saturating_sub(all.len() + 160);
    all.extend(
        format!("4 0 obj\n<< /Length {stream} /Filter /FlateDecode >>\nstream\n").into_bytes(),
    );
    all.extend(random.bytes(stream));
    all.extend(b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R /Size 5 >>\nstartxref\n0\n%%EOF\n");
    all
}

/// A DICOM file: preamble, a few elements, and pixels of twelve bits that change slowly, as images do.
fn dicom(bytes: usize, random: &mut Random) -> Vec<u8> {
    let mut all = vec![0; 128];
    all.extend(b"DICM");
    let syntax = b"1.2.840.10008.1.2.1\0";
    all.extend([2, 0, 0, 0, b'U', b'L', 4, 0, 28, 0, 0, 0]);
    all.extend([2, 0, 0x10, 0, b'U', b'I', 20, 0]);
    all.extend(syntax);
    all.extend([8, 0, 0x60, 0, b'C', b'S', 2, 0, b'C', b'T']);
    let pixels = bytes.saturating_sub(all.len() + 12) / 2;
    all.extend([0xe0, 0x7f, 0x10, 0, b'O', b'W', 0, 0]);
    all.extend(u32::try_from(pixels * 2).unwrap_or(0).to_le_bytes());
    let mut grey = 1000_i32;
    for _ in 0..pixels {
        grey += i32::try_from(random.below(31)).unwrap_or(0) - 15;
        grey = grey.clamp(0, 4095);
        all.extend(u16::try_from(grey).unwrap_or(0).to_le_bytes());
    }
    all
}

/// An Office document: a ZIP whose parts are stored, with a picture that does not compress.
fn office(part: &str, bytes: usize, random: &mut Random) -> Vec<u8> {
    let types = "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    let xml = text(bytes / 3, random);
    let picture = framed(&JPEG_HEAD, &[0xff, 0xd9], bytes / 2, random);
    zip(&[("[Content_Types].xml", types.as_bytes()), (part, &xml), ("media/image1.jpeg", &picture)])
}

/// Returns a ZIP with stored entries and a central directory.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut all, mut central) = (Vec::new(), Vec::new());
    for (name, data) in entries {
        let offset = length(all.len());
        let mut fields = Vec::new();
        fields.extend([20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0x5b]);
        fields.extend(crc32fast::hash(data).to_le_bytes());
        fields.extend(length(data.len()));
        fields.extend(length(data.len()));
        fields.extend(u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
        fields.extend([0, 0]);
        all.extend(b"PK\x03\x04");
        all.extend(&fields);
        all.extend(name.as_bytes());
        all.extend(*data);
        central.extend(b"PK\x01\x02\x14\0");
        central.extend(&fields);
        central.extend([0; 10]);
        central.extend(offset);
        central.extend(name.as_bytes());
    }
    let (start, count) =
        (length(all.len()), u16::try_from(entries.len()).unwrap_or(0).to_le_bytes());
    all.extend(&central);
    all.extend(b"PK\x05\x06\0\0\0\0");
    all.extend(count);
    all.extend(count);
    all.extend(length(central.len()));
    all.extend(start);
    all.extend([0, 0]);
    all
}

fn length(of: usize) -> [u8; 4] {
    u32::try_from(of).unwrap_or(0).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_about_the_size_it_was_asked_for() {
        for kind in Kind::ALL {
            let content = kind.content(20_000, &mut Random::of("size", 3));
            assert!((15_000..24_000).contains(&content.len()), "{kind:?}: {}", content.len());
        }
    }
}
