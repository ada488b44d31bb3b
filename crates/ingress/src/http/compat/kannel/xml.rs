//! The body of a `text/xml` POST: `<message><submit>…`.

use roxmltree::{Document, Node, ParsingOptions};

use super::super::fields::{decoded, unhex};
use super::given::{Given, header_octets, number};

/// Elements of a document; more are refused.
const NODES_MAX: u32 = 100_000;

/// Reads a document; one that can't be read gave nothing, not even a user.
pub(super) fn read(body: &[u8]) -> Given {
    let Some(text) = text_of(body) else { return Given::default() };
    // A document type is common in these; nothing is fetched for it, and its entities are bounded.
    let options = ParsingOptions { nodes_limit: NODES_MAX, allow_dtd: true, ..ParsingOptions::default() };
    let Ok(document) = Document::parse_with_options(&text, options) else { return Given::default() };
    let Some(submit) = child(document.root(), "message").and_then(|message| child(message, "submit")) else {
        return Given::default();
    };
    let at = |path: &str| path.split('/').try_fold(submit, child);
    let value = |path: &str| Some(content(at(path)?));
    let figure = |path: &str| number(&value(path)?);
    let recipients = children(submit, "da").flat_map(|da| children(da, "number")).map(content);
    let recipients: Vec<String> = recipients.filter(|number| !number.is_empty()).collect();
    Given {
        username: value("from/username").or_else(|| value("from/user")),
        password: value("from/password").or_else(|| value("from/pass")),
        to: None,
        to_list: Some(recipients).filter(|recipients| !recipients.is_empty()),
        from: value("oa/number"),
        text: at("ud").map(|ud| user_data(&content(ud))).unwrap_or_default(),
        charset: None,
        udh: value("udh").map(|udh| header_octets(udh.as_bytes())),
        smsc: value("smsc").or_else(|| value("to")),
        account: value("from/account"),
        binfo: value("from/binfo"),
        meta_data: value("meta-data"),
        dlr_url: value("statusrequest/dlr-url"),
        dlr_mask: figure("statusrequest/dlr-mask"),
        mclass: figure("dcs/mclass"),
        mwi: figure("dcs/mwi"),
        coding: figure("dcs/coding"),
        compress: figure("dcs/compress"),
        pid: figure("pid"),
        alt_dcs: figure("dcs/alt-dcs"),
        rpi: figure("rpi"),
        validity: figure("vp/delay"),
        deferred: figure("timing/delay"),
        priority: figure("priority"),
    }
}

/// The text of the document, whose own declaration says how it is encoded.
fn text_of(body: &[u8]) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(body) {
        return Some(text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).to_owned());
    }
    let head = String::from_utf8_lossy(body.get(..body.len().min(200))?).into_owned();
    let declared = head.split_once("encoding=")?.1;
    let quote = declared.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = declared.get(1..)?.split(quote).next()?;
    super::super::charset::text(body, Some(name)).ok()
}

/// The user data is hexadecimal, or percent-encoded.
fn user_data(text: &str) -> Vec<u8> {
    unhex(text.as_bytes()).unwrap_or_else(|| decoded(text.as_bytes()))
}

fn child<'d, 'i>(node: Node<'d, 'i>, name: &str) -> Option<Node<'d, 'i>> {
    children(node, name).next()
}

fn children<'d, 'i: 'd, 'n>(node: Node<'d, 'i>, name: &'n str) -> impl Iterator<Item = Node<'d, 'i>> + use<'d, 'i, 'n> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// An element's text, without blanks around it.
fn content(node: Node<'_, '_>) -> String {
    let text: String = node.children().filter_map(|child| child.text().filter(|_| child.is_text())).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE message SYSTEM "http://www.kannel.org/dtd/sms.dtd">
        <message>
          <submit>
            <da><number>447700900123</number></da>
            <da><number> 447700900124 </number></da>
            <oa><number>Shop</number></oa>
            <from><user>tester</user><pass>foo&amp;bar</pass><account>acc</account><binfo>b</binfo></from>
            <ud>h%E9llo+there</ud>
            <udh>050003070201</udh>
            <dcs><mclass>1</mclass><coding>0</coding><mwi>-1</mwi><alt-dcs>1</alt-dcs></dcs>
            <pid>65</pid><rpi>1</rpi>
            <statusrequest><dlr-mask>31</dlr-mask><dlr-url>http://x/?a=%d&amp;b=%p</dlr-url></statusrequest>
            <vp><delay>10</delay></vp><timing><delay>5</delay></timing>
            <priority>2</priority><to>smsc-a</to><meta-data>?g?k=v</meta-data>
          </submit>
        </message>"#;

    #[test]
    fn a_document_is_read() {
        let text = |text: &str| Some(text.to_owned());
        let expected = Given {
            username: text("tester"),
            password: text("foo&bar"),
            to_list: Some(vec!["447700900123".into(), "447700900124".into()]),
            from: text("Shop"),
            text: b"h\xe9llo there".to_vec(),
            udh: Some(vec![5, 0, 3, 7, 2, 1]),
            smsc: text("smsc-a"),
            account: text("acc"),
            binfo: text("b"),
            meta_data: text("?g?k=v"),
            dlr_url: text("http://x/?a=%d&b=%p"),
            dlr_mask: Some(31),
            mclass: Some(1),
            coding: Some(0),
            alt_dcs: Some(1),
            pid: Some(65),
            rpi: Some(1),
            validity: Some(10),
            deferred: Some(5),
            priority: Some(2),
            ..Given::default()
        };
        assert_eq!(read(EXAMPLE.as_bytes()), expected);
    }

    #[test]
    fn what_is_no_such_document_gave_nothing() {
        for text in ["", "<", "<a/>", "<message/>", "<message><submit>", "\u{feff}", "no xml"] {
            assert_eq!(read(text.as_bytes()), Given::default(), "{text}");
        }
        let billion = "<!DOCTYPE m [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><message>&b;</message>";
        assert_eq!(read(billion.as_bytes()), Given::default());
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets: Vec<u8>, text in "(<message>|<submit>|<da>|</?number>|&amp;|&|x|<ud>){0,20}") {
            read(&octets);
            read(text.as_bytes());
        }
    }
}
