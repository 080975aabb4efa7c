//! The demo's customers and orders: made up, and the same on every machine because the seed is fixed.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::places::{PLACES, Place};
use crate::domain::{Date, Instant};

/// Customers in the demo.
pub const CUSTOMERS: usize = 5_000;
/// Orders in the demo.
pub const ORDERS: usize = 25_000;

const SEED: u64 = 0x7469_6465_6761_7465;
/// 2026-06-30, the last day on which something happens in the demo's shop, in days since 1970-01-01.
const LAST_DAY: i32 = 20_634;
const ORDER_DAYS: i64 = 730;

/// A made-up customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// `C000001` onwards.
    pub customer_id: String,
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// 18 to 95 completed years before 2026-06-30.
    pub birth_date: Option<Date>,
    pub street: String,
    pub city: String,
    pub postal_code: String,
    pub country: String,
    /// `f`, `m` or `x`.
    pub gender: Option<String>,
    pub loyalty_tier: Option<String>,
    /// Euros and cents.
    pub lifetime_value: f64,
    pub marketing_email: bool,
    pub marketing_phone: bool,
    /// Free text of the service desk; now and then it holds an e-mail address or a phone number.
    pub note: Option<String>,
}

/// A made-up order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// `O0000001` onwards, in the order of `ordered_at`.
    pub order_id: String,
    pub customer_id: String,
    pub ordered_at: Instant,
    pub status: String,
    pub items: i64,
    /// Euros and cents.
    pub total: f64,
    pub shipping_country: String,
    pub shipping_postal_code: String,
    /// Of the carrier; none until it is handed over.
    pub carrier_reference: Option<String>,
}

/// The demo's customers.
pub fn customers() -> Vec<Customer> {
    endless_customers().take(CUSTOMERS).collect()
}

/// Customers without end; the first of them are the demo's.
pub fn endless_customers() -> impl Iterator<Item = Customer> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    (1_u64..).map(move |number| customer(&mut rng, number))
}

/// The demo's orders, by customers of which a few order much and some nothing.
pub fn orders(customers: &[Customer]) -> Vec<Order> {
    orders_of(customers, ORDERS)
}

/// That many orders by these customers, the earliest first.
pub fn orders_of(customers: &[Customer], count: usize) -> Vec<Order> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED ^ 1);
    let mut eager: Vec<&Customer> = customers.iter().collect();
    eager.shuffle(&mut rng);
    let mut times: Vec<Instant> = (0..count).map(|_| order_time(&mut rng)).collect();
    times.sort_unstable();
    (1_u64..).zip(times).filter_map(|(number, at)| order(&mut rng, number, at, &eager)).collect()
}

fn customer(rng: &mut ChaCha8Rng, number: u64) -> Customer {
    let place = place(rng);
    let gender = weighted(rng, &[(Some("f"), 505), (Some("m"), 455), (Some("x"), 10), (None, 30)]);
    let first_name = match gender {
        Some("f") => pick(rng, place.names.women),
        Some("m") => pick(rng, place.names.men),
        _ => {
            let either = weighted(rng, &[(place.names.women, 1), (place.names.men, 1)]);
            pick(rng, either)
        }
    };
    let last_name = pick(rng, place.names.families);
    let email = email(rng, first_name, last_name);
    let phone = phone(rng, place);
    let (city, prefix) = place.towns.choose(rng).copied().unwrap_or_default();
    let tier = weighted(rng, &[(Some("bronze"), 44), (Some("silver"), 29), (Some("gold"), 14), (Some("platinum"), 5), (None, 8)]);
    let note = note(rng, &email, &phone);
    Customer {
        customer_id: format!("C{number:06}"),
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        email: rng.random_bool(0.985).then_some(email),
        phone: rng.random_bool(0.88).then_some(phone),
        birth_date: birth_date(rng),
        street: street(rng, place),
        city: city.to_owned(),
        postal_code: filled(rng, &format!("{prefix}{}", place.postal_form)),
        country: place.country.to_owned(),
        gender: gender.map(str::to_owned),
        loyalty_tier: tier.map(str::to_owned),
        lifetime_value: lifetime_value(rng, tier),
        marketing_email: rng.random_bool(0.46),
        marketing_phone: rng.random_bool(0.11),
        note,
    }
}

