//! A form that is sent twice does its act once: the second time leads where the first one led.

use crate::domain::secret::PlainSecret;
use crate::keys::secret;
use crate::store::sent_forms::{self, Sent};

use super::{App, AppError};

pub use crate::store::sent_forms::Sent as Before;

fn name(form: &str) -> String {
    secret::digest(&PlainSecret::new(form)).as_str().to_owned()
}

/// Begins to do a form; says what became of it where it was sent before.
pub async fn begin(app: &App, form: &str) -> Result<Option<Before>, AppError> {
    let form = name(form);
    app.store
        .record(move |tx| {
            if let Some(before) = sent_forms::find(tx, &form)? {
                return Ok(Some(before));
            }
            let now = tx.now();
            Ok(if sent_forms::insert(tx, &form, now)? { None } else { Some(Sent::Doing) })
        })
        .await
}

/// Notes where a form led; empty where it showed something once.
pub async fn done(app: &App, form: &str, led_to: String) -> Result<(), AppError> {
    let form = name(form);
    app.store.record(move |tx| Ok(sent_forms::done(tx, &form, &led_to)?)).await
}

/// Forgets a form that came to nothing.
pub async fn forget(app: &App, form: &str) -> Result<(), AppError> {
    let form = name(form);
    app.store.record(move |tx| Ok(sent_forms::delete(tx, &form)?)).await
}
