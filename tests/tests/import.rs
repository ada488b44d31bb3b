//! `postrider import`: configurations of other gateways become resources that `check` accepts, and
//! secrets go nowhere but there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, ask_until, command};
use serde_json::Value;
use simulator::{Mo, SmscSettings};

const KANNEL: &str = r#"# A gateway of two carriers
group = core
admin-port = 13000
admin-password = "core-admin-secret"
smsbox-port = 13001
log-file = "/var/log/kannel/bearerbox.log"
sms-resend-retry = 9

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 13013
global-sender = 60777

include = "carriers.conf"

group = sendsms-user
username = shop
password = "shop-secret-0123456789"
allowed-prefix = "+44;+49"
user-allow-ip = "10.0.0.*"
max-messages = 4

group = sms-service
keyword = info
aliases = "hilfe;help"
get-url = "http://10.0.0.5/info?from=%p&text=%a&pass=url-secret"
accepted-smsc = north

group = sms-service
keyword = default
text = "Sorry?"
"#;

const CARRIERS: &str = r#"group = smsc
smsc = smpp
smsc-id = north
host = smsc.north.example
port = 2775
receive-port = 2776
smsc-username = north1
smsc-password = "north-secret"
system-type = VMA
allowed-prefix = "+44"
throughput = 50

group = smsc
smsc = smpp
smsc-id = south
host = smsc.south.example
port = 3550
transceiver-mode = true
use-ssl = true
smsc-username = south1
smsc-password = "south\"secret"
denied-prefix = "+44"
msg-id-type = 1

group = smsc
smsc = at
modemtype = auto
device = /dev/ttyUSB0
pin = 4711
"#;

const JASMIN: &str = r"jcliadmin
jcli-console-secret
group -a
gid customers
ok
user -a
username shop
password shop-secret-0123456789
gid customers
uid shop
mt_messaging_cred quota http_throughput 10
mt_messaging_cred valuefilter dst_addr ^44\d+
ok
smppccm -a
cid north
host smsc.north.example
username north1
password north-secret
submit_throughput 30
coding 8
ok
smppccm -1 north
httpccm -a
cid app
url http://10.0.0.5/mo
method GET
ok
filter -a
fid uk
type DestinationAddrFilter
destination_addr ^\+?44\d+$
ok
mtrouter -a
type StaticMTRoute
order 10
filters uk
connector smppc(north)
rate 0.02
ok
morouter -a
type DefaultRoute
connector http(app)
ok
persist
quit
";

/// What nobody but the resources file may be told.
const SECRETS: [&str; 8] = [
    "core-admin-secret",
    "shop-secret-0123456789",
    "north-secret",
    "south\"secret",
    "south\\\"secret",
    "url-secret",
    "4711",
    "jcli-console-secret",
];

#[test]
fn a_configuration_of_kannel_passes_check() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    write(folder.path(), "carriers.conf", CARRIERS);
    write(folder.path(), "kannel.conf", KANNEL);
    let told = imported_and_checked(folder.path(), "kannel", "kannel.conf");
    assert!(told.contains("kannel.conf:21: max-messages:"), "{told}");
    assert!(told.contains("carriers.conf:1: receive-port: is a connector of its own now"), "{told}");
    assert!(told.contains("2 accounts, 4 connectors, 2 pools, 5 routes, 2 inbound rules;"), "{told}");
}

#[test]
fn a_script_of_jasmin_passes_check() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    write(folder.path(), "jcli.txt", JASMIN);
    let told = imported_and_checked(folder.path(), "jasmin", "jcli.txt");
    assert!(told.contains("jcli.txt:2: line: is no command of jcli"), "{told}");
    assert!(told.contains("jcli.txt:20: coding:") && told.contains("jcli.txt:38: rate:"), "{told}");
    assert!(told.contains("2 accounts, 1 connector, 0 pools, 1 route, 1 inbound rule;"), "{told}");
}

