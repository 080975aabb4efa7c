//! Commands on the people of the staff; a password never stands on the command line, where others could read it.

use clap::{Args, Subcommand};

use crate::domain::person::Role;
use crate::domain::text::{Email, Name};

/// What to do with people.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a person
    ///
    /// Makes a password and prints it once, unless one is given on stdin. With --api-key it also makes a key for
    /// the staff API and prints that once.
    #[command(after_long_help = "\
Examples:
  tidegate user add --email ada@example.org --name 'Ada Lovelace' --role privacy_officer
  tidegate user add --email bot@example.org --name 'Intake' --role vendor_manager --api-key intake
  pass show tidegate | tidegate user add --email ada@example.org --name Ada --role administrator --password-stdin")]
    Add(AddUser),
    /// List everybody, disabled people too
    #[command(after_long_help = "\
Example:
  tidegate user list")]
    List,
    /// Disable a person: no sign-in and no API key of theirs works from the next request on
    ///
    /// The person stays in the history. Disabling is recorded there too.
    #[command(after_long_help = "\
Example:
  tidegate user disable ada@example.org")]
    Disable {
        /// E-mail address of the person
        email: Email,
    },
}

/// Whom to add.
#[derive(Debug, Clone, Args)]
pub struct AddUser {
    /// E-mail address, by which the person signs in
    #[arg(long)]
    pub email: Email,
    /// Name, as others see it
    #[arg(long)]
    pub name: Name,
    /// administrator, vendor_manager, privacy_officer, data_steward or compliance_reviewer
    #[arg(long, value_parser = role)]
    pub role: Role,
    /// Read the password (12 to 256 characters) from the first line of stdin
    #[arg(long)]
    pub password_stdin: bool,
    /// Also make an API key of this name
    #[arg(long, value_name = "NAME")]
    pub api_key: Option<Name>,
}

fn role(key: &str) -> Result<Role, String> {
    Role::from_key(key).ok_or_else(|| format!("must be one of {}", Role::ALL.map(Role::key).join(", ")))
}
