//! What an entry says, by kind.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::gate::Gate;
use crate::domain::id::{ClientId, ReleaseId, VendorId};
use crate::domain::text::{Digest, FieldName, Slug};

/// The body of an entry; `kind` names it in the leaf.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// A permit's revision put in force, in canonical form.
    Policy(super::policy::InForce),
    /// An act that changes what may be released, or that reads what is protected.
    Act(Act),
    /// A page that left whole.
    Release(Released),
    /// A stream that began.
    Opened(Opened),
    /// A stream that ended, whole or cut.
    Closed(Closed),
    /// Requests of an authenticated client that were refused.
    Refusal(Refused),
}

/// An act on a noun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// The noun, as the code names it: `vendor`, `assessment`, …
    pub noun: &'static str,
    /// Its id or key.
    pub id: String,
    /// What was done: `register`, `decide`, `approve`, `sign`, `suspend`, `revoke`, …
    pub act: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<VendorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Dates that the act sets: `valid_until`, `from`, `until`, …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<&'static str, String>,
    /// Further facts without free text: digests, numbers, keys, roles.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<&'static str, String>,
    /// An opaque person id, `operator` or `system`.
    pub actor: String,
}

impl Act {
    /// An act without states, dates or facts.
    pub fn new(noun: &'static str, id: impl ToString, act: &'static str, actor: &crate::domain::person::Actor) -> Self {
        Self {
            noun,
            id: id.to_string(),
            act,
            vendor: None,
            from: None,
            to: None,
            dates: BTreeMap::new(),
            facts: BTreeMap::new(),
            actor: actor.history_name().to_owned(),
        }
    }

    /// The vendor it concerns.
    #[must_use]
    pub fn of(mut self, vendor: &VendorId) -> Self {
        self.vendor = Some(vendor.clone());
        self
    }

    /// The state it left and the state it led to.
    #[must_use]
    pub fn moved(mut self, from: &str, to: &str) -> Self {
        self.from = Some(from.to_owned());
        self.to = Some(to.to_owned());
        self
    }

    /// A date that it sets.
    #[must_use]
    pub fn date(mut self, name: &'static str, at: impl ToString) -> Self {
        self.dates.insert(name, at.to_string());
        self
    }

    /// A fact.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl ToString) -> Self {
        self.facts.insert(name, value.to_string());
        self
    }
}

/// Who received, or asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receiver {
    pub vendor: VendorId,
    pub client: ClientId,
    /// SHA-256 of the token's id.
    pub token: Digest,
    /// Keyed hash of the peer's address, 32 hexadecimal digits.
    pub address: String,
    /// Id of the HTTP request.
    pub request: String,
}

/// What was asked of a permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct What {
    pub release: ReleaseId,
    pub permit: Slug,
    pub revision: i32,
    /// SHA-256 of the canonical policy.
    pub policy: Digest,
    pub dataset: Slug,
    pub purpose: Slug,
    /// Version of the source that was read, as a digest.
    pub source: String,
    /// Names of the released fields, in the answer's order.
    pub fields: Vec<FieldName>,
    /// Field and operator of each filter; the values stand beside the leaf.
    pub filter: Vec<(FieldName, &'static str)>,
    /// `json`, `ndjson` or `csv`.
    pub format: &'static str,
    /// The consent watermark seen; `null` while no consent records exist.
    pub consent: Option<u64>,
}

/// How much left, and what exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub rows: u64,
    /// Bytes of the identity-encoded body.
    pub bytes: u64,
    /// Distinct subjects.
    pub subjects: u64,
    /// SHA-256 of the identity-encoded body; `null` after a crash, when nobody knows it.
    pub content: Option<Digest>,
    /// Names of the subject ledger's segments, in order; above 100 the digest of their names alone.
    pub segments: Vec<Digest>,
    /// SHA-256 over the segments' names in order.
    pub ledger: Digest,
    /// Values that their treatment could not compute, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub withheld: BTreeMap<FieldName, u64>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Released {
    #[serde(flatten)]
    pub to: Receiver,
    #[serde(flatten)]
    pub what: What,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The start of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opened {
    #[serde(flatten)]
    pub to: Receiver,
    #[serde(flatten)]
    pub what: What,
}

