//! From method and path to the operation, and what each operation asks of its caller.

use engine::BatchWish;
use hyper::Method;
use model::resources::{Kind, Scope};

/// What a request asks for. Ids are as they stand in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    SendMessage,
    ListMessages,
    GetMessage(&'a str),
    ReplaceMessage(&'a str),
    MessageEvents(&'a str),
    CancelMessage(&'a str),
    QueryMessage(&'a str),
    SendBatch,
    GetBatch(&'a str),
    WantBatch(&'a str, BatchWish),
    Encode,
    Explain,
    ExplainInbound,
    ReplayRoutes,
    ListConnectors,
    GetConnector(&'a str),
    WantConnector(&'a str, Want),
    AskUssd(&'a str),
    ListResources(Kind),
    GetResource(Kind, &'a str),
    PutResource(Kind, &'a str),
    DeleteResource(Kind, &'a str),
    AccountUsage(&'a str),
    AccountLedger(&'a str),
    CreditAccount(&'a str),
    CreateToken,
    ListWebhooks,
    CreateWebhook,
    GetWebhook(&'a str),
    PutWebhook(&'a str),
    DeleteWebhook(&'a str),
    TestWebhook(&'a str),
    ListDeliveries,
    GetDelivery(&'a str),
    Redeliver(&'a str),
    ListUnmatched,
    Fleet,
    ListOptOuts,
    CreateOptOut,
    GetOptOut(&'a str),
    DeleteOptOut(&'a str),
    ListSchedules,
    CreateSchedule,
    GetSchedule(&'a str),
    EditSchedule(&'a str),
    DeleteSchedule(&'a str),
    /// Held back, or let go on.
    PauseSchedule(&'a str, bool),
    ListGroups,
    GetGroup(&'a str),
    PutGroup(&'a str),
    DeleteGroup(&'a str),
    ListMembers(&'a str),
    AddMembers(&'a str),
    GetMember(&'a str, &'a str),
    PutMember(&'a str, &'a str),
    DeleteMember(&'a str, &'a str),
    Live,
    Ready,
    Metrics,
    OpenApi,
    Docs,
    ErrorDocs,
}

/// What is wanted of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Start,
    Stop,
    Drain,
}

/// Where a request leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Operation(Operation<'a>),
    /// The path is right, the method is not; the methods that are.
    WrongMethod(&'static str),
    /// The path has its place in the API and is not built yet.
    NotYet,
    Nowhere,
}

/// Finds what a request asks for. `HEAD` is `GET` whose body is not sent.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    use Operation::*;
    if path == "/v1/messages" && method == Method::POST {
        return Found::Operation(SendMessage);
    }
    let Some(rest) = path.strip_prefix("/v1/") else { return find_page(method, path) };
    let mut segments = [""; 4];
    let mut count = 0;
    for segment in rest.split('/') {
        if segment.is_empty() || count == segments.len() {
            return Found::Nowhere;
        }
        segments[count] = segment;
        count += 1;
    }
    let at = Choice { method };
    match &segments[..count] {
        ["messages"] => at.get_or(ListMessages, "GET, HEAD, POST", [(Method::POST, SendMessage)]),
        ["messages", id] => at.get_or(GetMessage(id), "GET, HEAD, PATCH", [(Method::PATCH, ReplaceMessage(id))]),
        ["messages", id, "events"] => at.get(MessageEvents(id)),
        ["messages", id, "cancel"] => at.post(CancelMessage(id)),
        ["messages", id, "query"] => at.post(QueryMessage(id)),
        ["batches"] => at.post(SendBatch),
        ["batches", id] => at.get(GetBatch(id)),
        ["batches", id, "pause"] => at.post(WantBatch(id, BatchWish::Pause)),
        ["batches", id, "resume"] => at.post(WantBatch(id, BatchWish::Resume)),
        ["batches", id, "cancel"] => at.post(WantBatch(id, BatchWish::Cancel)),
        ["encode"] => at.post(Encode),
        ["explain"] => at.post(Explain),
        ["explain-inbound"] => at.post(ExplainInbound),
        ["routes", "replay"] => at.post(ReplayRoutes),
        ["connectors"] => at.get(ListConnectors),
        ["connectors", id] => at.get_or(
            GetConnector(id),
            "GET, HEAD, PUT, DELETE",
            [(Method::PUT, PutResource(Kind::Connector, id)), (Method::DELETE, DeleteResource(Kind::Connector, id))],
        ),
        ["connectors", id, "ussd"] => at.post(AskUssd(id)),
        ["connectors", id, "start"] => at.post(WantConnector(id, Want::Start)),
        ["connectors", id, "stop"] => at.post(WantConnector(id, Want::Stop)),
        ["connectors", id, "drain"] => at.post(WantConnector(id, Want::Drain)),
        ["accounts", id, "usage"] => at.get(AccountUsage(id)),
        ["accounts", id, "ledger"] => at.get(AccountLedger(id)),
        ["accounts", id, "credit"] => at.post(CreditAccount(id)),
        ["tokens"] => at.get_or(ListResources(Kind::Token), "GET, HEAD, POST", [(Method::POST, CreateToken)]),
        ["tokens", id] => at.get_or(
            GetResource(Kind::Token, id),
            "GET, HEAD, DELETE",
            [(Method::DELETE, DeleteResource(Kind::Token, id))],
        ),
        ["webhooks"] => at.get_or(ListWebhooks, "GET, HEAD, POST", [(Method::POST, CreateWebhook)]),
        ["webhooks", id] => at.get_or(
            GetWebhook(id),
            "GET, HEAD, PUT, DELETE",
            [(Method::PUT, PutWebhook(id)), (Method::DELETE, DeleteWebhook(id))],
        ),
        ["webhooks", id, "test"] => at.post(TestWebhook(id)),
        ["deliveries"] => at.get(ListDeliveries),
        ["deliveries", id] => at.get(GetDelivery(id)),
        ["deliveries", id, "redeliver"] => at.post(Redeliver(id)),
        ["receipts", "unmatched"] => at.get(ListUnmatched),
        ["fleet"] => at.get(Fleet),
        ["opt-outs"] => at.get_or(ListOptOuts, "GET, HEAD, POST", [(Method::POST, CreateOptOut)]),
        ["opt-outs", id] => at.get_or(GetOptOut(id), "GET, HEAD, DELETE", [(Method::DELETE, DeleteOptOut(id))]),
        ["schedules"] => at.get_or(ListSchedules, "GET, HEAD, POST", [(Method::POST, CreateSchedule)]),
        ["schedules", id] => at.get_or(
            GetSchedule(id),
            "GET, HEAD, PATCH, DELETE",
            [(Method::PATCH, EditSchedule(id)), (Method::DELETE, DeleteSchedule(id))],
        ),
        ["schedules", id, "pause"] => at.post(PauseSchedule(id, true)),
        ["schedules", id, "resume"] => at.post(PauseSchedule(id, false)),
        ["groups"] => at.get(ListGroups),
        ["groups", id] => at.get_or(
            GetGroup(id),
            "GET, HEAD, PUT, DELETE",
            [(Method::PUT, PutGroup(id)), (Method::DELETE, DeleteGroup(id))],
        ),
        ["groups", id, "members"] => at.get_or(ListMembers(id), "GET, HEAD, POST", [(Method::POST, AddMembers(id))]),
        ["groups", id, "members", number] => at.get_or(
            GetMember(id, number),
            "GET, HEAD, PUT, DELETE",
            [(Method::PUT, PutMember(id, number)), (Method::DELETE, DeleteMember(id, number))],
        ),
        ["senders" | "events", ..] => Found::NotYet,
        [kind] => resource_kind(kind).map_or(Found::Nowhere, |kind| at.get(ListResources(kind))),
        [kind, id] => resource_kind(kind).map_or(Found::Nowhere, |kind| {
            at.get_or(
                GetResource(kind, id),
                "GET, HEAD, PUT, DELETE",
                [(Method::PUT, PutResource(kind, id)), (Method::DELETE, DeleteResource(kind, id))],
            )
        }),
        _ => Found::Nowhere,
    }
}

impl Operation<'_> {
    /// The path, with `{id}` for what differs: the same as in the OpenAPI document.
    pub(crate) fn path(&self) -> &'static str {
        use Operation::*;
        match self {
            SendMessage | ListMessages => "/v1/messages",
            GetMessage(_) | ReplaceMessage(_) => "/v1/messages/{id}",
            MessageEvents(_) => "/v1/messages/{id}/events",
            CancelMessage(_) => "/v1/messages/{id}/cancel",
            QueryMessage(_) => "/v1/messages/{id}/query",
            SendBatch => "/v1/batches",
            GetBatch(_) => "/v1/batches/{id}",
            WantBatch(_, BatchWish::Pause) => "/v1/batches/{id}/pause",
            WantBatch(_, BatchWish::Resume) => "/v1/batches/{id}/resume",
            WantBatch(_, BatchWish::Cancel) => "/v1/batches/{id}/cancel",
            Encode => "/v1/encode",
            Explain => "/v1/explain",
            ExplainInbound => "/v1/explain-inbound",
            ReplayRoutes => "/v1/routes/replay",
            ListConnectors => "/v1/connectors",
            GetConnector(_) => "/v1/connectors/{id}",
            AskUssd(_) => "/v1/connectors/{id}/ussd",
            WantConnector(_, Want::Start) => "/v1/connectors/{id}/start",
            WantConnector(_, Want::Stop) => "/v1/connectors/{id}/stop",
            WantConnector(_, Want::Drain) => "/v1/connectors/{id}/drain",
            ListResources(kind) => paths_of(*kind).0,
            GetResource(kind, _) | PutResource(kind, _) | DeleteResource(kind, _) => paths_of(*kind).1,
            AccountUsage(_) => "/v1/accounts/{id}/usage",
            AccountLedger(_) => "/v1/accounts/{id}/ledger",
            CreditAccount(_) => "/v1/accounts/{id}/credit",
            CreateToken => "/v1/tokens",
            ListWebhooks | CreateWebhook => "/v1/webhooks",
            GetWebhook(_) | PutWebhook(_) | DeleteWebhook(_) => "/v1/webhooks/{id}",
            TestWebhook(_) => "/v1/webhooks/{id}/test",
            ListDeliveries => "/v1/deliveries",
            GetDelivery(_) => "/v1/deliveries/{id}",
            Redeliver(_) => "/v1/deliveries/{id}/redeliver",
            ListUnmatched => "/v1/receipts/unmatched",
            Fleet => "/v1/fleet",
            ListOptOuts | CreateOptOut => "/v1/opt-outs",
            GetOptOut(_) | DeleteOptOut(_) => "/v1/opt-outs/{id}",
            ListSchedules | CreateSchedule => "/v1/schedules",
            GetSchedule(_) | EditSchedule(_) | DeleteSchedule(_) => "/v1/schedules/{id}",
            PauseSchedule(_, true) => "/v1/schedules/{id}/pause",
            PauseSchedule(_, false) => "/v1/schedules/{id}/resume",
            ListGroups => "/v1/groups",
            GetGroup(_) | PutGroup(_) | DeleteGroup(_) => "/v1/groups/{id}",
            ListMembers(_) | AddMembers(_) => "/v1/groups/{id}/members",
            GetMember(..) | PutMember(..) | DeleteMember(..) => "/v1/groups/{id}/members/{number}",
            Live => "/livez",
            Ready => "/readyz",
            Metrics => "/metrics",
            OpenApi => "/openapi.json",
            Docs => "/docs",
            ErrorDocs => "/docs/errors",
        }
    }

    /// The scope that a caller needs; `None` is open to everybody.
    pub(crate) fn scope(&self, open_metrics: bool) -> Option<Scope> {
        use Operation::*;
        match self {
            SendMessage | ReplaceMessage(_) | CancelMessage(_) | QueryMessage(_) | SendBatch | WantBatch(..)
            | TestWebhook(_) | Redeliver(_) | CreateOptOut | DeleteOptOut(_) | CreateSchedule | EditSchedule(_)
            | DeleteSchedule(_) | PauseSchedule(..) | PutGroup(_) | DeleteGroup(_) | AddMembers(_) | PutMember(..)
            | DeleteMember(..) => Some(Scope::Messages),
            ListMessages | GetMessage(_) | MessageEvents(_) | GetBatch(_) | Encode | Explain | ListWebhooks
            | GetWebhook(_) | ListDeliveries | GetDelivery(_) | AccountUsage(_) | AccountLedger(_) | ListOptOuts
            | GetOptOut(_) | ListSchedules | GetSchedule(_) | ListGroups | GetGroup(_) | ListMembers(_)
            | GetMember(..) => Some(Scope::Read),
            ExplainInbound | ReplayRoutes | ListConnectors | GetConnector(_) | WantConnector(..) | AskUssd(_)
            | ListResources(_) | GetResource(..) | PutResource(..) | DeleteResource(..) | CreateToken
            | CreateWebhook | PutWebhook(_) | DeleteWebhook(_) | ListUnmatched | Fleet | CreditAccount(_) => {
                Some(Scope::Admin)
            }
            Metrics => (!open_metrics).then_some(Scope::Admin),
            Live | Ready | OpenApi | Docs | ErrorDocs => None,
        }
    }
}

/// The kinds of resources that are all handled alike.
fn resource_kind(word: &str) -> Option<Kind> {
    match word {
        "accounts" => Some(Kind::Account),
        "pools" => Some(Kind::Pool),
        "routes" => Some(Kind::Route),
        "inbound-rules" => Some(Kind::Inbound),
        _ => None,
    }
}

/// The paths of all of a kind, and of one.
fn paths_of(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Account => ("/v1/accounts", "/v1/accounts/{id}"),
        Kind::Connector => ("/v1/connectors", "/v1/connectors/{id}"),
        Kind::Pool => ("/v1/pools", "/v1/pools/{id}"),
        Kind::Route => ("/v1/routes", "/v1/routes/{id}"),
        Kind::Inbound => ("/v1/inbound-rules", "/v1/inbound-rules/{id}"),
        Kind::Token => ("/v1/tokens", "/v1/tokens/{id}"),
    }
}

fn find_page<'a>(method: &Method, path: &str) -> Found<'a> {
    let at = Choice { method };
    match path {
        "/livez" => at.get(Operation::Live),
        "/readyz" => at.get(Operation::Ready),
        "/metrics" => at.get(Operation::Metrics),
        "/openapi.json" => at.get(Operation::OpenApi),
        "/docs" | "/docs/" => at.get(Operation::Docs),
        "/docs/errors" => at.get(Operation::ErrorDocs),
        _ => Found::Nowhere,
    }
}

/// Chooses among the operations of one path.
struct Choice<'m> {
    method: &'m Method,
}

impl Choice<'_> {
    fn get<'a>(&self, operation: Operation<'a>) -> Found<'a> {
        self.get_or(operation, "GET, HEAD", [])
    }

    fn post<'a>(&self, operation: Operation<'a>) -> Found<'a> {
        if self.method == Method::POST { Found::Operation(operation) } else { Found::WrongMethod("POST") }
    }

    fn get_or<'a, const N: usize>(
        &self,
        get: Operation<'a>,
        allow: &'static str,
        others: [(Method, Operation<'a>); N],
    ) -> Found<'a> {
        if matches!(*self.method, Method::GET | Method::HEAD) {
            return Found::Operation(get);
        }
        let chosen = others.into_iter().find(|(method, _)| method == self.method);
        chosen.map_or(Found::WrongMethod(allow), |(_, operation)| Found::Operation(operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_their_operations() {
        let get = |path| find(&Method::GET, path);
        assert_eq!(find(&Method::POST, "/v1/messages"), Found::Operation(Operation::SendMessage));
        assert_eq!(find(&Method::HEAD, "/v1/messages"), Found::Operation(Operation::ListMessages));
        assert_eq!(get("/v1/messages/x/events"), Found::Operation(Operation::MessageEvents("x")));
        assert_eq!(get("/v1/inbound-rules/a"), Found::Operation(Operation::GetResource(Kind::Inbound, "a")));
        assert_eq!(
            find(&Method::POST, "/v1/connectors/a/drain"),
            Found::Operation(Operation::WantConnector("a", Want::Drain))
        );
    }

    #[test]
    fn wrong_methods_are_told_the_right_ones() {
        assert_eq!(find(&Method::DELETE, "/v1/messages"), Found::WrongMethod("GET, HEAD, POST"));
        assert_eq!(find(&Method::PATCH, "/v1/routes/a"), Found::WrongMethod("GET, HEAD, PUT, DELETE"));
        assert_eq!(find(&Method::PUT, "/v1/tokens/a"), Found::WrongMethod("GET, HEAD, DELETE"));
        assert_eq!(find(&Method::POST, "/livez"), Found::WrongMethod("GET, HEAD"));
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in ["", "/", "/v1", "/v1/", "/v1//", "/v1/messages/", "/v1/messages/x/y", "/v1/messages/x/events/z"] {
            assert_eq!(find(&Method::GET, path), Found::Nowhere, "{path}");
        }
        assert_eq!(find(&Method::GET, "/v1/events"), Found::NotYet);
        assert_eq!(
            find(&Method::POST, "/v1/batches/b/pause"),
            Found::Operation(Operation::WantBatch("b", BatchWish::Pause))
        );
    }
}
