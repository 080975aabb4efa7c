//! The route table whole: every path, its handler, and who may use it. The access test walks it row by row.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::policy::access::Permission;

use super::api::{access, agreements, assessments, catalogue, evidence, history, people, permits, vendors, vocabulary};
use super::error::HttpError;
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
            use Access::{Client, Public, Staff, Vendor};
            use Permission as P;
            &[$(Route { method: stringify!($method), path: $path, access: $access }),*]
        };

        fn register(config: &mut web::ServiceConfig) {
            use Access::{Client, Public, Staff, Vendor};
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
    GET "/.well-known/oauth-authorization-server" => oauth::server_metadata, Public;
    GET "/.well-known/oauth-protected-resource" => oauth::resource_metadata, Public;
    GET "/.well-known/jwks.json" => oauth::jwks, Public;

    GET "/data/v1/datasets" => data::datasets, Vendor;
    GET "/data/v1/datasets/{dataset}/records" => data::records, Vendor;

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

    GET "/api/v1/sources" => catalogue::list_sources, Staff(P::Read);
    POST "/api/v1/sources" => catalogue::add_source, Staff(P::ManageCatalogue);
    GET "/api/v1/sources/{id}/tables" => catalogue::discover, Staff(P::ManageCatalogue);
    GET "/api/v1/datasets" => catalogue::list, Staff(P::Read);
    POST "/api/v1/datasets" => catalogue::catalogue, Staff(P::ManageCatalogue);
    GET "/api/v1/datasets/{name}" => catalogue::find, Staff(P::Read);
    PUT "/api/v1/datasets/{name}" => catalogue::edit, Staff(P::ManageCatalogue);

    GET "/api/v1/vendors/{id}/clients" => access::list, Staff(P::Read);
    POST "/api/v1/vendors/{id}/clients" => access::issue, Staff(P::ManageAccess);
    GET "/api/v1/clients/{id}" => access::find, Staff(P::Read);
    POST "/api/v1/clients/{id}/rotate" => access::rotate, Staff(P::ManageAccess);
    POST "/api/v1/clients/{id}/revoke" => access::revoke, Staff(P::Stop);
    GET "/api/v1/clients/{id}/tokens" => access::tokens, Staff(P::Read);
    POST "/api/v1/tokens/{id}/revoke" => access::revoke_token, Staff(P::Stop);

    GET "/api/v1/history" => history::list, Staff(P::ReadHistory);
    GET "/api/v1/history/{position}" => history::find, Staff(P::ReadHistory);
}

/// Whether a route takes HEAD as well, as GET without the body. Not where rows leave: the history would hold a release
/// that nobody got.
fn answers_head(method: &str, access: Access) -> bool {
    method == "GET" && matches!(access, Access::Public | Access::Staff(_))
}

/// Puts the table into a server, and an answer for what is not in it.
pub fn configure(config: &mut web::ServiceConfig) {
    register(config);
    config.default_service(web::to(elsewhere));
}

/// 405 with `Allow` where the path is known with other methods, else 404.
async fn elsewhere(request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut allow = Vec::new();
    for route in ROUTES.iter().filter(|route| matches(route.path, request.path())) {
        let head = answers_head(route.method, route.access).then_some("HEAD");
        allow.extend(std::iter::once(route.method).chain(head).filter(|method| !allow.contains(method)).collect::<Vec<_>>());
    }
    if allow.is_empty() {
        let detail = "There is nothing at this path; /api/openapi.json lists what there is.";
        Err(HttpError::wire(&request, actix_web::http::StatusCode::NOT_FOUND, "not-found", detail))
    } else {
        Err(HttpError::method(&request, allow.join(", ")))
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(want, got)| want == got || (want.starts_with('{') && !got.is_empty()))
}
