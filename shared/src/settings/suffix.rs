//! Suffixes ordinary programs give to files.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A list of words that is asked often.
pub type Words = BTreeSet<&'static str>;

/// Makes one of what stands between spaces.
#[must_use]
pub fn words(list: &'static str) -> Words {
    list.split_ascii_whitespace().collect()
}

/// Longest run of digits after a dot that counts as a rotation number or a date.
const ROTATION_MAX_DIGITS: usize = 8;

/// Suffixes ordinary programs append. They weigh less, and nothing when the content still fits.
static ALLOWED_SUFFIXES: LazyLock<Words> = LazyLock::new(|| {
    words(
        "gz bz2 xz zst lz4 z 7z zip bak old orig tmp temp part partial crdownload download lock lck \
    swp swo ~ dpkg-new dpkg-tmp dpkg-old dpkg-dist ucf-dist ucf-old rpmnew rpmsave rpmorig \
    backup filepart save sav copy prev previous new done ok processed sent ack err error failed \
    bad imported asc sig gpg p7s p7m md5 sha1 sha256 sha512 rej disabled off",
    )
});

/// Extensions whose files are what a hospital would miss: documents, images, tables, mail, archives, databases.
static DOCUMENTS: LazyLock<Words> = LazyLock::new(|| {
    words(
        "pdf doc docx docm dot dotx xls xlsx xlsm xlsb xlt ppt pptx pptm odt ods odp rtf csv tsv jtd \
    jtdc xdw xbd vsd vsdx pub one msg eml pst ost dcm dicom hl7 jpg jpeg tif tiff bmp png gif \
    heic webp jp2 j2k raw mp4 mov avi wmv mpg mpeg mkv mp3 wav m4a zip 7z rar gz tgz bz2 xz zst \
    tar lzh cab iso db sqlite sqlite3 mdb accdb mdf ndf ldf fdb gdb dbf fmp12 dmp dump vmdk vhd \
    vhdx vdi qcow2 ova psd ai dwg dxf svg epub pem key pfx p12 kdbx",
    )
});

/// Extensions of text: source, settings, messages, notes.
static TEXTS: LazyLock<Words> = LazyLock::new(|| {
    words(
        "txt text md rst xml xsl xslt xsd json jsonl yaml yml toml ini cfg conf config properties env \
    sql html htm xhtml css scss less js mjs cjs ts tsx jsx py rb pl pm php java kt go rs c h cc \
    cpp hpp cs vb vbs bat cmd ps1 psm1 sh bash lua r swift m tex bib diff patch po pot srt vtt \
    ics vcf url reg inf service timer mk cmake gradle map lst list typ ftl",
    )
});

/// Extensions that are known, but say little about what is inside.
static OTHERS: LazyLock<Words> = LazyLock::new(|| {
    words(
        "log exe dll so o a lib obj msi sys jar war ear class pyc pyo pyd whl egg rlib rmeta d wasm \
    node ko deb rpm apk crate gem pack idx rev bundle ttf otf woff woff2 ico icns cur lnk evtx \
    etl blf wal shm journal frm ibd myd myi ndx pid sock crt cer csr der crl mo res resx dat bin \
    img blob data snap lockb sum mod work tsbuildinfo cache manifest plist xcf chm hlp",
    )
});

/// What sort of file an extension announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something a hospital would miss.
    Document,
    /// Text.
    Text,
    /// Known, but neither.
    Other,
}

/// Returns what sort of file an extension (lower case) announces; `None` for an unknown one.
#[must_use]
pub fn kind(extension: &str) -> Option<Kind> {
    if DOCUMENTS.contains(extension) {
        Some(Kind::Document)
    } else if TEXTS.contains(extension) {
        Some(Kind::Text)
    } else if OTHERS.contains(extension) {
        Some(Kind::Other)
    } else {
        None
    }
}

/// Returns whether a suffix (lower case) is one that ordinary programs append, a number among them.
#[must_use]
pub fn is_appended(suffix: &str) -> bool {
    let rotation = !suffix.is_empty()
        && suffix.len() <= ROTATION_MAX_DIGITS
        && suffix.bytes().all(|b| b.is_ascii_digit());

    rotation || ALLOWED_SUFFIXES.contains(suffix)
}
