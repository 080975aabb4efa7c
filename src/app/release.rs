//! The release protocol: no record, no release; nothing after a revocation has answered.
//!
//! The engine never runs inside a transaction. A decision is compiled under the vendor's and the global counter;
//! the transaction that records the release reads them again while it holds the gate, and commits before any byte leaves.

mod allowance;
pub mod ledger;
mod limits;
pub mod live;
mod page;
mod recover;
mod schema;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::client::Token;
use crate::domain::dataset::LogicalType;
use crate::domain::gate::{Gate, Refusal};
use crate::domain::id::{ReleaseId, TokenId};
use crate::domain::secret::SecretDigest;
use crate::domain::text::{Digest, FieldName, Line, Slug};
use crate::domain::time::Instant;
use crate::engine::Secrets as EngineSecrets;
pub use crate::engine::encode::{Coding, Format, Wire};
use crate::history::{Receiver, What};
use crate::keys;
pub use crate::policy::release::Asked;
use crate::policy::release::{NoPlan, ReleasePlan, compile, detail, first_closed};
use crate::policy::words;
use crate::store::counters::Counters;
use crate::store::{Tx, used_once};

use super::consents::{self, Admitting};
use super::memory::Memory;
use super::oauth::Bearer;
use super::{App, AppError, hierarchies, history, kill_switch};

pub use limits::Streams;
pub use live::Ready;
pub use page::{Page, page};
pub use recover::recover;
pub use schema::{ReleasedSchema, schema};
pub use stream::{Broken, Streaming, stream};

/// A vendor's request for rows.
#[derive(Debug, Clone)]
pub struct Request {
    pub bearer: Bearer,
    /// The dataset as the path names it.
    pub dataset: String,
    /// `permit=`: chooses where several cover the dataset.
    pub permit: Option<String>,
    pub asked: Asked,
    pub request_id: String,
}

/// What a token's permits rest on, loaded under one pair of counters.
#[derive(Debug, Clone)]
pub struct Holding {
    pub counters: Counters,
    /// Until when it stands if the counters do not move, by the database's clock.
    pub until: Instant,
    /// The database's time less ours when it was loaded, in microseconds: rights are judged by the database's clock.
    pub skew: i64,
    /// Whether everything is stopped.
    pub stopped: bool,
    pub ready: Vec<Arc<Ready>>,
}

impl Holding {
    /// The database's time, told from ours.
    pub fn time(&self, ours: Instant) -> Instant {
        Instant::from_micros(ours.micros().saturating_add(self.skew))
    }
}

/// Holdings of recent tokens, and what is known of quotas. Neither is believed without the counters.
#[derive(Default)]
pub struct Decisions {
    holdings: Memory<TokenId, Arc<Holding>, MOST_HOLDINGS>,
    /// Plain tokens by the digest of their secret, as they were issued: which one a secret names never changes.
    plain: Memory<String, Token, MOST_HOLDINGS>,
    known: allowance::Known,
}

/// The most tokens whose holdings are kept: each holds what its permits rest on, some tens of kilobytes.
const MOST_HOLDINGS: usize = 1_024;

impl Decisions {
    fn get(&self, token: &Token, now: Instant) -> Option<Arc<Holding>> {
        let held = self.holdings.get(&token.id);
        let same = |ready: &Arc<Ready>| {
            let known = &ready.state.token;
            known.client == token.client && known.vendor == token.vendor && known.expires_at == token.expires_at
        };
        held.filter(|holding| holding.time(now) < holding.until && holding.ready.iter().all(same))
    }

    /// The plain token that a secret names.
    pub(super) fn plain(&self, secret: &SecretDigest) -> Option<Token> {
        self.plain.get(secret.as_str())
    }

    /// Remembers which plain token a secret names.
    pub(super) fn remember_plain(&self, secret: &SecretDigest, token: &Token) {
        self.plain.put(secret.as_str().to_owned(), token.clone());
    }

    fn forget(&self, token: &TokenId) {
        self.holdings.forget(token);
    }
}

