//! The demo's vendors: who they are, what their agreements and permits say.

use serde_json::{Value, json};

/// How a vendor of the demo is brought to where it stands.
pub struct Profile {
    pub legal_name: &'static str,
    pub country: &'static str,
    pub role: &'static str,
    pub tier: &'static str,
    pub contact: (&'static str, &'static str),
    /// Every how many questions it answers one badly; 0 for none.
    pub weak_every: usize,
    pub reference: &'static str,
    /// `processor` or `controller_to_controller`.
    pub agreement: &'static str,
    pub terms: Value,
    /// Key and terms of each permit.
    pub permits: Vec<(&'static str, Value)>,
    /// Direct identifiers that the privacy officer lets go out as they are.
    pub clear: &'static [&'static str],
}

fn processor(subject: &str, purposes: &[&str], categories: &[&str], instruction: &str) -> Value {
    json!({
        "subject_matter": subject,
        "nature": "Storage, evaluation and dispatch by automated means.",
        "purposes": purposes,
        "data_categories": categories,
        "subject_categories": ["Customers of the shop"],
        "instructions": [instruction],
        "sub_processors": {"authorisation": "general", "notice_days": 30, "objection_days": 14},
        "assistance": {"days": 5, "channel": "privacy desk of the vendor"},
        "breach_notice": {"hours": 24, "contact": "breach@shop.example"},
        "at_the_end": {"way": "delete", "deadline_days": 30},
        "audit": {"every_months": 12},
        "retention_days": 365
    })
}

/// The e-mail agency: names and addresses of those who agreed to e-mail, and their orders under the same pseudonym.
pub fn agency() -> Profile {
    let instruction = "Send the newsletters that we release to the customers that we release.";
    let permit = |dataset: &str, fields: Value, condition: Value| {
        json!({
            "dataset": dataset, "purpose": "email-marketing", "legal_basis": "legitimate_interests",
            "instruction": instruction, "fields": fields, "condition": condition, "daily_rows": 500_000
        })
    };
    Profile {
        legal_name: "Brightmail Agency GmbH",
        country: "DE",
        role: "processor",
        tier: "important",
        contact: ("Ines Falk", "ines.falk@brightmail.example"),
        weak_every: 9,
        reference: "dpa-brightmail",
        agreement: "processor",
        terms: processor(
            "E-mail newsletters",
            &["email-marketing"],
            &["technical", "identifying", "contact", "demographic", "location", "account", "preference", "transactional"],
            instruction,
        ),
        permits: vec![
            (
                "brightmail-newsletter",
                permit(
                    "customers",
                    json!({
                        "customer_id": {"kind": "pseudonym", "format": "base32"},
                        "first_name": {"kind": "clear"},
                        "email": {"kind": "clear"},
                        "country": {"kind": "clear"},
                        "loyalty_tier": {"kind": "clear"},
                        "birth_date": {"kind": "generalise_date", "unit": "month"}
                    }),
                    json!({"all": [{"field": "marketing_email", "op": "eq", "values": ["true"]}]}),
                ),
            ),
            (
                "brightmail-orders",
                permit(
                    "orders",
                    json!({
                        "customer_id": {"kind": "pseudonym", "format": "base32"},
                        "ordered_at": {"kind": "generalise_date", "unit": "day"},
                        "items": {"kind": "clear"},
                        "total": {"kind": "round", "step": 5.0}
                    }),
                    json!({"all": [{"field": "status", "op": "neq", "values": ["cancelled"]}]}),
                ),
            ),
        ],
        clear: &["email"],
    }
}

