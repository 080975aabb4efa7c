//! The route table whole: every path, its handler, and who may use it. The access test walks it row by row.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::policy::access::Permission;

use super::api::{
    access, agreements, assessments, catalogue, consents, evidence, hierarchies, history, keys, people, permits, preview, vendors,
    vocabulary,
};
use super::error::HttpError;
use super::web::access as machines;
use super::web::access::stop;
use super::web::answer::wants_page;
use super::web::assessments as rounds;
use super::web::consents::{self as people_said, recording};
use super::web::datasets::{self, cataloguing, edit, elsewhere, hierarchies as nested};
use super::web::error::{WebError, Wire};
use super::web::evidence as papers;
use super::web::people as staff;
use super::web::vendors as vendor_pages;
use super::web::vendors::acts as vendor_acts;
use super::web::vocabulary as terms;
use super::web::{account, activate, assets, dashboard, sign_in, signing_keys, stop_everything};
use super::web::{agreements as contracts, permits as scopes};
use super::web::{help, history as log};
use super::{data, health, oauth, openapi};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// Staff with an API key whose role holds the permission.
    Staff(Permission),
    /// A client with its secret.
    Client,
    /// A vendor's machine with an access token.
    Vendor,
    /// Anyone: a file of the front end.
    Asset,
    /// Anyone: a page before sign-in.
    Open,
    /// A page for the staff who signed in and whose role holds the permission.
    Page(Permission),
}

