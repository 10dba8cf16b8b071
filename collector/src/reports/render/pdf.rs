//! Renders a document to PDF. The only file that knows typst.
//!
//! Always holds:
//! - text goes in as data (a virtual `report.json`), never by writing it into the template, so `#` and its kin stay
//!   characters;
//! - the template sees that one file and the fonts given: no disk, no network, no packages, no clock;
//! - the same document at the same moment gives the same bytes.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;
use serde_json::{Value, json};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp as PdfTimestamp};

use super::Document;
use super::fonts::{self, FontError, FontFiles};
use crate::checklist::Paper;
use crate::contacts::ChartSheet;
use crate::sharing::ProductPaper;

/// The look of a report.
const TEMPLATE: &str = include_str!("../../../templates/report.typ");
/// The look of an emergency chart.
const CHART_TEMPLATE: &str = concat!(
    include_str!("../../../templates/contact_chart.typ"),
    include_str!("../../../templates/contact_chart_body.typ"),
);
/// The look of a filled checklist, with the emergency chart at its end.
const CHECKLIST_TEMPLATE: &str = concat!(
    include_str!("../../../templates/checklist.typ"),
    include_str!("../../../templates/contact_chart_body.typ"),
);
/// The look of a sharing product.
const PRODUCT_TEMPLATE: &str = include_str!("../../../templates/sharing.typ");
/// The mark for a character the font does not have, as Japanese printers set it.
const GETA: char = '〓';
/// Longest run of letters left whole: what the narrowest column holds, and an address such as `198.51.100.24`.
const RUN_MAX: usize = 15;
/// Fewest letters between two places to break in a longer run; the break comes after a mark where there is one.
const RUN_PART: usize = 6;
/// Digits of a SHA-256.
const HASH_DIGITS: usize = 64;
/// Minutes Japan is ahead of UTC.
const JAPAN_MINUTES: i32 = 9 * 60;

/// Why a document was not rendered.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// There is no font to set it in.
    #[error(transparent)]
    Font(#[from] FontError),
    /// The renderer refused it, which is a fault of this program.
    #[error("failed to render the document: {0}")]
    Typst(String),
}

/// Renders documents with one Japanese font. Cheap to clone.
#[derive(Clone)]
pub struct PdfRenderer(Arc<Inner>);

struct Inner {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    family: String,
}

impl std::fmt::Debug for PdfRenderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PdfRenderer({})", self.0.family)
    }
}

impl PdfRenderer {
    /// Loads the font file a person named, or the best Japanese font of the system.
    ///
    /// # Errors
    /// Says what to install when there is none.
    pub fn load(font: Option<&std::path::Path>) -> Result<Self, FontError> {
        match font {
            Some(path) => Self::with_files(&fonts::named(path)),
            None => Self::with_files(&fonts::find(&fonts::system_directories())?),
        }
    }

