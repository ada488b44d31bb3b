use super::template::{Filter, Name, Piece, Slot, Template, TemplateError};
use super::*;
use crate::resources::{Connector, ResourceSet};

fn connector(toml: &str) -> Connector {
    toml::from_str(&format!("id = 'a'\nprotocol = 'http'\naddress = 'https://api.example'\n{toml}")).unwrap()
}

fn found(toml: &str) -> Vec<String> {
    let set = ResourceSet { connectors: vec![connector(toml)], ..ResourceSet::default() };
    set.faults().iter().map(|fault| format!("{}: {}", fault.field, fault.detail)).collect()
}

#[test]
fn every_preset_is_sound() {
    for preset in preset::ALL {
        let settings = preset.settings();
        assert!(settings.send.is_some(), "{}", preset.name);
        let values: String = ["service_code = '1'"].join("\n");
        let toml = format!(
            "system_id = 'u'\npassword = 'p'\nhttp = {{ preset = '{}', values = {{ {values} }}, callback = {{ url = \
             'https://sms.example', secret = 'sixteen-letters-long' }} }}",
            preset.name
        );
        assert_eq!(found(&toml), Vec::<String>::new(), "{}", preset.name);
    }
}

#[test]
fn templates_are_read() {
    let slot = |name, filters, optional| Piece::Slot(Slot { name, filters, optional });
    assert_eq!(
        Template::parse("a{{b}}{to:plus}{validity_seconds:minutes:raw?}").unwrap().0,
        [
            Piece::Text("a{b}".into()),
            slot(Name::To, vec![Filter::Plus], false),
            slot(Name::Validity, vec![Filter::Minutes, Filter::Raw], true)
        ]
    );
    let choose = vec![Filter::Choose(vec![("gsm7".into(), "text".into()), ("".into(), "x".into())])];
    assert_eq!(Template::parse("{encoding:gsm7=text,=x}").unwrap().0, [slot(Name::Encoding, choose, false)]);
    assert_eq!(Template::parse("{secret:k}").unwrap().0, [slot(Name::Secret("k".into()), vec![], false)]);
    for bad in ["{", "}", "{to", "a}b", "{to{from}}"] {
        assert_eq!(Template::parse(bad), Err(TemplateError::Brace), "{bad}");
    }
    assert_eq!(Template::parse("{tо}"), Err(TemplateError::Unknown("tо".into())));
    assert_eq!(Template::parse("{to:loud}"), Err(TemplateError::Filter("loud".into())));
    assert_eq!(Template::parse("{value:}"), Err(TemplateError::Unknown("value:".into())));
}

#[test]
fn what_differs_is_joined_with_the_preset() {
    let own = connector(
        "http = { preset = 'telnyx', auth = { password = '{secret:x}' }, send = { json = { messaging_profile_id = 'p', \
         webhook_url = '' } } }",
    );
    let whole = own.http.unwrap().resolved().unwrap();
    assert_eq!(whole.auth.as_ref().unwrap().kind, Some(HttpAuthKind::Bearer));
    assert_eq!(whole.auth.unwrap().password.as_deref(), Some("{secret:x}"));
    let json = whole.send.unwrap().json.unwrap();
    assert_eq!((&json["messaging_profile_id"], &json["to"]), (&"p".into(), &"{to:plus}".into()));
}

#[test]
fn faults_say_what_to_do() {
    assert!(found("")[0].starts_with("http: is missing: name a preset"));
    assert!(
        found("http = { preset = 'x' }")[0].contains("there is no preset \"x\"; there are android-sms-gateway, get")
    );
    let bad = "[http.send]\npath = 'x'\nquery = { a = '{nope}', b = '{secret:k}', c = '{body}' }\nform = {}\njson = {}\n\
               headers = { host = 'x', 'a b' = 'x' }";
    let found_there = found(bad);
    assert_eq!(found_there.len(), 7, "{found_there:#?}");
    assert!(found_there.iter().any(|f| f == "http.send.query.b: needs the secret \"k\": add http.secrets.k"));
    let whole = |more: &str| found(&format!("password = 'p'\n[http]\nsend = {{}}\n{more}"));
    assert_eq!(whole("").len(), 0);
    assert_eq!(whole("batch = { most = 5000, at = '/x' }").len(), 3);
    assert_eq!(whole("answer = { id = 'x', errors = [{ status = ['9xx'], body = '(' }] }").len(), 3);
    assert_eq!(whole("callback = { url = 'x', secret = 'short' }\nsignature = { over = '{to}' }").len(), 4);
    let signed = |more: &str| {
        whole(&format!("callback = {{ url = 'https://a', secret = 'sixteen-letters-long' }}\nsignature = {{ {more} }}"))
    };
    assert_eq!(signed("algorithm = 'jwt-hs256', max_age_seconds = 60"), Vec::<String>::new());
    assert_eq!(signed("algorithm = 'jwt-hs256', over = '{body}', max_age_seconds = 0").len(), 2);
    let hmac = "header = 'x-s', over = '{body}', max_age_seconds = 60";
    assert!(signed(hmac)[0].starts_with("http.signature.max_age_seconds: needs signature.timestamp"));
    assert_eq!(signed(&format!("{hmac}, timestamp = '{{header:x-t}}'")), Vec::<String>::new());
    assert_eq!(signed(&format!("{hmac}, timestamp = '{{to}}'")).len(), 1);
    assert_eq!(
        whole("answer = { each = 'xml:a', id = 'xml:/a b', code = 'xml:/a@b@c', reason = 'xml:/a@id' }").len(),
        3
    );
    assert_eq!(whole("message = { each = 'xml:/a@b', from = 'xml:', text = 'xml:@text' }").len(), 1);
    assert_eq!(whole("receipt = {}\nmessage = {}\nquery = {}\npoll = [{}]\nsubscribe = [{}]").len(), 8);
    assert_eq!(whole("auth = { kind = 'hmac' }").len(), 2);
    assert_eq!(whole("auth = { kind = 'oauth2' }").len(), 1);
}

#[test]
fn paths_in_xml_are_read() {
    use super::place::{Each, Place, XmlPath};
    let path = |text: &str| match Place::parse(text) {
        Ok(Place::Xml(XmlPath { steps, attribute })) => (steps.join(" "), attribute.map(String::from)),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(path("xml:/response/data/id"), ("response data id".into(), None));
    assert_eq!(path("xml:/message@id"), ("message".into(), Some("id".into())));
    assert_eq!([path("xml:"), path("xml:@id")], [("".into(), None), ("".into(), Some("id".into()))]);
    for bad in ["xml:a", "xml:/", "xml://a", "xml:/a/", "xml:/a@", "xml:/ns:a", &format!("xml:{}", "/a".repeat(33))] {
        assert!(Place::parse(bad).is_err(), "{bad}");
    }
    assert!(matches!(Each::parse("xml:/list/one"), Ok(Each::Xml(path)) if path.steps.len() == 2));
    assert_eq!(["x", "xml:", "xml:/a@b"].map(|bad| Each::parse(bad).is_err()), [true; 3]);
}

#[test]
fn statuses_fit_by_hundreds() {
    let error = HttpError { status: vec!["429".into(), "5xx".into()], ..HttpError::default() };
    assert!(error.fits_status(429) && error.fits_status(503) && !error.fits_status(428));
    assert!(HttpError::default().fits_status(200));
}
