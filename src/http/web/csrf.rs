//! The token that a form of ours bears: bound to the session, masked anew in every answer, so that neither a foreign
//! site nor the length of a compressed answer (BREACH) tells it.

use crate::app::App;
use crate::app::sessions::{form_token, is_form_token};
use crate::domain::session::Session;

/// The hidden field.
pub const FIELD: &str = "csrf";

/// A token for one page.
pub fn token(app: &App, session: &Session) -> String {
    form_token(app, session)
}

/// Whether a token was made for this session.
pub fn is_good(app: &App, session: &Session, token: &str) -> bool {
    is_form_token(app, session, token)
}
