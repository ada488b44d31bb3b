//! Calls in other gateways' dialects.

use engine::notify::{AnswerWish, CallResult, Target};
use http::Method;
use model::{CallbackStyle, Timestamp};

use super::tests::{App, ID, Seen, client, failed};

const FORM: &str = "id=1&message_status=DELIVRD";

async fn call(app: &mut App, style: CallbackStyle, path: &str, body: &str) -> (CallResult, Seen) {
    // A secret would be another account's setting gone wrong: these calls are never signed.
    let target = Target {
        url: format!("http://{}{path}", app.address).into(),
        style,
        secret: Some("whsec_x".into()),
        answer: AnswerWish::No,
    };
    let result = client().attempt(&target, ID, body, Timestamp::from_millis(1_614_265_330_999)).await;
    (result, app.seen.recv().await.unwrap())
}

#[tokio::test]
async fn kannel_calls_with_get_and_takes_any_2xx() {
    let mut app = App::start(None).await;
    app.answer(202, &[], "Thank you for your message");
    let (result, seen) = call(&mut app, CallbackStyle::Kannel, "/dlr?d=1&a=ACK%2F", "").await;
    assert_eq!(result, CallResult::Taken);
    assert_eq!((seen.method, &*seen.uri, seen.body.len()), (Method::GET, "/dlr?d=1&a=ACK%2F", 0));
    assert!(!seen.headers.contains_key("content-type") && !seen.headers.contains_key("webhook-signature"));
    app.answer(404, &[], "");
    assert_eq!(call(&mut app, CallbackStyle::Kannel, "/", "").await.0, failed("HTTP 404"));
}

#[tokio::test]
async fn jasmin_posts_a_form_and_wants_to_hear_that_it_was_taken() {
    let mut app = App::start(None).await;
    app.answer(200, &[], "ACK/Jasmin\n");
    let (result, seen) = call(&mut app, CallbackStyle::Jasmin, "/dlr", FORM).await;
    assert_eq!(result, CallResult::Taken);
    assert_eq!((seen.method, &*seen.uri, &*seen.body), (Method::POST, "/dlr", FORM.as_bytes()));
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(!seen.headers.contains_key("webhook-id"));
    let refused = failed("the answer is not ACK/Jasmin");
    for (status, answer, expected) in [
        (302, "ACK/Jasmin", CallResult::Taken),
        (200, "", refused.clone()),
        (200, "OK", refused.clone()),
        (200, &*format!("ACK/Jasmin{}", "x".repeat(300)), refused),
        (500, "ACK/Jasmin", failed("HTTP 500")),
        (404, "ACK/Jasmin", failed("HTTP 404")),
    ] {
        app.answer(status, &[], answer);
        assert_eq!(call(&mut app, CallbackStyle::Jasmin, "/dlr", FORM).await.0, expected, "{status} {answer}");
    }
}

#[tokio::test]
async fn jasmin_can_call_with_get_too() {
    let mut app = App::start(None).await;
    app.answer(200, &[], "ACK/Jasmin");
    let (result, seen) = call(&mut app, CallbackStyle::JasminGet, &format!("/dlr?{FORM}"), "").await;
    assert_eq!(result, CallResult::Taken);
    assert_eq!((seen.method, &*seen.uri), (Method::GET, &*format!("/dlr?{FORM}")));
}
