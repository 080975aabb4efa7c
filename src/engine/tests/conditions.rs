//! Which rows a condition and a filter let through.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn the_condition_sees_raw_values_and_the_filter_released_ones() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    for kind in Kind::ALL {
        let permitted = permitted(write(root.path(), kind, &people())).select(&["age"]);
        let ages = async |permitted: Permitted| field(&out(&engine, &permitted).await, "age");
        // 34 is in the condition's reach raw, and 30 when released.
        assert_eq!(ages(permitted.clone().condition("age", Operator::Eq, &["34"])).await, [30], "{kind:?}");
        assert!(ages(permitted.clone().filter("age", Operator::Eq, &["34"])).await.is_empty(), "{kind:?}");
        assert_eq!(ages(permitted.clone().filter("age", Operator::Eq, &["30"])).await, [30], "{kind:?}");
        // Both: the condition first.
        let both = permitted.clone().condition("age", Operator::Gt, &["34"]).filter("age", Operator::Gte, &["30"]);
        assert_eq!(ages(both).await, [90], "{kind:?}");
        // A filter on a field that is not selected.
        assert_eq!(ages(permitted.clone().filter("born", Operator::Eq, &["1936-Q1"])).await, [90], "{kind:?}");
        assert_eq!(ages(permitted.clone().filter("e-mail", Operator::In, &["z***@example.org", "x***"])).await, [30], "{kind:?}");
        // Either of two, NULL in one of them no hindrance; and both parts of which each has alternatives.
        let old = ("age", Operator::Gt, &["34"] as &[&str]);
        let nameless = ("age", Operator::Is, &["null"] as &[&str]);
        let young = ("age", Operator::Lt, &["34"] as &[&str]);
        let either = permitted.clone().either(&[nameless, old]);
        assert_eq!(ages(either.clone()).await, [json!(90), Value::Null], "{kind:?}");
        assert_eq!(ages(either.either(&[young, old])).await, [90], "{kind:?}");
        // A condition on a field that is withheld.
        assert_eq!(ages(permitted.clone().condition("note", Operator::Neq, &["never-leaves"])).await.len(), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn null_satisfies_nothing_but_is_null() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    for kind in Kind::ALL {
        let permitted = permitted(write(root.path(), kind, &people())).select(&["id"]);
        let count = async |field: &str, operator, values: &[&str]| {
            let by_condition = out(&engine, &permitted.clone().condition(field, operator, values)).await.text.lines().count();
            let by_filter = out(&engine, &permitted.clone().filter(field, operator, values)).await.text.lines().count();
            (by_condition, by_filter)
        };
        assert_eq!(count("wants", Operator::Neq, &["true"]).await, (1, 1), "{kind:?}");
        assert_eq!(count("wants", Operator::Is, &["null"]).await, (1, 1), "{kind:?}");
        assert_eq!(count("wants", Operator::Is, &["not_null"]).await, (4, 4), "{kind:?}");
        assert_eq!(count("wants", Operator::Is, &["true"]).await, (3, 3), "{kind:?}");
        assert_eq!(count("age", Operator::Lt, &["1000"]).await, (4, 4), "{kind:?}");
        assert_eq!(count("age", Operator::Neq, &["30"]).await, (4, 3), "{kind:?}");
        assert_eq!(count("seen.at", Operator::Lt, &["2026-07-01T08:00:00Z"]).await, (2, 2), "{kind:?}");
        assert_eq!(count("Spent", Operator::In, &["0.1", "-3"]).await, (2, 2), "{kind:?}");
    }
}

#[tokio::test]
async fn nan_satisfies_nothing_and_zeros_are_equal() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let columns = [
        integers("id", &[Some(1), Some(2), Some(3), Some(4)]),
        SampleColumn { name: "x", values: SampleValues::Number(vec![Some(f64::NAN), Some(-0.0), Some(0.0), Some(-f64::NAN)]) },
    ];
    let location = write(root.path(), Kind::Parquet, &columns);
    let permitted = Permitted::new(location, &[("id", LogicalType::Integer, clear()), ("x", LogicalType::Number, clear())]);
    for (operator, values, expected) in [
        (Operator::Eq, &["0"][..], 2),
        (Operator::Eq, &["-0.0"], 2),
        (Operator::Neq, &["0"], 0),
        (Operator::Neq, &["1"], 2),
        (Operator::Gt, &["-1"], 2),
        (Operator::Gte, &["0"], 2),
        (Operator::Gt, &["0"], 0),
        (Operator::Lt, &["1"], 2),
        (Operator::Lte, &["-0.0"], 2),
        (Operator::Lt, &["0"], 0),
        (Operator::In, &["0", "7"], 2),
    ] {
        let rows = async |permitted: Permitted| out(&engine, &permitted).await.text.lines().count();
        assert_eq!(rows(permitted.clone().condition("x", operator, values)).await, expected, "{operator:?} {values:?}");
        assert_eq!(rows(permitted.clone().filter("x", operator, values)).await, expected, "{operator:?} {values:?}");
    }
    assert_eq!(field(&out(&engine, &permitted).await, "x")[0], serde_json::Value::Null);
}
