//! The HTTP server: limits and time-outs, and a stop that lets requests end.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App as Actix, HttpServer, web};

use crate::app::App;

use super::web::once as web_once;
use super::{request_id, routes};

/// How the server listens.
#[derive(Debug, Clone)]
pub struct Listening {
    pub workers: usize,
    /// How long a client may take to send its request's head.
    pub header_timeout: Duration,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// How long running requests may go on after a stop.
    pub stop_timeout: Duration,
}

/// Builds the server on a bound socket. It installs no signal handlers: the caller decides when it stops.
pub fn build(app: &Arc<App>, listener: TcpListener, listening: &Listening) -> std::io::Result<Server> {
    let app = web::Data::new(Arc::clone(app));
    let server = HttpServer::new(move || {
        let headers = DefaultHeaders::new()
            .add(("X-Content-Type-Options", "nosniff"))
            .add(("Referrer-Policy", "no-referrer"))
            .add(("X-Frame-Options", "DENY"))
            .add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"));
        Actix::new()
            .app_data(app.clone())
            .wrap(headers)
            .wrap(from_fn(web_once::settle))
            .wrap(from_fn(request_id::give))
            .configure(routes::configure)
    })
    .workers(listening.workers)
    .client_request_timeout(listening.header_timeout)
    .keep_alive(listening.idle_timeout)
    .shutdown_timeout(listening.stop_timeout.as_secs())
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}
