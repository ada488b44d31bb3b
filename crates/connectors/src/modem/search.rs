//! Finding a modem by its IMEI among the devices that a pattern stands for.
//!
//! Most of them say nothing: they are other interfaces of the same modems, or something else. So several are asked at a
//! time, and who has said nothing is asked again only after all others; a search that is cut short is gone on with by
//! the next. What another connector's search is asking is waited for, and not passed over.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::resources::Connector;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinSet;

use super::Shared;
use super::line::open;
use super::ports::{Held, Taken, Use};
use super::settings::of;
use crate::transport::{ConnectError, Transport};

/// Devices that a pattern may stand for.
const DEVICES_MAX: usize = 256;
/// Devices that one connector asks at a time.
const AT_A_TIME: usize = 8;
/// How long a device is asked who it is.
const IDENTIFY: Duration = Duration::from_secs(2);
/// Octets of its answer that are looked at.
const IDENTITY_MAX: usize = 4096;
/// Digits that an IMEI may have; the software's version makes it one more.
const IMEI: std::ops::RangeInclusive<usize> = 10..=17;

/// When a connector asked which device, in the order of asking.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Mutex<HashMap<String, u64>>);

impl Rounds {
    /// The devices in the order in which they are to be asked, by what is known of them: the one that is looked for,
    /// then those that nobody knows, then other modems; and of these those first that were not asked for the longest.
    fn order(&self, mut devices: Vec<String>, known: impl Fn(&str) -> Option<bool>) -> VecDeque<String> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|device, _| devices.contains(device));
        let rank = |device: &str| match known(device) {
            Some(true) => 0,
            None => 1,
            Some(false) => 2,
        };
        devices.sort_by_cached_key(|device| {
            let rank = rank(device);
            (rank > 0, asked.get(device).copied().unwrap_or(0), rank, device.clone())
        });
        devices.into()
    }

    fn asked(&self, device: &str) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = asked.values().max().map_or(1, |last| last + 1);
        asked.insert(device.to_owned(), next);
    }
}

/// Opens the line to the modem with the connector's IMEI, whichever device that is.
pub(super) async fn search(settings: &Connector, shared: &Shared) -> Result<Box<dyn Transport>, ConnectError> {
    let settings = Arc::new(settings.clone());
    let imei: Arc<str> = of(&settings).imei.into();
    let is_meant = |device: &str| Some(is_same(&shared.ports.known(device)?, &imei));
    let mut waiting = shared.rounds.order(devices(&settings.address).await, is_meant);
    // Ends with whoever has called this, and gives its devices free.
    let mut probes = JoinSet::new();
    loop {
        let mut freed = std::pin::pin!(shared.ports.freed());
        // Listening begins before looking, so that nothing is missed between the two.
        freed.as_mut().enable();
        let mut asked_by_others = VecDeque::new();
        while probes.len() < AT_A_TIME
            && let Some(device) = waiting.pop_front()
        {
            match shared.ports.take(&device, Use::Search) {
                Ok(taken) => {
                    shared.rounds.asked(&device);
                    probes.spawn(probe(device, settings.clone(), taken, imei.clone()));
                }
                Err(Use::Search) => asked_by_others.push_back(device),
                Err(Use::Session) => {}
            }
        }
        waiting.append(&mut asked_by_others);
        if probes.is_empty() && waiting.is_empty() {
            let why = format!("none of its devices is the modem with the IMEI {imei}");
            let error = io::Error::new(io::ErrorKind::NotFound, why);
            return Err(ConnectError::Unreachable(settings.address.as_str().into(), error));
        }
        tokio::select! {
            Some(probed) = probes.join_next() => {
                if let Ok(Some(found)) = probed {
                    return Ok(Box::new(found));
                }
            }
            () = freed => {}
        }
    }
}

/// Is it this device? Then it is kept.
async fn probe(device: String, settings: Arc<Connector>, taken: Taken, imei: Arc<str>) -> Option<Held> {
    let mut line = open(&device, &settings, taken).ok()?;
    let found = tokio::time::timeout(IDENTIFY, identify(&mut line)).await.ok()??;
    line.taken.heard(&found);
    is_same(&found, &imei).then(|| {
        line.taken.keep();
        line
    })
}

