//! What a profile's file says.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::rules::{Applies, DeadlineRule, Obligation};
use crate::approval::RuleLayer;
use crate::locale::Lang;
use crate::reports::answer::RoundKind;
use crate::reports::fields::Field;

/// What a profile's file says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Its name, for example `jp-mhlw-contact`. The file has the same name.
    pub id: String,
    /// Profiles whose reports count together: 第1報, 第2報 … Its own name if left out.
    #[serde(default)]
    pub series: String,
    /// Whether it is offered at all. What does not apply in this country or not yet is switched off.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Who reports with it.
    #[serde(default)]
    pub by: ReportedBy,
    /// Who it goes to, as a kind.
    #[serde(default)]
    pub addressee: Addressee,
    /// Which kinds of report it serves.
    #[serde(default)]
    pub round: RoundRule,
    /// Whether the sender and everything that names it is left out.
    #[serde(default)]
    pub anonymous: bool,
    /// The first day it counts.
    pub valid_from: Date,
    /// The last day it counts; open while absent.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Numbers of the fields, in the order in which they are told. Left out where there are `groups`.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// Fields under headings of the addressee's own.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Fields that follow as annexes.
    #[serde(default)]
    pub annexes: Vec<Field>,
    /// Heading of the document.
    pub title: Words,
    /// What is said before the fields.
    pub opening: Words,
    /// The duty it serves.
    pub duty: Duty,
    /// Who has to approve, as far as this addressee makes a difference; a facility's settings for it win.
    #[serde(default)]
    pub approval: RuleLayer,
    /// Labels of this addressee, by number of the field, where they differ from the ordinary ones.
    #[serde(default)]
    pub labels: BTreeMap<String, Words>,
    /// When it applies; always while left out.
    #[serde(default)]
    pub applies: Applies,
    /// How much time there is, as far as it can be counted.
    #[serde(default)]
    pub deadlines: Vec<DeadlineRule>,
    /// Whom it goes to, by time.
    pub contacts: Vec<Contact>,
}

/// Who reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedBy {
    /// The institution it happened to.
    #[default]
    Institution,
    /// A municipality, about an institution under its jurisdiction.
    Municipality,
}

const fn yes() -> bool {
    true
}

impl Body {
    /// Returns its fields with those of its annexes.
    #[must_use]
    pub fn all_fields(&self) -> Vec<Field> {
        self.fields.iter().chain(&self.annexes).copied().collect()
    }

    /// Returns the heading that stands before a field: that of the group it is the first of.
    #[must_use]
    pub fn heading_before(&self, field: Field) -> Option<&Words> {
        let group = self
            .groups
            .iter()
            .find(|group| group.fields.first() == Some(&field));
        group.map(|group| &group.heading)
    }
}

/// Fields under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The heading.
    pub heading: Words,
    /// Numbers of the fields, in their order.
    pub fields: Vec<Field>,
}

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Words {
    /// Returns the text in one language.
    #[must_use]
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ja => &self.ja,
            Lang::En => &self.en,
        }
    }
}

/// The duty a profile serves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// How binding it is.
    #[serde(default)]
    pub obligation: Obligation,
    /// The law or notice.
    pub legal_basis: Words,
    /// From when it runs.
    pub starts: Words,
    /// How much time there is, in the words of the notice.
    pub deadline: Words,
    /// Where that was read.
    pub source_url: String,
    /// When it was last checked.
    pub last_verified: Date,
    /// How sure it is.
    pub confidence: Confidence,
}

/// An office and how to reach it, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name of the office.
    pub office: Words,
    /// Telephone; empty until confirmed.
    #[serde(default)]
    pub phone: String,
    /// Mail address; empty until confirmed.
    #[serde(default)]
    pub mail: String,
    /// The first day it counts.
    pub valid_from: Date,
    /// The last day it counts; open while absent.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Where that was read.
    pub source_url: String,
    /// When it was last checked.
    pub last_verified: Date,
    /// How sure it is.
    pub confidence: Confidence,
}

/// How sure a fact about an addressee is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Read in the source it names.
    Confirmed,
    /// Read in another text that quotes or dates it.
    Secondary,
    /// Nobody checked it.
    Unverified,
}

impl Confidence {
    /// Whether it has to be shown as 未確認.
    #[must_use]
    pub const fn is_doubtful(self) -> bool {
        match self {
            Self::Confirmed => false,
            Self::Secondary | Self::Unverified => true,
        }
    }
}

/// Kinds of addressee: the choices of field 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressee {
    /// 厚生労働省
    Mhlw,
    /// 都道府県・保健所設置市・特別区
    Prefecture,
    /// 個人情報保護委員会
    Ppc,
    /// 警察
    Police,
    /// IPA
    Ipa,
    /// JPCERT/CC
    Jpcert,
    /// 医療セプター
    Ceptoar,
    /// 国家サイバー統括室
    Nco,
    /// The maintenance company.
    Vendor,
    /// An authority of another country.
    Foreign,
    /// Several, or another.
    #[default]
    Other,
}

impl Addressee {
    /// Returns the code of the choice in field 2.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mhlw => "mhlw",
            Self::Prefecture => "prefecture",
            Self::Ppc => "ppc",
            Self::Police => "police",
            Self::Ipa => "ipa",
            Self::Jpcert => "jpcert",
            Self::Ceptoar => "ceptoar",
            Self::Nco => "nco",
            Self::Vendor => "vendor",
            Self::Foreign => "foreign",
            Self::Other => "other",
        }
    }
}

/// Which kinds of report a profile serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundRule {
    /// 速報 only.
    Preliminary,
    /// 続報 only.
    Interim,
    /// 確報 only.
    Final,
    /// 速報 and 続報, because another profile of its series is the 確報.
    UntilFinal,
    /// Any of them, as the person says who makes it.
    #[default]
    Any,
}

impl RoundRule {
    /// Returns the kinds it allows, in the order of time.
    #[must_use]
    pub const fn kinds(self) -> &'static [RoundKind] {
        match self {
            Self::Preliminary => &[RoundKind::Preliminary],
            Self::Interim => &[RoundKind::Interim],
            Self::Final => &[RoundKind::Final],
            Self::UntilFinal => &[RoundKind::Preliminary, RoundKind::Interim],
            Self::Any => &RoundKind::ALL,
        }
    }
}