/// Why a stream ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// A gate closed.
    Gate(Gate),
    /// The receiver went away or stopped reading.
    Receiver,
    /// The source failed.
    Source,
    /// The record could not be written: what is not recorded does not leave.
    Unrecorded,
    /// The program was stopped.
    Stopped,
    /// The program died; counted up to the last toll.
    Crashed,
}

/// The end of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closed {
    pub release: ReleaseId,
    pub vendor: VendorId,
    pub client: ClientId,
    pub permit: Slug,
    pub dataset: Slug,
    pub purpose: Slug,
    /// `null` when the stream ended whole.
    pub cut: Option<Cut>,
    pub tolls: u64,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Refusals of one client at one gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub vendor: VendorId,
    pub client: ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permit: Option<Slug>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Slug>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Slug>,
    pub gate: Gate,
    /// How many requests this entry stands for.
    pub count: u64,
}

/// What an entry can be found by; derived from the body, so it adds nothing to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    pub kind: &'static str,
    /// The noun of an act.
    pub noun: Option<String>,
    pub vendor: Option<String>,
    pub client: Option<String>,
    pub permit: Option<String>,
    pub dataset: Option<String>,
    pub purpose: Option<String>,
    /// `released`, `cut`, `refused`, or the verb of an act.
    pub outcome: Option<String>,
    pub gate: Option<String>,
    /// The actor of an act.
    pub person: Option<String>,
    pub release: Option<String>,
}

impl Body {
    /// What this entry can be found by.
    pub fn index(&self) -> Index {
        let text = |value: &dyn ToString| Some(value.to_string());
        match self {
            Self::Policy(policy) => {
                let named = policy.named();
                Index {
                    kind: "policy",
                    vendor: text(&named.vendor),
                    permit: text(&named.permit),
                    dataset: text(&named.dataset),
                    purpose: text(&named.purpose),
                    outcome: Some("in_force".to_owned()),
                    person: text(&policy.actor),
                    ..Index::default()
                }
            }
            Self::Act(act) => Index {
                kind: "act",
                noun: text(&act.noun),
                vendor: act.vendor.as_ref().map(ToString::to_string),
                permit: (act.noun == "permit").then(|| act.id.clone()),
                dataset: act.facts.get("dataset").cloned(),
                client: (act.noun == "client").then(|| act.id.clone()),
                outcome: text(&act.act),
                person: text(&act.actor),
                ..Index::default()
            },
            Self::Release(Released { to, what, .. }) => received("release", "released", to, what),
            Self::Opened(Opened { to, what }) => received("opened", "opened", to, what),
            Self::Closed(closed) => Index {
                kind: "closed",
                vendor: text(&closed.vendor),
                client: text(&closed.client),
                permit: text(&closed.permit),
                dataset: text(&closed.dataset),
                purpose: text(&closed.purpose),
                outcome: Some(if closed.cut.is_some() { "cut" } else { "released" }.to_owned()),
                gate: match closed.cut {
                    Some(Cut::Gate(gate)) => text(&gate.key()),
                    Some(Cut::Receiver | Cut::Source | Cut::Unrecorded | Cut::Stopped | Cut::Crashed) | None => None,
                },
                release: text(&closed.release),
                ..Index::default()
            },
            Self::Refusal(refused) => Index {
                kind: "refusal",
                vendor: text(&refused.vendor),
                client: text(&refused.client),
                permit: refused.permit.as_ref().map(ToString::to_string),
                dataset: refused.dataset.as_ref().map(ToString::to_string),
                purpose: refused.purpose.as_ref().map(ToString::to_string),
                outcome: Some("refused".to_owned()),
                gate: text(&refused.gate.key()),
                ..Index::default()
            },
        }
    }
}

fn received(kind: &'static str, outcome: &str, to: &Receiver, what: &What) -> Index {
    Index {
        kind,
        noun: None,
        vendor: Some(to.vendor.to_string()),
        client: Some(to.client.to_string()),
        permit: Some(what.permit.to_string()),
        dataset: Some(what.dataset.to_string()),
        purpose: Some(what.purpose.to_string()),
        outcome: Some(outcome.to_owned()),
        gate: None,
        person: None,
        release: Some(what.release.to_string()),
    }
}
