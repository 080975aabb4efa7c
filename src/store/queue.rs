//! What waits for somebody, kind by kind: a bounded part, what falls due first, and how many there are in all.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::domain::Instant;

use super::Tx;
use super::column::like;
use super::error::StoreError;
use super::raw::{Raw, number};

/// A noun that waits, with what names it. Which parts are there depends on the kind.
#[derive(QueryableByName, Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    #[diesel(sql_type = Nullable<Text>)]
    pub vendor: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub vendor_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
    /// Id of the assessment, agreement or piece of evidence; key of the permit; name of the dataset.
    #[diesel(sql_type = Text)]
    pub noun: String,
    /// What people call it: a kind, a reference, a name.
    #[diesel(sql_type = Text)]
    pub called: String,
    /// The number of the version or revision.
    #[diesel(sql_type = Nullable<Integer>)]
    pub number: Option<i32>,
    /// The agreement of a permit.
    #[diesel(sql_type = Nullable<Text>)]
    pub agreement: Option<String>,
    /// The state as it is stored, or a day.
    #[diesel(sql_type = Text)]
    pub detail: String,
    #[diesel(sql_type = BigInt)]
    pub since: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub due: Option<i64>,
    /// How many there are of this kind in all.
    #[diesel(sql_type = BigInt)]
    pub total: i64,
}

/// The most items of one kind that are read.
pub const MOST: i64 = 100;

const VENDOR: &str = "SELECT v.id AS vendor, v.legal_name AS vendor_name, v.owner AS owner,";
const NO_NUMBER: &str = "CAST(NULL AS INTEGER) AS number, CAST(NULL AS TEXT) AS agreement,";
const NO_DUE: &str = "CAST(NULL AS BIGINT) AS due, count(*) OVER () AS total";
const STANDING: &str = "('approved', 'approved_with_conditions', 'active', 'suspended')";

fn limited(raw: Raw, order: &str) -> Raw {
    raw.sql(order).sql("LIMIT").number(MOST)
}

/// Matches a list of ids, kept as JSON, in which this id stands.
pub(super) fn holds(id: &str) -> String {
    format!("%\"{}\"%", like(id))
}

/// Rounds that run, in one of the states. `but` leaves out those that a person opened or whose vendor they own.
pub fn rounds(tx: &mut Tx, states: &[&str], but: Option<&str>) -> Result<Vec<Waiting>, StoreError> {
    let mut raw = Raw::new(VENDOR)
        .sql("a.id AS noun, a.kind AS called,")
        .sql(NO_NUMBER)
        .sql("a.status AS detail, a.opened_at AS since, CASE a.kind WHEN 'security' THEN v.review_until END AS due, count(*) OVER () AS total")
        .sql("FROM assessments a JOIN vendors v ON v.id = a.vendor WHERE a.open AND a.state")
        .among(states);
    if let Some(person) = but {
        raw = raw.sql("AND a.opened_by <>").text(person).sql("AND v.owner <>").text(person);
    }
    limited(raw, "ORDER BY coalesce(CASE a.kind WHEN 'security' THEN v.review_until END, 9223372036854775807), a.id").load(tx)
}

/// Vendors in states of the lifecycle, the ones that stand there longest first.
pub fn vendors(tx: &mut Tx, states: &[&str]) -> Result<Vec<Waiting>, StoreError> {
    let raw = Raw::new(VENDOR)
        .sql("v.id AS noun, v.legal_name AS called,")
        .sql(NO_NUMBER)
        .sql("v.lifecycle AS detail, v.lifecycle_since AS since,")
        .sql(NO_DUE)
        .sql("FROM vendors v WHERE v.lifecycle")
        .among(states);
    limited(raw, "ORDER BY v.lifecycle_since, v.id").load(tx)
}

/// Vendors whose review falls due by an instant and for whom no security round runs.
pub fn reviews(tx: &mut Tx, by: Instant) -> Result<Vec<Waiting>, StoreError> {
    let raw = Raw::new(VENDOR)
        .sql("v.id AS noun, v.legal_name AS called,")
        .sql(NO_NUMBER)
        .sql("v.lifecycle AS detail, v.lifecycle_since AS since, v.review_until AS due, count(*) OVER () AS total")
        .sql("FROM vendors v WHERE v.review_until IS NOT NULL AND coalesce(v.review_until, 9223372036854775807) <=")
        .number(by.micros())
        .sql(&format!("AND v.lifecycle IN {STANDING}"))
        .sql("AND NOT EXISTS (SELECT 1 FROM assessments a WHERE a.vendor = v.id AND a.kind = 'security' AND a.open)");
    limited(raw, "ORDER BY coalesce(v.review_until, 9223372036854775807), v.id").load(tx)
}

