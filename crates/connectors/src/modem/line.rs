//! The line to a modem: a serial device, or TCP as ser2net has it.

use model::resources::{Connector, FlowControl};
use serial2_tokio::SerialPort;
use tokio::net::TcpStream;

use super::Shared;
use super::ports::{Held, Taken, Use};
use super::search::search;
use super::settings::of;
use crate::transport::{ConnectError, Transport};

/// Opens the line to a connector's modem.
pub(super) async fn connect(settings: &Connector, shared: &Shared) -> Result<Box<dyn Transport>, ConnectError> {
    let address = settings.address.as_str();
    let unreachable = |error| ConnectError::Unreachable(address.into(), error);
    if address.contains('*') {
        return search(settings, shared).await;
    }
    if let Some(target) = address.strip_prefix("tcp://") {
        let stream = TcpStream::connect(target).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        return Ok(Box::new(stream));
    }
    let in_use = |_| std::io::Error::new(std::io::ErrorKind::ResourceBusy, "another connector has it");
    let taken = shared.ports.take(address, Use::Session).map_err(in_use).map_err(unreachable)?;
    Ok(Box::new(open(address, settings, taken).map_err(unreachable)?))
}

/// Opens a device.
pub(super) fn open(device: &str, settings: &Connector, taken: Taken) -> std::io::Result<Held> {
    let modem = of(settings);
    let flow = match modem.flow_control {
        FlowControl::None => serial2_tokio::FlowControl::None,
        FlowControl::Hardware => serial2_tokio::FlowControl::RtsCts,
        FlowControl::Software => serial2_tokio::FlowControl::XonXoff,
    };
    let port = SerialPort::open(device, |mut line: serial2_tokio::Settings| {
        line.set_raw();
        line.set_baud_rate(modem.baud)?;
        line.set_flow_control(flow);
        Ok(line)
    });
    Ok(Held { stream: Box::new(port?), taken })
}
