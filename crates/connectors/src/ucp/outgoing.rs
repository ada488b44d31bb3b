//! From a part to an operation, by the choices of its connector. Pure.

use std::sync::Arc;

use jiff::tz::TimeZone;
use model::resources::{Connector, UcpSettings, UcpSubmit, ValidityForm};
use model::{Address, AddressKind, Body, Reason, ReceiptWish, Timestamp};
use sms::{MessageClass, Shift};
use ucp::{
    AddressType, CallInput, MessageTransfer, NotificationType, Operation, Pid, ShortMessage, TimeDigits, XserBuf,
};

use super::settings::{of, on_its_clock, zone};
use crate::air::{Air, Coded, unsendable};
use crate::plans::LastPlan;

/// Turns parts into operations. It keeps its buffers, and the plan of the message it saw last.
#[derive(Debug)]
pub(super) struct Outgoing {
    settings: UcpSettings,
    zone: TimeZone,
    last: LastPlan,
    air: Air,
    xser: XserBuf,
    to: Vec<u8>,
    from: Vec<u8>,
    validity: Option<TimeDigits>,
    due: Option<TimeDigits>,
}

impl Outgoing {
    /// By a connector's settings.
    pub(super) fn new(connector: &Connector) -> Self {
        let settings = of(connector);
        Self {
            zone: zone(&settings),
            settings,
            last: LastPlan::default(),
            air: Air::default(),
            xser: XserBuf::new(),
            to: Vec::new(),
            from: Vec::new(),
            validity: None,
            due: None,
        }
    }

    /// The recipient of the operation that was made last, as it was written.
    pub(super) fn recipient(&self) -> &[u8] {
        &self.to
    }

    /// Its sender.
    pub(super) fn sender(&self) -> &[u8] {
        &self.from
    }

    /// Writes the addresses of a message; what kind of address the sender's is.
    pub(super) fn address(&mut self, body: &Body) -> Result<Option<AddressType>, Reason> {
        self.write_recipient(body.sent_to())?;
        self.write_sender(body.sent_from())
    }

