//! The demo as anyone starts it: its vendors get what their permits say of its 5,000 customers, and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::broker::program;
use crate::database::run;

/// A running `tidegate demo`. Dropping it kills it.
struct Demo {
    child: Child,
    /// The one line of JSON that it says.
    said: Value,
    http: reqwest::Client,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // One that has ended already can't be killed, and needs not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A pull as it came.
struct Pulled {
    release: String,
    bytes: Vec<u8>,
    rows: Vec<Value>,
}

impl Pulled {
    fn column(&self, name: &str) -> Vec<&str> {
        self.rows.iter().map(|row| row[name].as_str().unwrap()).collect()
    }
}

impl Demo {
    /// Starts one and waits for what it says; a closed stdout without a line is a demo that did not start.
    fn start(data_dir: &Path) -> Self {
        let mut command = program(&[]);
        command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut demo = Self { child, said: Value::Null, http: reqwest::Client::builder().no_proxy().build().unwrap() };
        let mut line = String::new();
        BufReader::new(demo.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        demo.said = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        demo
    }

    fn url(&self) -> &str {
        self.said["url"].as_str().unwrap()
    }

    /// What it says but for its address, which the system chooses at each start.
    fn all_but_the_address(&self) -> Value {
        let mut said = self.said.clone();
        said.as_object_mut().unwrap().remove("url");
        said
    }

    async fn token(&self, vendor: &str) -> String {
        let vendors = self.said["vendors"].as_array().unwrap();
        let vendor = vendors.iter().find(|one| one["name"].as_str().unwrap().starts_with(vendor)).unwrap();
        let text = |name: &str| vendor[name].as_str().unwrap();
        let request = self.http.post(format!("{}/oauth/token", self.url())).basic_auth(text("client_id"), Some(text("client_secret")));
        let form = request.header("content-type", "application/x-www-form-urlencoded").body("grant_type=client_credentials");
        let answer: Value = form.send().await.unwrap().error_for_status().unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Everything that a vendor gets of a dataset.
    async fn pull(&self, vendor: &str, dataset: &str) -> Pulled {
        let token = self.token(vendor).await;
        let request = self.http.get(format!("{}/data/v1/datasets/{dataset}/records", self.url())).bearer_auth(token);
        let answer = request.header("accept", "application/x-ndjson").send().await.unwrap().error_for_status().unwrap();
        let release = answer.headers()["tidegate-release"].to_str().unwrap().to_owned();
        let bytes = answer.bytes().await.unwrap().to_vec();
        let rows = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let rows = rows.map(|line| serde_json::from_slice(line).unwrap()).collect();
        Pulled { release, bytes, rows }
    }

    /// The entry that closed a stream, once it has its position.
    async fn closed(&self, release: &str) -> Value {
        let staff = self.said["staff"].as_array().unwrap();
        let reviewer = staff.iter().find(|person| person["role"] == "compliance_reviewer").unwrap()["api_key"].as_str().unwrap();
        for _ in 0..2_000 {
            let url = format!("{}/api/v1/history?kind=closed&release={release}", self.url());
            let list: Value = self.http.get(url).bearer_auth(reviewer).send().await.unwrap().json().await.unwrap();
            if let Some(entry) = list["items"].as_array().unwrap().first() {
                return entry.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the history does not show {release}");
    }
}

type Row = BTreeMap<String, String>;

/// A table of the demo's shop in the source's order, every value as text; NULLs are left out.
fn table(data_dir: &Path, name: &str) -> Vec<Row> {
    let shop = rusqlite::Connection::open(data_dir.join("sources/shop.db")).unwrap();
    let mut statement = shop.prepare(&format!("SELECT * FROM {name} ORDER BY rowid")).unwrap();
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let value = |at: usize| match row.get_ref(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number.to_string())),
            ValueRef::Real(number) => Ok(Some(number.to_string())),
            ValueRef::Text(text) | ValueRef::Blob(text) => Ok::<_, rusqlite::Error>(Some(String::from_utf8(text.to_vec()).unwrap())),
        };
        let cells = columns.iter().enumerate().map(|(at, column)| Ok(value(at)?.map(|value| (column.clone(), value))));
        cells.filter_map(Result::transpose).collect::<Result<Row, rusqlite::Error>>()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The values of these columns that are long enough to be told from chance.
fn telling<'a>(rows: &'a [Row], columns: &[&str]) -> BTreeSet<&'a str> {
    let values = rows.iter().flat_map(|row| columns.iter().filter_map(|column| row.get(*column)));
    values.map(String::as_str).filter(|value| value.len() >= 5).collect()
}

/// Those of the values that stand somewhere in the bytes, in whatever place.
fn found<'a>(values: &BTreeSet<&'a str>, bytes: &[u8]) -> Vec<&'a str> {
    let mut by_beginning: HashMap<&[u8], Vec<&'a str>> = HashMap::new();
    for value in values {
        by_beginning.entry(&value.as_bytes()[..5]).or_default().push(value);
    }
    let mut found = BTreeSet::new();
    for (at, beginning) in bytes.windows(5).enumerate() {
        let here = by_beginning.get(beginning).into_iter().flatten();
        found.extend(here.filter(|value| bytes[at..].starts_with(value.as_bytes())));
    }
    found.into_iter().collect()
}

