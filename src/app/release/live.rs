//! Loads what a decision rests on, in one read under one pair of counters.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::assessment::AssessmentKind;
use crate::domain::client::{Token, TokenKind};
use crate::domain::consent::Signal;
use crate::domain::permit::{LegalBasis, Permit};
use crate::domain::secret::PlainSecret;
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

/// Everything a token's permits rest on.
pub fn holding(tx: &mut Tx, keyring: &Keyring, claimed: Token, clock: &Clock) -> Result<Holding, AppError> {
    let counters = counters::read(tx, &claimed.vendor)?;
    let stopped = kill_switch::lasts(tx)?;
    let token = kept(tx, claimed)?;
    let (now, ours) = (tx.now(), clock.now());
    let mut ready = Vec::new();
    for key in &token.scope {
        let permit = match permits::find(tx, key) {
            Ok(permit) => permit,
            Err(crate::store::StoreError::NotFound(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        ready.extend(load(tx, keyring, &token, permit)?.map(Arc::new));
    }
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
            Token { revoked_at: kept.revoked_at.or(barred.then_some(now)), ..kept }
        }
        // A stream may run on long after its token has expired.
        None if claimed.expires_at <= now => {
            let signed = claimed.kind == TokenKind::Access;
            let barred = kill_switch::bars(tx, claimed.issued_at)? || (signed && signing_keys::was_revoked_at(tx, claimed.issued_at)?);
            Token { revoked_at: barred.then_some(now), ..claimed }
        }
        Some(kept) => Token { revoked_at: Some(now), ..kept },
        None => Token { revoked_at: Some(now), ..claimed },
    })
}

/// Loads the live state of one permit; `None` when it has no revision at all.
pub fn load(tx: &mut Tx, keyring: &Keyring, token: &Token, permit: Permit) -> Result<Option<Ready>, AppError> {
    let now = tx.now();
    let revision = permits::in_force_revision(tx, &permit.key)?;
    let revisions = permits::revisions(tx, &permit.key)?;
    // A permit that is not in force still has a dataset to refuse on.
    let Some(described) = revision.as_ref().or(revisions.last()) else { return Ok(None) };
    let Some(dataset) = datasets::find_by_name(tx, &described.terms.dataset)? else { return Ok(None) };
    let source = sources::find(tx, &dataset.source)?;
    let Some(ledger_key) = secrets::opened(tx, keyring, &secrets::ledger_key(&dataset.subject.domain))? else {
        return Err(AppError::Internal("the subject ledger has no key".to_owned()));
    };
    let next_revision_from = revisions.iter().filter_map(|revision| revision.in_force_at).filter(|at| *at > now).min();
    let consent_recorded = match &revision {
        Some(revision) if revision.terms.legal_basis == LegalBasis::Consent => {
            consents::is_recorded(tx, &dataset.subject.domain, Signal::Consent, Some(&revision.terms.purpose))?
        }
        _ => false,
    };
    // It is read under the counters like all else here: whoever adds a purpose moves them.
    let purpose = vocabulary::find_purpose(tx, &described.terms.purpose)?;
    let state = LiveState {
        token: token.clone(),
        client: clients::find(tx, &token.client)?,
        vendor: vendors::find(tx, &token.vendor)?,
        assessment: assessments::latest_decided(tx, &token.vendor, AssessmentKind::Security)?,
        mandatory_evidence: evidence::mandatory(tx, &token.vendor)?,
        agreement: agreements::in_force(tx, &permit.agreement, now)?,
        successor_from: agreements::next_start(tx, &permit.agreement, now)?,
        next_revision_from,
        consent_recorded,
        purpose,
        revision,
        dataset: Arc::new(dataset),
        source: Arc::new(source),
        permit,
    };
    let agreement_key = secrets::opened(tx, keyring, &secrets::agreement_key(&state.permit.agreement))?;
    let source_secret = secrets::opened_text(tx, keyring, &secrets::source_secret(&state.source.id))?;
    Ok(Some(Ready { state, agreement_key, ledger_key, source_secret }))
}
