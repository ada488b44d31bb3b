//! Where the database is and how it is reached: the URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::OpenError;

/// A database as its URL names it: `postgres://user:password@host:5432,other:5432/name?sslmode=verify-full`.
///
/// Besides what libpq knows it takes `password_file`, `writers`, `readers` and `statement_timeout`. What
/// is not said there: sessions must be able to write, a connection must come about in 3 seconds, and one
/// whose other side says nothing is given up after 15.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) config: Config,
    pub(crate) tls: TlsMode,
    pub(crate) root_cert: Option<PathBuf>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) writers: usize,
    pub(crate) readers: usize,
    pub(crate) statement_timeout: Duration,
}

/// How the server's certificate is looked at, as libpq's `sslmode` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// Encrypted if the server likes, or not at all; any certificate will do.
    Any,
    /// Signed by a known authority.
    Chain,
    /// Signed by a known authority, for this host.
    Full,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const SILENCE_MAX: Duration = Duration::from_secs(15);
const WRITERS: usize = 4;
const READERS: usize = 4;
const CONNECTIONS_MAX: usize = 64;
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

impl Target {
    /// The URL of another database on the same server, for tests and tools.
    #[must_use]
    pub fn with_database(mut self, name: &str) -> Self {
        self.config.dbname(name);
        self
    }

    /// A password that counts when the URL has none and names no file with one.
    #[must_use]
    pub fn or_password(mut self, password: Option<&str>) -> Self {
        if let Some(password) =
            password.filter(|_| self.config.get_password().is_none() && self.password_file.is_none())
        {
            self.config.password(password);
        }
        self
    }

    fn hosts(&self) -> String {
        let host = |host: &Host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        };
        self.config.get_hosts().iter().map(host).collect::<Vec<_>>().join(",")
    }
}

/// Without the password: `postgres://user@host,other/name`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, name) = (self.config.get_user().unwrap_or(""), self.config.get_dbname().unwrap_or(""));
        write!(f, "postgres://{user}@{}/{name}", self.hosts())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.to_string()).finish()
    }
}

impl FromStr for Target {
    type Err = OpenError;

    fn from_str(url: &str) -> Result<Self, OpenError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut own = Own::default();
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decoded(value).ok_or_else(|| wrong(key))?;
            if !own.takes(key, &value)? {
                rest.push(pair);
            }
        }
        let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            OpenError::Url(format!("the PostgreSQL URL can't be read: {}", cause.unwrap_or_else(|| error.to_string())))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(OpenError::Url("the PostgreSQL URL names no host".into()));
        }
        config.ssl_mode(own.ssl_mode);
        if config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_MAX);
        }
        if !query.contains("keepalives") {
            config.keepalives_idle(SILENCE_MAX / 3).keepalives_interval(SILENCE_MAX / 5).keepalives_retries(3);
        }
        if config.get_application_name().is_none() {
            config.application_name("postrider");
        }
        let tls = match (own.verify, &own.root_cert) {
            (TlsMode::Any, Some(_)) => TlsMode::Chain,
            (mode, _) => mode,
        };
        let Own { root_cert, password_file, writers, readers, statement_timeout, .. } = own;
        Ok(Self { config, tls, root_cert, password_file, writers, readers, statement_timeout })
    }
}

/// What the URL says that the driver does not know.
struct Own {
    ssl_mode: SslMode,
    verify: TlsMode,
    root_cert: Option<PathBuf>,
    password_file: Option<PathBuf>,
    writers: usize,
    readers: usize,
    statement_timeout: Duration,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            ssl_mode: SslMode::Prefer,
            verify: TlsMode::Any,
            root_cert: None,
            password_file: None,
            writers: WRITERS,
            readers: READERS,
            statement_timeout: STATEMENT_TIMEOUT,
        }
    }
}

