//! A PostgreSQL of a test's own, under a temporary directory, on a free port.
//!
//! It stops, and its directory goes, when it is dropped, and also when the test's process ends in any
//! other way: a shell that has started it sees its standard input end.
//!
//! This file stands on the standard library alone: the tests of the store use it, too.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// A server.
pub struct Postgres {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
    shell: Mutex<Shell>,
    databases: AtomicU32,
}

struct Shell {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What the shell does: orders come in a line each. `$1` is where the programs are, `$2` the directory.
const SHELL: &str = r#"
cd "$2" || exit 1
trap '' INT HUP
while read -r order; do
    case $order in
        init) "$1/initdb" -D data -U postgres -A trust -E UTF8 --no-sync >init.log 2>&1 && echo done || echo failed ;;
        start) "$1/pg_ctl" -D data -w -t 60 -l server.log start >>control.log 2>&1 && echo done || echo failed ;;
        *) "$1/pg_ctl" -D data -w -t 60 -m "$order" stop >>control.log 2>&1 && echo done || echo failed ;;
    esac
done
"$1/pg_ctl" -D data -w -t 60 -m immediate stop >/dev/null 2>&1
cd / && rm -rf "$2"
"#;

impl Postgres {
    /// A running server with `settings` in `postgresql.conf`, one a line; `Err` says what is not installed.
    ///
    /// # Panics
    /// When one that is installed does not start.
    pub fn start(settings: &str) -> Result<Self, String> {
        let programs = programs()?;
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let name = format!("postrider-pg-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).expect("a temporary directory can be made");
        let mut command = as_its_user(&directory);
        command.args(["-c", SHELL, "sh"]).arg(&programs).arg(&directory);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a shell starts");
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
        let port = port.expect("there is a free port").port();
        let shell = Mutex::new(Shell { child, orders, answers });
        let server = Self { programs, directory, port, shell, databases: AtomicU32::new(0) };
        server.order("init");
        let conf = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nmax_connections = 200\n{settings}\n",
            server.directory.display()
        );
        let path = server.directory.join("data/postgresql.conf");
        std::fs::write(&path, conf).expect("its settings can be written");
        server.order("start");
        Ok(server)
    }

    fn order(&self, order: &str) {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = shell.orders.as_mut().expect("it is there until the end");
        writeln!(orders, "{order}").expect("the shell listens");
        let mut answer = String::new();
        shell.answers.read_line(&mut answer).expect("the shell answers");
        let log = |name: &str| std::fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        assert_eq!(answer, "done\n", "{order}: {}{}{}", log("init.log"), log("control.log"), log("server.log"));
    }

    /// Stops it as a crash would: nothing is written, connections just end.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn crash(&self) {
        self.order("immediate");
    }

    /// Starts it again after [`crash`](Self::crash).
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&self) {
        self.order("start");
    }

    /// Its directory: `data` is the server's own, which also holds what a test puts there.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of an empty database that nobody else has.
    ///
    /// # Panics
    /// When it can't be made.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// What `psql` prints for `sql`, unadorned.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let port = self.port.to_string();
        let options =
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres", "-p", &port];
        let output = Command::new(self.programs.join("psql"))
            .args(options)
            .args(["-d", database, "-c", sql])
            .output()
            .expect("psql runs");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let shell = self.shell.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(shell.orders.take());
        // It ends by itself then.
        let _ = shell.child.wait();
    }
}

/// Where the server's programs are: the newest of those of Debian, or those on the path.
fn programs() -> Result<PathBuf, String> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
        found.push((version, entry.path().join("bin")));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.sort();
    found.extend(std::env::split_paths(&path).map(|directory| (u32::MAX, directory)));
    let whole =
        |directory: &Path| ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|name| directory.join(name).exists());
    let usable = |(version, directory): &(u32, PathBuf)| *version >= 15 && whole(directory);
    let newest = found.into_iter().rev().find(usable);
    newest.map(|(_, directory)| directory).ok_or_else(|| "PostgreSQL 15 or later is not installed".to_owned())
}

/// A shell as a user whom PostgreSQL takes: it refuses root.
fn as_its_user(directory: &Path) -> Command {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok().filter(|output| output.status.success())?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return Command::new("sh");
    }
    let user = if id(&["-u", "postgres"]).is_some() { "postgres" } else { "nobody" };
    let (uid, gid) = (id(&["-u", user]), id(&["-g", user]));
    chown(directory, uid, gid).expect("root gives directories away");
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={}", gid.unwrap_or(65_534))]);
    command.args(["--clear-groups", "sh"]);
    command
}
