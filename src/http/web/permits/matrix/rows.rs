//! The rows of the matrix as they are shown, the bulk change, and what saving would do.

use std::collections::{BTreeMap, HashMap};

use crate::app::permits;
use crate::domain::Invalid;
use crate::domain::agreement::VersionStatus;
use crate::domain::dataset::{Dataset, Field, FieldClass};
use crate::domain::hierarchy::{HierarchyVersion, key_of};
use crate::domain::permit::PermitTerms;
use crate::domain::treatment::Treatment;
use crate::http::web::agreements::clauses::capital;
use crate::http::web::form::Typed;
use crate::http::web::parts::{Choice, DiffRow, alone};
use crate::http::web::{shown, words as said};
use crate::policy::diff;
use crate::policy::{matrix, words};

use super::super::draft::{self, Draft, clause_rows};
use super::super::samples::{Sample, Samples};
use super::super::treatments::{self, Input, Row, Values};
use super::desk::{Desk, Whose};

/// A field and what happens to it.
pub struct RowView {
    pub at: usize,
    pub name: String,
    /// Type and category.
    pub about: String,
    pub class: FieldClass,
    /// Whether the agreement names its category.
    pub signed: bool,
    pub subject: bool,
    pub kinds: Vec<Choice>,
    pub kind: String,
    /// Of which form the settings are.
    pub shape: String,
    /// Whether the page shows settings of another form yet.
    pub fresh: bool,
    pub settings: Vec<SettingView>,
    /// What the chosen treatment does.
    pub help: &'static str,
    pub picked: bool,
    pub error: String,
    pub warning: String,
    /// What is in force, where it differs.
    pub now: String,
    pub samples: Vec<Sample>,
}

/// A setting of a treatment.
pub struct SettingView {
    pub name: String,
    pub label: &'static str,
    /// `number`, `text`, `date`, `tick` or `choice`.
    pub input: &'static str,
    pub options: Vec<Choice>,
    pub value: String,
    pub error: String,
}

/// A row of the condition.
pub struct ClauseView {
    pub at: usize,
    pub number: usize,
    /// `and` or `or`, by which it is joined to the one before it; empty for the first.
    pub joined: &'static str,
    pub field: String,
    pub op: String,
    pub values: String,
    pub error: String,
    pub operators: Vec<Choice>,
}

/// What saving would do.
#[derive(Default)]
pub struct Foreseen {
    pub said: String,
    /// `at-once`, `waits`, `none` or `unclear`, for the style sheet.
    pub tone: &'static str,
    pub summary: String,
    pub rows: Vec<DiffRow>,
    /// Direct identifiers that would go out as they are.
    pub clear: Vec<String>,
}

/// The rows, in the order of the dataset.
pub fn rows(desk: &Desk, typed: &Typed, errors: &[Invalid], samples: &Samples) -> Vec<RowView> {
    let values = Values::of(typed);
    let signed: HashMap<&str, bool> = desk.matrix.fields.iter().map(|field| (field.name.as_str(), field.signed)).collect();
    let mut wrong: BTreeMap<&str, String> = BTreeMap::new();
    for error in errors {
        wrong.entry(error.field.as_str()).or_insert_with(|| alone(&error.reason));
    }
    let row = |(at, field): (usize, &Field)| {
        let row = Row::of(&values, field);
        let shape = row.shape();
        let treatment = row.read().ok();
        RowView {
            at,
            name: field.name.to_string(),
            about: format!("{}, {}", words::logical(field.logical), words::category(&desk.vocabulary, &field.category)),
            class: field.class,
            signed: signed.get(field.name.as_str()).copied().unwrap_or(false),
            subject: field.name == desk.dataset.subject.field,
            kinds: treatments::kinds(field),
            kind: row.kind.to_owned(),
            fresh: row.shown() != shape,
            settings: settings(desk, &row, field, &shape, &wrong),
            help: treatments::help(field, row.kind),
            shape,
            picked: typed.has("pick", field.name.as_str()),
            error: wrong.get(format!("treatment.{}", field.name).as_str()).cloned().unwrap_or_default(),
            warning: treatment.as_ref().map(|treatment| matrix::warnings(field, treatment).join(" ")).unwrap_or_default(),
            now: now(desk, field, treatment.as_ref()),
            samples: samples.fields.get(field.name.as_str()).cloned().unwrap_or_default(),
        }
    };
    desk.dataset.fields.iter().enumerate().map(row).collect()
}

