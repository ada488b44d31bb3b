//! The lines of a Kannel configuration to groups of settings.
//!
//! As Kannel reads them: a group ends with an empty line, and at the end of a file. `#` begins a
//! comment at the beginning of a line only, and does not end a group. A line that ends with `\` goes
//! on in the next; two of them are one that stays. Values may stand in quotes, in which `\"` and `\\`
//! are characters. `include` names a file or a directory, whose lines stand in its place. A key that
//! is given again counts as it was given last; so does a group that there can be only one of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::commands::import::draft::Draft;
use crate::commands::import::section::{Place, Section, Setting};
use crate::commands::import::source;
use crate::outcome::Outcome;

/// Files that include one another.
const DEPTH_MAX: usize = 16;
/// Files of one configuration.
const FILES_MAX: usize = 1000;

/// Groups of one configuration.
const GROUPS_MAX: usize = 5000;

/// A group, without its `group`.
#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub section: Section,
}

/// The groups of a file and of all that it includes, in the order in which Kannel would meet them.
pub fn read(file: &Path, draft: &mut Draft) -> Outcome<Vec<Group>> {
    let mut reader = Reader { draft, groups: Vec::new(), open: None, seen: BTreeSet::new(), left: source::OCTETS_MAX };
    reader.file(file, 0)?;
    let mut groups = reader.groups;
    for single in ["core", "smsbox"] {
        let last = groups.iter().rposition(|group| group.name == single);
        let mut at = 0..;
        groups.retain(|group| {
            let this = at.next();
            group.name != single || this == last
        });
    }
    Ok(groups)
}

struct Reader<'d> {
    draft: &'d mut Draft,
    groups: Vec<Group>,
    open: Option<Section>,
    seen: BTreeSet<PathBuf>,
    left: usize,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Outcome {
        self.seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        let octets = source::read(path, &mut self.left)?;
        let name: Rc<str> = path.display().to_string().into();
        for (line, text) in logical_lines(&octets) {
            self.line(Place { file: Rc::clone(&name), line }, text.trim(), path, depth)?;
        }
        self.close();
        Ok(())
    }

    fn line(&mut self, place: Place, text: &str, path: &Path, depth: usize) -> Outcome {
        if text.is_empty() {
            self.close();
            return Ok(());
        }
        if text.starts_with('#') {
            return Ok(());
        }
        let Some((key, value)) = text.split_once('=') else {
            self.draft.leave_out_at(&place, "line", "has no \"=\"; Kannel does not start with it either");
            return Ok(());
        };
        let (key, value) = (key.trim().to_owned(), unquoted(value));
        if key == "include" {
            return self.include(&place, &value, path, depth);
        }
        let section = self.open.get_or_insert_with(|| Section::new(place.clone()));
        section.settings.push(Setting { key, value, place });
        Ok(())
    }

    /// The group that is open ends.
    fn close(&mut self) {
        let Some(mut section) = self.open.take() else { return };
        match section.text("group") {
            Some(_) if self.groups.len() >= GROUPS_MAX => {
                let why = format!("more than {GROUPS_MAX} groups are not imported");
                self.draft.leave_out_at(&section.place, "group", why);
            }
            Some(name) => self.groups.push(Group { name, section }),
            None => self.draft.leave_out_at(&section.place, "group", "is missing: these lines belong to none"),
        }
    }

    fn include(&mut self, place: &Place, named: &str, from: &Path, depth: usize) -> Outcome {
        let fault = |told: String| source::fault(&place.file, place.line, told);
        if depth >= DEPTH_MAX {
            return Err(fault(format!("is an include in an include, {DEPTH_MAX} deep; that is too deep")));
        }
        // Kannel looks from where it was started; the folder of the file is the better guess here.
        let beside = from.parent().unwrap_or(Path::new("")).join(named);
        let path = if beside.exists() { beside } else { PathBuf::from(named) };
        let cant_read = |error| fault(format!("the file that is included can't be read: {error}"));
        for file in files_at(&path).map_err(cant_read)? {
            if self.seen.contains(&file.canonicalize().unwrap_or_else(|_| file.clone())) {
                return Err(fault("this file is included already, and Kannel refuses it a second time".into()));
            }
            if self.seen.len() >= FILES_MAX {
                return Err(fault(format!("more than {FILES_MAX} files are included")));
            }
            self.file(&file, depth + 1)?;
        }
        Ok(())
    }
}

/// The file, or the files of a directory by their names.
fn files_at(path: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    if !path.metadata()?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in path.read_dir()?.take(FILES_MAX + 1) {
        let file = entry?.path();
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Lines put together where they go on in the next, with the number of the first.
fn logical_lines(octets: &[u8]) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in source::lines(octets) {
        let (line, mut more) = match line.strip_suffix(b"\\") {
            Some(line) => (line, true),
            None => (line, false),
        };
        // What is left of two is a character of the value.
        more &= !line.ends_with(b"\\");
        match lines.last_mut() {
            Some((_, text)) if goes_on => text.push_str(&source::text(line)),
            _ => lines.push((number, source::text(line))),
        }
        goes_on = more;
    }
    lines
}

/// A value without the blanks and the quotes round it.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    if value == "\"" {
        return String::new();
    }
    let Some(inside) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return value.to_owned() };
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some(next @ ('\\' | '"'))) => {
                text.push(next);
                chars.next();
            }
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_behind_a_backslash() {
        let lines = logical_lines(b"a = 1\\\n 2\nb = x\\\\\nc = \\\r\nd\\");
        let lines: Vec<(usize, &str)> = lines.iter().map(|(n, text)| (*n, text.as_str())).collect();
        assert_eq!(lines, [(1, "a = 1 2"), (3, "b = x\\"), (4, "c = \\\r"), (5, "d")]);
    }

    #[test]
    fn quotes_go_and_what_they_escape_stays() {
        for (written, read) in [
            (" \"a b\" ", "a b"),
            ("\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d"),
            ("\"a", "\"a"),
            ("a\"b\"", "a\"b\""),
            ("\"\"", ""),
            ("\"", ""),
            ("\"x\\\"", "x\\"),
        ] {
            assert_eq!(unquoted(written), read, "{written}");
        }
    }
}
