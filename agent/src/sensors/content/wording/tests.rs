//! Notes and memos, written for these tests.

use super::*;

const NOTES: &[&str] = &[
    "~~~ ALL YOUR FILES ARE ENCRYPTED ~~~\n\nYour data was also downloaded. If you do not pay, it will be published.\n\
     Install Tor Browser and open\nhttp://abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2.onion\n\
     Your personal ID: 5D2A8C\nDo not rename or modify files, or they will be lost forever.",
    "Your network has been breached and all data was encrypted.\r\nTo get your files back contact us:\r\n\
     TOX ID: 3D7889AEC00F2325E1A3FBC0ACA4E521670497F11E47FDE13EADE8FED3144B5EB56D6B198724\r\n",
    "Hello! Your files have been encrypted.\nWrite to restore.me@onionmail.org to decrypt them. \
     You can send 2 test files. Do not use third party software.",
    "YOUR DOCUMENTS, PHOTOS AND DATABASES WERE ENCRYPTED!\nSend 0.5 BTC to 1BoatSLRHtKNngkdXEeobR76b53LETtpyT \
     within 72 hours to receive the private key. After that the price will double.",
    "あなたのファイルは暗号化されました。\n復号するには、Torブラウザで次のページを開いてください。\n\
     http://abcdefghijklmn23.onion\n身代金をビットコインで支払わない場合、患者情報を公開します。",
    "貴院の全サーバのデータを暗号化し、\n貴院のデータを窃取しました。復元を希望する場合は qTox で連絡してください。\n\
     72時間以内に連絡がない場合、データは二度と元に戻りません。",
    "<html><body style='color:red'><h1>All&nbsp;of your files <b>have been</b> encrypted</h1>\
     <p>all of your files are locked. contact: \
     <a href='http://abcdefghijklmn23.onion/x'>here</a> to buy decryptor</p></body></html>",
];

const ORDINARY: &[&str] = &[
    "",
    "薬剤部 連絡メモ\n明日の会議は 15:00 からです。資料は共有フォルダに置きました。",
    "各位\n情報システム課です。他院でランサムウェアの被害がありました。感染するとファイルが暗号化され、復号の見返りに\
     身代金をビットコインで要求されます。「あなたのファイルは暗号化されました」という画面や Tor ブラウザへの案内が出たら、\
     電源を切らず、内線 1234 へ連絡してください。要求には応じないこと。",
    "IT security memo\n\nIf you see a message like \"All your files have been encrypted, pay in bitcoin, install Tor \
     Browser, do not rename files\", do not pay. Unplug the network cable and call the helpdesk (extension number 4711). \
     Ransomware groups often threaten that data will be published. See ipa.go.jp and nomoreransom.",
    // The whole of a note, quoted in a warning to all.
    "【注意喚起】ランサムウェアについて(職員各位)\n実際の脅迫文の例:\n> All your files are encrypted. Your data will be \
     published.\n> http://abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2.onion\n> decrypt with bitcoin, do not \
     rename files\n見かけたら情報システム課(内線 1234)へ。",
    "# backup-tool\n\nYour files are encrypted before upload; only you can decrypt them. Restore your data with \
     `backup-tool restore`.\n\nDonate bitcoin: bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq\n",
    "README\nThis archive contains the decrypted export. Payment records are in payments.csv. To restore files, run \
     restore.sh. Do not modify the folder layout.",
    "MSH|^~\\&|HIS123|SEND|GW|RCV|20260209015000||ADT^A08|1|P|2.5\rPID|1||0001||山田^太郎\r",
    "The news site is also at http://abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2abcdefg2.onion; use Tor Browser.",
    "PGP: to decrypt the message use the private key. Fingerprint 0A1B 0A1B. Contact: jabber or telegram.",
    "お客様のデータは暗号化して保存されます。料金の支払いは月末です。退会後30日以内に削除します。",
];

#[test]
fn a_ransom_note_is_known_by_its_words() {
    for note in NOTES {
        assert_eq!(judge(note.as_bytes()), Wording::RansomNote, "{note}");
    }
}

#[test]
fn what_a_hospital_writes_itself_is_ordinary() {
    for text in ORDINARY {
        assert_eq!(judge(text.as_bytes()), Wording::Ordinary, "{text}");
    }
}

#[test]
fn a_note_is_known_in_every_encoding() {
    let note = NOTES[4];
    let (sjis, ..) = encoding_rs::SHIFT_JIS.encode(note);
    let (jis, ..) = encoding_rs::ISO_2022_JP.encode(note);
    let utf16: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(note.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let numbers: String = note
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { format!("&#{};", u32::from(c)) })
        .collect();
    for bytes in [&*sjis, &*jis, &utf16, numbers.as_bytes()] {
        assert_eq!(judge(bytes), Wording::RansomNote);
    }
}

#[test]
fn tags_and_numbers_are_taken_out_and_plain_text_stays() {
    assert_eq!(without_tags("<p>a<br/>b</p>"), " a b ");
    assert_eq!(without_tags("1 < 2 & 3 > 2; &amp &#x672c;&#26412;"), "1 < 2 & 3 > 2; &amp 本本");
    assert_eq!(without_tags("あ<"), "あ<");
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_to_an_end(text in ".{0,200}") {
        judge(text.as_bytes());
        judge(&text.bytes().rev().collect::<Vec<_>>());
    }
}
