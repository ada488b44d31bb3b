use std::io::Write as _;
use std::process::{Output, Stdio};

use crate::process::{postrider, printed, run};

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn exit_codes_tell_usage_configuration_and_failure_apart() {
    assert_eq!(run(&["no-such-command"]).status.code(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("p.toml");
    std::fs::write(&config, "[http]\nlisten = [\"nowhere\"]\nlisen = []\n").unwrap();
    let checked = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(78));
    assert!(errors(&checked).contains("p.toml:2:11:") && errors(&checked).contains("did you mean \"listen\"?"));
    let started = run(&["serve", "--config", config.to_str().unwrap()]);
    assert_eq!(started.status.code(), Some(78));
    for later in ["queue", "top", "tail", "doctor", "backup", "restore"] {
        let output = run(&[later]);
        assert_eq!(output.status.code(), Some(1), "{later}");
        assert!(errors(&output).contains("not supported yet"), "{later}");
    }
    assert_eq!(run(&["decode", "ucp", "00"]).status.code(), Some(1));
}

#[test]
fn the_default_file_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("p.toml");
    std::fs::write(&config, printed(&["default-config"])).unwrap();
    assert!(printed(&["check", "--config", config.to_str().unwrap()]).contains("sound"));
}

#[test]
fn a_token_needs_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["token", "create", "--data", folder.path().to_str().unwrap(), "--account", "shop"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("there is no account \"shop\""), "{}", errors(&output));
}

#[test]
fn send_says_when_nothing_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let output = run(&["send", "--data", data, "--token", "x", "--to", "+441", "--text", "x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("no gateway runs on"), "{}", errors(&output));
}

#[test]
fn texts_are_encoded_and_octets_decoded() {
    let encoded: serde_json::Value = serde_json::from_str(&printed(&["encode", "hello"])).unwrap();
    assert_eq!((&encoded["alphabet"], &encoded["data"][0]["tp_ud"]), (&"gsm7".into(), &"e8329bfd06".into()));
    let decoded = printed(&["decode", "smpp", "00000010000000150000000000000007"]);
    let decoded: serde_json::Value = serde_json::from_str(&decoded).unwrap();
    assert_eq!((&decoded["command"], &decoded["sequence_number"]), (&"enquire_link".into(), &7.into()));
}

#[test]
fn lines_are_decoded_one_by_one_and_a_fault_has_a_line_of_its_own() {
    let mut command = postrider(&["decode", "smpp"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = b"00000010000000150000000000000007\n\nxyz\n0000001080000015 0000000000000007\n";
    child.stdin.take().unwrap().write_all(lines).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).unwrap();
    let values: Vec<serde_json::Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values.len(), 3, "{printed}");
    assert!(values[1]["error"].is_string());
    assert_eq!(values[2]["command"], "enquire_link_resp");
}
