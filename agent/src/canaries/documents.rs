//! Makes the files: small, valid, and plausible to whoever only looks at names and first bytes. Whoever opens one reads
//! what it is.
//!
//! Always holds: pure; the same kind and seed give the same bytes, so that a harmed file is known and can be restored.

use serde::{Deserialize, Serialize};

/// What whoever opens a decoy reads.
const NOTICE: [&str; 3] = [
    "このファイルは「知らせ」(Shirase) の見張り用ファイルです。業務の情報は入っていません。",
    "変更・移動・削除すると警報が出ます。そのままにしておいてください。お問い合わせは情報システム担当へ。",
    "This is a decoy of the Shirase agent. It holds no data. Changing, moving or deleting it raises an alarm.",
];
/// Lines of table after the notice, so that sizes differ.
const LINES_MIN: u64 = 60;
/// Lines more than that, by chance.
const LINES_SPREAD: u64 = 120;
/// Blocks of eight by eight points in one row of the picture.
const PICTURE_COLUMNS: u16 = 40;
/// Rows of such blocks.
const PICTURE_ROWS: u16 = 30;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A letter.
    Docx,
    /// A table.
    Xlsx,
    /// A printed page.
    Pdf,
    /// A picture.
    Jpg,
}

impl Kind {
    /// Every kind, in the order in which they are given out.
    pub(crate) const ALL: [Self; 4] = [Self::Docx, Self::Xlsx, Self::Pdf, Self::Jpg];

    /// Returns its extension.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
            Self::Jpg => "jpg",
        }
    }

    /// Makes a file of this kind.
    pub(crate) fn make(self, seed: u64) -> Vec<u8> {
        match self {
            Self::Docx => docx(seed),
            Self::Xlsx => xlsx(seed),
            Self::Pdf => pdf(seed),
            Self::Jpg => jpg(seed),
        }
    }
}

