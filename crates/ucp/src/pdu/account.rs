//! Sessions and lists (60, 61).

use super::table::body;
use crate::secret::Secret;
use crate::values::{ListType, Npi, SessionType, Ton};

body! {
    /// 60, session management: the login, for one.
    SessionManagement<'a> {
        /// The account: a short code or a name.
        oadc: &'a [u8] => text("OAdC", 64),
        /// Its type of number.
        oton: Option<Ton> => digit("OTON"),
        /// Its numbering plan.
        onpi: Option<Npi> => digit("ONPI"),
        /// What is wanted.
        styp: Option<SessionType> => digit("STYP"),
        /// The password.
        pwd: Secret<'a> => secret("PWD"),
        /// The new password.
        npwd: Secret<'a> => secret("NPWD"),
        /// The version of the interface, `0100`.
        vers: &'a [u8] => text("VERS", 4),
        /// An address, for provisioning.
        ladc: &'a [u8] => text("LAdC", 16),
        /// Its type of number.
        lton: Option<Ton> => digit("LTON"),
        /// Its numbering plan.
        lnpi: Option<Npi> => digit("LNPI"),
        /// Kind of terminal: 00 mobile, 39 a computer.
        opid: &'a [u8] => text("OPID", 4),
        /// Reserved.
        res1: &'a [u8] => text("RES1", 16),
    }
}

body! {
    /// 61, list management: who may send to, or get from, an account.
    ListManagement<'a> {
        /// The account.
        oadc: &'a [u8] => text("OAdC", 64),
        /// Its type of number.
        oton: Option<Ton> => digit("OTON"),
        /// Its numbering plan.
        onpi: Option<Npi> => digit("ONPI"),
        /// What is wanted.
        styp: Option<ListType> => digit("STYP"),
        /// The password.
        pwd: Secret<'a> => secret("PWD"),
        /// The new password.
        npwd: Secret<'a> => secret("NPWD"),
        /// The version of the interface, `0100`.
        vers: &'a [u8] => text("VERS", 4),
        /// The address to add, remove or verify.
        ladc: &'a [u8] => text("LAdC", 16),
        /// Its type of number.
        lton: Option<Ton> => digit("LTON"),
        /// Its numbering plan.
        lnpi: Option<Npi> => digit("LNPI"),
        /// Kind of terminal: 00 mobile, 39 a computer.
        opid: &'a [u8] => text("OPID", 4),
        /// Reserved.
        res1: &'a [u8] => text("RES1", 16),
        /// Reserved.
        res2: &'a [u8] => text("RES2", 16),
    }
}
