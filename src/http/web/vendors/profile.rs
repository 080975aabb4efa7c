//! A vendor's profile as a form: what was typed becomes a profile, or every error stands beside its field.

use crate::domain::Invalid;
use crate::domain::id::PersonId;
use crate::domain::text::{Country, Email, Line, Name};
use crate::domain::vendor::{Contact, MOST_CONTACTS, Tier, Vendor, VendorProfile, VendorRole};
use crate::http::web::form::Typed;
use crate::http::web::guard::{given, wanted};
use crate::http::web::words;

/// The most countries that a form takes.
const MOST_LOCATIONS: usize = 250;

/// The fields of one contact, by their place in the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactFields {
    pub number: usize,
    pub name: String,
    pub email: String,
    pub about: String,
}

impl ContactFields {
    fn at(place: usize) -> Self {
        let field = |what: &str| format!("contact_{place}_{what}");
        Self { number: place.saturating_add(1), name: field("name"), email: field("email"), about: field("about") }
    }
}

/// The field of one country, by its place in the form.
pub fn location(place: usize) -> String {
    format!("location_{place}")
}

/// How many rows of a kind were sent: up to the last that is there.
fn rows(typed: &Typed, most: usize, name: impl Fn(usize) -> String) -> usize {
    let there = |place: &usize| typed.pairs().iter().any(|(key, _)| *key == name(*place));
    (0..most).filter(there).last().map_or(0, |last| last.saturating_add(1))
}

/// The contacts that a form shows: those it was sent with, and room for some more.
pub fn contacts(typed: &Typed, more: usize) -> Vec<ContactFields> {
    let sent = rows(typed, MOST_CONTACTS, |place| ContactFields::at(place).name);
    (0..sent.saturating_add(more).clamp(1, MOST_CONTACTS)).map(ContactFields::at).collect()
}

/// The countries that a form shows: those it was sent with, and room for some more.
pub fn locations(typed: &Typed, more: usize) -> Vec<String> {
    let sent = rows(typed, MOST_LOCATIONS, location);
    (0..sent.saturating_add(more).clamp(2, MOST_LOCATIONS)).map(location).collect()
}

/// What every field is called, for the summary of errors.
pub fn labels(typed: &Typed) -> Vec<(String, String)> {
    const PLAIN: [(&str, &str); 8] = [
        ("legal_name", "Legal name"),
        ("trade_name", "Trade name"),
        ("country", "Country"),
        ("address", "Address"),
        ("role", "Role under the GDPR"),
        ("tier", "Tier"),
        ("tier_note", "Why this tier"),
        ("owner", "Owner"),
    ];
    let plain = PLAIN.iter().map(|(name, label)| ((*name).to_owned(), (*label).to_owned()));
    let contacts = contacts(typed, 0).into_iter().flat_map(|fields| {
        let of = |what: &str| format!("{what} of contact {}", fields.number);
        [(fields.name.clone(), of("Name")), (fields.email.clone(), of("E-mail address")), (fields.about.clone(), of("Subject"))]
    });
    let locations = locations(typed, 0).into_iter().zip(1..).map(|(name, number)| (name, format!("Place {number} of the data")));
    plain.chain(contacts).chain(locations).collect()
}

/// The profile that was typed, or all that is wrong with it.
pub fn read(typed: &Typed) -> Result<VendorProfile, Vec<Invalid>> {
    let mut errors = Vec::new();
    let legal_name = wanted::<Name>(typed, "legal_name", &mut errors);
    let trade_name = given::<Name>(typed, "trade_name", &mut errors);
    let country = chosen(typed, "country", &mut errors, |code| code.parse::<Country>().ok());
    let address = given::<Line>(typed, "address", &mut errors);
    let role = chosen(typed, "role", &mut errors, VendorRole::from_key);
    let tier = chosen(typed, "tier", &mut errors, Tier::from_key);
    let tier_note = given::<Line>(typed, "tier_note", &mut errors);
    let owner = chosen(typed, "owner", &mut errors, |id| id.parse::<PersonId>().ok());
    let contacts = contacts(typed, 0).iter().filter_map(|fields| contact(typed, fields, &mut errors)).collect();
    let data_locations = locations_of(typed, &mut errors);
    match (legal_name, country, role, tier, owner) {
        (Some(legal_name), Some(country), Some(role), Some(tier), Some(owner)) if errors.is_empty() => {
            Ok(VendorProfile { legal_name, trade_name, country, address, role, tier, tier_note, owner, contacts, data_locations })
        }
        _ => Err(errors),
    }
}

fn chosen<T>(typed: &Typed, name: &str, errors: &mut Vec<Invalid>, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let value = read(typed.value(name));
    if value.is_none() {
        errors.push(Invalid::new(name, "must be chosen"));
    }
    value
}

