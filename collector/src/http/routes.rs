//! Every route of the console and who may call it. The router is built from this table, so that a route that is not in
//! it does not exist, and the authorisation test walks it.

use crate::exchange::OrganisationKind;
use crate::people::{Grants, Role, Stage};
use shirase_shared::ids::FacilityId;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Public,
    /// Whoever has come this far with signing in. A password may also be changed later.
    Stage(Stage),
    /// Whoever has given the right password, however far they came.
    AnyStage,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever holds this role, or one that covers it, at the facility named in the path.
    Facility(Role),
    /// Whoever answers for reports there: an approver, or an administrator.
    Answerable,
    /// Whoever keeps a municipality's register: an author, or an administrator.
    Keeper,
}

/// How a route is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Asks.
    Get,
    /// Changes something.
    Post,
}

macro_rules! routes {
    ($($page:ident $verb:ident $path:literal $access:expr;)*) => {
        /// What a route leads to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Page { $(#[doc = concat!("`", $path, "`")] $page),* }

        /// Every route: method, path, who may call it, and where it leads.
        pub(super) const ROUTES: &[(Verb, &str, Access, Page)] =
            &[$((Verb::$verb, $path, $access, Page::$page)),*];
    };
}

const AUTHOR: Access = Access::Facility(Role::Author);
const APPROVER: Access = Access::Facility(Role::Approver);
const VIEWER: Access = Access::Facility(Role::Viewer);
const ADMINISTRATOR: Access = Access::Facility(Role::Administrator);

