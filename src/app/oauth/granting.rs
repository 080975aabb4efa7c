//! Grants of tokens: what is asked and holds now. What it rests on is remembered under the counters, which the transaction
//! that keeps the token reads again.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::client::{Binding, Client, Token, TokenKind};
use crate::domain::client_key::Once;
use crate::domain::gate::Gate;
use crate::domain::id::{ClientId, TokenId};
use crate::domain::secret::PlainSecret;
use crate::domain::text::{Kid, Slug};
use crate::domain::time::Instant;
use crate::keys;
use crate::policy::release::{first_closed, next_turn, stands_until};
use crate::store::clients::Secrets;
use crate::store::counters::{self, Counters};
use crate::store::{Clock, Tx, clients, permits, tokens, used_once};
use crate::token::proof::{self, Proof, Proving};
use crate::token::{Claims, Confirmation};

use super::super::memory::Memory;
use super::super::release::live;
use super::super::{App, AppError, history, kill_switch, new_id, signing_keys};
use super::authenticating::{Authenticated, Found, Unproven, admit, ask_rate, from_store, judge, proved, spend};
use super::{Credentials, NoProof, OauthError};

/// The most bytes of permit keys that a token names: with all else in it, it must pass as a header.
const MOST_SCOPE_BYTES: usize = 4_096;
/// The most clients whose standing is remembered.
const MOST_CLIENTS: usize = 4_096;
/// How often a grant is decided from the live state, where rights move meanwhile.
const ATTEMPTS: usize = 4;
/// Longer than any token's life: what a standing is loaded with must not end it.
const BEYOND_SECONDS: i64 = 3_600;

/// What a request asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenRequest<'a> {
    /// Permit keys with spaces between; none means every permit in force.
    pub scope: Option<&'a str>,
    /// The headers `DPoP`: a proof of the key that the token is to be bound to.
    pub proofs: &'a [&'a str],
    /// The path as it was asked for.
    pub path: &'a str,
}

/// The same with the proof verified.
struct Asking<'a> {
    scope: Option<&'a str>,
    proof: Option<Proof>,
}

/// Verifies the proof of a key, where one comes; after the client proved who it is, so that strangers cost us no signature.
fn prove<'a>(app: &App, asked: TokenRequest<'a>) -> Result<Asking<'a>, OauthError> {
    let proof = match asked.proofs {
        [] => None,
        [proof] => {
            let url = format!("{}{}", app.settings.public_url, asked.path);
            let request = Proving { method: "POST", url: &url, token: None };
            Some(proof::verify(proof, request, app.clock.now()).map_err(|_| OauthError::Proof(NoProof::Wrong))?)
        }
        _ => return Err(OauthError::Proof(NoProof::Several)),
    };
    Ok(Asking { scope: asked.scope, proof })
}

/// An access token and what it is good for.
#[derive(Debug, Clone)]
pub struct Granted {
    pub access_token: PlainSecret,
    /// Seconds.
    pub expires_in: i64,
    /// Permit keys: what was asked and holds now.
    pub scope: Vec<Slug>,
    /// Whether it is bound to a key.
    pub is_bound: bool,
}

/// How one permit stands.
#[derive(Debug, Clone, Copy)]
enum Standing {
    /// It holds, and until when at the least.
    Open(Option<Instant>),
    Closed(Gate),
}

/// A client and how its permits stand, as read under one pair of counters.
#[derive(Debug)]
struct Known {
    client: Client,
    secrets: Secrets,
    permits: Vec<(Slug, Standing)>,
    /// The key that signs, by the database's clock.
    kid: Kid,
    counters: Counters,
    /// Until when it stands if the counters do not move, by the database's clock.
    until: Instant,
    /// The database's time less ours, in microseconds.
    skew: i64,
}

impl Known {
    fn time(&self, ours: Instant) -> Instant {
        Instant::from_micros(ours.micros().saturating_add(self.skew))
    }

    fn found(&self, ours: Instant) -> Found<'_> {
        Found { client: &self.client, secrets: &self.secrets, now: self.time(ours) }
    }
}

/// What recent grants rested on. It is never believed without the counters.
#[derive(Default)]
pub struct Grants(Memory<ClientId, Arc<Known>, MOST_CLIENTS>);

impl Grants {
    fn get(&self, id: &ClientId, now: Instant) -> Option<Arc<Known>> {
        self.0.get(id).filter(|known| known.time(now) < known.until)
    }

    fn put(&self, known: Arc<Known>) {
        self.0.put(known.client.id.clone(), known);
    }
}

