//! Two sets of a permit's terms: each change is put into the old terms alone, and the comparison of permits judges it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::permit::{Change, PermitTerms, compare};
use crate::domain::text::FieldName;
use crate::domain::treatment::{GeoForm, Treatment};
use crate::domain::vocabulary::Vocabulary;

use super::super::words;
use super::{Diff, Difference, Direction, moved, some};

/// What changes for the receiver between two revisions.
pub fn permits(before: &PermitTerms, after: &PermitTerms, vocabulary: &Vocabulary) -> Diff {
    // Whoever adds a part to the terms must say here how it differs.
    let PermitTerms {
        dataset,
        purpose,
        legal_basis,
        instruction,
        fields: _,
        condition,
        daily_rows,
        daily_subjects,
        requests_per_minute,
        open_hours,
        starts_on,
        ends_on,
    } = after;
    let mut differences = Vec::new();
    let mut note = |field: &str, label: &str, said: (String, String), one: PermitTerms| {
        if one != *before {
            let (was, is) = (Some(said.0), Some(said.1));
            let direction = direction(before, &one);
            differences.push(Difference { field: field.to_owned(), label: label.to_owned(), before: was, after: is, direction });
        }
    };
    let old = || before.clone();
    note("dataset", "Dataset", (before.dataset.to_string(), dataset.to_string()), PermitTerms { dataset: dataset.clone(), ..old() });
    let said = (words::purpose(vocabulary, &before.purpose), words::purpose(vocabulary, purpose));
    note("purpose", "Purpose", said, PermitTerms { purpose: purpose.clone(), ..old() });
    let said = (words::legal_basis(before.legal_basis).to_owned(), words::legal_basis(*legal_basis).to_owned());
    note("legal_basis", "Legal basis", said, PermitTerms { legal_basis: *legal_basis, ..old() });
    let cited = |terms: &PermitTerms| terms.instruction.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    note("instruction", "Instruction", (cited(before), cited(after)), PermitTerms { instruction: instruction.clone(), ..old() });
    let said = (words::condition(&before.condition), words::condition(condition));
    note("condition", "Rows", said, PermitTerms { condition: condition.clone(), ..old() });
    let said = (words::quota(before.daily_rows), words::quota(*daily_rows));
    note("daily_rows", "Quota", said, PermitTerms { daily_rows: *daily_rows, ..old() });
    let no_limit = || "no limit".to_owned();
    let people = |terms: &PermitTerms| terms.daily_subjects.map_or_else(no_limit, words::people_a_day);
    note("daily_subjects", "People", (people(before), people(after)), PermitTerms { daily_subjects: *daily_subjects, ..old() });
    let requests = |terms: &PermitTerms| terms.requests_per_minute.map_or_else(no_limit, words::requests_a_minute);
    let said = (requests(before), requests(after));
    note("requests_per_minute", "Requests", said, PermitTerms { requests_per_minute: *requests_per_minute, ..old() });
    let hours = |terms: &PermitTerms| terms.open_hours.as_ref().map_or_else(|| "at any time".to_owned(), words::open_hours);
    note("open_hours", "Hours", (hours(before), hours(after)), PermitTerms { open_hours: open_hours.clone(), ..old() });
    let first = |terms: &PermitTerms| terms.starts_on.map_or_else(|| "with the agreement".to_owned(), |day| day.to_string());
    note("starts_on", "First day", (first(before), first(after)), PermitTerms { starts_on: *starts_on, ..old() });
    let last = |terms: &PermitTerms| terms.ends_on.map_or_else(|| "with the agreement".to_owned(), |day| day.to_string());
    note("ends_on", "Last day", (last(before), last(after)), PermitTerms { ends_on: *ends_on, ..old() });

    let treated = fields(before, after);
    let mut parts = counted(&treated);
    let changed = |field: &str| differences.iter().find(|one| one.field == field).map(|one| one.direction);
    parts.extend(["dataset", "purpose", "legal basis"].into_iter().filter_map(|name| {
        let path = name.replace(' ', "_");
        changed(&path).map(|_| format!("{name} changed"))
    }));
    parts.extend(changed("condition").map(|direction| rows(direction).to_owned()));
    parts.extend(changed("daily_rows").map(|direction| match direction {
        Direction::Stronger => "quota lowered".to_owned(),
        Direction::Weaker | Direction::Neutral | Direction::Unclear => "quota raised".to_owned(),
    }));
    for (field, name) in [("daily_subjects", "people a day"), ("requests_per_minute", "requests a minute"), ("open_hours", "hours")] {
        parts.extend(changed(field).map(|direction| match direction {
            Direction::Stronger => format!("{name} limited further"),
            Direction::Weaker => format!("{name} limited less"),
            Direction::Neutral | Direction::Unclear => format!("{name} changed"),
        }));
    }
    parts.extend(moved("starts", before.starts_on, *starts_on));
    parts.extend(moved("ends", before.ends_on, *ends_on));
    if parts.is_empty() && !differences.is_empty() {
        parts.push("another instruction is cited".to_owned());
    }
    Diff::new(parts, treated.into_iter().chain(differences).collect())
}

