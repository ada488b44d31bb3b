//! Reads the configuration: the file, then the environment, then what only makes sense together.

use std::path::{Path, PathBuf};

use clap::Args;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, Smpp};
use crate::fault::Fault;
use crate::outcome::{Failure, Outcome};
use crate::toml_reader::Document;

/// Where the configuration comes from, on every command that needs it.
#[derive(Clone, Debug, Default, Args)]
pub struct Sources {
    /// The configuration file; without, the defaults
    #[arg(long, value_name = "FILE", env = "POSTRIDER_CONFIG")]
    pub config: Option<PathBuf>,
    /// The directory of the store, the key and the log
    #[arg(long, value_name = "DIR", env = "POSTRIDER_DATA")]
    pub data: Option<PathBuf>,
}

/// Reads the configuration, or tells every fault of it.
pub fn load(sources: &Sources) -> Outcome<Config> {
    let text = match &sources.config {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Failure::file(path, format_args!("can't be read: {error}")))?,
    };
    let file = sources.config.as_deref().unwrap_or(Path::new("postrider.toml")).display().to_string();
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    match read(&file, &text, variables) {
        Ok(mut config) => {
            config.data = sources.data.clone();
            Ok(config)
        }
        Err(faults) => Err(Failure::Configuration(faults)),
    }
}

