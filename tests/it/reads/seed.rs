//! Many vendors and a long history by statements of both databases: what the product's own path would take hours to make.
//!
//! Rows are as the store writes them, so that everything can be read; nothing here tells a person's data.

use tidegate::domain::Instant;

/// How much there is to be.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub vendors: u64,
    pub entries: u64,
}

/// The id that the seed gives to a noun: `kind` tells nouns apart.
pub fn id(kind: u32, number: u64) -> String {
    format!("0190a0b0-{kind:04}-7000-8000-{number:012}")
}

fn id_sql(kind: u32, number: &str) -> String {
    format!("('0190a0b0-{kind:04}-7000-8000-' || substr(CAST(1000000000000 + ({number}) AS TEXT), 2))")
}

/// The numbers from one to another, as `n(i)`.
fn series(first: u64, last: u64) -> String {
    format!("WITH RECURSIVE n(i) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {last})")
}

/// Entries of the history that one statement makes: a longer one would fill the disk with what it could undo.
const CHUNK: u64 = 50_000;

/// Statements that fill an empty database, each to be carried out by itself. Half of the history lies within a day.
pub fn statements(size: Size, postgres: bool, now: Instant) -> Vec<String> {
    let mut statements = vec![people(now)];
    statements.extend(nouns(size.vendors, postgres, now));
    if size.entries > 0 {
        statements.extend(history(size, postgres, now));
    }
    // As after a while of running: PostgreSQL looks at its tables by itself, SQLite does not.
    statements.extend(postgres.then(|| "ANALYZE".to_owned()));
    statements
}

fn people(now: Instant) -> String {
    let rows: Vec<String> = (1..=5)
        .map(|at| format!("('{}', 'person{at}@example.org', 'Person {at}', 'vendor_manager', 'x', {}, NULL, 1)", id(1, at), now.micros()))
        .collect();
    format!("INSERT INTO people (id, email, name, role, password_hash, created_at, disabled_at, version) VALUES {}", rows.join(", "))
}

