//! Addresses: type of number, numbering plan, digits or letters.

use crate::values::{Npi, Ton};

/// An SME address (SMPP 3.4 §5.2.5–5.2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Address<'a> {
    /// Type of number.
    pub ton: Ton,
    /// Numbering plan.
    pub npi: Npi,
    /// Digits, or letters when the type is alphanumeric, without the NUL.
    pub addr: &'a [u8],
}

impl<'a> Address<'a> {
    /// An address from its three fields.
    #[must_use]
    pub const fn new(ton: Ton, npi: Npi, addr: &'a [u8]) -> Self {
        Self { ton, npi, addr }
    }

    /// International digits, without `+`.
    #[must_use]
    pub const fn international(digits: &'a [u8]) -> Self {
        Self::new(Ton::INTERNATIONAL, Npi::ISDN, digits)
    }

    /// A sender of letters.
    #[must_use]
    pub const fn alphanumeric(name: &'a [u8]) -> Self {
        Self::new(Ton::ALPHANUMERIC, Npi::UNKNOWN, name)
    }
}

/// What the standard calls the three fields of an address in its place.
pub(super) struct AddressNames {
    pub(super) ton: &'static str,
    pub(super) npi: &'static str,
    pub(super) addr: &'static str,
}

pub(super) const SOURCE: AddressNames =
    AddressNames { ton: "source_addr_ton", npi: "source_addr_npi", addr: "source_addr" };

pub(super) const DESTINATION: AddressNames =
    AddressNames { ton: "dest_addr_ton", npi: "dest_addr_npi", addr: "destination_addr" };

pub(super) const ESME: AddressNames = AddressNames { ton: "esme_addr_ton", npi: "esme_addr_npi", addr: "esme_addr" };

pub(super) const RANGE: AddressNames = AddressNames { ton: "addr_ton", npi: "addr_npi", addr: "address_range" };
