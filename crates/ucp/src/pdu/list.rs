//! Lists of addresses: NPL, then as many fields (02, 03).

use std::fmt;

use super::write::{ADDRESS_MAX, check_text};
use crate::error::EncodeError;

/// The addresses of a list, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Addresses<'a> {
    count: u16,
    /// Each with the `/` behind it.
    raw: &'a [u8],
}

impl<'a> Addresses<'a> {
    /// From fields that were counted.
    pub(super) const fn trusted(count: u16, raw: &'a [u8]) -> Self {
        Self { count, raw }
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.raw.split(|&octet| octet == b'/').take(usize::from(self.count))
    }
}

impl fmt::Debug for Addresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

/// A list of addresses under construction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressesBuf {
    count: u16,
    raw: Vec<u8>,
}

impl AddressesBuf {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { count: 0, raw: Vec::new() }
    }

    /// Adds an address of at most 16 characters.
    ///
    /// # Errors
    /// When it can't be sent, or there are 99 already.
    pub fn push(&mut self, address: &[u8]) -> Result<(), EncodeError> {
        if usize::from(self.count) >= COUNT_MAX {
            return Err(EncodeError::TooLong { field: "NPL", length: COUNT_MAX + 1, max: COUNT_MAX });
        }
        check_text("RAd", ADDRESS_MAX, address)?;
        self.raw.extend_from_slice(address);
        self.raw.push(b'/');
        self.count += 1;
        Ok(())
    }

    /// What was built, ready to be put into an operation.
    #[must_use]
    pub fn as_addresses(&self) -> Addresses<'_> {
        Addresses::trusted(self.count, &self.raw)
    }
}

/// NPL has two digits.
pub(super) const COUNT_MAX: usize = 99;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_built_and_read() {
        let mut list = AddressesBuf::new();
        list.push(b"0123").unwrap();
        list.push(b"").unwrap();
        list.push(b"45").unwrap();
        assert_eq!(list.as_addresses().iter().collect::<Vec<_>>(), [&b"0123"[..], b"", b"45"]);
        assert_eq!(list.push(b"1/2"), Err(EncodeError::Character { field: "RAd", octet: b'/' }));
        for _ in 3..99 {
            list.push(b"1").unwrap();
        }
        assert!(list.push(b"1").is_err());
        assert_eq!(Addresses::default().iter().count(), 0);
    }
}
