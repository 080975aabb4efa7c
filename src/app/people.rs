//! The staff: people, their API keys, and who a key belongs to.

use crate::domain::Invalid;
use crate::domain::id::{ApiKeyId, PersonId};
use crate::domain::person::{Actor, ApiKey, Person, Role};
use crate::domain::secret::PlainSecret;
use crate::domain::text::{Email, Name};
use crate::domain::time::Instant;
use crate::history::{Act, Body};
use crate::keys::{password, secret};
use crate::policy::Denied;
use crate::store::{Scope, Tx, api_keys, people};

use super::{App, AppError, append, check_version, new_id};

/// A person to be added.
#[derive(Debug, Clone)]
pub struct AddPerson {
    pub email: Email,
    pub name: Name,
    pub role: Role,
    pub password: PlainSecret,
}

/// Adds a person.
pub async fn add(app: &App, by: &Actor, new: AddPerson) -> Result<Person, AppError> {
    password::check_password(new.password.reveal())?;
    let plain = new.password.clone();
    // argon2id costs tens of milliseconds by design: off the request thread.
    let hash =
        tokio::task::spawn_blocking(move || password::hash(&plain)).await.map_err(|error| AppError::Internal(error.to_string()))??;
    let (by, id) = (by.clone(), new_id::<PersonId>()?);
    app.store
        .record(move |tx| {
            let person =
                Person { id, email: new.email, name: new.name, role: new.role, created_at: tx.now(), disabled_at: None, version: 1 };
            people::insert(tx, &person, &hash)?;
            append(tx, &Body::Act(Act::new("person", &person.id, "add", &by).fact("role", person.role.key())), None)?;
            Ok(person)
        })
        .await
}

/// Everyone, disabled people too.
pub async fn list(app: &App) -> Result<Vec<Person>, AppError> {
    app.store.read(|tx| Ok(people::list(tx)?)).await
}

/// One person.
pub async fn find(app: &App, id: PersonId) -> Result<Person, AppError> {
    app.store.read(move |tx| Ok(people::find(tx, &id)?)).await
}

/// Disables a person: from the next request on, their sessions, keys and password are refused.
pub async fn disable(app: &App, by: &Actor, id: PersonId) -> Result<Person, AppError> {
    let by = by.clone();
    app.store
        .govern(Scope::All, move |tx| {
            let mut person = people::find(tx, &id)?;
            if by.person() == Some(&person.id) {
                return Err(Invalid::new("person", "must not be yourself: ask another administrator").into());
            }
            if person.disabled_at.is_none() {
                person.disabled_at = Some(tx.now());
                person.version = people::save(tx, &person)?;
                crate::store::sessions::delete_others(tx, &person.id, None)?;
                check_administered(tx, &by)?;
                append(tx, &Body::Act(Act::new("person", &person.id, "disable", &by)), None)?;
            }
            Ok(person)
        })
        .await
}

/// Somebody must be left who can let people in. The gate is held alone, so that two administrators who disable each
/// other at the same time do not both succeed. The operator at the machine itself may: they can add another one.
fn check_administered(tx: &mut Tx, by: &Actor) -> Result<(), AppError> {
    let left = people::list(tx)?.into_iter().any(|person| person.role == Role::Administrator && person.disabled_at.is_none());
    if left || by.person().is_none() {
        return Ok(());
    }
    Err(Denied::State("Nobody would be left who is an administrator; make somebody else one first.".to_owned()).into())
}

/// Changes a person's name and role; the version read must still be the one stored. Nobody changes their own role.
pub async fn change(app: &App, by: &Actor, id: PersonId, version: i64, name: Name, role: Role) -> Result<Person, AppError> {
    let by = by.clone();
    app.store
        .govern(Scope::All, move |tx| {
            let before = people::find(tx, &id)?;
            check_version(version, before.version)?;
            if by.person() == Some(&before.id) && role != before.role {
                return Err(Invalid::new("role", "must not be changed by yourself: ask another administrator").into());
            }
            let mut person = Person { name, role, ..before.clone() };
            person.version = people::save(tx, &person)?;
            check_administered(tx, &by)?;
            let act = Act::new("person", &person.id, "change", &by).moved(before.role.key(), person.role.key());
            append(tx, &Body::Act(act), None)?;
            Ok(person)
        })
        .await
}

