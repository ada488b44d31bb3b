//! The arrows between the crates point down only.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Every crate, the lowest first, with those of ours that it may depend on.
const HOUSE: &[(&str, &[&str])] = &[
    ("sms", &[]),
    ("smpp", &[]),
    ("ucp", &[]),
    ("cimd2", &[]),
    ("at", &["sms"]),
    ("simulator", &["smpp", "ucp", "cimd2", "at", "sms"]),
    ("model", &["sms"]),
    ("routing", &["model"]),
    ("store", &["model"]),
    ("store-sqlite", &["store", "model"]),
    ("store-postgres", &["store", "model"]),
    ("engine", &["routing", "store", "model", "sms"]),
    ("connectors", &["engine", "model", "smpp", "ucp", "cimd2", "at", "sms"]),
    ("ingress", &["engine", "store", "model", "sms", "smpp", "ucp", "cimd2"]),
    (
        "postrider",
        &[
            "ingress",
            "connectors",
            "simulator",
            "store-sqlite",
            "store-postgres",
            "engine",
            "routing",
            "store",
            "model",
            "smpp",
            "ucp",
            "cimd2",
            "sms",
        ],
    ),
    ("scenarios", &["simulator", "cimd2", "smpp", "ucp", "sms"]),
];

#[test]
fn arrows_point_down_only() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    let ours: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let Some(place) = HOUSE.iter().position(|(known, _)| *known == name) else {
            faults.push(format!("{name} has no place in the house: give it one in this test and in the design"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("a list") {
            let on = dependency["name"].as_str().expect("a name");
            // What tests alone use may be anything below, and the crate itself with other features.
            let allowed = match dependency["kind"].as_str() {
                Some("dev") => on == name || HOUSE[..place].iter().any(|(lower, _)| *lower == on),
                _ => HOUSE[place].1.contains(&on),
            };
            if ours.contains(on) && !allowed {
                faults.push(format!("{name} must not depend on {on}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(ours.len() > 8, "the workspace has lost its crates: {ours:?}");
}
