//! Raw and treated stand side by side, and what does not fit hides no other field.

use serde_json::{Value, json};

use super::*;

fn dataset() -> Arc<Dataset> {
    let field = |name: &str, logical: &str| json!({"name": name, "type": logical, "class": "plain", "category": "technical"});
    let fields = [field("id", "text"), field("score", "integer"), field("photo", "other")].map(|one| serde_json::from_value(one).unwrap());
    Arc::new(Dataset {
        id: "0190a0b0-0000-7000-8000-000000000001".parse().unwrap(),
        name: "people".parse().unwrap(),
        source: "0190a0b0-0000-7000-8000-000000000002".parse().unwrap(),
        table: "people".parse().unwrap(),
        fields: fields.to_vec(),
        subject: serde_json::from_value(json!({"field": "id", "domain": "person"})).unwrap(),
        created_at: crate::domain::Instant::from_micros(0),
        version: 1,
    })
}

fn source() -> Arc<Source> {
    Arc::new(Source {
        id: "0190a0b0-0000-7000-8000-000000000002".parse().unwrap(),
        name: "People".parse().unwrap(),
        location: serde_json::from_value(json!({"kind": "parquet", "path": "people.parquet"})).unwrap(),
        created_at: crate::domain::Instant::from_micros(0),
        version: 1,
    })
}

fn drafted(fields: Value, shown: Shown) -> Result<PreviewPlan, Invalid> {
    compile(&dataset(), &source(), &serde_json::from_value(fields).unwrap(), &Condition::default(), &KnownHierarchies::default(), shown)
}

#[test]
fn raw_and_treated_stand_side_by_side() {
    let plan = drafted(json!({"id": {"kind": "pseudonym", "format": "base32"}, "score": {"kind": "withhold"}}), Shown::Drafted).unwrap();
    let places: Vec<_> = plan.fields().iter().map(|field| (field.field.name.as_str(), field.raw, field.treated)).collect();
    assert_eq!(places, [("id", Some(0), Some(1)), ("score", Some(2), None)]);
    // The subject's pseudonyms are made in its own domain, as in a release.
    assert_eq!(plan.keys().collect::<Vec<_>>(), ["pseudonym|1|person"]);
}

#[test]
fn what_does_not_fit_is_told_beside_its_field() {
    let fields = json!({
        "id": {"kind": "round", "step": 10.0}, "score": {"kind": "round", "step": 10.0}, "photo": {"kind": "clear"}
    });
    let plan = drafted(fields, Shown::Drafted).unwrap();
    let told: Vec<_> = plan.fields().iter().map(|field| field.trouble.as_ref().map(|error| error.field.as_str())).collect();
    assert_eq!(told, [Some("fields.id.kind"), None, Some("fields.photo.kind")]);
    let shown: Vec<_> = plan.fields().iter().map(|field| (field.raw.is_some(), field.treated.is_some())).collect();
    assert_eq!(shown, [(true, false), (true, true), (false, false)]);
}

#[test]
fn fields_that_are_not_there_are_refused() {
    assert_eq!(drafted(json!({"nothing": {"kind": "clear"}}), Shown::Drafted).unwrap_err().field, "fields.nothing");
    assert_eq!(drafted(json!({}), Shown::Every).unwrap().fields().len(), 3);
    let condition: Condition = serde_json::from_value(json!({"all": [{"field": "none", "op": "eq", "values": ["1"]}]})).unwrap();
    let refused = compile(&dataset(), &source(), &BTreeMap::new(), &condition, &KnownHierarchies::default(), Shown::Every).unwrap_err();
    assert_eq!(refused.field, "condition.all[0].field");
}
