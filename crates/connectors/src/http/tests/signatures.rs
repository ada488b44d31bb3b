//! Whose calls they are.

use engine::dispatch::Incoming;
use engine::{CarrierCall, CarrierDenied};

use super::calls::{FORM, JSON, called};
use super::*;

const SECRET: &str = "sixteen-letters-long";

/// A call of the provider of this connector, at this moment.
fn at(connector: &str, now: Timestamp, headers: &[(&str, &str)], body: &str) -> Result<Vec<Incoming>, CarrierDenied> {
    let text = format!(
        "id = 'c'\nprotocol = 'http'\naddress = 'https://x'\nhttp = {{ {connector}, callback = {{ url = \
         'https://sms.example', secret = '{SECRET}' }} }}"
    );
    let call = CarrierCall {
        connector: "c".into(),
        secret: SECRET.into(),
        query: "".into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), value.as_bytes().into())).collect(),
        body: body.into(),
        remote: [127, 0, 0, 1].into(),
    };
    Api::compile(&toml::from_str(&text).unwrap()).unwrap().reader.called(&call, now)
}

/// What a published example of Sinch's has: its body, and its signature by the secret `foo_secret1234`.
const SINCH: &str = r#"{"app_id":"","accepted_time":"2021-10-18T17:49:13.813615Z","project_id":"e2df3a34-a71b-4448-9db5-a8d2baad28e4","contact_create_notification":{"contact":{"id":"01FJA8B466Y0R2GNXD78MD9SM1","channel_identities":[{"channel":"SMS","identity":"48123456789","app_id":""}],"display_name":"New Test Contact","email":"new.contact@email.com","external_id":"","metadata":"","language":"EN_US"}},"message_metadata":""}"#;

#[test]
fn sinch_signs_body_nonce_and_time() {
    let made = Timestamp::from_millis(1_634_579_353_000);
    let good = [
        JSON,
        ("x-sinch-webhook-signature-timestamp", "1634579353"),
        ("x-sinch-webhook-signature-nonce", "01FJA8B4A7BM43YGWSG9GBV067"),
        ("x-sinch-webhook-signature-algorithm", "HmacSHA256"),
        ("x-sinch-webhook-signature", "6bpJoRmFoXVjfJIVglMoJzYXxnoxRujzR4k2GOXewOE="),
    ];
    let sinch = |more: &str| {
        format!("preset = 'sinch', secrets = {{ webhook = 'foo_secret1234' }}, signature = {{ check = true{more} }}")
    };
    let aged = sinch(", max_age_seconds = 300");
    assert_eq!(at(&sinch(""), NOW, &good, SINCH), Ok(vec![]), "it may be of any age");
    for (seconds, is_fresh) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
        let told = at(&aged, made.plus_seconds(seconds), &good, SINCH);
        assert_eq!(told.is_ok(), is_fresh, "{seconds} s: {told:?}");
    }
    // A call that was seen once is not made young again by another time, for that is signed.
    let mut later = good;
    later[1].1 = "1634580353";
    assert_eq!(at(&aged, made.plus_seconds(1000), &later, SINCH), Err(CarrierDenied::Signature));
    assert_eq!(at(&aged, made, &good[..4], SINCH), Err(CarrierDenied::Signature));
    assert_eq!(at(&aged, made, &good, &SINCH.replace("New", "Old")), Err(CarrierDenied::Signature));
}

/// HMAC-SHA256 with the key `signature-secret`, and the claims that Vonage documents: iat 1795378400, jti, iss,
/// payload_hash (the SHA-256 of `BODY`), api_key, application_id.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3OTUzNzg0MDAsImp0aSI6ImM1YmE4ZjI0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjMyMTM4YjY0NzVjNGM0YjU1YjI0YjU2MjBlOTJjZGNmMzI2ZDQ0ZDcyZjVjNDI1MzVlMGQyZTg2NWFmNWI1YzciLCJhcGlfa2V5IjoiYTFiMmMzZCIsImFwcGxpY2F0aW9uX2lkIjoiYWFhYWFhYWEtYmJiYi1jY2NjLWRkZGQtMDEyMzQ1Njc4OWFiIn0.YUeaKCfX-ZfrAScPEi_UmmY3HZ9VOdVnmK7URgk4pWY";
const BODY: &str = r#"{"message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab","status":"delivered"}"#;