/// The analytics firm: the same customers, minimised.
pub fn analytics() -> Profile {
    let instruction = "Evaluate how customers use the shop; publish totals only.";
    let permit = |dataset: &str, fields: Value| {
        json!({
            "dataset": dataset, "purpose": "service-usage-analytics", "legal_basis": "legitimate_interests",
            "instruction": instruction, "fields": fields, "daily_rows": 500_000_000
        })
    };
    Profile {
        legal_name: "Northlight Analytics AB",
        country: "SE",
        role: "processor",
        tier: "standard",
        contact: ("Stig Holm", "stig.holm@northlight.example"),
        weak_every: 0,
        reference: "dpa-northlight",
        agreement: "processor",
        terms: processor(
            "Evaluation of the shop's use",
            &["service-usage-analytics"],
            &["technical", "demographic", "location", "account", "financial", "transactional"],
            instruction,
        ),
        permits: vec![
            (
                "northlight-customers",
                permit(
                    "customers",
                    json!({
                        "customer_id": {"kind": "pseudonym", "format": "base32"},
                        "birth_date": {"kind": "generalise_date", "unit": "age", "width": 10, "at": "2026-01-01"},
                        "postal_code": {"kind": "truncate", "length": 2},
                        "country": {"kind": "clear"},
                        "gender": {"kind": "clear"},
                        "loyalty_tier": {"kind": "clear"},
                        "lifetime_value": {"kind": "top_bottom_code", "top": 5000.0, "as": "bound"}
                    }),
                ),
            ),
            (
                "northlight-orders",
                permit(
                    "orders",
                    json!({
                        "customer_id": {"kind": "pseudonym", "format": "base32"},
                        "ordered_at": {"kind": "generalise_date", "unit": "week"},
                        "status": {"kind": "clear"},
                        "items": {"kind": "clear"},
                        "total": {"kind": "generalise_number", "width": 20.0, "as": "range"},
                        "shipping_country": {"kind": "clear"}
                    }),
                ),
            ),
        ],
        clear: &[],
    }
}

/// The carrier: a controller of its own, with what a parcel needs.
pub fn carrier() -> Profile {
    Profile {
        legal_name: "Kestrel Carriers BV",
        country: "NL",
        role: "controller",
        tier: "standard",
        contact: ("Noor de Wit", "noor.dewit@kestrel.example"),
        weak_every: 12,
        reference: "c2c-kestrel",
        agreement: "controller_to_controller",
        terms: json!({
            "subject_matter": "Delivery of parcels",
            "nature": "Transport of parcels and notice to their receivers.",
            "purposes": ["delivery-of-goods"],
            "data_categories": ["technical", "identifying", "contact", "location"],
            "subject_categories": ["Customers of the shop"],
            "breach_notice": {"hours": 24, "contact": "breach@shop.example"},
            "retention_days": 180,
            "controller": {
                "purpose_limits": "Delivery of the parcel and proof of it, nothing else.",
                "notice": "The shop's privacy notice names the carrier; the carrier's own is linked from the parcel notice.",
                "no_onward_sharing": true
            }
        }),
        permits: vec![(
            "kestrel-delivery",
            json!({
                "dataset": "customers", "purpose": "delivery-of-goods", "legal_basis": "contract",
                "fields": {
                    "customer_id": {"kind": "pseudonym", "format": "uuid"},
                    "first_name": {"kind": "truncate", "length": 1},
                    "last_name": {"kind": "clear"},
                    "phone": {"kind": "mask", "prefix": 3, "suffix": 3, "pad": 5},
                    "street": {"kind": "clear"},
                    "city": {"kind": "clear"},
                    "postal_code": {"kind": "clear"},
                    "country": {"kind": "clear"}
                },
                "daily_rows": 50_000
            }),
        )],
        clear: &["last_name"],
    }
}

/// A survey firm whose due diligence has lapsed.
pub fn surveys() -> Profile {
    let instruction = "Ask customers how satisfied they are.";
    Profile {
        legal_name: "Old Harbour Surveys Ltd",
        country: "IE",
        role: "processor",
        tier: "critical",
        contact: ("Maeve Quinn", "maeve.quinn@oldharbour.example"),
        weak_every: 5,
        reference: "dpa-oldharbour",
        agreement: "processor",
        terms: processor("Satisfaction surveys", &["customer-satisfaction-survey"], &["technical", "location", "account"], instruction),
        permits: vec![(
            "oldharbour-survey",
            json!({
                "dataset": "customers", "purpose": "customer-satisfaction-survey", "legal_basis": "legitimate_interests",
                "instruction": instruction,
                "fields": {
                    "customer_id": {"kind": "pseudonym", "format": "base32"},
                    "country": {"kind": "clear"},
                    "loyalty_tier": {"kind": "clear"}
                },
                "daily_rows": 10_000
            }),
        )],
        clear: &[],
    }
}

/// A vendor that is still in due diligence.
pub fn newcomer() -> Profile {
    Profile {
        legal_name: "Fernweh Travel Insights SAS",
        country: "FR",
        role: "processor",
        tier: "standard",
        contact: ("Luc Moreau", "luc.moreau@fernweh.example"),
        weak_every: 0,
        reference: "dpa-fernweh",
        agreement: "processor",
        terms: json!({}),
        permits: Vec::new(),
        clear: &[],
    }
}
