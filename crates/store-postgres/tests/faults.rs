//! A server that goes, comes back, or is not to be trusted.

mod server;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::MessageId;
use server::Postgres;
use store::conformance::samples::insert_queued;
use store::conformance::{Samples, TestClock};
use store::{CommitError, Store, StoreError};
use store_postgres::{OpenError, Options, PostgresStore, Target};

fn start(settings: &str) -> Option<Postgres> {
    Postgres::start(settings).map_err(|why| server::skip(&why)).ok()
}

async fn open(url: &str) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(url.parse::<Target>()?, Options::default()).await
}

/// Messages whose commits returned, and all that were ever tried.
#[derive(Default)]
struct Written {
    promised: Mutex<Vec<MessageId>>,
    tried: AtomicU64,
    done: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_loses_nothing_and_is_found_again() {
    let Some(server) = start("") else { return };
    let store = Arc::new(open(&server.database()).await.unwrap());
    let (samples, written) = (Arc::new(Samples::new(TestClock::default())), Arc::new(Written::default()));
    let write = |_| tokio::spawn(write(store.clone(), samples.clone(), written.clone()));
    let writers: Vec<_> = (0..4).map(write).collect();
    for _ in 0..3 {
        more(&written).await;
        tokio::task::block_in_place(|| server.crash());
        // Nobody waits long for a server that is known to be away.
        let error = store.queue_depths().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        tokio::task::block_in_place(|| server.restart());
        more(&written).await;
    }
    written.done.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let promised = written.promised.lock().unwrap().clone();
    assert_eq!(store.messages(&promised).await.unwrap().len(), promised.len());
    // A commit whose connection went was made again, and landed once: nothing failed.
    assert_eq!(promised.len() as u64, written.tried.load(Ordering::SeqCst));
    assert_eq!(store.queue_depths().await.unwrap(), [("carrier-a".into(), promised.len() as u64)]);
}

/// Commits messages one by one, those again that the server had not heard of, until it is done.
async fn write(store: Arc<PostgresStore>, samples: Arc<Samples>, written: Arc<Written>) {
    while !written.done.load(Ordering::SeqCst) {
        let message = samples.message();
        written.tried.fetch_add(1, Ordering::SeqCst);
        loop {
            match store.commit(insert_queued(std::slice::from_ref(&message))).await {
                Ok(()) => break written.promised.lock().unwrap().push(message.body.id),
                Err(CommitError::Store(StoreError::Unavailable(_))) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Waits until some more have been committed.
async fn more(written: &Written) {
    let count = || written.promised.lock().unwrap().len();
    let enough = count() + 100;
    while count() < enough {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_of_at_once() {
    let Some(server) = start("") else { return };
    let url = server.database();
    server.crash();
    let error = open(&url).await.unwrap_err();
    assert!(matches!(&error, OpenError::Store(StoreError::Unavailable(_))), "{error}");
}

#[tokio::test]
async fn another_host_takes_over_from_one_that_can_not_write() {
    let Some(server) = start("") else { return };
    let url = server.database();
    let (_, name) = url.rsplit_once('/').unwrap();
    // Nobody listens on the first port; on the second there is a server.
    let url = format!("postgres://postgres@127.0.0.1:1,127.0.0.1:{}/{name}", server.port());
    let store = open(&url).await.unwrap();
    assert_eq!(store.resources_version().await.unwrap(), 0);
}

#[tokio::test]
async fn passwords_come_by_the_url_a_file_or_the_caller_and_are_shown_nowhere() {
    let Some(server) = start("") else { return };
    let url = server.database();
    let name = url.rsplit_once('/').unwrap().1.to_owned();
    server.sql("postgres", "CREATE ROLE gateway LOGIN PASSWORD 'open sesame'");
    server.sql("postgres", &format!("ALTER DATABASE {name} OWNER TO gateway"));
    let rules = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    fs::write(server.directory().join("data/pg_hba.conf"), rules).unwrap();
    server.sql("postgres", "SELECT pg_reload_conf()");
    let base = |password: &str| format!("postgres://gateway{password}@127.0.0.1:{}/{name}", server.port());

    let error = open(&base(":open%20sesam")).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains("password authentication failed") && !told.contains("sesam"), "{told}");
    open(&base(":open%20sesame")).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "open sesame\n").unwrap();
    open(&format!("{}?password_file={}", base(""), file.path().display())).await.unwrap();
    let target: Target = base("").parse().unwrap();
    let store = PostgresStore::open(target.or_password(Some("open sesame")), Options::default()).await.unwrap();
    assert!(!format!("{store:?}").contains("sesame"));
}

#[tokio::test]
async fn certificates_are_looked_at_as_asked_for() {
    let Some(server) = start("") else { return };
    let name = server.database().rsplit_once('/').unwrap().1.to_owned();
    let made = rcgen::generate_simple_self_signed(vec!["db.example".into()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    let data = server.directory().join("data");
    let owner = fs::metadata(&data).unwrap();
    for (file, text) in [("server.crt", made.cert.pem()), ("server.key", made.signing_key.serialize_pem())] {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        fs::write(data.join(file), text).unwrap();
        fs::set_permissions(data.join(file), fs::Permissions::from_mode(0o600)).unwrap();
        chown(data.join(file), Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    fs::write(data.join("pg_hba.conf"), "hostnossl all postgres 127.0.0.1/32 trust\nhostssl all all all trust\n")
        .unwrap();
    server.sql("postgres", "ALTER SYSTEM SET ssl = on");
    server.sql("postgres", "CREATE ROLE gateway LOGIN");
    server.sql("postgres", &format!("ALTER DATABASE {name} OWNER TO gateway"));
    server.sql("postgres", "SELECT pg_reload_conf()");
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: String| {
        let path = folder.path().join(file);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (right, wrong) = (write("right.pem", made.cert.pem()), write("wrong.pem", other.cert.pem()));
    let at = |host: &str, query: &str| format!("postgres://gateway@{host}:{}/{name}?{query}", server.port());

    open(&at("127.0.0.1", "sslmode=require")).await.unwrap();
    open(&at("127.0.0.1", "")).await.unwrap();
    open(&at("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={right}"))).await.unwrap();
    // The name in the certificate, at this address.
    let named = format!("sslmode=verify-full&sslrootcert={right}&hostaddr=127.0.0.1");
    open(&at("db.example", &named)).await.unwrap();
    for (host, query) in [
        ("127.0.0.1", "sslmode=disable".to_owned()),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={right}")),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={wrong}")),
        ("127.0.0.1", "sslmode=verify-full".to_owned()),
    ] {
        let error = open(&at(host, &query)).await.unwrap_err();
        assert!(matches!(error, OpenError::Store(StoreError::Unavailable(_))), "{query}: {error}");
    }
    let missing = open(&at("127.0.0.1", "sslmode=verify-ca&sslrootcert=/nowhere.pem")).await.unwrap_err();
    assert!(matches!(&missing, OpenError::File { path, .. } if path == "/nowhere.pem"), "{missing}");
}
