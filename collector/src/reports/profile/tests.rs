//! Profiles read, date their contacts and name every mistake.

use super::*;

#[test]
fn the_built_in_profile_is_the_first_contact_with_its_sixteen_fields() {
    let profiles = Profiles::with_files(&[]).unwrap();
    let profile = profiles.profile(MHLW_CONTACT).unwrap();
    let numbers: Vec<_> = profile
        .body
        .fields
        .iter()
        .map(|field| field.number())
        .collect();
    assert_eq!(numbers, [3, 4, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 20, 38, 41, 42]);
    assert!(
        !profile
            .body
            .duty
            .deadline
            .ja
            .chars()
            .any(|c| c.is_ascii_digit())
    );
    assert_eq!(profile.version, sha256_hex(contact().as_bytes()));
}

#[test]
fn the_addressee_is_the_office_in_force_that_day_and_doubt_is_shown() {
    let profiles = Profiles::with_files(&[]).unwrap();
    let profile = profiles.profile(MHLW_CONTACT).unwrap();
    let on = |day: &str| profile.contact(format!("{day}T03:00:00Z").parse().unwrap());
    assert_eq!(on("2018-01-01"), None);
    assert!(
        on("2019-05-01")
            .unwrap()
            .office
            .ja
            .contains("医療技術情報推進室")
    );
    assert_eq!(on("2022-11-10").unwrap().phone, "");
    let now = on("2026-11-22").unwrap();
    assert!(now.confidence.is_doubtful() && now.phone.is_empty() && now.mail.is_empty());
}

#[test]
fn a_profile_says_how_many_approve_but_names_nobody() {
    let with = |approval: &str| {
        let text = contact().replace("# [approval]\n# approvers = 2\n", approval);
        assert_ne!(text, contact(), "the file tells how it is written");
        Profile::read(&text).map(|profile| profile.body.approval)
    };
    let own = with("[approval]\napprovers = 2\nemergency = \"allowed\"\n").unwrap();
    assert_eq!((own.approvers, own.deputies_after_mins), (Some(2), None));
    for wrong in ["approvers = 0", "approvers = 12", "named = []", "deputies_after_mins = 99999"] {
        let problems = with(&format!("[approval]\n{wrong}\n")).unwrap_err();
        assert!(
            problems
                .iter()
                .any(|one| one.to_string().contains("approval")),
            "{problems:?}"
        );
    }
}

#[test]
fn a_file_of_the_hospital_takes_the_place_of_the_built_in_one() {
    let text = contact().replace("第一報（連絡）", "連絡票");
    let files = [("jp-mhlw-contact.toml".to_owned(), text)];
    let profiles = Profiles::with_files(&files).unwrap();
    assert!(
        profiles
            .profile(MHLW_CONTACT)
            .unwrap()
            .body
            .title
            .ja
            .ends_with("連絡票")
    );
    assert_eq!(profiles.all().count(), BUILT_IN.len());
}

#[test]
fn mistakes_name_file_line_and_key() {
    check(
        "phone = \"\"\nmail = \"\"\nvalid_from = \"2026-03-01\"",
        "phone = \"03-0000-0000\"\nmail = \"\"\nvalid_from = \"2026-03-01\"",
        "contacts.2.phone",
    );
    check("valid_to = \"2022-06-30\"", "valid_to = \"2002-06-30\"", "contacts.0.valid_to");
    check("インシデント 第一報（連絡）", "インシデント 公式様式", "title.ja");
    check("fields = [3, 4,", "fields = [3, 3, 4,", "fields");
    check("fields = [3, 4,", "fields = [3, 99, 4,", "fields");
    check("annexes = [29]", "annexes = [3]", "fields");
    check("confidence = \"secondary\"", "confidence = \"sure\"", "confidence");
    check("valid_from = \"2018-10-29\"\n\n", "valid_form = \"2018-10-29\"\n\n", "valid_form");
    check("id = \"jp-mhlw-contact\"", "id = \"other\"", "id");
    check("term = \"promptly\"", "term = \"limit\"", "deadlines.0.term");
    check("term = \"promptly\"", "term = \"promptly\"\ndays = 5", "deadlines.0.term");
    check("label.ja = \"厚生労働省への連絡\"", "label.ja = \"\"", "deadlines.0.label.ja");
    check("any = [[\"attack\"", "any = [[], [\"attack\"", "applies.any");
    check("any = [[\"attack\"", "any = [[\"atack\"", "any");
    check("round = \"preliminary\"", "round = \"first\"", "round");
    check("addressee = \"mhlw\"", "addressee = \"ministry\"", "addressee");
    check("by = \"institution\"", "by = \"hospital\"", "by");
    check("obligation = \"required\"", "obligation = \"must\"", "obligation");
}

