//! Programs that others have written drive the simulated modem on a pseudo-terminal: they send, hear what became of
//! it, and receive; and what they leave behind is counted.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use scenarios::carrier::Carrier;
use scenarios::{Client, Process, Sink, ask_until, skip};
use simulator::{ModemSettings, SimModem};

const PHONE: &str = "+447700900055";
const RECIPIENT: &str = "+447700900123";

fn modem() -> (Carrier<SimModem>, String) {
    let modem = Carrier::start_modem_on_pty(ModemSettings::default());
    let device = modem.path().expect("a terminal has a name").display().to_string();
    (modem, device)
}

fn is_missing(program: &str) -> bool {
    let missing = !["/usr/bin", "/usr/sbin"].iter().any(|directory| Path::new(directory).join(program).exists());
    if missing {
        skip(&format!("{program} is not installed"));
    }
    missing
}

/// Files that a program has written into a directory, as text.
fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default()).into_owned())
        .collect()
}

fn make(directory: &Path, names: &[&str]) {
    for name in names {
        std::fs::create_dir(directory.join(name)).expect("a directory can be made");
    }
}

fn sent_one(modem: &Carrier<SimModem>, text: &str) {
    modem.block_on(modem.wait_until(|counters| counters.accepted > 0));
    let seen = modem.seen();
    let what: Vec<(&str, &str)> = seen.iter().map(|message| (&*message.to, &*message.text)).collect();
    assert_eq!(what, [(RECIPIENT, text)]);
    assert_eq!(modem.counters().refused, 0);
}