/// How often a release is decided, and whether from the live state: rights that move while rows are computed (another token of
/// the vendor is revoked) mean that it is decided anew, which most often holds.
const ATTEMPTS: [bool; 4] = [false, true, true, true];

/// What a token's permits rest on: from memory where it still stands, else loaded.
async fn holding(app: &App, bearer: &Bearer, fresh: bool) -> Result<Arc<Holding>, AppError> {
    if !fresh && let Some(holding) = app.decisions.get(&bearer.token, app.clock.now()) {
        return Ok(holding);
    }
    let (token, keyring) = (bearer.token.clone(), Arc::clone(&app.keyring));
    let clock = app.clock.clone();
    let holding = app.store.read(move |tx| live::holding(tx, &keyring, token, &clock)).await?;
    let holding = Arc::new(holding);
    app.decisions.holdings.put(bearer.token.id.clone(), Arc::clone(&holding));
    Ok(holding)
}

/// A decision to release: the plan, what it was compiled from, and the counters it stands under.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    pub plan: Arc<ReleasePlan>,
    pub ready: Arc<Ready>,
    pub counters: Counters,
}

/// Decides a request, from memory or from the live state. What memory says is only ever acted on under the counters, and
/// an error under it is looked at afresh by the caller.
async fn decide(app: &App, request: &Request, fresh: bool) -> Result<Decided, AppError> {
    let held = holding(app, &request.bearer, fresh).await?;
    Ok(decide_under(&held, request, app.clock.now())?)
}

/// Who may be in the release that was decided.
async fn admitting(app: &App, decided: &Decided) -> Result<Admitting, AppError> {
    let asking = decided.ready.asking(&decided.plan).ok_or(refusal(Gate::DatasetDrift))?;
    consents::admission(app, asking).await
}

/// What the engine needs besides the plan: the keys, and the hierarchies that treatments name.
async fn secrets(app: &App, decided: &Decided) -> Result<EngineSecrets, AppError> {
    let mut secrets = decided.ready.secrets(&decided.plan).ok_or(refusal(Gate::Agreement))?;
    secrets.hierarchies = hierarchies::needed(app, decided.plan.columns().iter().map(|column| &column.treatment)).await?;
    Ok(secrets)
}

/// Whether a fresh decision could answer otherwise. What a decision from memory refuses, also by way of the source or the
/// quota, may have been granted since; only a release asks the counters.
const fn worth_asking_again(error: &AppError) -> bool {
    matches!(error, AppError::Refused(_) | AppError::Invalid(_))
}

fn decide_under(holding: &Holding, request: &Request, now: Instant) -> Result<Decided, NoPlan> {
    let now = holding.time(now);
    let ready = choose(holding, request, now)?;
    let plan = compile(&ready.state, &request.asked, now)?;
    Ok(Decided { plan: Arc::new(plan), ready, counters: holding.counters })
}

/// The permit of the token that covers the dataset. Whether a dataset exists is nobody's business but a permit's.
fn choose(holding: &Holding, request: &Request, now: Instant) -> Result<Arc<Ready>, NoPlan> {
    if holding.stopped {
        return Err(kill_switch::refusal().into());
    }
    if holding.ready.first().is_some_and(|ready| ready.state.token.revoked_at.is_some()) {
        return Err(refusal(Gate::Token).into());
    }
    if let Some(ready) = holding.ready.first() {
        check_sender(ready, &request.bearer)?;
    }
    let named = |ready: &&Arc<Ready>| request.permit.as_ref().is_none_or(|key| key == ready.state.permit.key.as_str());
    let mut covering = holding.ready.iter().filter(|ready| ready.state.dataset.name.as_str() == request.dataset).filter(named);
    match (covering.next(), covering.next()) {
        (Some(only), None) => Ok(Arc::clone(only)),
        (Some(first), Some(_)) => match first_closed(&first.state, now) {
            Some(gate) if gate < Gate::Permit => Err(refusal(gate).into()),
            _ if now >= first.state.token.expires_at => Err(refusal(Gate::Token).into()),
            _ => Err(Invalid::new("permit", "must be given: several permits of this token cover this dataset").into()),
        },
        // What closes before the permit closes for every dataset alike.
        (None, _) => match holding.ready.first().and_then(|ready| first_closed(&ready.state, now)) {
            Some(gate) if gate < Gate::Permit => Err(refusal(gate).into()),
            _ => Err(refusal(Gate::Permit).into()),
        },
    }
}

