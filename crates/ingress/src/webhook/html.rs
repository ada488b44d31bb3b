//! The text of a web page: services were often written for people to look at, too.

/// Elements that begin and end lines.
const LINES: [&str; 17] =
    ["br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "hr", "pre", "blockquote"];
/// Elements that stand apart from those before them in the same line.
const CELLS: [&str; 2] = ["td", "th"];
/// What is no text of the page.
const HIDDEN: [&str; 3] = ["script", "style", "title"];

/// What a page says: without its tags and comments, entities as the characters that they stand for, runs
/// of white space as one space, a new line where the page begins one.
pub(super) fn text(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, sign) = rest.split_at(at);
        push_words(before, &mut out);
        rest = match sign.strip_prefix('<') {
            Some(tag) => after_tag(tag, &mut out),
            None => after_entity(sign, &mut out),
        };
    }
    push_words(rest, &mut out);
    out
}

fn push_words(text: &str, out: &mut String) {
    for c in text.chars() {
        match c.is_whitespace() {
            true if out.is_empty() || out.ends_with([' ', '\n']) => {}
            true => out.push(' '),
            false => out.push(c),
        }
    }
}

/// What follows a tag or a comment whose `<` is behind us; one without an end goes to the end.
fn after_tag<'t>(tag: &'t str, out: &mut String) -> &'t str {
    let end = if tag.starts_with("!--") { "-->" } else { ">" };
    let (inside, rest) = tag.split_once(end).unwrap_or((tag, ""));
    let name: String = inside.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
    let is_one_of = |names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(&name));
    if is_one_of(&CELLS) {
        push_words(" ", out);
    }
    if is_one_of(&LINES) {
        while out.ends_with(' ') {
            out.pop();
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    }
    match HIDDEN.iter().find(|hidden| hidden.eq_ignore_ascii_case(&name)) {
        Some(hidden) if !inside.starts_with('/') => after_end_of(hidden, rest),
        _ => rest,
    }
}

/// What follows `</name>`.
fn after_end_of<'t>(name: &str, text: &'t str) -> &'t str {
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once("</") {
        rest = tag;
        if tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return tag.split_once('>').map_or("", |(_, rest)| rest);
        }
    }
    ""
}

/// What follows an entity; `&` stands for itself where none begins.
fn after_entity<'t>(text: &'t str, out: &mut String) -> &'t str {
    let body = text.strip_prefix('&').unwrap_or(text);
    // The longest that is known has nine signs: `#1114111;`.
    let end = body.char_indices().take(10).find(|(_, c)| *c == ';').map(|(at, _)| at);
    let known = end.and_then(|end| Some((character(body.get(..end)?)?, body.get(end + 1..)?)));
    let (sign, rest) = known.unwrap_or(('&', body));
    out.push(sign);
    rest
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "euro" => '€',
        "pound" => '£',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| !c.is_control() || *c == '\n')?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_it_says() {
        for (page, said) in [
            ("<html>\n<head><title>x</title></head><body>Hello\n  <b>you</b>!</body></html>", "Hello you!"),
            ("one<br/>two<BR>three<p>four</p>", "one\ntwo\nthree\nfour\n"),
            ("a &amp; b &lt;c&gt; &#8364; &#x20ac; &euro; &nope; & x &#0; &;", "a & b <c> € € € &nope; & x &#0; &;"),
            (
                "<h1>Times</h1>Bus<table><tr><th>from<th>to</tr><tr><td>Bern</td><td>Basel</td></tr></table>late",
                "Times\nBus\nfrom to\nBern Basel\nlate",
            ),
            ("a<ul><li>b<li>c</ul>d<hr>e<pre>f</pre>g<blockquote>h</blockquote>i", "a\nb\nc\nd\ne\nf\ng\nh\ni"),
            ("<!-- <b>no --> yes <script>if (a < b) { '</b>' }</script>!", "yes !"),
            ("1 < 2", "1 "),
            ("<", ""),
            ("plain", "plain"),
            ("<style>x", ""),
        ] {
            assert_eq!(text(page), said, "{page}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read(page in "[<>&;#/a-zé! -]{0,40}") {
            let _ = text(&page);
        }
    }
}
