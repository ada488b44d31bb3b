//! SIGHUP: a new certificate is shown to those who connect from then on; one that can't be used
//! changes nothing and is an error in the log.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use scenarios::{Gateway, PATIENCE, Place, Sink, command, connector, resources};

type Connection = StreamOwned<ClientConnection, TcpStream>;

#[test]
fn a_new_certificate_is_taken_at_sighup_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let [first, second, third] = [certificate(), certificate(), certificate()];
    let known = [&first, &second, &third].map(|made| made.cert.der().clone());
    write(&cert, &first.cert.pem());
    write(&key, &first.signing_key.serialize_pem());

    let sink = Sink::start();
    let off = connector("carrier", "127.0.0.1:1", "enabled = false");
    let place = Place::new(&resources(&sink, "carrier", &off));
    let tls = format!("{{ cert = {:?}, key = {:?} }}", cert.display().to_string(), key.display().to_string());
    let gateway = place.start_with(command().env("POSTRIDER_HTTP__TLS", tls));
    let shown = || {
        let mut connection = connect(gateway.address(), &known);
        assert_eq!(ask(&mut connection), 200);
        connection.conn.peer_certificates().expect("a certificate")[0].clone().into_owned()
    };
    let mut early = connect(gateway.address(), &known);
    assert_eq!(ask(&mut early), 200);
    assert_eq!(shown(), *first.cert.der());

    write(&cert, &second.cert.pem());
    write(&key, &second.signing_key.serialize_pem());
    assert_eq!(reload(&gateway), Vec::<String>::new());
    assert_eq!(shown(), *second.cert.der());
    assert_eq!(ask(&mut early), 200, "who is connected stays");

    for (broken_cert, broken_key) in [
        ("no certificate".to_owned(), second.signing_key.serialize_pem()),
        (second.cert.pem(), "no key".to_owned()),
        (third.cert.pem(), second.signing_key.serialize_pem()),
    ] {
        write(&cert, &broken_cert);
        write(&key, &broken_key);
        let errors = reload(&gateway);
        assert!(
            errors.iter().any(|line| line.contains("the certificate can't be used; the old one stays")),
            "{errors:?}"
        );
        assert_eq!(shown(), *second.cert.der());
    }

    write(&key, &third.signing_key.serialize_pem());
    assert_eq!(reload(&gateway), Vec::<String>::new());
    assert_eq!(shown(), *third.cert.der());
}

#[test]
fn other_gateways_interfaces_have_certificates_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let [first, second] = [certificate(), certificate()];
    let known = [&first, &second].map(|made| made.cert.der().clone());
    write(&cert, &first.cert.pem());
    write(&key, &first.signing_key.serialize_pem());
    let sink = Sink::start();
    let off = connector("carrier", "127.0.0.1:1", "enabled = false");
    let place = Place::new(&resources(&sink, "carrier", &off));
    let tls = format!("{{ cert = {:?}, key = {:?} }}", cert.display().to_string(), key.display().to_string());
    let mut start = command();
    let interfaces = ["KANNEL__LISTEN", "JASMIN__LISTEN", "JASMIN__REST_LISTEN", "OZEKI__LISTEN"];
    for listen in interfaces {
        start.env(format!("POSTRIDER_{listen}"), r#"["127.0.0.1:0"]"#);
    }
    for section in ["KANNEL", "JASMIN", "OZEKI"] {
        start.env(format!("POSTRIDER_{section}__TLS"), &tls);
    }
    let gateway = place.start_with(&mut start);
    let addresses = &gateway.addresses()[1..];
    assert_eq!(addresses.len(), interfaces.len());
    let shown = |address| {
        let mut connection = connect(address, &known);
        assert_ne!(ask(&mut connection), 200, "nothing but the interface is served");
        connection.conn.peer_certificates().expect("a certificate")[0].clone().into_owned()
    };
    assert!(addresses.iter().all(|address| shown(*address) == *first.cert.der()));
    write(&cert, &second.cert.pem());
    write(&key, &second.signing_key.serialize_pem());
    assert_eq!(reload(&gateway), Vec::<String>::new());
    assert!(addresses.iter().all(|address| shown(*address) == *second.cert.der()));
    assert_eq!(gateway.client().get("/livez").status, 200, "the API stays as it is");
}

/// Sends SIGHUP, waits until all has been read again, and gives the errors that were logged meanwhile.
fn reload(gateway: &Gateway) -> Vec<String> {
    let before = gateway.log().all().len();
    gateway.signal(Signal::HUP);
    // The resources file comes after the certificate.
    let applied = |line: &str| line.contains("the resources file was applied").then_some(());
    let (end, ()) = gateway.log().wait_from(before, "what comes last", applied);
    let lines = gateway.log().all();
    lines[before..end].iter().filter(|line| line.contains("\"level\":\"error\"")).cloned().collect()
}

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made")
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the file can be written");
}

fn connect(address: SocketAddr, known: &[CertificateDer<'static>]) -> Connection {
    let mut roots = RootCertStore::empty();
    known.iter().for_each(|one| roots.add(one.clone()).expect("a certificate"));
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a sound configuration");
    let socket = TcpStream::connect(address).expect("it listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
    StreamOwned::new(client, socket)
}

/// The status of an answer on this connection.
fn ask(connection: &mut Connection) -> u16 {
    connection.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a handshake");
    let mut answer = Vec::new();
    let mut octet = [0];
    // The head, then as many octets as it says.
    while !answer.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut octet).expect("an answer");
        answer.push(octet[0]);
    }
    let head = String::from_utf8(answer).expect("UTF-8").to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().expect("a number"));
    connection.read_exact(&mut vec![0; length]).expect("a body");
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}
