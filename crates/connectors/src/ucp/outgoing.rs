//! From a part to an operation, by the choices of its connector. Pure.

use jiff::tz::TimeZone;
use model::resources::{Connector, UcpSettings, UcpSubmit, ValidityForm};
use model::{Address, AddressKind, Body, Content, MessageId, Reason, ReceiptWish};
use sms::{Alphabet, Coding, Dcs, MessageClass, Shift, TextPlan, Udh};
use ucp::{
    AddressType, CallInput, MessageTransfer, NotificationType, Operation, Pid, ShortMessage, TimeDigits, XserBuf,
};

use super::settings::{of, on_its_clock, zone};

/// Octets of the user data of one short message on the air (3GPP 23.040 §9.2.3.24), and its septets.
const AIR_OCTETS: usize = 140;
const AIR_SEPTETS: usize = 160;

/// Turns parts into operations. It keeps its buffers, and the plan of the message it saw last.
#[derive(Debug)]
pub(super) struct Outgoing {
    settings: UcpSettings,
    zone: TimeZone,
    last: Option<(MessageId, TextPlan)>,
    text: Vec<u8>,
    xser: XserBuf,
    to: Vec<u8>,
    from: Vec<u8>,
    validity: Option<TimeDigits>,
}

/// How the text of a part goes.
struct Coded {
    /// Codes of the GSM alphabet; octets otherwise.
    alphanumeric: bool,
    class: Option<u8>,
}

impl Outgoing {
    /// By a connector's settings.
    pub(super) fn new(connector: &Connector) -> Self {
        let settings = of(connector);
        Self {
            zone: zone(&settings),
            settings,
            last: None,
            text: Vec::new(),
            xser: XserBuf::new(),
            to: Vec::new(),
            from: Vec::new(),
            validity: None,
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
        body: &Body,
        (part, parts): (u8, u8),
    ) -> Result<Operation<'a>, Reason> {
        self.text.clear();
        self.xser.clear();
        let otoa = self.address(body)?;
        let plan = match self.last.take() {
            Some((id, plan)) if id == body.id => plan,
            _ => engine::text::plan(body).map_err(|error| unsendable(error.to_string()))?,
        };
        let coded = self.write_text(body, &plan, part);
        self.last = Some((body.id, plan));
        let coded = coded?;
        self.validity = validity(connector.validity, body, &self.zone);
        if self.settings.submit != UcpSubmit::Submit {
            return self.older(body, otoa, coded.alphanumeric && parts == 1);
        }
        let nt = match body.receipt {
            ReceiptWish::None => None,
            // What the application hears of is decided here, and the SMSC's word is wanted in any case.
            ReceiptWish::Final | ReceiptWish::Failure | ReceiptWish::Success => Some(NotificationType::FINAL),
            ReceiptWish::All => Some(NotificationType::ALL),
        };
        let pid = body.protocol_id().unwrap_or(connector.protocol_id);
        Ok(Operation::Submit(ShortMessage {
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
            content: match coded.alphanumeric {
                true => ucp::Content::alphanumeric(&self.text),
                false => ucp::Content::transparent(&self.text),
            },
            pr: (body.priority > 1).then_some(1),
            mcls: coded.class,
            rpi: body.reply_path().then_some(1),
            xser: self.xser.as_xsers(),
            ..ShortMessage::default()
        }))
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
            let content = ucp::Content::alphanumeric(&self.text);
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
            amsg: ucp::Hex::octets(&self.text),
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

    /// Writes header and text of a part.
    fn write_text(&mut self, body: &Body, plan: &TextPlan, index: u8) -> Result<Coded, Reason> {
        let Some(part) = plan.part(usize::from(index)) else {
            let count = plan.part_count();
            return Err(unsendable(format!("the message has {count} parts, and part {index} was asked for")));
        };
        let header = part.udh(body.reference).unwrap_or_default();
        if !header.is_empty() {
            self.xser.push_udh(&header).map_err(|error| unsendable(error.to_string()))?;
        }
        let class = body.class.and_then(MessageClass::from_number);
        match (plan.alphabet(), &body.content) {
            (Alphabet::Gsm7 { .. }, Content::Binary { dcs, udh, .. }) => {
                if *dcs != 0 {
                    self.xser.push_dcs(*dcs);
                }
                // Their header may say which alphabet it is, and that stays with it.
                debug_assert!(udh.is_empty() || Udh::split(udh).is_ok(), "it was looked at when it came");
                self.text.extend_from_slice(part.octets());
                Ok(Coded { alphanumeric: true, class: None })
            }
            (Alphabet::Gsm7 { .. }, Content::Text(_)) => {
                self.text.extend_from_slice(part.octets());
                Ok(Coded { alphanumeric: true, class: class.map(MessageClass::number) })
            }
            (_, Content::Binary { dcs, .. }) => {
                let dcs = if *dcs == 0x04 { Dcs::general_octet(Coding::Octets, class) } else { *dcs };
                self.xser.push_dcs(dcs);
                self.text.extend_from_slice(part.octets());
                Ok(Coded { alphanumeric: false, class: class.map(MessageClass::number) })
            }
            (Alphabet::Latin1, Content::Text(_)) => {
                let readable: String = part.octets().iter().map(|octet| char::from(*octet)).collect();
                self.write_readable(&readable, header.len(), class)
            }
            (_, Content::Text(_)) => {
                self.text.extend_from_slice(part.octets());
                Ok(self.ucs2(class))
            }
        }
    }

    /// UCP has no Latin-1: GSM 7-bit where that has all the characters, UCS-2 where that fits.
    fn write_readable(&mut self, readable: &str, header: usize, class: Option<MessageClass>) -> Result<Coded, Reason> {
        if let Ok(septets) = sms::encode_gsm7(readable, Shift::default())
            && septets.len() <= AIR_SEPTETS - (header * 8).div_ceil(7)
        {
            self.text.extend_from_slice(&septets);
            return Ok(Coded { alphanumeric: true, class: class.map(MessageClass::number) });
        }
        let ucs2 = sms::encode_ucs2(readable);
        if header + ucs2.len() > AIR_OCTETS {
            return Err(unsendable("a Latin-1 part has characters that GSM 7-bit lacks, and is too long for UCS-2"));
        }
        self.text.extend_from_slice(&ucs2);
        Ok(self.ucs2(class))
    }

    fn ucs2(&mut self, class: Option<MessageClass>) -> Coded {
        self.xser.push_dcs(Dcs::general_octet(Coding::Ucs2, class));
        Coded { alphanumeric: false, class: class.map(MessageClass::number) }
    }
}

/// The SMSC is told of a validity that the application named.
fn validity(form: ValidityForm, body: &Body, zone: &TimeZone) -> Option<TimeDigits> {
    if !body.validity_given || form == ValidityForm::None {
        return None;
    }
    on_its_clock(body.expires_at, zone)?.to_wire().ok()
}

/// A part that no retry will make sendable.
fn unsendable(detail: impl Into<Box<str>>) -> Reason {
    Reason::new("unsendable", detail, true)
}
