//! The secrets by which sources are reached: sealed at rest, opened where rows are read, and never shown again.

use std::sync::Arc;

use crate::app::{App, AppError, append, secrets};
use crate::domain::Invalid;
use crate::domain::dataset::{Source, SourceLocation};
use crate::domain::id::SourceId;
use crate::domain::person::Actor;
use crate::domain::secret::PlainSecret;
use crate::engine::Access;
use crate::history::{Act, Body};
use crate::keys::Keyring;
use crate::store::{Scope, Tx, sealed_keys, sources};

/// The longest secret.
const MOST: usize = 4_096;

/// How a source is reached, with its secret where there is one.
pub fn access(tx: &mut Tx, keyring: &Keyring, source: &Source) -> Result<Access, AppError> {
    let secret = secrets::opened_text(tx, keyring, &secrets::source_secret(&source.id))?;
    Ok(Access { location: source.location.clone(), secret })
}

/// A secret is for those kinds of source that ask for one. It can stand in a header: no line break, no other control
/// character.
pub fn check_secret(location: &SourceLocation, secret: Option<&PlainSecret>) -> Result<(), Invalid> {
    match (location.takes_secret(), secret.map(PlainSecret::reveal)) {
        (false, Some(_)) => Err(Invalid::new("secret", "must be left out: this kind of source asks for none")),
        (true, Some(secret)) if secret.is_empty() || secret.len() > MOST || secret.chars().any(char::is_control) => {
            Err(Invalid::new("secret", format!("must have 1 to {MOST} bytes, none of them control characters")))
        }
        (true, Some(_)) | (_, None) => Ok(()),
    }
}

/// Puts another secret in the place of a source's, once the source could be read with it.
pub async fn set_secret(app: &App, by: &Actor, id: SourceId, secret: PlainSecret) -> Result<Source, AppError> {
    let (keyring, known) = (Arc::clone(&app.keyring), id.clone());
    let find = move |tx: &mut Tx| {
        let source = sources::find(tx, &known)?;
        access(tx, &keyring, &source)
    };
    let access = app.store.read(find).await?;
    check_secret(&access.location, Some(&secret))?;
    let name = secrets::source_secret(&id);
    let sealed = secrets::sealed_text(app, &name, &secret);
    super::readable(app, &Access { secret: Some(secret), ..access }).await.map_err(|error| match error {
        AppError::Invalid(Invalid { reason, .. }) => Invalid::new("secret", reason).into(),
        other => other,
    })?;
    let by = by.clone();
    // Under every counter, so that no release goes on with the old one from memory.
    app.store
        .govern(Scope::All, move |tx| {
            let source = sources::find(tx, &id)?;
            if sealed_keys::find(tx, &name)?.is_some() {
                sealed_keys::destroy(tx, &name)?;
            }
            let now = tx.now();
            sealed_keys::insert(tx, &sealed.at(now))?;
            append(tx, &Body::Act(Act::new("source", &source.id, "set_secret", &by)), None)?;
            Ok(source)
        })
        .await
}
