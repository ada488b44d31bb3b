use engine::Vault;
use model::Timestamp;
use store::{MemoryStore, Store};

use super::*;

const GOOD: &str = r#"
[[account]]
id = "shop"
api_token = "secret-token"
default_country = "GB"
webhooks = [{ url = "https://example.com/hook", events = ["message.*"] }]

[[connector]]
id = "carrier-a"
protocol = "smpp"
address = "smsc.example:2775"
system_id = "me"
password = "hunter2"
window = 50

[[pool]]
id = "both"
strategy = "failover"
members = [{ connector = "carrier-a", cost = { currency = "EUR", default = "0.02" } }]
sticky = "to"
failover_after = 5

[[route]]
id = "uk"
match = { to_prefix = ["44"], account = ["shop"] }
to = "carrier-a"
rewrite = { from = { replace = "^0", with = "44" } }
price = { currency = "EUR", prefixes = { 44 = "0.035" } }

[[route]]
id = "rest"
action = "reject"

[[inbound]]
id = "in"
account = "shop"
match = { keyword = ["INFO"] }
"#;

fn faults(text: &str) -> Vec<String> {
    match read("r.toml", text, SecretCheck::default()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_good_file_is_read() {
    let set = read("r.toml", GOOD, SecretCheck::default()).unwrap();
    assert_eq!((set.accounts.len(), set.connectors.len(), set.routes.len(), set.inbound.len()), (1, 1, 2, 1));
    assert_eq!(set.connectors[0].window, 50);
    assert_eq!(set.routes[0].matches.to_prefix, ["44"]);
}

/// Puts a line behind the id of a resource, instead of the line of the same key if there is one.
fn with(id: &str, line: &str) -> String {
    let key = line.split(' ').next().unwrap();
    let (before, own) = GOOD.split_once(&format!("id = \"{id}\"\n")).unwrap();
    let (own, after) = own.split_once("\n\n").unwrap_or((own, ""));
    let own: Vec<&str> = own.lines().filter(|other| !other.starts_with(&format!("{key} ="))).collect();
    format!("{before}id = \"{id}\"\n{line}\n{}\n\n{after}", own.join("\n"))
}

#[test]
fn what_is_not_built_yet_is_refused_by_name() {
    let cases = [
        ("shop", "max_parts = 1", "account.max_parts is not supported yet"),
        ("in", "action = \"x\"", "inbound.action is not supported yet"),
    ];
    for (id, line, fault) in cases {
        let text = with(id, line);
        let at = text.lines().position(|l| l == line).unwrap() + 1;
        let faults = faults(&text);
        assert!(faults.len() == 1 && faults[0].contains(fault), "{line}: {faults:#?}");
        assert!(faults[0].starts_with(&format!("r.toml:{at}:")), "{line} stands in line {at}: {faults:#?}");
    }
}

#[test]
fn tables_that_are_not_built_yet_are_refused_and_what_refers_to_them_is_not() {
    let text = GOOD.replace("to = \"carrier-a\"", "to = \"europe\"")
        + "[[pool]]\nid = \"europe\"\nmembers = [{ connector = \"carrier-a\" }]\nstratgy = \"x\"\n[[sender]]\nid = \"x\"\n[[opt_out]]\nnumber = \"1\"\n[[acount]]\nid = \"y\"\n";
    let faults = faults(&text);
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(faults[0].contains("did you mean \"strategy\"?"));
    assert!(faults[1].contains("allowed senders are not supported yet"));
    assert!(faults[2].contains("opt-outs in a resources file (they are kept by the API) are not supported yet"));
    assert!(faults[3].contains("did you mean \"account\"?"));
}

#[test]
fn every_fault_has_the_line_of_its_resource() {
    let text = GOOD
        .replace("to_prefix = [\"44\"]", "to_prefix = [\"49\", \"+44\"]")
        .replace("window = 50", "windw = 50")
        .replace("\"GB\"", "\"XX\"")
        .replace("account = \"shop\"\n", "account = \"shops\"\n");
    let line = |part: &str| text.lines().position(|l| l.contains(part)).unwrap() + 1;
    let faults = faults(&text);
    let told = |part: &str, fault: &str| {
        let start = format!("r.toml:{}:", line(part));
        assert!(faults.iter().any(|f| f.starts_with(&start) && f.contains(fault)), "{start} {fault}: {faults:#?}");
    };
    told("windw", "did you mean \"window\"?");
    told("+44", "must be digits");
    told("\"XX\"", "no ISO 3166 country");
    told("shops", "there is no account");
    assert_eq!(faults.len(), 4, "{faults:#?}");
}

#[test]
fn a_resource_without_what_it_needs_is_told_once() {
    let text = GOOD.replace("address = \"smsc.example:2775\"\n", "");
    let line = text.lines().position(|l| l == "[[connector]]").unwrap() + 1;
    let faults = faults(&text);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(
        faults[0].starts_with(&format!("r.toml:{line}:")) && faults[0].contains("address: is missing"),
        "{faults:?}"
    );
}

#[test]
fn secrets_that_are_none_are_told() {
    let empty = faults(&GOOD.replace("\"secret-token\"", "\"\""));
    assert!(empty[0].contains("api_token: is empty"), "{empty:?}");
    let line = "[[account]]\nid = \"other\"\nwebhooks = [{ url = \"https://x.example/\", secret = \"whsec_…\" }]\n";
    let unsignable = faults(&format!("{GOOD}\n{line}"));
    assert!(unsignable[0].contains("webhooks.0.secret: must be whsec_"), "{unsignable:?}");
}

#[test]
fn secrets_that_can_not_be_had_are_told() {
    let text = GOOD.replace("\"secret-token\"", "{ env = \"POSTRIDER_NO_SUCH_VARIABLE\" }");
    assert!(faults(&text)[0].contains("POSTRIDER_NO_SUCH_VARIABLE is not set"));
    let text = GOOD.replace("\"hunter2\"", "{ file = \"/no/such/file\" }");
    assert!(faults(&text).is_empty(), "the process that applies need not have the secret");
    let strict = SecretCheck { references: true, ..SecretCheck::default() };
    assert!(read("r.toml", &text, strict).unwrap_err()[0].to_string().contains("/no/such/file"));
}

#[tokio::test]
async fn what_is_written_is_read_back_as_the_same() {
    let (store, vault) = (MemoryStore::new(Timestamp::default), Vault::new(&[7; 32]));
    let set = read("r.toml", GOOD, SecretCheck::default()).unwrap();
    engine::resources::apply(&store, &vault, &set).await.unwrap();
    let file = write(&store.resources().await.unwrap().documents, true).unwrap();
    assert!(file.contains("password = { sealed = \"") && !file.contains("hunter2") && !file.contains("secret-token"));
    assert!(!file.contains("enquire_link_seconds"), "defaults are left out: {file}");
    let again = read("e.toml", &file, SecretCheck { vault: Some(&vault), references: true }).unwrap();
    let differences = engine::resources::diff(&store, &vault, &again).await.unwrap();
    assert_eq!(differences, [], "{file}");
}

#[test]
fn what_another_installation_has_sealed_is_told() {
    let mut secret = Secret::Plain("hunter2".into());
    Vault::new(&[7; 32]).seal(&mut secret).unwrap();
    let Secret::Sealed { sealed } = &secret else { panic!("it is not sealed") };
    let text = GOOD.replace("\"hunter2\"", &format!("{{ sealed = \"{sealed}\" }}"));
    let with = |key: u8| read("r.toml", &text, SecretCheck { vault: Some(&Vault::new(&[key; 32])), references: false });
    assert_eq!(with(7).unwrap().connectors[0].password, Some(Secret::Plain("hunter2".into())));
    let line = text.lines().position(|l| l.starts_with("password")).unwrap() + 1;
    let fault = with(8).unwrap_err()[0].to_string();
    assert!(fault.starts_with(&format!("r.toml:{line}:")) && fault.contains("sealed with another key"), "{fault}");
    let fault = faults(&text).remove(0);
    assert!(fault.starts_with(&format!("r.toml:{line}:")) && fault.contains("the key that opens it"), "{fault}");
}

#[test]
fn a_broken_line_does_not_accuse_the_others() {
    let faults = faults(&GOOD.replacen("[[account]]", "[[account", 1));
    assert!(faults.iter().all(|fault| !fault.contains("there is no account")), "{faults:#?}");
    assert!(faults[0].starts_with("r.toml:2:"), "{faults:#?}");
}
