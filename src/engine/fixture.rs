//! Plans for tests, made by the policy itself: tables in the three kinds of file, a permit on them, and what came out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::encode::{Encoder, Format};
use super::sample::{SampleColumn, SampleTable, SampleValues, write_parquet, write_sqlite};
use super::{Engine, EngineError, Released, ReleasedStream, Secrets, Settings, Window};
use crate::domain::agreement::{AgreementTerms, AgreementVersion, VersionStatus};
use crate::domain::assessment::{Assessment, AssessmentKind, AssessmentStatus, Decision, Verdict};
use crate::domain::client::{Authentication, Binding, Client, Token, TokenKind};
use crate::domain::condition::{Clause, Condition, Operator, Part};
use crate::domain::dataset::{Dataset, Field, FieldClass, LogicalType, Source, SourceLocation, SubjectMapping};
use crate::domain::hierarchy::Hierarchy;
use crate::domain::permit::{LegalBasis, Permit, PermitTerms, Revision, RevisionStatus};
use crate::domain::text::{Digest, FieldName};
use crate::domain::time::Instant;
use crate::domain::treatment::Treatment;
use crate::domain::vendor::{Lifecycle, Tier, Vendor, VendorProfile, VendorRole};
use crate::domain::vocabulary::Vocabulary;
use crate::policy::release::{Asked, LiveState, NoPlan, Order, ReleasePlan, compile};

/// A source without a secret.
pub(super) fn open_to_all(location: &SourceLocation) -> super::Access {
    super::Access { location: location.clone(), secret: None }
}

/// The table's name in every kind of file.
pub(super) const TABLE: &str = "people";

/// A field, how it is compared, and with what.
pub(super) type Compared = (String, Operator, Vec<String>);

fn compared(field: &str, operator: Operator, values: &[&str]) -> Compared {
    (field.to_owned(), operator, values.iter().map(|value| (*value).to_owned()).collect())
}

/// A permit on one table, to be changed at will before it is compiled.
#[derive(Clone)]
pub(super) struct Permitted {
    pub(super) location: SourceLocation,
    pub(super) table: String,
    /// Name, type and treatment; none withholds. The first is the subject's.
    pub(super) fields: Vec<(String, LogicalType, Option<Treatment>)>,
    pub(super) condition: Vec<Vec<Compared>>,
    pub(super) asked: Asked,
    /// The last digits of the agreement's id, the revision's number, and the digit that its policy's digest is made of.
    pub(super) under: (u8, i32, char),
}

impl Permitted {
    pub(super) fn new(location: SourceLocation, fields: &[(&str, LogicalType, Option<Treatment>)]) -> Self {
        let fields = fields.iter().map(|(name, logical, treatment)| ((*name).to_owned(), *logical, treatment.clone())).collect();
        Self { location, table: TABLE.to_owned(), fields, condition: Vec::new(), asked: Asked::default(), under: (3, 1, '0') }
    }

    pub(super) fn condition(mut self, field: &str, operator: Operator, values: &[&str]) -> Self {
        self.condition.push(vec![compared(field, operator, values)]);
        self
    }

    /// A part of the condition of which one comparison must hold.
    pub(super) fn either(mut self, alternatives: &[(&str, Operator, &[&str])]) -> Self {
        self.condition.push(alternatives.iter().map(|(field, operator, values)| compared(field, *operator, values)).collect());
        self
    }

    pub(super) fn filter(mut self, field: &str, operator: Operator, values: &[&str]) -> Self {
        self.asked.filter.push(compared(field, operator, values));
        self
    }

    pub(super) fn order(mut self, field: &str, descending: bool) -> Self {
        self.asked.order.push(Order { field: field.to_owned(), descending, nulls_first: descending });
        self
    }

    pub(super) fn select(mut self, fields: &[&str]) -> Self {
        self.asked.select = Some(fields.iter().map(|field| (*field).to_owned()).collect());
        self
    }

    /// What the policy makes of it.
    pub(super) fn compile(&self) -> Result<Arc<ReleasePlan>, NoPlan> {
        compile(&self.state(), &self.asked, instant("2026-07-01T08:00:00Z")).map(Arc::new)
    }

