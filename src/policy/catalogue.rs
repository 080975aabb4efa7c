//! What a column's name suggests of its class and category: a beginning that a steward looks at, never a decision.

use crate::domain::dataset::{FieldClass, LogicalType};

/// What a name suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suggestion {
    pub class: FieldClass,
    /// Key of the vocabulary.
    pub category: &'static str,
}

use FieldClass::{DirectIdentifier as Direct, Plain, QuasiIdentifier as Quasi, Sensitive};

/// Words of names, the more telling first: the first that a name has counts.
const WORDS: &[(&[&str], FieldClass, &str)] = &[
    (&["email", "mail", "phone", "telephone", "mobile", "fax", "contact"], Direct, "contact"),
    (&["diagnosis", "health", "medication", "disability", "allergy"], Sensitive, "health"),
    (&["religion", "faith"], Sensitive, "religion"),
    (&["ethnicity", "ethnic", "race"], Sensitive, "ethnic-origin"),
    (&["iban", "passport", "ssn", "tax", "licence", "license"], Direct, "identifying"),
    (&["firstname", "lastname", "surname", "fullname", "forename"], Direct, "identifying"),
    (&["street", "address"], Direct, "contact"),
    (&["birth", "birthday", "birthdate", "born", "dob", "age", "gender", "sex", "nationality"], Quasi, "demographic"),
    (&["country", "city", "town", "postcode", "postal", "zip", "state", "region", "latitude", "longitude"], Quasi, "location"),
    (&["income", "salary", "credit", "balance", "score"], Sensitive, "financial"),
    (&["note", "notes", "comment", "comments", "message", "remarks", "complaint"], Sensitive, "communication"),
    (&["job", "occupation", "employer", "company", "profession", "education"], Quasi, "professional"),
    (&["total", "amount", "price", "invoice", "order", "payment", "quantity"], Plain, "transactional"),
    (&["optin", "newsletter", "consent", "marketing", "preference"], Plain, "preference"),
    (&["customer", "client", "account", "member", "loyalty", "tier", "status"], Plain, "account"),
    (&["ip", "device", "browser", "agent", "session"], Quasi, "technical"),
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

/// What the name of a column suggests; nothing where it says nothing, so that a steward must choose.
pub fn suggest(name: &str, logical: LogicalType) -> Option<Suggestion> {
    let words = words(name);
    let has = |wanted: &str| words.iter().any(|word| word == wanted) || words.windows(2).any(|pair| pair.concat() == wanted);
    // Yes or no names nobody: `marketing_email` says what somebody agreed to.
    let fits = |class: FieldClass| logical != LogicalType::Boolean || class == Plain;
    let named = WORDS.iter().find(|(known, class, _)| fits(*class) && known.iter().any(|word| has(word)));
    // A key of a record names a person when it is the key of persons, and who says that is the steward.
    if words.last().is_some_and(|last| matches!(last.as_str(), "id" | "key" | "uuid" | "number" | "no")) {
        return Some(Suggestion { class: Direct, category: "technical" });
    }
    // A name within a text is a person's until somebody says otherwise.
    if named.is_none() && has("name") && logical == LogicalType::Text {
        return Some(Suggestion { class: Direct, category: "identifying" });
    }
    named.map(|(_, class, category)| Suggestion { class: *class, category })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::purpose::known_category;

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
            let found = suggest(name, LogicalType::Text).map(|found| (found.class, found.category));
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(suggest("name", LogicalType::Integer), None, "a number is no person's name");
        let agreed = suggest("marketing_email", LogicalType::Boolean).map(|found| (found.class, found.category));
        assert_eq!(agreed, Some((Plain, "preference")), "yes or no is no address");
    }

    #[test]
    fn suggested_categories_are_of_the_vocabulary() {
        for (words, _, category) in WORDS {
            assert!(known_category(&category.parse().unwrap()).is_ok(), "{words:?}");
        }
    }
}
