//! One sentence for each act that the code writes; a test reads the code for acts that have none.
//!
//! `{name}` stands for a part: `actor`, a noun, a fact, `from`, `to` or a date of the act. What stands in `[…]` is left
//! out when one of its parts is missing.

/// Noun, act and sentence.
pub const SENTENCES: &[(&str, &str, &str)] = &[
    ("vendor", "register", "{actor} registered {vendor}[ as {role}][, tier {tier}]"),
    ("vendor", "edit", "{actor} changed what is stated of {vendor}[: {role}, tier {tier}]"),
    ("vendor", "triage", "{actor} took {vendor} into triage"),
    ("vendor", "begin-due-diligence", "{actor} began due diligence on {vendor}"),
    ("vendor", "activate", "{actor} activated {vendor}"),
    ("vendor", "suspend", "{actor} suspended {vendor}: every release to it stopped"),
    ("vendor", "reinstate", "{actor} reinstated {vendor}"),
    ("vendor", "offboard", "{actor} began offboarding {vendor}"),
    ("vendor", "retire", "{actor} retired {vendor} for good"),
    ("vendor", "decide", "{vendor} moved from {from} to {to} by a decision of {actor}"),
    ("assessment", "open", "{actor} opened a {kind} assessment of {vendor}"),
    ("assessment", "send", "{actor} sent the questions of a {kind} assessment of {vendor}"),
    ("assessment", "answer", "{actor} saved answers in a {kind} assessment of {vendor}"),
    ("assessment", "submit", "{actor} submitted the answers of a {kind} assessment of {vendor}"),
    ("assessment", "review", "{actor} took a {kind} assessment of {vendor} into review"),
    ("assessment", "cancel", "{actor} cancelled a {kind} assessment of {vendor}"),
    ("assessment", "decide", "{actor} decided a {kind} assessment of {vendor}: {to}[, valid until {valid_until}]"),
    ("evidence", "add", "{actor} handed in evidence of {vendor} ({type})[, issued {issued}][, expiring {expires}]"),
    ("evidence", "accept", "{actor} accepted evidence of {vendor} ({type})"),
    ("agreement", "draft", "{actor} drafted {agreement} with {vendor}"),
    ("agreement", "edit", "{actor} changed the terms of version {version} of {agreement}"),
    ("agreement", "attach", "{actor} attached a document to version {version} of {agreement}"),
    ("agreement", "submit", "{actor} submitted version {version} of {agreement} for approval"),
    ("agreement", "approve", "{actor} approved version {version} of {agreement}[; author was {author}]"),
    ("agreement", "hand_back", "{actor} handed version {version} of {agreement} back"),
    ("agreement", "sign", "{actor} recorded a signature on version {version} of {agreement}[; it stands from {from_date}][ until {until}]"),
    ("agreement", "discard", "{actor} gave up version {version} of {agreement}"),
    ("agreement", "amend", "{actor} began version {version} of {agreement}"),
    ("agreement", "end", "{actor} ended {agreement} with {vendor}: every release on it stopped"),
    ("agreement", "destroy_key", "{actor} destroyed the key under the pseudonyms of {agreement}"),
    ("permit", "write", "{actor} wrote {permit}[ on {dataset}]"),
    ("permit", "rewrite", "{actor} rewrote revision {revision} of {permit}"),
    ("permit", "narrow", "{actor} narrowed {permit} by revision {revision}; it acts at once"),
    ("permit", "propose_widening", "{actor} proposed to widen {permit} by revision {revision}"),
    ("permit", "approve", "{actor} approved revision {revision} of {permit}[; author was {author}]"),
    ("permit", "reject", "{actor} turned revision {revision} of {permit} down"),
    ("permit", "pause", "{actor} paused {permit}: releases on it stopped"),
    ("permit", "resume", "{actor} resumed {permit}"),
    ("permit", "reveal_tokens", "{actor} turned tokens of {field} under {permit} back into values ({tokens})"),
    ("permit", "end", "{actor} ended {permit} for good"),
    ("consent", "record", "{actor} recorded what people said: {records} records in {domain}, up to number {watermark}"),
    ("consent", "look_up", "{actor} looked up what one person of {domain} said"),
    ("client", "issue", "{actor} issued {client} to {vendor}"),
    ("client", "collect", "{client} of {vendor} collected its secret by a link, which is used up"),
    ("client", "set_authentication", "{actor} said how {client} of {vendor} proves who it is ({kind}; binding to a key: {dpop})"),
    ("client", "rotate", "{actor} gave {client} of {vendor} a new secret[, the old one is taken for {grace_seconds} seconds more]"),
    ("client", "set_addresses", "{actor} said from where {client} of {vendor} may ask ({ranges} ranges)"),
    ("client", "revoke", "{actor} revoked {client} of {vendor}: its tokens are refused"),
    ("token", "issue", "{actor} issued a plain token for {client} of {vendor}: {permits} permits, until {until}"),
    ("token", "collect", "A plain token was collected for {client} of {vendor} by a link, which is used up"),
    ("token", "revoke", "{actor} revoked a token of {client} of {vendor}"),
    ("person", "add", "{actor} added {person}[ as {role}]"),
    ("person", "change", "{actor} changed {person}: role {from} before, {to} now"),
    ("person", "disable", "{actor} disabled {person}"),
    ("person", "enable", "{actor} let {person} in again"),
    ("person", "issue_password_link", "{actor} made a link by which {person} can choose a new password"),
    ("person", "choose_password", "{person} chose a password"),
    ("person", "set_up_second_factor", "{person} set up a second factor"),
    ("person", "remove_second_factor", "{actor} removed the second factor of {person}"),
    ("api_key", "issue", "{actor} issued an API key to {person}"),
    ("api_key", "revoke", "{actor} revoked an API key of {person}"),
    ("source", "add", "{actor} added a source ({type})"),
    ("source", "set_secret", "{actor} gave a source another secret"),
    ("source", "upload", "{actor} uploaded a source[ ({type})]"),
    ("source", "view_samples", "{actor} looked at sample values of a source to catalogue it"),
    ("dataset", "confirm_drift", "{actor} confirmed how the source of {dataset} changed[; gone: {gone}][; of another type: {retyped}]"),
    ("dataset", "view_samples", "{actor} looked at sample rows of {dataset}"),
    ("dataset", "catalogue", "{actor} catalogued {dataset}"),
    ("dataset", "edit", "{actor} changed the catalogue's entry of {dataset}"),
    ("dataset", "move", "{actor} let the rows of {dataset} come from another source"),
    ("purpose", "add", "{actor} added the purpose {id} to the vocabulary"),
    ("purpose", "retire", "{actor} retired the purpose {id}: it is not offered any more"),
    ("purpose", "restore", "{actor} restored the purpose {id}: it is offered again"),
    ("category", "add", "{actor} added the data category {id} to the vocabulary"),
    ("category", "retire", "{actor} retired the data category {id}: it is not offered any more"),
    ("category", "restore", "{actor} restored the data category {id}: it is offered again"),
    ("hierarchy", "upload", "{actor} uploaded version {version} of the hierarchy {id}[, {levels} levels]"),
    ("signing_key", "make", "{actor} made a new key for signing tokens"),
    ("signing_key", "rotate", "{actor} made a new key for signing tokens, which follows the present one[; it signs from {signs_from}]"),
    ("signing_key", "revoke", "{actor} revoked a key for signing tokens: every token of it is refused"),
    ("kill_switch", "stop", "{actor} stopped everything: every release and every token of every vendor"),
    ("kill_switch", "lift", "{actor} lifted the stop of everything; tokens from before it stay refused"),
];