/// Lets a disabled person in again; their keys and password are as they were.
pub async fn enable(app: &App, by: &Actor, id: PersonId) -> Result<Person, AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            let mut person = people::find(tx, &id)?;
            if person.disabled_at.is_some() {
                person.disabled_at = None;
                person.version = people::save(tx, &person)?;
                append(tx, &Body::Act(Act::new("person", &person.id, "enable", &by)), None)?;
            }
            Ok(person)
        })
        .await
}

/// Issues an API key to a person; the secret is shown this once.
pub async fn issue_key(
    app: &App,
    by: &Actor,
    person: PersonId,
    label: Name,
    expires_at: Option<Instant>,
) -> Result<(ApiKey, PlainSecret), AppError> {
    let plain = secret::generate(secret::Prefix::ApiKey);
    let (digest, by, id) = (secret::digest(plain.reveal()), by.clone(), new_id::<ApiKeyId>()?);
    let key = app
        .store
        .record(move |tx| {
            let now = tx.now();
            if expires_at.is_some_and(|end| end <= now) {
                return Err(Invalid::new("expires_at", "must lie in the future").into());
            }
            let holder = people::find(tx, &person)?;
            if holder.disabled_at.is_some() {
                return Err(Invalid::new("person", "is disabled").into());
            }
            let key = ApiKey { id, person: holder.id, label, created_at: now, expires_at, revoked_at: None };
            api_keys::insert(tx, &key, &digest)?;
            append(tx, &Body::Act(Act::new("api_key", &key.id, "issue", &by).fact("person", &key.person)), None)?;
            Ok::<_, AppError>(key)
        })
        .await?;
    Ok((key, plain))
}

/// The keys of one person.
pub async fn list_keys(app: &App, person: PersonId) -> Result<Vec<ApiKey>, AppError> {
    app.store
        .read(move |tx| {
            let person = people::find(tx, &person)?;
            Ok(api_keys::list_by_person(tx, &person.id)?)
        })
        .await
}

/// Revokes a key: one's own, or anyone's by an administrator.
pub async fn revoke_key(app: &App, by: &Actor, id: ApiKeyId) -> Result<ApiKey, AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            let mut key = api_keys::find(tx, &id)?;
            let may = match &by {
                Actor::Person { id, role } => *id == key.person || *role == Role::Administrator,
                Actor::Operator | Actor::System => true,
                Actor::Client(_) => false,
            };
            if !may {
                return Err(AppError::NotFound("API key"));
            }
            if key.revoked_at.is_none() {
                let now = tx.now();
                api_keys::revoke(tx, &key.id, now)?;
                append(tx, &Body::Act(Act::new("api_key", &key.id, "revoke", &by).fact("person", &key.person)), None)?;
                key.revoked_at = Some(now);
            }
            Ok(key)
        })
        .await
}

/// Who an API key belongs to, if it is good now.
pub async fn authenticate(app: &App, key: &str) -> Result<Actor, AppError> {
    let digest = secret::read(key, secret::Prefix::ApiKey).ok_or(AppError::Unauthenticated)?;
    app.store
        .read(move |tx| {
            let now = tx.now();
            let (key, person) = api_keys::find_by_digest(tx, &digest)?.ok_or(AppError::Unauthenticated)?;
            let good = key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < end) && person.disabled_at.is_none();
            if good { Ok(Actor::Person { id: person.id, role: person.role }) } else { Err(AppError::Unauthenticated) }
        })
        .await
}

/// A password that nobody chose: 178 bits of entropy.
pub fn generated_password() -> PlainSecret {
    let secret = secret::generate(secret::Prefix::ApiKey);
    PlainSecret::new(secret.reveal().trim_start_matches(secret::Prefix::ApiKey.text()))
}
