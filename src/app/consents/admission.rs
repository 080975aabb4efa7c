//! Who may be in a release, kept in memory and brought up to date by what changed since: no pull reads them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::domain::consent::Signal;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::engine::admission::{self as engine, Admission};
use crate::policy::consent::SubjectRule;
use crate::store::consents::{self, Change};
use crate::store::{Clock, Tx};

use super::super::{App, AppError};
use super::set::SubjectSet;

/// Changes that are read by one statement.
const PART: i64 = 50_000;

/// A signal in a domain and for a purpose.
type Matters = (Slug, Signal, Option<Slug>);

/// For whom something stood at a watermark.
#[derive(Debug, Default)]
struct Stood {
    watermark: i64,
    set: Arc<SubjectSet>,
}

/// What people said, of each signal and purpose that a permit asked for. Eight bytes for each of them.
#[derive(Default)]
pub struct Consents {
    known: Mutex<HashMap<Matters, Arc<tokio::sync::Mutex<Stood>>>>,
}

/// Whom a release is about, as far as it must ask: the domain's rule and key.
#[derive(Debug, Clone)]
pub struct Asking {
    pub domain: Slug,
    pub rule: SubjectRule,
    /// The hash of a row that bears no key.
    pub nobody: u64,
}

/// The admission to one release, and the watermark it saw.
#[derive(Clone)]
pub struct Admitting {
    pub watermark: i64,
    asking: Asking,
    current: Arc<Current>,
}

impl std::fmt::Debug for Admitting {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Admitting").field("watermark", &self.watermark).finish_non_exhaustive()
    }
}

/// What is asked of each row just now; replaced while rows stream.
struct Current {
    sets: RwLock<Vec<(Signal, Arc<SubjectSet>)>>,
    nobody: u64,
    admits_nobody: bool,
    clock: Clock,
}

impl Admission for Current {
    fn admits(&self, subjects: &[u64]) -> Vec<bool> {
        let now = self.clock.now();
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner).clone();
        let admits = |subject: &u64| {
            if *subject == self.nobody {
                return self.admits_nobody;
            }
            sets.iter().all(|(signal, set)| SubjectRule::passes(*signal, set.holds(*subject, now)))
        };
        subjects.iter().map(admits).collect()
    }
}

impl Admitting {
    /// What the engine asks; none where nobody has said anything that counts here, so that there is nobody to miss.
    pub fn engine(&self) -> Option<Arc<dyn Admission>> {
        let sets = self.current.sets.read().unwrap_or_else(PoisonError::into_inner);
        let asks = sets.iter().any(|(signal, set)| signal.admits() || !set.is_empty());
        asks.then(|| Arc::clone(&self.current) as Arc<dyn Admission>)
    }

    /// Brings what is asked up to date.
    pub async fn refresh(&mut self, app: &App) -> Result<(), AppError> {
        let (watermark, sets) = sets(app, &self.asking).await?;
        *self.current.sets.write().unwrap_or_else(PoisonError::into_inner) = sets;
        self.watermark = watermark;
        Ok(())
    }

    /// Whether everybody of some may be in the release by what is known now.
    pub fn admits_all(&self, subjects: &[u64]) -> bool {
        self.current.admits(subjects).iter().all(|admitted| *admitted)
    }

    /// Whom it is about.
    pub const fn asking(&self) -> &Asking {
        &self.asking
    }
}

/// Who may be in a release from now on.
pub async fn admission(app: &App, asking: Asking) -> Result<Admitting, AppError> {
    let (watermark, sets) = sets(app, &asking).await?;
    let current =
        Current { sets: RwLock::new(sets), nobody: asking.nobody, admits_nobody: asking.rule.admits_nobody(), clock: app.clock.clone() };
    Ok(Admitting { watermark, asking, current: Arc::new(current) })
}

