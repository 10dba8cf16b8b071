//! Master data of a facility: what a report says about the institution before anything happened.

use serde::{Deserialize, Serialize};

use super::CareRole;

/// Longest text of one field in characters: a form that needs more is being misused.
const TEXT_MAX_CHARS: usize = 400;
/// Most people or vendors of one facility.
const LIST_MAX: usize = 100;

/// What is known of an institution. An empty text means that nobody entered it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Master {
    /// Official name, for example 医療法人知多会 半田中央病院.
    pub name: String,
    /// Who founded it (開設者).
    pub founder: String,
    /// What kind of institution it is.
    pub kind: FacilityKind,
    /// Licensed beds; `None` while unknown, 0 for a clinic without beds.
    pub beds: Option<u32>,
    /// Ten-digit code of the medical institution (医療機関コード).
    pub code: String,
    /// Thirteen-digit corporate number (法人番号).
    pub corporate_number: String,
    /// Postal address.
    pub address: String,
    /// Prefecture (都道府県).
    pub prefecture: String,
    /// Whose supervision it is under: prefecture, city with a health centre, or special ward.
    pub jurisdiction: String,
    /// People who answer for it or can be called.
    pub people: Vec<Person>,
    /// Maintenance companies by system.
    pub vendors: Vec<Vendor>,
}

/// Kinds of institution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacilityKind {
    /// Nobody entered it.
    #[default]
    Unknown,
    /// 病院
    Hospital,
    /// 有床診療所 or 無床診療所
    Clinic,
    /// 歯科診療所
    DentalClinic,
    /// 助産所
    MaternityHome,
    /// 薬局
    Pharmacy,
    /// Anything else.
    Other,
}

impl FacilityKind {
    /// Every kind, in the order a form shows them.
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::Hospital,
        Self::Clinic,
        Self::DentalClinic,
        Self::MaternityHome,
        Self::Pharmacy,
        Self::Other,
    ];

    /// Returns the name used in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Hospital => "hospital",
            Self::Clinic => "clinic",
            Self::DentalClinic => "dental_clinic",
            Self::MaternityHome => "maternity_home",
            Self::Pharmacy => "pharmacy",
            Self::Other => "other",
        }
    }

    /// Returns the key of its name in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Unknown => "facility-kind-unknown",
            Self::Hospital => "facility-kind-hospital",
            Self::Clinic => "facility-kind-clinic",
            Self::DentalClinic => "facility-kind-dental-clinic",
            Self::MaternityHome => "facility-kind-maternity-home",
            Self::Pharmacy => "facility-kind-pharmacy",
            Self::Other => "facility-kind-other",
        }
    }
}

/// A person of the facility.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What the person answers for.
    pub duty: Duty,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Telephone during working hours.
    #[serde(default)]
    pub phone: String,
    /// Mail address.
    #[serde(default)]
    pub mail: String,
    /// Telephone at any hour.
    #[serde(default)]
    pub phone_24h: String,
}

/// What a person of the facility answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// 管理者 (院長)
    Director,
    /// 医療情報システム安全管理責任者
    SafetyManager,
    /// Whom the ministry calls back (連絡担当者).
    Contact,
}

impl Duty {
    /// Every duty, in the order a form shows them.
    pub const ALL: [Self; 3] = [Self::Director, Self::SafetyManager, Self::Contact];

    /// Returns the name used in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Director => "director",
            Self::SafetyManager => "safety_manager",
            Self::Contact => "contact",
        }
    }

    /// Returns the key of its name in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Director => "duty-director",
            Self::SafetyManager => "duty-safety-manager",
            Self::Contact => "duty-contact",
        }
    }
}

/// Who maintains a system, and whom to call there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    /// The system maintained.
    pub system: CareRole,
    /// Company.
    #[serde(default)]
    pub company: String,
    /// Person in charge.
    #[serde(default)]
    pub person: String,
    /// Telephone during working hours.
    #[serde(default)]
    pub phone: String,
    /// Telephone at any hour.
    #[serde(default)]
    pub phone_24h: String,
    /// Mail address.
    #[serde(default)]
    pub mail: String,
}

