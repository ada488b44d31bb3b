use serde_json::{Value, json};

use crate::gateway::{ADMIN, Gateway};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn the_secret_of_a_rules_webhook_is_kept_and_never_shown() {
    let gateway = Gateway::start().await;
    let secret = || gateway.engine.world().rule_webhook("orders").and_then(|hook| hook.secret.clone());
    let rule = |webhook: Value| json!({ "account": "shop", "webhook": webhook });
    let path = "/v1/inbound-rules/orders";
    let made = gateway.put(path, ADMIN, rule(json!({ "url": "https://x.example/", "secret": SECRET }))).await;
    assert_eq!((made.status, &made.json()["webhook"]), (201, &json!({ "url": "https://x.example/" })));
    let changed = gateway.put(path, ADMIN, rule(json!({ "url": "https://y.example/", "style": "kannel" }))).await;
    assert_eq!(
        (changed.status, &changed.json()["webhook"]),
        (200, &json!({ "url": "https://y.example/", "style": "kannel" }))
    );
    assert_eq!(secret().as_deref(), Some(SECRET), "it was left out");
    for path in ["/v1/inbound-rules", path] {
        assert!(!gateway.get(path, ADMIN).await.text().contains("whsec_"));
    }
    let stored = gateway.engine.store().resources().await.unwrap();
    assert!(stored.documents.iter().all(|document| !document.json.contains(SECRET)), "it is sealed");
    gateway.put(path, ADMIN, json!({ "account": "shop" })).await;
    assert_eq!(secret(), None);
    for (webhook, pointer) in [
        (json!({ "url": "ftp://x" }), "/webhook/url"),
        (json!({ "url": "https://x.example/", "secret": "hunter2" }), "/webhook/secret"),
        (json!({ "url": "https://x.example/", "secret": { "sealed": "AAAA" } }), "/webhook/secret"),
        (json!(["https://x.example/"]), "/webhook"),
    ] {
        let refused = gateway.put(path, ADMIN, rule(webhook)).await;
        assert_eq!((refused.status, refused.pointer().as_str()), (422, pointer), "{}", refused.text());
    }
}
