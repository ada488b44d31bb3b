//! Samples of Kannel.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::{draft, kannel as translator, source};
use super::{LINK, kannel, routes, tells, told};

#[test]
fn a_link_of_kannel_is_a_connector() {
    let imported = kannel(&format!(
        "group = core\nsms-resend-retry = 4\nssl-trusted-ca-file = /ca.pem\n\n{LINK}smsc-id = \"north one\"\n\
         use-ssl = 1\nsystem-type = VMA\ninterface-version = 50\naddress-range = ^44\nsource-addr-ton = 5\n\
         source-addr-npi = 0\ndest-addr-ton = 1\nmax-pending-submits = 0x20\nthroughput = 12.4\ninstances = 3\n\
         enquire-link-interval = 45\nreconnect-delay = 7\nmsg-id-type = 1\nalt-charset = ISO-8859-1\nalt-dcs = on\n\
         wait-ack = 20\nservice-type = CMT\nmy-number = 1\n"
    ));
    let connector = &imported.resources_json()["connector"][0];
    assert_eq!(
        connector,
        &json!({
            "id": "north-one", "protocol": "smpp", "address": "smpps://smsc.example:2775", "bind": "transceiver",
            "system_id": "me", "password": "hunter2", "system_type": "VMA", "interface_version": "5.0",
            "address_range": "^44", "sessions": 3, "window": 32, "throughput": 12, "enquire_link_seconds": 45,
            "response_timeout_seconds": 20, "reconnect": { "min_ms": 7000, "max_ms": 7000 },
            "default_alphabet": "latin1", "flash": "class-group", "service_type": "CMT",
            "source": { "ton": 5, "npi": 0 }, "receipt_id": "hex-to-dec", "max_attempts": 5, "tls": { "ca": "/ca.pem" },
        })
    );
    tells(&imported, "19: dest-addr-ton", "go together");
    tells(&imported, "30: my-number", "default_sender");
    assert_eq!(imported.left_out.len(), 2, "{:#?}", told(&imported));
}

