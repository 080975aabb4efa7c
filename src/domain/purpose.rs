//! The purposes and data categories that come with the house; what an officer adds is in [`super::vocabulary`].
//!
//! The keys follow the W3C Data Privacy Vocabulary's taxonomy (DPV 2, purposes and personal data
//! categories), written as slugs.

/// A purpose that comes with the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurposeTerm {
    pub key: &'static str,
    pub title: &'static str,
    /// Direct marketing: an objection is absolute (GDPR Art. 21(3)).
    pub direct_marketing: bool,
    /// Sale or sharing for advertising across contexts (CCPA § 1798.140(ad), (ah)): an opt-out counts.
    pub sale: bool,
}

/// A category of personal data that comes with the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryTerm {
    pub key: &'static str,
    pub title: &'static str,
    /// Special category (GDPR Art. 9).
    pub special: bool,
}

const fn purpose(key: &'static str, title: &'static str, direct_marketing: bool) -> PurposeTerm {
    PurposeTerm { key, title, direct_marketing, sale: false }
}

const fn sale(key: &'static str, title: &'static str, direct_marketing: bool) -> PurposeTerm {
    PurposeTerm { key, title, direct_marketing, sale: true }
}

const fn category(key: &'static str, title: &'static str, special: bool) -> CategoryTerm {
    CategoryTerm { key, title, special }
}

/// The purposes shipped.
pub const PURPOSES: &[PurposeTerm] = &[
    purpose("delivery-of-goods", "Delivering goods to customers", false),
    purpose("service-provision", "Providing the service a customer asked for", false),
    purpose("payment-management", "Handling payments", false),
    purpose("customer-care", "Answering customers' questions and complaints", false),
    purpose("communication-for-customer-care", "Sending service messages to customers", false),
    purpose("direct-marketing", "Advertising sent to customers directly", true),
    purpose("email-marketing", "Advertising by e-mail", true),
    sale("personalised-advertising", "Advertising chosen by a customer's profile", true),
    sale("sell-data-to-third-parties", "Giving data to third parties for money or other value", false),
    purpose("service-usage-analytics", "Analysing how the service is used", false),
    purpose("market-research", "Studying the market", false),
    purpose("customer-satisfaction-survey", "Asking customers how satisfied they are", false),
    purpose("fraud-prevention-and-detection", "Preventing and detecting fraud", false),
    purpose("credit-checking", "Checking creditworthiness", false),
    purpose("legal-compliance", "Meeting a legal duty", false),
    purpose("research-and-development", "Research and development", false),
    purpose("it-operations", "Running and securing IT systems", false),
];

/// The data categories shipped.
pub const CATEGORIES: &[CategoryTerm] = &[
    category("identifying", "Names and numbers that identify a person", false),
    category("contact", "E-mail, phone and postal address", false),
    category("demographic", "Age, gender, country and the like", false),
    category("location", "Where a person lives or is", false),
    category("account", "Account, loyalty and customer status", false),
    category("transactional", "Orders, invoices and payments", false),
    category("financial", "Income, value and creditworthiness", false),
    category("preference", "Preferences and marketing choices", false),
    category("behavioural", "How a person uses a service", false),
    category("professional", "Job, education and employer", false),
    category("communication", "Messages and notes", false),
    category("technical", "Devices, addresses of machines, identifiers of records", false),
    category("health", "Health", true),
    category("ethnic-origin", "Racial or ethnic origin", true),
    category("political-opinion", "Political opinion", true),
    category("religion", "Religious or philosophical belief", true),
    category("union-membership", "Trade-union membership", true),
    category("genetic", "Genetic data", true),
    category("biometric", "Biometric data that identify a person", true),
    category("sexuality", "Sex life or sexual orientation", true),
];
