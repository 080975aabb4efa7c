//! Links that let a person choose their password once: the first administrator, invitations, resets.

use crate::domain::Invalid;
use crate::domain::id::PersonId;
use crate::domain::person::{Actor, Person, Role};
use crate::domain::secret::{PlainSecret, SecretDigest};
use crate::domain::session::{LinkKind, PasswordLink, Stage};
use crate::domain::text::{Email, Name};
use crate::history::{Act, Body};
use crate::keys::{password, secret};
use crate::policy::sign_in::{link_holds, link_seconds};
use crate::store::{Scope, Tx, password_links, people, sessions as stored_sessions};

use super::sessions::{self, Opened};
use super::{App, AppError, append, new_id, sign_in};

fn new_link(tx: &mut Tx, kind: LinkKind, person: Option<PersonId>) -> Result<PlainSecret, AppError> {
    let (plain, now) = (secret::generate(secret::Prefix::PasswordLink), tx.now());
    password_links::delete_unused(tx, person.as_ref())?;
    let link = PasswordLink { kind, person, created_at: now, ends_at: now.plus_seconds(link_seconds(kind)), used_at: None };
    password_links::insert(tx, &link, &secret::digest(plain.reveal()))?;
    Ok(plain)
}

/// The address that a link's secret is opened at.
pub fn address(app: &App, secret: &PlainSecret) -> String {
    format!("{}/welcome/{}", app.settings.public_url, secret.reveal())
}

/// A link for the first administrator, where nobody is there yet; the one before is taken back.
pub async fn set_up(app: &App) -> Result<Option<PlainSecret>, AppError> {
    app.store
        .record(|tx| {
            let nobody = people::list(tx)?.is_empty();
            if nobody { new_link(tx, LinkKind::SetUp, None).map(Some) } else { Ok(None) }
        })
        .await
}

/// Adds a person who chooses their password themselves; answers the link, shown this once.
pub async fn invite(app: &App, by: &Actor, email: Email, name: Name, role: Role) -> Result<(Person, PlainSecret), AppError> {
    let (by, id) = (by.clone(), new_id::<PersonId>()?);
    app.store
        .record(move |tx| {
            let person = Person { id, email, name, role, created_at: tx.now(), disabled_at: None, version: 1 };
            people::insert(tx, &person, sign_in::NO_PASSWORD)?;
            append(tx, &Body::Act(Act::new("person", &person.id, "add", &by).fact("role", person.role.key())), None)?;
            let link = new_link(tx, LinkKind::Invitation, Some(person.id.clone()))?;
            Ok((person, link))
        })
        .await
}

/// A new link for somebody who can't sign in; links before it are taken back. The old password stays good until it
/// is used.
pub async fn reset(app: &App, by: &Actor, id: PersonId) -> Result<(Person, PlainSecret), AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            let person = people::find(tx, &id)?;
            if person.disabled_at.is_some() {
                return Err(Invalid::new("person", "is disabled; enable them first").into());
            }
            let fresh = people::password_hash(tx, &id)? == sign_in::NO_PASSWORD;
            let kind = if fresh { LinkKind::Invitation } else { LinkKind::Reset };
            append(tx, &Body::Act(Act::new("person", &person.id, "issue_password_link", &by)), None)?;
            let link = new_link(tx, kind, Some(person.id.clone()))?;
            Ok((person, link))
        })
        .await
}

/// What a link is for, while it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    pub kind: LinkKind,
    pub person: Option<Person>,
}

/// What a link is for; one that is used, over or unknown is not there.
pub async fn find(app: &App, link: &str) -> Result<Welcome, AppError> {
    let digest = digest(link)?;
    app.store.read(move |tx| welcome(tx, &digest)).await
}

fn digest(link: &str) -> Result<SecretDigest, AppError> {
    secret::read(link, secret::Prefix::PasswordLink).ok_or(AppError::NotFound("link"))
}