/// The serial number behind a line, which is a modem's IMEI.
async fn identify(line: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Option<String> {
    line.write_all(b"\x1B\rAT+CGSN\r").await.ok()?;
    let mut heard = Vec::new();
    loop {
        let read = line.read_buf(&mut heard).await.ok().filter(|read| *read > 0);
        // With the end of its answer, which would pass for that of what is asked next.
        if let Some(serial) = serial(&String::from_utf8_lossy(&heard)) {
            return Some(serial);
        }
        read.filter(|_| heard.len() < IDENTITY_MAX)?;
    }
}

/// The digits that stand in front of an `OK`.
fn serial(said: &str) -> Option<String> {
    let (answer, _) = said.rsplit_once("OK")?;
    let mut runs = answer.split(|c: char| !c.is_ascii_digit());
    runs.rfind(|digits| IMEI.contains(&digits.len())).map(str::to_owned)
}

/// Is what a modem says the IMEI that is meant? Some add the version of their software.
fn is_same(said: &str, imei: &str) -> bool {
    said.contains(imei)
}

/// The devices whose names fit an address's last part, which has a `*`.
async fn devices(address: &str) -> Vec<String> {
    let path = Path::new(address);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (Some((begin, end)), Some(directory)) = (name.split_once('*'), path.parent()) else { return Vec::new() };
    let Ok(mut entries) = tokio::fs::read_dir(directory).await else { return Vec::new() };
    let mut found = Vec::new();
    while let Ok(Some(entry)) = entries.next_entry().await {
        let fits = entry.file_name().to_str().is_some_and(|name| {
            name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
        });
        if fits && let Some(path) = entry.path().to_str() {
            found.push(path.to_owned());
        }
    }
    found.sort_unstable();
    found.truncate(DEVICES_MAX);
    found
}

#[cfg(test)]
mod tests {
    use simulator::{ModemSettings, SimModem};

    use super::*;

    /// Searches that may be cut short before one finds what it looks for.
    const SEARCHES: usize = 100;

    fn imei(number: usize) -> String {
        format!("49015420323{number:04}")
    }

    /// Terminals in a directory, of which those with a number are modems and the others say nothing.
    fn plugged(modems: &[Option<usize>]) -> (tempfile::TempDir, Vec<SimModem>) {
        let directory = tempfile::tempdir().unwrap();
        let plug = |(at, modem): (usize, &Option<usize>)| {
            let settings =
                ModemSettings { imei: imei(modem.unwrap_or(0)), silent: modem.is_none(), ..ModemSettings::default() };
            let modem = SimModem::start_pty(settings).unwrap();
            std::os::unix::fs::symlink(modem.path().unwrap(), directory.path().join(format!("tty{at:02}"))).unwrap();
            modem
        };
        let modems = modems.iter().enumerate().map(plug).collect();
        (directory, modems)
    }

    fn connector(directory: &tempfile::TempDir, modem: usize) -> Connector {
        let address = directory.path().join("tty*");
        let text = format!(
            "id = \"m\"\nprotocol = \"modem\"\naddress = \"{}\"\nmodem = {{ imei = \"{}\" }}",
            address.display(),
            imei(modem)
        );
        toml::from_str(&text).unwrap()
    }

    #[tokio::test]
    async fn a_search_that_is_cut_short_is_gone_on_with() {
        let mut all = vec![None; 30];
        all.push(Some(7));
        let (directory, _modems) = plugged(&all);
        let (settings, shared) = (connector(&directory, 7), Shared::default());
        for _ in 0..SEARCHES {
            // Not even the first of them would have been given up by then.
            if let Ok(found) = tokio::time::timeout(IDENTIFY / 4, search(&settings, &shared)).await {
                assert!(found.is_ok());
                return;
            }
        }
        panic!("the same devices were asked again and again");
    }

    #[tokio::test]
    async fn all_that_search_at_the_same_time_find_theirs() {
        let (directory, _modems) = plugged(&[Some(1), None, Some(2), Some(3), Some(4)]);
        let ports = Shared::default().ports;
        let searching = [4, 3, 2, 1].map(|modem| {
            let (settings, shared) =
                (connector(&directory, modem), Shared { ports: ports.clone(), ..Shared::default() });
            async move { search(&settings, &shared).await.map(|line| (modem, line)) }
        });
        let found = futures_util::future::join_all(searching).await;
        let lines: Vec<_> = found.into_iter().map(Result::unwrap).collect();
        // They are taken, and what nobody has is not found.
        let shared = Shared { ports: ports.clone(), ..Shared::default() };
        assert!(search(&connector(&directory, 1), &shared).await.is_err());
        drop(lines);
        // Where it was is where it is looked for first.
        let order = shared.rounds.order(devices(&connector(&directory, 4).address).await, |device| {
            Some(is_same(&ports.known(device)?, &imei(4)))
        });
        assert!(order[0].ends_with("tty04"), "{order:?}");
        assert!(search(&connector(&directory, 4), &shared).await.is_ok());
    }

    #[test]
    fn a_serial_number_has_its_answer_s_end_behind_it() {
        let number = "490154203237518";
        assert_eq!(serial(&format!("AT+CGSN\r\r\n{number}\r\n")), None, "the OK is still to come");
        assert_eq!(serial(&format!("\r\nOK\r\n\r\n{number}\r\n")), None, "that is another's");
        assert_eq!(serial(&format!("\r\n+CGSN: \"{number}\"\r\n\r\nOK\r\n")).as_deref(), Some(number));
        assert_eq!(serial("\r\n^RSSI: 18\r\n\r\nOK\r\n"), None);
        assert!(is_same("4901542032375180", number) && !is_same("490154203237519", number));
    }

    #[tokio::test]
    async fn a_pattern_stands_for_the_devices_that_are_there() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["ttyUSB1", "ttyUSB0", "ttyS0"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        assert_eq!(devices(&at("ttyUSB*")).await, [at("ttyUSB0"), at("ttyUSB1")]);
        assert_eq!(devices(&at("none/*")).await, [] as [String; 0]);
    }
}