/// Issues a token for the permits asked that hold now; none asked means all of the client's.
pub async fn grant(app: &App, credentials: &Credentials, from: IpAddr, asked: TokenRequest<'_>) -> Result<Granted, OauthError> {
    admit(app, credentials, from)?;
    let remembered = remembered(app, credentials, from).await;
    if let Some((known, client)) = &remembered {
        ask_rate(app, credentials)?;
        let asking = prove(app, asked)?;
        if let Some(granted) = from_memory(app, known, client, &asking).await? {
            proved(app, credentials, from);
            return Ok(granted);
        }
    }
    let id = from_store(app, credentials, from).await?.client.id;
    if remembered.is_none() {
        ask_rate(app, credentials)?;
    }
    let asking = prove(app, asked)?;
    for _ in 0..ATTEMPTS {
        let (wanted, keyring, clock) = (id.clone(), Arc::clone(&app.keyring), app.clock.clone());
        let known = Arc::new(app.store.read(move |tx| load(tx, &keyring, &wanted, &clock)).await?);
        signing_keys::learn(app, &known.kid).await?;
        app.grants.put(Arc::clone(&known));
        // Once more by what was read under the counters: the secret may have moved since.
        let client = match judge(app, credentials, from, Some(known.found(app.clock.now()))).await {
            Ok(client) => client,
            Err(Unproven::Is(error) | Unproven::Proven(error)) => return Err(error),
        };
        check_binding(&client, &asking)?;
        match decide(app, &known, &asking)? {
            Decided { token: None, closed } => return refuse(app, client, closed.unwrap_or(Gate::Permit)).await,
            Decided { token: Some(token), .. } => {
                if let Some(granted) = keep(app, &known, &client, &asking, token).await? {
                    proved(app, credentials, from);
                    return Ok(granted);
                }
            }
        }
    }
    Err(AppError::Unavailable("Rights are changing just now; try again shortly.".to_owned()).into())
}

/// What is remembered of a client, where it proves who it is by that.
async fn remembered(app: &App, credentials: &Credentials, from: IpAddr) -> Option<(Arc<Known>, Authenticated)> {
    let known = credentials.client().and_then(|id| app.grants.get(id, app.clock.now()))?;
    let client = judge(app, credentials, from, Some(known.found(app.clock.now()))).await.ok()?;
    Some((known, client))
}

/// Grants by what is remembered, where all that is asked holds by it and the counters have not moved. What memory refuses,
/// also in part, may have been granted since: the live state has the last word.
async fn from_memory(app: &App, known: &Known, client: &Authenticated, asking: &Asking<'_>) -> Result<Option<Granted>, OauthError> {
    if check_binding(client, asking).is_err() {
        return Ok(None);
    }
    match decide(app, known, asking) {
        Ok(Decided { token: Some(token), closed: None }) => keep(app, known, client, asking, token).await,
        Ok(_) | Err(_) => Ok(None),
    }
}

fn check_binding(client: &Authenticated, asking: &Asking<'_>) -> Result<(), OauthError> {
    let missing = asking.proof.is_none() && client.client.dpop == Binding::Required;
    if missing { Err(OauthError::Proof(NoProof::Missing)) } else { Ok(()) }
}

async fn refuse(app: &App, client: Authenticated, gate: Gate) -> Result<Granted, OauthError> {
    let client = spend(app, client).await?;
    history::refused(app, &client.vendor, &client.id, history::Wanted::default(), gate).await;
    Err(OauthError::InvalidScope(gate))
}

fn load(tx: &mut Tx, keyring: &keys::Keyring, id: &ClientId, clock: &Clock) -> Result<Known, AppError> {
    let (client, secrets) = clients::find_with_secrets(tx, id)?.ok_or(AppError::NotFound("client"))?;
    let counters = counters::read(tx, &client.vendor)?;
    kill_switch::check_issuing(tx)?;
    let (now, ours) = (tx.now(), clock.now());
    let candidate = Token {
        id: new_id()?,
        kind: TokenKind::Access,
        client: client.id.clone(),
        vendor: client.vendor.clone(),
        scope: Vec::new(),
        bound_to: None,
        issued_at: now,
        expires_at: now.plus_seconds(BEYOND_SECONDS),
        revoked_at: None,
    };
    let (mut standing, mut until) = (Vec::new(), now.plus_seconds(60));
    // The old secret's end is not one of the live state.
    until = client.old_secret_until.filter(|end| *end > now).map_or(until, |end| end.min(until));
    let (kid, next_key) = signing_keys::signing_now(tx)?;
    until = next_key.map_or(until, |next| next.min(until));
    let permits = permits::list_by_vendor(tx, &client.vendor)?.into_iter().filter(|permit| client.may_ask(&permit.key)).collect();
    for (key, ready) in live::all(tx, keyring, candidate, permits)? {
        let how = match ready {
            None => Standing::Closed(Gate::Permit),
            Some(ready) => {
                until = until.min(stands_until(&ready.state, now));
                match first_closed(&ready.state, now) {
                    None => Standing::Open(next_turn(&ready.state, now)),
                    Some(gate) => Standing::Closed(gate),
                }
            }
        };
        standing.push((key, how));
    }
    Ok(Known { client, secrets, permits: standing, kid, counters, until, skew: now.micros().saturating_sub(ours.micros()) })
}

