//! What is a condition, and what is told to who writes none.

use serde_json::{Value, json};

use super::{Condition, MOST_CLAUSES, Part};
use crate::domain::dataset::LogicalType;

fn clause(field: &str) -> Value {
    json!({"field": field, "op": "gt", "values": ["1"]})
}

#[test]
fn a_part_is_a_clause_or_alternatives_and_nothing_between() {
    let read = |part: Value| serde_json::from_value::<Condition>(json!({ "all": [part] }));
    assert!(matches!(read(clause("a")).unwrap().all.as_slice(), [Part::Clause(_)]));
    assert!(matches!(read(json!({"any": [clause("a"), clause("b")]})).unwrap().all.as_slice(), [Part::Any { any }] if any.len() == 2));
    let refused = [
        (json!({"field": "a", "op": "gt"}), "must have `field`, `op` and `values`"),
        (json!({}), "or `any` with such clauses"),
        (json!({"any": [clause("b")], "field": "a"}), "`any` stands alone"),
        (json!({"any": [{"any": [clause("b")]}]}), "unknown field `any`"),
        (json!({"any": [clause("b")], "none": []}), "unknown field `none`"),
        (json!({"field": "a", "op": "like", "values": []}), "unknown variant `like`"),
    ];
    for (part, said) in refused {
        let error = read(part.clone()).unwrap_err().to_string();
        assert!(error.contains(said), "{part}: {error}");
    }
}

#[test]
fn it_goes_out_as_it_came_in() {
    let condition = json!({"all": [clause("a"), {"any": [clause("b"), clause("c")]}]});
    let read: Condition = serde_json::from_value(condition.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), condition);
}

#[test]
fn every_alternative_is_typed_and_named_where_it_is_wrong() {
    let typed = |all: Value| {
        let condition: Condition = serde_json::from_value(json!({ "all": all })).unwrap();
        condition.typed(|name| (name.as_str() != "none").then_some(LogicalType::Integer))
    };
    assert_eq!(typed(json!([clause("a"), {"any": [clause("b"), clause("c")]}])).unwrap().len(), 2);
    let many = |count: usize| json!([{"any": vec![clause("a"); count]}]);
    assert!(typed(many(MOST_CLAUSES)).is_ok());
    let bad = json!({"field": "a", "op": "gt", "values": ["x"]});
    for (all, field) in [
        (json!([clause("a"), {"any": [clause("b"), clause("none")]}]), "condition.all[1].any[1].field"),
        (json!([{"any": [bad, clause("b")]}]), "condition.all[0].any[0].values"),
        (json!([{"any": []}]), "condition.all[0].any"),
        (json!([{"any": [clause("a")]}]), "condition.all[0].any"),
        (many(MOST_CLAUSES + 1), "condition.all"),
    ] {
        assert_eq!(typed(all.clone()).unwrap_err().field, field, "{all}");
    }
}
