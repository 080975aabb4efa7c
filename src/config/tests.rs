//! Layers, refusals and silence about secrets, on made-up environments.

use std::fs;
use std::path::Path;

use super::*;

const SECRET: &str = "hunter2-hunter2";

fn load(file: Option<&str>, environment: &[(&str, &str)], flags: Overrides) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tidegate.toml");
    let config = file.map(|text| {
        fs::write(&path, text).unwrap();
        path
    });
    let environment: Vec<(OsString, OsString)> = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    Config::load(Overrides { config, ..flags }, environment.into_iter())
}

fn file(text: &str) -> Result<Config, ConfigError> {
    load(Some(text), &[], Overrides::default())
}

fn variable(name: &str, value: &str) -> Result<Config, ConfigError> {
    load(None, &[(name, value)], Overrides::default())
}

#[test]
fn with_nothing_given_the_defaults_hold() {
    let config = load(None, &[("PATH", "/bin"), ("TIDEGATE_TEST_REQUIRE", "postgres")], Overrides::default()).unwrap();
    assert!(config.data_dir.is_absolute() && config.data_dir.ends_with("tidegate-data"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8640");
    assert_eq!(config.database_url, DatabaseUrl::Sqlite(config.data_dir.join("tidegate.db")));
    assert_eq!(config.master_key, MasterKeySource::File(config.data_dir.join("master.key")));
    assert_eq!(config.source_roots, [config.data_dir.join("sources")]);
    assert_eq!((config.log_format, config.log_level), (LogFormat::Text, LogLevel::Info));
    assert_eq!((config.token_lifetime_seconds, config.engine_memory_mb, config.max_upload_mb), (300, 256, 25));
    assert!(config.workers >= 1);
    assert_eq!(config.broker, None);
}

#[test]
fn environment_beats_file_and_flags_beat_both() {
    let all = "listen = '127.0.0.1:1'\ntoken_lifetime_seconds = 100\nlog_level = 'debug'";
    let environment = [("TIDEGATE_LISTEN", "127.0.0.1:2"), ("TIDEGATE_TOKEN_LIFETIME_SECONDS", "200")];
    let flags = Overrides { listen: Some("127.0.0.1:3".to_owned()), ..Overrides::default() };
    let config = load(Some(all), &environment, flags).unwrap();
    assert_eq!((config.listen.port(), config.token_lifetime_seconds, config.log_level), (3, 200, LogLevel::Debug));
}

#[test]
fn the_file_is_named_by_flag_or_environment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("from-environment.toml");
    fs::write(&path, "workers = 7").unwrap();
    assert_eq!(variable("TIDEGATE_CONFIG", path.to_str().unwrap()).unwrap().workers, 7);
    let flagged = load(Some("workers = 8"), &[("TIDEGATE_CONFIG", "/nowhere")], Overrides::default()).unwrap();
    assert_eq!(flagged.workers, 8);
    assert!(matches!(variable("TIDEGATE_CONFIG", "/nowhere/tidegate.toml"), Err(ConfigError::Unreadable { .. })));
}

#[test]
fn relative_paths_start_at_the_data_directory() {
    let text =
        "data_dir = '/srv/gate'\ndatabase_url = 'sqlite:gate.db'\nsource_roots = ['in', '/mnt/rows']\nmaster_key_file = 'keys/master'";
    let config = file(text).unwrap();
    assert_eq!(config.database_url, DatabaseUrl::Sqlite("/srv/gate/gate.db".into()));
    assert_eq!(config.source_roots, [Path::new("/srv/gate/in"), Path::new("/mnt/rows")]);
    assert_eq!(config.master_key, MasterKeySource::File("/srv/gate/keys/master".into()));
    let roots = variable("TIDEGATE_SOURCE_ROOTS", "/a:/b").unwrap().source_roots;
    assert_eq!(roots, [Path::new("/a"), Path::new("/b")]);
}

#[test]
fn unknown_keys_are_errors_that_name_them() {
    let check = |outcome: Result<Config, ConfigError>, name: &str| {
        let error = outcome.unwrap_err();
        assert!(matches!(error, ConfigError::Unknown { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    };
    check(file("lisen = '127.0.0.1:1'"), "'lisen'");
    check(file("[server]\nlisten = '127.0.0.1:1'"), "'server'");
    check(file("master_key = 'x'"), "TIDEGATE_MASTER_KEY");
    check(file("config = 'x'"), "'config'");
    check(variable("TIDEGATE_LISEN", "x"), "TIDEGATE_LISEN");
    check(variable("TIDEGATE_listen", "127.0.0.1:1"), "TIDEGATE_listen");
    check(variable("TIDEGATE_TESTS", "x"), "TIDEGATE_TESTS");
    check(variable("TIDEGATE_TIDEGATE_LISTEN", "127.0.0.1:1"), "TIDEGATE_TIDEGATE_LISTEN");
    check(variable("TIDEGATE_", "x"), "TIDEGATE_");
}

#[test]
fn wrong_values_are_told_by_key_origin_and_remedy_but_not_repeated() {
    let wrong = [
        ("listen", "zzz:80"),
        ("listen", ""),
        ("database_url", "mysql://root:zzz@host/db"),
        ("database_url", "sqlite::memory:"),
        ("database_url", "sqlite:"),
        ("database_url", "postgres://"),
        ("public_url", "zzz.example"),
        ("public_url", "https://gate.example/path"),
        ("public_url", "https://zzz@gate.example"),
        ("public_url", "https://Gate.example"),
        ("token_lifetime_seconds", "59"),
        ("token_lifetime_seconds", "901"),
        ("workers", "0"),
        ("workers", "-1"),
        ("engine_memory_mb", "1"),
        ("max_upload_mb", "99999999999999999999"),
        ("log_format", "zzz"),
        ("log_level", "zzz"),
        ("broker", "Not A zzz"),
        ("source_roots", ":/a"),
        ("data_dir", ""),
    ];
    for (key, value) in wrong {
        let name = format!("TIDEGATE_{}", key.to_uppercase());
        for (outcome, origin) in [(variable(&name, value), name.as_str()), (file(&format!("{key} = '{value}'")), "tidegate.toml")] {
            let message = outcome.unwrap_err().to_string();
            assert!(message.contains(origin) && message.to_lowercase().contains(key) && message.contains("must "), "{message}");
            assert!(!message.contains("zzz"), "{message}");
        }
    }
    for wrong in ["workers = 1.5", "workers = true", "listen = 8640", "listen = ['127.0.0.1:1']", "source_roots = [1]", "source_roots = []"]
    {
        assert!(matches!(file(wrong), Err(ConfigError::Wrong { .. })), "{wrong}");
    }
    let flag = load(None, &[], Overrides { listen: Some("here".to_owned()), ..Overrides::default() });
    assert!(flag.unwrap_err().to_string().starts_with("--listen must be"));
}

#[test]
fn the_master_key_comes_from_one_place() {
    let config = variable("TIDEGATE_MASTER_KEY", SECRET).unwrap();
    assert_eq!(config.master_key, MasterKeySource::Environment(SECRET.to_owned()));
    let both = load(Some("master_key_file = '/k'"), &[("TIDEGATE_MASTER_KEY", SECRET)], Overrides::default());
    assert!(matches!(both, Err(ConfigError::TwoMasterKeys { .. })));
}

#[test]
fn no_secret_reaches_debug_or_a_message() {
    let url = format!("postgres://gate:{SECRET}@db/gate");
    let environment = [("TIDEGATE_DATABASE_URL", url.as_str()), ("TIDEGATE_MASTER_KEY", SECRET)];
    let config = load(None, &environment, Overrides::default()).unwrap();
    assert_eq!(config.database_url, DatabaseUrl::Postgres(url.clone()));
    assert!(!format!("{config:?}").contains(SECRET));

    let broken = [
        format!("database_url = {url}"),
        format!("database_url = '{url}"),
        format!("database_url = '{url}' x"),
        format!("database_url = '{url}'\ndatabase_url = '{url}'"),
        format!("database_url = ['{url}']"),
        format!("database_url = '{SECRET}'"),
    ];
    for text in broken {
        let error = file(&text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    }
}

#[test]
fn the_public_url_is_as_set_or_as_bound() {
    let bound: SocketAddr = "127.0.0.1:4711".parse().unwrap();
    let unset = load(None, &[], Overrides::default()).unwrap();
    assert_eq!(unset.public_url(bound), "http://127.0.0.1:4711");
    assert_eq!(unset.public_url("0.0.0.0:4711".parse().unwrap()), "http://localhost:4711");
    assert_eq!(unset.public_url("[::1]:4711".parse().unwrap()), "http://[::1]:4711");
    let set = variable("TIDEGATE_PUBLIC_URL", "https://gate.example:8443/").unwrap();
    assert_eq!(set.public_url(bound), "https://gate.example:8443");
}
