//! Log lines go to stderr, as text or JSON; libraries speak only from `warn` on, since their lines may hold values.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, fmt};

use crate::config::{LogFormat, LogLevel};

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
#[error("logging can't be started")]
pub struct LoggingError(#[from] TryInitError);

/// Starts logging for the whole process.
///
/// # Errors
/// When it was started before.
pub fn start(format: LogFormat, level: LogLevel) -> Result<(), LoggingError> {
    let lines = match format {
        LogFormat::Text => {
            fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed()
        }
        LogFormat::Json => fmt::layer().with_writer(std::io::stderr).json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter(level))).try_init()?;
    Ok(())
}

/// A database driver at `debug` logs statements with their values: the level set is for our own lines alone.
fn filter(level: LogLevel) -> EnvFilter {
    EnvFilter::new(match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "warn,tidegate=info",
        LogLevel::Debug => "warn,tidegate=debug",
        LogLevel::Trace => "warn,tidegate=trace",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_stay_quiet_at_every_level() {
        for level in [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace] {
            let text = filter(level).to_string();
            assert!(text.split(',').all(|part| part.starts_with("tidegate=") || part == "warn" || part == "error"), "{text}");
        }
        assert!(filter(LogLevel::Debug).to_string().contains("tidegate=debug"));
    }
}