/// Evidence that no other paper of its type outlives: what ends between two days, and mandatory papers that have ended.
pub fn papers(tx: &mut Tx, today: &str, by: &str) -> Result<Vec<Waiting>, StoreError> {
    let raw = Raw::new(VENDOR)
        .sql("e.id AS noun, e.name AS called,")
        .sql(NO_NUMBER)
        .sql("e.expires AS detail, e.uploaded_at AS since,")
        .sql(NO_DUE)
        .sql("FROM evidence e JOIN vendors v ON v.id = e.vendor WHERE e.expires IS NOT NULL AND e.expires <=")
        .text(by)
        .sql("AND (e.mandatory OR e.expires >=")
        .text(today)
        .sql(&format!(") AND v.lifecycle IN {STANDING}"))
        // A paper that nobody accepted yet does not hold a gate open.
        .sql("AND NOT EXISTS (SELECT 1 FROM evidence n WHERE n.vendor = e.vendor AND n.kind = e.kind AND n.id <> e.id")
        .sql("AND (n.expires IS NULL OR n.expires > e.expires) AND (NOT e.mandatory OR (n.mandatory AND n.accepted_by IS NOT NULL)))");
    limited(raw, "ORDER BY e.expires, e.id").load(tx)
}

const VERSIONS: &str =
    "a.id AS noun, a.reference AS called, w.number AS number, a.id AS agreement, w.status AS detail, w.created_at AS since,";
const FROM_VERSIONS: &str =
    "FROM agreement_versions w JOIN agreements a ON a.id = w.agreement JOIN vendors v ON v.id = a.vendor WHERE a.ended_at IS NULL";

/// Versions in a state. `but` leaves out those in which, or in whose permits, a person wrote.
pub fn versions(tx: &mut Tx, state: &str, but: Option<&str>) -> Result<Vec<Waiting>, StoreError> {
    let mut raw = Raw::new(VENDOR).sql(VERSIONS).sql(NO_DUE).sql(FROM_VERSIONS).sql("AND w.state =").text(state);
    if let Some(person) = but {
        raw = raw
            .sql("AND w.authors NOT LIKE")
            .text(holds(person))
            .sql("ESCAPE '\\' AND NOT EXISTS (SELECT 1 FROM permit_revisions r JOIN permits p ON p.key = r.permit")
            .sql("WHERE p.agreement = w.agreement AND r.agreement_version = w.number AND r.status = 'proposed' AND r.authors LIKE")
            .text(holds(person))
            .sql("ESCAPE '\\')");
    }
    limited(raw, "ORDER BY w.created_at, a.id, w.number").load(tx)
}

/// Signed versions that end between two instants and have no successor.
pub fn ending(tx: &mut Tx, now: Instant, by: Instant) -> Result<Vec<Waiting>, StoreError> {
    let raw = Raw::new(VENDOR)
        .sql(VERSIONS)
        .sql("w.signed_until AS due, count(*) OVER () AS total")
        .sql(FROM_VERSIONS)
        .sql("AND w.signed_until >")
        .number(now.micros())
        .sql("AND w.signed_until <=")
        .number(by.micros())
        .sql("AND NOT EXISTS (SELECT 1 FROM agreement_versions n WHERE n.agreement = w.agreement AND n.number > w.number")
        .sql("AND n.signed_from IS NOT NULL)");
    limited(raw, "ORDER BY w.signed_until, a.id").load(tx)
}

/// Proposed revisions under a signed version, which are approved by themselves. `but` leaves out what a person wrote in.
pub fn revisions(tx: &mut Tx, but: Option<&str>) -> Result<Vec<Waiting>, StoreError> {
    let mut raw = Raw::new(VENDOR)
        .sql("p.key AS noun, p.key AS called, r.number AS number, p.agreement AS agreement, r.dataset AS detail, r.created_at AS since,")
        .sql(NO_DUE)
        .sql("FROM permit_revisions r JOIN permits p ON p.key = r.permit JOIN vendors v ON v.id = p.vendor")
        .sql("JOIN agreement_versions w ON w.agreement = p.agreement AND w.number = r.agreement_version")
        .sql("WHERE r.status = 'proposed' AND p.ended_at IS NULL AND w.state = 'signed'");
    if let Some(person) = but {
        raw = raw.sql("AND r.authors NOT LIKE").text(holds(person)).sql("ESCAPE '\\'");
    }
    limited(raw, "ORDER BY r.created_at, p.key, r.number").load(tx)
}