fn nouns(vendors: u64, postgres: bool, now: Instant) -> Vec<String> {
    let at = now.micros();
    let day = 86_400_000_000_i64;
    let yes = if postgres { "true" } else { "1" };
    let no = if postgres { "false" } else { "0" };
    let bool_of = |condition: &str| if postgres { format!("({condition})") } else { format!("CASE WHEN {condition} THEN 1 ELSE 0 END") };
    let (vendor, owner) = (id_sql(2, "i"), id_sql(1, "1 + i % 5"));
    let by = id(1, 1);
    let lasts = now.plus_days(400);
    let series = series(1, vendors);
    let from_series = "FROM n";
    vec![
        format!(
            "INSERT INTO vendors (id, legal_name, name_key, trade_name, country, address, role, tier, tier_note, owner, contacts, \
             data_locations, lifecycle, lifecycle_since, created_at, updated_at, version, review_until) {series} \
             SELECT {vendor}, 'Vendor ' || CAST((i * 7919) % 1000003 AS TEXT) || ' Ltd', 'vendor ' || CAST((i * 7919) % 1000003 AS TEXT) || ' ltd', \
             NULL, CASE i % 3 WHEN 0 THEN 'DE' WHEN 1 THEN 'FR' ELSE 'US' END, 'A street 1, a town', 'processor', \
             CASE i % 4 WHEN 0 THEN 'critical' WHEN 1 THEN 'important' WHEN 2 THEN 'standard' ELSE 'low' END, NULL, {owner}, \
             '[{{\"name\":\"Kim\",\"email\":\"kim@example.org\",\"about\":\"privacy\"}}]', '[\"DE\"]', \
             CASE WHEN i % 20 = 0 THEN 'intake' WHEN i % 20 = 1 THEN 'triage' WHEN i % 20 = 2 THEN 'approved' WHEN i % 20 = 3 THEN 'retired' ELSE 'active' END, \
             {at} - i * 1000, {at} - i * 1000, {at}, 1, CASE WHEN i % 20 < 4 THEN NULL ELSE {at} + ((i % 800) - 50) * {day} END {from_series}"
        ),
        format!(
            "INSERT INTO assessments (id, vendor, kind, template, status, open, decided_at, questionnaire, answers, score, opened_by, opened_at, version, state) {series} \
             SELECT {}, {vendor}, 'security', 'security', '{{\"status\":\"decided\",\"verdict\":\"approved\",\"rationale\":\"fine\",\"conditions\":[],\"by\":\"{by}\",\"at\":\"{now}\",\"valid_until\":\"{lasts}\"}}', \
             {no}, {at}, NULL, '{{}}', NULL, '{by}', {at}, 1, 'decided' {from_series}",
            id_sql(3, "i")
        ),
        format!(
            "INSERT INTO assessments (id, vendor, kind, template, status, open, decided_at, questionnaire, answers, score, opened_by, opened_at, version, state) {series} \
             SELECT {}, {vendor}, 'privacy', 'security', '{{\"status\":\"submitted\",\"by\":\"{by}\",\"at\":\"{now}\"}}', \
             {yes}, NULL, NULL, '{{}}', NULL, '{by}', {at}, 1, 'submitted' {from_series} WHERE i % 5 = 0",
            id_sql(4, "i")
        ),
        format!(
            "INSERT INTO evidence (id, vendor, name, kind, issued, expires, mandatory, sha256, bytes, uploaded_by, uploaded_at, accepted_by) {series} \
             SELECT {}, {vendor}, 'report.pdf', 'iso27001', '2026-01-01', CASE i % 3 WHEN 0 THEN '{}' WHEN 1 THEN '{}' ELSE '{}' END, {}, '{}', 5, '{by}', {at}, '{by}' {from_series}",
            id_sql(5, "i"),
            now.plus_days(10).date(),
            now.plus_days(-10).date(),
            lasts.date(),
            bool_of("i % 6 < 3"),
            "a".repeat(64)
        ),
        format!(
            "INSERT INTO agreements (id, vendor, reference, kind, created_at, ended_at, version) {series} \
             SELECT {}, {vendor}, 'dpa-' || CAST(i AS TEXT), 'processor', {at}, NULL, 1 {from_series}",
            id_sql(6, "i")
        ),
        format!(
            "INSERT INTO agreement_versions (agreement, number, terms, status, signed_from, document, author, authors, approver, comment, signatures, created_at, version, state, signed_until) {series} \
             SELECT {}, 1, '{{}}', \
             CASE i % 10 WHEN 0 THEN '{{\"status\":\"draft\"}}' WHEN 1 THEN '{{\"status\":\"in_review\",\"at\":\"{now}\"}}' WHEN 2 THEN '{{\"status\":\"approved\",\"at\":\"{now}\"}}' \
             WHEN 3 THEN '{{\"status\":\"signed\",\"from\":\"{now}\",\"until\":\"{}\"}}' ELSE '{{\"status\":\"signed\",\"from\":\"{now}\",\"until\":null}}' END, \
             CASE WHEN i % 10 < 3 THEN NULL ELSE {at} END, NULL, '{by}', '[\"{by}\"]', NULL, NULL, '[]', {at}, 1, \
             CASE i % 10 WHEN 0 THEN 'draft' WHEN 1 THEN 'in_review' WHEN 2 THEN 'approved' ELSE 'signed' END, \
             CASE WHEN i % 10 = 3 THEN {} ELSE NULL END {from_series}",
            id_sql(6, "i"),
            now.plus_days(20),
            now.plus_days(20).micros()
        ),
        format!(
            "INSERT INTO permits (key, agreement, vendor, paused_at, ended_at, version) {series} \
             SELECT 'permit-' || CAST(i AS TEXT), {}, {vendor}, CASE WHEN i % 50 = 4 THEN {at} ELSE NULL END, NULL, 1 {from_series}",
            id_sql(6, "i")
        ),
        format!(
            "INSERT INTO permit_revisions (permit, number, agreement_version, dataset, terms, status, policy, author, authors, approver, created_at, in_force_at) {series} \
             SELECT 'permit-' || CAST(i AS TEXT), 1, 1, 'customers', '{{\"dataset\":\"customers\",\"purpose\":\"service-usage-analytics\",\"legal_basis\":\"contract\",\"fields\":{{}},\"daily_rows\":1000}}', \
             CASE WHEN i % 40 = 5 THEN 'proposed' ELSE 'in_force' END, NULL, '{by}', '[\"{by}\"]', NULL, {at}, CASE WHEN i % 40 = 5 THEN NULL ELSE {at} END {from_series}"
        ),
        format!(
            "INSERT INTO clients (id, vendor, name, permits, secret_digest, created_at, revoked_at, version) {series} \
             SELECT {}, {vendor}, 'machine ' || CAST(i AS TEXT), NULL, '{}', {at}, NULL, 1 {from_series}",
            id_sql(7, "i"),
            "b".repeat(64)
        ),
        format!(
            "INSERT INTO tokens (id, client, vendor, scope, issued_at, expires_at, revoked_at) {series} \
             SELECT {}, {}, {vendor}, '[\"permit-' || CAST(i AS TEXT) || '\"]', {at}, {}, NULL {from_series}",
            id_sql(8, "i"),
            id_sql(7, "i"),
            now.plus_seconds(3_600).micros()
        ),
    ]
}

