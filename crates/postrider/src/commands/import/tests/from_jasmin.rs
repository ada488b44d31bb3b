//! Samples of jcli.

use serde_json::json;

use super::super::{jasmin as translator, kannel};
use super::{import, jasmin, routes, tells, told};

pub const SCRIPT: &str = "\
smppccm -a
cid carrier_1
host 192.0.2.1
port 2776
username me
password hunter2
submit_throughput 50
dlr_msgid 2
src_ton 5
ssl yes
ok
smppccm -a
cid carrier_2
ok
smppccm -u carrier_2
elink_interval 20
validity 3600
ok
smppccm -0 carrier_2
group -a
gid shops
ok
user -a
username shop
password 0123456789012345678901234567890
gid shops
uid shop
mt_messaging_cred defaultvalue src_addr SHOP
mt_messaging_cred quota balance 44.2
mt_messaging_cred quota sms_count none
mt_messaging_cred quota http_throughput 12.5
smpps_cred quota max_bindings 2
ok
user -a
username esme
password secret12
gid shops
uid esme
mt_messaging_cred authorization http_send no
smpps_cred quota max_bindings 3
smpps_cred authorization ip 192.0.2.0/24
ok
httpccm -a
url http://localhost/mo?x=1
method GET
cid hook
ok
filter -a
type destinationaddrfilter
fid uk
destination_addr ^\\+?44\\d+
ok
filter -a
type groupfilter
fid shops
gid shops
ok
filter -a
type timeintervalfilter
fid day
timeInterval 08:00:00;18:00:00
ok
filter -a
type shortmessagefilter
fid info
short_message ^info\\b
ok
mtrouter -a
type defaultroute
connector smppc(carrier_1)
rate 0.0
ok
mtrouter -a
type FailoverMTRoute
order 20
filters uk;shops
connectors smppc(carrier_2);smppc(carrier_1)
rate 0.5
ok
mtrouter -a
type StaticMTRoute
order 30
filters day
connector smppc(carrier_2)
rate 0
ok
morouter -a
type StaticMORoute
order 10
filters info
connector http(hook)
ok
morouter -a
type DefaultRoute
connector smpps(shop)
ok
persist
";

#[test]
fn a_script_of_jcli_is_played() {
    let imported = jasmin(SCRIPT);
    let resources = imported.resources_json();
    assert_eq!(
        resources["connector"][0],
        json!({
            "id": "carrier_1", "protocol": "smpp", "address": "smpps://192.0.2.1:2776", "system_id": "me",
            "password": "hunter2", "throughput": 50, "source": { "ton": 5, "npi": 1 }, "receipt_id": "dec-to-hex",
        })
    );
    let second = &resources["connector"][1];
    assert_eq!((&second["enabled"], &second["enquire_link_seconds"]), (&json!(false), &json!(20)));
    assert_eq!(second["address"], "127.0.0.1:2775");
    let shop = json!({
        "id": "shop", "compat": { "username": "shop", "password": "0123456789012345678901234567890" },
        "default_sender": "SHOP", "throughput": 13,
    });
    let smpp = json!({ "system_id": "esme", "password": "secret12", "max_binds": 3, "allow": ["192.0.2.0/24"] });
    let hook = json!({ "url": "http://localhost/mo?x=1", "style": "jasmin-get", "events": ["message.received"] });
    assert_eq!(
        resources["account"],
        json!([shop, { "id": "esme", "smpp": smpp }, { "id": "hook", "webhooks": [hook] }])
    );
    assert_eq!(routes(&imported), ["shop+esme/44 mt-20", "/ carrier_1"].map(str::to_owned));
    let members = json!([{ "connector": "carrier_2" }, { "connector": "carrier_1" }]);
    assert_eq!(resources["pool"], json!([{ "id": "mt-20", "strategy": "failover", "members": members }]));
    assert_eq!(
        resources["inbound"],
        json!([
            { "id": "mo-10", "match": { "keyword": ["info"] }, "account": "hook" },
            { "id": "mo-0", "match": {}, "account": "shop" },
        ])
    );
    tells(&imported, "17: validity", "default_validity_seconds");
    tells(&imported, "29: mt_messaging_cred quota balance", "prepaid");
    tells(&imported, "23: smpps_cred", "room for 15 characters");
    tells(&imported, "78: rate", "no currency");
    tells(&imported, "83: filters", "filter day");
    let config = json!({ "jasmin": { "listen": ["0.0.0.0:1401"] }, "webhooks": { "allow_private": ["127.0.0.1/32"] } });
    assert_eq!(imported.config.json(), config);
}

#[test]
fn a_transcript_of_jcli_says_the_same_as_its_script() {
    let mut transcript = String::from("Authentication required.\nUsername: jcliadmin\nPassword: \nWelcome to Jasmin\n");
    let mut in_session = false;
    for line in SCRIPT.lines() {
        let prompt = if in_session { "> " } else { "jcli : " };
        transcript.push_str(&format!("{prompt}{line}\r\n"));
        in_session = if in_session { line != "ok" } else { line.ends_with("-a") || line.contains("-u ") };
        if !in_session {
            transcript.push_str("Successfully did this [x]\r\n");
        } else if line.starts_with("type") {
            transcript.push_str("jasmin.routing.Routes arguments:\r\nfilters, connector\r\n");
        }
    }
    assert_eq!(jasmin(&transcript).resources_json(), jasmin(SCRIPT).resources_json());
}

#[test]
fn what_jcli_shows_is_read_too() {
    let imported = jasmin(
        "jcli : smppccm -s Demo\r\nripf 0\r\nhost 192.0.2.7\r\nport 2775\r\npassword secret\r\nusername me\r\ncid Demo\r\n\
         coding 8\r\njcli : user -s foo\r\nusername foo\r\nmt_messaging_cred quota balance ND\r\nuid foo\r\njcli : \r\n",
    );
    let resources = imported.resources_json();
    assert_eq!(
        (&resources["connector"][0]["address"], &resources["account"][0]["id"]),
        (&json!("192.0.2.7:2775"), &json!("foo"))
    );
    assert_eq!(told(&imported).len(), 1, "{:#?}", told(&imported));
    tells(&imported, "8: coding", "found by the text");
}

#[test]
fn pickles_and_files_without_commands_are_refused() {
    for pickle in [&b"Persisted on Mon [Jasmin 0.11]\n\x80\x04\x95x"[..], b"\x80\x02}q\x00."] {
        let told = import(translator::import, pickle).err().unwrap();
        assert!(told.contains("Python pickle"), "{told}");
    }
    assert!(import(translator::import, b"hello\n").err().unwrap().contains("holds no jcli command"));
    assert!(import(kannel::import, b"").err().unwrap().contains("holds no group"));
}
