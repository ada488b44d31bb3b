//! Passwords in fields: octets that no log shows.

use std::fmt;

use crate::hex::Hex;

/// A PWD or NPWD: characters in hexadecimal. It is shown by its length only.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Secret<'a>(pub Hex<'a>);

impl Secret<'_> {
    /// Whether this is the password. How long the comparison takes tells nothing but lengths.
    #[must_use]
    pub fn is(&self, expected: &[u8]) -> bool {
        let differences = self.0.iter().zip(expected).fold(0, |all, (one, other)| all | (one ^ other));
        self.0.len() == expected.len() && std::hint::black_box(differences) == 0
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} octets)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_compared_and_not_shown() {
        let secret = Secret(Hex::from_digits(b"736563726574").unwrap());
        assert!(secret.is(b"secret"));
        assert!(!secret.is(b"secre") && !secret.is(b"secret2") && !secret.is(b"Secret"));
        assert_eq!(format!("{secret:?}"), "(6 octets)");
    }
}
