//! Who may be in a release, by the permit's legal basis and purpose, and which of two records on one matter counts.

use crate::domain::Invalid;
use crate::domain::consent::{ConsentRecord, Matter, Signal, Standing};
use crate::domain::permit::LegalBasis;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::domain::vocabulary::{Purpose, Vocabulary};

/// How far ahead of our clock an event's may stand, in seconds: platforms' clocks differ.
const MOST_AHEAD: i64 = 300;

/// What is asked of each person before a row about them is released. Restriction (GDPR Art. 18) is always asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubjectRule {
    pub purpose: Slug,
    /// Only those who consented are released.
    pub consent: bool,
    /// Those who objected are not.
    pub objection: bool,
    /// Those who opted out of sale and sharing are not.
    pub opt_out: bool,
}

/// What a permit's basis and purpose ask. An objection to direct marketing is absolute whatever the basis (Art. 21(3));
/// otherwise it counts against legitimate interests and public tasks (Art. 21(1)). A contract or a legal duty asks nobody.
/// `known` is what the vocabulary says of the purpose.
pub fn rule(basis: LegalBasis, purpose: &Slug, known: Option<&Purpose>) -> SubjectRule {
    let objectionable = match basis {
        LegalBasis::LegitimateInterests | LegalBasis::PublicTask => true,
        LegalBasis::Consent | LegalBasis::Contract | LegalBasis::LegalObligation | LegalBasis::VitalInterests => false,
    };
    // A purpose that is no longer in the vocabulary is asked for everything.
    let (direct_marketing, sale) = known.map_or((true, true), |term| (term.direct_marketing, term.sale));
    SubjectRule {
        purpose: purpose.clone(),
        consent: basis == LegalBasis::Consent,
        objection: objectionable || direct_marketing,
        opt_out: sale,
    }
}

impl SubjectRule {
    /// The signals that are asked for, each with the purpose it is kept under.
    pub fn asks(&self) -> Vec<(Signal, Option<Slug>)> {
        let about = |signal: Signal| (signal, signal.has_purpose().then(|| self.purpose.clone()));
        let asked = |signal: &Signal| match signal {
            Signal::Consent => self.consent,
            Signal::Objection => self.objection,
            Signal::Restriction => true,
            Signal::OptOut => self.opt_out,
        };
        Signal::ALL.into_iter().filter(asked).map(about).collect()
    }

    /// Whether what holds of one signal lets a person in.
    pub const fn passes(signal: Signal, holds: bool) -> bool {
        signal.admits() == holds
    }

    /// Whether a row that is about nobody in particular may go: what must be asked of a person can't be asked of no one.
    pub const fn admits_nobody(&self) -> bool {
        !(self.consent || self.objection || self.opt_out)
    }
}

/// Whether a record takes the place of what counted so far: the later event does, and of two at the same instant the
/// one that protects.
pub fn supersedes(new: &ConsentRecord, known: Option<&Standing>) -> bool {
    known.is_none_or(|known| match new.event_at.cmp(&known.event_at) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => new.stands != known.stands && new.stands != new.matter.signal.admits(),
        std::cmp::Ordering::Less => false,
    })
}

