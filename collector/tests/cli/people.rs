//! Facilities, people, tokens, channels, contacts.

use crate::place::{Place, mode};

#[test]
fn a_facility_is_made_changed_and_listed() {
    let place = Place::new();
    let made =
        place.ok(&["facility", "add", "handa-hp", "--name", "半田中央病院", "--beds", "120"]);
    assert_eq!(
        made.lines()
            .filter(|line| line.starts_with("AGE-SECRET-KEY-1"))
            .count(),
        1
    );
    assert_eq!(mode(&place.data()), 0o700);
    assert_eq!(mode(&place.data().join("shirase.db")), 0o600);
    assert!(
        place
            .refused(&["facility", "add", "handa-hp"], "")
            .contains("already")
    );
    assert_eq!(place.run(&["facility", "add", "Not Legal"], "").code, 2);

    let toml = "name = '半田市立病院'\nkind = 'hospital'\nbeds = 400\n[[vendors]]\nsystem = 'ehr'\ncompany = 'メディ社'\n";
    let set = place.run(&["facility", "set", "handa-hp", "--file", "-"], toml);
    assert_eq!(set.code, 0, "{}", set.err);
    place.ok(&["facility", "set", "handa-hp", "--beds", "401", "--self-approval", "allowed"]);
    let listed = place.list(&["facility", "list"]);
    assert_eq!(listed[0]["id"], "handa-hp");
    assert_eq!(listed[0]["master"]["name"], "半田市立病院");
    assert_eq!(listed[0]["master"]["beds"], 401);
    assert_eq!(listed[0]["master"]["vendors"][0]["company"], "メディ社");
    assert_eq!(listed[0]["self_approval"], "allowed");
    let table = place.ok(&["facility", "list"]);
    assert!(table.contains("半田市立病院  hospital  401"), "{table}");

    let misspelt = place.refused(&["facility", "set", "handa-hp", "--file", "-"], "nmae = 'x'\n");
    assert!(misspelt.contains("nmae"), "{misspelt}");
    let wrong = place.refused(&["facility", "set", "handa-hp", "--code", "12"], "");
    assert!(wrong.contains("`code`"), "{wrong}");
    assert!(
        place
            .refused(&["facility", "set", "nobody", "--beds", "1"], "")
            .contains("facility list")
    );
    assert!(place.ok(&["audit", "verify"]).contains("whole"));
}

#[test]
fn users_get_a_one_time_password_once_and_only_for_facilities_that_are_there() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    let add = ["user", "add", "sato", "--name", "佐藤 花子", "--role", "handa-hp:approver"];
    let made = place.ok(&add);
    let password = made.split_whitespace().last().unwrap().to_owned();
    assert_eq!(password.split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5]);
    assert!(place.refused(&add, "").contains("taken"));
    let elsewhere = ["user", "add", "x", "--name", "x", "--role", "nowhere:author"];
    assert!(
        place
            .refused(&elsewhere, "")
            .contains("no facility `nowhere`")
    );
    let wrong = ["user", "add", "x", "--name", "x", "--role", "handa-hp:king"];
    assert!(place.refused(&wrong, "").contains("is no role"));
    let reset = place.ok(&["user", "reset", "sato"]);
    assert_ne!(reset.split_whitespace().last(), Some(password.as_str()));
    assert!(
        place
            .refused(&["user", "reset", "nobody"], "")
            .contains("user list")
    );
    let users = place.list(&["user", "list"]);
    assert_eq!(users[0]["roles"]["handa-hp"][0], "approver");
    assert!(!users[0].to_string().contains("argon2"), "a hash was printed");
}

#[test]
fn a_token_is_printed_once_with_what_the_agent_needs_and_can_be_revoked() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    let said = place.ok(&["token", "issue", "handa-hp", "--label", "ehr1"]);
    let token = said
        .lines()
        .next()
        .unwrap()
        .split_whitespace()
        .last()
        .unwrap()
        .to_owned();
    let fingerprint = said
        .lines()
        .find(|line| line.starts_with("authority fingerprint"))
        .unwrap();
    let fingerprint = fingerprint.split_whitespace().last().unwrap();
    assert_eq!(fingerprint.len(), 64);
    assert!(said.contains(&format!("--token-file - --ca-fingerprint {fingerprint}")), "{said}");
    let bare = place.ok(&["token", "issue", "handa-hp", "--bare", "--hours", "1"]);
    assert_eq!(bare.lines().count(), 1);

    let tokens = place.list(&["token", "list"]);
    assert_eq!(tokens.len(), 2);
    assert!(
        tokens
            .iter()
            .all(|t| t["state"] == "open" && !t.to_string().contains(&token))
    );
    let name = tokens[0]["fingerprint"].as_str().unwrap().to_owned();
    assert!(
        place
            .refused(&["token", "revoke", "handa-hp", "ab"], "")
            .contains("8 digits")
    );
    place.ok(&["token", "revoke", "handa-hp", name.get(..12).unwrap()]);
    let tokens = place.list(&["token", "list", "--facility", "handa-hp"]);
    assert!(tokens.iter().any(|t| t["state"] == "revoked"));
    assert_eq!(
        place
            .run(&["token", "issue", "handa-hp", "--hours", "0"], "")
            .code,
        2
    );
}