/// Reads a file's text with environment variables, of which those of other programs are ignored.
pub fn read(file: &str, text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Config, Vec<Fault>> {
    let settings: Vec<Setting> = variables.filter_map(|(name, value)| Setting::of(&name, &value)).collect();
    let (mut document, table) = Document::parse(file, text);
    let span = table.span();
    let mut table = table.into_inner();
    // The file alone first: its faults are told even where a variable hides them.
    let alone = document.read::<Config>(value(span.clone(), table.clone()));
    if let Some(config) = &alone {
        check(config, &mut |section, key, message| {
            let place = entry(&table, section, key).map_or(span.clone(), |value| value.span());
            document.fault(place, message);
        });
    }
    let mut faults = document.into_faults();
    for setting in &settings {
        faults.extend(setting.faults());
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    for setting in &settings {
        setting.put(&mut table);
    }
    let (mut whole, _) = Document::parse(file, "");
    whole.read(value(0..0, table)).ok_or_else(|| whole.into_faults())
}

fn value(span: std::ops::Range<usize>, table: DeTable<'_>) -> Spanned<DeValue<'_>> {
    Spanned::new(span, DeValue::Table(table))
}

fn entry<'t, 'i>(table: &'t DeTable<'i>, section: &str, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    table.get(section)?.get_ref().get(key)
}

/// What the types can't say. `fault` is told the table, the key and what is wrong.
fn check(config: &Config, fault: &mut dyn FnMut(&str, &str, String)) {
    check_smpp(&config.smpp, fault);
    super::sessions::check(&config.ucp, &config.cimd2, fault);
    if config.node.name.as_deref().is_some_and(|name| !crate::node::is_name(name)) {
        fault("node", "name", "must be 1 to 64 letters, digits, dots, hyphens and underscores".into());
    }
    if !(2..=60).contains(&config.node.membership.0.as_secs()) {
        fault("node", "membership", "must be from 2s to 60s".into());
    }
    if config.http.listen.is_empty() {
        fault("http", "listen", "must have at least one address".into());
    }
    if let Err(detail) = crate::log::levels(&config.log.level) {
        fault("log", "level", detail);
    }
    if !config.log.redact.text {
        fault("log", "redact", "logging texts is not supported yet; leave text = true".into());
    }
    if config.webhooks.concurrency == 0 {
        fault("webhooks", "concurrency", "must be at least 1".into());
    }
    if config.webhooks.timeout.0.is_zero() {
        fault("webhooks", "timeout", "must be longer than nothing".into());
    }
    let limits = &config.http.limits;
    let counts = [limits.connections, limits.headers, limits.header_octets, limits.body_octets, limits.batch_octets];
    if counts.contains(&0) || limits.connections > 1_000_000 {
        fault("http", "limits", "must be at least 1 each, and connections at most 1000000".into());
    }
}

fn check_smpp(smpp: &Smpp, fault: &mut dyn FnMut(&str, &str, String)) {
    if smpp.system_id.len() > 15 || !smpp.system_id.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        fault("smpp", "system_id", "must be at most 15 printable ASCII characters".into());
    }
    let limits = &smpp.limits;
    if limits.connections == 0 || limits.connections_per_address == 0 || limits.connections > 1_000_000 {
        fault("smpp", "limits", "must have at least 1 connection and at most 1000000".into());
    }
    if !(1024..=1024 * 1024).contains(&limits.pdu_octets) {
        fault("smpp", "limits", "must have pdu_octets from 1024 to 1048576".into());
    }
    let times = [limits.bind_timeout, limits.enquire_interval, limits.response_timeout];
    if times.iter().any(|time| time.0.is_zero()) {
        fault("smpp", "limits", "must have times longer than nothing, but for inactivity_timeout".into());
    }
}

/// A key that is set by the environment.
struct Setting {
    variable: String,
    path: Vec<String>,
    /// As a document of its own, so that it is read like the file.
    text: String,
}

impl Setting {
    fn of(name: &str, value: &str) -> Option<Self> {
        let keys = name.strip_prefix("POSTRIDER_").filter(|keys| keys.contains("__"))?;
        let path: Vec<String> = keys.split("__").map(str::to_lowercase).collect();
        let quoted: Vec<String> = path.iter().map(|key| toml::Value::from(key.as_str()).to_string()).collect();
        let key = quoted.join(".");
        let as_it_is = format!("{key} = {value}");
        // A string needs no quotes here.
        let text = match DeTable::parse(&as_it_is) {
            Ok(_) => as_it_is,
            Err(_) => format!("{key} = {}", toml::Value::from(value)),
        };
        Some(Self { variable: name.to_owned(), path, text })
    }

    fn faults(&self) -> Vec<Fault> {
        let (mut document, table) = Document::parse(&self.variable, &self.text);
        let span = table.span();
        if let Some(config) = document.read::<Config>(value(span, table.into_inner())) {
            check(&config, &mut |_, _, message| document.fault(0..0, message));
        }
        let key = Some(self.path.join("."));
        document.into_faults().into_iter().map(|fault| Fault { place: None, key: key.clone(), ..fault }).collect()
    }

    fn put<'i>(&'i self, table: &mut DeTable<'i>) {
        if let Ok(own) = DeTable::parse(&self.text) {
            merge(table, &self.path, own.into_inner());
        }
    }
}

/// Puts the one entry at `path` of `from` into `into`.
fn merge<'i>(into: &mut DeTable<'i>, path: &[String], from: DeTable<'i>) {
    let Some((key, value)) = from.into_iter().next() else { return };
    let deeper = path.get(1..).unwrap_or_default();
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(inner) if !deeper.is_empty() => {
            let place = into.entry(key).or_insert_with(|| Spanned::new(span, DeValue::Table(DeTable::new())));
            if let DeValue::Table(table) = place.get_mut() {
                merge(table, deeper, inner);
            }
        }
        last => {
            into.insert(key, Spanned::new(span, last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, DEFAULT_FILE, LogFormat, StorageUrl};
    use super::*;

    fn with(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        read("p.toml", text, variables).map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_default_file_says_what_the_defaults_are() {
        let (written, built_in) = (with(DEFAULT_FILE, &[]).unwrap(), Config::default());
        assert_eq!(written.store(), built_in.store());
        assert_eq!(written.data_directory(), built_in.data_directory());
        assert_eq!(written.key_file(), built_in.key_file());
        assert_eq!(written.access_log(), built_in.access_log());
        let paths_aside = Config {
            storage: super::super::Storage { url: None, ..written.storage.clone() },
            log: super::super::Log { access: None, ..written.log.clone() },
            keys: Default::default(),
            ..written
        };
        assert_eq!(paths_aside, built_in);
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(with("", &[]).unwrap(), Config::default());
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let variables = [
            ("POSTRIDER_HTTP__LISTEN", r#"["0.0.0.0:80"]"#),
            ("POSTRIDER_LOG__FORMAT", "json"),
            ("POSTRIDER_HTTP__LIMITS__HEADERS", "10"),
            ("POSTRIDER_STORAGE__RETENTION", "{ messages = \"1d\" }"),
            ("POSTRIDER_TOKEN", "is none of ours"),
            ("PATH", "/bin"),
        ];
        let config = with("[http]\nlisten = [\"1.2.3.4:5\"]\n[http.limits]\nconnections = 7\n", &variables).unwrap();
        assert_eq!(config.http.listen, ["0.0.0.0:80".parse().unwrap()]);
        assert_eq!(config.log.format, LogFormat::Json);
        assert_eq!((config.http.limits.headers, config.http.limits.connections), (10, 7));
        assert_eq!(config.storage.retention.messages, "1d".parse().unwrap());
        assert_eq!(config.storage.retention.text, "90d".parse().unwrap());
    }

    #[test]
    fn faults_say_where_and_what_to_do() {
        let text = "[http]\nlisten = [\"localhost\"]\nlimit = 3\n[storage]\nurl = \"postgres://db/x?sslmode=maybe\"\n[smpp]\nsystem_id = \"sixteen-letters-\"\n[log]\nlevel = \"inof\"\n[webhooks]\nallow_private = [\"x\"]\n";
        let faults = with(text, &[("POSTRIDER_HTTP__LISTEN", "[1]"), ("POSTRIDER_LOG__FORMT", "x")]).unwrap_err();
        let told = |start: &str, part: &str| {
            assert!(faults.iter().any(|f| f.starts_with(start) && f.contains(part)), "{start} {part}: {faults:#?}");
        };
        told("p.toml:2:11:", "write an IP address and a port");
        told("p.toml:11:18:", "write an address and a length");
        told("p.toml:3:1:", "did you mean \"limits\"?");
        told("p.toml:5:7:", "write disable, prefer, require");
        told("p.toml:7:13:", "at most 15");
        told("p.toml:9:9:", "\"inof\" is no level");
        told("POSTRIDER_HTTP__LISTEN:", "invalid type");
        told("POSTRIDER_LOG__FORMT:", "did you mean \"format\"?");
        assert_eq!(faults.len(), 8, "{faults:#?}");
    }

    #[test]
    fn everything_follows_the_data_directory() {
        let mut config = with("", &[]).unwrap();
        config.data = Some("/var/lib/postrider".into());
        assert_eq!(config.store(), StorageUrl::Sqlite("/var/lib/postrider/postrider.db".into()));
        assert_eq!(config.key_file(), Path::new("/var/lib/postrider/secret.key"));
        let config = with("[storage]\nurl = \"postgres://db/x\"\n", &[]).unwrap();
        assert_eq!(config.key_file(), Path::new("postrider-data/secret.key"));
        let config = with("[storage]\nurl = \"sqlite:elsewhere/x.db\"\n[log]\naccess = \"\"\n", &[]).unwrap();
        assert_eq!(config.data_directory(), Path::new("elsewhere"));
        assert_eq!((config.key_file().as_path(), config.access_log()), (Path::new("elsewhere/secret.key"), None));
    }
}
