//! Commands under way.

use std::time::Duration;

use super::inbox::Place;
use super::setup::Setup;

/// Octets of an answer that are kept: a full store of PDUs is less.
pub(super) const ANSWER_MAX: usize = 256 * 1024;

/// What a command is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Is anybody there?
    Probe,
    Setup(Setup),
    /// How the next message is to be sent, in text mode.
    Parameters,
    /// More messages follow this one.
    MoreFollows,
    Send,
    /// Reads what lies there.
    Read(Place),
    /// Reads everything of the store.
    List,
    Delete(Place),
    /// Selects a store to read from.
    Select(String),
    /// Tells the network that what came directly is safe.
    Acknowledge,
    Ussd,
    UssdEnd,
    HangUp,
    /// As older modems hang up.
    HangUpOtherwise,
    Signal,
    Registration,
    Operator,
    Usage,
    /// Some forget how they are to tell of messages.
    Indications,
}

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) token: u64,
    /// The arguments of `AT+CSMP`, in text mode, until they are set.
    pub(super) parameters: Option<String>,
    /// More parts of the same message follow.
    pub(super) more: bool,
    /// The arguments of `AT+CMGS`.
    pub(super) argument: String,
    /// What is written at the prompt, without the Ctrl-Z.
    pub(super) body: String,
}

/// The command that the modem is to answer.
pub(super) struct Running {
    pub(super) step: Step,
    /// As it was written, for its echo.
    pub(super) sent: String,
    pub(super) lines: Vec<String>,
    /// Which of the lines are texts of messages, whatever they look like.
    pub(super) texts: Vec<usize>,
    pub(super) octets: usize,
    pub(super) deadline: Duration,
    /// The message that it sends.
    pub(super) outgoing: Option<Outgoing>,
    /// The message itself was written: what becomes of it is the modem's to say.
    pub(super) body_written: bool,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What was written may be a PIN.
        f.debug_struct("Running").field("step", &self.step).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl Running {
    pub(super) const fn awaits_prompt(&self) -> bool {
        self.outgoing.is_some() && !self.body_written
    }

    /// Is the line what was written to the modem?
    pub(super) fn is_echo(&self, line: &str) -> bool {
        let line = line.trim_start_matches("> ").trim();
        let body = self.outgoing.as_ref().filter(|_| self.body_written);
        line == self.sent.trim() || body.is_some_and(|outgoing| line == outgoing.body.trim())
    }

    /// Is the line of the answer, though it looks like one that comes unasked?
    pub(super) fn expects(&self, line: &str) -> bool {
        let prefix = match &self.step {
            Step::Registration | Step::Setup(Setup::Registration) => "+CREG",
            Step::Setup(Setup::SimState) => "+CPIN",
            Step::Setup(Setup::Power) => "+CFUN",
            Step::Setup(Setup::Model | Setup::Maker | Setup::Revision | Setup::Init(_) | Setup::InitLast(_)) => {
                return !line.starts_with('+');
            }
            // What follows a header may be any text.
            Step::Read(_) | Step::List => return self.follows_header(),
            _ => return false,
        };
        line.trim_start().starts_with(prefix)
    }

    fn follows_header(&self) -> bool {
        let is_text = self.texts.last().is_some_and(|at| at + 1 == self.lines.len());
        !is_text && self.lines.last().is_some_and(|line| is_header(line))
    }

    /// Adds the text of a message, of one line or several.
    pub(super) fn add_text(&mut self, text: String) {
        let at = self.lines.len();
        self.add(text);
        self.texts.extend((self.lines.len() > at).then_some(at));
    }

    pub(super) fn add(&mut self, line: String) {
        self.octets += line.len();
        if self.octets <= ANSWER_MAX {
            self.lines.push(line);
        }
    }
}

pub(super) fn is_header(line: &str) -> bool {
    line.starts_with("+CMGR") || line.starts_with("+CMGL")
}
