//! Forms and queries: `name=value&name=value`, as octets, for texts come in any charset.

/// The fields of a form, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(pub Vec<(String, Vec<u8>)>);

/// Fields that a request can have; what comes behind is not looked at.
const FIELDS_MAX: usize = 256;

impl Fields {
    /// Reads a query or the body of a form; whatever it holds means something.
    pub fn parse(text: &[u8]) -> Self {
        let pieces = text.split(|octet| *octet == b'&').filter(|piece| !piece.is_empty()).take(FIELDS_MAX);
        Self(pieces.map(field).collect())
    }

    /// A field as text: the first of that name counts.
    pub fn text(&self, name: &str) -> Option<String> {
        self.octets(name).map(|octets| String::from_utf8_lossy(octets).into_owned())
    }

    /// A field's octets.
    pub fn octets(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_slice())
    }
}

fn field(piece: &[u8]) -> (String, Vec<u8>) {
    let at = piece.iter().position(|octet| *octet == b'=').unwrap_or(piece.len());
    let (name, value) = piece.split_at(at);
    (String::from_utf8_lossy(&decoded(name)).into_owned(), decoded(value.get(1..).unwrap_or_default()))
}

/// Percent-decoding with `+` for a space; a `%` without two digits stands for itself.
pub(super) fn decoded(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match octet {
            b'+' => octets.push(b' '),
            b'%' => {
                match after.first_chunk::<2>().and_then(|digits| Some(digit(digits[0])? << 4 | digit(digits[1])?)) {
                    Some(value) => {
                        octets.push(value);
                        rest = after.get(2..).unwrap_or_default();
                    }
                    None => octets.push(b'%'),
                }
            }
            octet => octets.push(octet),
        }
    }
    octets
}

/// Octets of hexadecimal digits.
pub(super) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let octets = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    if rest.is_empty() { octets } else { None }
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_decoded_and_the_first_of_a_name_counts() {
        let fields = Fields::parse(b"to=%2B4477&text=a+b%26c&&to=2&empty=&flag&bad=100%&bin=%00%FF");
        assert_eq!(fields.text("to").as_deref(), Some("+4477"));
        assert_eq!(fields.text("text").as_deref(), Some("a b&c"));
        assert_eq!((fields.text("empty").as_deref(), fields.text("flag").as_deref()), (Some(""), Some("")));
        assert_eq!((fields.text("bad").as_deref(), fields.text("none")), (Some("100%"), None));
        assert_eq!(fields.octets("bin"), Some(&[0, 255][..]));
    }

    #[test]
    fn hexadecimal_digits_are_octets() {
        assert_eq!(unhex(b"00fFa5"), Some(vec![0, 0xff, 0xa5]));
        assert_eq!((unhex(b"0"), unhex(b"zz"), unhex(b"")), (None, None, Some(vec![])));
    }

    proptest! {
        #[test]
        fn any_octets_are_fields(text: Vec<u8>) {
            let fields = Fields::parse(&text);
            prop_assert!(fields.0.len() <= FIELDS_MAX);
            unhex(&text);
        }
    }
}
