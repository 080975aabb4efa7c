//! What is found and what is not, a line per case; and what holds for any text.

use proptest::prelude::*;

use super::*;

fn redacted(text: &str, kinds: &[DataKind]) -> String {
    let mut out = String::new();
    let mut from = 0;
    for found in Detector::get().unwrap().find_all(kinds.iter().copied(), text) {
        out.push_str(&text[from..found.at.start]);
        out.push_str(found.kind.mark());
        from = found.at.end;
    }
    out.push_str(&text[from..]);
    out
}

#[test]
fn each_kind_alone() {
    use DataKind::{Card, Email, Iban, Ip, Phone, Url};
    for (kind, text, expected) in [
        (Email, "write to ann.o'neill+x@mail.example.org, please", "write to [e-mail], please"),
        (Email, "mailto:ann@example.org.", "mailto:[e-mail]."),
        (Email, "Zo\u{eb}@b\u{fc}ro.example", "[e-mail]"),
        (Email, "\"ann b\"@example.org", "[e-mail]"),
        (Email, "ann\u{200b}@example\u{ad}.org!", "[e-mail]!"),
        (Email, "ann\u{ff20}example.org", "[e-mail]"),
        (Email, "ann@localhost, @example.org, a @ b.org", "ann@localhost, @example.org, a @ b.org"),
        (Phone, "call +49 (0)30 123456-78 now", "call [phone] now"),
        (Phone, "0049 30 1234567", "[phone]"),
        (Phone, "030/1234567, (030) 1234567", "[phone], [phone]"),
        (Phone, "06.12.34.56.78", "[phone]"),
        (Phone, "+4930\u{a0}1234\u{2011}567", "[phone]"),
        (Phone, "\u{ff10}\u{ff13}\u{ff10} 1234567", "[phone]"),
        (Phone, "030 1234567 040 7654321", "[phone] [phone]"),
        (Phone, "(212) 555-0123 or 1-212-555-0123", "[phone] or [phone]"),
        (Phone, "on 01.02.2026 or 31/12/2026, 2026-07-01", "on 01.02.2026 or 31/12/2026, 2026-07-01"),
        (Phone, "0.12345678 and 12345678 and 08:30-12:00", "0.12345678 and 12345678 and 08:30-12:00"),
        (Phone, "order A0301234567", "order A0301234567"),
        (Iban, "DE89 3704 0044 0532 0130 00 and more", "[iban] and more"),
        (Iban, "ibande89370400440532013000", "iban[iban]"),
        (Iban, "GB29-NWBK-6016-1331-9268-19, NO9386011117947", "[iban], [iban]"),
        (
            Iban,
            "DE88370400440532013000 XX89370400440532013000 DE8937040044053201300",
            "DE88370400440532013000 XX89370400440532013000 DE8937040044053201300",
        ),
        (Card, "4111 1111 1111 1111 12/26", "[card] 12/26"),
        (Card, "5500-0000-0000-0004;378282246310005", "[card];[card]"),
        (Card, "12 4111111111111111", "12 [card]"),
        (Card, "4111111111111112 0000000000000000 41111111111111111111111", "4111111111111112 0000000000000000 41111111111111111111111"),
        (Ip, "from 192.168.0.1, 010.001.002.003 and 10.0.0.255.", "from [ip], [ip] and [ip]."),
        (Ip, "256.1.1.1 1.2.3 1.2.3.4.5 1234.5.6.7", "256.1.1.1 1.2.3 1.2.3.4.5 1234.5.6.7"),
        (Ip, "2001:db8::1, ::1, fe80::1%eth0: ::ffff:10.0.0.1", "[ip], [ip], [ip]%eth0: [ip]"),
        (Ip, "12:30:45 std::dead 00:1a:2b:3c:4d:5e ::", "12:30:45 std::dead 00:1a:2b:3c:4d:5e ::"),
        (Url, "see https://example.org/a?b=c#d, (http://x.example/(y)).", "see [url], ([url])."),
        (Url, "www.example.org! example.org/path. ftp://ann:x@host/", "[url]! [url]. [url]"),
        (Url, "and/or e.g. example.org", "and/or e.g. example.org"),
    ] {
        assert_eq!(redacted(text, &[kind]), expected, "{kind:?}");
    }
}

#[test]
fn together_whatever_one_alone_would_cover_is_covered() {
    for (text, expected) in [
        ("", ""),
        ("nothing here", "nothing here"),
        ("ann@example.org/x", "[e-mail]"),
        ("https://ann@example.org:8080/", "[url]"),
        ("http://10.0.0.1/x", "[url]"),
        ("DE89 3704 0044 0532 0130 00", "[iban]"),
        ("4111 1111 1111 1111", "[card]"),
        ("Ann, ann@example.org, +49 30 1234567, 10.0.0.1", "Ann, [e-mail], [phone], [ip]"),
    ] {
        assert_eq!(redacted(text, &DataKind::ALL), expected, "{text}");
    }
}

/// Texts made to cost: where the work for one sign grew with the length of the text, these would take hours.
#[test]
fn long_texts_are_looked_through_in_one_go() {
    for part in ["1 ", "0 ", "4111 ", "1.", "1:", ":", "a:", "DE89", "a@", "@", "https://x)", ")", "www.", "(", "a.", "+1 "] {
        let detector = Detector::get().unwrap();
        let text = format!("https://x{}", part.repeat(20_000));
        assert!(detector.find_all(DataKind::ALL, &text).iter().all(|found| found.at.end <= text.len()), "{part}");
        detector.find_all(DataKind::ALL, &part.repeat(20_000));
    }
}

#[test]
fn a_whole_value_is_one_of_its_kind() {
    let detector = Detector::get().unwrap();
    for (kind, value, expected) in [
        (DataKind::Email, " ann@example.org ", true),
        (DataKind::Email, "mail ann@example.org", false),
        (DataKind::Phone, "+49 30 1234567", true),
        (DataKind::Phone, "030 1234567 040 7654321", false),
        (DataKind::Iban, "DE89370400440532013000", true),
        (DataKind::Card, "4111111111111111", true),
        (DataKind::Ip, "2001:db8::1", true),
        (DataKind::Url, "https://example.org/", true),
        (DataKind::Url, "", false),
    ] {
        assert_eq!(detector.is(kind, value), expected, "{kind:?} {value}");
    }
}

proptest! {
    #[test]
    fn places_lie_between_characters_in_order(text in r"[a-zA-Z0-9@:./+() \u{ad}\u{ff10}-\u{ff19}\u{e4}-]{0,80}") {
        let detector = Detector::get().unwrap();
        let all = detector.find_all(DataKind::ALL, &text);
        for pair in all.windows(2) {
            prop_assert!(pair[0].at.end <= pair[1].at.start);
        }
        for found in &all {
            prop_assert!(found.at.start < found.at.end && text.get(found.at.clone()).is_some());
        }
        for kind in DataKind::ALL {
            for one in detector.find(kind, &text) {
                prop_assert!(all.iter().any(|found| found.at.start <= one.start && one.end <= found.at.end), "{kind:?} at {one:?}");
            }
        }
    }
}
