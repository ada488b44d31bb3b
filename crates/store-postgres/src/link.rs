//! The way to the server: connections, and how soon they are tried again.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashMapExt};
use tokio_postgres::{AsyncMessage, Client, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Failure, OpenError, said};
use crate::schema::Version;
use crate::sql::Sql;
use crate::target::Target;
use crate::tls;

/// After a connection that did not come about, nobody tries for so long; twice as long after each more.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// TLS, the password and the settings have so long, beside what the URL gives the connection itself.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// A transaction of ours sends all it has in one piece or two: one that waits this long has lost its client.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// Statements on tables of days that a connection keeps prepared.
const DAY_STATEMENTS: usize = 64;
/// Statements whose text depends on a filter that a connection keeps prepared.
const FILTER_STATEMENTS: usize = 64;

/// How to get a connection.
pub(crate) struct Link {
    pub target: Target,
    tls: MakeRustlsConnect,
    gate: Mutex<Gate>,
}

#[derive(Default)]
struct Gate {
    closed: Option<(Instant, String)>,
    pause: Duration,
}

/// A connection with its prepared statements.
pub(crate) struct Connection {
    pub client: Client,
    statements: Mutex<HashMap<(Sql, i64), Statement>>,
    filters: Mutex<HashMap<String, Statement>>,
}

impl Link {
    pub fn new(target: Target) -> Result<Self, OpenError> {
        let tls = tls::connector(&target)?;
        Ok(Self { target, tls, gate: Mutex::default() })
    }

    /// A connection that is ready for work. Fails at once while the server is known to be away.
    pub async fn connect(&self) -> Result<Connection, Failure> {
        self.passable()?;
        let result = self.dial().await;
        self.remember(&result);
        let connection = result?;
        connection.usable().await?;
        Ok(connection)
    }

    /// A connection whatever the version of the tables is.
    pub async fn dial(&self) -> Result<Connection, Failure> {
        let (client, mut connection) = self.raw().await?;
        // Notices go to nobody: they are not for the gateway's log.
        tokio::spawn(
            async move { while let Some(Ok(_)) = poll_fn(|context| connection.poll_message(context)).await {} },
        );
        let connection = Connection { client, statements: Mutex::default(), filters: Mutex::default() };
        let settings = self.settings();
        in_time(HANDSHAKE_MAX, connection.client.batch_execute(&settings)).await?;
        Ok(connection)
    }

    /// A connection for a caller who listens to what comes over it.
    pub async fn raw(&self) -> Result<(Client, impl AsyncMessages + Send + 'static + use<>), Failure> {
        let mut config = self.target.config.clone();
        if let Some(path) = &self.target.password_file {
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(&path).map_err(|e| (path, e))).await;
            let read = read.map_err(|error| Failure::Away(format!("the password was not read: {error}")))?;
            let text = read.map_err(|(path, error)| Failure::Away(format!("{}: {error}", path.display())))?;
            config.password(text.trim_end_matches(['\r', '\n']));
        }
        let hosts = u32::try_from(config.get_hosts().len().max(config.get_hostaddrs().len())).unwrap_or(1);
        let each = config.get_connect_timeout().copied().unwrap_or_default();
        in_time(HANDSHAKE_MAX.saturating_add(each.saturating_mul(hosts)), config.connect(self.tls.clone())).await
    }

    fn passable(&self) -> Result<(), Failure> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        match &gate.closed {
            Some((until, why)) if *until > Instant::now() => Err(Failure::Away(why.clone())),
            _ => Ok(()),
        }
    }

    fn remember<T>(&self, result: &Result<T, Failure>) {
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let why = match result {
            Ok(_) => return *gate = Gate::default(),
            Err(Failure::Postgres(error)) => said(error),
            Err(Failure::Away(why) | Failure::Corrupt(why)) => why.clone(),
        };
        gate.pause = (gate.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        gate.closed = Some((Instant::now() + gate.pause, why));
    }

    /// What holds for every session. Every table is reached by an index whose columns are given, so plans
    /// are made once, and none that could be right for a small table only.
    fn settings(&self) -> String {
        let statement = self.target.statement_timeout.as_millis();
        let (lock, idle) = (LOCK_TIMEOUT.as_millis(), IDLE_IN_TRANSACTION.as_millis());
        format!(
            "SET statement_timeout = {statement}; SET lock_timeout = {lock};
            SET idle_in_transaction_session_timeout = {idle}; SET default_transaction_isolation = 'read committed';
            SET default_transaction_read_only = off; SET plan_cache_mode = force_generic_plan; SET jit = off;
            SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;
            SET enable_mergejoin = off; SET bytea_output = hex; SET client_min_messages = error;
            SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
    }
}

/// What drives a connection: the driver's own type, whose name says nothing.
pub(crate) trait AsyncMessages {
    fn poll_message(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<AsyncMessage, tokio_postgres::Error>>>;
}

impl<S, T> AsyncMessages for tokio_postgres::Connection<S, T>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    fn poll_message(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<AsyncMessage, tokio_postgres::Error>>> {
        tokio_postgres::Connection::poll_message(self, context)
    }
}

impl Connection {
    /// May this program still use the tables? Another node may have changed them meanwhile.
    async fn usable(&self) -> Result<(), Failure> {
        match self.version().await? {
            Some(version) => version.usable().map_err(|error| Failure::Away(error.to_string())),
            None => Err(Failure::Away("the tables are gone; start the gateway anew to have them made".into())),
        }
    }

    /// The version of the tables, if there are any.
    pub async fn version(&self) -> Result<Option<Version>, Failure> {
        let there = "SELECT to_regclass('schema_version') IS NOT NULL";
        if self.simple(there).await?.first().and_then(|row| row.first()?.as_deref().map(|text| text == "t"))
            != Some(true)
        {
            return Ok(None);
        }
        let rows =
            self.simple("SELECT version, min_compatible FROM schema_version ORDER BY version DESC LIMIT 1").await?;
        let number = |at: usize| rows.first()?.get(at)?.as_deref()?.parse().ok();
        Ok(number(0).zip(number(1)).map(|(found, needed)| Version { found, needed }))
    }

    /// Rows of a statement that is not worth being prepared, as text.
    pub async fn simple(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let messages = self.client.simple_query(sql).await?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The statement of one of ours, on the table of `day` where it is about one.
    pub async fn statement(&self, sql: Sql, day: i64) -> Result<Statement, Failure> {
        let key = (sql, if sql.is_of_day() { day } else { 0 });
        if let Some(known) = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(&sql.text(key.1)).await?;
        let mut kept = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if sql.is_of_day() && kept.keys().filter(|(sql, _)| sql.is_of_day()).count() >= DAY_STATEMENTS {
            let oldest = kept.keys().filter(|(sql, _)| sql.is_of_day()).map(|(_, day)| *day).min();
            kept.retain(|(sql, day), _| !sql.is_of_day() || Some(*day) != oldest);
        }
        kept.insert(key, statement.clone());
        Ok(statement)
    }

    /// The statement of a text that depends on what is asked for.
    pub async fn filtered(&self, text: &str) -> Result<Statement, Failure> {
        if let Some(known) = self.filters.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(text).await?;
        let mut kept = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= FILTER_STATEMENTS {
            *kept = HashMap::new();
        }
        kept.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Gives up what does not end in time.
pub(crate) async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(Failure::from),
        Err(_) => Err(Failure::Away(format!("PostgreSQL has not answered for {} s", limit.as_secs()))),
    }
}