/// The bytes with their pseudonyms taken out. They are random letters and digits, so a short postal code can stand in
/// one by chance; that they are pseudonyms and nothing else is told from their form.
fn without_pseudonyms(pulled: &Pulled, field: &str) -> Vec<u8> {
    let mut text = String::from_utf8(pulled.bytes.clone()).unwrap();
    for pseudonym in pulled.column(field) {
        assert!(pseudonym.len() == 26 && pseudonym.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')), "{pseudonym}");
        let at = text.find(pseudonym).unwrap();
        text.replace_range(at..at + 26, "");
    }
    text.into_bytes()
}

/// The 128 bits of a pseudonym in either format, in hexadecimal.
fn bits(pseudonym: &str) -> String {
    if pseudonym.contains('-') {
        return pseudonym.replace('-', "");
    }
    let value = |sign: u8| u32::from(if sign.is_ascii_digit() { sign - b'2' + 26 } else { sign - b'a' });
    let digits: String = pseudonym.bytes().map(|sign| format!("{:05b}", value(sign))).collect();
    let nibbles = digits.as_bytes()[..128].chunks(4).map(|four| u8::from_str_radix(std::str::from_utf8(four).unwrap(), 2).unwrap());
    nibbles.map(|nibble| format!("{nibble:x}")).collect()
}

#[test]
fn the_demo_keeps_what_it_promises() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = directory.path().join("demo");
        let demo = Demo::start(&data_dir);
        let (customers, orders) = (table(&data_dir, "customers"), table(&data_dir, "orders"));
        assert_eq!((customers.len(), orders.len()), (5_000, 25_000));

        let northlight = demo.pull("Northlight", "customers").await;
        let kestrel = demo.pull("Kestrel", "customers").await;
        let brightmail = demo.pull("Brightmail", "customers").await;
        nothing_withheld_is_anywhere(&customers, &northlight, &kestrel);
        pseudonyms_differ(&customers, &northlight, &kestrel, &brightmail);
        let bought = demo.pull("Northlight", "orders").await;
        orders_join(&customers, &orders, &northlight, &bought);
        for (name, pulled) in [("northlight", &northlight), ("kestrel", &kestrel), ("brightmail", &brightmail), ("northlight", &bought)] {
            let entry = demo.closed(&pulled.release).await;
            let leaf = &entry["leaf"];
            assert!(leaf["permit"].as_str().unwrap().starts_with(name), "{leaf}");
            assert_eq!((leaf["rows"].as_u64(), &leaf["cut"]), (Some(pulled.rows.len() as u64), &Value::Null), "{leaf}");
            assert_eq!(leaf["content"], tidegate::keys::sha256_hex(&pulled.bytes), "{leaf}");
        }

        let said = demo.all_but_the_address();
        drop(demo);
        let again = Demo::start(&data_dir);
        assert_eq!(again.all_but_the_address(), said);
        assert_eq!(again.closed(&northlight.release).await["leaf"]["release"], northlight.release, "the history stays");
        assert_eq!(again.pull("Northlight", "customers").await.bytes, northlight.bytes, "data and keys stay");
    });
}

