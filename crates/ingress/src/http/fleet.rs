//! `GET /v1/fleet`: the nodes that share the store.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::Serialize;

use super::reply::Reply;
use super::request::Request;

#[derive(Serialize)]
struct Fleet<'f> {
    node: Option<&'f str>,
    nodes: Vec<Node<'f>>,
}

#[derive(Serialize)]
struct Node<'f> {
    name: &'f str,
    version: &'f str,
    since: Timestamp,
    resources: u64,
    draining: bool,
    sessions: u64,
    slots: &'f BTreeMap<&'static str, usize>,
}

/// `GET /v1/fleet`.
pub(super) fn shown(request: &Request<'_>) -> Reply {
    let Some(view) = request.engine().fleet() else { return Reply::ok(&Fleet { node: None, nodes: Vec::new() }) };
    let nodes = view.nodes.iter().map(|node| Node {
        name: &node.name,
        version: &node.version,
        since: node.since,
        resources: node.resources,
        draining: node.draining,
        sessions: node.sessions,
        slots: &node.slots,
    });
    Reply::ok(&Fleet { node: Some(&view.node), nodes: nodes.collect() })
}