/// What a grant comes to, before it is on record.
struct Decided {
    token: Option<Token>,
    /// The first closed gate among what was asked for and does not hold.
    closed: Option<Gate>,
}

fn decide(app: &App, known: &Known, asking: &Asking<'_>) -> Result<Decided, OauthError> {
    let asked: Option<BTreeSet<&str>> = asking.scope.map(|scope| scope.split_ascii_whitespace().collect());
    let asked = asked.filter(|names| !names.is_empty());
    let now = known.time(app.clock.now());
    let (mut scope, mut closed, mut end) = (Vec::new(), None, now.plus_seconds(app.settings.token_lifetime_seconds));
    for (key, standing) in known.permits.iter().filter(|(key, _)| asked.as_ref().is_none_or(|names| names.contains(key.as_str()))) {
        match standing {
            Standing::Open(turn) => {
                scope.push(key.clone());
                end = turn.map_or(end, |turn| turn.min(end));
            }
            Standing::Closed(gate) => closed = Some(closed.map_or(*gate, |known: Gate| known.min(*gate))),
        }
    }
    // A name that is not among them may be one that came since.
    if asked.as_ref().is_some_and(|names| names.len() > scope.len()) {
        closed = closed.or(Some(Gate::Permit));
    }
    if scope.is_empty() {
        return Ok(Decided { token: None, closed: closed.or(Some(Gate::Permit)) });
    }
    if scope.iter().map(|key| key.as_str().len().saturating_add(1)).sum::<usize>() > MOST_SCOPE_BYTES {
        return Err(OauthError::TooMuchScope);
    }
    // A token counts whole seconds; one that would live for none is not made.
    if end.seconds() <= now.seconds() {
        let why = "What this token would rest on changes within a second; ask again then.";
        return Err(AppError::Unavailable(why.to_owned()).into());
    }
    let token = Token {
        id: new_id::<TokenId>()?,
        kind: TokenKind::Access,
        client: known.client.id.clone(),
        vendor: known.client.vendor.clone(),
        scope,
        bound_to: asking.proof.as_ref().map(|proof| proof.key.clone()),
        issued_at: now,
        expires_at: end,
        revoked_at: None,
    };
    Ok(Decided { token: Some(token), closed })
}

/// How keeping a token went.
enum Kept {
    Yes,
    /// Rights moved since they were read.
    Moved,
    AssertionUsed,
    ProofUsed,
}

/// Keeps the token and uses up what was brought for it, in one transaction; `None` where rights moved.
async fn keep(app: &App, known: &Known, client: &Authenticated, asking: &Asking<'_>, token: Token) -> Result<Option<Granted>, OauthError> {
    let (kept, counters, until) = (token.clone(), known.counters, known.until);
    let (assertion, proof) = (client.once.clone(), asking.proof.as_ref().map(|proof| proof.once.clone()));
    // Signing costs more than all else here: it is done before the one writer is asked.
    let claims = claims(app, &token);
    let Some(access_token) = signing_keys::sign(app, &known.kid, &claims)? else { return Ok(None) };
    let kid = known.kid.clone();
    let outcome = app
        .store
        .record(move |tx| {
            let now = tx.now();
            if counters::read(tx, &kept.vendor)? != counters || now >= until {
                return Ok::<_, AppError>(Kept::Moved);
            }
            let mut new = |once: &Option<Once>| once.as_ref().map_or(Ok(true), |once| used_once::take(tx, once));
            if !new(&assertion)? {
                return Ok(Kept::AssertionUsed);
            }
            if !new(&proof)? {
                return Ok(Kept::ProofUsed);
            }
            tokens::insert(tx, &kept, Some(&kid))?;
            Ok(Kept::Yes)
        })
        .await?;
    match outcome {
        Kept::Yes => {
            let expires_in = claims.exp.saturating_sub(claims.iat);
            Ok(Some(Granted { access_token, expires_in, is_bound: token.bound_to.is_some(), scope: token.scope }))
        }
        Kept::Moved => Ok(None),
        Kept::AssertionUsed => Err(OauthError::AssertionUsed),
        Kept::ProofUsed => Err(OauthError::Proof(NoProof::Used)),
    }
}

fn claims(app: &App, token: &Token) -> Claims {
    Claims {
        iss: app.settings.public_url.clone(),
        aud: app.settings.public_url.clone(),
        sub: token.vendor.to_string(),
        client_id: token.client.to_string(),
        jti: token.id.to_string(),
        iat: token.issued_at.seconds(),
        nbf: token.issued_at.seconds(),
        exp: token.expires_at.seconds(),
        scope: token.scope.iter().map(Slug::as_str).collect::<Vec<_>>().join(" "),
        cnf: token.bound_to.clone().map(|jkt| Confirmation { jkt }),
    }
}