    fn state(&self) -> LiveState {
        let dataset = self.dataset();
        let vendor = vendor();
        let terms = self.terms();
        let (past, future) = (instant("2026-01-01T00:00:00Z"), instant("2027-01-01T00:00:00Z"));
        let purpose = Vocabulary::shipped().purpose(&terms.purpose).cloned();
        LiveState {
            token: Arc::new(Token {
                id: id(5),
                kind: TokenKind::Access,
                bound_to: None,
                client: id(4),
                vendor: id(1),
                scope: vec!["pull".parse().unwrap()],
                issued_at: past,
                expires_at: future,
                revoked_at: None,
            }),
            client: Arc::new(Client {
                id: id(4),
                vendor: id(1),
                name: "machine".parse().unwrap(),
                permits: None,
                addresses: Vec::new(),
                authentication: Authentication::Secret,
                dpop: Binding::Optional,
                created_at: past,
                revoked_at: None,
                old_secret_until: None,
                version: 1,
            }),
            vendor: Arc::new(vendor),
            assessment: Some(Arc::new(assessment(past, future))),
            mandatory_evidence: Arc::default(),
            agreement: Some(Arc::new(agreement(&terms, self.under.0, past))),
            successor_from: None,
            permit: Permit {
                key: "pull".parse().unwrap(),
                agreement: id(self.under.0),
                vendor: id(1),
                paused_at: None,
                ended_at: None,
                version: 1,
            },
            revision: Some(Revision {
                permit: "pull".parse().unwrap(),
                number: self.under.1,
                agreement_version: 1,
                terms,
                status: RevisionStatus::InForce,
                policy: Some(Digest::try_from(self.under.2.to_string().repeat(64)).unwrap()),
                author: id(8),
                authors: Default::default(),
                approver: None,
                created_at: past,
                in_force_at: Some(past),
                version: 1,
            }),
            next_revision_from: None,
            consent_recorded: false,
            purpose,
            dataset: Arc::new(dataset),
            source: Arc::new(Source {
                id: id(6),
                name: "files".parse().unwrap(),
                location: self.location.clone(),
                created_at: past,
                version: 1,
            }),
        }
    }

    fn dataset(&self) -> Dataset {
        let field = |(name, logical, _): &(String, LogicalType, Option<Treatment>)| Field {
            name: name.parse().unwrap(),
            logical: *logical,
            class: FieldClass::Plain,
            category: "account".parse().unwrap(),
            description: None,
            advice: None,
        };
        Dataset {
            id: id(7),
            name: "people".parse().unwrap(),
            source: id(6),
            table: self.table.parse().unwrap(),
            fields: self.fields.iter().map(field).collect(),
            subject: SubjectMapping { field: self.fields[0].0.parse().unwrap(), domain: "customer".parse().unwrap() },
            created_at: instant("2026-01-01T00:00:00Z"),
            version: 1,
        }
    }

    fn terms(&self) -> PermitTerms {
        let treated = self.fields.iter().filter_map(|(name, _, treatment)| Some((name.parse().unwrap(), treatment.clone()?)));
        let clause = |(field, op, values): &Compared| Clause { field: field.parse().unwrap(), op: *op, values: values.clone() };
        let part = |alternatives: &Vec<Compared>| match alternatives.as_slice() {
            [one] => Part::Clause(clause(one)),
            many => Part::Any { any: many.iter().map(clause).collect() },
        };
        PermitTerms {
            dataset: "people".parse().unwrap(),
            purpose: "customer-care".parse().unwrap(),
            legal_basis: LegalBasis::Contract,
            instruction: None,
            fields: treated.collect(),
            condition: Condition { all: self.condition.iter().map(part).collect() },
            daily_rows: 1_000_000,
            daily_subjects: None,
            requests_per_minute: None,
            open_hours: None,
            starts_on: None,
            ends_on: None,
        }
    }
}

fn vendor() -> Vendor {
    let past = instant("2026-01-01T00:00:00Z");
    let profile = VendorProfile {
        legal_name: "Acme".parse().unwrap(),
        trade_name: None,
        country: "DE".parse().unwrap(),
        address: None,
        role: VendorRole::Processor,
        tier: Tier::Standard,
        tier_note: None,
        owner: id(8),
        contacts: Vec::new(),
        data_locations: Vec::new(),
    };
    Vendor { id: id(1), profile, lifecycle: Lifecycle::Active, lifecycle_since: past, created_at: past, updated_at: past, version: 1 }
}