impl Master {
    /// Returns the first person with this duty whose name is known.
    #[must_use]
    pub fn person(&self, duty: Duty) -> Option<&Person> {
        self.people
            .iter()
            .find(|person| person.duty == duty && !person.name.is_empty())
    }

    /// Returns whoever maintains `system`.
    #[must_use]
    pub fn vendor(&self, system: CareRole) -> Option<&Vendor> {
        self.vendors.iter().find(|vendor| vendor.system == system)
    }

    /// Returns what is wrong with the values, as field and reason; empty when all may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<(String, &'static str)> {
        let mut problems = Vec::new();
        let mut check = |field: String, text: &str| {
            if TEXT_MAX_CHARS < text.chars().count() {
                problems.push((field, "is longer than 400 characters"));
            } else if text.chars().any(char::is_control) {
                problems.push((field, "holds a control character or a line break"));
            }
        };
        for (field, text) in [
            ("name", &self.name),
            ("founder", &self.founder),
            ("code", &self.code),
            ("corporate_number", &self.corporate_number),
            ("address", &self.address),
            ("prefecture", &self.prefecture),
            ("jurisdiction", &self.jurisdiction),
        ] {
            check(field.to_owned(), text);
        }
        for (index, person) in self.people.iter().enumerate() {
            let Person { duty: _, name, phone, mail, phone_24h } = person;
            for (field, text) in
                [("name", name), ("phone", phone), ("mail", mail), ("phone_24h", phone_24h)]
            {
                check(format!("people.{index}.{field}"), text);
            }
        }
        for (index, vendor) in self.vendors.iter().enumerate() {
            let Vendor { system: _, company, person, phone, phone_24h, mail } = vendor;
            for (field, text) in [
                ("company", company),
                ("person", person),
                ("phone", phone),
                ("phone_24h", phone_24h),
                ("mail", mail),
            ] {
                check(format!("vendors.{index}.{field}"), text);
            }
        }
        problems.extend(self.problems_of_numbers());
        problems
    }

    fn problems_of_numbers(&self) -> Vec<(String, &'static str)> {
        let digits = |text: &str, count| {
            text.is_empty() || (text.len() == count && text.chars().all(|c| c.is_ascii_digit()))
        };
        let mut problems = Vec::new();
        if !digits(&self.code, 10) {
            problems.push(("code".to_owned(), "is not a medical institution code of 10 digits"));
        }
        if !digits(&self.corporate_number, 13) {
            problems
                .push(("corporate_number".to_owned(), "is not a corporate number of 13 digits"));
        }
        if LIST_MAX < self.people.len() {
            problems.push(("people".to_owned(), "holds more than 100 people"));
        }
        if LIST_MAX < self.vendors.len() {
            problems.push(("vendors".to_owned(), "holds more than 100 companies"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_entered_is_valid_and_unknown() {
        let master = Master::default();
        assert_eq!((master.kind, master.beds), (FacilityKind::Unknown, None));
        assert!(master.problems().is_empty());
        assert_eq!(serde_json::from_str::<Master>("{}").unwrap(), master);
    }

    #[test]
    fn a_wrong_code_and_a_line_break_in_a_name_are_named() {
        let person = Person {
            duty: Duty::Director,
            name: "半田\n太郎".to_owned(),
            phone: String::new(),
            mail: String::new(),
            phone_24h: String::new(),
        };
        let master = Master { code: "12345".to_owned(), people: vec![person], ..Master::default() };
        let fields: Vec<_> = master
            .problems()
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        assert_eq!(fields, ["people.0.name", "code"]);
    }

    #[test]
    fn names_in_json_are_those_of_the_command_line() {
        for kind in FacilityKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for duty in Duty::ALL {
            assert_eq!(serde_json::to_value(duty).unwrap(), duty.as_str());
        }
    }
}
