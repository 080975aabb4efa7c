//! The whole path over real tables, where they lie beside the clone: Chinook's customers and invoices, and Adult.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use crate::database::{Database, run};
use crate::harness::{House, permit, processor_terms};

/// What a treatment makes of an age.
type Expected = fn(i64) -> Value;

/// The file below `../shared/data`, if it is there.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    if !file.is_file() {
        println!("skipped: there is no {path} beside this clone");
        return None;
    }
    Some(file)
}

async fn source(house: &House, location: Value) -> (String, Vec<Value>) {
    let source = house.post(Role::DataSteward, "/api/v1/sources", json!({"name": "Real", "location": location})).await.good();
    let id = source["id"].as_str().unwrap().to_owned();
    let tables = house.get(Role::DataSteward, &format!("/api/v1/sources/{id}/tables")).await.good();
    (id, tables["items"].as_array().unwrap().clone())
}

/// Catalogues a discovered table with every column it has; class and category by name.
async fn catalogue(
    house: &House,
    name: &str,
    source: &str,
    table: &Value,
    subject: Value,
    class: impl Fn(&str) -> (&'static str, &'static str),
) {
    let fields: Vec<Value> = table["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            let (class, category) = class(column["name"].as_str().unwrap());
            json!({"name": column["name"], "type": column["type"], "class": class, "category": category})
        })
        .collect();
    let body = json!({"name": name, "source": source, "table": table["name"], "fields": fields, "subject": subject});
    house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
}

/// A vendor with an agreement over every category that these tables need.
async fn vendor(house: &House, name: &str, permits: &[(&str, Value)]) -> crate::harness::Vendor {
    let id = house.register(name).await;
    let paper = house.assess(&id).await;
    house.act(&id, "activate").await;
    let agreement = house.draft(&id, name, &paper, &[]).await;
    let base = format!("/api/v1/agreements/{agreement}");
    let mut terms = processor_terms(&house.clock, &paper);
    terms["data_categories"] =
        json!(["identifying", "contact", "location", "transactional", "demographic", "professional", "financial", "ethnic-origin"]);
    let version = house.counter(&agreement, 1).await;
    house.put(Role::VendorManager, &format!("{base}/versions/1/terms"), json!({"version": version, "terms": terms})).await.good();
    for (key, terms) in permits {
        house.post(Role::VendorManager, &format!("{base}/permits"), json!({"key": key, "terms": terms})).await.good();
    }
    house.post(Role::VendorManager, &format!("{base}/versions/1/submit"), json!({})).await.good();
    let approved = house.approve(&agreement, 1, house.key(Role::PrivacyOfficer), json!([])).await.good();
    house.sign(&agreement, 1, approved["versions"][0]["document"].as_str().unwrap()).await;
    let client =
        house.post(Role::VendorManager, &format!("/api/v1/vendors/{id}/clients"), json!({"name": "m", "hand_over": "answer"})).await.good();
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    crate::harness::Vendor { id, agreement, client_id: text("client_id"), client_secret: text("client_secret") }
}

async fn lines(house: &House, token: &str, path: &str) -> Vec<Value> {
    let answer = house.pull(token, path, "application/x-ndjson").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The cells of a CSV answer, RFC 4180: quotes double within quotes, and lines end in CR LF.
fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(cell.is_empty() && row.is_empty(), "the last line ends");
    rows
}