fn assessment(past: Instant, future: Instant) -> Assessment {
    let decision = Decision {
        verdict: Verdict::Approved,
        rationale: "good".parse().unwrap(),
        conditions: Vec::new(),
        by: id(9),
        at: past,
        valid_until: Some(future),
    };
    Assessment {
        id: id(2),
        vendor: id(1),
        kind: AssessmentKind::Security,
        template: "security".parse().unwrap(),
        status: AssessmentStatus::Decided(decision),
        questionnaire: None,
        answers: Default::default(),
        score: None,
        opened_by: id(8),
        opened_at: past,
        version: 1,
    }
}

fn agreement(terms: &PermitTerms, number: u8, past: Instant) -> AgreementVersion {
    let signed = AgreementTerms {
        purposes: [terms.purpose.clone()].into(),
        data_categories: ["account".parse().unwrap()].into(),
        ..AgreementTerms::default()
    };
    AgreementVersion {
        agreement: id(number),
        number: 1,
        terms: signed,
        status: VersionStatus::Signed { from: past, until: None },
        document: None,
        author: id(8),
        authors: Default::default(),
        approver: None,
        comment: None,
        signatures: Vec::new(),
        created_at: past,
        version: 1,
    }
}

fn id<Id: TryFrom<String>>(number: u8) -> Id
where
    Id::Error: std::fmt::Debug,
{
    Id::try_from(format!("00000000-0000-7000-8000-0000000000{number:02}")).unwrap()
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Parquet,
    Sqlite,
    Ndjson,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Csv, Self::Parquet, Self::Sqlite, Self::Ndjson];
}

/// Writes the table below a root and says where it lies.
pub(super) fn write(root: &Path, kind: Kind, columns: &[SampleColumn]) -> SourceLocation {
    match kind {
        Kind::Csv => {
            std::fs::write(root.join("people.csv"), csv(columns)).unwrap();
            SourceLocation::Csv { path: "people.csv".parse().unwrap(), delimiter: ',', store: None }
        }
        Kind::Ndjson => {
            std::fs::write(root.join("people.ndjson"), ndjson(columns)).unwrap();
            SourceLocation::Ndjson { path: "people.ndjson".parse().unwrap(), store: None }
        }
        Kind::Parquet => {
            write_parquet(&root.join("people.parquet"), columns).unwrap();
            SourceLocation::Parquet { path: "people.parquet".parse().unwrap(), store: None }
        }
        Kind::Sqlite => {
            let table = SampleTable { name: TABLE, columns: columns.to_vec() };
            write_sqlite(&root.join("people.sqlite"), &[table]).unwrap();
            SourceLocation::Sqlite { path: "people.sqlite".parse().unwrap() }
        }
    }
}

fn csv(columns: &[SampleColumn]) -> String {
    let rows = columns.first().map_or(0, |column| length(&column.values));
    let mut text = columns.iter().map(|column| quoted(column.name)).collect::<Vec<_>>().join(",") + "\n";
    for row in 0..rows {
        text += &columns.iter().map(|column| cell(&column.values, row)).collect::<Vec<_>>().join(",");
        text += "\n";
    }
    text
}

/// NULL by turns as `null` and as nothing at all.
fn ndjson(columns: &[SampleColumn]) -> String {
    let rows = columns.first().map_or(0, |column| length(&column.values));
    let line = |row: usize| {
        let members = columns.iter().filter_map(|column| {
            let value = match &column.values {
                SampleValues::Text(cells) => cells[row].as_ref().map(|text| serde_json::Value::from(text.as_str()).to_string()),
                SampleValues::Integer(_) | SampleValues::Number(_) | SampleValues::Boolean(_) => Some(cell(&column.values, row)),
                SampleValues::Date(_) | SampleValues::Timestamp(_) => Some(quoted(&cell(&column.values, row))),
            };
            match value.filter(|value| !value.is_empty() && value != "\"\"") {
                None if row.is_multiple_of(2) => None,
                None => Some(format!("{}: null", serde_json::Value::from(column.name))),
                Some(value) => Some(format!("{}: {value}", serde_json::Value::from(column.name))),
            }
        });
        format!("{{{}}}\n", members.collect::<Vec<_>>().join(","))
    };
    (0..rows).map(line).collect()
}