/// Permits that are paused.
pub fn paused(tx: &mut Tx) -> Result<Vec<Waiting>, StoreError> {
    let raw = Raw::new(VENDOR)
        .sql("p.key AS noun, p.key AS called, CAST(NULL AS INTEGER) AS number, p.agreement AS agreement, '' AS detail,")
        .sql("p.paused_at AS since,")
        .sql(NO_DUE)
        .sql("FROM permits p JOIN vendors v ON v.id = p.vendor WHERE p.paused_at IS NOT NULL AND p.ended_at IS NULL");
    limited(raw, "ORDER BY p.paused_at, p.key").load(tx)
}

/// The newest refusals for drift that are looked through.
const MOST_DRIFTS: &str = "1000";

/// Datasets on which a release was refused for drift since an instant, and which nobody edited, confirmed or released from since.
pub fn drifted(tx: &mut Tx, since: Instant) -> Result<Vec<Waiting>, StoreError> {
    let raw = Raw::new("SELECT CAST(NULL AS TEXT) AS vendor, CAST(NULL AS TEXT) AS vendor_name, CAST(NULL AS TEXT) AS owner,")
        .sql("d.dataset AS noun, d.dataset AS called,")
        .sql(NO_NUMBER)
        .sql("'' AS detail, d.at AS since,")
        .sql(NO_DUE)
        .sql("FROM (SELECT c.dataset AS dataset, min(c.at) AS at, max(c.position) AS position FROM")
        .sql("(SELECT dataset, at, position FROM history_entries WHERE gate = 'dataset_drift' AND dataset IS NOT NULL")
        .sql(&format!("AND position IS NOT NULL ORDER BY position DESC LIMIT {MOST_DRIFTS}) c WHERE c.at >="))
        .number(since.micros())
        .sql("GROUP BY c.dataset) d")
        .sql("WHERE NOT EXISTS (SELECT 1 FROM history_entries n WHERE n.dataset = d.dataset AND n.position > d.position")
        .sql("AND (n.kind IN ('release', 'opened') OR (n.noun = 'dataset' AND n.outcome IN ('edit', 'confirm_drift'))))");
    limited(raw, "ORDER BY d.at, d.dataset").load(tx)
}

/// How many vendors stand where.
pub fn lifecycles(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    use super::schema::vendors;
    let counts = vendors::table.group_by(vendors::lifecycle).select((vendors::lifecycle, diesel::dsl::count_star())).load(tx.conn())?;
    Ok(counts)
}

/// Agreements of which a version is in force: the newest that has begun, and that is not over.
pub fn agreements_in_force(tx: &mut Tx, now: Instant) -> Result<i64, StoreError> {
    number(tx, in_force("SELECT count(*) AS value", now))
}

/// Permits that are not paused or ended, with a revision in force under a version in force. Days that a permit's own
/// terms set are not looked at.
pub fn permits_in_force(tx: &mut Tx, now: Instant) -> Result<i64, StoreError> {
    let raw = Raw::new("SELECT count(*) AS value FROM permits p WHERE p.paused_at IS NULL AND p.ended_at IS NULL")
        .sql("AND EXISTS (SELECT 1 FROM permit_revisions r WHERE r.permit = p.key AND r.status = 'in_force' AND r.in_force_at <=")
        .number(now.micros())
        .sql(") AND p.agreement IN (");
    let raw = in_force_onto(raw.sql("SELECT w.agreement"), now);
    number(tx, raw.sql(")"))
}

fn in_force(select: &str, now: Instant) -> Raw {
    in_force_onto(Raw::new(select), now)
}

fn in_force_onto(raw: Raw, now: Instant) -> Raw {
    raw.sql("FROM agreement_versions w JOIN agreements a ON a.id = w.agreement WHERE a.ended_at IS NULL AND w.signed_from IS NOT NULL")
        .sql("AND w.signed_from <=")
        .number(now.micros())
        .sql("AND (w.signed_until IS NULL OR w.signed_until >")
        .number(now.micros())
        .sql(") AND NOT EXISTS (SELECT 1 FROM agreement_versions n WHERE n.agreement = w.agreement AND n.number > w.number")
        .sql("AND n.signed_from IS NOT NULL AND n.signed_from <=")
        .number(now.micros())
        .sql(")")
}