#[test]
fn chinooks_customers_and_invoices_join_on_pseudonyms_alone() {
    let Some(file) = shared("chinook/chinook.sqlite") else { return };
    run(async {
        let house = House::start(Database::sqlite()).await;
        std::fs::copy(&file, house.sources().join("chinook.sqlite")).unwrap();
        let (id, tables) = source(&house, json!({"kind": "sqlite", "path": "chinook.sqlite"})).await;
        let named = |name: &str| tables.iter().find(|table| table["name"] == name).unwrap_or_else(|| panic!("no {name} in {tables:?}"));
        let types = |name: &str| -> BTreeMap<String, String> {
            let columns = named(name)["columns"].as_array().unwrap().iter();
            columns.map(|column| (column["name"].as_str().unwrap().to_owned(), column["type"].as_str().unwrap().to_owned())).collect()
        };
        assert_eq!(types("Customer").len(), 13);
        assert_eq!((types("Customer")["CustomerId"].as_str(), types("Customer")["Email"].as_str()), ("integer", "text"));
        assert_eq!(types("Invoice").len(), 9);
        let class = |name: &str| match name {
            "FirstName" | "LastName" => ("direct_identifier", "identifying"),
            "Email" | "Phone" | "Fax" => ("direct_identifier", "contact"),
            "Total" | "InvoiceDate" => ("plain", "transactional"),
            _ => ("quasi_identifier", "location"),
        };
        let subject = json!({"field": "CustomerId", "domain": "customer"});
        catalogue(&house, "customers", &id, named("Customer"), subject.clone(), class).await;
        catalogue(&house, "invoices", &id, named("Invoice"), subject, class).await;

        let pseudonym = json!({"kind": "pseudonym", "format": "base32"});
        let customers = permit(
            "customers",
            json!({
                "CustomerId": pseudonym, "Country": {"kind": "clear"},
                "Email": {"kind": "mask", "prefix": 1, "suffix": 0, "pad": 4, "email_domain": true},
                "Phone": {"kind": "mask", "prefix": 3, "suffix": 0, "pad": 6}
            }),
        );
        let total = if types("Invoice")["Total"] == "text" { json!({"kind": "clear"}) } else { json!({"kind": "round", "step": 1.0}) };
        let invoices = permit("invoices", json!({"CustomerId": pseudonym, "Total": total, "BillingCountry": {"kind": "clear"}}));
        let acme = vendor(&house, "Acme", &[("acme-customers", customers.clone()), ("acme-invoices", invoices)]).await;
        let other = vendor(&house, "Other", &[("other-customers", customers)]).await;
        let (token, others) = (house.token(&acme).await, house.token(&other).await);

        let people = lines(&house, &token, "/data/v1/datasets/customers/records").await;
        let bills = lines(&house, &token, "/data/v1/datasets/invoices/records").await;
        assert_eq!((people.len(), bills.len()), (59, 412));
        let keys = |rows: &[Value]| -> BTreeSet<String> { rows.iter().map(|row| row["CustomerId"].as_str().unwrap().to_owned()).collect() };
        assert_eq!(keys(&people).len(), 59);
        assert_eq!(keys(&people), keys(&bills), "each customer's invoices are found, and no other's");
        // The join is the right one: the country of each bill is its customer's.
        let country: BTreeMap<&str, &Value> = people.iter().map(|row| (row["CustomerId"].as_str().unwrap(), &row["Country"])).collect();
        for bill in &bills {
            assert_eq!(&bill["BillingCountry"], country[bill["CustomerId"].as_str().unwrap()]);
        }
        let theirs = lines(&house, &others, "/data/v1/datasets/customers/records").await;
        assert!(keys(&theirs).is_disjoint(&keys(&people)), "another agreement, another pseudonym");

        assert_eq!(people[0]["Email"], "l****@embraer.com.br");
        assert_eq!(people[0]["Phone"], "+55******");
        assert_eq!(people[1]["Country"], "Germany");
        let csv = house.pull(&token, "/data/v1/datasets/customers/records", "text/csv").await;
        let table = cells(&csv.text);
        assert_eq!(table.len(), 60);
        assert_eq!(table[0], ["CustomerId", "Country", "Phone", "Email"]);
        for (cells, row) in table[1..].iter().zip(&people) {
            let values: Vec<&str> = table[0].iter().map(|name| row[name].as_str().unwrap_or("")).collect();
            assert_eq!(cells, &values, "CSV and NDJSON say the same");
        }
        let raw = people.iter().map(Value::to_string).collect::<String>() + &csv.text;
        for withheld in ["Gonçalves", "luisg", "Köhler", "leonekohler", "3923-5555", "Faria Lima", "Embraer -"] {
            assert!(!raw.contains(withheld), "{withheld} left");
        }
        let filtered =
            house.pull(&token, "/data/v1/datasets/customers/records?Country=eq.Germany&select=Country", "application/json").await.good();
        assert_eq!(filtered["rows"].as_array().unwrap().len(), 4);
    });
}

/// Adult's columns, catalogued; each row's cells by column.
async fn adult(house: &House, file: &PathBuf) -> Vec<BTreeMap<String, String>> {
    std::fs::copy(file, house.sources().join("adult.csv")).unwrap();
    let (id, tables) = source(house, json!({"kind": "csv", "path": "adult.csv", "delimiter": ";"})).await;
    let subject = json!({"field": "occupation", "domain": "occupation"});
    catalogue(house, "adult", &id, &tables[0], subject, |_| ("quasi_identifier", "demographic")).await;
    let raw = std::fs::read_to_string(file).unwrap();
    let header: Vec<&str> = raw.lines().next().unwrap().split(';').collect();
    let cells = |line: &str| header.iter().zip(line.split(';')).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect();
    raw.lines().skip(1).map(cells).collect()
}

