//! The two lists of submit_multi: where to (SMPP 3.4 §4.5.1.1), and where it failed (§4.5.2.1).

use std::fmt;

use super::address::Address;
use super::read::Reader;
use crate::error::EncodeError;
use crate::status::CommandStatus;

/// One destination of a submit_multi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination<'a> {
    /// One SME.
    Sme(Address<'a>),
    /// The name of a distribution list that the MC keeps.
    List(&'a [u8]),
}

/// One destination that a submit_multi failed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The destination.
    pub address: Address<'a>,
    /// Why.
    pub status: CommandStatus,
}

macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $iter:ident, $buf:ident, $item:ident, $next:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name<'a> {
            count: u8,
            /// Holds exactly `count` well-formed entries.
            raw: &'a [u8],
        }

        impl<'a> $name<'a> {
            pub(super) fn trusted(count: u8, raw: &'a [u8]) -> Self {
                Self { count, raw }
            }

            pub(super) fn raw(&self) -> &'a [u8] {
                self.raw
            }

            /// How many entries there are.
            #[must_use]
            pub fn count(&self) -> u8 {
                self.count
            }

            /// The entries in their order.
            #[must_use]
            pub fn iter(&self) -> $iter<'a> {
                $iter { left: self.count, reader: Reader::new(self.raw, false) }
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.iter()).finish()
            }
        }

        impl<'a> IntoIterator for $name<'a> {
            type Item = $item<'a>;
            type IntoIter = $iter<'a>;

            fn into_iter(self) -> $iter<'a> {
                self.iter()
            }
        }

        #[doc = concat!("Iterator over [`", stringify!($name), "`].")]
        pub struct $iter<'a> {
            left: u8,
            reader: Reader<'a>,
        }

        impl<'a> Iterator for $iter<'a> {
            type Item = $item<'a>;

            fn next(&mut self) -> Option<$item<'a>> {
                self.left = self.left.checked_sub(1)?;
                $next(&mut self.reader)
            }
        }

        #[doc = concat!("Builds [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $buf {
            count: u8,
            raw: Vec<u8>,
        }

        impl $buf {
            /// An empty list.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            /// What was built, ready to be put into a PDU.
            #[must_use]
            pub fn as_list(&self) -> $name<'_> {
                $name::trusted(self.count, &self.raw)
            }

            fn grow(&mut self) -> Result<(), EncodeError> {
                let Some(count) = self.count.checked_add(1) else {
                    return Err(EncodeError::TooLong { field: "destinations", length: 256, max: 255 });
                };
                self.count = count;
                Ok(())
            }

            fn put(&mut self, text: &[u8]) {
                self.raw.extend_from_slice(text);
                self.raw.push(0);
            }
        }
    };
}

list! {
    /// The destinations of a submit_multi.
    Destinations, DestinationIter, DestinationBuf, Destination, next_destination
}

list! {
    /// The destinations that a submit_multi failed for.
    Failures, FailureIter, FailureBuf, Failure, next_failure
}

impl DestinationBuf {
    /// Adds a destination.
    ///
    /// # Errors
    /// When there are 255 already, or the address or name is longer than 20 octets or has a NUL.
    pub fn push(&mut self, destination: Destination<'_>) -> Result<(), EncodeError> {
        match destination {
            Destination::Sme(address) => {
                check("destination_addr", address.addr)?;
                self.grow()?;
                self.raw.extend_from_slice(&[1, address.ton.0, address.npi.0]);
                self.put(address.addr);
            }
            Destination::List(name) => {
                check("dl_name", name)?;
                self.grow()?;
                self.raw.push(2);
                self.put(name);
            }
        }
        Ok(())
    }
}

impl FailureBuf {
    /// Adds a failed destination.
    ///
    /// # Errors
    /// When there are 255 already, or the address is longer than 20 octets or has a NUL.
    pub fn push(&mut self, failure: Failure<'_>) -> Result<(), EncodeError> {
        check("destination_addr", failure.address.addr)?;
        self.grow()?;
        self.raw.extend_from_slice(&[failure.address.ton.0, failure.address.npi.0]);
        self.put(failure.address.addr);
        self.raw.extend_from_slice(&failure.status.0.to_be_bytes());
        Ok(())
    }
}

fn next_destination<'a>(reader: &mut Reader<'a>) -> Option<Destination<'a>> {
    reader.destination().ok()
}

fn next_failure<'a>(reader: &mut Reader<'a>) -> Option<Failure<'a>> {
    reader.failure()
}

fn check(field: &'static str, text: &[u8]) -> Result<(), EncodeError> {
    if text.len() > 20 {
        return Err(EncodeError::TooLong { field, length: text.len(), max: 20 });
    }
    if text.contains(&0) {
        return Err(EncodeError::Nul { field });
    }
    Ok(())
}
