//! The language of templates: text with `{placeholders}`.
//!
//! `{to}` is a value; `{to:plus}` the value as a filter writes it, and filters follow each other. `{to?}` leaves
//! the whole entry of a form, a header or an object out when there is no such value. `{encoding:gsm7=text,ucs2=unicode}`
//! chooses a word by the value. `{{` and `}}` are braces. Nothing else is special, and how a value is
//! escaped is decided by where it stands, never by the template.

/// A text with places for values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Written as it is.
    Text(Box<str>),
    /// A value's place.
    Slot(Slot),
}

/// A value's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which value.
    pub name: Name,
    /// What is done to it, in this order.
    pub filters: Vec<Filter>,
    /// Without the value the whole entry is left out.
    pub optional: bool,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// The recipient's number, without `+`.
    To,
    /// The sender, without `+`.
    From,
    /// The text; UTF-8.
    Text,
    /// The octets of a part's user data after its header.
    Data,
    /// Its header, with the length octet.
    Udh,
    /// The message's id in the gateway, as 32 hexadecimal digits (and `-2` for a second part).
    Id,
    /// The application's own reference.
    ClientRef,
    /// The account's id.
    Account,
    /// Where receipts and messages are to be sent; none without `callback`.
    CallbackUrl,
    /// The same, if a receipt is wanted.
    ReceiptUrl,
    /// `yes` if a receipt is wanted, `no` otherwise.
    Receipt,
    /// Which part, counted from 1.
    Part,
    /// How many parts.
    Parts,
    /// How long the carrier may try, in seconds; none if the application named no validity.
    Validity,
    /// Until when, in RFC 3339; none likewise.
    ExpiresAt,
    /// The message class, 0 to 3; none without one.
    Class,
    /// The priority, 0 to 3.
    Priority,
    /// `gsm7`, `ucs2`, `latin1` or `binary`.
    Encoding,
    /// The data coding scheme of octets, as a number.
    Dcs,
    /// The connector's `system_id`.
    User,
    /// Its password.
    Password,
    /// One of `http.secrets`.
    Secret(Box<str>),
    /// One of `http.values`.
    Value(Box<str>),
    /// Seconds since 1970.
    Timestamp,
    /// The provider's id, where one message is asked about.
    RemoteId,
    /// The request's method, where it is signed.
    Method,
    /// Its path with its parameters, likewise.
    Path,
    /// Its body, likewise.
    Body,
    /// The signature that was made.
    Signature,
    /// The whole address of a call-back.
    Url,
    /// The parameters of its form, names and values one behind the other, sorted by name.
    Params,
    /// One of its headers.
    Header(Box<str>),
}

/// What is done to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// An international number gets its `+`.
    Plus,
    /// Hexadecimal digits of the octets, of a text in UTF-8.
    Hex,
    /// Hexadecimal digits of the text in UTF-16, big-endian.
    HexUtf16be,
    /// Base64 of the octets, of a text in UTF-8.
    Base64,
    /// Seconds as minutes, rounded up.
    Minutes,
    /// Seconds as milliseconds.
    Millis,
    /// No more than this number.
    Most(u64),
    /// In JSON, a number or `true` and `false`, not a string.
    Raw,
    /// One word for another; nothing before the `=` is every other word. No value for what is not named.
    Choose(Vec<(Box<str>, Box<str>)>),
}

