//! Jasmin: what was typed into its console, jcli, to resources.
//!
//! Jasmin keeps its configuration as pickles of Python, which are programs more than data and are
//! refused. Its people keep the jcli commands that make it, as a script or as a transcript of a
//! session; [`console`] plays them on an empty installation. What there is at the end becomes
//! connectors ([`connectors`]), accounts ([`users`]), routes and inbound rules ([`routes`]).

mod connectors;
mod console;
mod routes;
mod users;

use std::collections::BTreeMap;
use std::path::Path;

use crate::outcome::{Failure, Outcome};

use super::draft::Draft;
use super::section::Setting;
use super::source;

/// What has been imported, by the names that others refer to it with.
#[derive(Default)]
struct Known {
    /// Connectors by `cid`.
    connectors: BTreeMap<String, String>,
    /// Accounts by `uid`.
    accounts: BTreeMap<String, String>,
    /// Accounts by `username`.
    names: BTreeMap<String, String>,
    /// Accounts by `gid`.
    members: BTreeMap<String, Vec<String>>,
    /// Addresses of HTTP connectors by `cid`, and the style in which they are called.
    hooks: BTreeMap<String, (Setting, &'static str)>,
    /// Accounts that were made for HTTP connectors, by `cid`.
    hooked: BTreeMap<String, String>,
}

/// Reads a script or a transcript of jcli.
pub fn import(file: &Path) -> Outcome<Draft> {
    let mut left = source::OCTETS_MAX;
    let octets = source::read(file, &mut left)?;
    if is_pickle(&octets) {
        return Err(Failure::file(
            file,
            "is one of Jasmin's own stores, a Python pickle, which is not read; \
             import the jcli commands that make your configuration, or a transcript of them",
        ));
    }
    let mut draft = Draft::default();
    let Some(state) = console::play(&file.display().to_string(), &octets, &mut draft) else {
        return Err(Failure::file(file, "holds no jcli command such as \"smppccm -a\""));
    };
    let mut known = Known::default();
    for item in state.of("smppccm") {
        connectors::connector(item, &mut draft, &mut known);
    }
    for item in state.of("user") {
        users::account(item, &state, &mut draft, &mut known);
    }
    for item in state.of("httpccm") {
        connectors::hook(item, &mut draft, &mut known);
    }
    let filters = routes::filters(&state, &mut draft);
    routes::outgoing(&state, &filters, &mut draft, &known);
    routes::incoming(&state, &filters, &mut draft, &mut known);
    for (cid, (url, _)) in &known.hooks {
        if !known.hooked.contains_key(cid) {
            draft.leave_out(url, "no MO route that was imported leads to this HTTP connector");
        }
    }
    Ok(draft)
}

/// Files under `/etc/jasmin/store` have a line of text and then a pickle, of protocol 2 or later.
fn is_pickle(octets: &[u8]) -> bool {
    let body = match octets.strip_prefix(b"Persisted on ") {
        Some(rest) => rest.splitn(2, |octet| *octet == b'\n').nth(1).unwrap_or_default(),
        None => octets,
    };
    matches!(body, [0x80, 2..=9, ..])
}
