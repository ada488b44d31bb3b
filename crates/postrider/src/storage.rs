//! Opens the store with the key that its secrets are sealed with.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use engine::Vault;
use ring::rand::{SecureRandom, SystemRandom};
use store::{Resources, Store};
use store_postgres::PostgresStore;
use store_sqlite::SqliteStore;

use crate::config::{Config, StorageUrl};
use crate::hex::{from_hex, to_hex};
use crate::instance::make_directory;
use crate::outcome::{Failure, Outcome};

/// The store with its key.
pub struct Storage {
    /// The store.
    pub store: Arc<dyn Store>,
    key: [u8; 32],
}

impl Storage {
    /// Opens the store, which is made if it is not there. A key is made too, unless the store has
    /// secrets already that it could not open.
    pub async fn open(config: &Config) -> Outcome<Self> {
        make_directory(&config.data_directory())?;
        let store = open(config.store()).await?;
        let key_file = config.key_file();
        let key = match read_key(&key_file)? {
            Some(key) => key,
            None if has_secrets(&store.resources().await?) => {
                return Err(Failure::file(
                    &key_file,
                    "the key is missing, and the store has secrets that were sealed with it; \
                     put the key back, or set [keys] file to where it is",
                ));
            }
            None => make_key(&key_file)?,
        };
        Ok(Self { store, key })
    }

    /// Opens the store if there is one: a file that is not there is not made.
    pub async fn open_existing(config: &Config) -> Outcome<Self> {
        match config.store() {
            StorageUrl::Sqlite(path) if !path.exists() => {
                Err(Failure::failed(format_args!("there is no store {}", path.display())))
            }
            _ => Self::open(config).await,
        }
    }

    /// The key's vault.
    pub fn vault(&self) -> Vault {
        Vault::new(&self.key)
    }
}

/// The variable with the password of a PostgreSQL user whose URL has none, as libpq knows it.
const PASSWORD: &str = "PGPASSWORD";

async fn open(url: StorageUrl) -> Outcome<Arc<dyn Store>> {
    match url {
        StorageUrl::Sqlite(path) => {
            if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
                make_directory(parent)?;
            }
            let opened = SqliteStore::open(&path, store_sqlite::Options::default());
            Ok(Arc::new(opened.with_context(|| format!("the store {} can't be opened", path.display()))?))
        }
        StorageUrl::Postgres(target) => {
            let target = target.or_password(env::var(PASSWORD).ok().as_deref());
            let shown = target.to_string();
            let opened = PostgresStore::open(target, store_postgres::Options::default()).await;
            Ok(Arc::new(opened.with_context(|| format!("the store {shown} can't be opened"))?))
        }
    }
}

/// The vault of a configuration whose key is there already.
pub fn existing_vault(config: &Config) -> Outcome<Option<Vault>> {
    Ok(read_key(&config.key_file())?.map(|key| Vault::new(&key)))
}

fn read_key(path: &Path) -> Outcome<Option<[u8; 32]>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Failure::file(path, format_args!("the key can't be read: {error}")));
        }
    };
    let key = from_hex(&text).ok().and_then(|octets| <[u8; 32]>::try_from(octets).ok());
    let wrong = || Failure::file(path, "a key has 64 hexadecimal digits");
    key.map(Some).ok_or_else(wrong)
}

/// Makes a key, or takes the one that another process made in the same moment.
fn make_key(path: &Path) -> Outcome<[u8; 32]> {
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).map_err(|_| Failure::failed("the system gave no randomness"))?;
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let written = (|| {
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        writeln!(file, "{}", to_hex(&key))?;
        file.sync_all()?;
        // Whole or not at all, and never over another key.
        fs::hard_link(&new, path)
    })();
    let _ = fs::remove_file(&new);
    match written {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read_key(path)?.ok_or_else(|| Failure::failed("the key was made and taken away again"))
        }
        Err(error) => {
            Err(anyhow::Error::new(error).context(format!("the key {} can't be made", path.display())).into())
        }
    }
}

fn has_secrets(resources: &Resources) -> bool {
    fn sealed(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Object(entries) => entries.contains_key("sealed") || entries.values().any(sealed),
            serde_json::Value::Array(items) => items.iter().any(sealed),
            _ => false,
        }
    }
    let documents = resources.documents.iter();
    documents.filter_map(|document| serde_json::from_str(&document.json).ok()).any(|value| sealed(&value))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn the_key_is_made_once_and_only_for_the_owner() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data: Some(folder.path().join("data")), ..Config::default() };
        let first = Storage::open(&config).await.unwrap().key;
        let mode = fs::metadata(config.key_file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Storage::open(&config).await.unwrap().key, first);
        assert_ne!(first, [0; 32]);
    }

    #[tokio::test]
    async fn a_lost_key_is_not_replaced_while_secrets_need_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data: Some(folder.path().join("data")), ..Config::default() };
        let storage = Storage::open(&config).await.unwrap();
        let text =
            "[[connector]]\nid = \"a\"\nprotocol = \"smpp\"\naddress = \"h:1\"\nsystem_id = \"s\"\npassword = \"p\"\n";
        let set = crate::resources_file::read("r.toml", text, Default::default()).unwrap();
        engine::resources::apply(&*storage.store, &storage.vault(), &set).await.unwrap();
        drop(storage);
        fs::remove_file(config.key_file()).unwrap();
        let Err(Failure::Configuration(faults)) = Storage::open(&config).await.map(drop) else { panic!("it opened") };
        assert!(faults[0].message.contains("the key is missing"), "{faults:?}");
        fs::write(config.key_file(), "abc").unwrap();
        assert!(matches!(Storage::open(&config).await.map(drop), Err(Failure::Configuration(_))));
    }
}
