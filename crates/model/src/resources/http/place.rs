//! Where something is in an answer or a call: a JSON pointer, a path in XML, a regular expression, a header, or what
//! we know ourselves.

use regex::Regex;

/// Longest program that a regular expression may become, in octets.
const REGEX_SIZE: usize = 256 * 1024;
/// Elements of a path.
const STEPS_MAX: usize = 32;

/// Where something is.
#[derive(Clone, Debug)]
pub enum Place {
    /// `/messages/0/id`: JSON pointer (RFC 6901). Parameters of a form or a URL are the fields of an object.
    Pointer(Box<str>),
    /// `xml:/response/message@id`
    Xml(XmlPath),
    /// `regex:Success "([^"]+)"`: the first group, or the whole where there is none.
    Regex(Box<Regex>),
    /// `header:x-message-id`
    Header(Box<str>),
    /// `id`: what `{id}` was in the request.
    OwnId,
    /// `status`: the number of the answer's status.
    Status,
}

/// Where a list is whose entries are read one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Each {
    /// `/messages`: JSON pointer (RFC 6901) to an array.
    Pointer(Box<str>),
    /// `xml:/response/message`: all such elements.
    Xml(XmlPath),
}

/// Elements from the outermost to the innermost, by their names without prefixes, and perhaps one's attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlPath {
    /// The names of the elements.
    pub steps: Box<[Box<str>]>,
    /// The attribute; without, it is the element's text.
    pub attribute: Option<Box<str>>,
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
        if let Some(path) = text.strip_prefix("xml:") {
            return XmlPath::parse(path).map(Self::Xml);
        }
        if let Some(header) = text.strip_prefix("header:") {
            return Ok(Self::Header(header.to_ascii_lowercase().into()));
        }
        match text {
            "id" => Ok(Self::OwnId),
            "status" => Ok(Self::Status),
            "" => Ok(Self::Pointer("".into())),
            text if text.starts_with('/') => Ok(Self::Pointer(text.into())),
            text => Err(format!(
                "\"{text}\" is no place: write /pointer, xml:/element@attribute, regex:…, header:…, status or id"
            )),
        }
    }
}

impl Each {
    /// Reads it as it is written.
    ///
    /// # Errors
    /// What to do about it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix("xml:") {
            Some(path) => match XmlPath::parse(path)? {
                XmlPath { attribute: Some(_), .. } => Err("is a list of elements: leave the attribute out".into()),
                path if path.steps.is_empty() => Err("names no element: write xml:/element".into()),
                path => Ok(Self::Xml(path)),
            },
            None if text.is_empty() || text.starts_with('/') => Ok(Self::Pointer(text.into())),
            None => Err("must be a JSON pointer such as /results, xml:/element, or nothing for the whole".into()),
        }
    }
}

impl XmlPath {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("\"xml:{text}\" is no path: write xml:/element/element, perhaps with @attribute at its end");
        let is_name =
            |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "/@:<>&".contains(c));
        let (elements, attribute) = text.split_once('@').map_or((text, None), |(path, name)| (path, Some(name)));
        let steps: Vec<Box<str>> = match elements.strip_prefix('/') {
            None if elements.is_empty() => Vec::new(),
            None => return Err(wrong()),
            Some(steps) => steps.split('/').map(Into::into).collect(),
        };
        if steps.len() > STEPS_MAX || !steps.iter().map(|step| &**step).chain(attribute).all(is_name) {
            return Err(wrong());
        }
        Ok(Self { steps: steps.into(), attribute: attribute.map(Into::into) })
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
