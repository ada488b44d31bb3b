//! Regular expressions that are lists of beginnings in disguise: `^44`, `^\+?4[49]\d+$`, `^(stop|end)`.
//!
//! Resources have lists of prefixes, words and senders instead of regular expressions. What can be
//! written as such a list is; all else is refused.

/// Alternatives that one expression may stand for.
const ALTERNATIVES_MAX: usize = 1000;

/// What an expression asks for behind its beginnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Anything.
    Open,
    /// The end.
    End,
    /// A number of characters, which a list of beginnings does not look at.
    Counted,
    /// The end of a word.
    Word,
}

/// The beginnings that an expression stands for, and what it asks for behind them. `anchored` says
/// that it is matched at the beginning even without `^`.
pub fn beginnings(expression: &str, anchored: bool) -> Option<(Vec<String>, Tail)> {
    let expression = expression.strip_prefix("(?i)").unwrap_or(expression);
    let mut all: Option<(Vec<String>, Tail)> = None;
    for branch in branches(expression)? {
        let branch = match branch.strip_prefix('^') {
            Some(rest) => rest,
            None if anchored => branch,
            None => return None,
        };
        let (mut texts, tail) = sequence(branch)?;
        match &mut all {
            None => all = Some((texts, tail)),
            Some((known, of)) if *of == tail => known.append(&mut texts),
            Some(_) => return None,
        }
        if all.as_ref().is_some_and(|(texts, _)| texts.len() > ALTERNATIVES_MAX) {
            return None;
        }
    }
    let (mut texts, tail) = all?;
    let mut seen = std::collections::BTreeSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    Some((texts, tail))
}

