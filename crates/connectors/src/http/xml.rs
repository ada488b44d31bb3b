//! XML as something to look things up in (XML 1.0, fifth edition). Pure.
//!
//! A document becomes a tree of JSON: an element is an object whose attributes are strings under `@name`, whose text
//! is the string under the empty name, and whose children are arrays under their names, without prefixes. There are
//! no entities but those that XML knows itself, for a document type is refused.

use model::resources::http::place::XmlPath;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

/// Elements within elements.
const DEPTH_MAX: usize = 64;
/// Elements and attributes of one document.
const NODES_MAX: usize = 50_000;

type Fields = Map<String, Value>;

/// The tree of a document; `None` if it is none, or too deep or too long.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open: Vec<(String, Fields)> = vec![Default::default()];
    let mut nodes = 0;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) if open.len() <= DEPTH_MAX => open.push(element(&tag, &mut nodes)?),
            Event::Start(_) | Event::DocType(_) => return None,
            Event::Empty(tag) => {
                let (name, fields) = element(&tag, &mut nodes)?;
                hang(&mut open.last_mut()?.1, name, fields);
            }
            Event::End(_) => {
                let (name, fields) = open.pop()?;
                hang(&mut open.last_mut()?.1, name, fields);
            }
            Event::Text(text) => say(&mut open, &text.xml10_content()),
            Event::CData(text) => say(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => say(&mut open, referred(&reference)?.encode_utf8(&mut [0; 4])),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    let (_, root) = open.pop().filter(|_| open.is_empty())?;
    (root.len() == 1).then_some(Value::Object(root))
}

/// What stands at a path below `from`: the first that is there.
pub(super) fn find<'v>(from: &'v Value, path: &XmlPath) -> Option<&'v str> {
    let key = path.attribute.as_ref().map_or_else(String::new, |name| format!("@{name}"));
    below(from, &path.steps, &mut |element| element.get(&key)?.as_str())
}

/// Is there something at a path below `from`, be it nothing but an empty element?
pub(super) fn is_there(from: &Value, path: &XmlPath) -> bool {
    let key = path.attribute.as_ref().map(|name| format!("@{name}"));
    below(from, &path.steps, &mut |element| key.as_ref().is_none_or(|key| element.get(key).is_some()).then_some(()))
        .is_some()
}

/// Every element at a path below `from`, in the order of their parents and then of their own.
pub(super) fn all<'v>(from: &'v Value, path: &XmlPath) -> Vec<&'v Value> {
    let mut found = Vec::new();
    below(from, &path.steps, &mut |element| {
        found.push(element);
        None::<()>
    });
    found
}

/// Goes through all elements at the end of these steps until one is taken.
fn below<'v, T>(from: &'v Value, steps: &[Box<str>], take: &mut impl FnMut(&'v Value) -> Option<T>) -> Option<T> {
    match steps {
        [] => take(from),
        [step, rest @ ..] => from.get(&**step)?.as_array()?.iter().find_map(|child| below(child, rest, take)),
    }
}

fn element(tag: &BytesStart<'_>, nodes: &mut usize) -> Option<(String, Fields)> {
    let mut fields = Fields::new();
    *nodes += 1;
    // To look for attributes that are there twice takes the square of their number; the last one counts.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.ok()?;
        *nodes += 1;
        if *nodes > NODES_MAX {
            return None;
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?;
        fields.insert(format!("@{}", local(attribute.key.0)), Value::String(value.into_owned()));
    }
    (*nodes <= NODES_MAX).then(|| (local(tag.name().0).to_owned(), fields))
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

/// An element has ended: it belongs to its parent.
fn hang(parent: &mut Fields, name: String, mut fields: Fields) {
    if let Some(Value::String(text)) = fields.get_mut("") {
        *text = text.trim().to_owned();
    }
    let list = parent.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(Value::Object(fields));
    }
}

fn say(open: &mut [(String, Fields)], said: &str) {
    // What stands round the outermost element is space.
    if let [_, .., (_, element)] = open
        && let Value::String(text) = element.entry("").or_insert_with(|| Value::String(String::new()))
    {
        text.push_str(said);
    }
}

/// A character that is written as a reference (XML 1.0 §4.1, §4.6).
fn referred(reference: &BytesRef<'_>) -> Option<char> {
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok()?,
    }
}

#[cfg(test)]
mod tests {
    use model::resources::http::place::{Each, Place};
    use proptest::prelude::*;

    use super::*;

    fn at(document: &str, path: &str) -> Option<String> {
        let Place::Xml(path) = Place::parse(path).unwrap() else { panic!("{path}") };
        find(&read(document)?, &path).map(str::to_owned)
    }

    #[test]
    fn elements_and_attributes_are_found_by_their_paths() {
        let document = "\u{feff}<?xml version='1.0'?><!-- x --><s:response xmlns:s='urn:x' v=\"1\">\n  <message id='7' \
                        s:to='+44&amp;1'/> <message id='8'>\n a &lt;b&gt; <![CDATA[<&>]]>&#233;<b>no</b> </message>\
                        <empty></empty></s:response>";
        let found = |path| at(document, path);
        assert_eq!(found("xml:/response@v").as_deref(), Some("1"));
        assert_eq!(found("xml:/response/message@id").as_deref(), Some("7"));
        assert_eq!(found("xml:/response/message@to").as_deref(), Some("+44&1"));
        // The first that there is: the first message says nothing.
        assert_eq!(found("xml:/response/message").as_deref(), Some("a <b> <&>é"));
        assert_eq!(found("xml:/response/message/b").as_deref(), Some("no"));
        assert_eq!([found("xml:/message"), found("xml:/response/empty"), found("xml:/response@x")], [None, None, None]);
        let Each::Xml(each) = Each::parse("xml:/response/message").unwrap() else { panic!("a path") };
        let tree = read(document).unwrap();
        let ids: Vec<_> = all(&tree, &each).iter().map(|one| one["@id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["7", "8"]);
    }

    #[test]
    fn what_is_no_document_or_would_grow_is_none() {
        let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(read(&deep(DEPTH_MAX)).is_some());
        let bomb = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>";
        let many = format!("<a>{}</a>", "<b/>".repeat(NODES_MAX));
        let attributes: String = (0..NODES_MAX).map(|n| format!(" a{n}=''")).collect();
        let attributes = format!("<a{attributes}/>");
        for bad in ["", "x", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a>&b;</a>", "<a>&#x110000;</a>", bomb, outside] {
            assert_eq!(read(bad), None, "{bad}");
        }
        for long in [deep(DEPTH_MAX + 1), deep(100_000), many, attributes] {
            assert_eq!(read(&long), None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(<[a-c]( [a-c]='?[a-c]'?)?/?>|</[a-c]>|&[a-c#0-9]{0,4};|<!\\[CDATA\\[|\\]\\]>|[a-z ]|<\\?|\\PC){0,12}") {
            let _ = read(&text);
            let _ = read(&format!("<a>{text}</a>"));
        }

        #[test]
        fn texts_come_back(text in "\\PC{1,20}") {
            let mut written = Vec::new();
            super::super::escape::write(super::super::escape::Place::Xml, text.as_bytes(), &mut written);
            let written = String::from_utf8(written).unwrap();
            let found = [at(&format!("<a>{written}</a>"), "xml:/a"), at(&format!("<a b=\"{written}\"/>"), "xml:/a@b")];
            prop_assert_eq!(found[0].as_deref().unwrap_or_default(), text.trim());
            prop_assert_eq!(found[1].as_deref(), Some(&*text));
        }
    }
}
