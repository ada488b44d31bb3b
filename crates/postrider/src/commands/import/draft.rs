//! What an import makes: resources that hold together, settings of the process, and what was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use model::resources::Kind;
use serde_json::{Map, Value, json};
use store::Document;

use crate::fault::Fault;
use crate::outcome::{Failure, Outcome};
use crate::resources_file::{SecretCheck, read, write};

use super::section::{Place, Section, Setting};

/// How often what `check` refuses is taken out before the import is given up.
const ROUNDS_MAX: usize = 10;

/// A setting that has no counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    place: Place,
    key: String,
    value: Option<String>,
    why: String,
}

impl LeftOut {
    /// For programs. Secrets are not told.
    pub fn json(&self) -> Value {
        json!({
            "file": &*self.place.file,
            "line": self.place.line,
            "key": self.key,
            "value": self.value,
            "why": self.why,
        })
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.key, self.why)
    }
}

/// Settings of the process, for postrider.toml.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where applications that were written for Kannel are served.
    pub kannel: BTreeSet<SocketAddr>,
    /// The same of Jasmin's HTTP API.
    pub jasmin: BTreeSet<SocketAddr>,
    /// Private hosts that webhooks call.
    pub allow_private: BTreeSet<IpNet>,
}

impl Config {
    /// Sections, each with a list under one key.
    fn lists(&self) -> Vec<(&'static str, &'static str, Vec<String>)> {
        let of = |section, list: &BTreeSet<SocketAddr>| {
            (section, "listen", list.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let private = self.allow_private.iter().map(ToString::to_string).collect();
        let mut all =
            vec![of("kannel", &self.kannel), of("jasmin", &self.jasmin), ("webhooks", "allow_private", private)];
        all.retain(|(_, _, list)| !list.is_empty());
        all
    }

    pub fn json(&self) -> Value {
        let section = |(section, key, list): (&str, &str, Vec<String>)| (section.to_owned(), json!({ key: list }));
        Value::Object(self.lists().into_iter().map(section).collect())
    }

    /// The lines of postrider.toml.
    fn lines(&self) -> Vec<String> {
        let lists = self.lists().into_iter();
        lists
            .flat_map(|(section, key, list)| [format!("[{section}]"), format!("{key} = {}", toml::Value::from(list))])
            .collect()
    }
}

/// A resource, and what it was made of.
struct Made {
    kind: Kind,
    id: String,
    place: Place,
    resource: Map<String, Value>,
}

/// An import under way.
#[derive(Default)]
pub struct Draft {
    pub config: Config,
    made: Vec<Made>,
    left_out: Vec<LeftOut>,
    ids: BTreeSet<(Kind, String)>,
    /// How often an id was wished for.
    wishes: BTreeMap<(Kind, String), u64>,
    /// Names that users log in with.
    users: BTreeSet<String>,
}

impl Draft {
    /// Notes that a setting has no counterpart. `why` goes to standard error: no value may be in it.
    pub fn leave_out(&mut self, setting: &Setting, why: impl Into<String>) {
        let value = shown(&setting.key, &setting.value);
        let key = plain(&setting.key);
        self.left_out.push(LeftOut { place: setting.place.clone(), key, value, why: why.into() });
    }

    /// The same of something that has a place and a name of ours, and no value to show.
    pub fn leave_out_at(&mut self, place: &Place, key: &str, why: impl Into<String>) {
        self.left_out.push(LeftOut { place: place.clone(), key: plain(key), value: None, why: why.into() });
    }

    /// Notes everything that is still in a section, each with the reason that `why` knows.
    pub fn leave_out_rest(&mut self, section: Section, why: impl Fn(&str) -> &'static str) {
        for setting in &section.settings {
            self.leave_out(setting, why(&setting.key));
        }
    }

    /// An id like `wanted` that no other resource of this kind has.
    pub fn id(&mut self, kind: Kind, wanted: &str) -> String {
        let fits = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        // Room for a number behind it.
        let base: String = wanted.trim().chars().take(model::id::NAME_MAX - 8).map(fits).collect();
        let base = if base.is_empty() { kind.as_str().to_owned() } else { base };
        loop {
            let n = self.wishes.entry((kind, base.clone())).or_default();
            *n += 1;
            let id = if *n == 1 { base.clone() } else { format!("{base}-{n}") };
            if self.ids.insert((kind, id.clone())) {
                return id;
            }
        }
    }

    /// Adds a resource: an object as the resources file has it, without its id. What is null is left out.
    pub fn add(&mut self, kind: Kind, id: &str, place: &Place, resource: Value) {
        let mut all = Map::new();
        all.insert("id".into(), id.into());
        if let Value::Object(entries) = resource {
            all.extend(entries.into_iter().filter(|(_, value)| !value.is_null()));
        }
        // The commonest fault by far is found here, for `check` takes long over thousands of faults.
        let name = all.get("system_id").and_then(Value::as_str).filter(|_| kind == Kind::Connector);
        if name.is_some_and(|name| !(1..=15).contains(&name.len()) || !name.is_ascii()) {
            let why = format!("{id} is left out: system_id: must be 1 to 15 ASCII characters");
            return self.leave_out_at(place, kind.as_str(), why);
        }
        self.made.push(Made { kind, id: id.to_owned(), place: place.clone(), resource: all });
    }

    /// Is this the first account with that user? The name says whose it is.
    pub fn first_use(&mut self, username: &str) -> bool {
        self.users.insert(username.to_owned())
    }

    /// Notes what a webhook at `url` needs of the process.
    pub fn allow_webhook(&mut self, url: &str) {
        let authority = url.split_once("://").map_or("", |(_, rest)| rest).split(['/', '?', '#']).next().unwrap_or("");
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        let address =
            if name.eq_ignore_ascii_case("localhost") { Some([127, 0, 0, 1].into()) } else { name.parse().ok() };
        if let Some(address) = address.filter(is_private) {
            self.config.allow_private.insert(IpNet::from(address));
        }
    }

    /// Takes out what `check` refuses, and what refers to it, until all of it is sound.
    pub fn finish(mut self) -> Outcome<Imported> {
        self.made.sort_by_key(|made| made.kind);
        for _ in 0..ROUNDS_MAX {
            let resources = toml_of(&self.made)?;
            let Err(faults) = read("the imported resources", &resources, SecretCheck::default()) else {
                self.left_out.sort_by(|a, b| a.place.cmp(&b.place));
                return Ok(Imported { made: self.made, resources, config: self.config, left_out: self.left_out });
            };
            self.drop_faulty(faults)?;
        }
        Err(Failure::failed("too much of this configuration is out of range; correct what was told and try again"))
    }

    fn drop_faulty(&mut self, faults: Vec<Fault>) -> Outcome {
        let mut bad = BTreeMap::new();
        for fault in &faults {
            if let Some(at) = fault.key.as_deref().and_then(|key| self.index_of(key)) {
                bad.entry(at).or_insert(fault);
            }
        }
        if bad.is_empty() {
            return Err(Failure::Configuration(faults));
        }
        for (at, fault) in bad.iter().rev() {
            let Made { kind, id, place, .. } = self.made.remove(*at);
            let what = fault.message.strip_prefix(&format!("{} \"{id}\": ", kind.as_str()));
            let why = format!("{id} is left out: {}", what.unwrap_or(&fault.message));
            self.leave_out_at(&place, kind.as_str(), plain(&why));
        }
        Ok(())
    }

    /// The resource that a path such as `connector.2.address` leads into.
    fn index_of(&self, path: &str) -> Option<usize> {
        let mut parts = path.split('.');
        let kind = Kind::from_word(parts.next()?)?;
        let n: usize = parts.next()?.parse().ok()?;
        self.made.iter().enumerate().filter(|(_, made)| made.kind == kind).nth(n).map(|(at, _)| at)
    }
}

/// A finished import, which `check` accepts.
pub struct Imported {
    made: Vec<Made>,
    resources: String,
    /// Settings of the process.
    pub config: Config,
    /// By place.
    pub left_out: Vec<LeftOut>,
}

impl Imported {
    /// The resources file, with the settings of the process as comments at its head.
    pub fn toml(&self) -> String {
        let mut text = String::new();
        let lines = self.config.lines();
        if !lines.is_empty() {
            text.push_str("# For postrider.toml:\n");
            lines.iter().for_each(|line| text.push_str(&format!("# {line}\n")));
            text.push('\n');
        }
        text + &self.resources
    }

    /// The resources by kind, as `export --json` has them.
    pub fn resources_json(&self) -> Value {
        let mut all = json!({});
        for made in &self.made {
            let resource = Value::Object(made.resource.clone());
            match &mut all[made.kind.as_str()] {
                Value::Array(list) => list.push(resource),
                none => *none = json!([resource]),
            }
        }
        all
    }

    /// What came of it, in one line.
    pub fn summary(&self) -> String {
        let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
        let of = |kind: Kind, one: &str| count(self.made.iter().filter(|made| made.kind == kind).count(), one);
        format!(
            "{}, {}, {}, {}, {}; {} left out",
            of(Kind::Account, "account"),
            of(Kind::Connector, "connector"),
            of(Kind::Pool, "pool"),
            of(Kind::Route, "route"),
            of(Kind::Inbound, "inbound rule"),
            count(self.left_out.len(), "setting")
        )
    }
}

fn toml_of(made: &[Made]) -> Outcome<String> {
    let document = |made: &Made| {
        let json = serde_json::to_string(&made.resource)?;
        Ok(Document { kind: made.kind, id: made.id.clone(), json })
    };
    let documents = made.iter().map(document).collect::<Result<Vec<_>, serde_json::Error>>()?;
    Ok(write(&documents, false)?)
}

/// A value that may be shown: no secret, and of an address on the web nothing behind its path.
fn shown(key: &str, value: &str) -> Option<String> {
    let key = key.to_lowercase();
    let secret = ["pass", "secret", "pin", "login"].iter().any(|word| key.contains(word));
    let has_user = value.contains("://") && value.contains('@');
    if secret || has_user {
        return None;
    }
    let path = if value.contains("://") { value.split(['?', '#']).next().unwrap_or_default() } else { value };
    Some(path.to_owned())
}

/// A name from a file, as it may go to a terminal.
fn plain(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn is_private(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
