//! Opening a session (SMPP 3.4 §4.1).

use super::address::{Address, RANGE};
use super::table::body;
use crate::tlv::{Tag, Tlvs};
use crate::values::InterfaceVersion;

/// In which direction messages may flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindMode {
    /// The ESME receives only.
    Receiver,
    /// The ESME sends only.
    Transmitter,
    /// Both (since 3.4).
    Transceiver,
}

impl BindMode {
    /// Whether the ESME may send messages.
    #[must_use]
    pub const fn can_transmit(self) -> bool {
        !matches!(self, Self::Receiver)
    }

    /// Whether the ESME may be sent messages.
    #[must_use]
    pub const fn can_receive(self) -> bool {
        !matches!(self, Self::Transmitter)
    }
}

body! {
    /// bind_receiver, bind_transmitter, bind_transceiver: who wants in.
    Bind<'a> {
        /// The account's name.
        system_id: &'a [u8] => credential(16),
        /// Its password. Longer ones than the 8 characters of the standard are sent whole.
        password: &'a [u8] => credential(9),
        /// What kind of system binds; often empty.
        system_type: &'a [u8] => credential(13),
        /// The version that the ESME speaks.
        interface_version: InterfaceVersion => byte(),
        /// The addresses that the ESME serves; often empty.
        address_range: Address<'a> => address(&RANGE, 41),
    }
}

body! {
    /// The answer to a bind.
    BindResp<'a> {
        /// The MC's name.
        system_id: &'a [u8] => credential(16),
        /// Since 3.4 with sc_interface_version.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

impl BindResp<'_> {
    /// The version that the MC says it speaks; `None` from MCs before 3.4 and from careless ones.
    #[must_use]
    pub fn version(&self) -> Option<InterfaceVersion> {
        match self.tlvs.get(Tag::SC_INTERFACE_VERSION)?.value {
            [version] => Some(InterfaceVersion(*version)),
            _ => None,
        }
    }
}

body! {
    /// outbind: the MC asks the ESME to bind as a receiver, on this connection (SMPP 3.4 §4.1.7).
    Outbind<'a> {
        /// The MC's name.
        system_id: &'a [u8] => credential(16),
        /// By which the ESME knows the MC.
        password: &'a [u8] => credential(9),
    }
}
