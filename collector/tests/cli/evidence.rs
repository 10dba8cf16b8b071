//! Manifests and the audit log.

use std::io::Write;

use serde_json::Value;

use crate::place::Place;

#[test]
fn a_manifest_opens_with_the_key_facility_add_printed_and_with_no_other() {
    let place = Place::new();
    let key = place.ok(&["facility", "add", "handa-hp"]);
    let recipient = place.list(&["facility", "list"])[0]["manifest_recipient"].clone();
    let recipient: age::x25519::Recipient = recipient.as_str().unwrap().parse().unwrap();
    let one = std::iter::once(&recipient as &dyn age::Recipient);
    let mut sealed = Vec::new();
    let mut writer = age::Encryptor::with_recipients(one)
        .unwrap()
        .wrap_output(&mut sealed)
        .unwrap();
    writer
        .write_all("share/文書.pdf.locked\n".as_bytes())
        .unwrap();
    writer.finish().unwrap();
    let file = place.dir.path().join("burst.age");
    std::fs::write(&file, sealed).unwrap();
    let open = ["manifest", "open", file.to_str().unwrap(), "--identity", "-"];
    let opened = place.run(&open, &key);
    assert_eq!(
        (opened.code, opened.out.as_str()),
        (0, "share/文書.pdf.locked\n"),
        "{}",
        opened.err
    );
    let other = place.ok(&["facility", "add", "other"]);
    assert!(
        place
            .refused(&open, &other)
            .contains("does not open with this key")
    );
    assert!(place.refused(&open, "").contains("no private key"));
}

#[test]
fn an_edited_audit_log_is_found() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    place.ok(&["user", "add", "sato", "--name", "x", "--role", "handa-hp:viewer"]);
    assert!(place.ok(&["audit", "verify"]).contains("2 entries"));
    let anchors = place.data().join("audit-anchors.jsonl");
    std::fs::remove_file(anchors).unwrap();
    let said = place.run(&["audit", "verify"], "");
    assert!(said.code == 1 && said.out.contains("BROKEN"), "{}{}", said.out, said.err);
}

#[test]
fn a_log_rewritten_with_its_anchors_is_found_by_a_head_noted_elsewhere() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    place.ok(&["user", "add", "sato", "--name", "x", "--role", "handa-hp:viewer"]);
    let said = place.ok(&["audit", "verify"]);
    let head = said.lines().last().unwrap().trim_start_matches("head ");
    let known = format!("{head}@2");
    let note = place.dir.path().join("mail.eml");
    let broken = known.split_at(30);
    let mail = format!("X-Shirase-Audit: shirase-audit[{}\r\n {}]\r\n\r\n", broken.0, broken.1);
    std::fs::write(&note, mail).unwrap();
    let copy = place.dir.path().join("anchors.copy");
    std::fs::copy(place.data().join("audit-anchors.jsonl"), &copy).unwrap();
    let (note, copy) = (note.to_str().unwrap(), copy.to_str().unwrap());
    let all = ["audit", "verify", "--known", &known, "--from", note, "--from", copy];
    assert!(place.ok(&all).contains("4 known heads agree"), "{}", place.ok(&all));
    let misread = place.run(&["audit", "verify", "--known", "abc"], "");
    assert!(misread.code != 0 && misread.err.contains("HASH@NUMBER"), "{}", misread.err);
    let empty = place.dir.path().join("empty.txt");
    std::fs::write(&empty, "nothing").unwrap();
    let refused = place.refused(&["audit", "verify", "--from", empty.to_str().unwrap()], "");
    assert!(refused.contains("no head of an audit log stands in"), "{refused}");

    // Whoever owns the machine begins the log anew, anchors and all: by itself it is whole.
    std::fs::remove_dir_all(place.data()).unwrap();
    place.ok(&["facility", "add", "handa-hp"]);
    assert!(place.ok(&["audit", "verify"]).contains("whole"));
    for known in [["--known", known.as_str()], ["--from", note]] {
        let said = place.run(&[&["audit", "verify"], &known[..]].concat(), "");
        assert_eq!(said.code, 1, "{}", said.out);
        assert!(said.out.contains("its tail was cut off"), "{}", said.out);
        assert!(said.out.contains("copy database and anchors as evidence"), "{}", said.out);
    }
    place.ok(&["user", "add", "other", "--name", "y", "--role", "handa-hp:viewer"]);
    let said = place.run(&["audit", "verify", "--from", copy, "--json"], "");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &told["whole"]), (1, &false.into()));
    assert!(
        told["fault"]
            .as_str()
            .unwrap()
            .contains("the log was rewritten"),
        "{told}"
    );
}