/// The sets that a rule asks, all as they stood at one watermark or later.
async fn sets(app: &App, asking: &Asking) -> Result<(i64, Vec<(Signal, Arc<SubjectSet>)>), AppError> {
    let watermark = app.store.read(|tx| Ok::<_, AppError>(consents::watermark(tx)?)).await?;
    let mut sets = Vec::new();
    for (signal, purpose) in asking.rule.asks() {
        let set = app.consents.at_least(app, (asking.domain.clone(), signal, purpose), watermark).await?;
        sets.push((signal, set));
    }
    Ok((watermark, sets))
}

impl Consents {
    /// The set as it stood at a watermark or later: what changed since it was last asked for is read, and no more.
    async fn at_least(&self, app: &App, matters: Matters, watermark: i64) -> Result<Arc<SubjectSet>, AppError> {
        let entry = Arc::clone(self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(matters.clone()).or_default());
        // Held while it is read, so that two releases that come at once do not both read everything.
        let mut stood = entry.lock().await;
        if stood.watermark < watermark {
            // Nothing was read of it yet: everything is, and then what changed while it was.
            let (mut set, since) =
                if stood.watermark == 0 { (load(app, &matters).await?, watermark) } else { ((*stood.set).clone(), stood.watermark) };
            catch_up(app, &matters, &mut set, since).await?;
            *stood = Stood { watermark, set: Arc::new(set) };
        }
        Ok(Arc::clone(&stood.set))
    }
}

/// Reads all for whom it stands, part by part.
async fn load(app: &App, (domain, signal, purpose): &Matters) -> Result<SubjectSet, AppError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (domain, signal, purpose) = (domain.clone(), *signal, purpose.clone());
        let part: Vec<Change> =
            app.store.read(move |tx| Ok::<_, AppError>(consents::standing(tx, &domain, signal, purpose.as_ref(), after, PART)?)).await?;
        found.extend(part.iter().map(|change| (change.subject(), change.ends_at())));
        match part.last() {
            Some(last) => after = Some(last.subject()),
            None => return Ok(SubjectSet::of(found)),
        }
    }
}

/// Takes over what changed after a watermark.
async fn catch_up(app: &App, (domain, signal, purpose): &Matters, set: &mut SubjectSet, since: i64) -> Result<(), AppError> {
    let mut since = since;
    loop {
        let (domain, signal, purpose) = (domain.clone(), *signal, purpose.clone());
        let part: Vec<Change> =
            app.store.read(move |tx| Ok::<_, AppError>(consents::changed(tx, &domain, signal, purpose.as_ref(), since, PART)?)).await?;
        part.iter().for_each(|change| set.change(change.subject(), change.stands(), change.ends_at()));
        match part.last() {
            Some(last) => since = last.watermark,
            None => return Ok(()),
        }
    }
}

/// Whether any of some subjects, in rising order, may no longer be in a release by what was recorded after a watermark;
/// read within the transaction that records the release. Also the watermark that was reached.
pub fn newly_denied(tx: &mut Tx, asking: &Asking, since: i64, subjects: &[u64], now: Instant) -> Result<(bool, i64), AppError> {
    let watermark = consents::watermark(tx)?;
    if watermark == since {
        return Ok((false, watermark));
    }
    for (signal, purpose) in asking.rule.asks() {
        let mut seen = since;
        loop {
            let part = consents::changed(tx, &asking.domain, signal, purpose.as_ref(), seen, PART)?;
            let holds = |change: &Change| change.stands() && change.ends_at().is_none_or(|end| now < end);
            let denied = |change: &Change| !SubjectRule::passes(signal, holds(change));
            if part.iter().any(|change| denied(change) && subjects.binary_search(&change.subject().0).is_ok()) {
                return Ok((true, watermark));
            }
            match part.last() {
                Some(last) => seen = last.watermark,
                None => break,
            }
        }
    }
    Ok((false, watermark))
}

/// Whom a plan is about.
pub fn asking(domain: &Slug, rule: &SubjectRule, ledger: &[u8; 32], logical: crate::domain::dataset::LogicalType) -> Asking {
    Asking { domain: domain.clone(), rule: rule.clone(), nobody: engine::nobody(ledger, logical) }
}
