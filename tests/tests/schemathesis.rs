//! The API against its own description: requests made from `/openapi.json`, right and wrong ones, are
//! answered as it says, by a gateway that is never read-only.

use std::process::Command;

use scenarios::carrier::Carrier;
use scenarios::{Gateway, Place, Sink, command, connector, peers, resources, skip};
use simulator::SmscSettings;

#[test]
fn the_api_is_as_it_is_described() {
    let python = match peers::python("schemathesis") {
        Ok(python) => python,
        Err(why) => return skip(&why),
    };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let operator = "[[account]]\nid = \"operator-7f3a\"\ndefault_sender = \"OPS\"\n";
    let place =
        Place::new(&[&resources(&sink, "carrier", &connector("carrier", carrier.address(), "")), operator].concat());
    let mut gateway = place.start_without_file();
    asked(&place, &["apply", &place.resources().display().to_string()]);
    let token = asked(&place, &["token", "create", "--account", "operator-7f3a", "--scope", "admin"]);
    assert_ne!(token, "", "no token");

    let folder = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis/drive.py"))
        .args([format!("http://{}", gateway.address()), token])
        .current_dir(folder.path())
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    still_well(&gateway);
    assert!(gateway.stop().success(), "{}", gateway.log().tail());
}

fn still_well(gateway: &Gateway) {
    assert_eq!(gateway.client().get("/readyz").status, 200);
    let panics: Vec<_> = gateway.log().all().into_iter().filter(|line| line.contains("panicked")).collect();
    assert!(panics.is_empty(), "{panics:?}");
}

/// What a command prints about the gateway on this place.
fn asked(place: &Place, arguments: &[&str]) -> String {
    let output = command().args(arguments).arg("--data").arg(place.data()).output().expect("it starts");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
