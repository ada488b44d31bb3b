//! The SMPP server over TLS, with an application made of the PyPI package "smpplib": with the server's
//! certificate alone, and with certificates of applications, which only one authority may have signed.

use std::path::PathBuf;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use scenarios::carrier::Carrier;
use scenarios::{Gateway, Place, Process, Sink, command, connector, peers, resources_with_smpp, skip};
use serde_json::{Value, json};
use simulator::SmscSettings;
use tempfile::TempDir;

/// A certificate authority, and files of what it has signed.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// Files of a certificate and its key.
struct Signed {
    cert: PathBuf,
    key: PathBuf,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut authority = CertificateParams::new(vec![]).expect("no names are sound");
        authority.distinguished_name = named("an authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let folder = tempfile::tempdir().expect("a temporary directory");
        let pem = authority.self_signed(&key).expect("a certificate can be made").pem();
        std::fs::write(folder.path().join("ca.pem"), pem).expect("the file can be written");
        Self { folder, issuer: Issuer::new(authority, key) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.distinguished_name = named(name);
        let cert = params.signed_by(&key, &self.issuer).expect("a certificate can be made");
        let [cert_file, key_file] = ["cert", "key"].map(|kind| self.folder.path().join(format!("{name}.{kind}.pem")));
        std::fs::write(&cert_file, cert.pem()).expect("the file can be written");
        std::fs::write(&key_file, key.serialize_pem()).expect("the file can be written");
        Signed { cert: cert_file, key: key_file }
    }
}

/// Whose name is its issuer's is taken for self-signed.
fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

/// A gateway whose SMPP server is TLS, with `more` settings of that.
fn start(place: &Place, server: &Signed, more: &str) -> Gateway {
    let tls = format!("{{ cert = {:?}, key = {:?}{more} }}", server.cert, server.key);
    place.start_with(command().env("POSTRIDER_SMPP__TLS", tls))
}

/// An application that knows an authority, and may have a certificate.
fn application(gateway: &Gateway, authority: Option<&Authority>, own: Option<&Signed>) -> Process {
    let mut python = Command::new(peers::python("smpplib").expect("it was looked for before"));
    if let Some(authority) = authority {
        python.env("SMPP_CA", authority.file());
    }
    if let Some(Signed { cert, key }) = own {
        python.env("SMPP_CERT", cert).env("SMPP_KEY", key);
    }
    Process::start(python.arg(peers::script("client.py")).arg(gateway.smpp().to_string()))
}

/// It submits, and is given its receipt.
fn is_served(mut application: Process) {
    assert_eq!(application.wait_key("bound"), 0);
    application.tell(&json!({ "submit": { "to": "447700900001", "text": "over TLS" } }));
    let answer = application.wait_key("answer");
    assert_eq!(answer["status"], 0);
    let id = answer["id"].as_str().expect("an id").to_owned();
    // One before it may have gone before its receipt was answered: that comes again.
    application.out.wait("its receipt", |line| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["deliver"]["text"].as_str()?.starts_with(&format!("id:{id} ")).then_some(())
    });
}

fn is_refused(application: &Process) {
    assert!(matches!(application.wait_key("refused"), Value::String(_)));
}

#[test]
fn applications_bind_over_tls_and_only_with_a_certificate_where_that_is_asked_for() {
    if let Err(why) = peers::python("smpplib") {
        return skip(&why);
    }
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let connector = connector("carrier", carrier.address(), "");
    // Nothing but TLS will do for this account.
    let place = Place::new(&resources_with_smpp(&sink, "carrier", &connector, ", tls_required = true"));
    let (ours, others) = (Authority::new(), Authority::new());
    let server = ours.sign("localhost");

    let mut gateway = start(&place, &server, "");
    is_served(application(&gateway, Some(&ours), None));
    is_refused(&application(&gateway, Some(&others), None));
    is_refused(&application(&gateway, None, None));
    assert!(gateway.stop().success());

    let mut gateway = start(&place, &server, &format!(", client_ca = {:?}", ours.file()));
    is_served(application(&gateway, Some(&ours), Some(&ours.sign("shop"))));
    is_refused(&application(&gateway, Some(&ours), None));
    is_refused(&application(&gateway, Some(&ours), Some(&others.sign("stranger"))));
    assert!(gateway.stop().success());

    // Without TLS its bind is refused, however good its password is.
    let gateway = place.start();
    is_refused(&application(&gateway, None, None));
}
