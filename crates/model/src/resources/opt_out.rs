//! How an account lets phones opt out.

use serde::{Deserialize, Serialize};

use crate::form;

/// Most words of one kind.
pub const OPT_OUT_WORDS_MAX: usize = 100;
/// Most characters of one.
pub const OPT_OUT_WORD_MAX: usize = 40;

/// Most characters of an answer.
pub const OPT_OUT_REPLY_MAX: usize = 1600;

/// The words that end messages when the account names none.
pub const STOP_WORDS: [&str; 21] = [
    "STOP",
    "STOPALL",
    "STOP ALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "OPTOUT",
    "ARRET",
    "ARRÊT",
    "STOPP",
    "ABMELDEN",
    "AFMELDEN",
    "BAJA",
    "ALTO",
    "PARAR",
    "SAIR",
    "СТОП",
    "ΣΤΟΠ",
    "توقف",
    "退订",
];
/// The words that begin them again.
pub const START_WORDS: [&str; 3] = ["START", "UNSTOP", "YES"];
/// The words that ask for help.
pub const HELP_WORDS: [&str; 5] = ["HELP", "INFO", "AIDE", "HILFE", "AYUDA"];
/// What a phone that opted out is told.
pub const STOP_REPLY: &str = "You have opted out and will get no more messages. Reply START to opt in again.";
/// What one that opted in again is told.
pub const START_REPLY: &str = "You have opted in and will get messages again. Reply STOP to opt out.";

/// What phones may write to an account to hear nothing more from it. A text counts as a word only
/// when there is nothing else in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptOutWords {
    /// Words that opt out; [`STOP_WORDS`] if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Words that opt in again; [`START_WORDS`] if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start: Vec<String>,
    /// Words that ask for help; [`HELP_WORDS`] if there are none. Looked at only with a `help_reply`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// What a phone that opted out is told; default [`STOP_REPLY`], and nothing if it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reply: Option<String>,
    /// What a phone that opted in again is told; default [`START_REPLY`], and nothing if it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_reply: Option<String>,
    /// What a phone that asks for help is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help_reply: Option<String>,
    /// From whom a phone that opts out gets nothing more.
    #[serde(default, deserialize_with = "form::word")]
    pub scope: OptOutScope,
}

/// From whom a phone that opts out gets nothing more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptOutScope {
    /// Any sender of the account.
    #[default]
    Account,
    /// The number that it wrote to.
    Number,
}
