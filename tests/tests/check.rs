//! `postrider check`: what the documentation promises and is not built yet is refused by name, each
//! with its line, so that nobody believes it to be in force.

use std::process::Output;

use scenarios::command;
use serde_json::{Value, json};

const PLANNED: &str = r#"
[[account]]
id = "shop"
credit = { limit = 5 }

[[inbound]]
id = "words"
account = "shop"
action = "reply"

[[sender]]
id = "SHOP"

[[opt_out]]
number = "447700900001"
"#;

/// What must be named, at the line of [`PLANNED`] that has it.
const LINES: [(usize, &str); 5] = [
    (4, "credit"),
    (9, "action"),
    (11, "sender"),
    (14, "opt_out"),
    // The count of faults: these and no others.
    (0, ""),
];

#[test]
fn what_is_planned_is_refused_by_name_and_line() {
    let output = check(PLANNED);
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    let faults: Vec<&str> = text.lines().filter(|line| line.contains("resources.toml:")).collect();
    for (line, name) in LINES.iter().filter(|(line, _)| *line > 0) {
        let place = format!("resources.toml:{line}:");
        let named =
            |fault: &&&str| fault.contains(&place) && fault.contains(name) && fault.contains("not supported yet");
        assert_eq!(faults.iter().filter(named).count(), 1, "{name} at line {line} is not refused once in:\n{text}");
    }
    assert_eq!(faults.len(), LINES.len() - 1, "{text}");
}

#[test]
fn what_is_right_passes() {
    let output = check("[[account]]\nid = \"shop\"\napi_token = \"0123456789012345678901234567890123456789\"\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_mistyped_key_is_told_with_its_line_and_what_was_meant() {
    let output = check("[[account]]\nid = \"shop\"\ndefault_sendr = \"SHOP\"\n");
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    assert!(text.contains("resources.toml:3:") && text.contains("default_sender"), "{text}");
}

#[test]
fn programs_are_told_the_same_faults_as_people() {
    let people = check(PLANNED);
    let programs = check_with(PLANNED, &["--json"]);
    assert_eq!((people.status.code(), programs.status.code()), (Some(78), Some(78)), "{programs:?}");
    assert!(programs.stderr.is_empty() && people.stdout.is_empty(), "{people:?} {programs:?}");
    let report: Value = serde_json::from_slice(&programs.stdout).expect("one JSON object");
    assert_eq!((&report["sound"], &report["counts"]), (&json!(false), &Value::Null));
    let faults = report["faults"].as_array().expect("a list");
    assert_eq!(faults.len(), LINES.len() - 1, "{report:#}");
    let sentence = |fault: &Value| {
        let text = |key: &str| fault[key].as_str().expect("each of these faults has it");
        let file = text("file").rsplit('/').next().unwrap_or_default();
        let cure = fault["cure"].as_str().map(|cure| format!("; {cure}")).unwrap_or_default();
        format!("{file}:{}:{}: {}{cure}", fault["line"], fault["column"], text("message"))
    };
    let told = String::from_utf8(people.stderr).expect("UTF-8");
    let told: Vec<&str> = told.lines().filter_map(|line| line.rsplit_once('/').map(|(_, rest)| rest)).collect();
    assert_eq!(faults.iter().map(sentence).collect::<Vec<_>>(), told);
    let keys: Vec<&str> = faults.iter().filter_map(|fault| fault["key"].as_str()).collect();
    assert!(["account.0.credit", "inbound.0.action", "sender.0"].iter().all(|k| keys.contains(k)), "{keys:?}");
}

#[test]
fn programs_are_told_what_is_sound_and_faults_without_a_place() {
    let sound = check_with("[[account]]\nid = \"shop\"\n", &["--json"]);
    let report: Value = serde_json::from_slice(&sound.stdout).expect("one JSON object");
    assert_eq!((sound.status.code(), &report["sound"], &report["faults"]), (Some(0), &json!(true), &json!([])));
    assert_eq!(report["counts"], json!({ "accounts": 1, "connectors": 0, "routes": 0, "inbound": 0 }));

    let missing = check_with("", &["--json", "--config", "nowhere.toml"]);
    let report: Value = serde_json::from_slice(&missing.stdout).expect("one JSON object");
    assert_eq!(missing.status.code(), Some(78));
    let fault = &report["faults"][0];
    assert_eq!((&fault["file"], &fault["line"], &fault["cure"]), (&json!("nowhere.toml"), &Value::Null, &Value::Null));
    assert!(fault["message"].as_str().is_some_and(|message| message.starts_with("can't be read")), "{fault}");
}

fn check(resources: &str) -> Output {
    check_with(resources, &[])
}

fn check_with(resources: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("resources.toml");
    std::fs::write(&file, resources).expect("the file can be written");
    let mut command = command();
    command
        .arg("check")
        .args(more)
        .arg("--resources")
        .arg(&file)
        .current_dir(folder.path())
        .output()
        .expect("it starts")
}