impl Access {
    /// Whether the OpenAPI document describes the route: pages and their files are no API.
    pub const fn is_api(self) -> bool {
        match self {
            Self::Public | Self::Staff(_) | Self::Client | Self::Vendor => true,
            Self::Asset | Self::Open | Self::Page(_) => false,
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
}

macro_rules! table {
    ($($method:ident $path:literal => $handler:path, $access:expr;)*) => {
        /// Every route.
        pub const ROUTES: &[Route] = {
            use Access::*;
            use Permission as P;
            &[$(Route { method: stringify!($method), path: $path, access: $access }),*]
        };

        fn register(config: &mut web::ServiceConfig) {
            use Access::*;
            use Permission as P;
            $(
                config.route($path, web::method(Method::$method).to($handler));
                if answers_head(stringify!($method), $access) {
                    config.route($path, web::head().to($handler));
                }
            )*
        }
    };
}

table! {
    GET "/healthz" => health::alive, Public;
    GET "/readyz" => health::ready, Public;
    GET "/api/openapi.json" => openapi::document, Public;

    POST "/oauth/token" => oauth::token, Client;
    POST "/oauth/revoke" => oauth::revoke, Client;
    POST "/oauth/introspect" => oauth::introspect, Client;
    GET "/.well-known/oauth-authorization-server" => oauth::server_metadata, Public;
    GET "/.well-known/oauth-protected-resource" => oauth::resource_metadata, Public;
    GET "/.well-known/jwks.json" => oauth::jwks, Public;

    GET "/data/v1/datasets" => data::datasets, Vendor;
    GET "/data/v1/datasets/{dataset}/records" => data::records, Vendor;
    GET "/data/v1/datasets/{dataset}/schema" => data::schema::schema, Vendor;

    GET "/api/v1/me" => people::me, Staff(P::ManageOwnKeys);
    GET "/api/v1/me/keys" => people::my_keys, Staff(P::ManageOwnKeys);
    POST "/api/v1/me/keys" => people::issue_own, Staff(P::ManageOwnKeys);
    POST "/api/v1/keys/{id}/revoke" => people::revoke, Staff(P::ManageOwnKeys);
    GET "/api/v1/people" => people::list, Staff(P::ManagePeople);
    POST "/api/v1/people" => people::add, Staff(P::ManagePeople);
    POST "/api/v1/people/{id}/disable" => people::disable, Staff(P::ManagePeople);
    POST "/api/v1/people/{id}/enable" => people::enable, Staff(P::ManagePeople);
    GET "/api/v1/people/{id}/keys" => people::keys, Staff(P::ManagePeople);
    POST "/api/v1/people/{id}/keys" => people::issue, Staff(P::ManagePeople);

    GET "/api/v1/vocabulary" => vocabulary::vocabulary, Staff(P::Read);
    GET "/api/v1/vocabulary/purposes" => vocabulary::purposes, Staff(P::Read);
    POST "/api/v1/vocabulary/purposes" => vocabulary::add_purpose, Staff(P::ManageVocabulary);
    POST "/api/v1/vocabulary/purposes/{key}/retire" => vocabulary::retire_purpose, Staff(P::ManageVocabulary);
    POST "/api/v1/vocabulary/purposes/{key}/restore" => vocabulary::restore_purpose, Staff(P::ManageVocabulary);
    GET "/api/v1/vocabulary/categories" => vocabulary::categories, Staff(P::Read);
    POST "/api/v1/vocabulary/categories" => vocabulary::add_category, Staff(P::ManageVocabulary);
    POST "/api/v1/vocabulary/categories/{key}/retire" => vocabulary::retire_category, Staff(P::ManageVocabulary);
    POST "/api/v1/vocabulary/categories/{key}/restore" => vocabulary::restore_category, Staff(P::ManageVocabulary);
    GET "/api/v1/questionnaires" => vocabulary::questionnaires, Staff(P::Read);

    GET "/api/v1/vendors" => vendors::list, Staff(P::Read);
    POST "/api/v1/vendors" => vendors::register, Staff(P::ManageVendors);
    GET "/api/v1/vendors/{id}" => vendors::find, Staff(P::Read);
    PUT "/api/v1/vendors/{id}" => vendors::edit, Staff(P::ManageVendors);
    GET "/api/v1/vendors/{id}/gates" => vendors::gates, Staff(P::Read);
    POST "/api/v1/vendors/{id}/triage" => vendors::triage, Staff(P::ManageVendors);
    POST "/api/v1/vendors/{id}/begin-due-diligence" => vendors::begin_due_diligence, Staff(P::ManageVendors);
    POST "/api/v1/vendors/{id}/activate" => vendors::activate, Staff(P::ManageVendors);
    POST "/api/v1/vendors/{id}/suspend" => vendors::suspend, Staff(P::Stop);
    POST "/api/v1/vendors/{id}/reinstate" => vendors::reinstate, Staff(P::ManageVendors);
    POST "/api/v1/vendors/{id}/offboard" => vendors::offboard, Staff(P::Stop);
    POST "/api/v1/vendors/{id}/retire" => vendors::retire, Staff(P::ManageVendors);

    GET "/api/v1/vendors/{id}/assessments" => assessments::list, Staff(P::Read);
    POST "/api/v1/vendors/{id}/assessments" => assessments::open, Staff(P::Assess);
    GET "/api/v1/assessments/{id}" => assessments::find, Staff(P::Read);
    POST "/api/v1/assessments/{id}/send" => assessments::send, Staff(P::Assess);
    PUT "/api/v1/assessments/{id}/answers" => assessments::answer, Staff(P::Assess);
    POST "/api/v1/assessments/{id}/submit" => assessments::submit, Staff(P::Assess);
    POST "/api/v1/assessments/{id}/review" => assessments::review, Staff(P::Decide);
    POST "/api/v1/assessments/{id}/decide" => assessments::decide, Staff(P::Decide);
    POST "/api/v1/assessments/{id}/cancel" => assessments::cancel, Staff(P::Assess);
    POST "/api/v1/assessments/{id}/review/cancel" => assessments::cancel_review, Staff(P::Decide);
    GET "/api/v1/assessments/{id}/comparison" => assessments::compare, Staff(P::Read);
    GET "/api/v1/assessments/{id}/progress" => assessments::progress, Staff(P::Read);

    GET "/api/v1/vendors/{id}/evidence" => evidence::list, Staff(P::Read);
    POST "/api/v1/vendors/{id}/evidence" => evidence::add, Staff(P::Assess);
    GET "/api/v1/evidence/{id}/file" => evidence::file, Staff(P::Read);
    POST "/api/v1/evidence/{id}/accept" => evidence::accept, Staff(P::Decide);

    GET "/api/v1/agreements" => agreements::list, Staff(P::Read);
    GET "/api/v1/vendors/{id}/agreements" => agreements::list_of_vendor, Staff(P::Read);
    POST "/api/v1/vendors/{id}/agreements" => agreements::draft, Staff(P::ManageAgreements);
    GET "/api/v1/agreements/{id}" => agreements::find, Staff(P::Read);
    PUT "/api/v1/agreements/{id}/versions/{number}/terms" => agreements::edit, Staff(P::ManageAgreements);
    PUT "/api/v1/agreements/{id}/versions/{number}/document" => agreements::attach, Staff(P::ManageAgreements);
    GET "/api/v1/agreements/{id}/versions/{number}/document" => agreements::document, Staff(P::Read);
    GET "/api/v1/agreements/{id}/versions/{number}/impact" => agreements::impact, Staff(P::Read);
    POST "/api/v1/agreements/{id}/versions/{number}/submit" => agreements::submit, Staff(P::ManageAgreements);
    POST "/api/v1/agreements/{id}/versions/{number}/approve" => agreements::approve, Staff(P::Approve);
    POST "/api/v1/agreements/{id}/versions/{number}/hand-back" => agreements::hand_back, Staff(P::Approve);
    POST "/api/v1/agreements/{id}/versions/{number}/sign" => agreements::sign, Staff(P::ManageAgreements);
    POST "/api/v1/agreements/{id}/versions/{number}/discard" => agreements::discard, Staff(P::ManageAgreements);
    POST "/api/v1/agreements/{id}/amend" => agreements::amend, Staff(P::ManageAgreements);
    POST "/api/v1/agreements/{id}/end" => agreements::end, Staff(P::Stop);
    POST "/api/v1/agreements/{id}/destroy-key" => agreements::destroy_key, Staff(P::Approve);

    POST "/api/v1/agreements/{id}/permits" => permits::write, Staff(P::ManageAgreements);
    GET "/api/v1/vendors/{id}/permits" => permits::list, Staff(P::Read);
    GET "/api/v1/permits/{key}" => permits::find, Staff(P::Read);
    POST "/api/v1/permits/{key}/revisions" => permits::revise, Staff(P::ManageAgreements);
    PUT "/api/v1/permits/{key}/revisions/{number}" => permits::rewrite, Staff(P::ManageAgreements);
    POST "/api/v1/permits/{key}/revisions/{number}/approve" => permits::approve, Staff(P::Approve);
    POST "/api/v1/permits/{key}/revisions/{number}/reject" => permits::reject, Staff(P::Approve);
    POST "/api/v1/permits/{key}/pause" => permits::pause, Staff(P::Stop);
    POST "/api/v1/permits/{key}/resume" => permits::resume, Staff(P::Approve);
    POST "/api/v1/permits/{key}/end" => permits::end, Staff(P::Stop);
    POST "/api/v1/permits/{key}/tokens/reveal" => permits::reveal_tokens, Staff(P::RevealTokens);

    GET "/api/v1/sources" => catalogue::list_sources, Staff(P::Read);
    POST "/api/v1/sources" => catalogue::add_source, Staff(P::ManageCatalogue);
    POST "/api/v1/sources/upload" => catalogue::upload, Staff(P::ManageCatalogue);
    PUT "/api/v1/sources/{id}/secret" => catalogue::set_secret, Staff(P::ManageCatalogue);
    GET "/api/v1/sources/{id}/tables" => catalogue::discover, Staff(P::ManageCatalogue);
    GET "/api/v1/sources/{id}/tables/{table}/suggestions" => catalogue::suggestions, Staff(P::ManageCatalogue);
    GET "/api/v1/datasets" => catalogue::list, Staff(P::Read);
    POST "/api/v1/datasets" => catalogue::catalogue, Staff(P::ManageCatalogue);
    GET "/api/v1/datasets/{name}" => catalogue::find, Staff(P::Read);
    PUT "/api/v1/datasets/{name}" => catalogue::edit, Staff(P::ManageCatalogue);
    PUT "/api/v1/datasets/{name}/source" => catalogue::move_dataset, Staff(P::ManageCatalogue);
    GET "/api/v1/datasets/{name}/drift" => catalogue::drift, Staff(P::SeeSamples);
    POST "/api/v1/datasets/{name}/drift/confirm" => catalogue::confirm, Staff(P::ManageCatalogue);

    GET "/api/v1/hierarchies" => hierarchies::list, Staff(P::Read);
    POST "/api/v1/hierarchies" => hierarchies::upload, Staff(P::ManageCatalogue);
    GET "/api/v1/hierarchies/{name}/{version}" => hierarchies::find, Staff(P::Read);

    POST "/api/v1/datasets/{name}/preview" => preview::fields, Staff(P::SeeSamples);
    POST "/api/v1/datasets/{name}/see-as-vendor" => preview::see_as_vendor, Staff(P::SeeSamples);
    GET "/api/v1/consents/counts" => consents::counts, Staff(P::Read);
    POST "/api/v1/consents" => consents::record, Staff(P::ManageConsent);
    POST "/api/v1/consents/import" => consents::import, Staff(P::ManageConsent);
    POST "/api/v1/consents/look-up" => consents::look_up, Staff(P::ManageConsent);

    GET "/api/v1/agreements/{id}/matrix/{dataset}" => preview::matrix, Staff(P::Read);

    GET "/api/v1/vendors/{id}/clients" => access::list, Staff(P::Read);
    POST "/api/v1/vendors/{id}/clients" => access::issue, Staff(P::ManageAccess);
    GET "/api/v1/clients/{id}" => access::find, Staff(P::Read);
    PUT "/api/v1/clients/{id}/addresses" => access::set_addresses, Staff(P::ManageAccess);
    PUT "/api/v1/clients/{id}/authentication" => access::set_authentication, Staff(P::ManageAccess);
    POST "/api/v1/clients/{id}/rotate" => access::rotate, Staff(P::ManageAccess);
    POST "/api/v1/clients/{id}/revoke" => access::revoke, Staff(P::Stop);
    GET "/api/v1/clients/{id}/tokens" => access::tokens, Staff(P::Read);
    POST "/api/v1/clients/{id}/tokens" => access::issue_token, Staff(P::ManageAccess);
    POST "/api/v1/tokens/{id}/revoke" => access::revoke_token, Staff(P::Stop);

    GET "/api/v1/signing-keys" => keys::list, Staff(P::Read);
    POST "/api/v1/signing-keys/rotate" => keys::rotate, Staff(P::ManageKeys);
    POST "/api/v1/signing-keys/{kid}/revoke" => keys::revoke, Staff(P::ManageKeys);
    GET "/api/v1/kill-switch" => keys::kill_switch, Staff(P::Read);
    POST "/api/v1/kill-switch" => keys::stop_everything, Staff(P::Stop);
    POST "/api/v1/kill-switch/lift" => keys::lift, Staff(P::LiftStop);
    GET "/api/v1/stop-preview" => keys::preview, Staff(P::Read);

    GET "/api/v1/history" => history::list, Staff(P::ReadHistory);
    GET "/api/v1/history/{position}" => history::find, Staff(P::ReadHistory);

    GET "/static/{hash}/{path:.*}" => assets::serve, Asset;

    GET "/sign-in" => sign_in::page, Open;
    POST "/sign-in" => sign_in::enter, Open;
    POST "/sign-in/code" => sign_in::code, Open;
    GET "/welcome/{link}" => sign_in::welcome, Open;
    POST "/welcome/{link}" => sign_in::choose, Open;
    GET "/activate/{link}" => activate::ask, Open;
    POST "/activate/{link}" => activate::show, Open;
    POST "/theme" => sign_in::theme, Open;
    POST "/sign-out" => sign_in::sign_out, Page(P::ManageOwnKeys);

    GET "/account" => account::page, Page(P::ManageOwnKeys);
    POST "/account/password" => account::password, Page(P::ManageOwnKeys);
    POST "/account/sessions/{id}/end" => account::end_session, Page(P::ManageOwnKeys);
    POST "/account/sessions/end" => account::end_sessions, Page(P::ManageOwnKeys);
    GET "/account/second-factor" => account::factor, Page(P::ManageOwnKeys);
    POST "/account/second-factor" => account::begin_factor, Page(P::ManageOwnKeys);
    POST "/account/second-factor/confirm" => account::confirm_factor, Page(P::ManageOwnKeys);
    POST "/account/second-factor/remove" => account::remove_factor, Page(P::ManageOwnKeys);
    POST "/account/keys" => account::issue_key, Page(P::ManageOwnKeys);
    POST "/account/keys/{id}/revoke" => account::revoke_key, Page(P::ManageOwnKeys);

    GET "/settings" => staff::list, Page(P::ManagePeople);
    GET "/settings/people" => staff::list, Page(P::ManagePeople);
    POST "/settings/people" => staff::invite, Page(P::ManagePeople);
    GET "/settings/people/new" => staff::new, Page(P::ManagePeople);
    GET "/settings/people/{id}" => staff::show, Page(P::ManagePeople);
    POST "/settings/people/{id}" => staff::change, Page(P::ManagePeople);
    POST "/settings/people/{id}/disable" => staff::disable, Page(P::ManagePeople);
    POST "/settings/people/{id}/enable" => staff::enable, Page(P::ManagePeople);
    POST "/settings/people/{id}/link" => staff::link, Page(P::ManagePeople);
    POST "/settings/people/{id}/second-factor/remove" => staff::remove_factor, Page(P::ManagePeople);

    GET "/settings/signing-keys" => signing_keys::list, Page(P::Read);
    GET "/settings/signing-keys/rotate" => signing_keys::ask_rotate, Page(P::ManageKeys);
    POST "/settings/signing-keys/rotate" => signing_keys::rotate, Page(P::ManageKeys);
    GET "/settings/signing-keys/{kid}/revoke" => signing_keys::ask_revoke, Page(P::ManageKeys);
    POST "/settings/signing-keys/{kid}/revoke" => signing_keys::revoke, Page(P::ManageKeys);
    GET "/stop-everything" => stop_everything::show, Page(P::Read);
    POST "/stop-everything" => stop_everything::stop, Page(P::Stop);
    POST "/stop-everything/lift" => stop_everything::lift, Page(P::LiftStop);

    GET "/settings/vocabulary" => terms::page, Page(P::Read);
    POST "/settings/vocabulary" => terms::add, Page(P::ManageVocabulary);
    POST "/settings/vocabulary/purposes/{key}/retire" => terms::retire_purpose, Page(P::ManageVocabulary);
    POST "/settings/vocabulary/purposes/{key}/restore" => terms::restore_purpose, Page(P::ManageVocabulary);
    POST "/settings/vocabulary/categories/{key}/retire" => terms::retire_category, Page(P::ManageVocabulary);
    POST "/settings/vocabulary/categories/{key}/restore" => terms::restore_category, Page(P::ManageVocabulary);

    // Agreements and permits.
    GET "/agreements" => contracts::list, Page(P::Read);
    GET "/vendors/{id}/agreements/new" => contracts::new, Page(P::ManageAgreements);
    POST "/vendors/{id}/agreements" => contracts::draft, Page(P::ManageAgreements);
    GET "/agreements/{id}" => contracts::show::show, Page(P::Read);
    GET "/agreements/{id}/permits" => contracts::tabs::under, Page(P::Read);
    GET "/agreements/{id}/versions" => contracts::tabs::versions, Page(P::Read);
    GET "/agreements/{id}/history" => contracts::tabs::history, Page(P::ReadHistory);
    POST "/agreements/{id}/amend" => contracts::acts::amend, Page(P::ManageAgreements);
    GET "/agreements/{id}/end" => contracts::stops::ending, Page(P::Stop);
    POST "/agreements/{id}/end" => contracts::stops::end, Page(P::Stop);
    GET "/agreements/{id}/destroy-key" => contracts::stops::destroying, Page(P::Approve);
    POST "/agreements/{id}/destroy-key" => contracts::stops::destroy, Page(P::Approve);
    POST "/agreements/{id}/versions/{number}/terms" => contracts::show::save, Page(P::ManageAgreements);
    GET "/agreements/{id}/versions/{number}/document" => contracts::document::fetch, Page(P::Read);
    POST "/agreements/{id}/versions/{number}/document" => contracts::document::attach, Page(P::ManageAgreements);
    POST "/agreements/{id}/versions/{number}/submit" => contracts::acts::submit, Page(P::ManageAgreements);
    GET "/agreements/{id}/versions/{number}/review" => contracts::review::show, Page(P::Read);
    POST "/agreements/{id}/versions/{number}/approve" => contracts::review::approve, Page(P::Approve);
    POST "/agreements/{id}/versions/{number}/hand-back" => contracts::review::hand_back, Page(P::Approve);
    GET "/agreements/{id}/versions/{number}/sign" => contracts::acts::signing, Page(P::ManageAgreements);
    POST "/agreements/{id}/versions/{number}/sign" => contracts::acts::sign, Page(P::ManageAgreements);
    GET "/agreements/{id}/versions/{number}/discard" => contracts::acts::discarding, Page(P::ManageAgreements);
    POST "/agreements/{id}/versions/{number}/discard" => contracts::acts::discard, Page(P::ManageAgreements);
    GET "/agreements/{id}/permits/new" => scopes::matrix::new, Page(P::ManageAgreements);
    POST "/agreements/{id}/permits/new" => scopes::matrix::write, Page(P::ManageAgreements);
    POST "/agreements/{id}/permits/matrix" => scopes::matrix::refresh, Page(P::ManageAgreements);
    POST "/agreements/{id}/permits/as-vendor" => scopes::matrix::as_vendor, Page(P::SeeSamples);
    GET "/permits" => scopes::list, Page(P::Read);
    GET "/permits/{key}" => scopes::show::show, Page(P::Read);
    GET "/permits/{key}/revise" => scopes::matrix::revise, Page(P::ManageAgreements);
    POST "/permits/{key}/revise" => scopes::matrix::save_revision, Page(P::ManageAgreements);
    GET "/permits/{key}/revisions/{number}" => scopes::revision::show, Page(P::Read);
    GET "/permits/{key}/revisions/{number}/edit" => scopes::matrix::edit, Page(P::ManageAgreements);
    POST "/permits/{key}/revisions/{number}/edit" => scopes::matrix::rewrite, Page(P::ManageAgreements);
    GET "/permits/{key}/revisions/{number}/as-vendor" => scopes::revision::as_vendor, Page(P::SeeSamples);
    POST "/permits/{key}/revisions/{number}/approve" => scopes::revision::approve, Page(P::Approve);
    POST "/permits/{key}/revisions/{number}/reject" => scopes::revision::reject, Page(P::Approve);
    GET "/permits/{key}/pause" => scopes::acts::pausing, Page(P::Stop);
    POST "/permits/{key}/pause" => scopes::acts::pause, Page(P::Stop);
    GET "/permits/{key}/resume" => scopes::acts::resuming, Page(P::Approve);
    POST "/permits/{key}/resume" => scopes::acts::resume, Page(P::Approve);
    GET "/permits/{key}/end" => scopes::acts::ending, Page(P::Stop);
    POST "/permits/{key}/end" => scopes::acts::end, Page(P::Stop);
    GET "/permits/{key}/tokens" => scopes::tokens::asking, Page(P::RevealTokens);
    POST "/permits/{key}/tokens" => scopes::tokens::reveal, Page(P::RevealTokens);

    // Due diligence.
    GET "/assessments" => rounds::list::page, Page(P::Read);
    POST "/vendors/{id}/assessments" => rounds::acts::open, Page(P::Assess);
    GET "/assessments/{id}" => rounds::show, Page(P::Read);
    POST "/assessments/{id}/answers" => rounds::answering::save, Page(P::Assess);
    POST "/assessments/{id}/send" => rounds::acts::send, Page(P::Assess);
    GET "/assessments/{id}/submit" => rounds::acts::ask_submit, Page(P::Assess);
    POST "/assessments/{id}/submit" => rounds::acts::submit, Page(P::Assess);
    POST "/assessments/{id}/review" => rounds::acts::review, Page(P::Decide);
    GET "/assessments/{id}/cancel" => rounds::acts::ask_cancel, Page(P::Assess);
    POST "/assessments/{id}/cancel" => rounds::acts::cancel, Page(P::Assess);
    GET "/assessments/{id}/review/cancel" => rounds::acts::ask_cancel_review, Page(P::Decide);
    POST "/assessments/{id}/review/cancel" => rounds::acts::cancel_review, Page(P::Decide);
    GET "/assessments/{id}/score" => rounds::score::page, Page(P::Read);
    GET "/assessments/{id}/comparison" => rounds::score::comparison, Page(P::Read);
    GET "/assessments/{id}/decision" => rounds::deciding::page, Page(P::Read);
    POST "/assessments/{id}/decision" => rounds::deciding::decide, Page(P::Decide);
    GET "/vendors/{id}/evidence" => papers::list, Page(P::Read);
    POST "/vendors/{id}/evidence" => papers::add, Page(P::Assess);
    GET "/evidence/{id}/file" => papers::file, Page(P::Read);
    POST "/evidence/{id}/accept" => papers::accept, Page(P::Decide);
    // The history for people, and help.
    GET "/history" => log::list, Page(P::ReadHistory);
    GET "/history.csv" => log::csv, Page(P::ReadHistory);
    GET "/history/{position}" => log::show, Page(P::ReadHistory);
    GET "/help" => help::start, Page(P::ManageOwnKeys);
    GET "/help/glossary" => help::glossary::page, Page(P::ManageOwnKeys);
    GET "/help/first-run" => help::first_run::page, Page(P::Read);
    // Datasets, sources and access.
    GET "/datasets" => datasets::list, Page(P::Read);
    POST "/datasets" => cataloguing::catalogue, Page(P::ManageCatalogue);
    GET "/datasets/new" => cataloguing::sources, Page(P::ManageCatalogue);
    GET "/datasets/new/upload" => cataloguing::upload, Page(P::ManageCatalogue);
    POST "/datasets/new/upload" => cataloguing::take_upload, Page(P::ManageCatalogue);
    GET "/datasets/new/file" => cataloguing::file, Page(P::ManageCatalogue);
    POST "/datasets/new/file" => cataloguing::take_file, Page(P::ManageCatalogue);
    GET "/datasets/new/database" => elsewhere::database, Page(P::ManageCatalogue);
    POST "/datasets/new/database" => elsewhere::take_database, Page(P::ManageCatalogue);
    GET "/datasets/new/files" => elsewhere::files, Page(P::ManageCatalogue);
    POST "/datasets/new/files" => elsewhere::take_files, Page(P::ManageCatalogue);
    GET "/datasets/new/web" => elsewhere::web, Page(P::ManageCatalogue);
    POST "/datasets/new/web" => elsewhere::take_web, Page(P::ManageCatalogue);
    GET "/sources/{id}/secret" => datasets::source::secret, Page(P::ManageCatalogue);
    POST "/sources/{id}/secret" => datasets::source::set_secret, Page(P::ManageCatalogue);
    GET "/datasets/new/table" => cataloguing::table, Page(P::ManageCatalogue);
    GET "/datasets/new/fields" => cataloguing::fields, Page(P::ManageCatalogue);
    POST "/datasets/new/fields" => cataloguing::fill, Page(P::ManageCatalogue);
    GET "/datasets/hierarchies" => nested::list, Page(P::Read);
    POST "/datasets/hierarchies" => nested::take, Page(P::ManageCatalogue);
    GET "/datasets/hierarchies/new" => nested::new, Page(P::ManageCatalogue);
    GET "/datasets/hierarchies/{name}/{version}" => nested::show, Page(P::Read);
    GET "/datasets/{name}" => datasets::show, Page(P::Read);
    POST "/datasets/{name}" => edit::save, Page(P::ManageCatalogue);
    GET "/datasets/{name}/edit" => edit::form, Page(P::ManageCatalogue);
    POST "/datasets/{name}/edit" => edit::fill, Page(P::ManageCatalogue);
    GET "/datasets/{name}/source" => datasets::drift::source, Page(P::SeeSamples);
    POST "/datasets/{name}/source" => datasets::drift::confirm, Page(P::ManageCatalogue);
    GET "/datasets/{name}/move" => datasets::source::ask_move, Page(P::ManageCatalogue);
    POST "/datasets/{name}/move" => datasets::source::move_dataset, Page(P::ManageCatalogue);
    GET "/datasets/{name}/samples" => datasets::samples, Page(P::SeeSamples);
    GET "/consent" => people_said::list, Page(P::Read);
    POST "/consent" => recording::record, Page(P::ManageConsent);
    GET "/consent/new" => recording::new, Page(P::ManageConsent);
    GET "/consent/import" => recording::file, Page(P::ManageConsent);
    POST "/consent/import" => recording::import, Page(P::ManageConsent);
    POST "/consent/person" => people_said::look_up, Page(P::ManageConsent);
    GET "/access" => machines::list, Page(P::Read);
    GET "/access/new" => machines::choose, Page(P::ManageAccess);
    GET "/vendors/{id}/clients/new" => machines::new, Page(P::ManageAccess);
    POST "/vendors/{id}/clients" => machines::issue, Page(P::ManageAccess);
    GET "/clients/{id}" => machines::show, Page(P::Read);
    GET "/clients/{id}/addresses" => machines::addresses::ask, Page(P::ManageAccess);
    POST "/clients/{id}/addresses" => machines::addresses::save, Page(P::ManageAccess);
    GET "/clients/{id}/authentication" => machines::authentication::ask, Page(P::ManageAccess);
    POST "/clients/{id}/authentication" => machines::authentication::save, Page(P::ManageAccess);
    GET "/clients/{id}/tokens/new" => machines::tokens::ask, Page(P::ManageAccess);
    POST "/clients/{id}/tokens" => machines::tokens::issue, Page(P::ManageAccess);
    GET "/clients/{id}/rotate" => stop::ask_rotate, Page(P::ManageAccess);
    POST "/clients/{id}/rotate" => stop::rotate, Page(P::ManageAccess);
    GET "/clients/{id}/revoke" => stop::ask_revoke, Page(P::Stop);
    POST "/clients/{id}/revoke" => stop::revoke, Page(P::Stop);
    GET "/tokens/{id}/revoke" => stop::ask_revoke_token, Page(P::Stop);
    POST "/tokens/{id}/revoke" => stop::revoke_token, Page(P::Stop);
    // The dashboard and vendors.
    GET "/" => dashboard::page, Page(P::Read);
    GET "/vendors" => vendor_pages::list::list, Page(P::Read);
    POST "/vendors" => vendor_pages::form::register, Page(P::ManageVendors);
    GET "/vendors.csv" => vendor_pages::list::csv, Page(P::Read);
    GET "/vendors/new" => vendor_pages::form::new, Page(P::ManageVendors);
    POST "/vendors/new" => vendor_pages::form::more_new, Page(P::ManageVendors);
    GET "/vendors/{id}" => vendor_pages::detail::show, Page(P::Read);
    POST "/vendors/{id}" => vendor_pages::form::change, Page(P::ManageVendors);
    GET "/vendors/{id}/edit" => vendor_pages::form::edit, Page(P::ManageVendors);
    POST "/vendors/{id}/edit" => vendor_pages::form::more_edit, Page(P::ManageVendors);
    GET "/vendors/{id}/acts/triage" => vendor_acts::ask_triage, Page(P::ManageVendors);
    POST "/vendors/{id}/acts/triage" => vendor_acts::triage, Page(P::ManageVendors);
    GET "/vendors/{id}/acts/begin-due-diligence" => vendor_acts::ask_begin_due_diligence, Page(P::ManageVendors);
    POST "/vendors/{id}/acts/begin-due-diligence" => vendor_acts::begin_due_diligence, Page(P::ManageVendors);
    GET "/vendors/{id}/acts/activate" => vendor_acts::ask_activate, Page(P::ManageVendors);
    POST "/vendors/{id}/acts/activate" => vendor_acts::activate, Page(P::ManageVendors);
    GET "/vendors/{id}/acts/suspend" => vendor_acts::ask_suspend, Page(P::Stop);
    POST "/vendors/{id}/acts/suspend" => vendor_acts::suspend, Page(P::Stop);
    GET "/vendors/{id}/acts/reinstate" => vendor_acts::ask_reinstate, Page(P::ManageVendors);
    POST "/vendors/{id}/acts/reinstate" => vendor_acts::reinstate, Page(P::ManageVendors);
    GET "/vendors/{id}/acts/offboard" => vendor_acts::ask_offboard, Page(P::Stop);
    POST "/vendors/{id}/acts/offboard" => vendor_acts::offboard, Page(P::Stop);
    GET "/vendors/{id}/acts/retire" => vendor_acts::ask_retire, Page(P::ManageVendors);
    POST "/vendors/{id}/acts/retire" => vendor_acts::retire, Page(P::ManageVendors);
}

/// Whether a route takes HEAD as well, as GET without the body. Not where rows leave: the history would hold a release
/// that nobody got.
fn answers_head(method: &str, access: Access) -> bool {
    method == "GET" && !matches!(access, Access::Vendor | Access::Client)
}

/// Puts the table into a server, and an answer for what is not in it.
pub fn configure(config: &mut web::ServiceConfig) {
    register(config);
    config.default_service(web::to(elsewhere));
}

/// Paths below which programs ask, whatever they say they accept.
const PROGRAMS: [&str; 5] = ["/api", "/data", "/oauth", "/.well-known", "/static"];

/// 405 with `Allow` where the path is known with other methods, else 404: as a page where a browser asks for one.
async fn elsewhere(request: HttpRequest) -> Result<HttpResponse, actix_web::Error> {
    let mut allow = Vec::new();
    for route in ROUTES.iter().filter(|route| matches(route.path, request.path())) {
        let head = answers_head(route.method, route.access).then_some("HEAD");
        allow.extend(std::iter::once(route.method).chain(head).filter(|method| !allow.contains(method)).collect::<Vec<_>>());
    }
    if is_for_people(&request) {
        let wire = if allow.is_empty() { Wire::NotFound } else { Wire::Method { allow: allow.join(", ") } };
        return Err(WebError::wire(&request, None, wire).into());
    }
    if allow.is_empty() {
        let detail = "There is nothing at this path; /api/openapi.json lists what there is.";
        Err(HttpError::wire(&request, actix_web::http::StatusCode::NOT_FOUND, "not-found", detail).into())
    } else {
        Err(HttpError::method(&request, allow.join(", ")).into())
    }
}

fn is_for_people(request: &HttpRequest) -> bool {
    let below = |root: &str| request.path().strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    wants_page(request.headers()) && !PROGRAMS.iter().any(|root| below(root))
}

fn is_route(method: &str, path: &str) -> bool {
    let ours = |route: &&Route| matches!(route.access, Access::Open | Access::Page(_)) && route.method == method;
    ROUTES.iter().filter(ours).any(|route| matches(route.path, path))
}

/// Whether a path is a page's, so that a sign-in may lead to it.
pub fn is_page(path: &str) -> bool {
    is_route("GET", path)
}

/// Whether a form may be sent to a path.
pub fn is_form(path: &str) -> bool {
    is_route("POST", path)
}

/// Whether a path is one of a pattern's. A last part such as `{path:.*}` stands for all that follows.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(want), Some(_)) if want.ends_with(":.*}") => return true,
            (Some(want), Some(got)) if want == got || (want.starts_with('{') && !got.is_empty()) => {}
            (None | Some(_), None | Some(_)) => return false,
        }
    }
}
