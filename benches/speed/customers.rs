//! The customers of the measurement: twelve columns, made up, the same on every machine.

use std::path::Path;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tidegate::domain::Date;
use tidegate::engine::sample::{SampleColumn, SampleValues, write_parquet_batches};

const CHUNK: usize = 65_536;

/// Half of them are released.
pub const COUNTRIES: [&str; 8] = ["DE", "FR", "NL", "SE", "AT", "IE", "ES", "IT"];

const FIRST: [&str; 12] = ["Ada", "Ben", "Chloé", "Dora", "Emil", "Freya", "Gül", "Hugo", "Ines", "Jan", "Kaja", "Liam"];
const LAST: [&str; 12] = ["Adler", "Berg", "Costa", "Dubois", "Eriksson", "Falk", "García", "Huber", "Ivanov", "Jansen", "Kovač", "Müller"];
const CITIES: [&str; 8] = ["Ulm", "Lyon", "Utrecht", "Malmö", "Graz", "Cork", "Girona", "Bari"];
const TIERS: [&str; 4] = ["bronze", "silver", "gold", "platinum"];
const HOSTS: [&str; 5] = ["mail.example", "post.example", "inbox.example", "correo.example", "web.example"];

/// Writes that many of them, in constant memory.
pub fn write(path: &Path, count: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut written = 0;
    let chunks = std::iter::from_fn(|| {
        let rows = CHUNK.min(count - written);
        let from = written;
        written += rows;
        (rows > 0).then(|| columns(&mut rng, from, rows))
    });
    write_parquet_batches(path, chunks).unwrap();
}

fn columns(rng: &mut ChaCha8Rng, from: usize, rows: usize) -> Vec<SampleColumn> {
    let text = |name, values: Vec<Option<String>>| SampleColumn { name, values: SampleValues::Text(values) };
    let any = |rng: &mut ChaCha8Rng, of: &[&str]| of.choose(rng).map(|word| (*word).to_owned());
    let each = |rng: &mut ChaCha8Rng, of: &dyn Fn(&mut ChaCha8Rng, usize) -> Option<String>| {
        (from..from + rows).map(|row| of(rng, row)).collect::<Vec<_>>()
    };
    let days = |rng: &mut ChaCha8Rng, first: i32, last: i32| {
        let day = |rng: &mut ChaCha8Rng| {
            Date::from_days_since_epoch(rng.random_range(first..last)).filter(|_| !rng.next_u32().is_multiple_of(50))
        };
        SampleValues::Date((0..rows).map(|_| day(rng)).collect())
    };
    vec![
        text("customer_id", each(rng, &|_, row| Some(format!("C{:08}", row + 1)))),
        text("first_name", each(rng, &|rng, _| any(rng, &FIRST))),
        text("last_name", each(rng, &|rng, _| any(rng, &LAST))),
        text("email", each(rng, &|rng, row| Some(format!("customer.{}@{}", row * 7_919 % 99_999_989, any(rng, &HOSTS)?)))),
        text("phone", each(rng, &|rng, _| Some(format!("+49 30 {:07}", rng.random_range(0..10_000_000))))),
        SampleColumn { name: "birth_date", values: days(rng, -14_000, 13_000) },
        SampleColumn { name: "signed_up", values: days(rng, 16_000, 20_600) },
        text("city", each(rng, &|rng, _| any(rng, &CITIES))),
        text("postal_code", each(rng, &|rng, _| Some(format!("{:05}", rng.random_range(0..100_000))))),
        text("country", each(rng, &|rng, _| any(rng, &COUNTRIES))),
        text("loyalty_tier", each(rng, &|rng, _| any(rng, &TIERS))),
        SampleColumn {
            name: "lifetime_value",
            values: SampleValues::Number((0..rows).map(|_| Some(f64::from(rng.random_range(0..1_000_000)) / 100.0)).collect()),
        },
    ]
}
