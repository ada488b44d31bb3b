//! The parameters of `sendsms`, however they were sent.

use bytes::Bytes;
use hyper::header::HeaderMap;

use super::super::fields::{Fields, decoded, unhex};

/// What a request gave. Nothing of it is checked; a number that is none was not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    pub username: Option<String>,
    pub password: Option<String>,
    /// Recipients with spaces between them.
    pub to: Option<String>,
    /// Recipients one by one, as XML has them.
    pub to_list: Option<Vec<String>>,
    pub from: Option<String>,
    pub text: Vec<u8>,
    pub charset: Option<String>,
    pub udh: Option<Vec<u8>>,
    pub smsc: Option<String>,
    pub account: Option<String>,
    pub binfo: Option<String>,
    pub meta_data: Option<String>,
    pub dlr_url: Option<String>,
    pub dlr_mask: Option<i64>,
    pub mclass: Option<i64>,
    pub mwi: Option<i64>,
    pub coding: Option<i64>,
    pub compress: Option<i64>,
    pub pid: Option<i64>,
    pub alt_dcs: Option<i64>,
    pub rpi: Option<i64>,
    pub validity: Option<i64>,
    pub deferred: Option<i64>,
    pub priority: Option<i64>,
}

impl Given {
    /// From a query or a form.
    pub fn of_fields(fields: &Fields) -> Self {
        let text = |name| fields.text(name);
        let either = |name, old| text(name).or_else(|| text(old));
        let number = |name| number(&text(name)?);
        Self {
            username: either("username", "user"),
            password: either("password", "pass"),
            to: text("to"),
            to_list: None,
            from: text("from"),
            text: fields.octets("text").unwrap_or_default().to_vec(),
            charset: text("charset"),
            udh: fields.octets("udh").map(<[u8]>::to_vec),
            smsc: text("smsc"),
            account: text("account"),
            binfo: text("binfo"),
            meta_data: text("meta-data"),
            dlr_url: either("dlr-url", "dlrurl"),
            dlr_mask: number("dlr-mask").or_else(|| number("dlrmask")),
            // `flash` is the old name of class 0.
            mclass: number("mclass").or_else(|| number("flash").filter(|flash| *flash == 1).map(|_| 0)),
            mwi: number("mwi"),
            coding: number("coding"),
            compress: number("compress"),
            pid: number("pid"),
            alt_dcs: number("alt-dcs"),
            rpi: number("rpi"),
            validity: number("validity"),
            deferred: number("deferred"),
            priority: number("priority"),
        }
    }

    /// From `X-Kannel-…` headers, with the text in the body.
    pub fn of_headers(headers: &HeaderMap, charset: Option<String>, body: &Bytes) -> Self {
        let octets = |name: &str| Some(headers.get(format!("x-kannel-{name}"))?.as_bytes().trim_ascii());
        let text = |name: &str| Some(String::from_utf8_lossy(octets(name)?).into_owned());
        let number = |name: &str| number(&text(name)?);
        Self {
            username: text("username"),
            password: text("password"),
            to: text("to"),
            to_list: None,
            from: text("from"),
            text: body.to_vec(),
            charset,
            udh: octets("udh").map(header_octets),
            smsc: text("smsc"),
            account: text("account"),
            binfo: text("binfo"),
            meta_data: text("meta-data"),
            dlr_url: text("dlr-url"),
            dlr_mask: number("dlr-mask"),
            mclass: number("mclass"),
            mwi: number("mwi"),
            coding: number("coding"),
            compress: number("compress"),
            pid: number("pid"),
            alt_dcs: number("alt-dcs"),
            rpi: number("rpi"),
            validity: number("validity"),
            deferred: number("deferred"),
            priority: number("priority"),
        }
    }
}

/// A user data header in hexadecimal, or percent-encoded.
pub(super) fn header_octets(text: &[u8]) -> Vec<u8> {
    unhex(text).unwrap_or_else(|| decoded(text))
}

/// The whole number that a text begins with; −1 is as good as none.
pub(super) fn number(text: &str) -> Option<i64> {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let end = end.min(18) + (text.len() - digits.len());
    let number = text.get(..end).and_then(|digits| digits.parse().ok());
    number.filter(|number| *number != -1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_a_text_begins_with() {
        for (text, expected) in [
            ("31", Some(31)),
            (" 7x", Some(7)),
            ("+5", Some(5)),
            ("-2", Some(-2)),
            ("-1", None),
            ("", None),
            ("x", None),
            ("-", None),
            ("99999999999999999999999", Some(999_999_999_999_999_999)),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn old_names_of_parameters_are_known() {
        let given = Given::of_fields(&Fields::parse(b"user=u&pass=p&dlrurl=http://x/&dlrmask=31&flash=1"));
        assert_eq!((given.username.as_deref(), given.password.as_deref()), (Some("u"), Some("p")));
        assert_eq!((given.dlr_url.as_deref(), given.dlr_mask, given.mclass), (Some("http://x/"), Some(31), Some(0)));
    }

    #[test]
    fn headers_have_their_user_data_header_in_hexadecimal() {
        assert_eq!(header_octets(b"050003070201"), [5, 0, 3, 7, 2, 1]);
        assert_eq!(header_octets(b"%05%00%03ABC"), [5, 0, 3, b'A', b'B', b'C']);
    }
}
