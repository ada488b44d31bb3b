//! The calls of providers: let in, handed over, answered, and never written down with their secret.

use std::sync::{Arc, Mutex};

use engine::{CarrierCall, CarrierCalls, CarrierDenied, CarrierReply, Engine};

use crate::gateway::Gateway;

/// Keeps what it takes, and answers by what the body says.
#[derive(Debug, Default)]
struct Reader(Mutex<Vec<CarrierCall>>);

#[async_trait::async_trait]
impl CarrierCalls for Reader {
    async fn take(&self, _: &Engine, call: CarrierCall) -> Result<CarrierReply, CarrierDenied> {
        if &*call.secret != "right" {
            return Err(CarrierDenied::Unknown);
        }
        let denied = match &call.body[..] {
            b"unsigned" => Some(CarrierDenied::Signature),
            b"unreadable" => Some(CarrierDenied::Unreadable("no".into())),
            b"later" => Some(CarrierDenied::Later),
            _ => None,
        };
        self.0.lock().unwrap().push(call);
        let reply = CarrierReply { status: 202, content_type: "text/xml".into(), body: "<ok/>".into() };
        denied.map_or(Ok(reply), Err)
    }
}

#[tokio::test]
async fn calls_of_providers_are_handed_over_and_answered() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.get("/carriers/a/right", "").await.status, 404, "nobody reads them");
    let reader = Arc::new(Reader::default());
    gateway.engine.set_carrier_calls(reader.clone());

    let headers = [("content-type", "text/plain"), ("x-signature", "abc")];
    let answer = gateway.call("POST", "/carriers/a/right?id=1&x=%26", "", &headers, b"hello").await;
    assert_eq!((answer.status, answer.header("content-type"), &*answer.text()), (202, Some("text/xml"), "<ok/>"));
    let call = reader.0.lock().unwrap().pop().unwrap();
    assert_eq!((&*call.connector, &*call.query, &call.body[..]), ("a", "id=1&x=%26", &b"hello"[..]));
    assert!(call.headers.iter().any(|(name, value)| **name == *"x-signature" && **value == *b"abc"));
    assert_eq!(gateway.get("/carriers/a/right?id=1", "").await.status, 202);

    for (body, status, code) in
        [("unsigned", 403, "signature_wrong"), ("unreadable", 400, "malformed_json"), ("later", 503, "overloaded")]
    {
        let answer = gateway.call("POST", "/carriers/a/right", "", &headers, body.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    for path in ["/carriers/a", "/carriers/a/wrong", "/carriers/a/right/more", "/carriers/"] {
        assert_eq!(gateway.get(path, "").await.code(), "not_found", "{path}");
    }
    let answer = gateway.call("DELETE", "/carriers/a/right", "", &[], b"").await;
    assert_eq!((answer.code().as_str(), answer.header("allow")), ("method_not_allowed", Some("GET, POST")));
}

#[tokio::test]
async fn who_guesses_secrets_is_locked_out() {
    let gateway = Gateway::start().await;
    gateway.engine.set_carrier_calls(Arc::new(Reader::default()));
    for guess in 0..20 {
        assert_eq!(gateway.get(&format!("/carriers/a/guess-{guess}"), "").await.status, 404);
    }
    assert_eq!(gateway.get("/carriers/a/right", "").await.status, 404, "for a while");
    assert_eq!(gateway.get("/carriers/b/right", "").await.status, 202, "another connector is not guessed at");
}
