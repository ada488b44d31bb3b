//! Plays jcli commands on an empty installation.
//!
//! A script has a command or a setting a line. A transcript has prompts before what was typed, `jcli :`
//! and `>`, and answers between: of those only what `smppccm -s` and `user -s` show is read. A command
//! such as `user -a` opens a session that `ok` ends, and `ko` ends without effect.

use std::rc::Rc;

use crate::commands::import::draft::Draft;
use crate::commands::import::section::{Place, Section, Setting};
use crate::commands::import::source;

/// Managers, and the key that an entry of theirs is known by.
const MANAGERS: [(&str, &str); 9] = [
    ("user", "uid"),
    ("group", "gid"),
    ("smppccm", "cid"),
    ("httpccm", "cid"),
    ("filter", "fid"),
    ("mtrouter", "order"),
    ("morouter", "order"),
    ("mtinterceptor", "order"),
    ("mointerceptor", "order"),
];
/// Entries of all managers together.
const ITEMS_MAX: usize = 5000;
/// Commands that change nothing.
const IDLE: [&str; 5] = ["persist", "load", "stats", "help", "quit"];
/// Settings whose value begins with a section and a key.
const CREDENTIALS: [&str; 2] = ["mt_messaging_cred", "smpps_cred"];

/// An entry of a manager.
#[derive(Clone, Debug)]
pub struct Item {
    manager: &'static str,
    /// What it is known by.
    pub id: String,
    pub section: Section,
    /// Not stopped and not disabled.
    pub enabled: bool,
}

/// What there is when all commands are done.
#[derive(Debug, Default)]
pub struct State {
    items: Vec<Item>,
}

impl State {
    /// The entries of a manager.
    pub fn of(&self, manager: &str) -> impl Iterator<Item = Item> {
        let items: Vec<Item> = self.items.iter().filter(|item| item.manager == manager).cloned().collect();
        items.into_iter()
    }

    /// Is a group there, and disabled?
    pub fn group_is_disabled(&self, gid: &str) -> bool {
        self.items.iter().any(|item| item.manager == "group" && item.id == gid && !item.enabled)
    }

    fn find(&mut self, manager: &str, id: &str) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.manager == manager && item.id == id)
    }
}

/// Plays a file; `None` if there is no command in it.
pub fn play(file: &str, octets: &[u8], draft: &mut Draft) -> Option<State> {
    let lines: Vec<(usize, String)> =
        source::lines(octets).map(|(number, line)| (number, without_escapes(&source::text(line)))).collect();
    let is_transcript = lines.iter().any(|(_, line)| line.starts_with("jcli :"));
    let mut player = Player { draft, state: State::default(), session: None, shown: None, commands: 0 };
    let file: Rc<str> = file.into();
    for (line, text) in &lines {
        let place = Place { file: Rc::clone(&file), line: *line };
        match (text.strip_prefix("jcli :"), text.strip_prefix('>')) {
            (Some(command), _) => player.command(command.trim(), place),
            (None, Some(typed)) => player.typed(typed.trim(), place),
            (None, None) if is_transcript => player.answer(text, place),
            (None, None) => player.typed(text, place),
        }
    }
    player.end();
    (player.commands > 0).then_some(player.state)
}

/// A session that is open: a new entry, or changes to one.
struct Session {
    manager: &'static str,
    changes: Option<String>,
    section: Section,
}

struct Player<'d> {
    draft: &'d mut Draft,
    state: State,
    session: Option<Session>,
    /// An entry that is being shown.
    shown: Option<Item>,
    commands: usize,
}

