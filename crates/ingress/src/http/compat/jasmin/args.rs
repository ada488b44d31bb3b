//! The arguments of Jasmin's requests, and what is wrong with them in Jasmin's words.

use serde_json::{Map, Value};

use super::super::fields::Fields;

/// Arguments by name, in their order; the first of a name counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Args {
    all: Vec<(String, Arg)>,
}

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Arg {
    /// As a form or a query has it.
    Octets(Vec<u8>),
    /// A list or an object of a JSON body.
    Json(Value),
}

/// What an argument has to look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    name: &'static str,
    mandatory: bool,
    fits: fn(&[u8]) -> bool,
}

const fn rule(name: &'static str, mandatory: bool, fits: fn(&[u8]) -> bool) -> Rule {
    Rule { name, mandatory, fits }
}

/// Of `/send`.
pub(super) const SEND: [Rule; 16] = [
    rule("to", true, number),
    rule("from", false, anything),
    rule("coding", false, coding),
    rule("username", true, name),
    rule("password", true, name),
    rule("priority", false, |v| matches!(v, [b'0'..=b'3'])),
    rule("sdt", false, time),
    rule("validity-period", false, digits),
    rule("dlr", true, |v| matches!(v, b"yes" | b"no")),
    rule("dlr-url", false, |v| v.starts_with(b"http://") || v.starts_with(b"https://")),
    rule("dlr-level", false, |v| matches!(v, [b'1'..=b'3'])),
    rule("dlr-method", false, |v| v.eq_ignore_ascii_case(b"get") || v.eq_ignore_ascii_case(b"post")),
    rule("tags", false, |v| v.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b','))),
    rule("content", false, anything),
    rule("hex-content", false, anything),
    rule("custom_tlvs", false, anything),
];

/// Of `/rate`.
pub(super) const RATE: [Rule; 10] =
    [SEND[0], SEND[1], SEND[2], SEND[3], SEND[4], SEND[5], SEND[7], SEND[12], SEND[13], SEND[14]];

/// Of `/balance`.
pub(super) const BALANCE: [Rule; 2] = [SEND[3], SEND[4]];

impl Args {
    /// Of a query, then of a form's body.
    pub fn of_forms(forms: [&[u8]; 2]) -> Self {
        let fields = forms.into_iter().flat_map(|form| Fields::parse(form).0);
        Self { all: fields.map(|(name, value)| (name, Arg::Octets(value))).collect() }
    }

    /// Puts what a JSON object has before what is there.
    pub fn of_json(object: Map<String, Value>) -> Self {
        let arg = |value: Value| match value {
            Value::String(text) => Arg::Octets(text.into_bytes()),
            Value::Array(_) | Value::Object(_) => Arg::Json(value),
            other => Arg::Octets(other.to_string().into_bytes()),
        };
        Self { all: object.into_iter().map(|(name, value)| (name, arg(value))).collect() }
    }

    /// The same with `-` for `_` in names, as the REST interface takes them.
    pub fn dashed(mut self) -> Self {
        for (name, _) in self.all.iter_mut().filter(|(name, _)| name != "custom_tlvs") {
            *name = name.replace('_', "-");
        }
        self
    }

    /// Sets an argument, whatever it was.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.all.retain(|(n, _)| n != name);
        self.all.push((name.to_owned(), Arg::Octets(value.into())));
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn get(&self, name: &str) -> Option<&Arg> {
        self.all.iter().find(|(n, _)| n == name).map(|(_, arg)| arg)
    }

    pub fn octets(&self, name: &str) -> Option<&[u8]> {
        match self.get(name)? {
            Arg::Octets(octets) => Some(octets),
            Arg::Json(_) => None,
        }
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.octets(name).map(|octets| String::from_utf8_lossy(octets).into_owned())
    }

    /// What is wrong, as Jasmin says it.
    pub fn check(&self, rules: &[Rule]) -> Result<(), String> {
        let Some((first, others)) = self.all.split_first() else {
            return Err("Mandatory arguments not found, please refer to the HTTPAPI specifications.".into());
        };
        let known = |(name, _): &(String, Arg)| match rules.iter().any(|rule| rule.name == name) {
            true => Ok(()),
            false => Err(format!("Argument [{name}] is unknown.")),
        };
        known(first)?;
        for rule in rules {
            match self.get(rule.name) {
                Some(Arg::Octets(value)) if !(rule.fits)(value) => {
                    let value = String::from_utf8_lossy(value);
                    return Err(format!("Argument [{}] has an invalid value: [{value}].", rule.name));
                }
                None if rule.mandatory => return Err(format!("Mandatory argument [{}] is not found.", rule.name)),
                _ => {}
            }
        }
        others.iter().try_for_each(known)
    }
}

fn anything(_: &[u8]) -> bool {
    true
}

fn number(value: &[u8]) -> bool {
    digits(value.strip_prefix(b"+").unwrap_or(value))
}

fn digits(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

/// Jasmin's users have 16 characters; ours may have more.
fn name(value: &[u8]) -> bool {
    (1..=256).contains(&value.len()) && !value.contains(&b'\n')
}

fn coding(value: &[u8]) -> bool {
    matches!(value, [b'0'..=b'9'] | b"10" | b"13" | b"14")
}

/// `YYMMDDhhmmsstnnp` (SMPP 3.4 §7.1.1).
fn time(value: &[u8]) -> bool {
    matches!(value.split_last(), Some((b'+' | b'-' | b'R', rest)) if rest.len() == 15 && digits(rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(query: &str) -> String {
        let args = Args::of_forms([query.as_bytes(), b""]);
        args.check(&SEND).err().unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_is_told_in_jasmins_words() {
        let rest = "&username=u&password=p&dlr=no&content=x";
        assert_eq!(told(&format!("to=%2B4477{rest}")), "");
        for (query, expected) in [
            ("", "Mandatory arguments not found, please refer to the HTTPAPI specifications."),
            ("to=1", "Mandatory argument [username] is not found."),
            ("what=1&to=x", "Argument [what] is unknown."),
            ("username=u", "Mandatory argument [to] is not found."),
            (&format!("to=abc{rest}"), "Argument [to] has an invalid value: [abc]."),
            (&format!("to=1{rest}&what=1"), "Argument [what] is unknown."),
            (&format!("to=1{rest}&coding=11"), "Argument [coding] has an invalid value: [11]."),
            (&format!("to=1{rest}&priority=4"), "Argument [priority] has an invalid value: [4]."),
            (&format!("to=1{rest}&sdt=x"), "Argument [sdt] has an invalid value: [x]."),
            (&format!("to=1{rest}&dlr-url=ftp://x"), "Argument [dlr-url] has an invalid value: [ftp://x]."),
            (&format!("to=1{rest}&dlr-level=4"), "Argument [dlr-level] has an invalid value: [4]."),
            (&format!("to=1{rest}&dlr-method=PUT"), "Argument [dlr-method] has an invalid value: [PUT]."),
            (&format!("to=1{rest}&tags=a_b"), "Argument [tags] has an invalid value: [a_b]."),
        ] {
            assert_eq!(told(query), expected, "{query}");
        }
        assert_eq!(told(&format!("to=1{rest}&sdt=000000000100000R&dlr-method=get&coding=14")), "");
    }

    proptest! {
        #[test]
        fn any_arguments_are_judged(query: Vec<u8>) {
            let _ = Args::of_forms([&query, &query]).dashed().check(&SEND);
        }
    }
}