fn settings(desk: &Desk, row: &Row<'_>, field: &Field, shape: &str, wrong: &BTreeMap<&str, String>) -> Vec<SettingView> {
    let view = |setting: &treatments::Setting| {
        let name = format!("param.{}.{}", field.name, setting.name);
        let (input, options) = match setting.input {
            Input::Number => ("number", Vec::new()),
            Input::Text => ("text", Vec::new()),
            Input::Date => ("date", Vec::new()),
            Input::Tick => ("tick", Vec::new()),
            Input::Hierarchy => ("choice", hierarchies(desk, &row.value(setting.name))),
            Input::OneOf(options) => ("choice", options.iter().map(|(value, label)| Choice::new(*value, *label)).collect()),
        };
        let error = wrong.get(name.as_str()).cloned().unwrap_or_default();
        SettingView { label: setting.label, input, options, value: row.value(setting.name), error, name }
    };
    treatments::settings(shape).iter().map(view).collect()
}

/// The hierarchies to choose from, and the one that is chosen where it is none of them.
fn hierarchies(desk: &Desk, chosen: &str) -> Vec<Choice> {
    let choice = |version: &HierarchyVersion| {
        let levels = said::count(version.texts.len(), "level", "levels");
        Choice::new(version.label(), format!("{}, version {} ({levels})", version.name, version.version))
    };
    let mut choices: Vec<Choice> = std::iter::once(Choice::new("", "Choose…")).chain(desk.matrix.hierarchies.iter().map(choice)).collect();
    if !choices.iter().any(|choice| choice.value == chosen) {
        choices.extend(key_of(chosen).map(|(name, version)| Choice::new(chosen, format!("{name}, version {version}"))));
    }
    choices
}

/// What is in force for a field, where the draft says something else.
fn now(desk: &Desk, field: &Field, drafted: Option<&Treatment>) -> String {
    let Some(standing) = &desk.standing else { return String::new() };
    let now = standing.terms.fields.get(&field.name).unwrap_or(&Treatment::Withhold);
    if drafted == Some(now) { String::new() } else { words::treatment(now) }
}

/// The rows of the condition, and an empty one to go on with.
pub fn clauses(typed: &Typed, errors: &[Invalid]) -> Vec<ClauseView> {
    let mut rows = clause_rows(typed);
    rows.push(draft::ClauseRow { at: rows.last().map_or(0, |last| last.at.saturating_add(1)), ..draft::ClauseRow::default() });
    let view = |(place, row): (usize, draft::ClauseRow)| {
        let beginning = format!("condition.{}.", row.at);
        let error = errors.iter().find(|error| error.field.starts_with(&beginning)).map(|error| alone(&error.reason));
        ClauseView {
            at: row.at,
            number: row.at.saturating_add(1),
            joined: match (place, row.or) {
                (0, _) => "",
                (_, true) => "or",
                (_, false) => "and",
            },
            error: error.unwrap_or_default(),
            operators: draft::OPERATORS.iter().map(|(key, label)| Choice::new(*key, *label)).collect(),
            field: row.field,
            op: row.op,
            values: row.values,
        }
    };
    rows.into_iter().enumerate().map(view).collect()
}

/// Every kind of treatment, for the bulk change.
pub fn every_kind() -> Vec<Choice> {
    let kinds = [
        "withhold",
        "clear",
        "pseudonym",
        "mask",
        "truncate",
        "generalise_number",
        "generalise_date",
        "round",
        "top_bottom_code",
        "date_shift",
        "redact_text",
        "noise",
        "geo",
        "reversible_token",
        "generalise_hierarchy",
        "constant",
    ];
    kinds.into_iter().map(|kind| Choice::new(kind, treatments::name(kind))).collect()
}

