//! What has its place in the resources file and is not built yet: refused by name, so that nobody
//! believes it to be in force.

use model::resources::Kind;
use toml::de::DeTable;

use crate::toml_reader::Document;

/// Tables, by their names and what they are.
const TABLES: [(&str, &str); 10] = [
    ("sender", "allowed senders are"),
    ("opt_out", "opt-outs in a resources file (they are kept by the API) are"),
    ("opt-out", "opt-outs in a resources file (they are kept by the API) are"),
    ("price", "prices are"),
    ("tariff", "prices are"),
    ("keyword", "keywords outside of [[inbound]] are"),
    ("template", "templates are"),
    ("user", "people's accounts are"),
    ("blocklist", "block lists are"),
    ("webhook", "webhooks outside of [[account]] are"),
];

/// Keys of a resource, as paths.
const KEYS: [(Kind, &[&str]); 4] = [
    (
        Kind::Account,
        &["balance", "credit", "prices", "currency", "senders", "countries", "allow", "max_parts", "password", "http"],
    ),
    (Kind::Connector, &["price", "prices", "quiet_hours", "senders", "rewrite"]),
    (
        Kind::Route,
        &[
            "pool",
            "copy_to",
            "match.country",
            "match.to",
            "match.keyword",
            "match.mcc",
            "match.mnc",
            "match.mccmnc",
            "match.tag",
            "match.class",
            "match.connector",
            "match.to_regex",
        ],
    ),
    (Kind::Inbound, &["forward_to", "url", "action", "rewrite"]),
];

/// What a planned table is, with its verb; `None` for other names.
pub fn table(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let name = name.strip_suffix('s').unwrap_or(&name);
    TABLES.iter().find(|(table, _)| *table == name).map(|(_, what)| *what)
}

/// Takes planned keys out of a resource, each as a fault.
pub fn refuse(kind: Kind, table: &mut DeTable<'_>, document: &mut Document<'_>) {
    let keys = KEYS.iter().filter(|(of, _)| *of == kind).flat_map(|(_, keys)| keys.iter());
    for path in keys {
        if let Some((span, full)) = take(table, path) {
            document.fault(span, format!("{}.{full} is not supported yet; remove it", kind.as_str()));
        }
    }
}

/// Takes the key at a path of one or two words out, and gives where it stood.
fn take(table: &mut DeTable<'_>, path: &str) -> Option<(std::ops::Range<usize>, String)> {
    let (table, key) = match path.split_once('.') {
        None => (table, path),
        Some((outer, key)) => match table.get_mut(outer)?.get_mut() {
            toml::de::DeValue::Table(inner) => (inner, key),
            _ => return None,
        },
    };
    let span = table.get_key_value(key).map(|(key, _)| key.span())?;
    table.remove(key);
    Some((span, path.to_owned()))
}
