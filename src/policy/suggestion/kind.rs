//! The kinds of data that a column can be told to hold, and what each suggests.

use crate::domain::advice::Advice;
use crate::domain::dataset::{FieldClass, LogicalType};
use crate::domain::detect::DataKind;

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Found(DataKind),
    BirthDate,
    Day,
    PostalCode,
    PersonName,
    Gender,
    FreeText,
    RecordKey,
    OfficialNumber,
    Contact,
    Street,
    Health,
    Religion,
    Origin,
    Age,
    Demographic,
    Country,
    Place,
    Money,
    Job,
    Order,
    Choice,
    Account,
    Device,
}

impl Kind {
    /// How far it leads to a person.
    pub const fn class(self) -> FieldClass {
        match self {
            Self::Found(DataKind::Ip | DataKind::Url) => FieldClass::QuasiIdentifier,
            Self::Found(DataKind::Email | DataKind::Phone | DataKind::Iban | DataKind::Card)
            | Self::PersonName
            | Self::RecordKey
            | Self::OfficialNumber
            | Self::Contact
            | Self::Street => FieldClass::DirectIdentifier,
            Self::BirthDate
            | Self::PostalCode
            | Self::Gender
            | Self::Age
            | Self::Demographic
            | Self::Country
            | Self::Place
            | Self::Job
            | Self::Device => FieldClass::QuasiIdentifier,
            Self::FreeText | Self::Health | Self::Religion | Self::Origin | Self::Money => FieldClass::Sensitive,
            Self::Day | Self::Order | Self::Choice | Self::Account => FieldClass::Plain,
        }
    }

    /// Its key in the vocabulary.
    pub const fn category(self) -> &'static str {
        match self {
            Self::Found(DataKind::Email | DataKind::Phone) | Self::Contact | Self::Street => "contact",
            Self::Found(DataKind::Iban | DataKind::Card) | Self::Money => "financial",
            Self::Found(DataKind::Ip) | Self::RecordKey | Self::Device => "technical",
            Self::Found(DataKind::Url) => "behavioural",
            Self::BirthDate | Self::Gender | Self::Age | Self::Demographic => "demographic",
            Self::PostalCode | Self::Country | Self::Place => "location",
            Self::PersonName | Self::OfficialNumber => "identifying",
            Self::FreeText => "communication",
            Self::Health => "health",
            Self::Religion => "religion",
            Self::Origin => "ethnic-origin",
            Self::Job => "professional",
            Self::Day | Self::Order => "transactional",
            Self::Choice => "preference",
            Self::Account => "account",
        }
    }

    /// What is advised where a permit is written; it may not fit a type.
    pub const fn advice(self, logical: LogicalType) -> Advice {
        match self {
            Self::Found(DataKind::Email | DataKind::Ip) | Self::RecordKey => Advice::Pseudonym,
            Self::Found(DataKind::Phone | DataKind::Iban | DataKind::Card | DataKind::Url)
            | Self::PersonName
            | Self::OfficialNumber
            | Self::Contact
            | Self::Street
            | Self::Health
            | Self::Religion
            | Self::Origin
            | Self::Place
            | Self::Job
            | Self::Device => Advice::Withhold,
            Self::BirthDate => Advice::Year,
            Self::Day => Advice::Month,
            Self::PostalCode => Advice::PostalPrefix,
            Self::FreeText => Advice::Redact,
            Self::Age => Advice::Band,
            Self::Money if logical.is_numeric() => Advice::Round,
            Self::Money => Advice::Withhold,
            Self::Gender | Self::Demographic | Self::Country | Self::Order | Self::Choice | Self::Account => Advice::Clear,
        }
    }

    /// One of them: it completes “the name says …”.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Found(DataKind::Email) => "e-mail address",
            Self::Found(DataKind::Phone) => "phone number",
            Self::Found(DataKind::Iban) => "IBAN",
            Self::Found(DataKind::Card) => "card number",
            Self::Found(DataKind::Ip) => "IP address",
            Self::Found(DataKind::Url) => "web address",
            Self::BirthDate => "birth date",
            Self::Day => "date",
            Self::PostalCode => "postal code",
            Self::PersonName => "name of a person",
            Self::Gender => "gender",
            Self::FreeText => "free text",
            Self::RecordKey => "key of a record",
            Self::OfficialNumber => "official number",
            Self::Contact => "contact",
            Self::Street => "street address",
            Self::Health => "health",
            Self::Religion => "religion",
            Self::Origin => "ethnic origin",
            Self::Age => "age",
            Self::Demographic => "who somebody is",
            Self::Country => "country or region",
            Self::Place => "place",
            Self::Money => "money or creditworthiness",
            Self::Job => "job or education",
            Self::Order => "order or payment",
            Self::Choice => "preference or consent",
            Self::Account => "account or status",
            Self::Device => "device or session",
        }
    }

    /// Several of them.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Found(kind) => kind.plural(),
            Self::BirthDate => "birth dates",
            Self::Day => "dates",
            Self::PostalCode => "postal codes",
            Self::PersonName => "names of persons",
            Self::Gender => "words for a gender",
            Self::FreeText
            | Self::RecordKey
            | Self::OfficialNumber
            | Self::Contact
            | Self::Street
            | Self::Health
            | Self::Religion
            | Self::Origin
            | Self::Age
            | Self::Demographic
            | Self::Country
            | Self::Place
            | Self::Money
            | Self::Job
            | Self::Order
            | Self::Choice
            | Self::Account
            | Self::Device => self.singular(),
        }
    }

    /// It completes “none of the sampled values …”.
    pub const fn looks(self) -> &'static str {
        match self {
            Self::Found(DataKind::Email) => "is an e-mail address",
            Self::Found(DataKind::Phone) => "is a phone number",
            Self::Found(DataKind::Iban) => "is an IBAN with the right check digits",
            Self::Found(DataKind::Card) => "is a card number with the right check digit",
            Self::Found(DataKind::Ip) => "is an IP address",
            Self::Found(DataKind::Url) => "is a web address",
            _ if matches!(self, Self::BirthDate | Self::Day) => "is a date",
            _ => "looks like it",
        }
    }

    /// Whether values can be told to be of it, so that it means something when they are not.
    pub const fn is_looked_for(self) -> bool {
        matches!(self, Self::Found(_) | Self::BirthDate | Self::Day | Self::PostalCode | Self::Gender)
    }

    /// Whether values alone say it, or say it where the name does not say another thing. Digits alone are a phone number
    /// only where the name says so, which the tally sees to.
    pub fn is_told(self, named: Option<Self>) -> bool {
        match (self, named) {
            // Keys of records pass for phone and card numbers now and then.
            (Self::Found(DataKind::Phone), Some(other)) => matches!(other, Self::Found(DataKind::Phone) | Self::Contact | Self::FreeText),
            (Self::Found(_), _) => true,
            _ => false,
        }
    }
}