routes! {
    Static             Get  "/static/{file}" Access::Public;
    Language           Get  "/language/{lang}" Access::Public;
    SignInForm         Get  "/sign-in" Access::Public;
    SignIn             Post "/sign-in" Access::Public;
    PasswordForm       Get  "/password" Access::Stage(Stage::PasswordChange);
    Password           Post "/password" Access::Stage(Stage::PasswordChange);
    SetupForm          Get  "/second-factor/setup" Access::Stage(Stage::SecondFactorSetup);
    Setup              Post "/second-factor/setup" Access::Stage(Stage::SecondFactorSetup);
    SecondFactorForm   Get  "/second-factor" Access::Stage(Stage::SecondFactor);
    SecondFactor       Post "/second-factor" Access::Stage(Stage::SecondFactor);
    SignOut            Post "/sign-out" Access::AnyStage;
    Overview           Get  "/" Access::SignedIn;
    OverviewPart       Get  "/overview/part" Access::SignedIn;
    Alerts             Get  "/alerts" Access::SignedIn;
    AlertsPart         Get  "/alerts/part" Access::SignedIn;
    Deadlines          Get  "/deadlines" Access::SignedIn;
    Live               Get  "/live" Access::SignedIn;
    Facility           Get  "/facilities/{facility}" VIEWER;
    SightingNew        Get  "/facilities/{facility}/incidents/new" AUTHOR;
    SightingEnter      Post "/facilities/{facility}/incidents" AUTHOR;
    Incident           Get  "/facilities/{facility}/incidents/{incident}" VIEWER;
    Acknowledge        Post "/facilities/{facility}/incidents/{incident}/acknowledge" AUTHOR;
    Comment            Post "/facilities/{facility}/incidents/{incident}/comment" AUTHOR;
    Close              Post "/facilities/{facility}/incidents/{incident}/close" AUTHOR;
    FalseAlarm         Post "/facilities/{facility}/incidents/{incident}/false-alarm" AUTHOR;
    Reopen             Post "/facilities/{facility}/incidents/{incident}/reopen" AUTHOR;
    IncidentJoin       Post "/facilities/{facility}/incidents/{incident}/join" AUTHOR;
    VendorCalled       Post "/facilities/{facility}/incidents/{incident}/vendor-called" AUTHOR;
    StepTaken          Post "/facilities/{facility}/incidents/{incident}/steps" AUTHOR;
    Interview          Post "/facilities/{facility}/incidents/{incident}/interview" AUTHOR;
    MomentNote         Post "/facilities/{facility}/incidents/{incident}/moment" AUTHOR;
    ReportMake         Post "/facilities/{facility}/incidents/{incident}/reports" AUTHOR;
    Report             Get  "/facilities/{facility}/reports/{report}" VIEWER;
    ReportPdf          Get  "/facilities/{facility}/reports/{report}/pdf" VIEWER;
    ReportFile         Get  "/facilities/{facility}/reports/{report}/files/{format}" VIEWER;
    ReportOnForm       Get  "/facilities/{facility}/reports/{report}/official-forms/{form}" VIEWER;
    AnswerForm         Get  "/facilities/{facility}/reports/{report}/fields/{field}" AUTHOR;
    Answer             Post "/facilities/{facility}/reports/{report}/fields/{field}" AUTHOR;
    Submit             Post "/facilities/{facility}/reports/{report}/submit" AUTHOR;
    Approve            Post "/facilities/{facility}/reports/{report}/approve" APPROVER;
    Reject             Post "/facilities/{facility}/reports/{report}/reject" APPROVER;
    Deliveries         Get  "/facilities/{facility}/reports/{report}/deliveries" VIEWER;
    DeliveryChoose     Post "/facilities/{facility}/reports/{report}/deliveries" AUTHOR;
    Delivery           Get  "/facilities/{facility}/deliveries/{delivery}" VIEWER;
    DeliverySheet      Get  "/facilities/{facility}/deliveries/{delivery}/sheet" VIEWER;
    DeliveryRecord     Post "/facilities/{facility}/deliveries/{delivery}/record" AUTHOR;
    DeliveryDecide     Post "/facilities/{facility}/deliveries/{delivery}/decide" AUTHOR;
    DeliveryReceipt    Post "/facilities/{facility}/deliveries/{delivery}/receipt" AUTHOR;
    Withdraw           Post "/facilities/{facility}/reports/{report}/withdraw" AUTHOR;
    ApproveAlone       Post "/facilities/{facility}/reports/{report}/approve-in-emergency" Access::Answerable;
    Review             Post "/facilities/{facility}/reports/{report}/review" Access::Answerable;
    Hosts              Get  "/facilities/{facility}/hosts" VIEWER;
    HostRoles          Post "/facilities/{facility}/hosts/{host}" ADMINISTRATOR;
    HostRevoke         Post "/facilities/{facility}/hosts/{host}/revoke" ADMINISTRATOR;
    HostDrill          Post "/facilities/{facility}/hosts/{host}/drill" ADMINISTRATOR;
    HostMaintenance    Post "/facilities/{facility}/hosts/{host}/maintenance" ADMINISTRATOR;
    HostMaintenanceEnd Post "/facilities/{facility}/hosts/{host}/maintenance/end" ADMINISTRATOR;
    Policy             Get  "/facilities/{facility}/policy" VIEWER;
    PolicySave         Post "/facilities/{facility}/policy" ADMINISTRATOR;
    PolicyRevision     Get  "/facilities/{facility}/policy/revisions/{revision}" VIEWER;
    HostPolicy         Get  "/facilities/{facility}/hosts/{host}/policy" VIEWER;
    HostPolicySave     Post "/facilities/{facility}/hosts/{host}/policy" ADMINISTRATOR;
    TokenIssue         Post "/facilities/{facility}/tokens" ADMINISTRATOR;
    TokenRevoke        Post "/facilities/{facility}/tokens/{token}/revoke" ADMINISTRATOR;
    Settings           Get  "/facilities/{facility}/settings" VIEWER;
    SettingsSave       Post "/facilities/{facility}/settings" ADMINISTRATOR;
    Approval           Get  "/facilities/{facility}/approval" VIEWER;
    ApprovalSave       Post "/facilities/{facility}/approval" ADMINISTRATOR;
    AbsenceNote        Post "/facilities/{facility}/absences" Access::Answerable;
    AbsenceEnd         Post "/facilities/{facility}/absences/{absence}/end" Access::Answerable;
    ChannelPut         Post "/facilities/{facility}/channels" ADMINISTRATOR;
    ChannelTest        Post "/facilities/{facility}/channels/{channel}/test" ADMINISTRATOR;
    ChannelRemove      Post "/facilities/{facility}/channels/{channel}/remove" ADMINISTRATOR;
    OfficialForms      Get  "/facilities/{facility}/official-forms" VIEWER;
    OfficialFormPut    Post "/facilities/{facility}/official-forms" ADMINISTRATOR;
    OfficialForm       Get  "/facilities/{facility}/official-forms/{form}" VIEWER;
    OfficialFormMap    Post "/facilities/{facility}/official-forms/{form}/map" ADMINISTRATOR;
    OfficialFormRemove Post "/facilities/{facility}/official-forms/{form}/remove" ADMINISTRATOR;
    Contacts           Get  "/facilities/{facility}/contacts" VIEWER;
    ContactAdd         Post "/facilities/{facility}/contacts" ADMINISTRATOR;
    ContactsExport     Get  "/facilities/{facility}/contacts/table" ADMINISTRATOR;
    ContactsImport     Post "/facilities/{facility}/contacts/table" ADMINISTRATOR;
    ContactsTakeOver   Post "/facilities/{facility}/contacts/take-over" ADMINISTRATOR;
    ContactChart       Get  "/facilities/{facility}/contacts/chart" VIEWER;
    ContactChartPdf    Get  "/facilities/{facility}/contacts/chart/pdf" VIEWER;
    Contact            Get  "/facilities/{facility}/contacts/{contact}" VIEWER;
    ContactChange      Post "/facilities/{facility}/contacts/{contact}" ADMINISTRATOR;
    ContactVerify      Post "/facilities/{facility}/contacts/{contact}/verify" AUTHOR;
    ContactRetire      Post "/facilities/{facility}/contacts/{contact}/retire" ADMINISTRATOR;
    Checklists         Get  "/facilities/{facility}/checklists" VIEWER;
    ChecklistPdf       Get  "/facilities/{facility}/checklists/{checklist}/pdf" VIEWER;
    ChecklistXlsx      Get  "/facilities/{facility}/checklists/{checklist}/xlsx" VIEWER;
    ChecklistChanges   Get  "/facilities/{facility}/checklists/{checklist}/changes" VIEWER;
    ChecklistSheet     Get  "/facilities/{facility}/checklists/{checklist}/{sheet}" VIEWER;
    ChecklistAnswer    Post "/facilities/{facility}/checklists/{checklist}/{sheet}/{item}" AUTHOR;
    Exchange           Get  "/facilities/{facility}/exchange" VIEWER;
    PackageThread      Get  "/facilities/{facility}/exchange/packages/{package}" VIEWER;
    PackageFile        Get  "/facilities/{facility}/exchange/packages/{package}/files/{number}" VIEWER;
    PackageRead        Post "/facilities/{facility}/exchange/packages/{package}/read" VIEWER;
    MessageWrite       Post "/facilities/{facility}/exchange/messages" AUTHOR;
    Message            Get  "/facilities/{facility}/exchange/messages/{message}" VIEWER;
    MessageRelease     Post "/facilities/{facility}/exchange/messages/{message}/release" APPROVER;
    MessageSendBack    Post "/facilities/{facility}/exchange/messages/{message}/send-back" AUTHOR;
    Circulars          Get  "/facilities/{facility}/circulars" VIEWER;
    CircularWrite      Post "/facilities/{facility}/circulars" AUTHOR;
    Circular           Get  "/facilities/{facility}/circulars/{circular}" VIEWER;
    CircularRelease    Post "/facilities/{facility}/circulars/{circular}/release" APPROVER;
    CircularSendBack   Post "/facilities/{facility}/circulars/{circular}/send-back" AUTHOR;
    CircularRemind     Post "/facilities/{facility}/circulars/{circular}/remind" AUTHOR;
    Partners           Get  "/facilities/{facility}/partners" VIEWER;
    PartnerAccept      Post "/facilities/{facility}/partners" ADMINISTRATOR;
    PartnerInvite      Post "/facilities/{facility}/partners/invite" ADMINISTRATOR;
    PartnerCard        Get  "/facilities/{facility}/partners/card" VIEWER;
    Partner            Get  "/facilities/{facility}/partners/{partner}" VIEWER;
    PartnerRotate      Post "/facilities/{facility}/partners/{partner}/rotate" ADMINISTRATOR;
    PartnerRevoke      Post "/facilities/{facility}/partners/{partner}/revoke" ADMINISTRATOR;
    Institutions       Get  "/facilities/{facility}/institutions" VIEWER;
    InstitutionAdd     Post "/facilities/{facility}/institutions" Access::Keeper;
    InstitutionsExport Get  "/facilities/{facility}/institutions/table" Access::Keeper;
    InstitutionsImport Post "/facilities/{facility}/institutions/table" ADMINISTRATOR;
    Institution        Get  "/facilities/{facility}/institutions/{institution}" VIEWER;
    InstitutionChange  Post "/facilities/{facility}/institutions/{institution}" Access::Keeper;
    InstitutionNote    Post "/facilities/{facility}/institutions/{institution}/notes" Access::Keeper;
    InstitutionClose   Post "/facilities/{facility}/institutions/{institution}/close" ADMINISTRATOR;
    InstitutionReopen  Post "/facilities/{facility}/institutions/{institution}/reopen" ADMINISTRATOR;
    Cases              Get  "/facilities/{facility}/cases" VIEWER;
    CaseOpen           Post "/facilities/{facility}/cases" AUTHOR;
    CaseFigures        Get  "/facilities/{facility}/cases/figures" VIEWER;
    CaseFiguresXlsx    Get  "/facilities/{facility}/cases/figures/xlsx" VIEWER;
    CaseNew            Get  "/facilities/{facility}/cases/new" AUTHOR;
    Case               Get  "/facilities/{facility}/cases/{case}" VIEWER;
    CaseEnter          Post "/facilities/{facility}/cases/{case}/entries" AUTHOR;
    CaseEntry          Get  "/facilities/{facility}/cases/{case}/entries/{entry}" AUTHOR;
    CaseFile           Get  "/facilities/{facility}/cases/{case}/entries/{entry}/file" VIEWER;
    CaseReport         Post "/facilities/{facility}/cases/{case}/report" AUTHOR;
    PackageCase        Post "/facilities/{facility}/exchange/packages/{package}/case" AUTHOR;
    Sharing            Get  "/facilities/{facility}/sharing" VIEWER;
    SharingBegin       Post "/facilities/{facility}/sharing" AUTHOR;
    SharingProduct     Get  "/facilities/{facility}/sharing/products/{product}" VIEWER;
    SharingChange      Post "/facilities/{facility}/sharing/products/{product}" AUTHOR;
    SharingSubmit      Post "/facilities/{facility}/sharing/products/{product}/submit" AUTHOR;
    SharingApprove     Post "/facilities/{facility}/sharing/products/{product}/approve" APPROVER;
    SharingSendBack    Post "/facilities/{facility}/sharing/products/{product}/send-back" AUTHOR;
    SharingSend        Post "/facilities/{facility}/sharing/products/{product}/send" AUTHOR;
    SharingFile        Get  "/facilities/{facility}/sharing/products/{product}/files/{name}" VIEWER;
    SharingReceived    Get  "/facilities/{facility}/sharing/received/{shared}" VIEWER;
    SharingSearch      Post "/facilities/{facility}/sharing/received/{shared}/search" AUTHOR;
    SharingAccept      Post "/facilities/{facility}/sharing/received/{shared}/accept" AUTHOR;
    SharingDrop        Post "/facilities/{facility}/sharing/received/{shared}/drop" AUTHOR;
    Users              Get  "/facilities/{facility}/users" ADMINISTRATOR;
    UserAdd            Post "/facilities/{facility}/users" ADMINISTRATOR;
    UserRoles          Post "/facilities/{facility}/users/{user}/roles" ADMINISTRATOR;
    UserReset          Post "/facilities/{facility}/users/{user}/reset" ADMINISTRATOR;
    UserDisable        Post "/facilities/{facility}/users/{user}/disable" ADMINISTRATOR;
    Audit              Get  "/facilities/{facility}/audit" ADMINISTRATOR;
}

