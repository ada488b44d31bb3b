//! What stands behind the colon of an answer: values with commas between them, some in quotes, some in
//! brackets (3GPP 27.007 §4). Modems forget quotes and put spaces where they like.

/// The text behind `prefix` and its colon, if the line begins so.
pub(crate) fn after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let (name, rest) = line.trim_start().split_once(':')?;
    name.trim_end().eq_ignore_ascii_case(prefix).then(|| rest.trim())
}

/// Values, without their quotes and the spaces round them. Commas within quotes or brackets divide
/// nothing; a quote or bracket that is never closed is none.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut from = 0;
    while from <= text.len() {
        let rest = text.get(from..).unwrap_or_default();
        let end = end_of(rest);
        fields.push(unquoted(rest.get(..end).unwrap_or_default()));
        from += end + 1;
    }
    fields
}

/// A value without spaces and quotes round it.
pub(crate) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

/// Lists such as `(0-2),(1,3)`: the numbers of each, at most 64 of them.
pub(crate) fn ranges(text: &str) -> Vec<Vec<u8>> {
    lists(text).iter().map(|list| numbers(list)).collect()
}

/// Lists such as `("SM","ME"),("SM")`: the words of each.
pub(crate) fn words(text: &str) -> Vec<Vec<String>> {
    // Wavecom puts brackets round the whole.
    let inner = text.trim().strip_prefix("((").map(|rest| format!("({rest}"));
    let lists = lists(inner.as_deref().unwrap_or(text)).into_iter();
    let word =
        |word: &str| word.trim_matches(|c: char| c == '"' || c == '(' || c == ')' || c.is_whitespace()).to_owned();
    let words = |list: &str| list.split(',').map(word).filter(|word| !word.is_empty()).collect();
    lists.map(words).collect()
}

fn lists(text: &str) -> Vec<&str> {
    let mut lists = Vec::new();
    let mut rest = text;
    while let Some((before, list)) = rest.split_once('(') {
        // A number without brackets is a list of itself.
        lists.extend(before.split(',').map(str::trim).filter(|bare| !bare.is_empty() && lists_alone(bare)));
        let (list, after) = list.split_once(')').unwrap_or((list, ""));
        lists.push(list);
        rest = after;
    }
    lists
}

fn lists_alone(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'-')
}

fn numbers(list: &str) -> Vec<u8> {
    let mut numbers = Vec::new();
    for item in list.split(',') {
        let (from, to) = item.split_once('-').unwrap_or((item, item));
        if let (Ok(from), Ok(to)) = (from.trim().parse::<u8>(), to.trim().parse::<u8>()) {
            numbers.extend((from..=to).take(64));
        }
        numbers.truncate(64);
    }
    numbers
}

fn end_of(text: &str) -> usize {
    let closed = |quote: bool, depth: usize| !quote && depth == 0;
    let (mut quote, mut depth) = (false, 0usize);
    for (at, character) in text.char_indices() {
        match character {
            '"' => quote = !quote,
            '(' if !quote => depth += 1,
            ')' if !quote => depth = depth.saturating_sub(1),
            ',' if closed(quote, depth) => return at,
            _ => {}
        }
    }
    if closed(quote, depth) {
        return text.len();
    }
    text.find(',').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_at_commas() {
        assert_eq!(split("1,\"a,b\", 3"), ["1", "a,b", "3"]);
        assert_eq!(split("0,,28"), ["0", "", "28"]);
        assert_eq!(split("2,1,\"5E25"), ["2", "1", "5E25"]);
        assert_eq!(split("(1,2),3"), ["(1,2)", "3"]);
        assert_eq!(split(""), [""]);
        assert_eq!(after("+CREG : 0,1", "+creg"), Some("0,1"));
        assert_eq!(after("+CREGX: 0,1", "+CREG"), None);
    }

    #[test]
    fn test_answers_are_lists() {
        assert_eq!(ranges("(0-3),(0,2-3), (0),1"), [vec![0, 1, 2, 3], vec![0, 2, 3], vec![0]]);
        assert_eq!(ranges("(2),(0-1,3),(0,2),(0-1),(0)").len(), 5);
        assert_eq!(ranges("(0-255)").concat().len(), 64);
        assert_eq!(words("(\"SM\",\"ME\"), (\"SM\",\"ME\"), (\"SM\")")[0], ["SM", "ME"]);
        assert_eq!(words("(ME\", \"SR\"), (\"ME\")"), [vec!["ME", "SR"], vec!["ME"]]);
        assert_eq!(words("((\"SM\",\"BM\",\"SR\"),(\"SM\"))"), [vec!["SM", "BM", "SR"], vec!["SM"]]);
        assert_eq!(words("(),(),()"), vec![Vec::<String>::new(); 3]);
    }
}