fn vonage(more: &str) -> String {
    format!(
        "send = {{}}, receipt = {{ id = '/message_uuid', state = '/status', states = {{ delivered = 'delivered' }} }}, \
         signature = {{ algorithm = 'jwt-hs256', key = '{{secret:s}}'{more} }}, secrets = {{ s = 'signature-secret' }}"
    )
}

/// A token with these claims, by that key.
fn token(head: &str, claims: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"signature-secret");
    format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, signed.as_bytes())))
}

#[test]
fn tokens_are_good_for_their_own_body_only() {
    let bearer = format!("Bearer {TOKEN}");
    let with = |header: &str, body: &str| at(&vonage(""), NOW, &[JSON, ("authorization", header)], body);
    assert_eq!(with(&bearer, BODY).map(|told| told.len()), Ok(1));
    assert_eq!(with(TOKEN, BODY).map(|told| told.len()), Ok(1));
    assert_eq!(with(&bearer, &BODY.replace("delivered", "rejected")), Err(CarrierDenied::Signature));
    let aged = |now| at(&vonage(", max_age_seconds = 300"), now, &[JSON, ("authorization", &bearer)], BODY).is_ok();
    let made = Timestamp::from_millis(1_795_378_400_000);
    assert!(aged(made) && aged(made.plus_seconds(300)) && !aged(made.plus_seconds(301)));

    const HEAD: &str = r#"{"alg":"HS256"}"#;
    let hash = "32138b6475c4c4b55b24b5620e92cdcf326d44d72f5c42535e0d2e865af5b5c7";
    let claims = |more: &str| format!("{{\"payload_hash\":\"{hash}\"{more}}}");
    let now = NOW.as_seconds();
    assert!(with(&token(HEAD, &claims("")), BODY).is_ok());
    assert!(with(&token(HEAD, &claims(&format!(",\"exp\":{},\"nbf\":{}.5", now, now))), BODY).is_ok());
    for bad in [
        token(r#"{"alg":"none"}"#, &claims("")),
        token(r#"{"alg":"HS512"}"#, &claims("")),
        token(HEAD, "{}"),
        token(HEAD, "7"),
        token(HEAD, &claims(&format!(",\"exp\":{}", now - 61))),
        token(HEAD, &claims(&format!(",\"nbf\":{}", now + 61))),
        token(HEAD, &claims(",\"exp\":\"never\"")),
        token(HEAD, &claims(&format!(",\"jti\":\"{}\"", "x".repeat(8000)))),
        format!("Basic {TOKEN}"),
        TOKEN.replace(".YUea", ".YUeb"),
        TOKEN.rsplit_once('.').unwrap().0.into(),
        ".".into(),
        "..".into(),
    ] {
        assert_eq!(with(&bad, BODY), Err(CarrierDenied::Signature), "{bad}");
    }
    assert_eq!(
        at(&vonage(", max_age_seconds = 300"), NOW, &[JSON, ("authorization", &token(HEAD, &claims("")))], BODY),
        Err(CarrierDenied::Signature),
        "it does not say when it was made"
    );
    // Vonage may fail to sign, and calls again after a 5xx.
    assert_eq!(at(&vonage(""), NOW, &[JSON], BODY), Err(CarrierDenied::Later));
}

#[test]
fn what_a_signature_does_not_cover_is_not_read() {
    let android = ", signature = { check = true }";
    // printf '{}1700000000' | openssl dgst -sha256 -hmac key
    let signature = "93800482ca289ca2ab5ad69bbb6a631e6a997ad0fb659f5edfb80f566fc07457";
    let signed = [JSON, ("x-timestamp", "1700000000"), ("x-signature", signature)];
    let forged = "event=sms:received";
    assert_eq!(called("android-sms-gateway", android, forged, &signed, "{}"), Ok(vec![]));
    let own = ", message = { when = { at = '/event' }, from = '/event', to = '', text = '/event' }";
    let told = |signed: &str| called("android-sms-gateway", &format!("{signed}{own}"), forged, &[JSON], "{}");
    assert_eq!(told(", signature = { check = false }").map(|told| told.len()), Ok(1));
    let told = called("android-sms-gateway", &format!("{android}{own}"), forged, &signed, "{}");
    assert_eq!(told, Ok(vec![]));
}

#[test]
fn signatures_are_held_against_what_was_signed() {
    // The example of the documents' helper libraries: token 12345, this URL, these parameters.
    let twilio = "preset = 'twilio', callback = { url = 'https://mycompany.com', secret = 'sixteen-letters-long' }";
    let text = format!(
        "id = 'c'\nprotocol = 'http'\naddress = 'https://x'\nsystem_id = 'AC'\npassword = '12345'\nhttp = {{ {twilio} }}"
    );
    let mut example = Api::compile(&toml::from_str(&text).unwrap()).unwrap();
    example.reader.calls.url = "https://mycompany.com/myapp.php".into();
    let form = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
    let call = |signature: &str, form: &str| CarrierCall {
        connector: "c".into(),
        secret: "sixteen-letters-long".into(),
        query: "foo=1&bar=2".into(),
        headers: vec![
            (FORM.0.into(), FORM.1.as_bytes().into()),
            ("x-twilio-signature".into(), signature.as_bytes().into()),
        ],
        body: form.into(),
        remote: [127, 0, 0, 1].into(),
    };
    let good = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    assert!(example.reader.called(&call(good, form), NOW).is_ok());
    assert_eq!(
        example.reader.called(&call(good, &form.replace("1234&", "1235&")), NOW).err(),
        Some(CarrierDenied::Signature)
    );
    assert_eq!(
        example.reader.called(&call("RSOYDt4T1cUTdK1PDd93/VVr8B9=", form), NOW).err(),
        Some(CarrierDenied::Signature)
    );
    assert_eq!(example.reader.called(&call("", form), NOW).err(), Some(CarrierDenied::Signature));
    let wrong = CarrierCall { secret: "another".into(), ..call(good, form) };
    assert_eq!(example.reader.called(&wrong, NOW).err(), Some(CarrierDenied::Unknown));

    let android = ", signature = { check = true }";
    // printf '{}1700000000' | openssl dgst -sha256 -hmac key
    let signed = [
        JSON,
        ("x-timestamp", "1700000000"),
        ("x-signature", "93800482ca289ca2ab5ad69bbb6a631e6a997ad0fb659f5edfb80f566fc07457"),
    ];
    assert!(called("android-sms-gateway", android, "", &signed, "{}").is_ok());
    assert_eq!(called("android-sms-gateway", android, "", &signed[..2], "{}").err(), Some(CarrierDenied::Signature));
}

#[test]
fn ed25519_signatures_of_calls_are_held_against_the_public_key() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    assert_eq!(STANDARD.encode(pair.public_key().as_ref()), PUBLIC_KEY);
    let signature = STANDARD.encode(pair.sign(b"1700000000|{}").as_ref());
    let with = |body: &str| {
        let headers = [JSON, ("telnyx-timestamp", "1700000000"), ("telnyx-signature-ed25519", &signature)];
        called("telnyx", ", signature = { check = true }", "", &headers, body)
    };
    assert_eq!(with("{}"), Ok(vec![]));
    assert_eq!(with("{ }"), Err(CarrierDenied::Signature));
}
