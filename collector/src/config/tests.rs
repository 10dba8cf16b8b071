//! The shipped file is the default, and every mistake is named.

use super::*;

/// Returns every `table.key` of a TOML value.
fn keys(prefix: &str, value: &toml::Value, out: &mut Vec<String>) {
    if let toml::Value::Table(table) = value {
        for (key, value) in table {
            let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            keys(&name, value, out);
        }
    } else {
        out.push(format!("{prefix} = {value}"));
    }
}

#[test]
fn the_shipped_file_names_every_key_with_its_default() {
    let shipped: toml::Value = toml::from_str(COMMENTED_DEFAULT).unwrap();
    let default = toml::Value::try_from(Config::default()).unwrap();
    let (mut in_file, mut in_code) = (Vec::new(), Vec::new());
    keys("", &shipped, &mut in_file);
    keys("", &default, &mut in_code);
    assert_eq!(in_file, in_code);
    assert!(parse::<Config>(COMMENTED_DEFAULT).is_ok());
}

#[test]
fn every_key_of_the_shipped_file_has_a_comment_above() {
    let lines: Vec<_> = COMMENTED_DEFAULT.lines().collect();
    for pair in lines.windows(2) {
        let [above, line] = pair else { continue };
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(above.starts_with('#'), "no comment above `{line}`");
        }
    }
}

#[track_caller]
fn check(text: &str, expected: &[(usize, &str)]) {
    let problems = parse::<Config>(text).map(|_| ()).unwrap_err();
    let places: Vec<_> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
    assert_eq!(places, expected, "{problems:#?}");
    assert!(
        problems
            .iter()
            .all(|p| !p.remedy.is_empty() && !p.message.is_empty())
    );
}

#[test]
fn each_broken_rule_has_its_line_key_and_remedy() {
    check("data_dir = 'here'\n", &[(1, "data_dir")]);
    check("\ndatabase = 'postgres://x@db/shirase'\n", &[(2, "database")]);
    check("public_names = ['https://x']\n", &[(1, "public_names")]);
    check("public_names = []\n", &[(1, "public_names")]);
    check("ingest_url = 'http://x'\n", &[(1, "ingest_url")]);
    check("[ingest]\nlisten = 'here:99999'\n", &[(2, "listen")]);
    check("[ingest]\nlisten = '0.0.0.0:8443'\n", &[(0, "console.listen")]);
    check("[console]\ntls = 'files'\n", &[(1, "console.certificate"), (1, "console.key")]);
    check("[console]\nkey = '/k'\n", &[(2, "console.key")]);
    check(
        "[console]\ntls = 'proxy'\n",
        &[(1, "console.listen"), (1, "console.trusted_proxies"), (1, "console.url")],
    );
    check("[console]\ntls = 'none'\n", &[(2, "tls")]);
    check("[mail]\nhost = 'mail.example.jp'\ntls = 'none'\nfrom = 'a@b.jp'\n", &[(3, "mail.tls")]);
    check("[mail]\nhost = 'mail.example.jp'\n", &[(1, "mail.from")]);
    check("[mail]\nuser = 'x'\n", &[(1, "mail.password_file")]);
    check("[deliver]\nfolder = 'out'\n", &[(2, "deliver.folder")]);
    check("[deliver]\nfrom = 'a@b\\r\\nBcc: c@d'\n", &[(2, "deliver.from")]);
    check("[deliver]\nattempts_max = 0\n", &[(2, "deliver.attempts_max")]);
    check("[organisation]\nkind = 'ministry'\n", &[(2, "kind")]);
    check("[exchange]\nlisten = 'here'\n", &[(2, "exchange.listen")]);
    check("[exchange]\nlisten = '0.0.0.0:8444'\n", &[(2, "exchange.listen")]);
    check("[exchange]\nurl = 'https://x.jp'\n", &[(2, "exchange.url")]);
    check("[exchange]\nlisten = '[::]:1'\nurl = 'http://x.jp'\n", &[(3, "exchange.url")]);
    check("[correlate]\nwindow_minutes = 0\n", &[(2, "correlate.window_minutes")]);
    check("[pdf]\nfont = 'x.ttf'\n", &[(2, "pdf.font")]);
}

#[test]
fn mistakes_of_every_kind_come_in_one_answer() {
    check(
        "dat_dir = '/x'\n[ingest]\nlisten = 3\n[mail]\nport = 'x'\n",
        &[(1, "dat_dir"), (3, "listen"), (5, "port")],
    );
}

#[test]
fn postgresql_is_refused_with_the_place_where_it_will_stand() {
    let problems = parse::<Config>("database = 'postgres://db'\n")
        .map(|_| ())
        .unwrap_err();
    let text = problems[0].to_string();
    assert!(text.contains("SQLite only") && text.contains("store/connect.rs"), "{text}");
}

#[test]
fn addresses_follow_from_the_first_public_name() {
    let config: Config = parse("public_names = ['c.example.jp', '10.0.0.1']\n").unwrap();
    assert_eq!(config.ingest_url(), "https://c.example.jp:8444");
    assert_eq!(config.enrolment_url(), "https://c.example.jp:8445");
    assert_eq!(config.console_url(), "https://c.example.jp:8443");
    let config: Config =
        parse("public_names = ['::1']\n[console]\nurl = 'https://s.jp/'\n").unwrap();
    assert_eq!(config.ingest_url(), "https://[::1]:8444");
    assert_eq!(config.console_url(), "https://s.jp");
    assert_eq!(config.exchange_url(), "");
    let config: Config =
        parse("public_names = ['c.jp']\n[exchange]\nlisten = '0.0.0.0:8446'\n").unwrap();
    assert_eq!(config.exchange_url(), "https://c.jp:8446");
}
