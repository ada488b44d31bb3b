//! What a person sees on a terminal and a program does not: colours, and how far long work is.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, TOKEN, command, connector, resources};
use serde_json::Value;
use simulator::SmscSettings;

const GREEN: &str = "\x1b[32mdelivered\x1b[0m";

#[test]
fn timelines_are_coloured_on_a_terminal_and_nowhere_else() {
    let demo = |more: &[&str], settings: &[(&str, &str)]| {
        let mut demo = command();
        demo.env_remove("NO_COLOR").env("TERM", "xterm").args(["demo", "--once"]).args(more);
        demo.envs(settings.iter().copied());
        demo
    };
    let shown = on_a_terminal(&mut demo(&[], &[]));
    assert!(shown.contains(GREEN) && shown.contains("4 of 4"), "{shown}");
    let shown = on_a_terminal(&mut demo(&[], &[("NO_COLOR", "1")]));
    assert!(!shown.contains('\x1b') && shown.contains("4 of 4"), "{shown}");
    let shown = on_a_terminal(&mut demo(&["--color", "never"], &[]));
    assert!(!shown.contains('\x1b') && shown.contains("4 of 4"), "{shown}");

    let piped = |command: &mut Command| {
        let output = command.output().expect("it starts");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(!piped(&mut demo(&[], &[])).contains('\x1b'));
    assert!(piped(&mut demo(&["--color", "always"], &[("NO_COLOR", "1")])).contains(GREEN));
}

#[test]
fn long_work_shows_how_far_it_is_on_a_terminal_only() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), "")));
    let gateway = place.start();
    let bench = || {
        let mut bench = command();
        bench.args(["bench", "http", "--messages", "50", "--connections", "2", "--token", TOKEN]);
        bench.arg("--address").arg(gateway.address().to_string()).stdin(Stdio::null());
        bench
    };
    let summary = |printed: &[u8]| serde_json::from_slice::<Value>(printed).expect("nothing but the summary");

    let piped = bench().output().expect("it starts");
    assert!(piped.status.success() && piped.stderr.is_empty(), "{piped:?}");
    assert_eq!(summary(&piped.stdout)["accepted"], 50);

    let (shown, end) = terminal();
    let child = bench().stdout(Stdio::piped()).stderr(end).spawn().expect("it starts");
    let output = child.wait_with_output().expect("our child");
    assert_eq!(summary(&output.stdout)["accepted"], 50);
    let shown = shown.join().expect("it is read to its end");
    assert!(shown.contains("\r\x1b[K  0%  0 of 50 sent"), "{shown:?}");
    assert!(shown.ends_with("\r\x1b[K"), "it is taken away at the end: {shown:?}");
}

/// What a command shows when its standard output is a terminal.
fn on_a_terminal(command: &mut Command) -> String {
    let (shown, end) = terminal();
    let mut child = command.stdin(Stdio::null()).stdout(end).spawn().expect("it starts");
    // The command has an end of its own.
    command.stdout(Stdio::null());
    assert!(child.wait().expect("our child").success());
    shown.join().expect("it is read to its end")
}

/// A terminal of our own: all that it will have shown when nobody writes there any more, and the end
/// that programs write to.
fn terminal() -> (JoinHandle<String>, OwnedFd) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&controller).expect("ours");
    unlockpt(&controller).expect("ours");
    let name = ptsname(&controller, Vec::new()).expect("it has a name");
    let path = Path::new(OsStr::from_bytes(name.as_bytes()));
    let end = OpenOptions::new().read(true).write(true).open(path).expect("it can be opened");
    let mut terminal = File::from(controller);
    let shown = std::thread::spawn(move || {
        let mut shown = Vec::new();
        // Its end is an error, with what came before in the buffer.
        let _ = terminal.read_to_end(&mut shown);
        String::from_utf8(shown).expect("UTF-8")
    });
    (shown, OwnedFd::from(end))
}
