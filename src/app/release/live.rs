//! Loads what a decision rests on, in one read under one pair of counters.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::agreement::AgreementVersion;
use crate::domain::assessment::{Assessment, AssessmentKind};
use crate::domain::client::{Client, Token};
use crate::domain::consent::Signal;
use crate::domain::dataset::{Dataset, Source};
use crate::domain::evidence::Evidence;
use crate::domain::id::AgreementId;
use crate::domain::permit::{LegalBasis, Permit, Revision, in_force};
use crate::domain::secret::PlainSecret;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::domain::vendor::Vendor;
use crate::domain::vocabulary::Purpose;
use crate::engine::{Access, Secrets as EngineSecrets};
use crate::keys::{self, Keyring};
use crate::policy::release::{LiveState, ReleasePlan, stands_until};
use crate::store::{
    Clock, Tx, agreements, assessments, clients, consents, counters, datasets, evidence, permits, sources, tokens, vendors, vocabulary,
};

use super::super::consents::{Asking, asking};
use super::super::{AppError, kill_switch, secrets, signing_keys};
use super::Holding;

/// The live state of one permit of a token, and the keys its release needs.
#[derive(Clone)]
pub struct Ready {
    pub state: LiveState,
    agreement_key: Option<[u8; 32]>,
    ledger_key: [u8; 32],
    source_secret: Option<PlainSecret>,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Ready").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Ready {
    /// Whom a plan is about, and what they are asked.
    pub fn asking(&self, plan: &ReleasePlan) -> Option<Asking> {
        let dataset = plan.dataset();
        Some(asking(&dataset.subject.domain, plan.subjects(), &self.ledger_key, dataset.subject_type()?))
    }

    /// The keys a plan needs: one per label of a keyed treatment (HKDF of the agreement's key), and the ledger's.
    /// `None` when the agreement's key was destroyed and a treatment asks for it. The hierarchies are for [`super::secrets`]
    /// to add.
    pub(super) fn secrets(&self, plan: &ReleasePlan) -> Option<EngineSecrets> {
        let mut treatment = BTreeMap::new();
        for label in plan.columns().iter().filter_map(|column| column.key.clone()) {
            let key = keys::derive(self.agreement_key.as_ref()?, &label);
            treatment.insert(label, key);
        }
        let hierarchies = BTreeMap::new();
        Some(EngineSecrets { treatment, hierarchies, ledger: self.ledger_key, source: self.source_secret.clone() })
    }

    /// How the source is reached.
    pub fn access(&self) -> Access {
        Access { location: self.state.source.location.clone(), secret: self.source_secret.clone() }
    }
}

/// Everything a token's permits rest on. What they share is read once, however many they are.
pub fn holding(tx: &mut Tx, keyring: &Keyring, claimed: Token, clock: &Clock) -> Result<Holding, AppError> {
    let counters = counters::read(tx, &claimed.vendor)?;
    let stopped = kill_switch::lasts(tx)?;
    let token = kept(tx, claimed)?;
    let (now, ours) = (tx.now(), clock.now());
    let permits = permits::list_by_keys(tx, &token.scope)?;
    let ready: Vec<Arc<Ready>> = all(tx, keyring, token, permits)?.into_iter().filter_map(|(_, ready)| ready.map(Arc::new)).collect();
    let until = ready.iter().map(|ready| stands_until(&ready.state, now)).min().unwrap_or(now);
    let skew = now.micros().saturating_sub(ours.micros());
    Ok(Holding { counters, until, skew, stopped, ready })
}

/// The token as it is kept. One that is kept no more has expired long since and is judged as expired; one in its time
/// that nobody knows was never issued. One whose key was revoked, or that is older than the end of the last stop of
/// everything, is revoked as it is: both are read here, under the counters.
pub fn kept(tx: &mut Tx, claimed: Token) -> Result<Token, AppError> {
    let now = tx.now();
    Ok(match tokens::find(tx, &claimed.id)? {
        Some(kept) if kept.client == claimed.client && kept.vendor == claimed.vendor && kept.bound_to == claimed.bound_to => {
            let barred = kill_switch::bars(tx, kept.issued_at)? || signing_keys::is_revoked_of(tx, &kept.id)?;
            // What it says of itself is in whole seconds, and counts where it is the sooner.
            let expires_at = kept.expires_at.min(claimed.expires_at);
            Token { revoked_at: kept.revoked_at.or(barred.then_some(now)), expires_at, ..kept }
        }
        // Nothing runs under it: a token is kept while a stream of it runs.
        None if claimed.expires_at <= now => claimed,
        Some(kept) => Token { revoked_at: Some(now), ..kept },
        None => Token { revoked_at: Some(now), ..claimed },
    })
}

/// Loads the live state of several permits of a token's vendor; `None` for one that has no revision at all.
pub fn all(tx: &mut Tx, keyring: &Keyring, token: Token, permits: Vec<Permit>) -> Result<Vec<(Slug, Option<Ready>)>, AppError> {
    if permits.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<Slug> = permits.iter().map(|permit| permit.key.clone()).collect();
    let mut revisions = BTreeMap::<Slug, Vec<Revision>>::new();
    for revision in permits::revisions_of(tx, &keys)? {
        revisions.entry(revision.permit.clone()).or_default().push(revision);
    }
    let mut shared = Shared::load(tx, token)?;
    let one = |permit: Permit| {
        let (key, revisions) = (permit.key.clone(), revisions.remove(&permit.key).unwrap_or_default());
        Ok((key, shared.ready(tx, keyring, permit, revisions)?))
    };
    permits.into_iter().map(one).collect()
}

