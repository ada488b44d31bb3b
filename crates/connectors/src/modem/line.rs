//! The line to a modem: a serial device, or TCP as ser2net has it; and finding the modem that is meant.

use std::path::Path;
use std::time::Duration;

use model::resources::{Connector, FlowControl};
use serial2_tokio::SerialPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ports::{Held, Ports};
use super::settings::of;
use crate::transport::{ConnectError, Transport};

/// Devices that a pattern may stand for.
const DEVICES_MAX: usize = 64;
/// How long a device is asked who it is.
const IDENTIFY: Duration = Duration::from_secs(2);
/// Octets of its answer that are looked at.
const IDENTITY_MAX: usize = 4096;

/// Opens the line to a connector's modem.
pub(super) async fn connect(settings: &Connector, ports: &Ports) -> Result<Box<dyn Transport>, ConnectError> {
    let address = settings.address.as_str();
    if !address.contains('*') {
        return open(address, settings, ports).await;
    }
    let imei = of(settings).imei;
    for device in devices(address).await {
        let Ok(mut stream) = open(&device, settings, ports).await else { continue };
        if is_it(&mut stream, &imei).await {
            return Ok(stream);
        }
    }
    let why = format!("none of its devices is the modem with the IMEI {imei}");
    Err(ConnectError::Unreachable(address.into(), std::io::Error::new(std::io::ErrorKind::NotFound, why)))
}

/// Opens an address: `tcp://host:port`, or a device.
async fn open(address: &str, settings: &Connector, ports: &Ports) -> Result<Box<dyn Transport>, ConnectError> {
    let unreachable = |error| ConnectError::Unreachable(address.into(), error);
    if let Some(target) = address.strip_prefix("tcp://") {
        let stream = TcpStream::connect(target).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        return Ok(Box::new(stream));
    }
    let in_use = || std::io::Error::new(std::io::ErrorKind::ResourceBusy, "another connector has it");
    let taken = ports.take(address).ok_or_else(|| unreachable(in_use()))?;
    let modem = of(settings);
    let flow = match modem.flow_control {
        FlowControl::None => serial2_tokio::FlowControl::None,
        FlowControl::Hardware => serial2_tokio::FlowControl::RtsCts,
        FlowControl::Software => serial2_tokio::FlowControl::XonXoff,
    };
    let port = SerialPort::open(address, |mut line: serial2_tokio::Settings| {
        line.set_raw();
        line.set_baud_rate(modem.baud)?;
        line.set_flow_control(flow);
        Ok(line)
    });
    let stream = Box::new(port.map_err(unreachable)?);
    Ok(Box::new(Held { stream, _taken: Some(taken) }))
}

/// Is the modem at the other end the one with this IMEI?
async fn is_it(stream: &mut Box<dyn Transport>, imei: &str) -> bool {
    let asked = async {
        stream.write_all(b"\x1B\rAT+CGSN\r").await.ok()?;
        let mut heard = Vec::new();
        while heard.len() < IDENTITY_MAX {
            let read = stream.read_buf(&mut heard).await.ok().filter(|read| *read > 0);
            // With the end of its answer, which would pass for that of what is asked next.
            let said = String::from_utf8_lossy(&heard);
            if said.rsplit_once(imei).is_some_and(|(_, rest)| rest.contains("OK")) {
                return Some(());
            }
            read?;
        }
        None
    };
    matches!(tokio::time::timeout(IDENTIFY, asked).await, Ok(Some(())))
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
    use super::*;

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