/// Whether a record can be.
pub fn check(record: &ConsentRecord, vocabulary: &Vocabulary, now: Instant) -> Result<(), Invalid> {
    let Matter { signal, purpose, .. } = &record.matter;
    match (signal.has_purpose(), purpose) {
        (true, None) => return Err(Invalid::new("purpose", "must be given for a consent or an objection")),
        (false, Some(_)) => {
            return Err(Invalid::new("purpose", "must be left out: a restriction and an opt-out are not about one purpose"));
        }
        // Of a retired purpose too: people take back what they said.
        (true, Some(purpose)) if vocabulary.purpose(purpose).is_none() => {
            return Err(Invalid::new("purpose", "must be a purpose of the vocabulary"));
        }
        (true, Some(_)) | (false, None) => {}
    }
    if record.event_at > now.plus_seconds(MOST_AHEAD) {
        return Err(Invalid::new("event_time", "must not lie in the future"));
    }
    match record.ends_at {
        Some(_) if *signal != Signal::Consent || !record.stands => {
            Err(Invalid::new("ends_at", "must be left out: only a consent that is given ends by itself"))
        }
        Some(end) if end <= record.event_at => Err(Invalid::new("ends_at", "must lie after the event")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::consent::Subject;

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    /// Each basis with an ordinary purpose and one of direct marketing (invariant 8 of the design).
    #[test]
    fn the_basis_and_the_purpose_say_who_is_asked() {
        use LegalBasis as B;
        let asked = |basis, purpose: &str| {
            let rule = rule(basis, &slug(purpose), Vocabulary::shipped().purpose(&slug(purpose)));
            (rule.consent, rule.objection, rule.opt_out)
        };
        for (basis, analytics, marketing) in [
            (B::Consent, (true, false, false), (true, true, false)),
            (B::LegitimateInterests, (false, true, false), (false, true, false)),
            (B::PublicTask, (false, true, false), (false, true, false)),
            (B::Contract, (false, false, false), (false, true, false)),
            (B::LegalObligation, (false, false, false), (false, true, false)),
            (B::VitalInterests, (false, false, false), (false, true, false)),
        ] {
            assert_eq!(asked(basis, "service-usage-analytics"), analytics, "{basis:?}");
            assert_eq!(asked(basis, "email-marketing"), marketing, "{basis:?}");
        }
        assert_eq!(asked(B::Contract, "personalised-advertising"), (false, true, true), "shared for advertising");
        let unknown = rule(B::Contract, &slug("long-gone"), None);
        assert!(unknown.objection && unknown.opt_out, "a purpose that nobody knows is asked for everything");
        let restricted = |rule: &SubjectRule| rule.asks().iter().any(|(signal, _)| *signal == Signal::Restriction);
        assert!(restricted(&rule(B::LegalObligation, &slug("legal-compliance"), None)), "a restriction always counts");
    }

    fn record(signal: Signal, stands: bool, at: i64) -> ConsentRecord {
        let purpose = signal.has_purpose().then(|| slug("email-marketing"));
        ConsentRecord {
            record: "r-1".parse().unwrap(),
            matter: Matter { domain: slug("customer"), signal, purpose, subject: Subject(1) },
            stands,
            event_at: Instant::from_seconds(at),
            ends_at: None,
            notice: None,
            channel: None,
            jurisdiction: None,
        }
    }

    #[test]
    fn the_later_event_counts_and_of_two_at_once_the_one_that_protects() {
        let known = |stands| Standing { stands, event_at: Instant::from_seconds(100), ends_at: None };
        for (signal, protective) in
            [(Signal::Consent, false), (Signal::Objection, true), (Signal::Restriction, true), (Signal::OptOut, true)]
        {
            assert!(supersedes(&record(signal, true, 1), None));
            assert!(supersedes(&record(signal, !protective, 101), Some(&known(protective))));
            assert!(!supersedes(&record(signal, protective, 99), Some(&known(!protective))), "an older event came late");
            assert!(supersedes(&record(signal, protective, 100), Some(&known(!protective))));
            assert!(!supersedes(&record(signal, !protective, 100), Some(&known(protective))));
            assert!(!supersedes(&record(signal, protective, 100), Some(&known(protective))));
        }
    }

    #[test]
    fn what_can_not_be_is_refused() {
        let (now, shipped) = (Instant::from_seconds(1_000), Vocabulary::shipped());
        assert_eq!(check(&record(Signal::Consent, true, 1_000), &shipped, now), Ok(()));
        assert_eq!(check(&record(Signal::Consent, true, 1_300), &shipped, now), Ok(()));
        let field = |record: ConsentRecord| check(&record, &shipped, now).unwrap_err().field;
        assert_eq!(field(record(Signal::Consent, true, 1_301)), "event_time");
        let mut odd = record(Signal::Consent, true, 1);
        odd.matter.purpose = None;
        assert_eq!(field(odd.clone()), "purpose");
        odd.matter.purpose = Some(slug("no-such-purpose"));
        assert_eq!(field(odd), "purpose");
        let mut odd = record(Signal::Restriction, true, 1);
        odd.matter.purpose = Some(slug("email-marketing"));
        assert_eq!(field(odd), "purpose");
        let ending = |record: ConsentRecord, end| ConsentRecord { ends_at: Some(Instant::from_seconds(end)), ..record };
        assert_eq!(check(&ending(record(Signal::Consent, true, 1), 2), &shipped, now), Ok(()));
        assert_eq!(field(ending(record(Signal::Consent, true, 2), 2)), "ends_at");
        assert_eq!(field(ending(record(Signal::Consent, false, 1), 2)), "ends_at");
        assert_eq!(field(ending(record(Signal::Objection, true, 1), 2)), "ends_at");
    }
}