fn order(rng: &mut ChaCha8Rng, number: u64, ordered_at: Instant, eager: &[&Customer]) -> Option<Order> {
    let buyer = *eager.get(skewed(rng, eager.len()))?;
    // Now and then a parcel goes to somebody else.
    let receiver = if rng.random_bool(0.06) { *eager.choose(rng)? } else { buyer };
    let status = status(rng, ordered_at);
    let items = 1 + i64::from(rng.random_range(0..4_u32) * rng.random_range(0..3_u32) / 2);
    let handed_over = matches!(status, "shipped" | "delivered" | "returned");
    let carrier_reference = handed_over.then(|| filled(rng, "PX##########"));
    Some(Order {
        order_id: format!("O{number:07}"),
        customer_id: buyer.customer_id.clone(),
        ordered_at,
        status: status.to_owned(),
        items,
        total: cents((1..=items).map(|_| amount(rng, 24.0, 0.2)).sum()),
        shipping_country: receiver.country.clone(),
        shipping_postal_code: receiver.postal_code.clone(),
        carrier_reference,
    })
}

fn place(rng: &mut ChaCha8Rng) -> &'static Place {
    let [first, ..] = PLACES;
    PLACES.choose_weighted(rng, |place| place.share).copied().unwrap_or(first)
}