fn refusal(gate: Gate) -> Refusal {
    Refusal::new(gate, detail(gate))
}

/// Checks how and from where a token is sent, by what its client is now: from an address of the client's only, and bound to a
/// key where it must be.
fn check_sender(ready: &Ready, bearer: &Bearer) -> Result<(), Refusal> {
    let client = &ready.state.client;
    if !client.takes(&bearer.token) {
        return Err(Refusal::new(Gate::Token, "This client's tokens must be bound to a key (DPoP). Ask /oauth/token for one that is."));
    }
    if client.may_ask_from(bearer.from) { Ok(()) } else { Err(Refusal::new(Gate::Client, "This client may not ask from this address.")) }
}

/// Uses up the proof that came with a token, in the transaction that records what leaves.
fn use_proof(tx: &mut Tx, bearer: &Bearer) -> Result<(), AppError> {
    match &bearer.once {
        Some(once) if !used_once::take(tx, once)? => Err(AppError::UsedProof),
        Some(_) | None => Ok(()),
    }
}

/// Uses up the proof of a request that no transaction records.
async fn spend_proof(app: &App, bearer: &Bearer) -> Result<(), AppError> {
    if bearer.once.is_none() {
        return Ok(());
    }
    let bearer = bearer.clone();
    app.store.record(move |tx| use_proof(tx, &bearer)).await
}

/// Records a refusal of a known client on the way out.
async fn note(app: &App, request: &Request, error: AppError) -> AppError {
    let gate = match &error {
        AppError::Refused(refusal) => Some(refusal.gate),
        AppError::UsedProof => Some(Gate::Token),
        _ => None,
    };
    if let Some(gate) = gate {
        let token = &request.bearer.token;
        let permit = request.permit.as_ref().and_then(|key| token.scope.iter().find(|known| known.as_str() == key)).cloned();
        let permit = permit.or_else(|| match token.scope.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        });
        let wanted = wanted(app, request, permit);
        history::refused(app, &token.vendor, &token.client, wanted, gate).await;
    }
    error
}

/// What a refused request wanted, told from what its token holds; a name that no permit knows is not repeated.
fn wanted(app: &App, request: &Request, permit: Option<Slug>) -> history::Wanted {
    let held = app.decisions.holdings.get(&request.bearer.token.id);
    let covers = |ready: &&Arc<Ready>| {
        ready.state.dataset.name.as_str() == request.dataset && permit.as_ref().is_none_or(|key| *key == ready.state.permit.key)
    };
    match held.as_ref().and_then(|held| held.ready.iter().find(covers)) {
        Some(ready) => history::Wanted {
            permit: Some(ready.state.permit.key.clone()),
            dataset: Some(ready.state.dataset.name.clone()),
            purpose: ready.state.revision.as_ref().map(|revision| revision.terms.purpose.clone()),
        },
        None => history::Wanted { permit, dataset: None, purpose: None },
    }
}

fn receiver(app: &App, request: &Request) -> Result<Receiver, AppError> {
    let token = &request.bearer.token;
    let address = keys::keyed_hash(&app.secrets.address, request.bearer.from.to_string().as_bytes());
    let hex: String = address.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(Receiver {
        vendor: token.vendor.clone(),
        client: token.client.clone(),
        token: digest_of(token.id.as_str().as_bytes())?,
        address: hex,
        request: request.request_id.clone(),
    })
}

pub(super) fn digest_of(bytes: &[u8]) -> Result<Digest, AppError> {
    Digest::try_from(keys::sha256_hex(bytes)).map_err(|error| AppError::Internal(error.to_string()))
}

