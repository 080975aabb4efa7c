//! The command line: what can be asked for; the work itself is `boot`'s and `app`'s.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::app::AppError;
use crate::boot::{self, BootError};
use crate::config::{Config, ConfigError, Overrides, environment};

pub mod demo;
pub mod logging;
mod people;
mod user;

pub use user::{AddUser, UserCommand};

/// The gate between your customer data and your vendors.
///
/// Tidegate knows each vendor, what due diligence found and what the agreement says. It releases to a vendor's
/// machine only the fields that the agreement permits, treated as it says, while everything it depends on holds,
/// and records every release.
#[derive(Debug, Parser)]
#[command(
    name = "tidegate",
    version,
    after_long_help = "\
First steps:
  tidegate demo                      look around: made-up customers, vendors and their access
  tidegate user add --email you@example.org --name 'Your Name' --role administrator --api-key first
  tidegate serve

Settings come from a file (--config), from the environment and from flags; of these the later is the stronger.
Each key of the file is an environment variable too: listen = '127.0.0.1:8640' is TIDEGATE_LISTEN=127.0.0.1:8640.
The master key is read from the file that master_key_file names or from TIDEGATE_MASTER_KEY (base64 of 32 bytes).
A setting that Tidegate does not know is an error. Relative paths start at the data directory."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub settings: Settings,
}

/// Flags that every command takes.
#[derive(Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Configuration file, in TOML. Also TIDEGATE_CONFIG; none is read unless named
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where keys, files and the SQLite database lie [default: ./tidegate-data; of the demo ./tidegate-demo]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// postgres://user@host/database or sqlite:PATH [default: tidegate.db in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// IP address and port to serve on; port 0 picks a free one [default: 127.0.0.1:8640]
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// How log lines on stderr are written: text or json [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The database's address may hold a password.
        out.write_str("Settings(..)")
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API
    ///
    /// Opens the database (and brings its tables up to date), loads the keys and serves until SIGTERM or Ctrl-C;
    /// running streams are then ended cleanly. The first start on an empty data directory makes the master key:
    /// keep a copy of it apart from the backups, for without it nothing in them can be read.
    #[command(after_long_help = "\
Examples:
  tidegate serve
  tidegate serve --listen 0.0.0.0:8640 --database-url postgres://tidegate@db.internal/tidegate --log-format json")]
    Serve,
    /// Fill a data directory with made-up data and serve it
    ///
    /// Makes 5,000 customers, their orders, one person for each role, and vendors in all stages, with access and
    /// some history; prints the address, the people and three curl lines to try. A second start on the same
    /// directory keeps its data and prints the same. Not for real data: its credentials lie beside it in a file.
    #[command(after_long_help = "\
Examples:
  tidegate demo
  tidegate demo --data-dir /tmp/tidegate-demo --listen 127.0.0.1:0 --json")]
    Demo(Demo),
    /// Add, list and disable people of the staff
    ///
    /// Works on the database itself, so it also makes the first person of a new installation.
    #[command(subcommand)]
    User(UserCommand),
}

/// How the demo says what it made.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Print one line of JSON to stdout before serving, instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Why a command did not happen, for the person who typed it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Logging(#[from] logging::LoggingError),
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error("stdout can't be written")]
    Stdout(#[source] std::io::Error),
    #[error("there is no installation in {0}; name its directory with --data-dir")]
    NoInstallation(String),
    #[error("{0}")]
    Demo(String),
}

impl CliError {
    /// The use case's error beneath, if it is one.
    fn app(&self) -> Option<&AppError> {
        match self {
            Self::App(error) | Self::Boot(BootError::App(error)) => Some(error),
            Self::Config(_) | Self::Logging(_) | Self::Boot(_) | Self::Stdout(_) | Self::NoInstallation(_) | Self::Demo(_) => None,
        }
    }
}

impl From<Settings> for Overrides {
    fn from(settings: Settings) -> Self {
        let Settings { config, data_dir, database_url, listen, log_format } = settings;
        Self { config, data_dir, usual_data_dir: None, database_url, listen, log_format }
    }
}

