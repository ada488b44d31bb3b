//! What a service says to a phone, from the answer to a call: the text of its body, and what Kannel's
//! headers say of it.

use engine::{ANSWER_TEXT_MAX, ServiceAnswer};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use model::submission::EncodingChoice;

use super::html;
use crate::charset;

/// Octets of an answer that are read for its text; the rest of a longer one is not looked at. Enough for
/// as many characters as are sent, in any charset.
pub(super) const TEXT_OCTETS_MAX: usize = ANSWER_TEXT_MAX * 8;

/// What `body` says to the phone; `None` is nothing. With `kannel_headers`, `X-Kannel-From`,
/// `X-Kannel-Coding` and `X-Kannel-MClass` are heeded.
pub(super) fn read(headers: &HeaderMap, body: &[u8], kannel_headers: bool) -> Option<ServiceAnswer> {
    let unfit = |why: String| Some(ServiceAnswer::Unfit { why: why.into() });
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let mut pieces = content_type.split(';').map(str::trim);
    let kind = pieces.next().unwrap_or_default().to_ascii_lowercase();
    let charset = pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    if body.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    if !matches!(kind.as_str(), "" | "text/plain" | "text/html") {
        return unfit(format!("the service answered with {}, which is no text", shown(&kind)));
    }
    let text = match decoded(body, charset) {
        Ok(text) if kind == "text/html" => html::text(&text),
        Ok(text) => text,
        Err(_) => return unfit(format!("the service's answer is not in {}", shown(charset.unwrap_or_default()))),
    };
    let text = text.trim().replace("\r\n", "\n");
    if text.is_empty() {
        return None;
    }
    let given = |name: &str| header(name).filter(|value| kannel_headers && !value.is_empty());
    Some(ServiceAnswer::Text {
        text,
        from: given("x-kannel-from").map(Into::into),
        encoding: match given("x-kannel-coding") {
            Some("2") => EncodingChoice::Ucs2,
            _ => EncodingChoice::Auto,
        },
        class: given("x-kannel-mclass").and_then(|value| value.parse().ok()).filter(|class| *class <= 3),
    })
}

/// The text of a body that may have been cut, in the middle of a character perhaps.
fn decoded(body: &[u8], charset: Option<&str>) -> Result<String, charset::Unreadable> {
    let most = if body.len() < TEXT_OCTETS_MAX { 0 } else { 3 };
    let cut = |n: usize| body.get(..body.len().saturating_sub(n)).unwrap_or_default();
    // Without a name it is UTF-8 if it can be.
    let name = charset.or(Some("utf-8"));
    let read = (0..=most).find_map(|n| charset::text(cut(n), name).ok());
    read.map_or_else(|| charset::text(body, charset), Ok)
}

/// A name from outside, as it may stand in a timeline.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn text(content_type: &'static str, body: &[u8]) -> Option<String> {
        match read(&headers(&[("content-type", content_type)]), body, false)? {
            ServiceAnswer::Text { text, .. } => Some(text),
            ServiceAnswer::Unfit { why } => Some(format!("! {why}")),
        }
    }

    #[test]
    fn a_text_is_read_in_its_charset() {
        assert_eq!(text("text/plain; charset=UTF-8", " caf\u{e9}\r\n5 € \n".as_bytes()).unwrap(), "café\n5 €");
        assert_eq!(text("text/plain; charset=\"ISO-8859-1\"", b"caf\xe9").unwrap(), "café");
        assert_eq!(text("TEXT/PLAIN;charset=utf-16be", b"\x20\xac\x00x").unwrap(), "€x");
        assert_eq!(text("text/plain", b"caf\xe9").unwrap(), "café");
        assert_eq!(text("text/html", b"<html><b>1 &lt; 2</b><br>yes</html>").unwrap(), "1 < 2\nyes");
        assert_eq!(text("text/plain", b" \r\n"), None);
        assert_eq!(text("text/html", b"<p></p>"), None);
        assert_eq!(text("application/json", b""), None);
        let long = "é".repeat(TEXT_OCTETS_MAX);
        let cut = &long.as_bytes()[..TEXT_OCTETS_MAX - 1];
        assert_eq!(text("text/plain", &[b"x", cut].concat()).unwrap().chars().count(), TEXT_OCTETS_MAX / 2);
        assert_eq!(
            text("application/json", b"{}").unwrap(),
            "! the service answered with application/json, which is no text"
        );
        assert_eq!(text("text/plain; charset=klingon", b"x").unwrap(), "! the service's answer is not in klingon");
        assert_eq!(
            read(&HeaderMap::new(), b"hello", false),
            read(&headers(&[("content-type", "text/plain")]), b"hello", false)
        );
    }

    #[test]
    fn kannels_headers_count_where_they_are_wanted() {
        let headers = headers(&[("x-kannel-from", "60777"), ("x-kannel-coding", "2"), ("x-kannel-mclass", "0")]);
        let read = |wanted| match read(&headers, b"hi", wanted) {
            Some(ServiceAnswer::Text { from, encoding, class, .. }) => (from, encoding, class),
            other => panic!("{other:?}"),
        };
        assert_eq!(read(true), (Some("60777".into()), EncodingChoice::Ucs2, Some(0)));
        assert_eq!(read(false), (None, EncodingChoice::Auto, None));
    }
}