#[test]
fn adults_own_hierarchies_know_every_value_at_every_level() {
    let Some(file) = shared("adult/adult.csv") else { return };
    run(async {
        let house = House::start(Database::sqlite()).await;
        let originals = adult(&house, &file).await;
        let mut files: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for column in originals[0].keys() {
            let Some(path) = shared(&format!("adult/adult_hierarchy_{column}.csv")) else { return };
            let text = std::fs::read_to_string(path).unwrap();
            let kept = house.upload(Role::DataSteward, "POST", &format!("/api/v1/hierarchies?name={column}"), text.as_bytes()).await.good();
            let rows: Vec<Vec<String>> = text.lines().map(|line| line.split(';').map(str::to_owned).collect()).collect();
            assert_eq!(
                (kept["values"].as_u64().unwrap() as usize, kept["texts"].as_array().unwrap().len()),
                (rows.len(), rows[0].len() - 1)
            );
            files.insert(column.clone(), rows);
        }
        // One permit for each level; a column with fewer levels stands at its last.
        let level = |column: &str, wanted: usize| wanted.min(files[column][0].len() - 1);
        let terms = |wanted: usize| {
            let fields = files.keys().map(|column| {
                let treatment = json!({"kind": "generalise_hierarchy", "hierarchy": column, "version": 1, "level": level(column, wanted)});
                (column.clone(), treatment)
            });
            permit("adult", Value::Object(fields.collect()))
        };
        let keys: Vec<String> = (1..=4).map(|wanted| format!("level-{wanted}")).collect();
        let permits: Vec<(&str, Value)> = keys.iter().zip(1..).map(|(key, wanted)| (key.as_str(), terms(wanted))).collect();
        let acme = vendor(&house, "Acme", &permits).await;
        let token = house.token(&acme).await;
        for (key, wanted) in keys.iter().zip(1..) {
            let told = |column: &str, value: &str| &files[column].iter().find(|row| row[0] == value).unwrap()[level(column, wanted)];
            let rows = lines(&house, &token, &format!("/data/v1/datasets/adult/records?permit={key}")).await;
            assert_eq!(rows.len(), originals.len());
            for (row, original) in rows.iter().zip(&originals) {
                for (column, value) in original {
                    assert_eq!(row[column], json!(told(column, value)), "{column} at {wanted}");
                }
            }
        }
        for entry in house.history("kind=closed").await {
            assert!(entry["leaf"].get("withheld").is_none(), "nothing is unmapped: {entry}");
        }
    });
}