/// Reads the command line, does what it says, and tells the shell how it went: 0 done, 1 failed, 2 not understood.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let usual = match cli.command {
        // A demo and a real installation do not share a directory by accident.
        Command::Demo(_) => Some("./tidegate-demo"),
        Command::Serve | Command::User(_) => None,
    };
    match prepare(cli.settings, usual).and_then(|config| run(cli.command, config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Reads the settings and starts logging.
fn prepare(settings: Settings, usual_data_dir: Option<&'static str>) -> Result<Config, CliError> {
    let overrides = Overrides { usual_data_dir, ..settings.into() };
    let config = Config::load(overrides, environment())?;
    logging::start(config.log_format, config.log_level)?;
    Ok(config)
}

/// Does what a command says.
pub fn run(command: Command, config: Config) -> Result<(), CliError> {
    match command {
        Command::Serve => Ok(boot::serve(&config, welcome)?),
        Command::Demo(demo) => demo::run(&config, demo.json),
        Command::User(command) => people::run(&config, command),
    }
}

/// Says how the first administrator comes in. Where stdout is closed, `tidegate user add` is the other way.
fn welcome(link: &str) {
    let said = format!("Nobody can sign in yet. Open this link within 24 hours to become the first administrator:\n  {link}\n");
    if people::say(&said).is_err() {
        tracing::warn!("the link for the first administrator could not be printed; add one with `tidegate user add`");
    }
}

/// Says on stderr what went wrong, with its causes on the same line.
fn complain(error: &(dyn std::error::Error + 'static)) {
    let mut line = format!("tidegate: {error}");
    if let Some(AppError::Internal(cause)) = error.downcast_ref::<CliError>().and_then(CliError::app) {
        line.push_str(&format!(" ({cause})"));
    }
    let mut cause = error.source();
    while let Some(deeper) = cause {
        line.push_str(&format!(": {deeper}"));
        cause = deeper.source();
    }
    // Where stderr is gone there is nobody to tell; the exit code still says it.
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_says_what_it_does() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            let undescribed = command.get_arguments().find(|argument| argument.get_help().is_none());
            assert!(undescribed.is_none(), "{} {undescribed:?}", command.get_name());
            let leaf = command.get_subcommands().next().is_none();
            assert!(
                !leaf || command.get_after_long_help().is_some_and(|help| help.to_string().contains("Example")),
                "{}",
                command.get_name()
            );
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn settings_stand_before_or_after_the_command() {
        for line in [["tidegate", "--listen", "127.0.0.1:0", "demo", "--json"], ["tidegate", "demo", "--json", "--listen", "127.0.0.1:0"]] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert!(matches!(cli.command, Command::Demo(Demo { json: true })));
            assert_eq!(Overrides::from(cli.settings).listen.as_deref(), Some("127.0.0.1:0"));
        }
    }

    #[test]
    fn a_person_is_added_by_checked_values() {
        let parse = |email: &str, role: &str| {
            Cli::try_parse_from(["tidegate", "user", "add", "--email", email, "--name", "Ada", "--role", role]).map(|cli| cli.command)
        };
        let Command::User(UserCommand::Add(add)) = parse("Ada@Example.org", "privacy_officer").unwrap() else { panic!("another command") };
        assert_eq!((add.email.as_str(), add.role.key(), add.password_stdin), ("ada@example.org", "privacy_officer", false));
        assert!(parse("ada", "privacy_officer").is_err());
        let error = parse("ada@example.org", "boss").unwrap_err().to_string();
        assert!(error.contains("administrator") && error.contains("compliance_reviewer"), "{error}");
    }

    #[test]
    fn debug_of_a_command_line_shows_no_database_password() {
        let cli = Cli::try_parse_from(["tidegate", "serve", "--database-url", "postgres://u:hunter2@h/d"]).unwrap();
        assert!(!format!("{cli:?}").contains("hunter2"));
    }
}