#[test]
fn kannel_binds_where_it_has_ports() {
    let binds = |ports: &str| {
        let text = LINK.replace("port = 2775\ntransceiver-mode = yes\n", ports);
        let resources = kannel(&text).resources_json();
        let connectors = resources["connector"].as_array().unwrap().clone();
        let text = |c: &Value| format!("{} {}", c["address"].as_str().unwrap(), c["bind"].as_str().unwrap());
        connectors.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(binds("port = 1\n"), ["smsc.example:1 transmitter"]);
    assert_eq!(binds("receive-port = 2\n"), ["smsc.example:2 receiver"]);
    assert_eq!(binds("port = 1\nreceive-port = 1\n"), ["smsc.example:1 transmitter+receiver"]);
    assert_eq!(binds("port = 1\nreceive-port = 2\n"), ["smsc.example:1 transmitter", "smsc.example:2 receiver"]);
    assert_eq!(binds("port = 1\nreceive-port = 2\ntransceiver-mode = on\n"), ["smsc.example:1 transceiver"]);
}

#[test]
fn conditions_of_kannel_are_an_ordered_list() {
    let link = |id: &str, more: &str| format!("{LINK}smsc-id = {id}\n{more}\n\n");
    let text = link("uk", "allowed-prefix = +44;0049\ndenied-prefix = 447781\npreferred-prefix = 4478")
        + &link("us", "allowed-prefix = 1\ndenied-prefix-regex = ^1900")
        + &link("vip", "allowed-smsc-id = VIP")
        + "group = sendsms-user\nusername = a\npassword = aaaaaaaaaaaaaaaaaaaaaaaaa\n\n\
           group = sendsms-user\nusername = b\npassword = bbbbbbbbbbbbbbbbbbbbbbbbb\nforced-smsc = VIP\ndenied-prefix = 7\n\n";
    let imported = kannel(&text);
    // With both lists, what is in neither is taken, and what is in both as well.
    assert_eq!(
        routes(&imported),
        ["b/1900 uk-vip", "b/7 reject", "b/4478 uk", "b/1 uk-us-vip", "b/ uk-vip", "/1900 uk", "/1 uk-us", "/ uk",]
            .map(str::to_owned),
        "{:#?}",
        told(&imported)
    );
    assert_eq!(
        imported.resources_json()["pool"][0],
        json!({ "id": "uk-vip", "strategy": "least-busy", "members": [{ "connector": "uk" }, { "connector": "vip" }] })
    );
    let text = link("uk", "allowed-prefix = 44;49")
        + &link("us", "allowed-prefix = 1\ndenied-prefix-regex = ^1900")
        + &link("rest", "denied-prefix = 44;1900");
    let imported = kannel(&text);
    assert_eq!(routes(&imported), ["/1900 reject", "/44 uk", "/49 uk-rest", "/1 us-rest", "/ rest"].map(str::to_owned));
}

#[test]
fn users_of_kannel_are_accounts() {
    let imported = kannel(
        "group = smsbox\nglobal-sender = 60777\nsendsms-port = 13013\nsendsms-interface = 127.0.0.1\n\n\
         group = sendsms-user\nname = Shop\nusername = shop one\npassword = \"a long \\\"quoted\\\" password\"\n\
         user-allow-ip = 10.0.0.1\nmax-messages = 3\ndlr-url = \"http://10.1.2.3:8080/dlr?id=%d\"\n\n\
         group = sendsms-user\nusername = second\npassword = \"a long \\\"quoted\\\" password\"\nfaked-sender = SHOP\n\
         forced-smsc = x\n\ngroup = sendsms-user\nusername = second\npassword = other\nforced-smsc = x\n",
    );
    let resources = imported.resources_json();
    assert_eq!(
        resources["account"],
        json!([
            {
                "id": "shop-one", "name": "Shop", "default_sender": "60777", "may_choose_connector": true,
                "compat": { "username": "shop one", "password": "a long \"quoted\" password" },
                "webhooks": [{
                    "url": "http://10.1.2.3:8080/dlr?id=%d", "style": "kannel",
                    "events": ["message.sent", "message.delivered", "message.undelivered", "message.rejected",
                        "message.expired", "message.failed", "message.unknown"],
                }],
            },
            {
                "id": "second", "default_sender": "SHOP",
                "compat": { "username": "second", "password": "a long \"quoted\" password" },
            },
            { "id": "second-2", "default_sender": "60777" },
        ])
        .as_array()
        .map(|list| {
            let full = |v: &Value| {
                v.as_object()
                    .unwrap()
                    .iter()
                    .filter(|(_, v)| !v.is_null())
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect()
            };
            Value::Array(list.iter().map(|v| Value::Object(full(v))).collect())
        })
        .unwrap()
    );
    let config =
        json!({ "kannel": { "listen": ["127.0.0.1:13013"] }, "webhooks": { "allow_private": ["10.1.2.3/32"] } });
    assert_eq!(imported.config.json(), config);
    tells(&imported, "12: dlr-url", "whatever its dlr-mask");
    tells(&imported, "22: password", "another account has already");
    tells(&imported, "17: faked-sender", "default sender");
    let shown: Vec<Value> = imported.left_out.iter().map(draft::LeftOut::json).collect();
    assert!(!json!(shown).to_string().contains("quoted"), "{shown:#?}");
}

#[test]
fn services_of_kannel_are_rules_that_are_no_wider() {
    let imported = kannel(&format!(
        "{LINK}smsc-id = in\n\ngroup = sms-service\nkeyword = default\nget-url = http://app.example/all?t=%a\n\n\
         group = sms-service\nname = info\nkeyword = INFO\naliases = help;hilfe\naccepted-smsc = in;gone\n\
         post-url = https://app.example/info\n\n\
         group = sms-service\nkeyword = x\ntext = \"hello %p, {{you}} said %r\"\n\n\
         group = sms-service\nkeyword = w\ntext = \"it is %T\"\n\n\
         group = sms-service\nkeyword = y\nallowed-receiver-prefix = 44\nget-url = http://app.example/y\n\n\
         group = sms-service\nkeyword-regex = ^(stop|end)$\nget-url = http://app.example/stop\nmax-messages = 0\n\n\
         group = sms-service\nkeyword = z\nget-url = http://app.example/%p/z\n\
         max-messages = 3\nomit-empty = true\naccept-x-kannel-headers = true\nfaked-sender = 1\n"
    ));
    let rules = imported.resources_json()["inbound"].clone();
    assert_eq!(
        rules,
        json!([
            {
                "id": "info", "match": { "connector": ["in"], "keyword": ["INFO", "help", "hilfe"] }, "account": "services",
                "webhook": { "url": "https://app.example/info" },
            },
            { "id": "x", "match": { "keyword": ["x"] }, "account": "services", "reply": "hello {from}, {{you}} said {rest}", "reply_limit": 100 },
            {
                "id": "stop", "match": { "keyword": ["stop", "end"] }, "account": "services",
                "webhook": { "url": "http://app.example/stop", "style": "kannel" },
            },
            {
                "id": "z", "match": { "keyword": ["z"] }, "account": "services", "reply_limit": 100,
                "webhook": {
                    "url": "http://app.example/%p/z", "style": "kannel", "answer": "reply", "max_parts": 3,
                    "kannel_headers": true,
                },
            },
            {
                "id": "default", "match": {}, "account": "services", "reply_limit": 100,
                "webhook": { "url": "http://app.example/all?t=%a", "style": "kannel", "answer": "reply", "max_parts": 1 },
            },
        ])
    );
    assert_eq!(imported.resources_json()["account"], json!([{ "id": "services" }]));
    tells(&imported, "27: text", "replies have nothing for %T");
    tells(&imported, "31: allowed-receiver-prefix", "whole service is left out");
    tells(&imported, "10: omit-empty", "an empty answer is not sent");
    tells(&imported, "45: faked-sender", "the number that was written to");
}

#[test]
fn kannels_emi_links_become_ucp_connectors() {
    let imported = kannel(
        "group = smsc\nsmsc = emi\nsmsc-id = vf\nhost = emi.example\nport = 5000\nsmsc-username = 60777\n\
         smsc-password = s\nkeepalive = 50\nwindow = 20\nnotification-pid = 0539\nnotification-addr = 1000\n\
         receive-port = 5001\nallowed-prefix = 44\n\ngroup = smsc\nsmsc = emi\nhost = ::1\nport = 1\nflow-control = 1\n",
    );
    assert_eq!(
        imported.resources_json()["connector"],
        json!([
            {
                "id": "vf", "protocol": "ucp", "address": "emi.example:5000", "system_id": "60777", "password": "s",
                "window": 20, "enquire_link_seconds": 50,
                "ucp": {
                    "alert": true, "alert_address": "60777", "notification_pid": "0539", "notification_address": "1000",
                },
            },
            {
                "id": "--1", "protocol": "ucp", "address": "[::1]:1", "window": 1, "ucp": { "alert": false, "login": false },
            },
        ])
    );
    tells(&imported, "12: receive-port", "SMSCs that connect by themselves are not served");
}

#[test]
fn kannels_modems_become_connectors() {
    let imported = kannel(
        "group = smsc\nsmsc = at\nsmsc-id = stick\ndevice = /dev/ttyUSB0\nspeed = 115200\npin = 1234\nmodemtype = auto\n\
         my-number = +447700900999\nsms-center = +447700900000\n\n\
         group = smsc\nsmsc = at\ndevice = rawtcp\nhost = far.example\nport = 3001\nmodemtype = huawei\n\n\
         group = modems\nid = huawei\n",
    );
    assert_eq!(
        imported.resources_json()["connector"],
        json!([
            {
                "id": "stick", "protocol": "modem", "address": "/dev/ttyUSB0",
                "modem": { "baud": 115_200, "pin": "1234", "number": "+447700900999", "smsc": "+447700900000" },
            },
            { "id": "far.example", "protocol": "modem", "address": "tcp://far.example:3001" },
        ])
    );
    tells(&imported, "16: modemtype", "is found out from it");
    tells(&imported, "18: group modems", "is found out from it");
}

#[test]
fn kannels_cimd2_links_become_connectors() {
    let imported = kannel(
        "group = smsc\nsmsc = cimd2\nsmsc-id = nokia\nhost = cimd.example\nport = 9971\nsmsc-username = me\n\
         smsc-password = s\nkeepalive = 60\nmy-number = 1234\nthroughput = 5\nno-dlr = true\n\n\
         group = smsc\nsmsc = cimd2\nhost = h\nport = 1\nsmsc-username = me\nmy-number = never\n",
    );
    assert_eq!(
        imported.resources_json()["connector"],
        json!([
            {
                "id": "nokia", "protocol": "cimd2", "address": "cimd.example:9971", "system_id": "me", "password": "s",
                "window": 1, "enquire_link_seconds": 60, "throughput": 5, "cimd2": { "own_number": "1234" },
            },
            {
                "id": "h", "protocol": "cimd2", "address": "h:1", "system_id": "me", "window": 1,
                "cimd2": { "originator": false },
            },
        ])
    );
    tells(&imported, "11: no-dlr", "is given with a message");
}

#[test]
fn links_to_http_interfaces_are_connectors() {
    let imported = kannel(
        "group = smsc\nsmsc = http\nsmsc-id = next\nsystem-type = kannel\nport = 13080\nsmsc-username = u\n\
         smsc-password = p\nsend-url = http://10.0.0.1:13013/cgi-bin/sendsms\n\n\
         group = smsc\nsmsc = http\nsmsc-id = own\nsystem-type = generic\n\
         send-url = \"https://api.example/mt?key=k%3D1&dst=%P&src=%p&msg=%b\"\nstatus-success-regex = ^OK\n\
         status-tempfail-regex = busy\ngeneric-foreign-id-regex = \"id=([0-9]+)\"\n\n\
         group = smsc\nsmsc = http\nsystem-type = clickatell\nsend-url = http://x/\n",
    );
    let connectors = imported.resources_json()["connector"].clone();
    assert_eq!(
        connectors,
        json!([
            { "id": "next", "protocol": "http", "address": "http://10.0.0.1:13013", "system_id": "u", "password": "p",
              "http": { "preset": "kannel" } },
            { "id": "own", "protocol": "http", "address": "https://api.example", "http": {
                "send": { "path": "/mt", "query": { "key": "k=1", "dst": "{to:plus}", "src": "{from:plus}", "msg": "{text}" } },
                "answer": { "accepted": { "at": "regex:^OK" }, "id": "regex:id=([0-9]+)",
                    "errors": [{ "body": "busy", "class": "temporary" }] } } },
        ])
    );
    tells(&imported, "5: port", "/carriers/ID/SECRET");
    tells(&imported, "19: smsc http", "docs/http-connector.md");
}

#[test]
fn other_links_and_groups_are_told() {
    let imported = kannel("group = smsc\nsmsc = ois\n\ngroup = smsc\nsmsc = emi\n\ngroup = ppg\n\nx = 1\n\nnonsense\n");
    tells(&imported, "1: smsc ois", "no counterpart");
    tells(&imported, "4: smsc emi", "that is dialled, or that connects by itself");
    tells(&imported, "7: group ppg", "no counterpart");
    tells(&imported, "9: group", "is missing");
    tells(&imported, "11: line", "has no \"=\"");
}

#[test]
fn includes_are_followed_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("links")).unwrap();
    std::fs::write(at("main"), "include = links\n\ngroup = sendsms-user\nusername = \"u\"\ninclude = \"pw\"\n")
        .unwrap();
    std::fs::write(at("links/a"), LINK.replace("hunter2", "\\\nlong\\\n er")).unwrap();
    std::fs::write(at("links/b"), LINK).unwrap();
    std::fs::write(at("pw"), "password = 0123456789012345678901234567890").unwrap();
    let imported = translator::import(&at("main")).unwrap().finish().unwrap();
    let resources = imported.resources_json();
    assert_eq!(resources["connector"][0]["password"], "long er");
    assert_eq!(resources["connector"][1]["id"], "smsc.example-2");
    assert_eq!(resources["account"][0]["compat"]["password"], "0123456789012345678901234567890");

    std::fs::write(at("pw"), "include = main").unwrap();
    let failure = format!("{:?}", translator::import(&at("main")).err().unwrap());
    assert!(failure.contains("included already"), "{failure}");
    for n in 0..30 {
        std::fs::write(at(&format!("d{n}")), format!("include = d{}", n + 1)).unwrap();
    }
    let failure = format!("{:?}", translator::import(&at("d0")).err().unwrap());
    assert!(failure.contains("too deep"), "{failure}");
    std::fs::write(at("big"), vec![b'#'; source::OCTETS_MAX + 1]).unwrap();
    assert!(translator::import(&at("big")).is_err() && translator::import(&PathBuf::from("/nowhere")).is_err());
}

#[test]
fn what_check_would_refuse_is_left_out_with_what_needs_it() {
    let text = LINK.replace("= me", "= a-name-of-more-than-fifteen")
        + "smsc-id = long\n\n"
        + "group = sms-service\nkeyword = a\naccepted-smsc = long\nget-url = http://app.example/\n";
    let imported = kannel(&text);
    assert_eq!(imported.resources_json().as_object().unwrap().keys().collect::<Vec<_>>(), ["account"]);
    tells(&imported, "1: connector", "15 ASCII characters");
    tells(&imported, "10: inbound", "no connector");
}
