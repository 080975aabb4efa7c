//! A JSON object whose members are all seen, each once: what is not asked for by name is refused, not ignored.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::Reason;

/// The members of a token's header or payload.
pub(super) struct Members(BTreeMap<String, Value>);

impl Members {
    /// Reads one base64url part of a token.
    pub(super) fn decode(part: &str) -> Result<Self, Reason> {
        let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Reason::Malformed)?;
        let Listed(listed) = serde_json::from_slice(&bytes).map_err(|_| Reason::Malformed)?;
        let count = listed.len();
        let members = BTreeMap::from_iter(listed);
        if members.len() == count { Ok(Self(members)) } else { Err(Reason::Duplicate) }
    }

    /// A member as it stands.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Refuses members beyond the known ones.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Reason> {
        if self.0.keys().all(|name| known.contains(&name.as_str())) { Ok(()) } else { Err(Reason::Unknown) }
    }

    /// A member that must be a text with something in it.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, Reason> {
        let value = self.0.get(name).ok_or(Reason::Missing(name))?;
        value.as_str().filter(|text| !text.is_empty()).ok_or(Reason::Form(name))
    }

    /// A member that must be a text in the form of a domain type.
    pub(super) fn formed<T: TryFrom<String> + Into<String>>(&self, name: &'static str) -> Result<String, Reason> {
        T::try_from(self.text(name)?.to_owned()).map(Into::into).map_err(|_| Reason::Form(name))
    }

    /// A member that must be a whole number of seconds since 1970, not below 0.
    pub(super) fn seconds(&self, name: &'static str) -> Result<i64, Reason> {
        let value = self.0.get(name).ok_or(Reason::Missing(name))?;
        value.as_i64().filter(|seconds| *seconds >= 0).ok_or(Reason::Form(name))
    }

    /// As [`Self::seconds`], but a fraction is passed over: others may send one (RFC 7519 §2).
    pub(super) fn moment(&self, name: &'static str) -> Result<i64, Reason> {
        let value = self.0.get(name).ok_or(Reason::Missing(name))?;
        let whole = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let seconds = value.as_i64().or_else(|| whole.and_then(|time| i64::try_from(time.as_secs()).ok()));
        seconds.filter(|seconds| *seconds >= 0).ok_or(Reason::Form(name))
    }
}

/// Members as they stand in the text; serde's own maps keep the last of equal names without a word.
struct Listed(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ListedVisitor)
    }
}

struct ListedVisitor;

impl<'de> Visitor<'de> for ListedVisitor {
    type Value = Listed;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Listed(members))
    }
}
