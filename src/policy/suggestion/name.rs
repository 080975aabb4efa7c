//! What a column's name says of what it holds.

use crate::domain::dataset::{FieldClass, LogicalType};
use crate::domain::detect::DataKind;

use super::kind::Kind;

/// Words of names, the more telling first: the first that a name has counts.
const WORDS: &[(&[&str], Kind)] = &[
    (&["email", "mail"], Kind::Found(DataKind::Email)),
    (&["phone", "telephone", "mobile", "fax"], Kind::Found(DataKind::Phone)),
    (&["contact"], Kind::Contact),
    (&["diagnosis", "health", "medication", "disability", "allergy"], Kind::Health),
    (&["religion", "faith"], Kind::Religion),
    (&["ethnicity", "ethnic", "race"], Kind::Origin),
    (&["iban"], Kind::Found(DataKind::Iban)),
    (&["card", "creditcard", "pan"], Kind::Found(DataKind::Card)),
    (&["passport", "ssn", "tax", "licence", "license"], Kind::OfficialNumber),
    (&["firstname", "lastname", "surname", "fullname", "forename"], Kind::PersonName),
    (&["ip", "ipaddress"], Kind::Found(DataKind::Ip)),
    (&["url", "website", "homepage"], Kind::Found(DataKind::Url)),
    (&["street", "address"], Kind::Street),
    (&["birth", "birthday", "birthdate", "born", "dob"], Kind::BirthDate),
    (&["postcode", "postalcode", "postal", "zip", "plz"], Kind::PostalCode),
    (&["gender", "sex"], Kind::Gender),
    (&["age"], Kind::Age),
    (&["nationality"], Kind::Demographic),
    (&["country", "state", "region"], Kind::Country),
    (&["city", "town", "latitude", "longitude"], Kind::Place),
    (&["income", "salary", "credit", "balance", "score"], Kind::Money),
    (&["note", "notes", "comment", "comments", "message", "remarks", "complaint"], Kind::FreeText),
    (&["job", "occupation", "employer", "company", "profession", "education"], Kind::Job),
    (&["total", "amount", "price", "invoice", "order", "payment", "quantity"], Kind::Order),
    (&["optin", "newsletter", "consent", "marketing", "preference"], Kind::Choice),
    (&["customer", "client", "account", "member", "loyalty", "tier", "status"], Kind::Account),
    (&["device", "browser", "agent", "session"], Kind::Device),
];

/// The words of a name: `customerEmail`, `customer_email` and `Customer E-Mail` have the same.
fn words(name: &str) -> Vec<String> {
    let (mut words, mut word, mut before) = (Vec::new(), String::new(), ' ');
    for letter in name.chars() {
        let begins = letter.is_uppercase() && before.is_lowercase();
        if (begins || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.push(word);
    words
}

/// What the name of a column says; nothing where it says nothing, so that a steward must choose.
pub fn kind(name: &str, logical: LogicalType) -> Option<Kind> {
    let words = words(name);
    let has = |wanted: &str| words.iter().any(|word| word == wanted) || words.windows(2).any(|pair| pair.concat() == wanted);
    // Yes or no names nobody: `marketing_email` says what somebody agreed to.
    let fits = |kind: Kind| logical != LogicalType::Boolean || kind.class() == FieldClass::Plain;
    let named = WORDS.iter().find(|(known, kind)| fits(*kind) && known.iter().any(|word| has(word))).map(|(_, kind)| *kind);
    // A key of a record names a person when it is the key of persons, and who says that is the steward. What a number
    // is of may say more than that it is one.
    if words.last().is_some_and(|last| matches!(last.as_str(), "id" | "key" | "uuid" | "number" | "no")) {
        return named.filter(|kind| matches!(kind, Kind::Found(_) | Kind::OfficialNumber)).or(Some(Kind::RecordKey));
    }
    // A name within a text is a person's until somebody says otherwise.
    if named.is_none() && has("name") && logical == LogicalType::Text {
        return Some(Kind::PersonName);
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use FieldClass::{DirectIdentifier as Direct, Plain, QuasiIdentifier as Quasi, Sensitive};

    use crate::domain::vocabulary::Vocabulary;

    #[test]
    fn names_suggest_what_they_say_and_no_more() {
        for (name, expected) in [
            ("email", Some((Direct, "contact"))),
            ("E-Mail", Some((Direct, "contact"))),
            ("customerEmail", Some((Direct, "contact"))),
            ("FirstName", Some((Direct, "identifying"))),
            ("first_name", Some((Direct, "identifying"))),
            ("name", Some((Direct, "identifying"))),
            ("CustomerId", Some((Direct, "technical"))),
            ("invoice_no", Some((Direct, "technical"))),
            ("BirthDate", Some((Quasi, "demographic"))),
            ("PostalCode", Some((Quasi, "location"))),
            ("loyalty_tier", Some((Plain, "account"))),
            ("support_notes", Some((Sensitive, "communication"))),
            ("language", None),
            ("manage", None),
            ("x1", None),
            ("", None),
        ] {
            let found = kind(name, LogicalType::Text).map(|found| (found.class(), found.category()));
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(kind("name", LogicalType::Integer), None, "a number is no person's name");
        let agreed = kind("marketing_email", LogicalType::Boolean).map(|found| (found.class(), found.category()));
        assert_eq!(agreed, Some((Plain, "preference")), "yes or no is no address");
    }

    #[test]
    fn suggested_categories_are_of_the_vocabulary() {
        for (words, kind) in WORDS {
            assert!(Vocabulary::shipped().category(&kind.category().parse().unwrap()).is_some(), "{words:?}");
        }
    }
}