    /// Loads the given files.
    ///
    /// # Errors
    /// When one cannot be read or has no Japanese characters.
    pub fn with_files(files: &FontFiles) -> Result<Self, FontError> {
        let mut faces = Vec::new();
        for path in &files.paths {
            let data =
                fs::read(path).map_err(|source| FontError::Read { path: path.clone(), source })?;
            let family = files.family;
            let wanted = |font: &Font| family.is_none_or(|family| font.info().family == family);
            faces.extend(Font::iter(Bytes::new(data)).filter(wanted));
        }
        let first = files.paths.first().cloned().unwrap_or_else(PathBuf::new);
        let japanese = |font: &&Font| "承認訓".chars().all(|c| has(font, c));
        let family = faces
            .iter()
            .find(japanese)
            .map(|font| font.info().family.clone());
        let family = family.ok_or(FontError::NotJapanese { path: first })?;
        faces.retain(|font| font.info().family == family);

        Ok(Self(Arc::new(Inner {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&faces)),
            fonts: faces,
            family,
        })))
    }

    /// Returns the name of the font family in use.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.0.family
    }

    /// Renders a document to PDF/A-2b. `identity` stands for the document in its metadata and must be its own.
    ///
    /// It takes tens of milliseconds of a core in a release build; call it where blocking is allowed.
    ///
    /// # Errors
    /// When the template refuses the document.
    pub fn render(
        &self,
        document: &Document,
        identity: &str,
        at: Timestamp,
    ) -> Result<Vec<u8>, PdfError> {
        self.set(TEMPLATE, document, (identity, at))
    }

    /// Renders an emergency chart to PDF/A-2b. Call it where blocking is allowed.
    ///
    /// # Errors
    /// When the template refuses it.
    pub fn render_chart(
        &self,
        chart: &ChartSheet,
        identity: &str,
        at: Timestamp,
    ) -> Result<Vec<u8>, PdfError> {
        self.set(CHART_TEMPLATE, chart, (identity, at))
    }

    /// Renders a filled checklist to PDF/A-2b. Call it where blocking is allowed.
    ///
    /// # Errors
    /// When the template refuses it.
    pub fn render_checklist(
        &self,
        paper: &Paper,
        identity: &str,
        at: Timestamp,
    ) -> Result<Vec<u8>, PdfError> {
        self.set(CHECKLIST_TEMPLATE, paper, (identity, at))
    }

    /// Renders a sharing product to PDF/A-2b. Call it where blocking is allowed.
    ///
    /// # Errors
    /// When the template refuses it.
    pub fn render_product(
        &self,
        paper: &ProductPaper,
        identity: &str,
        at: Timestamp,
    ) -> Result<Vec<u8>, PdfError> {
        self.set(PRODUCT_TEMPLATE, paper, (identity, at))
    }

    fn set(
        &self,
        template: &str,
        said: &impl Serialize,
        (identity, at): (&str, Timestamp),
    ) -> Result<Vec<u8>, PdfError> {
        let mut data =
            serde_json::to_value(said).map_err(|error| PdfError::Typst(error.to_string()))?;
        self.make_printable(&mut data);
        if let Value::Object(members) = &mut data {
            members.insert("fonts".to_owned(), json!([self.0.family]));
        }
        let page = Page::new(&self.0, (template, data.to_string()), at)?;
        let compiled = typst::compile::<PagedDocument>(&page);
        let document = compiled.output.map_err(|errors| told(&errors))?;
        let options = PdfOptions {
            ident: Smart::Custom(identity.to_owned()),
            creator: Smart::Custom(Some("Shirase".to_owned())),
            timestamp: datetime(at).and_then(|at| PdfTimestamp::new_local(at, JAPAN_MINUTES)),
            standards: PdfStandards::new(&[PdfStandard::A_2b])
                .map_err(|error| PdfError::Typst(error.message().to_string()))?,
            ..PdfOptions::default()
        };
        let bytes = typst_pdf::pdf(&document, &options).map_err(|errors| told(&errors))?;
        // The renderer remembers every layout it ever made; a collector runs for years.
        typst::comemo::evict(0);

        Ok(bytes)
    }

    /// Replaces what the font cannot show and gives long runs of letters places to break.
    fn make_printable(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.printable(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.make_printable(item)),
            Value::Object(members) => {
                members
                    .values_mut()
                    .for_each(|member| self.make_printable(member));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn printable(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut run = String::new();
        for c in text.chars().filter(|c| !is_variation_selector(*c)) {
            if c.is_ascii() && !c.is_whitespace() {
                run.push(c);
                continue;
            }
            push_run(&run, &mut out);
            run.clear();
            let known = c == '\n' || self.0.fonts.iter().any(|font| has(font, c));
            out.push(if known { c } else { GETA });
        }
        push_run(&run, &mut out);
        out
    }
}

/// Writes a run of letters with places to break. A hash, an id or an address stays whole, so that it can be searched and
/// copied: a place to break is a character that a firewall's form would take.
fn push_run(run: &str, out: &mut String) {
    let whole = run
        .chars()
        .all(|c| c.is_ascii_hexdigit() || "-.:".contains(c));
    if run.len() <= RUN_MAX || (whole && run.len() <= HASH_DIGITS) {
        out.push_str(run);
        return;
    }
    let mut since = 0;
    for (index, c) in run.chars().enumerate() {
        out.push(c);
        since += 1;
        let last = index + 1 == run.len();
        let marked = RUN_PART <= since && c.is_ascii_punctuation();
        if !last && (marked || since == RUN_MAX) {
            out.push('\u{200b}');
            since = 0;
        }
    }
}

/// What the template can see: itself, one data file and the fonts.
struct Page<'a> {
    inner: &'a Inner,
    main: Source,
    data_id: FileId,
    data: Bytes,
    today: Option<Datetime>,
}

impl<'a> Page<'a> {
    fn new(
        inner: &'a Inner,
        (template, data): (&str, String),
        at: Timestamp,
    ) -> Result<Self, PdfError> {
        let id = |name: &str| {
            let path = VirtualPath::new(name).map_err(|e| PdfError::Typst(format!("{e:?}")))?;
            Ok::<_, PdfError>(FileId::new(RootedPath::new(VirtualRoot::Project, path)))
        };
        Ok(Self {
            inner,
            main: Source::new(id("report.typ")?, template.to_owned()),
            data_id: id("report.json")?,
            data: Bytes::from_string(data),
            today: datetime(at),
        })
    }
}

impl World for Page<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.inner.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.inner.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.data_id { Ok(self.data.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.inner.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        self.today
    }
}

fn has(font: &Font, c: char) -> bool {
    font.info().coverage.contains(u32::from(c))
}

/// Selects a variant of the character before; a font without that variant shows the ordinary one.
const fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn datetime(at: Timestamp) -> Option<Datetime> {
    let local = Offset::constant(9).to_datetime(at);
    let part = |number: i8| u8::try_from(number).unwrap_or_default();
    Datetime::from_ymd_hms(
        i32::from(local.year()),
        part(local.month()),
        part(local.day()),
        part(local.hour()),
        part(local.minute()),
        part(local.second()),
    )
}

fn told(errors: &[SourceDiagnostic]) -> PdfError {
    let mut all = String::new();
    for error in errors {
        // Writing to a string cannot fail.
        write!(all, "{}; ", error.message).unwrap_or_default();
    }
    PdfError::Typst(all)
}
