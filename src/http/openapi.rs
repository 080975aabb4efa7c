//! The OpenAPI 3.1 document, made from the handlers.

use actix_web::HttpResponse;
use utoipa::openapi::RefOr;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// How a vendor's machine shows a token.
const VENDOR: &str = "An access token from /oauth/token, or a plain token (tg_at_…) that the vendor manager issued. \
A token that is bound to a key is sent with the scheme DPoP instead of Bearer, and each request brings a proof in the header DPoP \
(RFC 9449).";

/// How a client proves who it is. A scheme names one way, so the others are told in words.
const CLIENT: &str = "A client's id and secret by HTTP Basic (client_secret_basic). The form may hold client_id and client_secret instead \
(client_secret_post). A client with keys of its own sends client_assertion and client_assertion_type there (private_key_jwt, RFC 7523). \
A request proves it in one way only.";

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_with(Default::default);
        let bearer = |format: &str, description: &str| {
            SecurityScheme::Http(
                HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format).description(Some(description)).build(),
            )
        };
        components.add_security_scheme("staff", bearer("tg_ak_…", "An API key of a member of the staff."));
        components.add_security_scheme("vendor", bearer("JWT or tg_at_…", VENDOR));
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(CLIENT)).build();
        components.add_security_scheme("client", SecurityScheme::Http(basic));
        complete_operations(document);
    }
}

/// Handlers of several nouns share a name; an operation's id must be its own, so the noun stands before it. And every
/// response must be described, also where its body says it all.
fn complete_operations(document: &mut utoipa::openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.put, &mut item.post].into_iter().flatten() {
            let noun = operation.tags.as_ref().and_then(|tags| tags.first());
            operation.operation_id = noun.zip(operation.operation_id.as_ref()).map(|(noun, act)| format!("{noun}_{act}"));
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    response.description = said_by(status).to_owned();
                }
            }
        }
    }
}

fn said_by(status: &str) -> &'static str {
    match status {
        "200" => "Done.",
        "201" => "Made.",
        "204" => "Done; there is nothing to show.",
        _ => "A problem; its document says which.",
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tidegate",
        description = "The gate between a company's customer data and its vendors. Errors are RFC 9457 problem documents, at /oauth/* those of RFC 6749; a refused release names its gate.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Schemes),
    paths(
        document,
        super::health::alive,
        super::health::ready,
        super::oauth::token,
        super::oauth::revoke,
        super::oauth::introspect,
        super::oauth::server_metadata,
        super::oauth::resource_metadata,
        super::oauth::jwks,
        super::data::datasets,
        super::data::records,
        super::data::schema::schema,
        super::api::people::me,
        super::api::people::my_keys,
        super::api::people::issue_own,
        super::api::people::revoke,
        super::api::people::list,
        super::api::people::add,
        super::api::people::disable,
        super::api::people::enable,
        super::api::people::keys,
        super::api::people::issue,
        super::api::vocabulary::vocabulary,
        super::api::vocabulary::purposes,
        super::api::vocabulary::add_purpose,
        super::api::vocabulary::retire_purpose,
        super::api::vocabulary::restore_purpose,
        super::api::vocabulary::categories,
        super::api::vocabulary::add_category,
        super::api::vocabulary::retire_category,
        super::api::vocabulary::restore_category,
        super::api::vocabulary::questionnaires,
        super::api::vendors::list,
        super::api::vendors::register,
        super::api::vendors::find,
        super::api::vendors::edit,
        super::api::vendors::gates,
        super::api::vendors::triage,
        super::api::vendors::begin_due_diligence,
        super::api::vendors::activate,
        super::api::vendors::suspend,
        super::api::vendors::reinstate,
        super::api::vendors::offboard,
        super::api::vendors::retire,
        super::api::consents::counts,
        super::api::consents::record,
        super::api::consents::import,
        super::api::consents::look_up,
        super::api::assessments::list,
        super::api::assessments::open,
        super::api::assessments::find,
        super::api::assessments::send,
        super::api::assessments::answer,
        super::api::assessments::submit,
        super::api::assessments::review,
        super::api::assessments::decide,
        super::api::assessments::cancel,
        super::api::assessments::cancel_review,
        super::api::assessments::compare,
        super::api::assessments::progress,
        super::api::evidence::list,
        super::api::evidence::add,
        super::api::evidence::file,
        super::api::evidence::accept,
        super::api::agreements::list,
        super::api::agreements::list_of_vendor,
        super::api::agreements::draft,
        super::api::agreements::find,
        super::api::agreements::edit,
        super::api::agreements::attach,
        super::api::agreements::document,
        super::api::agreements::impact,
        super::api::agreements::submit,
        super::api::agreements::approve,
        super::api::agreements::hand_back,
        super::api::agreements::sign,
        super::api::agreements::discard,
        super::api::agreements::amend,
        super::api::agreements::end,
        super::api::agreements::destroy_key,
        super::api::permits::write,
        super::api::permits::list,
        super::api::permits::find,
        super::api::permits::revise,
        super::api::permits::rewrite,
        super::api::permits::approve,
        super::api::permits::reject,
        super::api::permits::pause,
        super::api::permits::resume,
        super::api::permits::end,
        super::api::permits::reveal_tokens,
        super::api::catalogue::list_sources,
        super::api::catalogue::set_secret,
        super::api::catalogue::move_dataset,
        super::api::catalogue::add_source,
        super::api::catalogue::upload,
        super::api::catalogue::discover,
        super::api::catalogue::suggestions,
        super::api::catalogue::list,
        super::api::catalogue::catalogue,
        super::api::catalogue::find,
        super::api::catalogue::edit,
        super::api::catalogue::drift,
        super::api::catalogue::confirm,
        super::api::hierarchies::list,
        super::api::hierarchies::upload,
        super::api::hierarchies::find,
        super::api::preview::fields,
        super::api::preview::see_as_vendor,
        super::api::preview::matrix,
        super::api::access::list,
        super::api::access::issue,
        super::api::access::find,
        super::api::access::rotate,
        super::api::access::set_addresses,
        super::api::access::set_authentication,
        super::api::access::issue_token,
        super::api::access::revoke,
        super::api::access::tokens,
        super::api::access::revoke_token,
        super::api::keys::list,
        super::api::keys::rotate,
        super::api::keys::revoke,
        super::api::keys::kill_switch,
        super::api::keys::stop_everything,
        super::api::keys::lift,
        super::api::keys::preview,
        super::api::history::list,
        super::api::history::find,
    )
)]
struct Document;

/// The document itself.
pub fn build() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "operation", responses((status = 200, description = "OpenAPI 3.1.")))]
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(build())
}
