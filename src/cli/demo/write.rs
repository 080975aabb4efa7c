//! Turns the demo's rows into columns and writes the shop's files: Parquet, and SQLite with both tables.

use std::path::Path;

use super::rows::{self, Customer, Order};
use crate::domain::{Date, Instant};
use crate::engine::sample::{SampleColumn, SampleError, SampleTable, SampleValues, write_parquet, write_parquet_batches, write_sqlite};

/// Rows turned into columns at a time when a file is written by chunks.
const CHUNK_ROWS: usize = 65_536;

/// Writes `customers.parquet`, `orders.parquet` and `shop.db` into a directory that exists.
///
/// # Errors
/// What the file system or the writers say.
pub fn shop(directory: &Path) -> Result<(), SampleError> {
    let customers = rows::customers();
    let orders = rows::orders(&customers);
    let (customers, orders) = (customer_columns(&customers), order_columns(&orders));
    write_parquet(&directory.join("customers.parquet"), &customers)?;
    write_parquet(&directory.join("orders.parquet"), &orders)?;
    let tables = [SampleTable { name: "customers", columns: customers }, SampleTable { name: "orders", columns: orders }];
    write_sqlite(&directory.join("shop.db"), &tables)
}

/// Writes that many customers as one Parquet file in constant memory; made for measuring.
///
/// # Errors
/// As [`shop`]; also for no rows.
pub fn many_customers(path: &Path, count: usize) -> Result<(), SampleError> {
    let mut customers = rows::endless_customers().take(count);
    write_parquet_batches(
        path,
        std::iter::from_fn(move || {
            let chunk: Vec<Customer> = customers.by_ref().take(CHUNK_ROWS).collect();
            (!chunk.is_empty()).then(|| customer_columns(&chunk))
        }),
    )
}

/// The customers by column, in the order of the type's fields.
pub fn customer_columns(customers: &[Customer]) -> Vec<SampleColumn> {
    let text = |of: fn(&Customer) -> Option<&str>| SampleValues::Text(each(customers, |row| of(row).map(str::to_owned)));
    let flag = |of: fn(&Customer) -> bool| SampleValues::Boolean(each(customers, |row| Some(of(row))));
    let day = |of: fn(&Customer) -> Option<Date>| SampleValues::Date(each(customers, of));
    let number = |of: fn(&Customer) -> f64| SampleValues::Number(each(customers, |row| Some(of(row))));
    vec![
        column("customer_id", text(|row| Some(&row.customer_id))),
        column("first_name", text(|row| Some(&row.first_name))),
        column("last_name", text(|row| Some(&row.last_name))),
        column("email", text(|row| row.email.as_deref())),
        column("phone", text(|row| row.phone.as_deref())),
        column("birth_date", day(|row| row.birth_date)),
        column("street", text(|row| Some(&row.street))),
        column("city", text(|row| Some(&row.city))),
        column("postal_code", text(|row| Some(&row.postal_code))),
        column("country", text(|row| Some(&row.country))),
        column("gender", text(|row| row.gender.as_deref())),
        column("loyalty_tier", text(|row| row.loyalty_tier.as_deref())),
        column("lifetime_value", number(|row| row.lifetime_value)),
        column("marketing_email", flag(|row| row.marketing_email)),
        column("marketing_phone", flag(|row| row.marketing_phone)),
        column("note", text(|row| row.note.as_deref())),
    ]
}

/// The orders by column, in the order of the type's fields.
pub fn order_columns(orders: &[Order]) -> Vec<SampleColumn> {
    let text = |of: fn(&Order) -> Option<&str>| SampleValues::Text(each(orders, |row| of(row).map(str::to_owned)));
    let time = |of: fn(&Order) -> Instant| SampleValues::Timestamp(each(orders, |row| Some(of(row))));
    vec![
        column("order_id", text(|row| Some(&row.order_id))),
        column("customer_id", text(|row| Some(&row.customer_id))),
        column("ordered_at", time(|row| row.ordered_at)),
        column("status", text(|row| Some(&row.status))),
        column("items", SampleValues::Integer(each(orders, |row| Some(row.items)))),
        column("total", SampleValues::Number(each(orders, |row| Some(row.total)))),
        column("shipping_country", text(|row| Some(&row.shipping_country))),
        column("shipping_postal_code", text(|row| Some(&row.shipping_postal_code))),
        column("carrier_reference", text(|row| row.carrier_reference.as_deref())),
    ]
}

fn column(name: &'static str, values: SampleValues) -> SampleColumn {
    SampleColumn { name, values }
}

fn each<R, T>(rows: &[R], of: impl Fn(&R) -> Option<T>) -> Vec<Option<T>> {
    rows.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_is_three_files() {
        let directory = tempfile::tempdir().unwrap();
        shop(directory.path()).unwrap();
        let mut names: Vec<String> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["customers.parquet", "orders.parquet", "shop.db"]);
    }

    #[test]
    fn many_customers_begin_as_the_demos_do() {
        let directory = tempfile::tempdir().unwrap();
        let (many, same) = (directory.path().join("many"), directory.path().join("same"));
        many_customers(&many, rows::CUSTOMERS).unwrap();
        write_parquet(&same, &customer_columns(&rows::customers())).unwrap();
        assert_eq!(std::fs::read(many).unwrap(), std::fs::read(same).unwrap());
        assert!(matches!(many_customers(&directory.path().join("none"), 0), Err(SampleError::Shape)));
    }
}