/// The digits that recipients' numbers begin with, as routes have them: `+44` and `0044` are `44`.
/// `None` for what is no beginning of an international number.
pub fn international(prefix: &str) -> Option<String> {
    let digits = prefix.strip_prefix('+').or_else(|| prefix.strip_prefix("00")).unwrap_or(prefix);
    let sound =
        (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    sound.then(|| digits.to_owned())
}

/// The prefixes of numbers that an expression stands for, and what it asks for behind them.
pub fn prefixes(expression: &str, anchored: bool) -> Option<(Vec<String>, Tail)> {
    let (texts, tail) = beginnings(expression, anchored)?;
    let mut prefixes: Vec<String> = texts.iter().map(|text| international(text)).collect::<Option<_>>()?;
    prefixes.sort();
    prefixes.dedup();
    Some((prefixes, tail))
}

/// Splits at `|` outside of parentheses and brackets.
fn branches(expression: &str) -> Option<Vec<&str>> {
    let (mut parts, mut depth, mut from, mut escaped, mut class) = (Vec::new(), 0_usize, 0, false, false);
    for (at, c) in expression.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' => class = false,
            _ if class => {}
            '[' => class = true,
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            '|' if depth == 0 => {
                parts.push(&expression[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&expression[from..]);
    (depth == 0 && !escaped && !class).then_some(parts)
}

/// Reads items up to a tail, and multiplies their alternatives out.
fn sequence(text: &str) -> Option<(Vec<String>, Tail)> {
    let (mut rest, mut texts) = (text, vec![String::new()]);
    loop {
        if let Some(tail) = tail(rest) {
            return Some((texts, tail));
        }
        let (mut alternatives, after) = item(rest)?;
        rest = after;
        if let Some(after) = rest.strip_prefix('?') {
            alternatives.push(String::new());
            rest = after;
        }
        if rest.starts_with(['*', '+', '{', '?']) || texts.len() * alternatives.len() > ALTERNATIVES_MAX {
            return None;
        }
        let with = |head: &String| alternatives.iter().map(|end| format!("{head}{end}")).collect::<Vec<_>>();
        texts = texts.iter().flat_map(with).collect();
    }
}

/// The alternatives of the first item: a character, `[…]` or `(…)`.
fn item(text: &str) -> Option<(Vec<String>, &str)> {
    let mut chars = text.chars();
    match chars.next()? {
        '\\' => {
            let literal = chars.next().filter(|c| !c.is_alphanumeric())?;
            Some((vec![literal.to_string()], chars.as_str()))
        }
        '[' => {
            let (class, rest) = chars.as_str().split_once(']')?;
            Some((class_of(class)?, rest))
        }
        '(' => {
            let inside = chars.as_str().strip_prefix("?:").unwrap_or(chars.as_str());
            let (group, rest) = inside.split_once(')')?;
            if group.contains('(') {
                return None;
            }
            let mut alternatives = Vec::new();
            for branch in group.split('|') {
                match sequence(branch)? {
                    (texts, Tail::Open) if !ends_open(branch) => alternatives.extend(texts),
                    _ => return None,
                }
            }
            Some((alternatives, rest))
        }
        c if c.is_alphanumeric() || " -_#@!".contains(c) => Some((vec![c.to_string()], chars.as_str())),
        _ => None,
    }
}

/// Does a branch go on with anything, and not just end?
fn ends_open(branch: &str) -> bool {
    branch.ends_with(['*', '+', '.']) && !branch.ends_with("\\+") && !branch.ends_with("\\.")
}

/// The characters of `[…]`, ranges of digits included.
fn class_of(class: &str) -> Option<Vec<String>> {
    let chars: Vec<char> = class.chars().collect();
    let mut members = Vec::new();
    let mut at = 0;
    while let Some(first) = chars.get(at) {
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('-'), Some(last)) if first.is_ascii_digit() && last.is_ascii_digit() && first <= last => {
                members.extend((*first..=*last).map(String::from));
                at += 3;
            }
            _ if first.is_ascii_alphanumeric() || "+ ".contains(*first) => {
                members.push(first.to_string());
                at += 1;
            }
            _ => return None,
        }
    }
    (!members.is_empty()).then_some(members)
}

/// What the rest of an expression asks for, if it is nothing but a tail.
fn tail(rest: &str) -> Option<Tail> {
    let body = rest.strip_suffix('$').unwrap_or(rest);
    match body {
        "" if rest.is_empty() => return Some(Tail::Open),
        "" => return Some(Tail::End),
        ".*" | ".+" | "\\d*" | "\\d+" | "[0-9]*" | "[0-9]+" | "[\\d]*" | "[\\d]+" | "(.*)" | "(.+)" => {
            return Some(Tail::Open);
        }
        "\\b" | "\\b.*" | "\\s" | "\\s.*" | "\\s+" | "\\s+.*" | "( .*)?" | "(\\s.*)?" | "(\\s+.*)?" | "[ ]*"
        | "\\s*" => {
            return Some(Tail::Word);
        }
        _ => {}
    }
    let counted = [".", "\\d", "[0-9]", "[\\d]"].iter().find_map(|unit| body.strip_prefix(unit))?;
    let numbers = counted.strip_prefix('{')?.strip_suffix('}')?;
    numbers.bytes().all(|b| b.is_ascii_digit() || b == b',').then_some(Tail::Counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expression: &str) -> Option<(Vec<String>, Tail)> {
        prefixes(expression, true)
    }

    #[test]
    fn lists_of_prefixes_are_recognised() {
        let digits = |list: &[&str], tail| Some((list.iter().map(ToString::to_string).collect(), tail));
        assert_eq!(of("^44"), digits(&["44"], Tail::Open));
        assert_eq!(of(r"^\+?44\d+$"), digits(&["44"], Tail::Open));
        assert_eq!(of(r"^(\+|00)?44"), digits(&["44"], Tail::Open));
        assert_eq!(of("^(44|49)[0-9]*"), digits(&["44", "49"], Tail::Open));
        assert_eq!(of("^4[4-6]|^33"), digits(&["33", "44", "45", "46"], Tail::Open));
        assert_eq!(of(r"^447\d{9}$"), digits(&["447"], Tail::Counted));
        assert_eq!(of("^85111$"), digits(&["85111"], Tail::End));
        for none in ["", ".*", "^", "^0", "^44+", "^44*", "44(", "^(44|", "^[^4]", r"^\d{3}", "^4[4-", "^(4.*|5)", "\\"]
        {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(prefixes("44", false), None, "it matches in the middle too");
    }

    #[test]
    fn words_and_names_are_recognised() {
        let (words, tail) = beginnings(r"(?i)^(stop|end)\b", true).unwrap();
        assert_eq!((words.join(" ").as_str(), tail), ("stop end", Tail::Word));
        assert_eq!(beginnings("^SHOP$", true).unwrap(), (vec!["SHOP".to_owned()], Tail::End));
        assert_eq!(beginnings("^[0-9]{1,2}[0-9]{1,2}", true), None);
        assert_eq!(beginnings(&"[0-9]".repeat(9), true), None, "too many");
    }
}