impl Player<'_> {
    /// A line that was typed, into a session if one is open.
    fn typed(&mut self, text: &str, place: Place) {
        match &mut self.session {
            None => self.command(text, place),
            Some(_) if text == "ok" => self.commit(),
            Some(_) if text == "ko" => self.session = None,
            Some(_) if is_command(text) => self.command(text, place),
            Some(session) => session.section.settings.extend(setting(text, place)),
        }
    }

    fn command(&mut self, text: &str, place: Place) {
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        self.end();
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let Some((manager, key)) = MANAGERS.into_iter().find(|(manager, _)| *manager == name) else {
            if !IDLE.contains(&name) {
                // The line may be a password that was typed at a prompt.
                self.draft.leave_out_at(&place, "line", "is no command of jcli");
            }
            return;
        };
        self.commands += 1;
        let (option, id) = option(&words.collect::<Vec<_>>());
        let enabled = matches!(option.as_str(), "e" | "enable" | "1" | "start");
        match (option.as_str(), id) {
            ("a" | "add", _) => self.session = Some(Session { manager, changes: None, section: Section::new(place) }),
            ("u" | "update", Some(id)) => {
                self.session = Some(Session { manager, changes: Some(id), section: Section::new(place) });
            }
            ("r" | "remove", Some(id)) => self.state.items.retain(|item| item.manager != manager || item.id != id),
            ("f" | "flush", _) => self.state.items.retain(|item| item.manager != manager),
            ("e" | "enable" | "1" | "start" | "d" | "disable" | "0" | "stop", Some(id)) => {
                match self.state.find(manager, &id) {
                    Some(item) => item.enabled = enabled,
                    None => self.draft.leave_out_at(&place, manager, "there is no entry of this name"),
                }
            }
            ("s" | "show", Some(id))
                if matches!(manager, "smppccm" | "user") && self.state.find(manager, &id).is_none() =>
            {
                let mut section = Section::new(place.clone());
                section.settings.push(Setting { key: key.into(), value: id.clone(), place });
                self.shown = Some(Item { manager, id, section, enabled: true });
            }
            ("s" | "show" | "l" | "list" | "smpp-unbind" | "smpp-ban", _) => {}
            _ => self.draft.leave_out_at(&place, manager, "has no option that is known here"),
        }
    }

    /// A line that jcli wrote: of what is being shown it is a setting.
    fn answer(&mut self, text: &str, place: Place) {
        if let Some(item) = &mut self.shown
            && text.contains(' ')
            && text.starts_with(|c: char| c.is_ascii_lowercase())
        {
            item.section
                .settings
                .extend(setting(text, place).filter(|setting| !["cid", "uid"].contains(&setting.key.as_str())));
        }
    }

    /// `ok`: what was typed takes effect.
    fn commit(&mut self) {
        let Some(Session { manager, changes, section }) = self.session.take() else { return };
        if let Some(id) = changes {
            match self.state.find(manager, &id) {
                Some(item) => item.section.settings.extend(section.settings),
                None => self.draft.leave_out_at(&section.place, manager, "there is no entry of this name to update"),
            }
            return;
        }
        let key = MANAGERS.iter().find(|(name, _)| *name == manager).map_or("", |(_, key)| key);
        let is_default =
            key == "order" && section.peek("type").is_some_and(|kind| kind.to_lowercase().starts_with("default"));
        let id = if is_default { Some("0".to_owned()) } else { section.peek(key).map(str::to_owned) };
        let Some(id) = id else {
            self.draft.leave_out_at(&section.place, key, "is missing; jcli refuses this entry");
            return;
        };
        if self.state.items.len() >= ITEMS_MAX {
            self.draft.leave_out_at(&section.place, manager, format!("more than {ITEMS_MAX} entries are not imported"));
            return;
        }
        self.state.items.retain(|item| item.manager != manager || item.id != id);
        self.state.items.push(Item { manager, id, section, enabled: true });
    }

    /// Whatever is open ends without `ok`.
    fn end(&mut self) {
        if let Some(session) = self.session.take() {
            self.draft.leave_out_at(&session.section.place, session.manager, "is not ended with ok, and has no effect");
        }
        self.state.items.extend(self.shown.take().filter(|item| item.section.settings.len() > 1));
    }
}

/// Is it a command that opens or changes something, which no setting is called like?
fn is_command(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let manager = words.next().is_some_and(|word| MANAGERS.iter().any(|(manager, _)| *manager == word));
    manager && words.next().is_some_and(|word| word.starts_with('-'))
}

/// A key of letters, digits and underscores, and its value.
fn setting(text: &str, place: Place) -> Option<Setting> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (key, value) = text.split_at(end);
    let value = value.trim();
    if key.is_empty() {
        return None;
    }
    if CREDENTIALS.contains(&key) {
        let mut words = value.splitn(3, char::is_whitespace);
        let (part, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let key = format!("{key} {} {}", part.to_lowercase(), name.to_lowercase());
        return Some(Setting { key, value: words.next().unwrap_or_default().trim().to_owned(), place });
    }
    Some(Setting { key: key.to_owned(), value: value.to_owned(), place })
}

/// An option without its hyphens, and what it is about: `-u X`, `-uX`, `--update X`, `--update=X`.
fn option(words: &[&str]) -> (String, Option<String>) {
    let Some(first) = words.first() else { return (String::new(), None) };
    let next = words.get(1).map(|word| (*word).to_owned());
    if let Some(long) = first.strip_prefix("--") {
        return match long.split_once('=') {
            Some((name, id)) => (name.to_owned(), Some(id.to_owned())),
            None => (long.to_owned(), next),
        };
    }
    let Some(short) = first.strip_prefix('-') else { return (String::new(), None) };
    let mut chars = short.chars();
    let name = chars.next().map(String::from).unwrap_or_default();
    match chars.as_str() {
        "" => (name, next),
        id => (name, Some(id.to_owned())),
    }
}

/// A line without what moves a terminal's cursor or colours, and without blanks round it.
fn without_escapes(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next() == Some('[') {
                    let _ = chars.by_ref().find(|c| ('@'..='~').contains(c));
                }
            }
            c if c.is_control() && c != '\t' => {}
            c => text.push(c),
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_every_form() {
        for form in [&["-u", "a"][..], &["-ua"], &["--update", "a"], &["--update=a"]] {
            let (name, id) = option(form);
            assert!(["u", "update"].contains(&name.as_str()) && id.as_deref() == Some("a"), "{form:?}");
        }
        assert_eq!(option(&[]), (String::new(), None));
    }

    #[test]
    fn terminals_are_not_obeyed() {
        assert_eq!(without_escapes("\u{1b}[4hjcli : \u{1b}[31muser -a\r"), "jcli : user -a");
        assert_eq!(without_escapes("\u{1b}"), "");
    }
}
