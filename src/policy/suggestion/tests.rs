//! Columns as houses have them, and what is said of each.

use super::*;

fn today() -> Date {
    "2026-07-01".parse().unwrap()
}

fn of(name: &str, logical: LogicalType, values: &[String]) -> Suggestion {
    let mut tally = Tally::new(logical);
    values.iter().for_each(|value| tally.add(Some(value.as_str())));
    suggest(name, logical, &tally, today())
}

fn many(value: impl Fn(usize) -> String) -> Vec<String> {
    (0..100).map(value).collect()
}

#[track_caller]
fn says(suggestion: &Suggestion, class: FieldClass, category: &str, advice: Advice, evidence: &str) {
    let found = (suggestion.class, suggestion.category, suggestion.advice);
    assert_eq!(found, (Some(class), Some(category), Some(advice)), "{:?}", suggestion.evidence);
    assert!(suggestion.evidence.iter().any(|said| said == evidence), "{evidence} is not in {:?}", suggestion.evidence);
}

use FieldClass::{DirectIdentifier as Direct, Plain, QuasiIdentifier as Quasi, Sensitive};
use LogicalType::{Integer, Text, Timestamp};

#[test]
fn values_say_what_they_are_whatever_the_column_is_called() {
    let mails = many(|at| if at < 3 { "none".to_owned() } else { format!("a{at}@mail.example") });
    says(&of("c7", Text, &mails), Direct, "contact", Advice::Pseudonym, "97 % of 100 sampled values are e-mail addresses.");
    let phones = many(|at| format!("+49 30 1234{at:03}"));
    says(&of("c7", Text, &phones), Direct, "contact", Advice::Withhold, "All of 100 sampled values are phone numbers.");
    let ibans = many(|_| "DE89 3704 0044 0532 0130 00".to_owned());
    says(&of("c7", Text, &ibans), Direct, "financial", Advice::Withhold, "All of 100 sampled values are IBANs.");
    let cards = many(|_| "4111111111111111".to_owned());
    says(&of("c7", Integer, &cards), Direct, "financial", Advice::Withhold, "All of 100 sampled values are card numbers.");
    let machines = many(|at| format!("192.0.2.{at}"));
    says(&of("c7", Text, &machines), Quasi, "technical", Advice::Pseudonym, "All of 100 sampled values are IP addresses.");
    let sites = many(|at| format!("https://shop.example/p/{at}"));
    says(&of("c7", Text, &sites), Quasi, "behavioural", Advice::Withhold, "All of 100 sampled values are web addresses.");
    let people = many(|at| format!("{} Miller", ["Anna", "Peter", "Zzyx", "Maria"][at % 4]));
    says(
        &of("c7", Text, &[people, many(|at| format!("Paul Nr{}", "x".repeat(at)))].concat()),
        Direct,
        "identifying",
        Advice::Withhold,
        "87 % of 200 sampled values hold a common given name.",
    );
    let genders = many(|at| ["female", "male", "x"][at % 3].to_owned());
    says(&of("c7", Text, &genders), Quasi, "demographic", Advice::Clear, "All of 100 sampled values are words for a gender.");
    let codes = many(|at| format!("SW1A {}AA", at % 10));
    says(&of("c7", Text, &codes), Quasi, "location", Advice::PostalPrefix, "All of 100 sampled values are postal codes.");
}

#[test]
fn check_digits_tell_numbers_apart() {
    let wrong = many(|_| "DE89370400440532013001".to_owned());
    assert_ne!(of("c7", Text, &wrong).category, Some("financial"));
    let wrong = many(|_| "4111111111111112".to_owned());
    assert_ne!(of("c7", Integer, &wrong).category, Some("financial"));
    let said = of("iban", Text, &many(|at| format!("{at}")));
    says(&said, Direct, "financial", Advice::Withhold, "None of 100 sampled values is an IBAN with the right check digits.");
}

#[test]
fn birth_dates_are_told_by_name_or_by_their_years() {
    let long_ago = many(|at| format!("{}-03-04", 1930 + at % 70));
    says(&of("d", LogicalType::Date, &long_ago), Quasi, "demographic", Advice::Year, "They lie between 1930 and 1999, as birth dates do.");
    let of_late = many(|at| format!("2025-01-{:02}T08:00:00Z", 1 + at % 28));
    says(&of("d", Timestamp, &of_late), Plain, "transactional", Advice::Month, "All of 100 sampled values are dates.");
    says(&of("born", Timestamp, &of_late), Quasi, "demographic", Advice::Year, "The name says birth date.");
    // A year alone is no treatment of a text.
    says(&of("born", Text, &long_ago), Quasi, "demographic", Advice::Withhold, "All of 100 sampled values are dates.");
}

#[test]
fn digits_are_postal_codes_only_where_the_name_says_so() {
    let digits = many(|at| format!("{:05}", 10_115 + at % 9));
    assert_eq!(of("c7", Text, &digits).class, None);
    says(&of("plz", Text, &digits), Quasi, "location", Advice::PostalPrefix, "The name says postal code.");
    says(&of("plz", Text, &digits), Quasi, "location", Advice::PostalPrefix, "All of 100 sampled values are postal codes.");
}

#[test]
fn free_text_with_addresses_in_it_is_redacted() {
    let text =
        many(
            |at| if at % 10 == 0 { format!("please write to a{at}@mail.example at once") } else { "all is well with the order".to_owned() },
        );
    says(
        &of("c7", Text, &text),
        Sensitive,
        "communication",
        Advice::Redact,
        "10 % of 100 sampled values hold e-mail addresses within other text.",
    );
    let text = many(|at| if at == 7 { "call a@b.example now".to_owned() } else { "fine".to_owned() });
    says(
        &of("c7", Text, &text),
        Sensitive,
        "communication",
        Advice::Redact,
        "1 % of 100 sampled values hold e-mail addresses within other text.",
    );
}

#[test]
fn what_differs_in_each_row_is_a_key() {
    let keys = many(|at| format!("K{at:04}"));
    says(&of("c7", Text, &keys), Direct, "technical", Advice::Pseudonym, "Each of 100 sampled values is different.");
    assert_eq!(of("c7", LogicalType::Number, &many(|at| format!("{at}.5"))).class, None, "a measure differs too");
    assert_eq!(of("c7", Text, &keys[..5]).class, None, "five values say nothing");
    let digits = many(|at| format!("0{:07}", at));
    says(&of("customer_id", Text, &digits), Direct, "technical", Advice::Pseudonym, "The name says key of a record.");
}

#[test]
fn no_value_and_no_row_say_so() {
    let mut tally = Tally::new(Text);
    assert_eq!(suggest("c7", Text, &tally, today()).evidence, ["No row was there to look at."]);
    (0..5).for_each(|_| tally.add(Some(" ")));
    assert_eq!(suggest("c7", Text, &tally, today()).evidence, ["None of 5 sampled rows has a value."]);
}

#[test]
fn what_is_advised_fits_every_type() {
    for logical in LogicalType::ALL {
        for name in ["email", "born", "zip", "notes", "age", "income", "country", "name", "id", "total"] {
            let advice = of(name, logical, &many(|at| at.to_string())).advice;
            assert!(advice.is_none_or(|advice| advice.fits(logical)), "{name} {logical:?} {advice:?}");
        }
    }
}

#[test]
fn evidence_holds_no_value() {
    let secret = many(|at| format!("hush{at}@mail.example"));
    let said = format!("{:?}", of("c7", Text, &secret));
    assert!(!said.contains("hush"), "{said}");
}
