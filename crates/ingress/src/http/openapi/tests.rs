use std::collections::BTreeSet;

use hyper::Method;

use super::super::route::{Found, find};
use super::*;

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().clone();
        methods.into_iter().map(|(method, operation)| (method, path.clone(), operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn what_is_declared_is_what_is_routed() {
    for open_metrics in [true, false] {
        let settings = HttpSettings { open_metrics, ..HttpSettings::default() };
        let document = document(&settings);
        for (path, item) in document["paths"].as_object().unwrap() {
            let real = path.replace("{id}", "x").replace("{number}", "1234567");
            for method in METHODS {
                let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                match find(&verb, &real) {
                    Found::Operation(operation) => {
                        assert_eq!(operation.path(), path);
                        let declared = item.get(method).unwrap_or_else(|| panic!("{method} {path} is not declared"));
                        let scope = operation.scope(open_metrics).map(|scope| json!(scope));
                        assert_eq!(declared.get("x-scope").cloned(), scope, "{method} {path}");
                    }
                    other => assert!(item.get(method).is_none(), "{method} {path} leads to {other:?}"),
                }
            }
        }
    }
}

#[test]
fn every_operation_declares_its_security_and_its_problems() {
    let document = document(&HttpSettings::default());
    let all = operations(&document);
    assert!(all.len() > 40, "{}", all.len());
    let ids: BTreeSet<&str> = all.iter().map(|(.., operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), all.len(), "operation ids differ");
    for (method, path, operation) in &all {
        let responses = operation["responses"].as_object().unwrap();
        let mut wanted = vec!["400", "405", "414", "431", "500"];
        if operation.get("x-scope").is_some() {
            assert_eq!(operation["security"], json!([{ "token": [] }]));
            wanted.extend(["400", "401", "403", "503"]);
        } else {
            assert_eq!(operation["security"], json!([]));
        }
        if operation.get("requestBody").is_some() {
            wanted.extend(["400", "408", "413", "415", "422"]);
        }
        if path.contains('{') {
            wanted.push("404");
        }
        for status in wanted {
            let response = responses.get(status).unwrap_or_else(|| panic!("{method} {path} lacks {status}"));
            assert!(response["content"].get(problem::CONTENT_TYPE).is_some());
            assert!(!response["description"].as_str().unwrap().is_empty());
        }
        assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document(&HttpSettings::default());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_field_of_the_model_is_declared() {
    let components = components();
    let declared = |schema: &str| -> BTreeSet<String> {
        components[schema]["properties"].as_object().unwrap().keys().cloned().collect()
    };
    // What serde says it expects when it meets a field that it does not know is every field there is.
    fn known<T: serde::de::DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
        let error = serde_json::from_str::<T>(r#"{"?":1}"#).unwrap_err().to_string();
        let fields = error.split_once("expected").unwrap().1;
        fields.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }
    assert_eq!(declared("Submission"), known::<model::Submission>());
    assert_eq!(declared("Replacement"), known::<model::Replacement>());
    assert_eq!(declared("NewSchedule"), known::<model::recurring::NewSchedule>());
    assert_eq!(declared("ScheduleEdit"), known::<model::recurring::ScheduleEdit>());
    let mut explain = declared("ExplainRequest");
    assert!(explain.remove("account") && explain.remove("ingress") && explain.remove("ask"));
    assert_eq!(explain, known::<model::Submission>());
    assert_eq!(declared("Defaults"), known::<model::Submission>());
    let mut account = declared("Account");
    assert!(account.remove("balance") && account.remove("binds") && account.remove("queued"));
    assert_eq!(account, known::<model::resources::Account>());
    assert_eq!(declared("OptOutWords"), known::<model::resources::OptOutWords>());
    assert_eq!(declared("Pace"), known::<model::resources::Pace>());
    assert_eq!(declared("QuietHours"), known::<model::resources::QuietHours>());
    assert_eq!(declared("SmppLogin"), known::<model::resources::SmppLogin>());
    assert_eq!(declared("UcpLogin"), known::<model::resources::SessionLogin>());
    assert_eq!(declared("Cimd2Login"), known::<model::resources::SessionLogin>());
    assert_eq!(declared("AccountWebhook"), known::<model::resources::Webhook>());
    assert_eq!(declared("Pool"), known::<model::resources::Pool>());
    assert_eq!(declared("Route"), known::<model::resources::Route>());
    assert_eq!(declared("PriceList"), known::<model::resources::PriceList>());
    assert_eq!(declared("AddressRewrite"), known::<model::resources::AddressRewrite>());
    let fields = &components["Route"]["properties"]["match"]["properties"];
    let fields: BTreeSet<String> = fields.as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, known::<model::resources::RouteMatch>());
    assert_eq!(declared("InboundRule"), known::<model::resources::Inbound>());
    assert_eq!(declared("InboundGroup"), known::<model::resources::InboundGroup>());
    assert_eq!(declared("PolicyHook"), known::<model::resources::PolicyHook>());
    assert_eq!(declared("MqttBridge"), known::<model::resources::MqttSettings>());
    assert_eq!(declared("RuleWebhook"), known::<model::resources::RuleWebhook>());
    let fields = &components["InboundRule"]["properties"]["match"]["properties"];
    let fields: BTreeSet<String> = fields.as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, known::<model::resources::InboundMatch>());
    let mut connector = declared("Connector");
    assert!(connector.remove("status"));
    assert_eq!(connector, known::<model::resources::Connector>());
}
