//! Regular expressions of operators: linear in the text, and limited in what they may take.

use regex::{Regex, RegexBuilder};

use crate::error::RuleProblem;

/// Most characters of a pattern, and of what replaces its match.
pub(crate) const PATTERN_MAX: usize = 1000;
/// Octets that a compiled pattern may take.
const PROGRAM_OCTETS: usize = 1 << 20;
/// Octets of its cache of states, for each thread that uses it.
const CACHE_OCTETS: usize = 1 << 20;
/// How deep its groups may lie.
const NESTING: u32 = 50;

/// Compiles `pattern`.
pub(crate) fn compile(pattern: &str) -> Result<Regex, RuleProblem> {
    if pattern.chars().count() > PATTERN_MAX {
        return Err(RuleProblem::TooLong(PATTERN_MAX));
    }
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(PROGRAM_OCTETS).dfa_size_limit(CACHE_OCTETS).nest_limit(NESTING);
    builder.build().map_err(|error| {
        // The library draws the pattern with an arrow below it, over several lines; its last says why.
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default().trim();
        RuleProblem::Pattern(why.strip_prefix("error: ").unwrap_or(why).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_much_is_refused_with_the_reason() {
        assert!(compile("(?i)^code[: ]+\\d{4,8}$").unwrap().is_match("Code: 482913"));
        for (pattern, part) in [("(", "unclosed group"), ("(\\w{100}){100}", "exceeds size limit"), ("(?=x)", "look")] {
            let told = compile(pattern).unwrap_err().to_string();
            assert!(told.contains(part) && !told.contains('\n'), "{told}");
        }
        assert_eq!(compile(&"x".repeat(1001)).unwrap_err(), RuleProblem::TooLong(PATTERN_MAX));
        assert!(compile(&"(".repeat(60).replace('(', "(?:")).is_err());
    }
}
