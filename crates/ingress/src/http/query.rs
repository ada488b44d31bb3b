//! Query parameters: percent-decoded, each known and given once.

use std::str::FromStr;

use super::problem::{Problem, catalogue};

/// Most entries of a list's page.
pub(crate) const LIMIT_MAX: usize = 500;
/// Entries of a list's page when nobody says otherwise.
const LIMIT_DEFAULT: usize = 50;

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Query {
    parameters: Vec<(&'static str, String)>,
}

impl Query {
    /// Reads a query string of which only the parameters in `known` may be there.
    pub(crate) fn parse(text: Option<&str>, known: &'static [&'static str]) -> Result<Self, Problem> {
        let mut parameters: Vec<(&'static str, String)> = Vec::new();
        for pair in text.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            let Some(known) = known.iter().copied().find(|k| *k == name) else {
                let all = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(fault(&name, format!("is not known here; there are: {all}")));
            };
            if parameters.iter().any(|(name, _)| *name == known) {
                return Err(fault(known, "stands twice"));
            }
            parameters.push((known, value));
        }
        Ok(Self { parameters })
    }

    /// A parameter's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    /// A parameter's value as something that is read from text; `expected` says what it must be.
    pub(crate) fn read<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, Problem> {
        self.read_with(name, expected, |text| text.parse().ok())
    }

    /// A parameter's value as `read` understands it; `expected` says what it must be.
    pub(crate) fn read_with<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| fault(name, format!("must be {expected}")))
    }

    /// How many entries to give: `limit`.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.read_with("limit", "a number from 1 to 500", |text| {
            text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
        })?;
        Ok(limit.unwrap_or(LIMIT_DEFAULT))
    }

    /// Where to go on: `cursor`.
    pub(crate) fn cursor<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        self.read("cursor", "the next_cursor of an earlier answer")
    }
}

/// Something wrong with a parameter.
pub(crate) fn fault(name: &str, detail: impl Into<String>) -> Problem {
    let name = name.replace('~', "~0").replace('/', "~1");
    Problem::new(&catalogue::BAD_QUERY).fault(format!("/query/{name}"), detail)
}

/// `application/x-www-form-urlencoded` to text.
fn decode(text: &str) -> Result<String, Problem> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digits = (rest.next().and_then(hex_digit), rest.next().and_then(hex_digit));
                let (Some(high), Some(low)) = digits else {
                    return Err(
                        Problem::new(&catalogue::BAD_QUERY).detail("a % has no two hexadecimal digits behind it")
                    );
                };
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(octets).map_err(|_| Problem::new(&catalogue::BAD_QUERY).detail("the query is not UTF-8"))
}

fn hex_digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["to", "limit"];

    #[test]
    fn values_are_decoded() {
        let query = Query::parse(Some("to=%2B44+77%C3%A9&&limit=500"), KNOWN).unwrap();
        assert_eq!((query.get("to"), query.limit().unwrap()), (Some("+44 77é"), 500));
        assert_eq!(Query::parse(None, KNOWN).unwrap().limit().unwrap(), LIMIT_DEFAULT);
    }

    #[test]
    fn everything_else_is_refused() {
        let pointer = |text| Query::parse(Some(text), KNOWN).unwrap_err().errors[0].pointer.clone();
        assert_eq!(pointer("a/b=1"), "/query/a~1b");
        assert_eq!(pointer("to=1&to=2"), "/query/to");
        for text in ["to=%", "to=%4", "to=%zz", "to=%FF"] {
            assert_eq!(Query::parse(Some(text), KNOWN).unwrap_err().entry.status, 400, "{text}");
        }
        for limit in ["0", "501", "x", "", "-1", "1e3"] {
            let query = Query::parse(Some(&format!("limit={limit}")), KNOWN).unwrap();
            assert_eq!(query.limit().unwrap_err().errors[0].pointer, "/query/limit", "{limit}");
        }
    }
}
