//! The demo's rows look like a shop's, and are the same each time.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn share(customers: &[Customer], of: impl Fn(&Customer) -> bool) -> f64 {
    customers.iter().filter(|customer| of(customer)).count() as f64 / customers.len() as f64
}

fn orders_by_customer(orders: &[Order]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for order in orders {
        *counts.entry(order.customer_id.as_str()).or_insert(0) += 1;
    }
    counts
}

#[test]
fn the_rows_are_the_same_each_time() {
    let customers = customers();
    assert_eq!(customers, super::customers());
    assert_eq!(orders(&customers), orders(&customers));
    // Fixed here so that a change of the generator, or of a crate under it, is seen.
    let first = &customers[0];
    assert_eq!(
        format!("{} {} {} {}", first.customer_id, first.first_name, first.last_name, first.postal_code),
        "C000001 Roberto Santoro 70176"
    );
}

#[test]
fn there_are_five_thousand_customers_with_ids_of_their_own() {
    let customers = customers();
    let ids: BTreeSet<&str> = customers.iter().map(|customer| customer.customer_id.as_str()).collect();
    assert_eq!(ids.len(), 5_000);
    assert!(ids.contains("C000123"));
}

#[test]
fn shares_of_countries_make_a_hundred_and_each_is_used() {
    assert_eq!(PLACES.iter().map(|place| place.share).sum::<u32>(), 100);
    let customers = customers();
    for place in PLACES {
        let seen = share(&customers, |customer| customer.country == place.country);
        assert!((seen - f64::from(place.share) / 100.0).abs() < 0.02, "{} {seen}", place.country);
    }
}

#[test]
fn postal_codes_have_their_countrys_form() {
    let digits = |code: &str, at: &[usize]| code.bytes().enumerate().all(|(n, byte)| byte.is_ascii_digit() == at.contains(&n));
    for customer in customers() {
        let code = customer.postal_code.as_str();
        let good = match customer.country.as_str() {
            "DE" | "FR" | "IT" | "ES" => code.len() == 5 && digits(code, &[0, 1, 2, 3, 4]),
            "AT" => code.len() == 4 && digits(code, &[0, 1, 2, 3]),
            "NL" => code.len() == 7 && digits(code, &[0, 1, 2, 3]) && code.as_bytes()[4] == b' ',
            "PL" => code.len() == 6 && digits(code, &[0, 1, 3, 4, 5]) && code.as_bytes()[2] == b'-',
            "SE" => code.len() == 6 && digits(code, &[0, 1, 2, 4, 5]) && code.as_bytes()[3] == b' ',
            "IE" => code.len() == 8 && code.as_bytes()[3] == b' ',
            _ => false,
        };
        assert!(good, "{} {code}", customer.country);
    }
}

#[test]
fn everyone_is_of_age_and_nobody_is_older_than_ninety_five() {
    let (youngest, oldest) = (Date::from_ymd(2008, 6, 30).unwrap(), Date::from_ymd(1930, 7, 1).unwrap());
    let born: Vec<Date> = customers().iter().filter_map(|customer| customer.birth_date).collect();
    assert!(born.iter().all(|day| *day <= youngest && *day >= oldest));
    assert!(born.iter().any(|day| *day > youngest.plus_days(-5 * 366)) && born.iter().any(|day| *day < oldest.plus_days(10 * 366)));
}

#[test]
fn some_values_are_missing_but_no_more_than_meant() {
    type Missing = fn(&Customer) -> bool;
    let customers = customers();
    let cases: [(&str, Missing, f64); 6] = [
        ("email", |customer| customer.email.is_none(), 0.015),
        ("phone", |customer| customer.phone.is_none(), 0.12),
        ("birth_date", |customer| customer.birth_date.is_none(), 0.04),
        ("gender", |customer| customer.gender.is_none(), 0.03),
        ("loyalty_tier", |customer| customer.loyalty_tier.is_none(), 0.08),
        ("note", |customer| customer.note.is_none(), 0.70),
    ];
    for (field, missing, meant) in cases {
        let seen = share(&customers, missing);
        assert!(seen > 0.0 && (seen - meant).abs() < 0.03, "{field} {seen}");
    }
}

#[test]
fn addresses_lead_nowhere_and_some_notes_hold_them() {
    let customers = customers();
    let reserved = |email: &str| ["@mail.example.com", "@post.example.org", "@example.net"].iter().any(|end| email.ends_with(end));
    for email in customers.iter().filter_map(|customer| customer.email.as_deref()) {
        assert!(reserved(email) && email.is_ascii() && !email.contains(' ') && !email.starts_with('@'), "{email}");
        email.parse::<crate::domain::text::Email>().unwrap();
    }
    assert!(customers.iter().filter_map(|customer| customer.phone.as_deref()).all(|phone| phone.contains(" 000")));
    let holds = |sign: &str| customers.iter().filter_map(|customer| customer.note.as_deref()).filter(|note| note.contains(sign)).count();
    assert!(holds("@") > 100 && holds(" 000") > 100, "{} {}", holds("@"), holds(" 000"));
}

#[test]
fn amounts_are_euros_and_cents_and_better_tiers_are_worth_more() {
    let customers = customers();
    let whole_cents = |value: f64| ((value * 100.0).round() / 100.0).to_bits() == value.to_bits() && value >= 0.0;
    assert!(customers.iter().all(|customer| whole_cents(customer.lifetime_value)));
    let mean = |tier: &str| {
        let values: Vec<f64> = customers
            .iter()
            .filter(|customer| customer.loyalty_tier.as_deref() == Some(tier))
            .map(|customer| customer.lifetime_value)
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    assert!(mean("platinum") > mean("gold") && mean("gold") > mean("silver") && mean("silver") > mean("bronze"));
    assert!(orders(&customers).iter().all(|order| whole_cents(order.total) && order.total > 0.0 && order.items >= 1));
}

#[test]
fn orders_belong_to_customers_and_a_few_customers_order_much() {
    let customers = customers();
    let orders = orders(&customers);
    assert_eq!(orders.len(), 25_000);
    let ids: BTreeSet<&str> = customers.iter().map(|customer| customer.customer_id.as_str()).collect();
    assert!(orders.iter().all(|order| ids.contains(order.customer_id.as_str())));
    let counts = orders_by_customer(&orders);
    assert!(counts.len() < customers.len(), "somebody has ordered nothing");
    let mut sorted: Vec<usize> = counts.into_values().collect();
    sorted.sort_unstable_by(|one, other| other.cmp(one));
    let best: usize = sorted.iter().take(customers.len() / 10).sum();
    assert!(best > orders.len() * 3 / 10, "the best tenth has {best} orders");
}

#[test]
fn orders_come_in_time_and_are_handed_over_as_their_status_says() {
    let orders = orders(&customers());
    assert!(orders.is_sorted_by_key(|order| order.ordered_at));
    assert!(orders.is_sorted_by_key(|order| &order.order_id));
    let (first, last) = (Date::from_ymd(2024, 7, 1).unwrap(), Date::from_ymd(2026, 6, 30).unwrap());
    for order in &orders {
        assert!((first..=last).contains(&order.ordered_at.date()), "{}", order.ordered_at);
        let handed_over = !matches!(order.status.as_str(), "placed" | "cancelled");
        assert_eq!(order.carrier_reference.is_some(), handed_over, "{}", order.status);
    }
    let seen: BTreeSet<&str> = orders.iter().map(|order| order.status.as_str()).collect();
    assert_eq!(seen, BTreeSet::from(["cancelled", "delivered", "placed", "returned", "shipped"]));
}