#[test]
fn gammu_knows_the_modem_and_sends() {
    if is_missing("gammu") {
        return;
    }
    let (modem, device) = modem();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("gammurc");
    std::fs::write(&file, format!("[gammu]\ndevice = {device}\nconnection = at115200\n")).expect("it can be written");
    let gammu = |arguments: &[&str]| {
        let output = Command::new("gammu").arg("-c").arg(&file).args(arguments).output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let identity = gammu(&["identify"]);
    for known in ["490154203237518", "234150123456789", "Simulated modem"] {
        assert!(identity.contains(known), "{identity}");
    }
    gammu(&["sendsms", "TEXT", RECIPIENT, "-text", "Hello from gammu"]);
    sent_one(&modem, "Hello from gammu");
    modem.inject_mo(PHONE, "Grüße", 1).expect("it can be sent");
    let stored = gammu(&["getallsms"]);
    assert!(stored.contains("Grüße") && stored.contains(PHONE), "{stored}");
    gammu(&["deleteallsms", "1"]);
    ask_until("empty store", || (modem.stored() == 0).then_some(()));
}

#[test]
fn gammu_smsd_sends_and_receives() {
    if is_missing("gammu-smsd") {
        return;
    }
    let (modem, device) = modem();
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    make(at, &["in", "out", "sent", "err"]);
    let root = at.display();
    let configuration = format!(
        "[gammu]\ndevice = {device}\nconnection = at115200\n\n[smsd]\nservice = files\nlogfile = {root}/log\n\
         CommTimeout = 1\nSendTimeout = 10\nLoopSleep = 1\nCheckSecurity = 0\ninboxpath = {root}/in/\n\
         outboxpath = {root}/out/\nsentsmspath = {root}/sent/\nerrorsmspath = {root}/err/\n"
    );
    let file = at.join("smsdrc");
    std::fs::write(&file, configuration).expect("it can be written");
    let put = Command::new("gammu-smsd-inject")
        .arg("-c")
        .arg(&file)
        .args(["TEXT", RECIPIENT, "-text", "Hello smsd"])
        .output();
    assert!(put.as_ref().is_ok_and(|put| put.status.success()), "{put:?}");
    let _daemon = Process::start(Command::new("gammu-smsd").arg("-c").arg(&file));
    sent_one(&modem, "Hello smsd");
    modem.inject_mo(PHONE, "Hello back", 1).expect("it can be sent");
    ask_until("message in the inbox", || {
        files(&at.join("in")).iter().any(|text| text.contains("Hello back")).then_some(())
    });
    ask_until("empty store", || (modem.stored() == 0).then_some(()));
    assert_eq!(files(&at.join("err")), Vec::<String>::new());
}

#[test]
fn smstools_send_and_receive() {
    if is_missing("smsd") {
        return;
    }
    let (modem, device) = modem();
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    make(at, &["in", "out", "sent", "failed", "checked", "report"]);
    let root = at.display();
    let configuration = format!(
        "devices = GSM1\noutgoing = {root}/out\nchecked = {root}/checked\nincoming = {root}/in\nsent = {root}/sent\n\
         failed = {root}/failed\nreport = {root}/report\nlogfile = {root}/log\ninfofile = {root}/info\npidfile = {root}/pid\n\
         delaytime = 1\nreceive_before_send = no\n\n[GSM1]\ndevice = {device}\nincoming = yes\nreport = yes\nbaudrate = 115200\n"
    );
    let file = at.join("smsd.conf");
    std::fs::write(&file, configuration).expect("it can be written");
    std::fs::write(at.join("out/one"), "To: 447700900123\n\nHello smstools\n").expect("it can be written");
    let mut daemon = Process::start(Command::new("smsd").arg("-c").arg(&file).arg("-t"));
    sent_one(&modem, "Hello smstools");
    modem.inject_mo(PHONE, "Hello back", 1).expect("it can be sent");
    ask_until("message in the inbox", || {
        files(&at.join("in")).iter().any(|text| text.contains("Hello back")).then_some(())
    });
    ask_until("report", || {
        files(&at.join("report")).iter().any(|text| text.contains("SMS STATUS REPORT")).then_some(())
    });
    ask_until("empty store", || (modem.stored() == 0).then_some(()));
    assert_eq!(files(&at.join("failed")), Vec::<String>::new());
    daemon.kill();
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

#[test]
fn kannel_sends_hears_of_delivery_and_receives() {
    if is_missing("bearerbox") {
        return;
    }
    let ((modem, device), sink) = (modem(), Sink::start());
    let [admin, boxes, sendsms] = [free_port(), free_port(), free_port()];
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("kannel.conf");
    let configuration = format!(
        "group = core\nadmin-port = {admin}\nadmin-password = x\nsmsbox-port = {boxes}\ndlr-storage = internal\n\n\
         group = smsc\nsmsc = at\nsmsc-id = at\nmodemtype = auto\ndevice = {device}\nspeed = 115200\n\
         my-number = +447700900999\n\ngroup = modems\nid = generic\nname = \"Generic Modem\"\n\n\
         group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\n\n\
         group = sendsms-user\nusername = app\npassword = app\n\n\
         group = sms-service\nkeyword = default\nomit-empty = true\nmax-messages = 0\nget-url = \"{}?mo=%b&phone=%p\"\n",
        sink.url()
    );
    std::fs::write(&file, configuration).expect("it can be written");
    let _bearerbox = Process::start(Command::new("/usr/sbin/bearerbox").arg(&file).current_dir(directory.path()));
    let listens = |port: u16| ask_until("listener", || TcpStream::connect(("127.0.0.1", port)).ok());
    listens(boxes);
    let _smsbox = Process::start(Command::new("/usr/sbin/smsbox").arg(&file).current_dir(directory.path()));
    listens(sendsms);
    let receipt = sink.url().replace(':', "%3A").replace('/', "%2F") + "%3Fevent%3D%25d%26phone%3D%25p";
    let query = format!(
        "/cgi-bin/sendsms?username=app&password=app&from=1&to=%2B447700900123&text=Hello+%E2%82%AC&charset=UTF-8&coding=0\
         &dlr-mask=31&dlr-url={receipt}"
    );
    ask_until("answer of smsbox", || {
        let answer = Client::new(([127, 0, 0, 1], sendsms).into()).get(&query);
        answer.body.starts_with("0:").then_some(())
    });
    sink.wait("call of the dlr-url", |call| call.path.contains("event=1&").then_some(()));
    sent_one(&modem, "Hello €");
    modem.inject_mo(PHONE, "Wie geht's? ü", 1).expect("it can be sent");
    let incoming = sink.wait("call of the get-url", |call| call.path.contains("mo=").then(|| call.path.clone()));
    assert!(incoming.contains("Wie+geht's%3F+%C3%BC") && incoming.contains("447700900055"), "{incoming}");
}
