//! Kinds of file a report is rendered to: the document in several formats, and the files that go with it.

use std::fmt;

/// A kind of file made from frozen answers. Its name stands in the database, in file names and in signed texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The document as PDF/A.
    Pdf,
    /// The document for a word processor.
    Docx,
    /// The document for a spreadsheet.
    Xlsx,
    /// The document for a browser, in one file.
    Html,
    /// The document for programs, after the published schema.
    Json,
    /// A mail ready to send, with the PDF and the attachments in it.
    Eml,
    /// Attachment: the timeline.
    TimelineCsv,
    /// Attachment: the affected systems.
    HostsCsv,
    /// Attachment: indicators as a table.
    IndicatorsCsv,
    /// Attachment: indicators as a STIX 2.1 bundle.
    IndicatorsStix,
    /// Attachment: what was damaged, in short.
    DamageCsv,
}

impl Format {
    /// Every kind, documents first.
    pub const ALL: [Self; 11] = [
        Self::Pdf,
        Self::Docx,
        Self::Xlsx,
        Self::Html,
        Self::Json,
        Self::Eml,
        Self::TimelineCsv,
        Self::HostsCsv,
        Self::IndicatorsCsv,
        Self::IndicatorsStix,
        Self::DamageCsv,
    ];

    /// The kinds that show the whole document.
    pub const DOCUMENTS: [Self; 6] =
        [Self::Pdf, Self::Docx, Self::Xlsx, Self::Html, Self::Json, Self::Eml];

    /// Returns the name used in the database, in paths and in signed texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Html => "html",
            Self::Json => "json",
            Self::Eml => "eml",
            Self::TimelineCsv => "timeline-csv",
            Self::HostsCsv => "hosts-csv",
            Self::IndicatorsCsv => "indicators-csv",
            Self::IndicatorsStix => "indicators-stix",
            Self::DamageCsv => "damage-csv",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Returns what a file name ends with, after the part all files of a report share.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Pdf => ".pdf",
            Self::Docx => ".docx",
            Self::Xlsx => ".xlsx",
            Self::Html => ".html",
            Self::Json => ".json",
            Self::Eml => ".eml",
            Self::TimelineCsv => "-timeline.csv",
            Self::HostsCsv => "-hosts.csv",
            Self::IndicatorsCsv => "-indicators.csv",
            Self::IndicatorsStix => "-indicators.stix.json",
            Self::DamageCsv => "-damage.csv",
        }
    }

    /// Returns the media type a browser or a mail program is told.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Eml => "message/rfc822",
            Self::TimelineCsv | Self::HostsCsv | Self::IndicatorsCsv | Self::DamageCsv => {
                "text/csv; charset=utf-8"
            }
            Self::IndicatorsStix => "application/stix+json;version=2.1",
        }
    }

    /// Whether it goes with the document instead of showing it.
    #[must_use]
    pub fn is_attachment(self) -> bool {
        !Self::DOCUMENTS.contains(&self)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