/// Loads the live state of one permit; `None` when it has no revision at all.
pub fn one(tx: &mut Tx, keyring: &Keyring, token: Token, permit: Permit) -> Result<Option<Ready>, AppError> {
    Ok(all(tx, keyring, token, vec![permit])?.pop().and_then(|(_, ready)| ready))
}

/// What the permits of one token share, each read once.
struct Shared {
    token: Arc<Token>,
    client: Arc<Client>,
    vendor: Arc<Vendor>,
    assessment: Option<Arc<Assessment>>,
    mandatory_evidence: Arc<Vec<Evidence>>,
    datasets: BTreeMap<Slug, Option<Catalogued>>,
    agreements: BTreeMap<AgreementId, Agreed>,
    purposes: BTreeMap<Slug, Option<Purpose>>,
    /// Whether any consent is on record, by subject domain and purpose.
    consents: BTreeMap<(Slug, Slug), bool>,
}

/// A dataset with what reaches its source and keys its ledger.
#[derive(Clone)]
struct Catalogued {
    dataset: Arc<Dataset>,
    source: Arc<Source>,
    ledger_key: [u8; 32],
    source_secret: Option<PlainSecret>,
}

/// How an agreement stands, with the key of its pseudonyms.
#[derive(Clone)]
struct Agreed {
    version: Option<Arc<AgreementVersion>>,
    successor_from: Option<Instant>,
    key: Option<[u8; 32]>,
}

impl Shared {
    fn load(tx: &mut Tx, token: Token) -> Result<Self, AppError> {
        Ok(Self {
            client: Arc::new(clients::find(tx, &token.client)?),
            vendor: Arc::new(vendors::find(tx, &token.vendor)?),
            assessment: assessments::latest_decided(tx, &token.vendor, AssessmentKind::Security)?.map(Arc::new),
            mandatory_evidence: Arc::new(evidence::mandatory(tx, &token.vendor)?),
            token: Arc::new(token),
            datasets: BTreeMap::new(),
            agreements: BTreeMap::new(),
            purposes: BTreeMap::new(),
            consents: BTreeMap::new(),
        })
    }

    fn ready(&mut self, tx: &mut Tx, keyring: &Keyring, permit: Permit, revisions: Vec<Revision>) -> Result<Option<Ready>, AppError> {
        let now = tx.now();
        let next_revision_from = revisions.iter().filter_map(|revision| revision.in_force_at).filter(|at| *at > now).min();
        let revision = in_force(&revisions, now).cloned();
        // A permit that is not in force still has a dataset to refuse on.
        let Some(described) = revision.as_ref().or(revisions.last()) else { return Ok(None) };
        let terms = &described.terms;
        let catalogued = once(&mut self.datasets, &terms.dataset, || catalogued(tx, keyring, &terms.dataset))?;
        let Some(Catalogued { dataset, source, ledger_key, source_secret }) = catalogued else { return Ok(None) };
        let consent_recorded = match &revision {
            Some(revision) if revision.terms.legal_basis == LegalBasis::Consent => {
                let asked = (dataset.subject.domain.clone(), revision.terms.purpose.clone());
                once(&mut self.consents, &asked, || Ok(consents::is_recorded(tx, &asked.0, Signal::Consent, Some(&asked.1))?))?
            }
            _ => false,
        };
        // It is read under the counters like all else here: whoever adds a purpose moves them.
        let purpose = once(&mut self.purposes, &terms.purpose, || Ok(vocabulary::find_purpose(tx, &terms.purpose)?))?;
        let agreed = once(&mut self.agreements, &permit.agreement, || agreed(tx, keyring, &permit.agreement))?;
        let state = LiveState {
            token: Arc::clone(&self.token),
            client: Arc::clone(&self.client),
            vendor: Arc::clone(&self.vendor),
            assessment: self.assessment.clone(),
            mandatory_evidence: Arc::clone(&self.mandatory_evidence),
            agreement: agreed.version,
            successor_from: agreed.successor_from,
            next_revision_from,
            consent_recorded,
            purpose,
            revision,
            dataset,
            source,
            permit,
        };
        Ok(Some(Ready { state, agreement_key: agreed.key, ledger_key, source_secret }))
    }
}

/// What was read before under a name; else it is read now.
fn once<Name: Ord + Clone, Value: Clone>(
    known: &mut BTreeMap<Name, Value>,
    name: &Name,
    read: impl FnOnce() -> Result<Value, AppError>,
) -> Result<Value, AppError> {
    if let Some(value) = known.get(name) {
        return Ok(value.clone());
    }
    let value = read()?;
    known.insert(name.clone(), value.clone());
    Ok(value)
}

fn agreed(tx: &mut Tx, keyring: &Keyring, id: &AgreementId) -> Result<Agreed, AppError> {
    let now = tx.now();
    Ok(Agreed {
        version: agreements::in_force(tx, id, now)?.map(Arc::new),
        successor_from: agreements::next_start(tx, id, now)?,
        key: secrets::opened(tx, keyring, &secrets::agreement_key(id))?,
    })
}

fn catalogued(tx: &mut Tx, keyring: &Keyring, name: &Slug) -> Result<Option<Catalogued>, AppError> {
    let Some(dataset) = datasets::find_by_name(tx, name)? else { return Ok(None) };
    let source = sources::find(tx, &dataset.source)?;
    let Some(ledger_key) = secrets::opened(tx, keyring, &secrets::ledger_key(&dataset.subject.domain))? else {
        return Err(AppError::Internal("the subject ledger has no key".to_owned()));
    };
    let source_secret = secrets::opened_text(tx, keyring, &secrets::source_secret(&source.id))?;
    Ok(Some(Catalogued { dataset: Arc::new(dataset), source: Arc::new(source), ledger_key, source_secret }))
}