    /// The operation that sends a part.
    ///
    /// # Errors
    /// Why the part can't be sent over this connector, ever.
    pub(super) fn submission<'a>(
        &'a mut self,
        connector: &Connector,
        body: &Arc<Body>,
        (part, parts): (u8, u8),
    ) -> Result<Operation<'a>, Reason> {
        let (otoa, coded) = self.write(connector, body, part)?;
        if self.settings.submit != UcpSubmit::Submit {
            return self.older(body, otoa, coded.septets && parts == 1);
        }
        Ok(Operation::Submit(self.short_message(connector, body, otoa, &coded)))
    }

    /// The operation that puts the one part of `body` in the place of the one of `old`, which the SMSC took at
    /// `scts` (54). All of it goes along, also what stays as it was.
    ///
    /// # Errors
    /// Why it can't be sent over this connector, ever.
    pub(super) fn modification<'a>(
        &'a mut self,
        connector: &Connector,
        (old, body): (&Body, &Arc<Body>),
        scts: &'a str,
        now: Timestamp,
    ) -> Result<Operation<'a>, Reason> {
        let (otoa, coded) = self.write(connector, body, 0)?;
        let later = |body: &Body| body.send_at.filter(|at| *at > now);
        let due = later(body).or(later(old).map(|_| now));
        let due = due.and_then(|at| on_its_clock(at, &self.zone)).map(|at| at.to_wire());
        self.due = due.transpose().map_err(|error| unsendable(error.to_string()))?;
        Ok(Operation::Modify(ShortMessage {
            scts: scts.as_bytes(),
            dd: self.due.is_some().then_some(1),
            ddt: self.due.as_deref().unwrap_or_default(),
            ..self.short_message(connector, body, otoa, &coded)
        }))
    }

    /// Writes what an operation is made of: addresses, text, header, validity.
    fn write(
        &mut self,
        connector: &Connector,
        body: &Arc<Body>,
        part: u8,
    ) -> Result<(Option<AddressType>, Coded), Reason> {
        self.xser.clear();
        let otoa = self.address(body)?;
        let plan = self.last.of(body).map_err(|error| unsendable(error.to_string()))?;
        let coded = self.air.write(body, plan, part)?;
        if !self.air.header.is_empty() {
            self.xser.push_udh(&self.air.header).map_err(|error| unsendable(error.to_string()))?;
        }
        if let Some(dcs) = coded.dcs {
            self.xser.push_dcs(dcs);
        }
        self.validity = validity(connector.validity, body, &self.zone);
        Ok((otoa, coded))
    }

    fn short_message(
        &self,
        connector: &Connector,
        body: &Body,
        otoa: Option<AddressType>,
        coded: &Coded,
    ) -> ShortMessage<'_> {
        let nt = match body.receipt {
            ReceiptWish::None => None,
            // What the application hears of is decided here, and the SMSC's word is wanted in any case.
            ReceiptWish::Final | ReceiptWish::Failure | ReceiptWish::Success => Some(NotificationType::FINAL),
            ReceiptWish::All => Some(NotificationType::ALL),
        };
        let pid = body.protocol_id().unwrap_or(connector.protocol_id);
        ShortMessage {
            adc: &self.to,
            oadc: &self.from,
            otoa,
            ac: self.settings.authentication_code.as_bytes(),
            nrq: nt.map(|_| 1),
            nt,
            nadc: if nt.is_some() { self.settings.notification_address.as_bytes() } else { b"" },
            npid: nt.and_then(|_| self.notification_pid()),
            vp: self.validity.as_deref().unwrap_or_default(),
            rpid: (pid != 0).then_some(u16::from(pid)),
            content: match coded.septets {
                true => ucp::Content::alphanumeric(&self.air.data),
                false => ucp::Content::transparent(&self.air.data),
            },
            pr: (body.priority > 1).then_some(1),
            mcls: coded.class.map(MessageClass::number),
            rpi: body.reply_path().then_some(1),
            xser: self.xser.as_xsers(),
            ..ShortMessage::default()
        }
    }

    /// The operations before 51 carry a plain text from a number, and nothing else.
    fn older(&self, body: &Body, otoa: Option<AddressType>, plain: bool) -> Result<Operation<'_>, Reason> {
        if !plain || !self.xser.as_xsers().is_empty() {
            return Err(unsendable("this ucp.submit carries plain texts of one part only"));
        }
        if otoa == Some(AddressType::ALPHANUMERIC) {
            return Err(unsendable("this ucp.submit carries numbers as senders only"));
        }
        let ac = self.settings.authentication_code.as_bytes();
        if self.settings.submit == UcpSubmit::CallInput {
            let content = ucp::Content::alphanumeric(&self.air.data);
            return Ok(Operation::CallInput(CallInput { adc: &self.to, oadc: &self.from, ac, content }));
        }
        let wanted = body.receipt != ReceiptWish::None;
        Ok(Operation::MessageTransfer(MessageTransfer {
            adc: &self.to,
            oadc: &self.from,
            ac,
            nrq: wanted.then_some(1),
            nadc: if wanted { self.settings.notification_address.as_bytes() } else { b"" },
            npid: self.notification_pid().filter(|_| wanted),
            vp: self.validity.as_deref().unwrap_or_default(),
            amsg: ucp::Hex::octets(&self.air.data),
            ..MessageTransfer::default()
        }))
    }

    fn notification_pid(&self) -> Option<Pid> {
        self.settings.notification_pid.parse().ok().map(Pid)
    }

    fn write_recipient(&mut self, to: &Address) -> Result<(), Reason> {
        self.to.clear();
        match to.kind() {
            AddressKind::Alphanumeric => return Err(unsendable("a recipient of UCP is a number")),
            AddressKind::International => self.to.extend_from_slice(self.settings.international_prefix.as_bytes()),
            AddressKind::Short => {}
        }
        self.to.extend_from_slice(to.bare().as_bytes());
        Ok(())
    }

    fn write_sender(&mut self, from: &Address) -> Result<Option<AddressType>, Reason> {
        self.from.clear();
        let otoa = match from.kind() {
            AddressKind::Alphanumeric => {
                let septets = sms::encode_gsm7(from.bare(), Shift::default());
                let septets = septets.map_err(|error| unsendable(format!("the sender can't be written: {error}")))?;
                let name = ucp::pack_name(&septets);
                self.from.extend_from_slice(&name.map_err(|error| unsendable(error.to_string()))?);
                return Ok(Some(AddressType::ALPHANUMERIC));
            }
            AddressKind::International => Some(AddressType::INTERNATIONAL),
            AddressKind::Short => None,
        };
        self.from.extend_from_slice(from.bare().as_bytes());
        Ok(otoa)
    }
}

/// The SMSC is told of a validity that the application named.
fn validity(form: ValidityForm, body: &Body, zone: &TimeZone) -> Option<TimeDigits> {
    if !body.validity_given || form == ValidityForm::None {
        return None;
    }
    on_its_clock(body.expires_at, zone)?.to_wire().ok()
}
