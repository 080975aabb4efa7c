//! Fills a demo: people, catalogue, vendors and their pulls, over the last year on a clock of its own.

use std::collections::BTreeSet;

use tracing::info;

use crate::app::access::{HandOver, Handed, Issuing};
use crate::app::agreements::{self, AgreementView, Approval, Draft, Signing};
use crate::app::assessments::Deciding;
use crate::app::people::{self, AddPerson};
use crate::app::{App, AppError, access, assessments, evidence, permits, questionnaires, vendors};
use crate::boot::{self, Clock};
use crate::cli::CliError;
use crate::config::Config;
use crate::domain::agreement::{AgreementKind, AgreementTerms, AgreementVersion, Party};
use crate::domain::assessment::{AssessmentKind, Verdict};
use crate::domain::evidence::{EvidenceFacts, EvidenceType};
use crate::domain::id::{EvidenceId, VendorId};
use crate::domain::person::{Actor, Role};
use crate::domain::text::Slug;
use crate::domain::vendor::{Vendor, VendorAct};

use super::credentials::{Credentials, Staff, VendorAccess};
use super::vendors::{self as profiles, Profile};
use super::{answers, catalogue, pulls, write};

/// The people who act in the demo.
struct Cast {
    manager: Actor,
    officer: Actor,
    steward: Actor,
}

/// Makes everything; the demo's own clock begins 400 days ago and ends now.
pub async fn fill(config: &Config, url: &str) -> Result<Credentials, CliError> {
    let now = Clock::system().now();
    let clock = Clock::manual(now.plus_days(-400));
    let app = boot::open(config, url.to_owned(), clock.clone()).await?;
    info!("making 5,000 customers and 25,000 orders");
    let root = config.source_roots.first().cloned().ok_or_else(|| CliError::Demo("source_roots is empty".to_owned()))?;
    tokio::task::spawn_blocking(move || write::shop(&root))
        .await
        .map_err(|error| CliError::Demo(error.to_string()))?
        .map_err(|error| CliError::Demo(error.to_string()))?;
    let (cast, staff) = staff(&app).await?;
    catalogue::fill(&app, &cast.steward).await?;
    let mut made = Vec::new();
    // The survey firm is critical, so its approval lasted 180 days and is over by now.
    let surveys = active(&app, &cast, profiles::surveys()).await?;
    pulls::survey(&app, &surveys).await?;
    clock.set(now.plus_days(-40));
    for profile in [profiles::agency(), profiles::analytics(), profiles::carrier()] {
        made.push(active(&app, &cast, profile).await?);
    }
    made.push(newcomer(&app, &cast).await?);
    info!("letting the vendors pull");
    for days in [20, 9, 2] {
        clock.set(now.plus_days(-days));
        for vendor in made.iter().filter(|vendor| vendor.client_id.is_some()) {
            pulls::pull(&app, vendor).await?;
        }
        pulls::refused(&app, &surveys).await?;
    }
    clock.set(now.plus_seconds(-60));
    crate::app::history::flush_refusals(&app, true).await?;
    app.store.sequence().await.map_err(AppError::from)?;
    made.push(surveys);
    Ok(Credentials { staff, vendors: made })
}

async fn staff(app: &App) -> Result<(Cast, Vec<Staff>), AppError> {
    info!("adding one person for each role");
    let names = ["Ada Admin", "Mara Lind", "Jon Bell", "Tomas Reyes", "Wei Zhang"];
    let mut actors = Vec::new();
    let mut staff = Vec::new();
    for (role, name) in Role::ALL.into_iter().zip(names) {
        let password = people::generated_password();
        let email = format!("{}@shop.example", name.to_lowercase().replace(' ', "."));
        let new = AddPerson { email: email.parse()?, name: name.parse()?, role, password: password.clone() };
        let person = people::add(app, &Actor::Operator, new).await?;
        let (_, key) = people::issue_key(app, &Actor::Operator, person.id.clone(), "demo".parse()?, None).await?;
        staff.push(Staff { email, password: password.reveal().to_owned(), role: role.key().to_owned(), api_key: key.reveal().to_owned() });
        actors.push(Actor::Person { id: person.id, role });
    }
    let find = |wanted: Role| {
        let found = actors.iter().find(|actor| matches!(actor, Actor::Person { role, .. } if *role == wanted));
        found.cloned().ok_or(AppError::NotFound("person"))
    };
    Ok((Cast { manager: find(Role::VendorManager)?, officer: find(Role::PrivacyOfficer)?, steward: find(Role::DataSteward)? }, staff))
}

