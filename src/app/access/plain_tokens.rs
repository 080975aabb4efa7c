//! Plain bearer tokens for vendors without OAuth: for permits that the staff tick, until a day that they choose.

use std::collections::BTreeSet;

use crate::domain::Invalid;
use crate::domain::client::{Binding, Client, Token, TokenKind};
use crate::domain::id::{ClientId, TokenId};
use crate::domain::person::Actor;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::history::{Act, Body};
use crate::policy;
use crate::store::{Scope, clients, permits, tokens, vendors};

use super::activation::{self, HandOver, Handed};
use super::check_not_revoked;
use crate::app::{App, AppError, append, kill_switch, new_id};

/// The longest life of a plain token in days.
pub const MOST_DAYS: i64 = 366;
/// The shortest life in seconds.
const LEAST_SECONDS: i64 = 60;

/// A plain token to be issued.
#[derive(Debug, Clone)]
pub struct IssuingToken {
    /// Permits of the client, at least one.
    pub permits: BTreeSet<Slug>,
    pub expires_at: Instant,
    pub hand_over: HandOver,
}

/// Issues a plain token. It opens what its permits say at each request, by the same gates as any other.
pub async fn issue(app: &App, by: &Actor, id: ClientId, what: IssuingToken) -> Result<(Token, Handed), AppError> {
    let (by, token_id) = (by.clone(), new_id::<TokenId>()?);
    let vendor = super::find(app, id.clone()).await?.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let client = clients::find(tx, &id)?;
            check_not_revoked(&client)?;
            policy::vendor::check_not_retired(&vendors::find(tx, &client.vendor)?)?;
            kill_switch::check_handing_out(tx)?;
            let now = tx.now();
            check(&client, &what, now)?;
            let known = permits::list_by_vendor(tx, &client.vendor)?;
            let usable: BTreeSet<Slug> = known
                .into_iter()
                .filter(|permit| permit.ended_at.is_none())
                .map(|permit| permit.key)
                .filter(|key| client.may_ask(key))
                .collect();
            if !what.permits.is_subset(&usable) {
                return Err(Invalid::new("permits", "must be permits that this client may ask for and that are not ended").into());
            }
            let token = Token {
                id: token_id,
                kind: TokenKind::Plain,
                client: client.id.clone(),
                vendor: client.vendor.clone(),
                scope: what.permits.into_iter().collect(),
                bound_to: None,
                issued_at: now,
                expires_at: what.expires_at,
                revoked_at: None,
            };
            tokens::insert(tx, &token, None)?;
            let act = Act::new("token", &token.id, "issue", &by).of(&token.vendor).fact("client", &token.client);
            append(tx, &Body::Act(act.fact("permits", token.scope.len()).fact("until", token.expires_at.date())), None)?;
            let handed = match what.hand_over {
                HandOver::Link => activation::new_link(tx, &client.id, Some(&token.id), 0)?,
                HandOver::Answer => Handed::Shown(activation::fill(tx, &token.id)?),
            };
            Ok((token, handed))
        })
        .await
}

fn check(client: &Client, what: &IssuingToken, now: Instant) -> Result<(), AppError> {
    if client.dpop == Binding::Required {
        let why = "This client's tokens must be bound to a key (DPoP), which a plain token can't be. Make binding optional first.";
        return Err(policy::Denied::State(why.to_owned()).into());
    }
    if what.permits.is_empty() {
        return Err(Invalid::new("permits", "must be at least one").into());
    }
    let soonest = now.plus_seconds(LEAST_SECONDS);
    if what.expires_at < soonest || what.expires_at > now.plus_days(MOST_DAYS) {
        return Err(
            Invalid::new("expires_at", format!("must be within the next {MOST_DAYS} days, and a minute from now at the soonest")).into()
        );
    }
    Ok(())
}
