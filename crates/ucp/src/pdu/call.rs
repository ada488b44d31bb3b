//! The older operations: calls, transfer and alert (01, 02, 03, 30, 31).

use super::content::Content;
use super::list::Addresses;
use super::table::body;
use crate::hex::Hex;
use crate::values::Pid;

body! {
    /// 01, call input: a message to one address, in either direction.
    CallInput<'a> {
        /// Who is to get it.
        adc: &'a [u8] => text("AdC", 16),
        /// Who sends it.
        oadc: &'a [u8] => text("OAdC", 22),
        /// Authentication code of the originator.
        ac: &'a [u8] => text("AC", 16),
        /// The message: numeric or alphanumeric.
        content: Content<'a> => content(false),
    }
}

body! {
    /// 02, multiple address call input: a message to many.
    MultipleCallInput<'a> {
        /// Who is to get it.
        rad: Addresses<'a> => addresses("RAd"),
        /// Who sends it.
        oadc: &'a [u8] => text("OAdC", 22),
        /// Authentication code of the originator.
        ac: &'a [u8] => text("AC", 16),
        /// The message: numeric or alphanumeric.
        content: Content<'a> => content(false),
    }
}

body! {
    /// 03, call input with supplementary services. The fields are those of EMI; ERMES has one more (LRP), which
    /// is why Wireshark reads these frames shifted by one.
    SupplementaryCallInput<'a> {
        /// Who is to get it.
        rad: &'a [u8] => text("RAd", 16),
        /// Who sends it.
        oadc: &'a [u8] => text("OAdC", 22),
        /// Authentication code of the originator.
        ac: &'a [u8] => text("AC", 16),
        /// Geographical areas.
        ga: Addresses<'a> => addresses("GA"),
        /// Repetition requested.
        rp: Option<u8> => digit("RP"),
        /// Priority requested.
        pr: Option<u8> => digit("PR"),
        /// Legitimisation code for priority.
        lpr: &'a [u8] => text("LPR", 16),
        /// Urgent message requested.
        ur: Option<u8> => digit("UR"),
        /// Legitimisation code for an urgent message.
        lur: &'a [u8] => text("LUR", 16),
        /// Reverse charging requested.
        rc: Option<u8> => digit("RC"),
        /// Legitimisation code for reverse charging.
        lrc: &'a [u8] => text("LRC", 16),
        /// 1 asks for deferred delivery.
        dd: Option<u8> => digit("DD"),
        /// When to deliver: `DDMMYYhhmm`.
        ddt: &'a [u8] => text("DDT", 12),
        /// The message: numeric or alphanumeric.
        content: Content<'a> => content(false),
    }
}

body! {
    /// 30, SMS message transfer: a short message, the plain way.
    MessageTransfer<'a> {
        /// Who is to get it.
        adc: &'a [u8] => text("AdC", 16),
        /// Who sends it.
        oadc: &'a [u8] => text("OAdC", 22),
        /// Authentication code of the originator.
        ac: &'a [u8] => text("AC", 16),
        /// 1 asks for a notification.
        nrq: Option<u8> => digit("NRq"),
        /// Where the notification is to go.
        nadc: &'a [u8] => text("NAdC", 16),
        /// What kind of terminal that is.
        npid: Option<Pid> => number("NPID", 4),
        /// 1 asks for deferred delivery.
        dd: Option<u8> => digit("DD"),
        /// When to deliver: `DDMMYYhhmm`.
        ddt: &'a [u8] => text("DDT", 12),
        /// Until when to try: `DDMMYYhhmm`.
        vp: &'a [u8] => text("VP", 12),
        /// The text, as an alphanumeric message has it.
        amsg: Hex<'a> => hex("AMsg", 320),
    }
}

body! {
    /// 31, SMT alert: the terminal at an address is there. Also how either side asks whether the other is.
    Alert<'a> {
        /// The address that is there.
        adc: &'a [u8] => text("AdC", 16),
        /// What kind of terminal it is.
        pid: Option<Pid> => number("PID", 4),
    }
}
