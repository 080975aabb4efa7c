//! Reversible tokens turned back: by a privacy officer, for a reason, and on record before a value is shown.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::permit::Permit;
use crate::domain::person::Actor;
use crate::domain::text::{FieldName, Reason, Slug};
use crate::domain::treatment::Treatment;
use crate::engine;
use crate::history::Body;
use crate::keys;
use crate::policy::Denied;
use crate::policy::release::key_label;
use crate::store::{Tx, datasets, permits};

use super::super::{App, AppError, append, secrets};

/// The most tokens that are turned back at once.
pub const MOST_TOKENS: usize = 100;

/// The most characters of a token: that of a text of some 8,000 bytes.
const MOST_CHARACTERS: usize = 14_000;

/// Which tokens are to be turned back, and why.
#[derive(Debug, Clone)]
pub struct Revealing {
    pub field: FieldName,
    pub tokens: Vec<String>,
    pub reason: Reason,
}

/// Tokens and what they stand for, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Revealed {
    #[schema(value_type = String)]
    pub field: FieldName,
    pub tokens: Vec<RevealedToken>,
}

/// A token and its value.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RevealedToken {
    pub token: String,
    /// None for what is no token of this field under this agreement.
    pub value: Option<String>,
}

impl std::fmt::Debug for RevealedToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("RevealedToken(..)")
    }
}

/// The fields of a permit that any of its revisions put in force released as reversible tokens, each with the labels of
/// its keys.
fn labels(tx: &mut Tx, permit: &Permit) -> Result<Vec<(FieldName, BTreeSet<String>)>, AppError> {
    let mut fields: Vec<(FieldName, BTreeSet<String>)> = Vec::new();
    let revisions = permits::revisions(tx, &permit.key)?;
    let Some(last) = revisions.last() else { return Ok(fields) };
    // A permit's dataset never changes, whatever its revisions say of the fields.
    let Some(dataset) = datasets::find_by_name(tx, &last.terms.dataset)? else { return Ok(fields) };
    for field in &dataset.fields {
        let released = revisions.iter().filter(|revision| revision.in_force_at.is_some());
        let treatments = released.filter_map(|revision| revision.terms.fields.get(&field.name));
        let tokens = treatments.filter(|treatment| matches!(treatment, Treatment::ReversibleToken { .. }));
        let labels: BTreeSet<String> = tokens.filter_map(|treatment| key_label(treatment, field, &dataset)).collect();
        if !labels.is_empty() {
            fields.push((field.name.clone(), labels));
        }
    }
    Ok(fields)
}

fn none() -> AppError {
    Denied::State("This permit has released no field as a reversible token.".to_owned()).into()
}

/// The fields whose tokens can be turned back.
pub async fn tokenised(app: &App, key: Slug) -> Result<Vec<FieldName>, AppError> {
    app.store
        .read(move |tx| {
            let permit = permits::find(tx, &key)?;
            let fields: Vec<FieldName> = labels(tx, &permit)?.into_iter().map(|(field, _)| field).collect();
            if fields.is_empty() { Err(none()) } else { Ok(fields) }
        })
        .await
}

/// Turns tokens back. That it was done, by whom and for how many is on record when the values are answered; the values
/// and the tokens are not.
pub async fn reveal(app: &App, by: &Actor, key: Slug, ask: Revealing) -> Result<Revealed, AppError> {
    let Revealing { field, tokens, reason } = ask;
    if tokens.is_empty() || tokens.len() > MOST_TOKENS {
        return Err(Invalid::new("tokens", format!("must name 1 to {MOST_TOKENS}")).into());
    }
    if tokens.iter().any(|token| token.len() > MOST_CHARACTERS) {
        return Err(Invalid::new("tokens", format!("must have at most {MOST_CHARACTERS} characters each")).into());
    }
    let (by, keyring) = (by.clone(), std::sync::Arc::clone(&app.keyring));
    app.store
        .record(move |tx| {
            let permit = permits::find(tx, &key)?;
            let fields = labels(tx, &permit)?;
            if fields.is_empty() {
                return Err(none());
            }
            let found = fields.into_iter().find(|(name, _)| *name == field);
            let (_, labels) = found.ok_or_else(|| Invalid::new("field", "must be one that this permit released as a reversible token"))?;
            let Some(agreement_key) = secrets::opened(tx, &keyring, &secrets::agreement_key(&permit.agreement))? else {
                return Err(
                    Denied::State("The agreement's key is destroyed: its tokens can not be turned back any more.".to_owned()).into()
                );
            };
            let keys: Vec<[u8; 32]> = labels.iter().map(|label| keys::derive(&agreement_key, label)).collect();
            let value = |token: &String| keys.iter().find_map(|key| engine::reveal(key, token));
            let tokens: Vec<RevealedToken> = tokens.into_iter().map(|token| RevealedToken { value: value(&token), token }).collect();
            let known = tokens.iter().filter(|token| token.value.is_some()).count();
            let act = super::entry(&permit, "reveal_tokens", &by).fact("field", &field).fact("tokens", tokens.len()).fact("known", known);
            append(tx, &Body::Act(act), Some(reason.to_string()))?;
            Ok(Revealed { field, tokens })
        })
        .await
}