/// Of 20 entries 15 are pages; one each is a refusal, an act, the end of a stream, and two begin one.
fn history(size: Size, postgres: bool, now: Instant) -> Vec<String> {
    let Size { vendors, entries } = size;
    // A prime step spreads vendors over the history; the last entry is the newest. 30 days lie between the ends.
    let number = format!("(1 + (i * 7919) % {vendors})");
    let (vendor, client, actor) = (id_sql(2, &number), id_sql(7, &number), id(1, 2));
    let kind = "CASE i % 20 WHEN 0 THEN 'refusal' WHEN 1 THEN 'act' WHEN 2 THEN 'closed' WHEN 3 THEN 'opened' WHEN 4 THEN 'opened' ELSE 'release' END";
    let outcome = "CASE i % 20 WHEN 0 THEN 'refused' WHEN 1 THEN 'edit' WHEN 2 THEN 'released' WHEN 3 THEN 'opened' WHEN 4 THEN 'opened' ELSE 'released' END";
    let gate = "CASE WHEN i % 20 <> 0 THEN NULL WHEN i % 60 = 0 THEN 'quota' ELSE 'vendor' END";
    let fields = "\"fields\":[\"id\",\"city\",\"born\",\"score\",\"spent\"],\"segments\":[\"".to_owned() + &"c".repeat(64) + "\"]";
    let leaf = format!(
        "'{{\"kind\":\"' || k || '\",\"v\":1,\"blind\":\"{blind}\",\"ledger\":\"{blind}\",\"content\":\"{blind}\",\"request\":\"0190a0b0-0000-7000-8000-000000000000\",{fields},' || \
         CASE k WHEN 'act' THEN '\"noun\":\"vendor\",\"act\":\"edit\",\"id\":\"' || v || '\",\"actor\":\"{actor}\",\"facts\":{{\"role\":\"processor\",\"tier\":\"low\"}}' \
         WHEN 'refusal' THEN '\"gate\":\"vendor\",\"count\":1' ELSE '\"rows\":100,\"bytes\":5000,\"subjects\":100' END || \
         ',\"vendor\":\"' || v || '\",\"client\":\"' || c || '\",\"permit\":\"' || p || '\",\"dataset\":\"customers\",\"purpose\":\"service-usage-analytics\"}}'",
        blind = "d".repeat(64)
    );
    let bytes = if postgres { format!("convert_to({leaf}, 'UTF8')") } else { format!("CAST({leaf} AS BLOB)") };
    let step = 30 * 86_400_000_000_i64 / i64::try_from(entries).unwrap_or(i64::MAX).max(1);
    let insert = |first: u64| {
        format!(
            "INSERT INTO history_entries (order_no, position, at, kind, hash, bytes, noun, vendor, client, permit, dataset, purpose, outcome, gate, person, release_id) {} \
         SELECT i - 1, i - 1, {} - ({entries} - i) * {step}, k, substr(CAST(1000000000000 + i AS TEXT), 2), {bytes}, CASE k WHEN 'act' THEN 'vendor' ELSE NULL END, v, \
         CASE k WHEN 'act' THEN NULL ELSE c END, CASE k WHEN 'act' THEN NULL ELSE p END, CASE k WHEN 'act' THEN NULL ELSE 'customers' END, \
         CASE k WHEN 'act' THEN NULL ELSE 'service-usage-analytics' END, o, g, CASE k WHEN 'act' THEN '{actor}' ELSE NULL END, \
         CASE WHEN k IN ('act', 'refusal') THEN NULL ELSE {} END \
         FROM (SELECT i, {kind} AS k, {outcome} AS o, {gate} AS g, {vendor} AS v, {client} AS c, 'permit-' || CAST({number} AS TEXT) AS p FROM n) AS e",
            series(first, entries.min(first + CHUNK - 1)),
            now.micros(),
            id_sql(9, "i"),
        )
    };
    let mut statements: Vec<String> = (0..entries.div_ceil(CHUNK)).map(|at| insert(at * CHUNK + 1)).collect();
    statements.extend([
        "INSERT INTO history_hours (hour, kind, entries, first_position, last_position) \
         SELECT at / 3600000000, kind, count(*), min(position), max(position) FROM history_entries GROUP BY at / 3600000000, kind"
            .to_owned(),
        format!("UPDATE history_head SET size = {entries} WHERE id = 1"),
    ]);
    if postgres {
        statements.push(format!("SELECT setval('history_order', {entries})"));
    }
    statements
}