/// The sentence of an act.
pub fn of_act(noun: &str, act: &str) -> Option<&'static str> {
    SENTENCES.iter().find(|(known, verb, _)| *known == noun && *verb == act).map(|(_, _, sentence)| *sentence)
}

/// An act that a later version wrote.
pub const UNKNOWN_ACT: &str = "{actor} did '{act}' on {noun} {id}";

/// The sentence of an entry of another kind. A stream that was cut has its own.
pub fn of_kind(kind: &str, cut: bool) -> &'static str {
    match (kind, cut) {
        ("policy", _) => "{actor} put revision {revision} of {permit} in force[ on {dataset}][ for {purpose}]",
        ("release", _) => "{client} of {vendor} received {rows} rows of {dataset} under {permit}",
        ("opened", _) => "{client} of {vendor} began a stream of {dataset} under {permit}",
        ("closed", false) => "{client} of {vendor} received a whole stream of {dataset} under {permit}: {rows} rows",
        ("closed", true) => "A stream of {dataset} to {client} of {vendor} under {permit} was cut after {rows} rows: {cut}",
        ("refusal", _) => "{client} of {vendor} was refused at the gate {gate}[ on {dataset}][ under {permit}][, {count}]",
        _ => "An entry of a kind that this version does not know",
    }
}
