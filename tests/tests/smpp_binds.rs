//! Who is bound to the SMPP server, and what they do: shown with the account, and counted.

use std::net::SocketAddr;

use scenarios::carrier::Carrier;
use scenarios::{Place, Process, Sink, ask_until, command, connector, resources_with_smpp};
use serde_json::Value;
use simulator::SmscSettings;

#[test]
fn an_account_shows_its_sessions_while_they_are_bound() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let resources = resources_with_smpp(&sink, "carrier", &connector("carrier", carrier.address(), ""), ", window = 7");
    let place = Place::new(&resources);
    let mut gateway = place.start_without_file();
    asked(&place, &["apply", &place.resources().display().to_string()]);
    let token = asked(&place, &["token", "create", "--account", "shop", "--scope", "admin"]);
    let mut client = gateway.client().with_token(&token);
    ask_until("gateway that knows the token", || (client.get("/v1/accounts/shop").status == 200).then_some(()));
    let mut binds = move || client.get("/v1/accounts/shop").json()["binds"].as_array().expect("a list").clone();
    assert_eq!(binds(), Vec::<Value>::new());

    let mut load = command();
    load.args(["bench", "smpp", "--system-id", "shop", "--password", "secret", "--sessions", "2", "--rate", "50"]);
    let mut load = Process::start(load.arg("--address").arg(gateway.smpp().to_string()));
    let number = |bind: &Value, key: &str| bind[key].as_u64().expect("a number");
    let bound = ask_until("two sessions, with messages both ways", || {
        let binds = binds();
        let sum = |key: &str| binds.iter().map(|bind| number(bind, key)).sum::<u64>();
        (binds.len() == 2 && sum("messages_in") > 3 && sum("messages_out") > 3).then_some(binds)
    });
    for bind in &bound {
        assert_eq!(
            (&bind["mode"], &bind["version"], &bind["window"]),
            (&"transceiver".into(), &"3.4".into(), &7.into())
        );
        assert!(number(bind, "unanswered_in") <= 7 && number(bind, "unanswered_out") <= 7 && bind["tls"] == false);
        let remote: SocketAddr = bind["remote"].as_str().and_then(|text| text.parse().ok()).expect("an address");
        assert!(remote.ip().is_loopback() && bind["since"].is_string());
    }
    let metrics = gateway.client().get("/metrics").body;
    for (series, least) in [
        (r#"{direction="in",command="bind_transceiver",status=""}"#, 2.0),
        (r#"{direction="out",command="bind_transceiver_resp",status="ESME_ROK"}"#, 2.0),
        (r#"{direction="in",command="submit_sm",status=""}"#, 4.0),
        (r#"{direction="out",command="submit_sm_resp",status="ESME_ROK"}"#, 4.0),
        (r#"{direction="out",command="deliver_sm",status=""}"#, 4.0),
        (r#"{direction="in",command="deliver_sm_resp",status="ESME_ROK"}"#, 4.0),
    ] {
        let line =
            metrics.lines().find_map(|line| line.strip_prefix("postrider_smpp_pdus_total")?.strip_prefix(series));
        let count: f64 = line.and_then(|rest| rest.trim().parse().ok()).unwrap_or_default();
        assert!(count >= least, "{series} is {count} in\n{metrics}");
    }
    load.kill();
    ask_until("no session", || binds().is_empty().then_some(()));
    assert!(gateway.stop().success());
}

/// What a command prints about the gateway on this place.
fn asked(place: &Place, arguments: &[&str]) -> String {
    let output = command().args(arguments).arg("--data").arg(place.data()).output().expect("it starts");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
