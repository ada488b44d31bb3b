//! The operations of the 50 series: all have the same 33 fields, and use some.

use super::answer::Identity;
use super::content::Content;
use super::table::body;
use crate::address::{NameSeptets, unpack_name};
use crate::reason::{DeliveryStatus, Reason};
use crate::values::{AddressType, NotificationType, Pid};
use crate::xser::Xsers;

body! {
    /// A message, a notification, or a question about one (51–58). Empty strings and `None` are empty fields.
    ShortMessage<'a> {
        /// Recipient. In 52 that is us; in 53 the originator of the message that is reported on.
        adc: &'a [u8] => text("AdC", 16),
        /// Originator: digits, or a packed name, see [`name`](ShortMessage::name). In 53 the recipient of the
        /// message that is reported on.
        oadc: &'a [u8] => text("OAdC", 22),
        /// Authentication code of the originator.
        ac: &'a [u8] => text("AC", 16),
        /// 1 asks for notifications.
        nrq: Option<u8> => digit("NRq"),
        /// Where notifications are to go; empty for the originator.
        nadc: &'a [u8] => text("NAdC", 16),
        /// Of which outcomes.
        nt: Option<NotificationType> => digit("NT"),
        /// What kind of terminal the notification address is.
        npid: Option<Pid> => number("NPID", 4),
        /// 1 gives an address for what can't be delivered.
        lrq: Option<u8> => digit("LRq"),
        /// That last resort address.
        lrad: &'a [u8] => text("LRAd", 16),
        /// What kind of terminal it is.
        lpid: Option<Pid> => number("LPID", 4),
        /// 1 asks for deferred delivery.
        dd: Option<u8> => digit("DD"),
        /// When to deliver: `DDMMYYhhmm`, see [`UcpTime`](crate::UcpTime).
        ddt: &'a [u8] => text("DDT", 12),
        /// Until when to try: `DDMMYYhhmm`.
        vp: &'a [u8] => text("VP", 12),
        /// GSM TP-PID in decimal: 65–71 replace, 127 download, …
        rpid: Option<u16> => number("RPID", 4),
        /// When the SMSC took the message: `DDMMYYhhmmss`. With the recipient, its identity.
        scts: &'a [u8] => text("SCTS", 12),
        /// What became of it (53).
        dst: Option<DeliveryStatus> => digit("Dst"),
        /// And why.
        rsn: Option<Reason> => number("Rsn", 3),
        /// And when: `DDMMYYhhmmss`.
        dscts: &'a [u8] => text("DSCTS", 12),
        /// The message. In 53 a sentence for people, if anything.
        content: Content<'a> => content(true),
        /// 1: more messages follow.
        mms: Option<u8> => digit("MMS"),
        /// 1: with priority.
        pr: Option<u8> => digit("PR"),
        /// 0 default alphabet, 1 octets. Old; the extra service 02 counts for more.
        dcs: Option<u8> => digit("DCs"),
        /// Message class: 0 is shown at once.
        mcls: Option<u8> => digit("MCLs"),
        /// Reply path: 1 asked for, 2 given.
        rpi: Option<u8> => digit("RPI"),
        /// Code page; reserved.
        cpg: Option<u8> => digit("CPg"),
        /// Reply type; reserved.
        rply: Option<u8> => digit("RPLy"),
        /// What kind of address the originator is.
        otoa: Option<AddressType> => number("OTOA", 4),
        /// The home network of the recipient (52).
        hplmn: &'a [u8] => text("HPLMN", 16),
        /// User data header, data coding scheme, and more.
        xser: Xsers<'a> => xsers("XSer"),
        /// Reserved.
        res4: &'a [u8] => text("RES4", 16),
        /// Reserved.
        res5: &'a [u8] => text("RES5", 16),
    }
}

impl<'a> ShortMessage<'a> {
    /// In a 53: the identity of the message that is reported on, as the result of its 51 gave it. Some SMSCs are a
    /// second off.
    #[must_use]
    pub fn reported(&self) -> Identity<'a> {
        Identity { adc: self.oadc, scts: self.scts }
    }

    /// In a 52 or 53: what some SMSCs insist on in the system message of its result, and all others bear.
    #[must_use]
    pub fn echo(&self) -> Identity<'a> {
        Identity { adc: self.adc, scts: self.scts }
    }

    /// The septets of an originator that is a name; `None` if it is a number, or can't be read as a name.
    #[must_use]
    pub fn name(&self) -> Option<NameSeptets> {
        (self.otoa == Some(AddressType::ALPHANUMERIC)).then(|| unpack_name(self.oadc)).flatten()
    }
}