#[test]
fn programs_are_told_everything_in_one_object() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    write(folder.path(), "jcli.txt", JASMIN);
    let output = import(folder.path(), &["jasmin", "jcli.txt", "--json"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["resources"]["connector"][0]["password"], "north-secret");
    assert_eq!(report["config"]["webhooks"]["allow_private"][0], "10.0.0.5/32");
    let left_out = report["left_out"].as_array().expect("a list");
    let rate = left_out.iter().find(|left| left["key"] == "rate").expect("the rate is left out");
    assert_eq!((&rate["line"], &rate["value"]), (&38.into(), &"0.02".into()));
    assert!(rate["why"].is_string() && rate["file"] == "jcli.txt", "{rate}");

    let output = import(folder.path(), &["jasmin", "jcli.txt", "--json", "--out", "r.toml"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
}

#[test]
fn what_was_written_for_kannel_goes_on_after_an_import() {
    let carrier = Carrier::start(SmscSettings::default());
    let sink = Sink::answering(|_| ("Content-Type: text/html\r\n".into(), "<p>None &amp; nothing".into()));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let configuration = format!(
        "group = smsc\nsmsc = smpp\nhost = {}\nport = {}\ntransceiver-mode = true\nsmsc-username = demo\n\
         smsc-password = demo\n\ngroup = sendsms-user\nusername = shop\npassword = s3cret\ndefault-sender = 60777\n\n\
         group = sms-service\nkeyword = default\nget-url = \"{}?mo=%b&phone=%p\"\n",
        carrier.address().ip(),
        carrier.address().port(),
        sink.url()
    );
    write(folder.path(), "kannel.conf", &configuration);
    let imported = import(folder.path(), &["kannel", "kannel.conf"]);
    let place = Place::new(&String::from_utf8(imported.stdout).expect("UTF-8"));
    let gateway = place.start_with(command().env("POSTRIDER_KANNEL__ON_HTTP", "true"));
    ask_until("bind", || (carrier.bound() > 0).then_some(()));

    let report = sink.url().replace(':', "%3A").replace('/', "%2F") + "%3Fevent%3D%25d";
    let query = format!("username=shop&password=s3cret&to=447700900123&text=Hello&dlr-mask=3&dlr-url={report}");
    let answer = gateway.client().get(&format!("/cgi-bin/sendsms?{query}"));

    assert_eq!((answer.status, answer.body.as_str()), (202, "0: Accepted for delivery"));
    sink.wait("call of the dlr-url", |call| call.path.contains("event=1").then_some(()));
    assert_eq!(&*carrier.seen()[0].source.2, "60777");
    carrier.inject_mo(&Mo::text("447700900055", "60777", "Any news?")).expect("it can be sent");
    let incoming = sink.wait("call of the get-url", |call| call.path.contains("mo=").then(|| call.path.clone()));
    assert!(incoming.contains("mo=Any+news%3F") && incoming.contains("phone=447700900055"), "{incoming}");
    let reply =
        ask_until("reply", || carrier.seen().into_iter().find(|message| &*message.destination.2 == "447700900055"));
    assert_eq!((&*reply.text, &*reply.source.2), ("None & nothing", "60777"));
}

#[test]
fn what_is_there_already_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    write(folder.path(), "jcli.txt", JASMIN);
    write(folder.path(), "r.toml", "# mine\n");
    let output = import(folder.path(), &["jasmin", "jcli.txt", "--out", "r.toml"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("r.toml")).expect("it is there"), "# mine\n");
}

#[test]
fn a_store_of_jasmin_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let pickle = b"Persisted on Mon Jan  1 00:00:00 2024 [Jasmin 0.11.1]\n\x80\x05\x95\x10\x00";
    std::fs::write(folder.path().join("jcli-prod.smppccs"), pickle).expect("the file can be written");
    let output = import(folder.path(), &["jasmin", "jcli-prod.smppccs"]);
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(told.contains("a Python pickle") && told.contains("jcli commands"), "{told}");
}

/// Imports into a file that is private, which `check` accepts; gives what was told meanwhile.
fn imported_and_checked(folder: &Path, of: &str, file: &str) -> String {
    let output = import(folder, &[of, file, "--out", "resources.toml"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
    let resources = folder.join("resources.toml");
    let mode = std::fs::metadata(&resources).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&resources).expect("it can be read");
    assert!(text.contains("\"shop-secret-0123456789\"") && text.contains("\"north-secret\""), "{text}");

    let check =
        command().args(["check", "--resources", "resources.toml"]).current_dir(folder).output().expect("it starts");
    assert!(check.status.success(), "{check:?}\n{text}");

    // What the head of the file has for postrider.toml is right as well.
    let config = text.lines().skip(1).map_while(|line| line.strip_prefix("# "));
    let config: String = config.map(|line| format!("{line}\n")).collect();
    write(folder, "postrider.toml", &config);
    let check =
        command().args(["check", "--config", "postrider.toml"]).current_dir(folder).output().expect("it starts");
    assert!(check.status.success() && config.contains("allow_private"), "{check:?}\n{config}");

    let printed = import(folder, &[of, file]);
    assert_eq!(String::from_utf8(printed.stdout).expect("UTF-8").trim_end(), text.trim_end());
    told
}

fn import(folder: &Path, args: &[&str]) -> Output {
    command().arg("import").args(args).current_dir(folder).output().expect("it starts")
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("the file can be written");
}