/// Where a template stands decides which values it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A request that sends a message.
    Message,
    /// A request about a message that the provider has.
    Query,
    /// A request about nothing in particular.
    Plain,
    /// What a request is signed over.
    Signing,
    /// The header that carries the signature.
    Signed,
    /// What a call-back is signed over.
    Callback,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace without its other half.
    #[error("has a brace without its other half; write {{{{ or }}}} for a brace itself")]
    Brace,
    /// No such value.
    #[error("names {{{0}}}, which there is not; the values are in docs/http-connector.md")]
    Unknown(Box<str>),
    /// No such filter.
    #[error("has the filter \"{0}\", which there is not; the filters are in docs/http-connector.md")]
    Filter(Box<str>),
    /// The value is not known there.
    #[error("names {{{0}}}, which has no meaning here")]
    Elsewhere(Box<str>),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                literal.extend(from.chars().next());
                rest = after;
                continue;
            }
            let inside = from.strip_prefix('{').ok_or(TemplateError::Brace)?;
            let (slot, after) = inside.split_once('}').ok_or(TemplateError::Brace)?;
            if slot.contains('{') {
                return Err(TemplateError::Brace);
            }
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
            }
            pieces.push(Piece::Slot(Slot::parse(slot)?));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal.into()));
        }
        Ok(Self(pieces))
    }

    /// The places of values in it.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(slot),
            Piece::Text(_) => None,
        })
    }

    /// Are all its values known in this place?
    ///
    /// # Errors
    /// The first that is not.
    pub fn fits(&self, scope: Scope) -> Result<(), TemplateError> {
        match self.slots().find(|slot| !slot.name.is_known(scope)) {
            Some(slot) => Err(TemplateError::Elsewhere(slot.name.word().into())),
            None => Ok(()),
        }
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Slot {
    fn parse(inside: &str) -> Result<Self, TemplateError> {
        let (inside, optional) = match inside.strip_suffix('?') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        let mut words = inside.split(':');
        let word = words.next().unwrap_or_default();
        let name = match word {
            "secret" => Name::Secret(words.next().unwrap_or_default().into()),
            "value" => Name::Value(words.next().unwrap_or_default().into()),
            "header" => Name::Header(words.next().unwrap_or_default().to_ascii_lowercase().into()),
            word => Name::plain(word).ok_or_else(|| TemplateError::Unknown(inside.into()))?,
        };
        if matches!(&name, Name::Secret(key) | Name::Value(key) | Name::Header(key) if key.is_empty()) {
            return Err(TemplateError::Unknown(inside.into()));
        }
        let filters = words.map(Filter::parse).collect::<Result<_, _>>()?;
        Ok(Self { name, filters, optional })
    }
}

/// Values that are one word.
const PLAIN: [(&str, Name); 29] = [
    ("to", Name::To),
    ("from", Name::From),
    ("text", Name::Text),
    ("data", Name::Data),
    ("udh", Name::Udh),
    ("id", Name::Id),
    ("client_ref", Name::ClientRef),
    ("account", Name::Account),
    ("callback_url", Name::CallbackUrl),
    ("receipt_url", Name::ReceiptUrl),
    ("receipt", Name::Receipt),
    ("part", Name::Part),
    ("parts", Name::Parts),
    ("validity_seconds", Name::Validity),
    ("expires_at", Name::ExpiresAt),
    ("class", Name::Class),
    ("priority", Name::Priority),
    ("encoding", Name::Encoding),
    ("dcs", Name::Dcs),
    ("user", Name::User),
    ("password", Name::Password),
    ("timestamp", Name::Timestamp),
    ("remote_id", Name::RemoteId),
    ("method", Name::Method),
    ("path", Name::Path),
    ("body", Name::Body),
    ("signature", Name::Signature),
    ("url", Name::Url),
    ("params", Name::Params),
];

impl Name {
    fn plain(word: &str) -> Option<Self> {
        PLAIN.iter().find(|(known, _)| *known == word).map(|(_, name)| name.clone())
    }

    fn word(&self) -> &'static str {
        match self {
            Name::Secret(_) => "secret",
            Name::Value(_) => "value",
            Name::Header(_) => "header",
            plain => PLAIN.iter().find(|(_, name)| name == plain).map_or("", |(word, _)| word),
        }
    }

    /// Is there such a value in this place?
    #[must_use]
    pub fn is_known(&self, scope: Scope) -> bool {
        match self {
            Name::User | Name::Password | Name::Secret(_) | Name::Value(_) => true,
            Name::Timestamp => scope != Scope::Callback,
            Name::CallbackUrl => !matches!(scope, Scope::Callback | Scope::Signing | Scope::Signed),
            Name::RemoteId => scope == Scope::Query,
            Name::To | Name::From | Name::Id | Name::ClientRef | Name::Account => {
                matches!(scope, Scope::Message | Scope::Query)
            }
            Name::Method | Name::Path => scope == Scope::Signing,
            Name::Body => matches!(scope, Scope::Signing | Scope::Callback),
            Name::Signature => scope == Scope::Signed,
            Name::Url | Name::Params | Name::Header(_) => scope == Scope::Callback,
            _ => scope == Scope::Message,
        }
    }
}

impl Filter {
    fn parse(word: &str) -> Result<Self, TemplateError> {
        Ok(match word {
            "plus" => Self::Plus,
            "hex" => Self::Hex,
            "hex-utf16be" => Self::HexUtf16be,
            "base64" => Self::Base64,
            "minutes" => Self::Minutes,
            "millis" => Self::Millis,
            "raw" => Self::Raw,
            _ => {
                if let Some(most) = word.strip_prefix("most-").and_then(|most| most.parse().ok()) {
                    return Ok(Self::Most(most));
                }
                let pairs = word.split(',').map(|pair| pair.split_once('='));
                let pairs = pairs.map(|pair| pair.map(|(from, to)| (from.into(), to.into())));
                Self::Choose(pairs.collect::<Option<_>>().ok_or_else(|| TemplateError::Filter(word.into()))?)
            }
        })
    }
}