/// Sets the treatment of many fields; those that it does not fit stay as they were. Answers what was done.
pub fn bulk(dataset: &Dataset, typed: &mut Typed) -> String {
    let (which, kind) = (typed.value("bulk.which").to_owned(), typed.value("bulk.treatment").to_owned());
    let wanted = |field: &&Field| match which.as_str() {
        "picked" => typed.has("pick", field.name.as_str()),
        "all" => true,
        class => field.class.key() == class,
    };
    let chosen: Vec<&Field> = dataset.fields.iter().filter(wanted).collect();
    let fits = |field: &&&Field| treatments::kinds(field).iter().any(|choice| choice.value == kind);
    let (set, left): (Vec<&Field>, Vec<&Field>) = chosen.iter().partition(|field| fits(field));
    let names: Vec<String> = set.iter().map(|field| format!("treatment.{}", field.name)).collect();
    let kept = typed
        .pairs()
        .iter()
        .filter(|(name, _)| !names.contains(name) && !matches!(name.as_str(), "pick" | "bulk.which" | "bulk.treatment"));
    let pairs = kept.cloned().chain(names.iter().map(|name| (name.clone(), kind.clone()))).collect();
    let errors = std::mem::take(&mut typed.errors);
    *typed = Typed::new(pairs).refused(errors);
    match (set.len(), left.len()) {
        (0, 0) => "No field was chosen: tick fields first, or choose a class.".to_owned(),
        (0, _) => "Nothing changed: this treatment fits none of the chosen fields.".to_owned(),
        (set, 0) => format!("{} set. Nothing is saved yet.", said::count(set, "field is", "fields are")),
        (set, left) => {
            let left = said::count(
                left,
                "stays as it was: the treatment does not fit its type",
                "stay as they were: the treatment does not fit their types",
            );
            format!("{} set; {left}. Nothing is saved yet.", said::count(set, "field is", "fields are"))
        }
    }
}

/// What saving would do, by the judgement that saving makes.
pub fn foresee(desk: &Desk, draft: &Draft) -> Foreseen {
    let Some(terms) = &draft.terms else {
        let said = "What saving would do is said here once everything above is filled in.".to_owned();
        return Foreseen { said, tone: "none", ..Foreseen::default() };
    };
    let clear = terms.clear_identifiers(&desk.dataset).iter().map(ToString::to_string).collect();
    let foreseen = match (&desk.whose, &desk.standing) {
        (Whose::Revise(_), Some(standing)) => match permits::foresee(standing, terms, desk.version.number, &desk.vocabulary) {
            Ok(foreseen) => of_revision(&foreseen),
            Err(error) => Foreseen { said: error.to_string(), tone: "unclear", ..Foreseen::default() },
        },
        (Whose::Revise(_), None) => waits("Saved, it waits for a privacy officer who did not write it."),
        (Whose::New(..) | Whose::Rewrite(..), _) => of_version(desk, terms),
    };
    Foreseen { clear, ..foreseen }
}

fn waits(said: &str) -> Foreseen {
    Foreseen { said: said.to_owned(), tone: "waits", ..Foreseen::default() }
}

fn of_revision(foreseen: &permits::Foreseen) -> Foreseen {
    let (said, tone) = if foreseen.changes.is_empty() {
        ("Nothing changes yet.", "none")
    } else if foreseen.at_once {
        ("Saving this acts at once: nothing more goes out than before.", "at-once")
    } else {
        (
            "Saving this waits for a privacy officer: more would go out than before, or it can't be told for certain. Until then the permit stays as it is.",
            "waits",
        )
    };
    let summary = if foreseen.changes.is_empty() { String::new() } else { capital(&foreseen.changes.summary) };
    Foreseen { said: said.to_owned(), tone, summary, rows: shown::diff(&foreseen.changes), clear: Vec::new() }
}

fn of_version(desk: &Desk, terms: &PermitTerms) -> Foreseen {
    let number = desk.version.number;
    let mut foreseen = if desk.version.status == VersionStatus::Draft {
        waits(&format!("Saved, it is a part of version {number} of the agreement, and in force when that is approved and signed."))
    } else {
        waits("Saved, it waits for a privacy officer who did not write it; approved, it is in force at once.")
    };
    if let Some(before) = desk.standing.as_ref().or(desk.newest.as_ref()) {
        let changes = diff::permits(&before.terms, terms, &desk.vocabulary);
        foreseen.summary = if changes.is_empty() { String::new() } else { capital(&changes.summary) };
        foreseen.rows = shown::diff(&changes);
    }
    foreseen
}