fn pick(rng: &mut ChaCha8Rng, list: &[&'static str]) -> &'static str {
    list.choose(rng).copied().unwrap_or_default()
}

/// One of the values, as often as its weight says.
fn weighted<T: Copy + Default>(rng: &mut ChaCha8Rng, table: &[(T, u32)]) -> T {
    table.choose_weighted(rng, |(_, weight)| *weight).map(|(value, _)| *value).unwrap_or_default()
}

/// An index below `length`; the low ones come far more often.
fn skewed(rng: &mut ChaCha8Rng, length: usize) -> usize {
    let (one, other): (f64, f64) = (rng.random(), rng.random());
    ((one * other * length as f64) as usize).min(length.saturating_sub(1))
}

/// Euros and cents around a median. The smaller the floor, the longer the tails: values lie between
/// `median × floor / (1 + floor)` and `median × (1 + floor) / floor`. Division alone, so every machine agrees.
fn amount(rng: &mut ChaCha8Rng, median: f64, floor: f64) -> f64 {
    let (above, below): (f64, f64) = (rng.random(), rng.random());
    cents(median * (floor + above) / (floor + below))
}

fn cents(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn lifetime_value(rng: &mut ChaCha8Rng, tier: Option<&str>) -> f64 {
    match tier {
        Some("platinum") => amount(rng, 4_200.0, 0.4),
        Some("gold") => amount(rng, 1_500.0, 0.3),
        Some("silver") => amount(rng, 520.0, 0.2),
        Some("bronze") => amount(rng, 140.0, 0.15),
        // Without a tier most have bought nothing yet.
        _ => {
            if rng.random_bool(0.6) {
                0.0
            } else {
                amount(rng, 60.0, 0.15)
            }
        }
    }
}

/// Ages from 18 to 95 with most between 30 and 60.
fn birth_date(rng: &mut ChaCha8Rng) -> Option<Date> {
    let (one, other): (f64, f64) = (rng.random(), rng.random());
    let share = 0.7 * one.min(other) + 0.3 * one.max(other);
    // 18 whole years are at most 6,575 days, 96 are at least 35,063.
    let days = 6_575.0 + share * (35_063.0 - 6_575.0 - 1.0);
    let day = Date::from_days_since_epoch(LAST_DAY.saturating_sub(days as i32))?;
    rng.random_bool(0.96).then_some(day)
}

fn street(rng: &mut ChaCha8Rng, place: &Place) -> String {
    let street = pick(rng, place.streets);
    let number = 1 + rng.random_range(0..12_u32) * rng.random_range(1..12_u32);
    if place.number_first { format!("{number} {street}") } else { format!("{street} {number}") }
}

/// At one of the domains that RFC 2606 reserves: no mail leaves a demo.
fn email(rng: &mut ChaCha8Rng, first_name: &str, last_name: &str) -> String {
    let (first, last) = (ascii(first_name), ascii(last_name));
    let domain = weighted(rng, &[("mail.example.com", 50), ("post.example.org", 30), ("example.net", 20)]);
    let number = rng.random_range(1..10_000_u32);
    match rng.random_range(0..3_u32) {
        0 => format!("{first}.{last}{number}@{domain}"),
        1 => format!("{first}{number}@{domain}"),
        _ => format!("{}{last}{number}@{domain}", first.chars().take(1).collect::<String>()),
    }
}

fn phone(rng: &mut ChaCha8Rng, place: &Place) -> String {
    filled(rng, &format!("{} 000#####", place.dial))
}

/// Replaces `#` by digits and `?` by letters that are hard to misread.
fn filled(rng: &mut ChaCha8Rng, form: &str) -> String {
    form.chars()
        .map(|sign| match sign {
            '#' => char::from(b'0' + rng.random_range(0..10_u8)),
            '?' => "ABCDEFGHJKLMNPRSTVWXZ".as_bytes().choose(rng).copied().map_or('X', char::from),
            other => other,
        })
        .collect()
}

/// Lower-case ASCII letters and hyphens of a name.
fn ascii(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            'a'..='z' | '-' => Some(letter),
            'à' | 'á' | 'â' | 'ä' | 'å' | 'ą' => Some('a'),
            'ç' | 'ć' => Some('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ę' => Some('e'),
            'í' | 'î' | 'ï' => Some('i'),
            'ł' => Some('l'),
            'ñ' | 'ń' => Some('n'),
            'ò' | 'ó' | 'ô' | 'ö' => Some('o'),
            'ß' | 'ś' => Some('s'),
            'ù' | 'ú' | 'ü' => Some('u'),
            'ź' | 'ż' => Some('z'),
            _ => None,
        })
        .collect()
}

fn note(rng: &mut ChaCha8Rng, email: &str, phone: &str) -> Option<String> {
    const PLAIN: &[&str] = &[
        "Prefers delivery to the neighbour on the ground floor.",
        "Parcel arrived damaged in spring; was refunded.",
        "Asked for the catalogue on paper.",
        "Is hard of hearing, please write instead of calling.",
        "Birthday present, do not enclose the invoice.",
        "Moved house recently; check the address before sending.",
        "Complained about the waiting time on the phone.",
        "Wants to be addressed formally.",
    ];
    let text = match rng.random_range(0..100_u32) {
        0..70 => return None,
        70..90 => pick(rng, PLAIN).to_owned(),
        90..95 => format!("Send invoices to {email} only."),
        95..99 => format!("Can be reached on {phone} after 6 p.m."),
        _ => format!("Confirm changes by mail to {email} or call {phone}."),
    };
    Some(text)
}

/// More orders lately than long ago, and more in the evening than in the morning.
fn order_time(rng: &mut ChaCha8Rng) -> Instant {
    let (one, other) = (rng.random_range(0..ORDER_DAYS), rng.random_range(0..ORDER_DAYS));
    let days_ago = if rng.random_bool(0.5) { one.min(other) } else { one };
    let second = rng.random_range(0..57_600_i64).max(rng.random_range(0..57_600_i64)) + 25_200;
    let midnight = Instant::from_seconds(i64::from(LAST_DAY) * 86_400);
    midnight.plus_days(-days_ago).plus_seconds(second)
}

fn status(rng: &mut ChaCha8Rng, ordered_at: Instant) -> &'static str {
    let days_ago = i64::from(LAST_DAY) - i64::from(ordered_at.date().days_since_epoch());
    match days_ago {
        ..2 => weighted(rng, &[("placed", 70), ("shipped", 25), ("cancelled", 5)]),
        2..6 => weighted(rng, &[("placed", 5), ("shipped", 45), ("delivered", 45), ("cancelled", 5)]),
        _ => weighted(rng, &[("delivered", 88), ("returned", 8), ("cancelled", 4)]),
    }
}

#[cfg(test)]
mod tests;