fn what(plan: &ReleasePlan, release: &ReleaseId, source: &str, format: Format, consent: i64) -> What {
    What {
        release: release.clone(),
        permit: plan.permit().clone(),
        revision: plan.revision(),
        policy: plan.policy().clone(),
        dataset: plan.dataset().name.clone(),
        purpose: plan.purpose().clone(),
        source: source.to_owned(),
        fields: plan.answer().map(|column| column.field.name.clone()).collect(),
        filter: plan.filter().iter().map(|comparison| (comparison.field.clone(), comparison.operator().key())).collect(),
        format: format.key(),
        consent: u64::try_from(consent).ok().filter(|watermark| *watermark > 0),
    }
}

/// Adds up values that their treatment could not compute, by field.
fn add_withheld(total: &mut BTreeMap<FieldName, u64>, more: BTreeMap<FieldName, u64>) {
    for (field, count) in more {
        let sum = total.entry(field).or_default();
        *sum = sum.saturating_add(count);
    }
}

/// The values of a filter, which stand beside the leaf.
fn beside(asked: &Asked) -> Result<Option<String>, AppError> {
    if asked.filter.is_empty() {
        return Ok(None);
    }
    let values: Vec<(&str, &str, &[String])> =
        asked.filter.iter().map(|(name, operator, values)| (name.as_str(), operator.key(), values.as_slice())).collect();
    serde_json::to_string(&values).map(Some).map_err(|error| AppError::Internal(error.to_string()))
}

/// A dataset as a token's permit releases it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OfferedDataset {
    pub name: Slug,
    pub permit: Slug,
    pub purpose: Slug,
    /// What bounds its releases, in plain words.
    pub limits: Vec<String>,
    pub fields: Vec<OfferedField>,
}

/// A released field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OfferedField {
    pub name: FieldName,
    #[serde(rename = "type")]
    pub logical: LogicalType,
    /// The treatment's name.
    pub treatment: &'static str,
    /// The same in words, with its settings.
    pub words: String,
    pub description: Option<Line>,
}

/// What a token's permits release now. With every permit closed, the first closed gate is the answer.
pub async fn datasets(app: &App, bearer: &Bearer) -> Result<Vec<OfferedDataset>, AppError> {
    let holding = holding(app, bearer, true).await?;
    let now = holding.time(app.clock.now());
    spend_proof(app, bearer).await?;
    let stopped = if holding.stopped { Err(kill_switch::refusal()) } else { Ok(()) };
    let sender = || holding.ready.first().map_or(Ok(()), |ready| check_sender(ready, bearer));
    if let Err(refusal) = stopped.and_then(|()| sender()) {
        history::refused(app, &bearer.token.vendor, &bearer.token.client, history::Wanted::default(), refusal.gate).await;
        return Err(refusal.into());
    }
    let mut offered = Vec::new();
    let mut closed: BTreeMap<Gate, Refusal> = BTreeMap::new();
    for ready in &holding.ready {
        match compile(&ready.state, &Asked::default(), now) {
            Ok(plan) => offered.push(offer(&plan)),
            Err(NoPlan::Refused(refusal)) => {
                closed.insert(refusal.gate, refusal);
            }
            Err(NoPlan::Invalid(error)) => return Err(error.into()),
        }
    }
    match closed.into_values().next() {
        Some(first) if offered.is_empty() => {
            history::refused(app, &bearer.token.vendor, &bearer.token.client, history::Wanted::default(), first.gate).await;
            Err(first.into())
        }
        None if offered.is_empty() => Err(refusal(Gate::Token).into()),
        Some(_) | None => Ok(offered),
    }
}

fn offer(plan: &ReleasePlan) -> OfferedDataset {
    OfferedDataset {
        name: plan.dataset().name.clone(),
        permit: plan.permit().clone(),
        purpose: plan.purpose().clone(),
        limits: words::limits(plan.limits()),
        fields: plan.answer().map(offered).collect(),
    }
}

fn offered(column: &crate::policy::release::Column) -> OfferedField {
    OfferedField {
        name: column.field.name.clone(),
        logical: column.released,
        treatment: column.treatment.key(),
        words: words::treatment(&column.treatment),
        description: column.field.description.clone(),
    }
}