#[test]
fn channels_are_added_listed_without_their_secret_tested_and_removed() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    let add = |name, kind, target, stdin: &str| {
        place.run(
            &["alert-channel", "add", "handa-hp", name, "--kind", kind, "--target", target],
            stdin,
        )
    };
    assert_eq!(add("team", "mail", "security@hospital.example", "").code, 0);
    assert_eq!(add("chat", "webhook", "-", "https://chat.example.jp/services/SECRET\n").code, 0);
    let bad = add("x", "mail", "a@b.jp\r\nBcc: c@d.jp", "");
    assert!(bad.code == 1 && bad.err.contains("no target for mail"), "{}", bad.err);
    assert_eq!(add("x", "pigeon", "a@b.jp", "").code, 2);
    let listed = place.ok(&["alert-channel", "list", "--json"]);
    assert!(!listed.contains("SECRET") && listed.contains("https://chat.example.jp/…"), "{listed}");
    let untold = place.refused(&["alert-channel", "test", "handa-hp", "team"], "");
    assert!(untold.contains("no mail server is configured"), "{untold}");
    place.ok(&["alert-channel", "remove", "handa-hp", "team"]);
    assert!(
        place
            .refused(&["alert-channel", "remove", "handa-hp", "team"], "")
            .contains("list")
    );
    assert_eq!(place.list(&["alert-channel", "list"]).len(), 1);
}

#[test]
fn contacts_are_kept_with_their_history_and_go_to_excel_and_back() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp", "--name", "半田中央病院"]);
    let add =
        ["contact", "add", "handa-hp", "--set", "kind=police", "--set", "organisation=半田警察署"];
    let refused = place.refused(&[&add[..], &["--set", "phone=0569-00-011"]].concat(), "");
    assert!(refused.contains("phone: Phone (day) `0569-00-011`: has too few"), "{refused}");
    let unknown = place.run(&[&add[..], &["--set", "colour=red"]].concat(), "");
    assert!(unknown.err.contains("there is no column `colour`"), "{}", unknown.err);
    let added = place.ok(&[&add[..], &["--set", "phone=0569-00-0110"]].concat());
    assert!(added.contains("is entered") && added.contains("Unverified"), "{added}");
    place.ok(&["contact", "verify", "handa-hp", "半田警察署", "--by", "佐藤 花子"]);
    assert!(place.list(&["contact", "list", "--flagged"]).is_empty());
    place.ok(&["contact", "change", "handa-hp", "半田警察署", "--set", "phone=0569-00-0119"]);
    let flagged = place.list(&["contact", "list", "--flagged"]);
    assert_eq!(flagged[0]["phone"], "0569-00-0119");
    assert_eq!(flagged[0]["standing"], "unverified");

    let table = place.dir.path().join("book.csv");
    let path = table.to_str().unwrap();
    place.ok(&["contact", "export", "handa-hp", "--out", path]);
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.contains("電話（日中）") && text.contains("半田警察署"), "{text}");
    let same = place.ok(&["contact", "import", "handa-hp", "--file", path]);
    assert!(same.contains("added 0, changed 0, left 1"), "{same}");
    std::fs::write(&table, text.replace("0569-00-0119", "0569-00")).unwrap();
    let bad = place.run(&["contact", "import", "handa-hp", "--file", path], "");
    assert!(bad.code == 1 && bad.out.contains("line 2: Phone (day) `0569-00`"), "{}", bad.out);
    std::fs::write(&table, text.replace("0569-00-0119", "0569-00-0110")).unwrap();
    let tried = place.ok(&["contact", "import", "handa-hp", "--file", path, "--check"]);
    assert!(tried.contains("would add 0, change 1"), "{tried}");
    place.ok(&["contact", "import", "handa-hp", "--file", path]);
    place.ok(&["contact", "retire", "handa-hp", "半田警察署"]);
    assert!(place.list(&["contact", "list"]).is_empty());
    let history = place.list(&["contact", "history", "handa-hp", "半田警察署"]);
    let acts: Vec<_> = history
        .iter()
        .map(|one| one["act"].as_str().unwrap())
        .collect();
    assert_eq!(acts, ["retired", "changed", "changed", "verified", "added"]);
    assert!(place.ok(&["audit", "verify"]).contains("whole"));
}

#[test]
fn a_municipalitys_register_goes_to_excel_and_back_and_no_other_has_one() {
    let place = Place::new();
    place.ok(&["facility", "add", "aichi"]);
    let refused = place.refused(&["institution", "list", "aichi"], "");
    assert!(refused.contains("organisation.kind"), "{refused}");
    let config = std::fs::read_to_string(place.config()).unwrap();
    let config = format!("{config}\n[organisation]\nkind = \"municipality\"\n");
    std::fs::write(place.config(), config).unwrap();

    let table = place.dir.path().join("register.csv");
    let lines = "名称,種別,医療機関コード,所在地\n半田中央病院,hospital,2310000001,愛知県半田市\n離島診療所,clinic,,愛知県西尾市\n";
    let head = place.ok(&["institution", "export", "aichi", "--out", "-"]);
    std::fs::write(&table, lines).unwrap();
    let file = table.to_str().unwrap();
    let import = ["institution", "import", "aichi", "--file", file];
    let said = place.ok(&[&import[..], &["--check"]].concat());
    assert_eq!(said.trim(), "would add 2, change 0, leave 0 as they are", "{head}");
    assert!(place.list(&["institution", "list", "aichi"]).is_empty());
    let said = place.ok(&import);
    assert_eq!(said.trim(), "added 2, changed 0, left 0 as they are");
    let listed = place.list(&["institution", "list", "aichi"]);
    assert_eq!(listed.len(), 2, "{listed:?}");

    let out = place.dir.path().join("out.csv");
    let out = out.to_str().unwrap();
    place.ok(&["institution", "export", "aichi", "--out", out]);
    let said = place.ok(&["institution", "import", "aichi", "--file", out]);
    assert_eq!(said.trim(), "added 0, changed 0, left 2 as they are");

    std::fs::write(&table, lines.replace("clinic,,", "旅館,,")).unwrap();
    let said = place.run(&import, "");
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains('3'), "{}", said.out);
}
