use std::path::Path;

use crate::process::{carrier, printed, run, serve};

fn resources(carrier: &str) -> String {
    format!(
        "[[account]]\nid = \"shop\"\ndefault_country = \"GB\"\ndefault_sender = \"SHOP\"\n\
         [[connector]]\nid = \"a\"\nprotocol = \"smpp\"\naddress = \"{carrier}\"\nsystem_id = \"gw\"\npassword = \"hunter2\"\n\
         [[route]]\nid = \"all\"\nto = \"a\"\n"
    )
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_gateway_is_set_up_while_it_runs_and_sends() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_argument = data.to_str().unwrap();
    let (carrier, address) = carrier(&["--receipt-delay", "10ms", "--receipt-ids", "hex-to-dec", "--count-duplicates"]);
    let (mut gateway, http) = serve(&data, &[]);
    let file = write(&folder.path().join("r.toml"), &resources(&address));

    let applied = printed(&["apply", "--data", data_argument, &file]);
    assert!(applied.contains("+ account \"shop\"") && applied.contains("+ connector \"a\""), "{applied}");
    assert!(applied.ends_with("3 resources changed; this is version 1, in force now\n"), "{applied}");
    assert_eq!(printed(&["apply", "--data", data_argument, &file]).trim(), "nothing to change");

    let token =
        printed(&["token", "create", "--data", data_argument, "--account", "shop", "--scope", "messages,admin"]);
    gateway.line_with("\"version\":2");
    let token = token.trim();
    let sent = printed(&["send", "--data", data_argument, "--token", token, "--to", "07700 900123", "--text", "Hi ż"]);
    assert!(sent.contains("+447700900123") && sent.contains("ucs2, 1 part"), "{sent}");
    assert!(sent.lines().last().unwrap().ends_with("delivered"), "{sent}");

    let url = format!("http://{http}");
    let listed = printed(&["connector", "list", "--url", &url, "--token", token, "--json"]);
    let connector: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(connector["status"]["state"], "up");
    assert!(!listed.contains("hunter2"));

    let (code, _) = gateway.stop();
    assert_eq!(code, Some(0));
    assert!(!data.join("run.json").exists());
    let log = std::fs::read_to_string(data.join("access.log")).unwrap();
    assert!(log.contains("/v1/messages") && log.contains("…0123") && !log.contains("7700900123"), "{log}");

    let (code, counted) = carrier.stop();
    let counted: serde_json::Value = serde_json::from_str(&counted).unwrap();
    assert_eq!((code, &counted["accepted"], &counted["duplicates"]), (Some(0), &1.into(), &0.into()));
}

#[test]
fn apply_waits_until_the_gateway_uses_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_argument = data.to_str().unwrap();
    let account = |name: &str| format!("[[account]]\nid = \"shop\"\nname = \"{name}\"\napi_token = \"t\"\n");
    let file = folder.path().join("r.toml");
    let apply = |name: &str, more: &[&str]| {
        let file = write(&file, &account(name));
        run(&[&["apply", "--data", data_argument, &file], more].concat())
    };
    let before = apply("a", &["--json"]);
    let before: serde_json::Value = serde_json::from_slice(&before.stdout).unwrap();
    assert_eq!((&before["version"], &before["in_force"]), (&1.into(), &serde_json::Value::Null));

    let (gateway, http) = serve(&data, &[]);
    let read = || {
        let url = format!("http://{http}/v1/messages?limit=1");
        ureq::get(&url).header("authorization", "Bearer new").call().map(|answer| answer.status().as_u16())
    };
    assert!(read().is_err(), "the token is not known yet");
    let file_with_token = write(&file, &account("b").replace("\"t\"", "\"new\""));
    printed(&["apply", "--data", data_argument, &file_with_token]);
    assert_eq!(read().unwrap(), 200, "in force when the command has ended");

    gateway.signal("STOP");
    let stuck = apply("c", &["--wait", "50ms"]);
    let errors = String::from_utf8_lossy(&stuck.stderr).into_owned();
    assert_eq!(stuck.status.code(), Some(1), "{errors}");
    assert!(errors.contains("version 3 is stored") && errors.contains("still uses version 2"), "{errors}");
    assert_eq!(apply("d", &["--wait", "0s"]).status.code(), Some(0), "nobody asked to wait");
    gateway.signal("CONT");
    // Nothing is left to change, but what was stored before must be in force too.
    let caught_up = apply("d", &["--wait", "30s", "--json"]);
    let caught_up: serde_json::Value = serde_json::from_slice(&caught_up.stdout).unwrap();
    assert_eq!((&caught_up["in_force"], &caught_up["changes"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(gateway.stop().0, Some(0));
}

#[test]
fn one_data_directory_has_one_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, _) = serve(folder.path(), &[]);
    let second = run(&["serve", "--data", folder.path().to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("already"));
    assert_eq!(gateway.stop().0, Some(0));
}

#[test]
fn a_resources_file_is_the_only_authority_and_sighup_reads_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_argument = data.to_str().unwrap();
    // Nobody listens there: the gateway starts all the same.
    let text = resources("127.0.0.1:1").replace("[[connector]]", "[[connector]]\nenabled = false");
    let file = write(&folder.path().join("r.toml"), &text);
    let (mut gateway, http) = serve(&data, &["--resources", &file]);

    let refused = run(&["apply", "--data", data_argument, &file]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("SIGHUP"));

    write(Path::new(&file), &text.replace("\"all\"", "\"everything\""));
    gateway.signal("HUP");
    gateway.line_with("the resources file was applied");
    assert!(printed(&["export", "--data", data_argument]).contains("id = \"everything\""));

    write(Path::new(&file), "[[account]]\nid = \"\"\n");
    gateway.signal("HUP");
    let fault = gateway.line_with("the old resources stay");
    assert!(fault.contains("r.toml:2:6") && fault.contains("must be 1 to 64 letters"), "{fault}");
    assert!(printed(&["export", "--data", data_argument]).contains("id = \"everything\""));
    assert!(!http.is_empty());
    assert_eq!(gateway.stop().0, Some(0));
}

#[test]
fn what_was_accepted_before_a_kill_is_sent_after_it() {
    const ACCEPTED: u64 = 20;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_argument = data.to_str().unwrap();
    // Nobody listens there.
    let text = resources("127.0.0.1:1").replace("[[account]]", "[[account]]\napi_token = \"letmein\"");
    let file = write(&folder.path().join("r.toml"), &text);
    printed(&["apply", "--data", data_argument, &file]);
    let (gateway, http) = serve(&data, &[]);
    for n in 0..ACCEPTED {
        let request = ureq::post(format!("http://{http}/v1/messages")).header("authorization", "Bearer letmein");
        let body = serde_json::json!({ "to": format!("+4477009001{n:02}"), "text": "code" });
        assert_eq!(request.send_json(body).unwrap().status(), 202);
    }
    gateway.kill();

    let (carrier, address) = carrier(&["--count-duplicates"]);
    write(Path::new(&file), &text.replace("127.0.0.1:1", &address));
    printed(&["apply", "--data", data_argument, &file]);
    let (gateway, _) = serve(&data, &[]);
    // It comes last in the queue: when it has arrived, the others have been sent.
    printed(&["send", "--data", data_argument, "--token", "letmein", "--to", "+447700900199", "--text", "last"]);
    assert_eq!(gateway.stop().0, Some(0));
    let (_, counted) = carrier.stop();
    let counted: serde_json::Value = serde_json::from_str(&counted).unwrap();
    assert_eq!((&counted["distinct"], &counted["duplicates"]), (&(ACCEPTED + 1).into(), &0.into()), "{counted}");
}
