//! From the configuration to a running installation; the only builder of the store and the engine.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::app::fetching::Fetching;
use crate::app::throttle::{Rates, Throttle};
use crate::app::{
    App, AppError, Settings, consents, hierarchies, history, key_sets, oauth, password_links, preview, release, secrets, sign_in,
    signing_keys,
};
use crate::config::{Config, DatabaseUrl};
use crate::engine::{self, Engine, EngineError};
use crate::files::Files;
use crate::http::server::{self, Listening};
use crate::keys::{self, KeyError, Keyring, MasterKey};
use crate::outbound::{Outbound, OutboundError};
pub use crate::store::Clock;
use crate::store::{self, Store, StoreError, sealed_keys};
use crate::work;

/// Why the installation does not start: for the person who starts it, so paths are told.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error("the folder {path} can't be used")]
    Folder { path: String, source: std::io::Error },
    #[error("can't listen on {address}")]
    Listen { address: String, source: std::io::Error },
    #[error("the database can't be opened")]
    Store(#[from] StoreError),
    #[error("the master key can't be used")]
    Key(#[from] KeyError),
    #[error("the engine can't be started")]
    Engine(#[from] EngineError),
    #[error("the client for sources over HTTP can't be made: are the system's certificates there?")]
    Outbound(#[source] OutboundError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error("the server failed")]
    Server(#[source] std::io::Error),
}

/// How long running requests and streams may take to end after a stop.
const STOP: Duration = Duration::from_secs(10);

/// The coarsest clock of a file system in use (FAT's) ticks every two seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// Binds the configured address.
pub fn listen(config: &Config) -> Result<TcpListener, BootError> {
    let failed = |source| BootError::Listen { address: config.listen.to_string(), source };
    let listener = TcpListener::bind(config.listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Opens the installation: folders, database, master key, engine. `public_url` is what its tokens name.
pub async fn open(config: &Config, public_url: String, clock: Clock) -> Result<Arc<App>, BootError> {
    let uploads = config.data_dir.join("uploads");
    for folder in [&config.data_dir, &uploads].into_iter().chain(&config.source_roots) {
        make_folder(folder)?;
    }
    let settings = store::Settings { url: database(config), pool: 8 };
    let opening = clock.clone();
    let store = tokio::task::spawn_blocking(move || Store::open(&settings, opening))
        .await
        .map_err(|_| StoreError::Unavailable("opening was interrupted".to_owned()))??;
    let fresh = store.read(|tx| Ok::<_, StoreError>(sealed_keys::list(tx, "")?.is_empty())).await?;
    // A missing key is made for an empty database only: for one with sealed keys another key would be of no use.
    let master = if fresh {
        MasterKey::load_or_create(&config.master_key, &config.data_dir)?
    } else {
        MasterKey::load(&config.master_key, &config.data_dir)?
    };
    let keyring = Arc::new(Keyring::new(master));
    // Brokers may share a data folder: each keeps its sorts apart by its name, which may hold any sign.
    let broker = broker(config)?;
    let spill = config.data_dir.join("spill").join(keys::sha256_hex(broker.as_bytes()));
    make_folder(&spill)?;
    let outbound = Outbound::new(config.outbound_hosts.clone()).map_err(BootError::Outbound)?;
    let memory_bytes = config.engine_memory_mb.saturating_mul(1024 * 1024);
    let settings_of_engine = engine::Settings {
        roots: config.source_roots.clone(),
        uploads: Some(uploads),
        spill: Some(spill),
        threads: config.workers.max(2),
        memory_bytes,
        kept_bytes: memory_bytes / 8,
        settled: SETTLED,
    };
    let engine = Engine::fetching(settings_of_engine, Arc::new(Fetching(outbound.clone())))?;
    let settings = Settings {
        public_url,
        token_lifetime_seconds: config.token_lifetime_seconds,
        broker,
        source_roots: config.source_roots.clone(),
        most_upload_bytes: config.max_upload_mb.saturating_mul(1_000_000),
        trusted_proxies: config.trusted_proxies.clone(),
    };
    let rates = Rates { requests_per_second: config.oauth_requests_per_second, failures_per_minute: config.oauth_failures_per_minute };
    let app = Arc::new(App {
        settings,
        store,
        throttle: Throttle::new(rates, clock.clone()),
        clock,
        files: Files::new(config.data_dir.clone(), Arc::clone(&keyring)),
        engine,
        outbound,
        key_sets: key_sets::KeySets::default(),
        grants: oauth::Grants::default(),
        secrets: secrets::Secrets::new(&keyring),
        keyring,
        decisions: release::Decisions::default(),
        consents: consents::Consents::default(),
        refusals: history::Refusals::default(),
        streams: release::Streams::within(memory_bytes),
        desk: sign_in::Desk::default(),
        viewed: preview::Viewed::default(),
        hierarchies: hierarchies::Hierarchies::default(),
    });
    signing_keys::ensure(&app).await?;
    Ok(app)
}

fn make_folder(path: &Path) -> Result<(), BootError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| BootError::Folder { path: path.display().to_string(), source })
}

fn database(config: &Config) -> store::DatabaseUrl {
    match &config.database_url {
        DatabaseUrl::Sqlite(path) => store::DatabaseUrl::Sqlite(path.clone()),
        DatabaseUrl::Postgres(url) => store::DatabaseUrl::Postgres(url.clone()),
    }
}

/// The name of this process among brokers: as set, else made once per data directory, so that a restart finds what a
/// crash left open.
fn broker(config: &Config) -> Result<String, BootError> {
    if let Some(name) = &config.broker {
        return Ok(name.clone());
    }
    let path = config.data_dir.join("broker");
    let failed = |source| BootError::Folder { path: path.display().to_string(), source };
    match fs::read_to_string(&path) {
        Ok(name) => Ok(name.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = keys::new_uuid();
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
            file.write_all(name.as_bytes()).map_err(failed)?;
            Ok(name)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Runs an asynchronous command on a runtime of its own.
pub fn block_on<F: Future>(future: F) -> F::Output {
    actix_web::rt::System::new().block_on(future)
}

/// Serves until SIGTERM or Ctrl-C. Where nobody is there yet, `greet` is given the link by which the first
/// administrator comes in: for the terminal, never for the log.
pub fn serve(config: &Config, greet: impl FnOnce(&str)) -> Result<(), BootError> {
    block_on(async {
        let listener = listen(config)?;
        let bound = listener.local_addr().map_err(BootError::Server)?;
        let app = open(config, config.public_url(bound), Clock::system()).await?;
        if let Some(link) = password_links::set_up(&app).await? {
            greet(&password_links::address(&app, &link));
        }
        tracing::info!(address = %bound, url = %app.settings.public_url, "serving");
        run(app, listener, config, told_to_stop()).await
    })
}

/// Serves an opened installation on a bound socket until `stop` is done, then stops cleanly.
pub async fn run(app: Arc<App>, listener: TcpListener, config: &Config, stop: impl Future<Output = ()> + 'static) -> Result<(), BootError> {
    let recovered = release::recover(&app).await?;
    if recovered > 0 {
        tracing::warn!(streams = recovered, "streams that an earlier run left open were closed in the history");
    }
    app.engine.sweep();
    let listening = Listening {
        workers: config.workers,
        header_timeout: Duration::from_secs(config.header_timeout_seconds),
        idle_timeout: Duration::from_secs(config.idle_timeout_seconds),
        stop_timeout: STOP,
    };
    let server = server::build(&app, listener, &listening).map_err(BootError::Server)?;
    work::start(&app);
    let handle = server.handle();
    let stopping = Arc::clone(&app);
    actix_web::rt::spawn(async move {
        stop.await;
        stopping.streams.stop();
        handle.stop(true).await;
    });
    server.await.map_err(BootError::Server)?;
    finish(&app).await
}

/// Waits for the last streams to be closed on record and writes what is counted in memory.
async fn finish(app: &App) -> Result<(), BootError> {
    let deadline = tokio::time::Instant::now() + STOP;
    while app.streams.running() > 0 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    history::flush_refusals(app, true).await?;
    app.store.sequence().await?;
    Ok(())
}

/// Done when SIGTERM or Ctrl-C comes.
pub async fn told_to_stop() {
    match signal().await {
        Ok(name) => tracing::info!(signal = name, "stopping"),
        Err(error) => tracing::error!(%error, "signals can't be heard; stopping"),
    }
}

async fn signal() -> std::io::Result<&'static str> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
