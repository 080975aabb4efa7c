//! What people said, in words.

use crate::domain::consent::Signal;

/// What it is called.
pub const fn signal(signal: &Signal) -> &'static str {
    match signal {
        Signal::Consent => "Consent",
        Signal::Objection => "Objection",
        Signal::Restriction => "Restriction",
        Signal::OptOut => "Opt-out of sale and sharing",
    }
}

/// What it does, for those who choose one.
pub const fn signal_hint(signal: &Signal) -> &'static str {
    match signal {
        Signal::Consent => "Yes to one purpose (GDPR Art. 6(1)(a), 7)",
        Signal::Objection => "No to one purpose (GDPR Art. 21)",
        Signal::Restriction => "No release at all until it is lifted (GDPR Art. 18)",
        Signal::OptOut => "No to every purpose that counts as sale or sharing (CCPA; a browser's GPC signal)",
    }
}

/// Where the page of help explains it.
pub const fn signal_term(signal: &Signal) -> &'static str {
    match signal {
        Signal::Consent => "consent",
        Signal::Objection => "objection",
        Signal::Restriction => "restriction",
        Signal::OptOut => "opt-out",
    }
}

/// Whether it stands, in a word.
pub const fn standing(signal: &Signal, stands: &bool) -> &'static str {
    match (signal, *stands) {
        (Signal::Consent, true) => "Given",
        (Signal::Consent, false) => "Withdrawn",
        (Signal::Restriction, true) => "Asked for",
        (Signal::Restriction, false) => "Lifted",
        (Signal::Objection | Signal::OptOut, true) => "Made",
        (Signal::Objection | Signal::OptOut, false) => "Taken back",
    }
}