impl Own {
    /// `false` if the key is not one of ours.
    fn takes(&mut self, key: &str, value: &str) -> Result<bool, OpenError> {
        let connections = || value.parse().ok().filter(|n| (1..=CONNECTIONS_MAX).contains(n)).ok_or_else(|| wrong(key));
        match key {
            "sslmode" => {
                (self.ssl_mode, self.verify) = match value {
                    "disable" => (SslMode::Disable, TlsMode::Any),
                    "prefer" => (SslMode::Prefer, TlsMode::Any),
                    "require" => (SslMode::Require, TlsMode::Any),
                    "verify-ca" => (SslMode::Require, TlsMode::Chain),
                    "verify-full" => (SslMode::Require, TlsMode::Full),
                    _ => return Err(wrong(key)),
                };
            }
            "sslrootcert" if value == "system" => self.root_cert = None,
            "sslrootcert" => self.root_cert = Some(value.into()),
            "password_file" => self.password_file = Some(value.into()),
            "writers" => self.writers = connections()?,
            "readers" => self.readers = connections()?,
            "statement_timeout" => {
                let seconds = value.parse().ok().filter(|seconds| (1..=3600).contains(seconds));
                self.statement_timeout = Duration::from_secs(seconds.ok_or_else(|| wrong(key))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn wrong(key: &str) -> OpenError {
    let known = match key {
        "sslmode" => "disable, prefer, require, verify-ca or verify-full",
        "writers" | "readers" => "a number from 1 to 64",
        "statement_timeout" => "a number of seconds from 1 to 3600",
        _ => "a value as in any URL, with what is special written as %XX",
    };
    OpenError::Url(format!("the PostgreSQL URL has a value of \"{key}\" that is not known; write {known}"))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, String> {
        url.parse::<Target>().map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_safe() {
        let target = target("postgres://me:secret@db.example/sms").unwrap();
        assert_eq!(target.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(target.config.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!((target.writers, target.readers, target.tls), (WRITERS, READERS, TlsMode::Any));
        assert_eq!(target.config.get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn tls_is_asked_for_as_with_libpq() {
        let of = |query: &str| {
            let target = target(&format!("postgres://h/d?{query}")).unwrap();
            (target.config.get_ssl_mode(), target.tls)
        };
        assert_eq!(of("sslmode=disable"), (SslMode::Disable, TlsMode::Any));
        assert_eq!(of("sslmode=require"), (SslMode::Require, TlsMode::Any));
        assert_eq!(of("sslmode=require&sslrootcert=/ca.pem"), (SslMode::Require, TlsMode::Chain));
        assert_eq!(of("sslrootcert=/ca.pem&sslmode=verify-full"), (SslMode::Require, TlsMode::Full));
        assert_eq!(of("sslmode=verify-ca&sslrootcert=system"), (SslMode::Require, TlsMode::Chain));
    }

    #[test]
    fn several_hosts_and_own_keys_are_read() {
        let target = target("postgresql://a:1,b:2/d?password_file=%2Frun%2Fpass&writers=2&readers=9&connect_timeout=1");
        let target = target.unwrap();
        assert_eq!(target.hosts(), "a,b");
        assert_eq!(target.config.get_ports(), [1, 2]);
        assert_eq!(target.password_file, Some("/run/pass".into()));
        assert_eq!((target.writers, target.readers), (2, 9));
        assert_eq!(target.config.get_connect_timeout(), Some(&Duration::from_secs(1)));
    }

    #[test]
    fn what_is_wrong_is_named_without_its_value() {
        for url in [
            "postgres://me:hush@h/d?sslmode=hush",
            "postgres://me:hush@h/d?writers=0",
            "postgres://me:hush@h/d?statement_timeout=hush",
            "postgres://me:hush@h:hush/d",
            "postgres://me:hush@h/d?nobody=hush",
            "postgres://me:hush@/d",
            "postgres://me:hush@h/d?password_file=%zz",
        ] {
            let error = target(url).unwrap_err();
            assert!(!error.contains("hush") && error.contains("PostgreSQL URL"), "{url}: {error}");
        }
    }

    #[test]
    fn the_password_is_shown_nowhere() {
        let target = target("postgres://me:hush@h/d").unwrap();
        assert_eq!(format!("{target} {target:?}"), "postgres://me@h/d Target(\"postgres://me@h/d\")");
        let without = super::Target::from_str("postgres://me@h/d").unwrap();
        assert_eq!(without.clone().or_password(Some("hush")).config.get_password(), Some(&b"hush"[..]));
        assert_eq!(target.or_password(Some("other")).config.get_password(), Some(&b"hush"[..]));
    }
}
