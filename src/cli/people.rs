//! `tidegate user …`: adds, lists and disables people on the database itself.

use std::io::{BufRead, Write};

use crate::app::AppError;
use crate::app::people::{self, AddPerson};
use crate::boot::{self, Clock};
use crate::config::{Config, DatabaseUrl};
use crate::domain::Invalid;
use crate::domain::person::Actor;
use crate::domain::secret::PlainSecret;
use crate::domain::text::Email;

use super::{AddUser, CliError, UserCommand};

/// Does what the command says and tells the result on stdout.
pub fn run(config: &Config, command: UserCommand) -> Result<(), CliError> {
    match command {
        UserCommand::Add(_) => {}
        UserCommand::List | UserCommand::Disable { .. } => check_installed(config)?,
    }
    boot::block_on(async {
        let app = boot::open(config, config.public_url(config.listen), Clock::system()).await?;
        match command {
            UserCommand::Add(add) => add_person(&app, add).await,
            UserCommand::List => list(&app).await,
            UserCommand::Disable { email } => disable(&app, email).await,
        }
    })
}

/// Opening makes what is not there; who looks for people in a wrong directory is told so instead.
fn check_installed(config: &Config) -> Result<(), CliError> {
    match &config.database_url {
        DatabaseUrl::Sqlite(path) if !path.exists() => Err(CliError::NoInstallation(config.data_dir.display().to_string())),
        // A server's database is named by its address: where the directory is wrong, that still is right.
        DatabaseUrl::Sqlite(_) | DatabaseUrl::Postgres(_) => Ok(()),
    }
}

async fn add_person(app: &crate::app::App, add: AddUser) -> Result<(), CliError> {
    let (password, made) = match add.password_stdin {
        true => (read_password()?, false),
        false => (crate::app::people::generated_password(), true),
    };
    let new = AddPerson { email: add.email, name: add.name, role: add.role, password: password.clone() };
    let person = people::add(app, &Actor::Operator, new).await?;
    let mut said = format!("Added {} as {} ({}).\n", person.email, person.role.key(), person.id);
    if made {
        said.push_str(&format!("Password, shown this once: {}\n", password.reveal()));
    }
    if let Some(label) = add.api_key {
        let (_, secret) = people::issue_key(app, &Actor::Operator, person.id, label, None).await?;
        said.push_str(&format!("API key, shown this once: {}\n", secret.reveal()));
    }
    say(&said)
}

async fn list(app: &crate::app::App) -> Result<(), CliError> {
    let mut said = String::new();
    for person in people::list(app).await? {
        let state = if person.disabled_at.is_some() { "disabled" } else { "active" };
        said.push_str(&format!("{}\t{}\t{}\t{}\t{}\n", person.email, person.role.key(), state, person.name, person.id));
    }
    say(&said)
}

async fn disable(app: &crate::app::App, email: Email) -> Result<(), CliError> {
    let person = people::list(app).await?.into_iter().find(|person| person.email == email).ok_or(AppError::NotFound("person"))?;
    let person = people::disable(app, &Actor::Operator, person.id).await?;
    say(&format!("Disabled {}: their password and API keys are refused from now on.\n", person.email))
}

fn read_password() -> Result<PlainSecret, CliError> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|_| AppError::from(Invalid::new("password", "can't be read from stdin")))?;
    Ok(PlainSecret::new(line.trim_end_matches(['\r', '\n'])))
}

/// Writes to stdout; a closed pipe is the reader's choice and no error of ours.
pub(super) fn say(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::Stdout(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
