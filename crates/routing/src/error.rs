//! What is wrong with a rule.

use model::AddressError;
use model::resources::{Kind, SetFault};

/// A rule that can't be compiled. It is the operator's fault, and names the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} \"{id}\": {field}: {problem}", kind.as_str())]
pub struct RuleError {
    /// What kind of resource.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// Which of its fields: a path such as `match.text` or `match.time.0.zone`.
    pub field: String,
    /// What is wrong.
    pub problem: RuleProblem,
}

/// What is wrong with a field of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// It refers to something that there is not.
    #[error("there is no {what} \"{name}\"; add it or correct the name")]
    Unknown {
        /// What it should be.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// It needs a connector or pool.
    #[error("is missing: the connector or pool that takes the messages")]
    NoTarget,
    /// Not 1 to 15 digits.
    #[error("\"{0}\" must be 1 to 15 digits, country code first, without +")]
    NotAPrefix(String),
    /// Not a regular expression, or one that needs too much memory.
    #[error("is no regular expression that can be used: {0}")]
    Pattern(String),
    /// Not a time of day.
    #[error("\"{0}\" is no time of day such as 08:30")]
    NotATime(String),
    /// Quiet hours that never end.
    #[error("with these no time is left at which anything goes out")]
    AlwaysQuiet,
    /// An address that can't be one.
    #[error("\"{text}\" {error}")]
    Address {
        /// What was written.
        text: String,
        /// Why it is none.
        error: AddressError,
    },
    /// A placeholder of a reply that nothing fills in.
    #[error(
        "{{{0}}} is none of {{from}}, {{to}}, {{keyword}}, {{text}}, {{rest}}, {{date}} and {{time}}; write {{{{ for a brace"
    )]
    Placeholder(String),
    /// More than there may be.
    #[error("is longer than {0} characters")]
    TooLong(usize),
}

impl From<RuleError> for SetFault {
    fn from(error: RuleError) -> Self {
        Self { kind: error.kind, id: error.id, field: error.field, detail: error.problem.to_string() }
    }
}

/// Collects what is wrong with one rule.
pub(crate) struct Faults<'e> {
    pub kind: Kind,
    pub id: &'e str,
    pub errors: &'e mut Vec<RuleError>,
    /// The first field that was at fault.
    pub first: Option<&'static str>,
}

impl Faults<'_> {
    /// Notes that `path`, which is `field` or lies in it, has a `problem`.
    pub fn add(&mut self, field: &'static str, path: String, problem: RuleProblem) {
        self.first.get_or_insert(field);
        self.errors.push(RuleError { kind: self.kind, id: self.id.to_owned(), field: path, problem });
    }

    /// What came out well; a problem is noted.
    pub fn keep<T>(&mut self, field: &'static str, path: String, result: Result<T, RuleProblem>) -> Option<T> {
        result.map_err(|problem| self.add(field, path, problem)).ok()
    }
}