async fn register(app: &App, cast: &Cast, profile: &Profile) -> Result<Vendor, AppError> {
    let owner = cast.manager.person().ok_or(AppError::Unauthenticated)?;
    let (contact, email) = profile.contact;
    let stated = serde_json::json!({
        "legal_name": profile.legal_name, "country": profile.country, "role": profile.role, "tier": profile.tier,
        "owner": owner, "contacts": [{"name": contact, "email": email, "about": "business"}],
    });
    let stated = serde_json::from_value(stated).map_err(|error| AppError::Internal(error.to_string()))?;
    let vendor = vendors::register(app, &cast.manager, stated).await?;
    move_by(app, cast, &vendor.id, VendorAct::Triage).await?;
    move_by(app, cast, &vendor.id, VendorAct::BeginDueDiligence).await
}

async fn move_by(app: &App, cast: &Cast, vendor: &VendorId, act: VendorAct) -> Result<Vendor, AppError> {
    vendors::act(app, &cast.manager, vendor.clone(), act, "Part of the demo's onboarding.".parse()?).await
}

/// A vendor that went the whole way.
async fn active(app: &App, cast: &Cast, profile: Profile) -> Result<VendorAccess, CliError> {
    info!(vendor = profile.legal_name, "onboarding");
    let vendor = register(app, cast, &profile).await?;
    let paper = assess(app, cast, &vendor, &profile).await?;
    move_by(app, cast, &vendor.id, VendorAct::Activate).await?;
    agree(app, cast, &vendor, &profile, paper).await?;
    let machine = Issuing::plain("production".parse().map_err(AppError::from)?, HandOver::Answer);
    let (client, Handed::Shown(secret)) = access::issue(app, &cast.manager, vendor.id.clone(), machine).await? else {
        return Err(AppError::Internal("a client of the demo got no secret".to_owned()).into());
    };
    Ok(VendorAccess {
        name: profile.legal_name.to_owned(),
        lifecycle: "active".to_owned(),
        client_id: Some(client.id.to_string()),
        client_secret: Some(secret.reveal().to_owned()),
        permits: profile.permits.iter().map(|(key, _)| (*key).to_owned()).collect(),
    })
}

async fn newcomer(app: &App, cast: &Cast) -> Result<VendorAccess, CliError> {
    let profile = profiles::newcomer();
    info!(vendor = profile.legal_name, "onboarding, half way");
    let vendor = register(app, cast, &profile).await?;
    let round = assessments::open(app, &cast.manager, vendor.id.clone(), AssessmentKind::Security, security()?).await?;
    assessments::send(app, &cast.manager, round.id).await?;
    Ok(VendorAccess {
        name: profile.legal_name.to_owned(),
        lifecycle: vendor.lifecycle.key().to_owned(),
        client_id: None,
        client_secret: None,
        permits: Vec::new(),
    })
}

fn security() -> Result<Slug, AppError> {
    Ok("security".parse()?)
}