fn welcome(tx: &mut Tx, digest: &SecretDigest) -> Result<Welcome, AppError> {
    let now = tx.now();
    let link = password_links::find(tx, digest)?.filter(|link| link_holds(link, now)).ok_or(AppError::NotFound("link"))?;
    let person = link.person.map(|id| people::find(tx, &id)).transpose()?;
    if person.as_ref().is_some_and(|person| person.disabled_at.is_some()) {
        return Err(AppError::NotFound("link"));
    }
    Ok(Welcome { kind: link.kind, person })
}

/// Uses a link up: sets the password, ends every session of the person, and signs this browser in as a password would.
pub async fn choose(app: &App, link: &str, chosen: PlainSecret, browser: String) -> Result<sign_in::Outcome, AppError> {
    password::check_password(chosen.reveal())?;
    let digest = digest(link)?;
    let person = find(app, link).await?.person.ok_or(AppError::NotFound("link"))?;
    let hash = hashed(app, chosen).await?;
    let device = sign_in::device_of(app, &person.email);
    app.store
        .record(move |tx| {
            let person = welcome(tx, &digest)?.person.ok_or(AppError::NotFound("link"))?;
            use_up(tx, &digest)?;
            people::set_password(tx, &person.id, &hash)?;
            stored_sessions::delete_others(tx, &person.id, None)?;
            let by = Actor::Person { id: person.id.clone(), role: person.role };
            append(tx, &Body::Act(Act::new("person", &person.id, "choose_password", &by)), None)?;
            // A link proves who one is as a password does: the second factor is still asked for.
            sign_in::enter(tx, &person, browser, device)
        })
        .await
}

fn use_up(tx: &mut Tx, digest: &SecretDigest) -> Result<(), AppError> {
    let now = tx.now();
    password_links::take(tx, digest, now).map_err(|error| match error {
        crate::store::StoreError::Stale => AppError::NotFound("link"),
        other => other.into(),
    })
}

async fn hashed(app: &App, chosen: PlainSecret) -> Result<String, AppError> {
    Ok(app.desk.work(move || password::hash(&chosen)).await??)
}

/// Makes the first administrator, while nobody is there.
pub async fn begin(app: &App, link: &str, email: Email, name: Name, chosen: PlainSecret, browser: String) -> Result<Opened, AppError> {
    password::check_password(chosen.reveal())?;
    let (digest, id) = (digest(link)?, new_id::<PersonId>()?);
    if find(app, link).await?.kind != LinkKind::SetUp {
        return Err(AppError::NotFound("link"));
    }
    let hash = hashed(app, chosen).await?;
    let device = sign_in::device_of(app, &email);
    app.store
        .govern(Scope::All, move |tx| {
            let set_up = welcome(tx, &digest)?.kind == LinkKind::SetUp;
            if !set_up || !people::list(tx)?.is_empty() {
                return Err(AppError::NotFound("link"));
            }
            use_up(tx, &digest)?;
            let person = Person { id, email, name, role: Role::Administrator, created_at: tx.now(), disabled_at: None, version: 1 };
            people::insert(tx, &person, &hash)?;
            append(tx, &Body::Act(Act::new("person", &person.id, "add", &Actor::Operator).fact("role", person.role.key())), None)?;
            sessions::open(tx, &person.id, Stage::In, browser, Some(device))
        })
        .await
}

/// Changes one's own password against the old one, and ends every other session.
pub async fn change(app: &App, by: &sessions::Current, old: PlainSecret, new: PlainSecret) -> Result<(), AppError> {
    password::check_password(new.reveal()).map_err(|error| Invalid::new("new_password", error.reason))?;
    if !sign_in::is_password(app, &by.person.id, old).await? {
        return Err(Invalid::new("password", "must be your password as it is now").into());
    }
    let hash = hashed(app, new).await?;
    let (person, session, actor) = (by.person.id.clone(), by.session.id.clone(), by.actor());
    app.store
        .record(move |tx| {
            people::set_password(tx, &person, &hash)?;
            stored_sessions::delete_others(tx, &person, Some(&session))?;
            password_links::delete_unused(tx, Some(&person))?;
            append(tx, &Body::Act(Act::new("person", &person, "choose_password", &actor)), None)
        })
        .await
}