/// Numbers that look arbitrary, the same for each seed.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// Returns a number below `end`.
    pub(super) const fn below(&mut self, end: u64) -> u64 {
        // SplitMix64, public domain.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// Lines of a list of things, for the body of a file.
fn lines(seed: u64) -> Vec<[String; 4]> {
    let things =
        ["机", "椅子", "書棚", "電話機", "複写機", "プリンタ", "ロッカー", "掲示板", "台車"];
    let places = ["事務室", "会議室", "倉庫", "受付", "図書室", "研修室"];
    let mut chance = Chance::new(seed);
    let mut pick = |words: &[&str]| {
        let count = u64::try_from(words.len()).unwrap_or(1);
        let place = usize::try_from(chance.below(count)).unwrap_or(0);
        words.get(place).copied().unwrap_or_default().to_owned()
    };
    let count = LINES_MIN + Chance::new(seed.rotate_left(17)).below(LINES_SPREAD);
    (1..=count)
        .map(|number| {
            let thing = pick(&things);
            let place = pick(&places);
            let amount = pick(&["1", "2", "3", "4", "6", "8", "12", "20"]);
            [number.to_string(), thing, place, amount]
        })
        .collect()
}

fn docx(seed: u64) -> Vec<u8> {
    let paragraph = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
    let mut body: String = NOTICE.iter().map(|line| paragraph(line)).collect();
    body.extend(lines(seed).iter().map(|line| paragraph(&line.join("  "))));
    let document = format!(
        "{XML}<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}\
         </w:body></w:document>"
    );
    let part = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
    zip(&[
        ("[Content_Types].xml", types(&[("/word/document.xml", part)])),
        ("_rels/.rels", relations(&[("officeDocument", "word/document.xml")])),
        ("word/document.xml", document),
    ])
}

fn xlsx(seed: u64) -> Vec<u8> {
    let cell = |text: &String| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let row =
        |cells: &[String]| format!("<row>{}</row>", cells.iter().map(cell).collect::<String>());
    let mut rows: String = NOTICE
        .iter()
        .map(|line| row(&[(*line).to_owned()]))
        .collect();
    rows.extend(lines(seed).iter().map(|line| row(line)));
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let sheet =
        format!("{XML}<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>");
    let workbook = format!(
        "{XML}<workbook xmlns=\"{main}\" xmlns:r=\"{RELATIONS}\"><sheets><sheet name=\"台帳\" sheetId=\"1\" r:id=\"r1\"/>\
         </sheets></workbook>"
    );
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.";
    let (book, page) = (format!("{kind}sheet.main+xml"), format!("{kind}worksheet+xml"));
    zip(&[
        (
            "[Content_Types].xml",
            types(&[("/xl/workbook.xml", &book), ("/xl/worksheets/sheet1.xml", &page)]),
        ),
        ("_rels/.rels", relations(&[("officeDocument", "xl/workbook.xml")])),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", relations(&[("worksheet", "worksheets/sheet1.xml")])),
        ("xl/worksheets/sheet1.xml", sheet),
    ])
}

/// How each part of an office file begins.
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
/// Name space of the relations between parts.
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn types(parts: &[(&str, &str)]) -> String {
    let part = |(name, kind): &(&str, &str)| {
        format!("<Override PartName=\"{name}\" ContentType=\"{kind}\"/>")
    };
    let parts: String = parts.iter().map(part).collect();
    format!(
        "{XML}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" \
         ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
         ContentType=\"application/xml\"/>{parts}</Types>"
    )
}

fn relations(targets: &[(&str, &str)]) -> String {
    let relation = |(number, (kind, target)): (usize, &(&str, &str))| {
        format!(
            "<Relationship Id=\"r{}\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/>",
            number + 1
        )
    };
    let targets: String = targets.iter().enumerate().map(relation).collect();
    let space = "http://schemas.openxmlformats.org/package/2006/relationships";
    format!("{XML}<Relationships xmlns=\"{space}\">{targets}</Relationships>")
}

/// Puts parts into a ZIP file without compressing them; APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
fn zip(parts: &[(&str, String)]) -> Vec<u8> {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let short = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let (mut file, mut list) = (Vec::new(), Vec::new());
    for (name, body) in parts {
        // Version 2.0, no flags, stored, 1 April 2024 at 09:00.
        let mut shared = vec![20, 0, 0, 0, 0, 0, 0x00, 0x48, 0x81, 0x58];
        shared.extend(crc32fast::hash(body.as_bytes()).to_le_bytes());
        shared.extend(number(body.len()).to_le_bytes());
        shared.extend(number(body.len()).to_le_bytes());
        shared.extend(short(name.len()).to_le_bytes());
        shared.extend([0, 0]);
        list.extend(b"PK\x01\x02\x14\0");
        list.extend(&shared);
        list.extend([0; 10]);
        list.extend(number(file.len()).to_le_bytes());
        list.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&shared);
        file.extend(name.as_bytes());
        file.extend(body.as_bytes());
    }
    let (at, length, count) = (number(file.len()), number(list.len()), short(parts.len()));
    file.extend(list);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    file.extend([length.to_le_bytes(), at.to_le_bytes()].concat());
    file.extend([0, 0]);
    file
}

