//! Timers that call use cases: the sequencer, refusal counts, signing keys, expired tokens.

use std::sync::Arc;
use std::time::Duration;

use crate::app::{App, AppError, access, history, kill_switch, sign_in, signing_keys};

const SEQUENCE: Duration = Duration::from_millis(200);
const REFUSALS: Duration = Duration::from_secs(5);
/// A new key is published for ten minutes before it signs: ten tries to read it.
const KEYS: Duration = Duration::from_secs(60);
const TOKENS: Duration = Duration::from_secs(60);
const SIGN_INS: Duration = Duration::from_secs(600);

/// Starts every timer on the current thread's local set; they end with it.
pub fn start(app: &Arc<App>) {
    every(app, "sequence", SEQUENCE, async |app| app.store.sequence().await.map(drop).map_err(AppError::from));
    every(app, "refusals", REFUSALS, async |app| history::flush_refusals(&app, false).await);
    every(app, "signing keys", KEYS, async |app| signing_keys::tend(&app).await);
    every(app, "expired tokens", TOKENS, async |app| access::forget_expired(&app).await);
    every(app, "tokens of the last stop", TOKENS, async |app| kill_switch::mark(&app).await);
    every(app, "old sign-ins", SIGN_INS, async |app| sign_in::forget_old(&app).await);
}

fn every<F>(app: &Arc<App>, name: &'static str, period: Duration, work: F)
where
    F: AsyncFn(Arc<App>) -> Result<(), AppError> + 'static,
{
    let app = Arc::clone(app);
    drop(tokio::task::spawn_local(async move {
        let mut timer = tokio::time::interval(period);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            timer.tick().await;
            if let Err(error) = work(Arc::clone(&app)).await {
                tracing::error!(%error, timer = name, "a timer's work failed; it is tried again");
            }
        }
    }));
}