async fn assess(app: &App, cast: &Cast, vendor: &Vendor, profile: &Profile) -> Result<EvidenceId, AppError> {
    let today = app.clock.now().date();
    let facts = EvidenceFacts {
        name: format!("Certificate of {}", profile.legal_name).parse()?,
        kind: EvidenceType::Iso27001,
        issued: today.plus_days(-90),
        expires: Some(today.plus_days(900)),
        mandatory: true,
    };
    let text = format!("This made-up certificate confirms that {} runs an information security management system.\n", profile.legal_name);
    let paper = evidence::add(app, &cast.manager, vendor.id.clone(), facts, text.into_bytes()).await?;
    let template = questionnaires::find(&security()?)?.ok_or(AppError::NotFound("questionnaire"))?;
    let round = assessments::open(app, &cast.manager, vendor.id.clone(), AssessmentKind::Security, security()?).await?;
    let round = assessments::send(app, &cast.manager, round.id).await?;
    let given = answers::answers(template, &paper.id, today, profile.weak_every)?;
    let round = assessments::answer(app, &cast.manager, round.id, round.version, given).await?;
    let round = assessments::submit(app, &cast.manager, round.id).await?;
    let round = assessments::review(app, &cast.officer, round.id).await?;
    let weak = profile.weak_every > 0;
    let what = Deciding {
        verdict: if weak { Verdict::ApprovedWithConditions } else { Verdict::Approved },
        rationale: "The answers and the certificate were read; what is open is bearable for this data.".parse()?,
        conditions: if weak { vec!["Close the gaps named in the answers before the next assessment.".parse()?] } else { Vec::new() },
    };
    assessments::decide(app, &cast.officer, round.id, what).await?;
    Ok(paper.id)
}

async fn agree(app: &App, cast: &Cast, vendor: &Vendor, profile: &Profile, paper: EvidenceId) -> Result<AgreementView, CliError> {
    let wrong = |error: serde_json::Error| CliError::Demo(error.to_string());
    let today = app.clock.now().date();
    let mut terms: AgreementTerms = serde_json::from_value(profile.terms.clone()).map_err(wrong)?;
    terms.starts_on = Some(today);
    terms.confidentiality_attested_on = Some(today);
    terms.security_evidence = vec![paper];
    let kind = AgreementKind::from_key(profile.agreement).ok_or(AppError::NotFound("kind"))?;
    let reference = profile.reference.parse().map_err(AppError::from)?;
    let drafted = agreements::draft(app, &cast.manager, Draft { vendor: vendor.id.clone(), reference, kind, terms }).await?;
    let id = drafted.agreement.id.clone();
    let text = format!("Agreement {} between Shop Ltd and {}. A made-up document of the demo.\n", profile.reference, profile.legal_name);
    let attached = agreements::attach(app, &cast.manager, id.clone(), 1, counter(&drafted.versions)?, text.into_bytes()).await?;
    let document = attached.versions.first().and_then(|version| version.document.clone()).ok_or(AppError::NotFound("document"))?;
    for (key, terms) in &profile.permits {
        let terms = serde_json::from_value(terms.clone()).map_err(wrong)?;
        permits::write(app, &cast.manager, id.clone(), key.parse().map_err(AppError::from)?, terms).await?;
    }
    let submitted = agreements::submit(app, &cast.manager, id.clone(), 1).await?;
    let clear: Result<BTreeSet<_>, _> = profile.clear.iter().map(|name| name.parse()).collect();
    let approval = Approval { read: counter(&submitted.versions)?, comment: None, confirmed: clear.map_err(AppError::from)? };
    let mut signed = agreements::approve(app, &cast.officer, id.clone(), 1, approval).await?;
    let (contact, _) = profile.contact;
    for (party, name) in [(Party::House, "Mara Lind"), (Party::Vendor, contact)] {
        let name = name.parse().map_err(AppError::from)?;
        let signing = Signing { read: counter(&signed.versions)?, party, name, document: document.clone() };
        signed = agreements::sign(app, &cast.manager, id.clone(), 1, signing).await?;
    }
    Ok(signed)
}

/// What a change of the first version is based on.
fn counter(versions: &[AgreementVersion]) -> Result<i64, AppError> {
    versions.first().map(|version| version.version).ok_or(AppError::NotFound("version"))
}
