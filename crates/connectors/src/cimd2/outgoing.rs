//! From a part to a submission, by the choices of its connector. Pure.

use std::sync::Arc;

use cimd2::{Octets, RelativeTime, StatusReports, Submit, Values, write_text};
use jiff::tz::TimeZone;
use model::resources::{Cimd2Settings, Connector, ValidityForm};
use model::{Address, AddressKind, Body, Reason, ReceiptWish, Timestamp};
use sms::{Coding, Dcs, Shift};

use super::settings::{of, on_its_clock, zone};
use crate::air::{Air, unsendable};
use crate::plans::LastPlan;

/// Turns parts into submissions. It keeps its buffers, and the plan of the message it saw last.
#[derive(Debug)]
pub(super) struct Outgoing {
    settings: Cimd2Settings,
    zone: TimeZone,
    last: LastPlan,
    air: Air,
    text: Vec<u8>,
    to: Vec<u8>,
    from: Vec<u8>,
    until: Option<[u8; 12]>,
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
            text: Vec::new(),
            to: Vec::new(),
            from: Vec::new(),
            until: None,
        }
    }

    /// The recipient of the submission that was made last, as it was written.
    pub(super) fn recipient(&self) -> &[u8] {
        &self.to
    }

    /// Writes the recipient of a message.
    pub(super) fn address(&mut self, to: &Address) -> Result<(), Reason> {
        self.to.clear();
        match to.kind() {
            AddressKind::Alphanumeric => return Err(unsendable("a recipient of CIMD2 is a number")),
            AddressKind::International => self.to.extend_from_slice(self.settings.international_prefix.as_bytes()),
            AddressKind::Short => {}
        }
        self.to.extend_from_slice(to.bare().as_bytes());
        Ok(())
    }

    /// The submission of a part, counted from 0, at a time.
    ///
    /// # Errors
    /// Why the part can't be sent over this connector, ever.
    pub(super) fn submission<'a>(
        &'a mut self,
        connector: &Connector,
        body: &Arc<Body>,
        part: u8,
        clock: Timestamp,
    ) -> Result<Submit<'a>, Reason> {
        self.address(body.sent_to())?;
        let named = self.write_sender(body.sent_from())?;
        let plan = self.last.of(body).map_err(|error| unsendable(error.to_string()))?;
        let coded = self.air.write(body, plan, part)?;
        if self.air.data.is_empty() && self.air.header.is_empty() {
            return Err(unsendable("SMSCs of CIMD2 drop empty texts without a word"));
        }
        self.text.clear();
        if coded.septets {
            write_text(&self.air.data, &mut self.text);
        }
        let class_of_text = coded.class.filter(|_| coded.septets).map(|class| {
            // The class of a text has no parameter of its own.
            Dcs::general_octet(Coding::Gsm7, Some(class))
        });
        let validity = self.validity(connector.validity, body, clock);
        let pid = body.protocol_id().unwrap_or(connector.protocol_id);
        Ok(Submit {
            destinations: Values::one(&self.to),
            originator: if named { b"" } else { &self.from },
            alpha_originator: if named { &self.from } else { b"" },
            dcs: coded.dcs.or(class_of_text),
            header: Octets::new(&self.air.header),
            text: coded.septets.then_some(&self.text),
            binary: Octets::new(if coded.septets { b"" } else { &self.air.data }),
            validity,
            valid_until: self.until.as_ref().map_or(b"", |until| until),
            protocol_id: (pid != 0).then_some(pid),
            reply_path: body.reply_path().then_some(true),
            status_reports: Some(match body.receipt {
                // Left out it would be as the account's profile says.
                ReceiptWish::None => StatusReports::NONE,
                // What the application hears of is decided here, and the SMSC's word is wanted in any case.
                ReceiptWish::Final | ReceiptWish::Failure | ReceiptWish::Success => {
                    StatusReports(self.settings.status_reports)
                }
                ReceiptWish::All => StatusReports(self.settings.status_reports) | StatusReports::TEMPORARY_ERROR,
            }),
            cancel_enabled: self.settings.cancel_enabled.then_some(true),
            tariff_class: self.settings.tariff_class,
            service_description: self.settings.service_description,
            priority: self.settings.priority.then(|| priority(body.priority)).flatten(),
            ..Submit::default()
        })
    }

    /// Writes the sender; whether it is a name.
    fn write_sender(&mut self, from: &Address) -> Result<bool, Reason> {
        self.from.clear();
        if from.kind() == AddressKind::Alphanumeric {
            let septets = sms::encode_gsm7(from.bare(), Shift::default());
            let septets = septets.map_err(|error| unsendable(format!("the sender can't be written: {error}")))?;
            write_text(&septets, &mut self.from);
            return Ok(true);
        }
        if self.settings.originator {
            let digits = from.bare();
            // The SMSC puts the account's own number before it.
            let rest = digits.strip_prefix(&*self.settings.own_number).unwrap_or(digits);
            self.from.extend_from_slice(rest.as_bytes());
        }
        Ok(false)
    }

    /// The SMSC is told of a validity that the application named.
    fn validity(&mut self, form: ValidityForm, body: &Body, clock: Timestamp) -> Option<RelativeTime> {
        self.until = None;
        match form {
            _ if !body.validity_given => None,
            ValidityForm::None => None,
            ValidityForm::Absolute => {
                self.until = on_its_clock(body.expires_at, &self.zone);
                None
            }
            ValidityForm::Relative => {
                let left = body.expires_at.as_millis().saturating_sub(clock.as_millis()) / 1000;
                Some(RelativeTime::at_least(u64::try_from(left).unwrap_or(0)))
            }
        }
    }
}

/// 1 is the highest. Ordinary messages leave it to the SMSC.
fn priority(priority: u8) -> Option<u8> {
    match priority {
        0 => Some(9),
        1 => None,
        2 => Some(3),
        _ => Some(1),
    }
}
