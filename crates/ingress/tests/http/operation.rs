use ingress::http::{AccessLog, HttpSettings};
use serde_json::{Value, json};

use crate::gateway::{ADMIN, Gateway, SHOP, hello};

#[tokio::test]
async fn probes_and_pages_are_open() {
    let gateway = Gateway::start().await;
    for path in ["/livez", "/readyz", "/openapi.json", "/docs", "/docs/errors", "/metrics"] {
        assert_eq!(gateway.get(path, "").await.status, 200, "{path}");
    }
    assert!(gateway.get("/metrics", "").await.text().ends_with("# EOF\n"));
    let docs = gateway.get("/docs", "").await.text();
    assert!(!docs.contains("https://") || !docs.contains("src=\"http"), "the page is self-contained");
    let errors = gateway.get("/docs/errors", "").await.text();
    assert!(errors.contains("id=\"store_unavailable\""));
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_class() {
    let gateway = Gateway::start().await;
    for _ in 0..3 {
        gateway.post("/v1/messages", SHOP, hello()).await;
    }
    gateway.post("/v1/messages", SHOP, json!({})).await;
    let id = gateway.get("/v1/messages", SHOP).await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    gateway.get(&format!("/v1/messages/{id}"), SHOP).await;
    gateway.get("/v1/accounts/shop", SHOP).await;
    gateway.call("DELETE", "/livez", "", &[], b"").await;
    gateway.get("/wp-admin.php", "").await;
    gateway.once("G\0T / HTTP/1.1\r\n\r\n").await;
    let text = gateway.get("/metrics", "").await.text();
    for (count, route, method, class) in [
        (3, "/v1/messages", "POST", "2xx"),
        (1, "/v1/messages", "POST", "4xx"),
        (1, "/v1/messages", "GET", "2xx"),
        (1, "/v1/messages/{id}", "GET", "2xx"),
        (1, "/v1/accounts/{id}", "GET", "4xx"),
        (1, "none", "DELETE", "4xx"),
        (1, "none", "GET", "4xx"),
    ] {
        let labels = format!("{{route=\"{route}\",method=\"{method}\",status=\"{class}\"}}");
        for name in ["requests_total", "request_duration_seconds_count"] {
            let line = format!("postrider_http_{name}{labels} {count}\n");
            assert!(text.contains(&line), "{line}in\n{text}");
        }
    }
    let unreadable = "postrider_http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"} 1\n";
    assert!(text.contains(unreadable), "{text}");
    assert!(!text.contains(&id) && !text.contains("wp-admin"), "labels are few: {text}");
}

#[tokio::test]
async fn only_what_was_committed_is_counted_as_accepted() {
    let gateway = Gateway::start().await;
    let batch = json!({ "messages": [hello(), hello(), {}] });
    gateway.post("/v1/batches", SHOP, batch.clone()).await;
    gateway.store.fail_with(Some(store::StoreError::Unavailable("away".into())));
    assert_eq!(gateway.post("/v1/batches", SHOP, batch).await.status, 503);
    let text = gateway.get("/metrics", "").await.text();
    assert!(text.contains("postrider_messages_accepted_total{account=\"shop\"} 2\n"), "{text}");
}

#[tokio::test]
async fn metrics_may_be_closed() {
    let gateway = Gateway::start_with(HttpSettings { open_metrics: false, ..HttpSettings::default() }).await;
    assert_eq!(gateway.get("/metrics", "").await.status, 401);
    assert_eq!(gateway.get("/metrics", SHOP).await.status, 403);
    assert_eq!(gateway.get("/metrics", ADMIN).await.status, 200);
}

#[tokio::test]
async fn a_connector_is_seen_started_and_stopped() {
    let gateway = Gateway::start().await;
    let shown = gateway.get("/v1/connectors/carrier", ADMIN).await;
    assert!(!shown.text().contains("hunter2") && !shown.text().contains("password"), "{}", shown.text());
    assert_eq!((&shown.json()["window"], &shown.json()["status"]["desired"]), (&json!(10), &json!("running")));
    for (verb, desired) in [("stop", "stopped"), ("start", "running"), ("drain", "draining")] {
        let answer = gateway.post(&format!("/v1/connectors/carrier/{verb}"), ADMIN, json!({})).await;
        assert_eq!((answer.status, &answer.json()["status"]["desired"]), (200, &json!(desired)));
        assert_eq!(gateway.post(&format!("/v1/connectors/none/{verb}"), ADMIN, json!({})).await.status, 404);
    }
    gateway.post("/v1/messages", SHOP, hello()).await;
    let list = gateway.get("/v1/connectors", ADMIN).await.json();
    assert_eq!((&list["data"][0]["id"], &list["data"][0]["status"]["queued"]), (&json!("carrier"), &json!(1)));
}

#[tokio::test]
async fn a_gateway_that_is_alone_has_no_fleet() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.get("/v1/fleet", ADMIN).await.json(), json!({ "node": null, "nodes": [] }));
}

#[tokio::test]
async fn deliveries_and_unmatched_receipts_are_listed() {
    let gateway = Gateway::start().await;
    let empty = json!({ "data": [], "next_cursor": null });
    assert_eq!(gateway.get("/v1/receipts/unmatched?limit=3", ADMIN).await.json(), empty);
    let test = gateway.post("/v1/webhooks/shop-1/test", SHOP, json!({})).await;
    assert_eq!(test.status, 202, "{}", test.text());
    let id = test.json()["delivery"].as_str().unwrap().to_owned();
    let list = gateway.get("/v1/deliveries?endpoint=shop-1&state=pending", SHOP).await.json();
    assert_eq!(list["data"][0]["id"], id);
    let one = gateway.get(&format!("/v1/deliveries/{id}"), SHOP).await.json();
    assert!(one["payload"].is_object(), "{one}");
    let again = gateway.post(&format!("/v1/deliveries/{id}/redeliver"), SHOP, json!({})).await;
    assert_eq!((again.status, &again.json()["state"]), (200, &json!("pending")));
    for (method, path) in [
        ("GET", format!("/v1/deliveries/{id}")),
        ("POST", format!("/v1/deliveries/{id}/redeliver")),
        ("POST", "/v1/webhooks/shop-1/test".to_owned()),
    ] {
        assert_eq!(gateway.call(method, &path, crate::gateway::OTHER, &[], b"").await.status, 404, "{method} {path}");
    }
}

#[tokio::test]
async fn the_access_log_has_a_line_for_each_request_and_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let log = AccessLog::open(&path).unwrap();
    let settings = HttpSettings { access_log: Some(log.clone()), ..HttpSettings::default() };
    let gateway = Gateway::start_with(settings).await;
    let sent = gateway.post("/v1/messages", SHOP, hello()).await;
    gateway.get("/v1/messages?to=447700900123", "nobody").await;
    log.flush();
    let text = std::fs::read_to_string(&path).unwrap();
    for secret in ["hello", SHOP, "nobody", "7700900123"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "the first is the harness's own: {text}");
    assert_eq!(lines[1]["message"], sent.json()["id"]);
    assert_eq!(lines[1]["request_id"], *sent.header("x-request-id").unwrap());
    assert_eq!(
        (&lines[1]["account"], &lines[1]["token"], &lines[1]["to"]),
        (&json!("shop"), &json!("shop-token"), &json!("…0123"))
    );
    assert_eq!(
        (&lines[2]["status"], &lines[2]["code"], &lines[2]["path"]),
        (&json!(401), &json!("token_unknown"), &json!("/v1/messages"))
    );
}
