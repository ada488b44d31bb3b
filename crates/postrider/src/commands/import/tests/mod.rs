//! Both translators on samples, and on anything at all.

mod anything;
mod from_jasmin;
mod from_kannel;

use serde_json::Value;

use super::draft::{Draft, Imported};
use super::*;

/// Imports a text; `Err` has what was told.
fn import(of: fn(&Path) -> Outcome<Draft>, text: &[u8]) -> Result<Imported, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sample");
    std::fs::write(&file, text).unwrap();
    of(&file).and_then(Draft::finish).map_err(|failure| format!("{failure:?}"))
}

fn kannel(text: &str) -> Imported {
    import(kannel::import, text.as_bytes()).unwrap()
}

fn jasmin(text: &str) -> Imported {
    import(jasmin::import, text.as_bytes()).unwrap()
}

/// The reasons, as `line: key: why`.
fn told(imported: &Imported) -> Vec<String> {
    imported.left_out.iter().map(|left| left.to_string().rsplit_once("sample:").unwrap().1.to_owned()).collect()
}

fn tells(imported: &Imported, start: &str, why: &str) {
    let told = told(imported);
    assert!(told.iter().any(|line| line.starts_with(start) && line.contains(why)), "{start} … {why}: {told:#?}");
}

const LINK: &str = "group = smsc\nsmsc = smpp\nhost = smsc.example\nport = 2775\ntransceiver-mode = yes\n\
                    smsc-username = me\nsmsc-password = hunter2\n";

/// Routes as `accounts prefixes to`.
fn routes(imported: &Imported) -> Vec<String> {
    let list = |value: &Value| {
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("+")
    };
    let resources = imported.resources_json();
    let routes = resources["route"].as_array().cloned().unwrap_or_default();
    let text = |r: &Value| {
        let to = r["to"].as_str().or(r["action"].as_str()).unwrap();
        format!("{}/{} {to}", list(&r["match"]["account"]), list(&r["match"]["to_prefix"]))
    };
    routes.iter().map(text).collect()
}