fn nothing_withheld_is_anywhere(customers: &[Row], northlight: &Pulled, kestrel: &Pulled) {
    assert_eq!(northlight.rows.len(), 5_000);
    let columns = [
        "customer_id",
        "first_name",
        "last_name",
        "email",
        "phone",
        "birth_date",
        "street",
        "city",
        "postal_code",
        "note",
        "lifetime_value",
    ];
    // Of what is coded from above, only what lies beyond the bound is withheld.
    let coded: Vec<Row> = customers
        .iter()
        .cloned()
        .map(|mut row| {
            row.retain(|name, value| name != "lifetime_value" || value.parse::<f64>().unwrap() > 5_000.0);
            row
        })
        .collect();
    let withheld = telling(&coded, &columns);
    assert!(withheld.len() > 20_000, "{}", withheld.len());
    assert_eq!(found(&withheld, &without_pseudonyms(northlight, "customer_id")), [""; 0]);
    // The search finds what is there: the carrier gets streets as they are, and no e-mail address.
    let streets = telling(customers, &["street"]);
    assert_eq!(found(&streets, &kestrel.bytes).len(), streets.len());
    assert_eq!(found(&telling(customers, &["email", "birth_date", "note", "phone", "customer_id"]), &kestrel.bytes), [""; 0]);
}

/// Joined by their place in the source, no two vendors hold the same pseudonym of the same customer, nor of any other.
fn pseudonyms_differ(customers: &[Row], northlight: &Pulled, kestrel: &Pulled, brightmail: &Pulled) {
    let bits_of = |pulled: &Pulled| pulled.column("customer_id").into_iter().map(bits).collect::<Vec<_>>();
    let (all, carriers, mailed) = (bits_of(northlight), bits_of(kestrel), bits_of(brightmail));
    let agreed: Vec<usize> = (0..customers.len()).filter(|at| matches!(customers[*at]["marketing_email"].as_str(), "1" | "true")).collect();
    assert_eq!((all.len(), carriers.len(), mailed.len()), (5_000, 5_000, agreed.len()));
    assert!(agreed.len() > 1_000, "{}", agreed.len());
    assert!(all.iter().zip(&carriers).all(|(one, other)| one != other));
    assert!(agreed.iter().zip(&mailed).all(|(at, mailed)| *mailed != all[*at] && *mailed != carriers[*at]));
    let sets = [all, carriers, mailed].map(BTreeSet::from_iter);
    let distinct: BTreeSet<&String> = sets.iter().flatten().collect();
    assert_eq!(distinct.len(), sets.iter().map(BTreeSet::len).sum::<usize>(), "somebody's pseudonym is with two vendors");
    assert_eq!(sets[0].len(), 5_000, "two customers have one pseudonym");
}

/// Every order leads to the customer who placed it, by the pseudonym alone.
fn orders_join(customers: &[Row], orders: &[Row], pulled: &Pulled, bought: &Pulled) {
    let keys = customers.iter().map(|customer| customer["customer_id"].as_str());
    let pseudonyms: HashMap<&str, &str> = keys.zip(pulled.column("customer_id")).collect();
    let known: BTreeSet<&str> = pseudonyms.values().copied().collect();
    let placed = bought.column("customer_id");
    assert_eq!(placed.len(), orders.len());
    assert!(placed.iter().all(|pseudonym| known.contains(pseudonym)));
    assert!(orders.iter().zip(&placed).all(|(order, pseudonym)| pseudonyms[order["customer_id"].as_str()] == *pseudonym));
}
