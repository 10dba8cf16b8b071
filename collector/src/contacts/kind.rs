//! Whom a facility calls: kinds of contact, duties of its own staff, and columns of the book.

use crate::reports::profile::Addressee;
use crate::tables::{TableColumn, choices};

choices! {
    /// Who is called.
    ContactKind {
        /// 院内の職員
        Staff "staff" "contact-kind-staff";
        /// 保守会社・電子カルテ事業者
        Vendor "vendor" "contact-kind-vendor";
        /// 厚生労働省
        Mhlw "mhlw" "contact-kind-mhlw";
        /// 都道府県・保健所設置市・特別区
        Prefecture "prefecture" "contact-kind-prefecture";
        /// 初動対応支援
        FirstResponse "first_response" "contact-kind-first-response";
        /// 警察
        Police "police" "contact-kind-police";
        /// 個人情報保護委員会
        Ppc "ppc" "contact-kind-ppc";
        /// IPA
        Ipa "ipa" "contact-kind-ipa";
        /// JPCERT/CC
        Jpcert "jpcert" "contact-kind-jpcert";
        /// 医療セプター
        Ceptoar "ceptoar" "contact-kind-ceptoar";
        /// 医師会
        MedicalAssociation "medical_association" "contact-kind-medical-association";
        /// 国家サイバー統括室
        Nco "nco" "contact-kind-nco";
        /// フォレンジック調査会社
        Forensics "forensics" "contact-kind-forensics";
        /// 保険会社
        Insurer "insurer" "contact-kind-insurer";
        /// 弁護士
        Lawyer "lawyer" "contact-kind-lawyer";
        /// 接続先・委託先
        Partner "partner" "contact-kind-partner";
        /// 外国の当局
        Foreign "foreign" "contact-kind-foreign";
        /// その他
        Other "other" "contact-kind-other";
    }
}

impl ContactKind {
    /// Returns the kind of contact an addressee of reports is, if it is a certain one.
    #[must_use]
    pub const fn of(addressee: Addressee) -> Option<Self> {
        match addressee {
            Addressee::Mhlw => Some(Self::Mhlw),
            Addressee::Prefecture => Some(Self::Prefecture),
            Addressee::Ppc => Some(Self::Ppc),
            Addressee::Police => Some(Self::Police),
            Addressee::Ipa => Some(Self::Ipa),
            Addressee::Jpcert => Some(Self::Jpcert),
            Addressee::Ceptoar => Some(Self::Ceptoar),
            Addressee::Nco => Some(Self::Nco),
            Addressee::Vendor => Some(Self::Vendor),
            Addressee::Foreign => Some(Self::Foreign),
            Addressee::Other => None,
        }
    }

    /// Returns whose task a call to it is, unless the book says otherwise.
    ///
    /// Technical help is called by whoever looks after the systems, authorities by whoever the ministry calls back, and
    /// what concerns money, law and insurance by the administration.
    #[must_use]
    pub const fn usual_caller(self) -> StaffDuty {
        match self {
            Self::Vendor
            | Self::FirstResponse
            | Self::Ipa
            | Self::Jpcert
            | Self::Forensics
            | Self::Partner => StaffDuty::ItLead,
            Self::Mhlw
            | Self::Prefecture
            | Self::Police
            | Self::Ceptoar
            | Self::MedicalAssociation
            | Self::Nco
            | Self::Foreign => StaffDuty::LiaisonOfficer,
            Self::Ppc => StaffDuty::PrivacyOfficer,
            Self::Insurer | Self::Lawyer => StaffDuty::Administration,
            // Staff are called along the chain (see `chart`).
            Self::Staff | Self::Other => StaffDuty::IncidentCommander,
        }
    }
}

choices! {
    /// What a member of the facility's own staff answers for in an emergency. The order is that of the calls.
    StaffDuty {
        /// 当直・夜間の窓口
        NightDesk "night_desk" "staff-duty-night-desk";
        /// 医療情報部門・システム担当
        ItLead "it_lead" "staff-duty-it-lead";
        /// 医療情報システム安全管理責任者
        SafetyManager "safety_manager" "staff-duty-safety-manager";
        /// 対応の指揮者
        IncidentCommander "incident_commander" "staff-duty-incident-commander";
        /// 管理者（院長）
        Director "director" "staff-duty-director";
        /// 医療安全管理者
        MedicalSafety "medical_safety" "staff-duty-medical-safety";
        /// 看護部門
        Nursing "nursing" "staff-duty-nursing";
        /// 連絡担当者（官公庁）
        LiaisonOfficer "liaison" "staff-duty-liaison";
        /// 個人情報保護の担当者
        PrivacyOfficer "privacy" "staff-duty-privacy";
        /// 広報
        PublicRelations "public_relations" "staff-duty-public-relations";
        /// 事務部門
        Administration "administration" "staff-duty-administration";
        /// その他
        Other "other" "staff-duty-other";
    }
}

choices! {
    /// What is known of a contact, as a column of the book's table and an input of its page.
    Column {
        /// Which contact; empty for a new one.
        Id "id" "contact-id";
        /// Kind.
        Kind "kind" "contact-kind";
        /// Duty of a member of staff.
        Duty "duty" "contact-duty";
        /// System a company maintains.
        System "system" "contact-system";
        /// Organisation.
        Organisation "organisation" "contact-organisation";
        /// Department.
        Department "department" "contact-department";
        /// Person.
        Person "person" "contact-person";
        /// Telephone by day.
        Phone "phone" "contact-phone";
        /// Telephone at night and on holidays.
        NightPhone "night_phone" "contact-night-phone";
        /// Fax.
        Fax "fax" "contact-fax";
        /// Mail address.
        Mail "mail" "contact-mail";
        /// Page with a form.
        Web "web" "contact-web";
        /// When somebody answers.
        Hours "hours" "contact-hours";
        /// Anything else.
        Note "note" "contact-note";
        /// Whose task the call is.
        Caller "caller" "contact-caller";
        /// Place among its like.
        Place "place" "contact-place";
        /// Whether it takes part in drills.
        DrillPartner "drill_partner" "contact-drill-partner";
        /// First day it counts.
        ValidFrom "valid_from" "contact-valid-from";
        /// Last day it counts.
        ValidTo "valid_to" "contact-valid-to";
        /// When somebody last made sure.
        VerifiedOn "verified_on" "contact-verified-on";
        /// Who.
        VerifiedBy "verified_by" "contact-verified-by";
    }
}

impl TableColumn for Column {
    const ALL: &'static [Self] = Self::ALL;
    const NEEDED: &'static [Self] = &[Self::Kind];

    fn as_str(self) -> &'static str {
        Self::as_str(self)
    }

    fn label_key(self) -> &'static str {
        Self::label_key(self)
    }
}