/// A contact; a row that is empty is none.
fn contact(typed: &Typed, fields: &ContactFields, errors: &mut Vec<Invalid>) -> Option<Contact> {
    if [&fields.name, &fields.email, &fields.about].iter().all(|name| typed.value(name).is_empty()) {
        return None;
    }
    let name = wanted::<Name>(typed, &fields.name, errors);
    let email = wanted::<Email>(typed, &fields.email, errors);
    let about = wanted::<Name>(typed, &fields.about, errors);
    Some(Contact { name: name?, email: email?, about: about? })
}

/// The countries that were typed, each once.
fn locations_of(typed: &Typed, errors: &mut Vec<Invalid>) -> Vec<Country> {
    let mut found: Vec<Country> = Vec::new();
    for name in locations(typed, 0) {
        match (typed.value(&name), words::country_called(typed.value(&name))) {
            ("", _) => {}
            (_, Some(country)) if found.contains(&country) => {}
            (_, Some(country)) => found.push(country),
            (_, None) => errors.push(Invalid::new(name, "must be a country by its English name or its code of two letters")),
        }
    }
    found
}

/// A stored profile as a form begins with it.
pub fn filled(vendor: &Vendor) -> Typed {
    let profile = &vendor.profile;
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut typed = Typed::default()
        .with("version", vendor.version)
        .with("legal_name", &profile.legal_name)
        .with("trade_name", text(profile.trade_name.as_ref().map(ToString::to_string)))
        .with("country", &profile.country)
        .with("address", text(profile.address.as_ref().map(ToString::to_string)))
        .with("role", profile.role.key())
        .with("tier", profile.tier.key())
        .with("tier_note", text(profile.tier_note.as_ref().map(ToString::to_string)))
        .with("owner", &profile.owner);
    for (place, contact) in profile.contacts.iter().enumerate() {
        let fields = ContactFields::at(place);
        typed = typed.with(&fields.name, &contact.name).with(&fields.email, &contact.email).with(&fields.about, &contact.about);
    }
    for (place, country) in profile.data_locations.iter().enumerate() {
        typed = typed.with(&location(place), words::country(country));
    }
    typed
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "0190a0b0-0000-7000-8000-000000000001";

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        let least = [("legal_name", "Acme"), ("country", "DE"), ("role", "processor"), ("tier", "low"), ("owner", OWNER)];
        let own = |key: &str| pairs.iter().any(|(name, _)| *name == key);
        let rest = least.iter().filter(|(key, _)| !own(key)).chain(pairs);
        Typed::new(rest.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    fn wrong(pairs: &[(&str, &str)]) -> Vec<String> {
        read(&typed(pairs)).err().unwrap_or_default().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn each_error_stands_beside_its_field() {
        let long = "x".repeat(501);
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let table: [Case<'_>; 10] = [
            (&[], &[]),
            (&[("legal_name", " ")], &["legal_name"]),
            (&[("legal_name", &long), ("address", &long)], &["legal_name", "address"]),
            (&[("legal_name", "<script>{{7*7}}")], &[]),
            (&[("country", "Atlantis"), ("role", "x"), ("tier", ""), ("owner", "me")], &["country", "role", "tier", "owner"]),
            (&[("contact_0_name", ""), ("contact_0_email", ""), ("contact_0_about", "")], &[]),
            (&[("contact_1_name", "Kim"), ("contact_1_email", "kim")], &["contact_1_email", "contact_1_about"]),
            (&[("location_0", "Germany"), ("location_1", ""), ("location_2", "fr")], &[]),
            (&[("location_0", "Germany"), ("location_1", "Atlantis")], &["location_1"]),
            (&[("location_999", "Germany"), ("contact_999_name", "Kim")], &[]),
        ];
        for (pairs, expected) in table {
            assert_eq!(wrong(pairs), expected, "{pairs:?}");
        }
    }

    #[test]
    fn what_is_stored_comes_back_as_it_was() {
        let profile = read(&typed(&[
            ("contact_0_name", "Kim"),
            ("contact_0_email", "kim@example.org"),
            ("contact_0_about", "privacy"),
            ("contact_4_name", "Ada"),
            ("contact_4_email", "ada@example.org"),
            ("contact_4_about", "security"),
            ("location_0", "germany"),
            ("location_1", "DE"),
            ("location_3", "France"),
        ]))
        .unwrap();
        assert_eq!((profile.contacts.len(), profile.data_locations.len()), (2, 2), "an empty row and a country twice are nothing");
        let at = crate::domain::time::Instant::from_seconds(0);
        let vendor = Vendor {
            id: OWNER.parse().unwrap(),
            profile: profile.clone(),
            lifecycle: crate::domain::vendor::Lifecycle::Intake,
            lifecycle_since: at,
            created_at: at,
            updated_at: at,
            version: 3,
        };
        assert_eq!(read(&filled(&vendor)), Ok(profile));
        assert_eq!(contacts(&filled(&vendor), 1).len(), 3);
    }
}