#[test]
fn every_treatment_that_fits_is_done_to_adult() {
    let Some(file) = shared("adult/adult.csv") else { return };
    run(async {
        let house = House::start(Database::sqlite()).await;
        let raw = std::fs::read_to_string(&file).unwrap();
        std::fs::copy(&file, house.sources().join("adult.csv")).unwrap();
        let (id, tables) = source(&house, json!({"kind": "csv", "path": "adult.csv", "delimiter": ";"})).await;
        assert_eq!(tables.len(), 1);
        let columns: Vec<(&str, &str)> = tables[0]["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| (column["name"].as_str().unwrap(), column["type"].as_str().unwrap()))
            .collect();
        assert_eq!(columns.len(), 9);
        assert!(columns.iter().all(|(name, kind)| *kind == if *name == "age" { "integer" } else { "text" }), "{columns:?}");
        // There is no key of a person in this table; occupation stands for one, as any field could.
        let subject = json!({"field": "occupation", "domain": "occupation"});
        catalogue(&house, "adult", &id, &tables[0], subject, |name| match name {
            "race" => ("sensitive", "ethnic-origin"),
            "salary-class" => ("sensitive", "financial"),
            "occupation" | "workclass" | "education" => ("quasi_identifier", "professional"),
            _ => ("quasi_identifier", "demographic"),
        })
        .await;

        let clear = json!({"kind": "clear"});
        let texts = json!({
            "sex": clear, "race": {"kind": "withhold"}, "marital-status": {"kind": "truncate", "length": 3}, "workclass": {"kind": "constant", "value": "w"},
            "education": {"kind": "mask", "prefix": 1, "suffix": 1, "pad": 2}, "occupation": {"kind": "pseudonym", "format": "uuid"}, "age": clear
        });
        let of_age = |treatment: Value| permit("adult", json!({"age": treatment}));
        let ages: [(&str, Value, Expected); 7] = [
            ("adult-lower", json!({"kind": "generalise_number", "width": 10, "as": "lower"}), |age| json!(age / 10 * 10)),
            ("adult-range", json!({"kind": "generalise_number", "width": 10, "origin": 5, "as": "range"}), |age| {
                let low = (age - 5) / 10 * 10 + 5;
                json!(format!("[{low},{})", low + 10))
            }),
            ("adult-round", json!({"kind": "round", "step": 2}), |age| {
                // Half goes to the even multiple.
                json!(if age % 2 == 0 {
                    age
                } else if (age / 2) % 2 == 0 {
                    age - 1
                } else {
                    age + 1
                })
            }),
            ("adult-bound", json!({"kind": "top_bottom_code", "bottom": 20, "top": 60, "as": "bound"}), |age| json!(age.clamp(20, 60))),
            ("adult-label", json!({"kind": "top_bottom_code", "bottom": 20, "top": 60, "as": "label"}), |age| {
                json!(if age >= 60 {
                    "60+".to_owned()
                } else if age <= 20 {
                    "20-".to_owned()
                } else {
                    age.to_string()
                })
            }),
            ("adult-pseudonym", json!({"kind": "pseudonym", "format": "base32"}), |_| Value::Null),
            ("adult-constant", json!({"kind": "constant", "value": 0}), |_| json!(0)),
        ];
        let mut permits: Vec<(&str, Value)> = ages.iter().map(|(key, treatment, _)| (*key, of_age(treatment.clone()))).collect();
        permits.push(("adult-texts", permit("adult", texts)));
        let acme = vendor(&house, "Acme", &permits).await;
        let token = house.token(&acme).await;

        let header: Vec<&str> = raw.lines().next().unwrap().split(';').collect();
        let originals: Vec<BTreeMap<&str, &str>> =
            raw.lines().skip(1).map(|line| header.iter().copied().zip(line.split(';')).collect()).collect();
        assert_eq!(originals.len(), 30_162);
        let age = |at: usize| originals[at]["age"].parse::<i64>().unwrap();

        let path = "/data/v1/datasets/adult/records";
        let rows = lines(&house, &token, &format!("{path}?permit=adult-texts")).await;
        assert_eq!(rows.len(), 30_162);
        let mut pseudonyms: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (row, original) in rows.iter().zip(&originals) {
            let short: String = original["marital-status"].chars().take(3).collect();
            let (first, last) = (original["education"].chars().next().unwrap(), original["education"].chars().last().unwrap());
            assert_eq!((&row["sex"], &row["marital-status"], &row["workclass"]), (&json!(original["sex"]), &json!(short), &json!("w")));
            assert_eq!(row["education"], json!(format!("{first}**{last}")));
            assert_eq!(row["age"].as_i64().unwrap().to_string(), original["age"]);
            assert_eq!(row.as_object().unwrap().len(), 6, "race and what was not named are absent");
            pseudonyms.entry(original["occupation"]).or_default().insert(row["occupation"].as_str().unwrap());
        }
        assert_eq!(pseudonyms.len(), 14);
        assert!(pseudonyms.values().all(|one| one.len() == 1), "one occupation, one pseudonym");
        assert_eq!(pseudonyms.values().flatten().collect::<BTreeSet<_>>().len(), 14, "two occupations, two pseudonyms");

        for (key, _, expected) in ages {
            let rows = lines(&house, &token, &format!("{path}?permit={key}")).await;
            assert_eq!(rows.len(), 30_162, "{key}");
            for (at, row) in rows.iter().enumerate() {
                if key == "adult-pseudonym" {
                    assert_eq!(row["age"].as_str().unwrap().len(), 26);
                } else {
                    assert_eq!(row["age"], expected(age(at)), "{key} of {}", age(at));
                }
            }
        }

        // Pages laid side by side are the stream, and CSV has as many rows.
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = house.pull(&token, &format!("{path}?permit=adult-texts&limit=10000{cursor}"), "application/json").await.good();
            paged.extend(page["rows"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(paged == rows, "{} rows in pages", paged.len());
        let csv = house.pull(&token, &format!("{path}?permit=adult-texts"), "text/csv").await;
        assert_eq!(csv.text.lines().count(), 30_163);
        let women =
            house.pull(&token, &format!("{path}?permit=adult-texts&sex=eq.Female&age=gte.40&select=sex"), "application/x-ndjson").await;
        let expected = originals.iter().filter(|row| row["sex"] == "Female" && row["age"].parse::<i64>().unwrap() >= 40).count();
        assert_eq!(women.text.lines().count(), expected);
    });
}
