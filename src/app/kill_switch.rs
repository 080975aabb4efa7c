//! The kill switch: everything stops at once, for all vendors and on every broker, until it is lifted.
//!
//! It is one row, changed while the gate of all rights is held alone. Whoever decides reads it with the live state, so
//! it stands under the counters like every other right: no release follows it, and a running stream is cut at its next
//! toll. Tokens from before its end stay refused for good.

use crate::domain::Invalid;
use crate::domain::gate::{Gate, Refusal};
use crate::domain::kill_switch::KillSwitch;
use crate::domain::person::Actor;
use crate::domain::text::Reason;
use crate::domain::time::Instant;
use crate::history::{Act, Body};
use crate::policy::Denied;
use crate::store::tokens::Ended;
use crate::store::{Scope, Tx, kill_switch};

use super::{App, AppError, access, append};

/// What is typed to confirm that everything is to stop.
pub const STOP_WORDS: &str = "stop everything";
/// What is typed to confirm that releases may go on.
pub const LIFT_WORDS: &str = "let releases go on";

/// Why nothing is released, and no token issued: vendors read it.
pub const STOPPED: &str = "Releases are stopped for all vendors just now. Nothing is wrong with this client or its permits: \
ask again later, with a new token; who has a plain token gets a new one from the vendor manager.";

/// The refusal while everything is stopped: it comes before all others.
pub const fn refusal() -> Refusal {
    Refusal::new(Gate::Token, STOPPED)
}

/// Whether everything is stopped, as a part of the live state.
pub fn lasts(tx: &mut Tx) -> Result<bool, AppError> {
    Ok(kill_switch::find(tx)?.is_some_and(|last| last.lasts()))
}

/// Whether a token of that instant is refused for the last stop's sake.
pub fn bars(tx: &mut Tx, issued_at: Instant) -> Result<bool, AppError> {
    Ok(kill_switch::find(tx)?.is_some_and(|last| last.bars(issued_at)))
}

/// No token is issued while everything is stopped: 503, as one that can be asked for later.
pub fn check_issuing(tx: &mut Tx) -> Result<(), AppError> {
    if lasts(tx)? { Err(AppError::Unavailable(STOPPED.to_owned())) } else { Ok(()) }
}

/// No plain token is issued meanwhile, as the stop would end it at once.
pub fn check_handing_out(tx: &mut Tx) -> Result<(), AppError> {
    let why = "Everything is stopped: no token is issued until that is lifted.";
    if lasts(tx)? { Err(Denied::State(why.to_owned()).into()) } else { Ok(()) }
}

/// The last stop of everything, lifted or not.
pub async fn find(app: &App) -> Result<Option<KillSwitch>, AppError> {
    app.store.read(|tx| Ok(kill_switch::find(tx)?)).await
}

fn check_words(typed: &str, words: &str) -> Result<(), AppError> {
    let typed = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if typed.eq_ignore_ascii_case(words) { Ok(()) } else { Err(Invalid::new("confirm", format!("must be the words “{words}”")).into()) }
}

/// Stops every release and every token of every vendor, from the next request on.
pub async fn stop(app: &App, by: &Actor, reason: Reason, typed: &str) -> Result<KillSwitch, AppError> {
    check_words(typed, STOP_WORDS)?;
    let by = by.clone();
    let stopped = app
        .store
        .govern(Scope::All, move |tx| {
            if let Some(known) = kill_switch::find(tx)?.filter(KillSwitch::lasts) {
                return Ok(known);
            }
            let stop = KillSwitch {
                stopped_at: tx.now(),
                stopped_by: by.history_name().to_owned(),
                name: None,
                reason: reason.clone(),
                lifted_at: None,
            };
            kill_switch::keep(tx, &stop)?;
            let act = Act::new("kill_switch", "everything", "stop", &by).moved("open", "stopped");
            append(tx, &Body::Act(act), Some(reason.to_string()))?;
            kept(tx)
        })
        .await?;
    access::mark_some(app, Ended::UpTo(stopped.stopped_at), stopped.stopped_at).await;
    Ok(stopped)
}

/// The timer's work: marks the tokens that the last stop ended.
pub async fn mark(app: &App) -> Result<(), AppError> {
    match find(app).await? {
        Some(stop) => access::mark_all(app, Ended::UpTo(stop.stopped_at), stop.stopped_at).await,
        None => Ok(()),
    }
}

/// Lets releases go on. Tokens from before stay refused: vendors' machines ask for new ones by themselves.
pub async fn lift(app: &App, by: &Actor, reason: Reason, typed: &str) -> Result<KillSwitch, AppError> {
    check_words(typed, LIFT_WORDS)?;
    let by = by.clone();
    app.store
        .govern(Scope::All, move |tx| {
            let last = kill_switch::find(tx)?.filter(KillSwitch::lasts);
            let last = last.ok_or_else(|| Denied::State("Nothing is stopped: there is nothing to lift.".to_owned()))?;
            let lifted = KillSwitch { lifted_at: Some(tx.now()), ..last };
            kill_switch::keep(tx, &lifted)?;
            let act = Act::new("kill_switch", "everything", "lift", &by).moved("stopped", "open");
            append(tx, &Body::Act(act), Some(reason.to_string()))?;
            kept(tx)
        })
        .await
}

fn kept(tx: &mut Tx) -> Result<KillSwitch, AppError> {
    kill_switch::find(tx)?.ok_or(AppError::NotFound("kill switch"))
}