fn length(values: &SampleValues) -> usize {
    match values {
        SampleValues::Text(cells) => cells.len(),
        SampleValues::Integer(cells) => cells.len(),
        SampleValues::Number(cells) => cells.len(),
        SampleValues::Boolean(cells) => cells.len(),
        SampleValues::Date(cells) => cells.len(),
        SampleValues::Timestamp(cells) => cells.len(),
    }
}

fn cell(values: &SampleValues, row: usize) -> String {
    fn shown<Value: ToString>(cell: &Option<Value>) -> String {
        cell.as_ref().map(ToString::to_string).unwrap_or_default()
    }
    match values {
        SampleValues::Text(cells) => cells[row].as_deref().map(quoted).unwrap_or_default(),
        SampleValues::Integer(cells) => shown(&cells[row]),
        SampleValues::Number(cells) => shown(&cells[row]),
        SampleValues::Boolean(cells) => shown(&cells[row]),
        SampleValues::Date(cells) => shown(&cells[row]),
        SampleValues::Timestamp(cells) => shown(&cells[row]),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

pub(super) fn engine(root: &Path) -> Engine {
    engine_with(root, 64 << 20, None)
}

/// An engine that may hold that much in sorts.
pub(super) fn engine_with(root: &Path, memory_bytes: usize, spill: Option<&Path>) -> Engine {
    let (spill, kept_bytes, settled) = (spill.map(Path::to_owned), memory_bytes / 8, Duration::ZERO);
    Engine::new(Settings { roots: vec![root.to_owned()], uploads: None, spill, threads: 2, memory_bytes, kept_bytes, settled }).unwrap()
}

/// An engine that may keep that much of pages, of sources that stood for so long.
pub(super) fn engine_that_keeps(root: &Path, kept_bytes: usize, settled: Duration) -> Engine {
    let roots = vec![root.to_owned()];
    Engine::new(Settings { roots, uploads: None, spill: None, threads: 2, memory_bytes: 64 << 20, kept_bytes, settled }).unwrap()
}

/// Two versions of one hierarchy.
const TOWNS: &str = "Ulm;South;Germany\nZürich;North;Switzerland\n7;seven;few\n";
const OTHER_TOWNS: &str = "Ulm;Swabia;EU\nZürich;Zurich;Alps\n7;VII;few\n";

/// Keys that all bytes of which are `byte`, for the domains that the tests use.
pub(super) fn secrets(byte: u8) -> Secrets {
    let domains = ["customer", "people.name", "people.age", "other"];
    let labels = ["pseudonym", "token", "shift", "noise"].map(|kind| domains.map(|domain| (format!("{kind}|1|{domain}"), [byte; 32])));
    let towns = [(("towns".parse().unwrap(), 1), TOWNS), (("towns".parse().unwrap(), 2), OTHER_TOWNS)];
    let read = |file: &str| Arc::new(Hierarchy::read(file.as_bytes()).unwrap());
    let hierarchies = towns.into_iter().map(|(key, file)| (key, read(file))).collect();
    Secrets { treatment: labels.into_iter().flatten().collect(), hierarchies, ledger: [9; 32], source: None }
}

/// What came out of a release.
pub(super) struct Out {
    pub(super) text: String,
    pub(super) subjects: Vec<u64>,
    pub(super) withheld: BTreeMap<FieldName, u64>,
}

/// Opens, reads to the end and encodes as NDJSON.
pub(super) async fn release(engine: &Engine, permitted: &Permitted, window: Window) -> Result<Out, EngineError> {
    let stream = engine.open(permitted.compile().unwrap(), secrets(1), window, None).await?;
    read(stream, Format::Ndjson).await
}

/// Reads a stream to its end.
pub(super) async fn read(mut stream: ReleasedStream, format: Format) -> Result<Out, EngineError> {
    let mut encoder = Encoder::new(format.into(), stream.columns())?;
    let mut bytes = encoder.header();
    let mut subjects = Vec::new();
    let mut withheld: BTreeMap<FieldName, u64> = BTreeMap::new();
    while let Some(rows) = stream.next().await {
        let rows: Released = rows?;
        bytes.extend(encoder.encode(std::slice::from_ref(&rows))?);
        subjects.extend_from_slice(rows.subjects());
        for (field, count) in rows.withheld() {
            *withheld.entry(field).or_default() += count;
        }
    }
    Ok(Out { text: String::from_utf8(bytes).unwrap(), subjects, withheld })
}
