//! Where something is in an answer or a call: a JSON pointer, a regular expression, a header, or what we
//! know ourselves.

use regex::Regex;

/// Longest program that a regular expression may become, in octets.
const REGEX_SIZE: usize = 256 * 1024;

/// Where something is.
#[derive(Clone, Debug)]
pub enum Place {
    /// `/messages/0/id`: JSON pointer (RFC 6901). Parameters of a form or a URL are the fields of an object.
    Pointer(Box<str>),
    /// `regex:Success "([^"]+)"`: the first group, or the whole where there is none.
    Regex(Box<Regex>),
    /// `header:x-message-id`
    Header(Box<str>),
    /// `id`: what `{id}` was in the request.
    OwnId,
    /// `status`: the number of the answer's status.
    Status,
}

impl Place {
    /// Reads a place as it is written.
    ///
    /// # Errors
    /// What to do about it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(pattern) = text.strip_prefix("regex:") {
            return regex(pattern).map(|regex| Self::Regex(Box::new(regex)));
        }
        if let Some(header) = text.strip_prefix("header:") {
            return Ok(Self::Header(header.to_ascii_lowercase().into()));
        }
        match text {
            "id" => Ok(Self::OwnId),
            "status" => Ok(Self::Status),
            "" => Ok(Self::Pointer("".into())),
            text if text.starts_with('/') => Ok(Self::Pointer(text.into())),
            text => Err(format!("\"{text}\" is no place: write /pointer, regex:…, header:…, status or id")),
        }
    }
}

/// A regular expression of bounded size.
///
/// # Errors
/// What is wrong with it.
pub fn regex(pattern: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(pattern)
        .size_limit(REGEX_SIZE)
        .build()
        .map_err(|error| format!("is no regular expression: {}", error.to_string().lines().last().unwrap_or_default()))
}