/// What a new permit brings: all that it releases was withheld before.
pub fn added(terms: &PermitTerms, vocabulary: &Vocabulary) -> Diff {
    permits(&PermitTerms { fields: BTreeMap::new(), ..terms.clone() }, terms, vocabulary)
}

const fn rows(direction: Direction) -> &'static str {
    match direction {
        Direction::Stronger => "fewer rows",
        Direction::Weaker => "more rows",
        Direction::Neutral | Direction::Unclear => "other rows",
    }
}

/// The direction of one change: the comparison asked both ways. What it widens both ways can't be ranked.
fn direction(before: &PermitTerms, one: &PermitTerms) -> Direction {
    match (compare(before, one), compare(one, before)) {
        (Ok(Change::Narrowing), Ok(Change::Narrowing)) => Direction::Neutral,
        (Ok(Change::Narrowing), Ok(Change::Widening)) => Direction::Stronger,
        (Ok(Change::Widening), Ok(Change::Narrowing)) => Direction::Weaker,
        (Ok(Change::Widening), Ok(Change::Widening)) | (Err(_), _) | (_, Err(_)) => Direction::Unclear,
    }
}

/// The fields whose treatment differs, in name order. A field that is not named is withheld.
fn fields(before: &PermitTerms, after: &PermitTerms) -> Vec<Difference> {
    let names: BTreeSet<&FieldName> = before.fields.keys().chain(after.fields.keys()).collect();
    // One field at a time, so that the cost does not grow with the square of their number.
    let bare = PermitTerms { fields: BTreeMap::new(), ..before.clone() };
    let with = |name: &FieldName, treatment: &Treatment| PermitTerms {
        fields: BTreeMap::from([(name.clone(), treatment.clone())]),
        ..bare.clone()
    };
    let mut differences = Vec::new();
    for name in names {
        let was = before.fields.get(name).unwrap_or(&Treatment::Withhold);
        let is = after.fields.get(name).unwrap_or(&Treatment::Withhold);
        if was == is {
            continue;
        }
        let (was_said, is_said) = told_apart(was, is);
        differences.push(Difference {
            field: format!("fields.{name}"),
            label: name.to_string(),
            before: Some(was_said),
            after: Some(is_said),
            direction: direction(&with(name, was), &with(name, is)),
        });
    }
    differences
}

/// The words of two treatments; two masks that differ in their signs only are told apart by them.
fn told_apart(was: &Treatment, is: &Treatment) -> (String, String) {
    let (was_said, is_said) = (words::treatment(was), words::treatment(is));
    match (was, is) {
        (Treatment::Mask { pad: old, .. }, Treatment::Mask { pad: new, .. }) if old != new => {
            let signs = |said: String, pad: u8| format!("{said} by {}", words::counted(pad.into(), "sign", "signs"));
            (signs(was_said, *old), signs(is_said, *new))
        }
        (
            Treatment::Geo { form: GeoForm::PostalPrefix { small: old, .. } },
            Treatment::Geo { form: GeoForm::PostalPrefix { small: new, .. } },
        ) if old.len() == new.len() && old != new => {
            let named = |said: String, all: &BTreeSet<String>, others: &BTreeSet<String>| {
                let own: Vec<&str> = all.difference(others).map(String::as_str).collect();
                format!("{said}, among them {}", own.join(", "))
            };
            (named(was_said, old, new), named(is_said, new, old))
        }
        _ => (was_said, is_said),
    }
}

fn counted(treated: &[Difference]) -> Vec<String> {
    let withheld = words::treatment(&Treatment::Withhold);
    let is_withheld = |said: &Option<String>| said.as_ref() == Some(&withheld);
    let (mut gained, mut lost, mut weaker, mut stronger, mut other) = (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for one in treated {
        let counter = match one.direction {
            _ if is_withheld(&one.before) => &mut gained,
            _ if is_withheld(&one.after) => &mut lost,
            Direction::Weaker => &mut weaker,
            Direction::Stronger => &mut stronger,
            Direction::Neutral | Direction::Unclear => &mut other,
        };
        *counter = counter.saturating_add(1);
    }
    let parts = [
        some(gained, "field", "fields", "added"),
        some(lost, "field", "fields", "removed"),
        some(weaker, "treatment", "treatments", "weakened"),
        some(stronger, "treatment", "treatments", "strengthened"),
        some(other, "treatment", "treatments", "changed, neither stronger nor weaker for certain"),
    ];
    parts.into_iter().flatten().collect()
}