/// One page with a font every reader has: the notice in English alone, for Japanese needs a font of its own.
fn pdf(seed: u64) -> Vec<u8> {
    let [_, _, english] = NOTICE;
    let head = [english, "", "No.   Item   Amount"].map(str::to_owned);
    let rows = lines(seed)
        .into_iter()
        .map(|[number, _, _, amount]| format!("{number}   item {number}   {amount}"));
    let shown: String = head
        .into_iter()
        .chain(rows)
        .map(|line| format!("({line}) Tj T*\n"))
        .collect();
    let text = format!("BT /F1 9 Tf 50 800 Td 11 TL\n{shown}ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut parts = vec!["%PDF-1.4\n".to_owned()];
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        let at: usize = parts.iter().map(String::len).sum();
        places.push(format!("{at:010} 00000 n \n"));
        parts.push(format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let at: usize = parts.iter().map(String::len).sum();
    let places = places.concat();
    parts.push(format!(
        "xref\n0 6\n0000000000 65535 f \n{places}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n"
    ));
    parts.concat().into_bytes()
}

/// A grey picture of soft squares: baseline JPEG, ITU-T T.81, with the shortest tables that can say it.
fn jpg(seed: u64) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    let mut segment = |marker: u8, body: &[u8]| {
        file.extend([0xff, marker]);
        file.extend(
            u16::try_from(body.len() + 2)
                .unwrap_or(u16::MAX)
                .to_be_bytes(),
        );
        file.extend(body);
    };
    segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segment(0xfe, NOTICE.join("\n").as_bytes());
    segment(0xdb, &[[0].as_slice(), &[8; 64]].concat());
    let [height, width] = [PICTURE_ROWS * 8, PICTURE_COLUMNS * 8].map(u16::to_be_bytes);
    segment(0xc0, &[&[8], &height[..], &width, &[1, 1, 0x11, 0]].concat());
    // Nine lengths of a difference with four bits each, and one sign for "nothing more in this block".
    segment(0xc4, &[&[0x00, 0, 0, 0, 9][..], &[0; 12], &[0, 1, 2, 3, 4, 5, 6, 7, 8]].concat());
    segment(0xc4, &[&[0x10, 1][..], &[0; 15], &[0]].concat());
    segment(0xda, &[1, 1, 0, 0, 63, 0]);
    file.extend(squares(seed));
    file.extend([0xff, 0xd9]);
    file
}

fn squares(seed: u64) -> Vec<u8> {
    let mut chance = Chance::new(seed);
    let mut bits = Bits::default();
    let mut before = 0_i32;
    for _ in 0..u32::from(PICTURE_ROWS) * u32::from(PICTURE_COLUMNS) {
        let step = i32::try_from(chance.below(25)).unwrap_or_default() - 12;
        let grey = (before + step).clamp(-90, 90);
        let difference = grey - before;
        before = grey;
        let length = i32::BITS - difference.unsigned_abs().leading_zeros();
        bits.push(length, 4);
        // A negative one is told by its complement.
        let told = if difference < 0 { difference - 1 } else { difference };
        bits.push(told.cast_unsigned() & ((1 << length) - 1), length);
        bits.push(0, 1);
    }
    bits.finish()
}

/// Bits of the picture, the highest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    open: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, bits: u32, count: u32) {
        for place in (0..count).rev() {
            self.open = (self.open << 1) | ((bits >> place) & 1);
            self.count += 1;
            if self.count == 8 {
                self.byte();
            }
        }
    }

    fn byte(&mut self) {
        let byte = u8::try_from(self.open & 0xff).unwrap_or_default();
        self.bytes.push(byte);
        if byte == 0xff {
            self.bytes.push(0);
        }
        (self.open, self.count) = (0, 0);
    }

    fn finish(mut self) -> Vec<u8> {
        while self.count != 0 {
            self.push(1, 1);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_file_and_another_one_another() {
        for kind in Kind::ALL {
            assert_eq!(kind.make(1), kind.make(1));
            assert_ne!(kind.make(1), kind.make(2));
            let length = kind.make(3).len();
            assert!((1500..60_000).contains(&length), "{kind:?}: {length}");
        }
    }

    #[test]
    fn each_says_what_it_is() {
        for kind in Kind::ALL {
            let file = kind.make(7);
            let words = b"decoy of the Shirase agent";
            assert!(file.windows(words.len()).any(|found| found == words), "{kind:?}");
        }
    }

    #[test]
    fn a_zip_lists_what_is_in_it() {
        let file = Kind::Docx.make(5);
        assert!(file.starts_with(b"PK\x03\x04"));
        let end = &file[file.len() - 22..];
        assert!(end.starts_with(b"PK\x05\x06"));
        let at = u32::from_le_bytes(end[16..20].try_into().unwrap());
        assert!(file[usize::try_from(at).unwrap()..].starts_with(b"PK\x01\x02"));
    }
}