#[test]
fn three_mistakes_give_three_messages() {
    let text = contact()
        .replace("valid_to = \"2022-06-30\"", "valid_to = \"soon\"")
        .replace("confidence = \"secondary\"", "confidence = 3")
        .replace("annexes = [29]", "anexes = [29]");
    let problems = Profile::read(&text).unwrap_err();
    assert!(3 <= problems.len(), "{problems:#?}");
}

/// Text of the first contact's profile.
fn contact() -> &'static str {
    let found = BUILT_IN
        .iter()
        .find(|(file, _)| *file == "jp-mhlw-contact.toml");
    found.expect("it is built in").1
}

#[track_caller]
fn check(good: &str, bad: &str, key: &str) {
    let text = contact().replacen(good, bad, 1);
    assert_ne!(text, contact(), "{good} does not stand in the profile");
    let files = [("jp-mhlw-contact.toml".to_owned(), text.clone())];
    let errors = Profiles::with_files(&files).unwrap_err();
    let [error] = errors.as_slice() else { panic!("{errors:#?}") };
    assert_eq!(error.file, "jp-mhlw-contact.toml");
    let problem = error.problems.iter().find(|problem| problem.key == key);
    let problem = problem.unwrap_or_else(|| panic!("no problem about `{key}`: {error}"));
    assert!(!problem.remedy.is_empty());
    if key != "id" {
        let line = text
            .lines()
            .nth(problem.line.wrapping_sub(1))
            .unwrap_or_default();
        let name = key.rsplit('.').next().unwrap();
        assert!(line.contains(name), "line {} is `{line}`, not about `{key}`", problem.line);
    }
}

#[test]
fn every_built_in_profile_says_what_the_facts_say() {
    let profiles = Profiles::with_files(&[]).unwrap();
    let ids: Vec<&str> = profiles
        .all()
        .map(|profile| profile.body.id.as_str())
        .collect();
    assert_eq!(ids.len(), 22, "{ids:?}");
    for profile in profiles.all() {
        let body = &profile.body;
        for contact in &body.contacts {
            let empty = contact.phone.is_empty() && contact.mail.is_empty();
            assert!(
                empty || !contact.confidence.is_doubtful(),
                "{}: an unverified number",
                body.id
            );
        }
        let off = ["jp-cyber-act", "us-hipaa", "eu-nis2", "uk-nis", "kr-pipa"];
        assert_eq!(body.enabled, !off.contains(&body.id.as_str()), "{}", body.id);
        for field in &body.annexes {
            let table = matches!(field.kind(), crate::reports::fields::Kind::Lines)
                || !field.columns().is_empty();
            assert!(table, "{}: field {} is no table", body.id, field.number());
        }
    }
    let ppc = profiles.profile("jp-ppc-final").unwrap();
    assert_eq!((ppc.body.series.as_str(), ppc.body.groups.len()), ("jp-ppc", 10));
    let anonymous = profiles.profile("jp-ceptoar").unwrap();
    assert!(anonymous.body.anonymous);
    for naming in [4, 5, 7, 13, 14, 41, 50] {
        assert!(
            !anonymous
                .body
                .all_fields()
                .iter()
                .any(|field| field.number() == naming),
            "field {naming} names the institution"
        );
    }
}

#[test]
fn each_kind_of_report_of_a_series_is_one_profiles() {
    let profiles = Profiles::with_files(&[]).unwrap();
    let mut served = BTreeMap::new();
    for profile in profiles.all() {
        for kind in profile.body.round.kinds() {
            let other = served.insert((&profile.body.series, *kind), &profile.body.id);
            assert_eq!(other, None, "{} serves {kind:?} as well", profile.body.id);
        }
    }
}
