//! Makes the files of a document, one kind or all of them.

use super::pdf::{PdfError, PdfRenderer};
use super::{Document, archive, docx, html, json, mail, xlsx};
use crate::approval::Format;

/// Why a file was not made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The PDF.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// The DOCX.
    #[error("failed to pack the DOCX")]
    Docx(#[source] archive::ArchiveError),
    /// The XLSX.
    #[error("failed to write the XLSX")]
    Xlsx(#[from] xlsx::XlsxError),
    /// The HTML.
    #[error("failed to write the HTML")]
    Html(#[source] askama::Error),
    /// The JSON.
    #[error("failed to write the JSON")]
    Json(#[source] serde_json::Error),
}

/// Makes one kind of file; `None` for an attachment the answers give nothing for.
///
/// # Errors
/// Names the kind that failed.
pub fn file(
    document: &Document,
    format: Format,
    renderer: &PdfRenderer,
) -> Result<Option<Vec<u8>>, RenderError> {
    let bytes = match format {
        Format::Pdf => pdf(document, renderer)?,
        Format::Docx => docx::render(document).map_err(RenderError::Docx)?,
        Format::Xlsx => xlsx::render(document)?,
        Format::Html => html::render(document).map_err(RenderError::Html)?,
        Format::Json => json::render(document).map_err(RenderError::Json)?,
        Format::Eml => mail::render(document, &pdf(document, renderer)?),
        Format::TimelineCsv
        | Format::HostsCsv
        | Format::IndicatorsCsv
        | Format::IndicatorsStix
        | Format::DamageCsv => {
            let mut files = document.attachments.iter();
            return Ok(files
                .find(|file| file.format == format)
                .map(|file| file.bytes.clone()));
        }
    };

    Ok(Some(bytes))
}

/// Makes every file of a document, the PDF first.
///
/// # Errors
/// Names the kind that failed; then there is none.
pub fn all(
    document: &Document,
    renderer: &PdfRenderer,
) -> Result<Vec<(Format, Vec<u8>)>, RenderError> {
    let pdf = pdf(document, renderer)?;
    let mut files = vec![(Format::Eml, mail::render(document, &pdf)), (Format::Pdf, pdf)];
    for format in Format::ALL {
        if !matches!(format, Format::Pdf | Format::Eml)
            && let Some(bytes) = file(document, format, renderer)?
        {
            files.push((format, bytes));
        }
    }
    files.sort_by_key(|(format, _)| *format);

    Ok(files)
}

fn pdf(document: &Document, renderer: &PdfRenderer) -> Result<Vec<u8>, PdfError> {
    let record = &document.record;
    let identity = format!("{} {} {}", record.report, record.answers_sha256, record.dated_at);
    renderer.render(document, &identity, record.dated_at)
}