impl Page {
    /// Whether an organisation of a kind has this page at all: the register and the cases are a municipality's, and a
    /// hospital informs nobody by circular.
    pub(super) const fn is_of(self, kind: OrganisationKind) -> bool {
        let municipal = matches!(
            self,
            Self::Institutions
                | Self::InstitutionAdd
                | Self::InstitutionsExport
                | Self::InstitutionsImport
                | Self::Institution
                | Self::InstitutionChange
                | Self::InstitutionNote
                | Self::InstitutionClose
                | Self::InstitutionReopen
                | Self::Cases
                | Self::CaseOpen
                | Self::CaseFigures
                | Self::CaseFiguresXlsx
                | Self::CaseNew
                | Self::Case
                | Self::CaseEnter
                | Self::CaseEntry
                | Self::CaseFile
                | Self::CaseReport
                | Self::PackageCase
        );
        let informing = matches!(
            self,
            Self::Circulars
                | Self::CircularWrite
                | Self::Circular
                | Self::CircularRelease
                | Self::CircularSendBack
                | Self::CircularRemind
        );
        (!municipal || kind.supervises()) && (!informing || kind.informs())
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It goes on.
    Pass,
    /// Sign in first.
    SignIn,
    /// Complete this stage of signing in first.
    Complete(Stage),
    /// There is nothing here for this person: the facility's existence is not given away.
    NotFound,
    /// The facility is known to them, but this is not theirs to do.
    Forbidden,
}

/// Decides whether somebody may call a route.
pub(super) fn decide(
    access: Access,
    caller: Option<(Stage, &Grants)>,
    facility: Option<&FacilityId>,
) -> Decision {
    let (stage, grants) = match (access, caller) {
        (Access::Public, _) => return Decision::Pass,
        (_, None) => return Decision::SignIn,
        (Access::AnyStage, Some(_)) => return Decision::Pass,
        (Access::Stage(wanted), Some((stage, _))) => {
            let later = wanted == Stage::PasswordChange && stage == Stage::Full;
            return if stage == wanted || later {
                Decision::Pass
            } else {
                Decision::Complete(stage)
            };
        }
        (
            Access::SignedIn | Access::Facility(_) | Access::Answerable | Access::Keeper,
            Some((stage, grants)),
        ) => (stage, grants),
    };
    if stage != Stage::Full {
        return Decision::Complete(stage);
    }
    let roles: &[Role] = match access {
        Access::Facility(role) => &[role],
        Access::Answerable => &[Role::Approver, Role::Administrator],
        Access::Keeper => &[Role::Author, Role::Administrator],
        Access::Public | Access::Stage(_) | Access::AnyStage | Access::SignedIn => {
            return Decision::Pass;
        }
    };
    let allowed = |facility| roles.iter().any(|role| grants.allow(facility, *role));
    match facility {
        Some(facility) if allowed(facility) => Decision::Pass,
        Some(facility) if grants.allow(facility, Role::Viewer) => Decision::Forbidden,
        Some(_) | None => Decision::NotFound,
    }
}

/// Where each stage of signing in is done.
pub(super) const fn stage_path(stage: Stage) -> &'static str {
    match stage {
        Stage::PasswordChange => "/password",
        Stage::SecondFactorSetup => "/second-factor/setup",
        Stage::SecondFactor => "/second-factor",
        Stage::Full => "/",
    }
}
