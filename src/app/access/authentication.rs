//! How a client proves who it is: a secret, keys that are kept here, or keys that the vendor publishes.

use crate::domain::Invalid;
use crate::domain::client::{Authentication, Binding, Client};
use crate::domain::client_key;
use crate::domain::id::ClientId;
use crate::domain::person::Actor;
use crate::history::Body;
use crate::store::clients::Secrets;
use crate::store::{Scope, activation_links, clients};
use crate::token;

use super::activation::{self, HandOver, Handed};
use super::{entry, find, to_change};
use crate::app::{App, AppError, append};

/// The longest address of a key set in bytes.
const MOST_ADDRESS: usize = 500;

/// What was asked for, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposed {
    Secret,
    /// JWK, JWK set or PEM.
    Keys(String),
    /// Where the vendor publishes its JWK set.
    KeysAt(String),
}

/// Reads how a client is to prove who it is. An address is judged by its spelling here and each time it is asked.
pub fn read(app: &App, proposed: &Proposed) -> Result<Authentication, Invalid> {
    match proposed {
        Proposed::Secret => Ok(Authentication::Secret),
        Proposed::Keys(text) => {
            let keys = token::client_key::read(text)?;
            client_key::check(&keys)?;
            Ok(Authentication::Keys { keys })
        }
        Proposed::KeysAt(uri) => {
            let uri = uri.trim();
            if uri.len() > MOST_ADDRESS {
                return Err(Invalid::new("uri", format!("must be shorter than {MOST_ADDRESS} characters")));
            }
            app.outbound.check(uri).map_err(|error| Invalid::new("uri", format!("can't be used: {error}")))?;
            Ok(Authentication::KeysAt { uri: uri.to_owned() })
        }
    }
}

/// A change of how a client proves who it is.
#[derive(Debug, Clone)]
pub struct Change {
    /// The client's `version` as it was read.
    pub read: i64,
    pub authentication: Proposed,
    pub dpop: Binding,
    /// How a secret is handed over, where the client gets one by this.
    pub hand_over: HandOver,
}

/// Says how a client proves who it is, from the next request on. One that gets keys loses its secret; one that gets a secret
/// instead of keys is handed it. Tokens that it has hold, unless they are not bound to a key and must be now.
pub async fn set(app: &App, by: &Actor, id: ClientId, change: Change) -> Result<(Client, Handed), AppError> {
    let authentication = read(app, &change.authentication)?;
    let by = by.clone();
    let vendor = find(app, id.clone()).await?.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let mut client = to_change(tx, &id, change.read)?;
            let (kind, dpop) = (client.authentication.key(), client.dpop);
            if client.authentication == authentication && dpop == change.dpop {
                return Ok((client, Handed::Nothing));
            }
            client.authentication = authentication;
            client.dpop = change.dpop;
            let now_secret = client.authentication == Authentication::Secret;
            if !now_secret {
                client.old_secret_until = None;
            }
            client.version = clients::save(tx, &client)?;
            if !now_secret {
                clients::set_secrets(tx, &id, &Secrets::default())?;
                activation_links::delete_unused(tx, &id, None)?;
            }
            let handed = match change.hand_over {
                _ if !now_secret || kind == Authentication::Secret.key() => Handed::Nothing,
                HandOver::Link => activation::new_link(tx, &id, None, 0)?,
                HandOver::Answer => Handed::Shown(activation::renew(tx, &mut client, 0)?),
            };
            let act = entry(&client, "set_authentication", &by).fact("kind", client.authentication.key());
            append(tx, &Body::Act(act.fact("dpop", client.dpop.key())), None)?;
            Ok((client, handed))
        })
        .await
}
