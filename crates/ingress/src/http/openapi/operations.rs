//! Every operation.

use model::resources::Scope;
use serde_json::{Value, json};

use super::group_schemas::MEMBER_CURSOR;
use super::resource_schemas::without_required_id;
use super::schemas::{NAME, recipient, sender, status, time};
use super::{Answer, Operation, list_of, page_of, query_parameter, reference};

const JSON: &str = "application/json";

pub(super) fn all(open_metrics: bool) -> Vec<Operation> {
    let mut all = messages();
    all.extend(connectors());
    for (path, one, schema, tag) in [
        ("/v1/accounts", "/v1/accounts/{id}", "Account", "accounts"),
        ("/v1/pools", "/v1/pools/{id}", "Pool", "pools"),
        ("/v1/routes", "/v1/routes/{id}", "Route", "routes"),
        ("/v1/inbound-rules", "/v1/inbound-rules/{id}", "InboundRule", "inbound-rules"),
    ] {
        all.extend(resource(path, one, schema, tag));
    }
    all.extend(accounts());
    all.push(
        Operation::new(
            "post",
            "/v1/routes/replay",
            "replayRoutes",
            "routes",
            "See what a draft of routes would change",
        )
        .scope(Scope::Admin)
        .body(JSON, reference("ReplayRequest"))
        .gives(200, "What would change for messages of the period.", reference("Replay")),
    );
    all.extend(tokens());
    all.extend(webhooks());
    all.extend(deliveries());
    all.extend(opt_outs());
    all.extend(schedules());
    all.extend(groups());
    all.extend(pages(open_metrics));
    all
}

impl Operation {
    fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        let (parameters, body, answers, problems) = (vec![], vec![], vec![], vec![]);
        Self { method, path, id, tag, summary, scope: None, parameters, body, answers, problems }
    }

    fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    fn query(mut self, parameters: Vec<Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    fn body(mut self, content_type: &'static str, schema: Value) -> Self {
        self.body.push((content_type, schema));
        self
    }

    fn gives(mut self, status: u16, description: &'static str, schema: Value) -> Self {
        self.answers.push(Answer { status, description, content_type: JSON, schema, location: false });
        self
    }

    fn gives_page(mut self, description: &'static str, content_type: &'static str) -> Self {
        let schema = json!({ "type": "string" });
        self.answers.push(Answer { status: 200, description, content_type, schema, location: false });
        self
    }

    fn makes(mut self, status: u16, description: &'static str, schema: Value) -> Self {
        self.answers.push(Answer { status, description, content_type: JSON, schema, location: true });
        self
    }

    fn gives_nothing(mut self) -> Self {
        let (description, schema) = ("It is gone.", Value::Null);
        self.answers.push(Answer { status: 204, description, content_type: "", schema, location: false });
        self
    }

    fn problems(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    fn repeatable(self) -> Self {
        let key = json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "A request that is repeated with the same key within 24 hours gets the first one's answer.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$" },
        });
        self.query(vec![key]).problems(&[409])
    }
}

fn messages() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "messages", summary);
    let filters = vec![
        query_parameter("status", "In this status.", status()),
        query_parameter("to", "To this number.", recipient()),
        query_parameter("from", "From this sender.", json!({ "anyOf": sender() })),
        query_parameter("connector", "Over this connector.", json!({ "type": "string" })),
        query_parameter("tag", "With this tag: `key` or `key:value`.", json!({ "type": "string", "pattern": "^[^:]" })),
        query_parameter("client_ref", "With this reference.", json!({ "type": "string" })),
        query_parameter("created_after", "Accepted at or after this.", time(false)),
        query_parameter("created_before", "Accepted before this.", time(false)),
        query_parameter("direction", "Out or in.", json!({ "type": "string", "enum": ["mt", "mo"] })),
        query_parameter("batch", "Of this batch.", json!({ "type": "string", "format": "uuid" })),
        account_filter(),
        limit(),
        cursor(),
    ];
    vec![
        at("post", "/v1/messages", "sendMessage", "Send a message")
            .scope(Scope::Messages)
            .body(JSON, reference("Submission"))
            .makes(202, "Accepted, durably.", reference("Message"))
            .problems(&[402, 429])
            .repeatable(),
        at("get", "/v1/messages", "listMessages", "Find messages, newest first")
            .scope(Scope::Read)
            .query(filters)
            .gives(200, "A page of messages.", page_of("Message")),
        at("get", "/v1/messages/{id}", "getMessage", "See a message").scope(Scope::Read).gives(
            200,
            "The message.",
            reference("Message"),
        ),
        at("patch", "/v1/messages/{id}", "replaceMessage", "Have a message say something else, or later: while it waits, or by asking the carrier that has it")
            .scope(Scope::Messages)
            .body(JSON, reference("Replacement"))
            .gives(200, "The message as it is sent now: from here, or by its carrier if that said yes.", reference("Message"))
            .problems(&[402, 409, 429]),
        at("get", "/v1/messages/{id}/events", "getMessageEvents", "See a message's timeline").scope(Scope::Read).gives(
            200,
            "What happened, oldest first.",
            list_of("Event"),
        ),
        at("post", "/v1/messages/{id}/cancel", "cancelMessage", "Take a message back")
            .scope(Scope::Messages)
            .gives(200, "The message, canceled: here, or by its carrier if it was sent.", reference("Message"))
            .problems(&[409]),
        at("post", "/v1/messages/{id}/query", "queryMessage", "Ask the carrier what became of a message")
            .scope(Scope::Messages)
            .gives(
                200,
                "The message with the carrier's answer, or as it is where there is nothing to ask.",
                reference("Message"),
            )
            .problems(&[409]),
        at("post", "/v1/batches", "sendBatch", "Send many messages")
            .scope(Scope::Messages)
            .body(JSON, reference("Batch"))
            .body(
                "application/x-ndjson",
                json!({ "type": "string", "description": "One submission a line, as many as you like: they are taken as they come, in chunks.", "pattern": "[^ \\t\\r\\n]" }),
            )
            .makes(202, "Those that are sound are accepted, durably.", reference("BatchTaken"))
            .problems(&[402, 408, 429])
            .repeatable(),
        at("get", "/v1/batches/{id}", "getBatch", "See how far a batch has come").scope(Scope::Read).gives(
            200,
            "The batch.",
            reference("BatchState"),
        ),
        at("post", "/v1/batches/{id}/pause", "pauseBatch", "Hold back what waits of a batch")
            .scope(Scope::Messages)
            .gives(202, "The batch, which is being paused.", reference("BatchState"))
            .problems(&[409]),
        at("post", "/v1/batches/{id}/resume", "resumeBatch", "Let a batch go on that was paused")
            .scope(Scope::Messages)
            .gives(202, "The batch, which is going on.", reference("BatchState"))
            .problems(&[409]),
        at("post", "/v1/batches/{id}/cancel", "cancelBatch", "Cancel what waits of a batch")
            .scope(Scope::Messages)
            .gives(202, "The batch, which is being canceled.", reference("BatchState"))
            .problems(&[409]),
        at("post", "/v1/encode", "encode", "See what a text comes to, without sending it")
            .scope(Scope::Read)
            .body(JSON, reference("EncodeRequest"))
            .gives(200, "Alphabet, parts and their octets.", reference("Encoded")),
        at("post", "/v1/explain", "explain", "See what would become of a message, and why, without sending it")
            .scope(Scope::Read)
            .body(JSON, reference("ExplainRequest"))
            .gives(200, "Every route that was looked at, and the outcome.", reference("Explanation")),
        at("post", "/v1/explain-inbound", "explainInbound", "See what would become of a message from a phone, and why")
            .scope(Scope::Admin)
            .body(JSON, reference("InboundQuestion"))
            .gives(
                200,
                "Every inbound rule that was looked at, and what the last would do.",
                reference("InboundExplanation"),
            ),
    ]
}

fn connectors() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "connectors", summary).scope(Scope::Admin);
    let shown = |operation: Operation| operation.gives(200, "The connector.", reference("Connector"));
    let mut all = resource("/v1/connectors", "/v1/connectors/{id}", "Connector", "connectors");
    all.push(shown(at("post", "/v1/connectors/{id}/start", "startConnector", "Connect, until the process ends")));
    all.push(shown(at("post", "/v1/connectors/{id}/stop", "stopConnector", "Disconnect, until the process ends")));
    all.push(shown(at(
        "post",
        "/v1/connectors/{id}/drain",
        "drainConnector",
        "Finish what is unanswered, then disconnect",
    )));
    all.push(
        at("post", "/v1/connectors/{id}/ussd", "askUssd", "Ask the network of a modem something by USSD")
            .body(JSON, reference("UssdAsk"))
            .gives(200, "What it answered.", reference("UssdAnswer"))
            .problems(&[409, 503]),
    );
    all
}

fn resource(path: &'static str, one: &'static str, schema: &'static str, tag: &'static str) -> Vec<Operation> {
    let (list, get, put, delete) = match tag {
        "accounts" => ("listAccounts", "getAccount", "putAccount", "deleteAccount"),
        "pools" => ("listPools", "getPool", "putPool", "deletePool"),
        "routes" => ("listRoutes", "getRoute", "putRoute", "deleteRoute"),
        "connectors" => ("listConnectors", "getConnector", "putConnector", "deleteConnector"),
        _ => ("listInboundRules", "getInboundRule", "putInboundRule", "deleteInboundRule"),
    };
    let at = |method, path, id, summary| Operation::new(method, path, id, tag, summary).scope(Scope::Admin);
    vec![
        at("get", path, list, "List all").gives(200, "All of them.", list_of(schema)),
        at("get", one, get, "See one").gives(200, "It.", reference(schema)),
        at("put", one, put, "Make or change one; what is left out gets its default, secrets stay")
            .body(JSON, without_required_id(schema))
            .makes(201, "It is new.", reference(schema))
            .gives(200, "It was changed.", reference(schema))
            .problems(&[409]),
        at("delete", one, delete, "Delete one").gives_nothing().problems(&[409]),
    ]
}

fn accounts() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "accounts", summary);
    vec![
        at("get", "/v1/accounts/{id}/usage", "getUsage", "See what an account has and has used")
            .scope(Scope::Read)
            .gives(200, "The caller's own account, or one below it.", reference("Usage")),
        at("get", "/v1/accounts/{id}/ledger", "listLedger", "List the movements of an account's money, newest first")
            .scope(Scope::Read)
            .query(vec![limit(), cursor()])
            .gives(200, "A page of them. The balance is the sum of all.", page_of("LedgerEntry")),
        at("post", "/v1/accounts/{id}/credit", "creditAccount", "Put money into an account, or take it out")
            .scope(Scope::Admin)
            .body(JSON, reference("Credit"))
            .makes(201, "It is done, durably.", reference("LedgerEntry"))
            .repeatable(),
    ]
}

fn tokens() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "tokens", summary).scope(Scope::Admin);
    vec![
        at("get", "/v1/tokens", "listTokens", "List all").gives(200, "All of them.", list_of("Token")),
        at("post", "/v1/tokens", "createToken", "Make a token; it is shown this once")
            .body(JSON, reference("NewToken"))
            .makes(201, "The token.", reference("Token"))
            .problems(&[409]),
        at("get", "/v1/tokens/{id}", "getToken", "See what a token may do").gives(200, "It.", reference("Token")),
        at("delete", "/v1/tokens/{id}", "deleteToken", "Delete one").gives_nothing().problems(&[409]),
    ]
}

fn webhooks() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "webhooks", summary);
    vec![
        at("get", "/v1/webhooks", "listWebhooks", "List the account's, or all")
            .scope(Scope::Read)
            .query(vec![account_filter()])
            .gives(200, "All of them.", list_of("Webhook")),
        at("post", "/v1/webhooks", "createWebhook", "Add one to an account; its secret is shown this once")
            .scope(Scope::Admin)
            .body(JSON, reference("NewWebhook"))
            .makes(201, "The webhook.", reference("Webhook"))
            .problems(&[409]),
        at("get", "/v1/webhooks/{id}", "getWebhook", "See one").scope(Scope::Read).gives(
            200,
            "It.",
            reference("Webhook"),
        ),
        at("put", "/v1/webhooks/{id}", "putWebhook", "Change one; a secret that is left out stays")
            .scope(Scope::Admin)
            .body(JSON, reference("NewWebhook"))
            .gives(200, "It was changed.", reference("Webhook"))
            .problems(&[409]),
        at("delete", "/v1/webhooks/{id}", "deleteWebhook", "Delete one")
            .scope(Scope::Admin)
            .gives_nothing()
            .problems(&[409, 422]),
        at("post", "/v1/webhooks/{id}/test", "testWebhook", "Send a test event").scope(Scope::Messages).gives(
            202,
            "It is on its way.",
            super::object(&["delivery"], json!({ "delivery": { "type": "string" } })),
        ),
    ]
}

fn deliveries() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "deliveries", summary);
    vec![
        at("get", "/v1/deliveries", "listDeliveries", "List what waits or was given up, newest first")
            .scope(Scope::Read)
            .query(vec![
                account_filter(),
                query_parameter("endpoint", "Of this endpoint.", json!({ "type": "string" })),
                query_parameter("state", "In this state.", json!({ "type": "string", "enum": ["pending", "failed"] })),
                query_parameter("message", "Of this message.", json!({ "type": "string", "format": "uuid" })),
                limit(),
                cursor(),
            ])
            .gives(200, "A page of deliveries.", page_of("Delivery")),
        at("get", "/v1/deliveries/{id}", "getDelivery", "See one with what it brings").scope(Scope::Read).gives(
            200,
            "It.",
            reference("Delivery"),
        ),
        at("post", "/v1/deliveries/{id}/redeliver", "redeliver", "Try one again from the start")
            .scope(Scope::Messages)
            .gives(200, "It.", reference("Delivery")),
        at("get", "/v1/receipts/unmatched", "listUnmatchedReceipts", "List receipts that no message was found for")
            .scope(Scope::Admin)
            .query(vec![limit(), cursor()])
            .gives(200, "A page of receipts.", page_of("UnmatchedReceipt")),
        at("get", "/v1/fleet", "getFleet", "See the nodes that share this store").scope(Scope::Admin).gives(
            200,
            "The fleet, as the node that was asked saw it a moment ago.",
            reference("Fleet"),
        ),
    ]
}

fn opt_outs() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "opt-outs", summary);
    vec![
        at("get", "/v1/opt-outs", "listOptOuts", "List phones that get nothing more, newest first")
            .scope(Scope::Read)
            .query(vec![account_filter(), query_parameter("phone", "Of this phone.", recipient()), limit(), cursor()])
            .gives(200, "A page of them.", page_of("OptOut")),
        at("post", "/v1/opt-outs", "createOptOut", "Send nothing more to a phone")
            .scope(Scope::Messages)
            .body(JSON, reference("NewOptOut"))
            .makes(201, "It is durable.", reference("OptOut"))
            .gives(200, "It was there already.", reference("OptOut")),
        at("get", "/v1/opt-outs/{id}", "getOptOut", "See one").scope(Scope::Read).gives(
            200,
            "It.",
            reference("OptOut"),
        ),
        at("delete", "/v1/opt-outs/{id}", "deleteOptOut", "Let a phone get messages again")
            .scope(Scope::Messages)
            .gives_nothing(),
    ]
}

fn schedules() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "schedules", summary);
    let state = json!({ "type": "string", "enum": ["active", "paused", "ended"] });
    let wanted = |operation: Operation| {
        operation.scope(Scope::Messages).gives(200, "The schedule.", reference("Schedule")).problems(&[409])
    };
    vec![
        at("get", "/v1/schedules", "listSchedules", "List what is sent again and again, newest first")
            .scope(Scope::Read)
            .query(vec![account_filter(), query_parameter("state", "In this state.", state), limit(), cursor()])
            .gives(200, "A page of schedules.", page_of("Schedule")),
        at("post", "/v1/schedules", "createSchedule", "Have messages sent again and again")
            .scope(Scope::Messages)
            .body(JSON, reference("NewSchedule"))
            .makes(201, "It is durable.", reference("Schedule"))
            .repeatable(),
        at("get", "/v1/schedules/{id}", "getSchedule", "See one with its messages").scope(Scope::Read).gives(
            200,
            "It.",
            reference("Schedule"),
        ),
        at("patch", "/v1/schedules/{id}", "editSchedule", "Change one, from now on")
            .scope(Scope::Messages)
            .body(JSON, reference("ScheduleEdit"))
            .gives(200, "The schedule as it goes on.", reference("Schedule")),
        at("delete", "/v1/schedules/{id}", "deleteSchedule", "Delete one; what it has sent goes its way")
            .scope(Scope::Messages)
            .gives_nothing(),
        wanted(at("post", "/v1/schedules/{id}/pause", "pauseSchedule", "Hold one back")),
        wanted(at("post", "/v1/schedules/{id}/resume", "resumeSchedule", "Let one go on, with the next occurrence")),
    ]
}

fn groups() -> Vec<Operation> {
    let at = |method, path, id, summary| Operation::new(method, path, id, "groups", summary);
    let one = "/v1/groups/{id}";
    let (members, member) = ("/v1/groups/{id}/members", "/v1/groups/{id}/members/{number}");
    let after = |pattern: &str| {
        let schema = json!({ "type": "string", "pattern": pattern });
        query_parameter("cursor", "The next_cursor of an earlier answer.", schema)
    };
    vec![
        at("get", "/v1/groups", "listGroups", "List the account's groups by name")
            .scope(Scope::Read)
            .query(vec![limit(), after(NAME)])
            .gives(200, "A page of them.", page_of("Group")),
        at("get", one, "getGroup", "See one").scope(Scope::Read).gives(200, "It.", reference("Group")),
        at("put", one, "putGroup", "Make a group")
            .scope(Scope::Messages)
            .gives(201, "It is durable.", reference("Group"))
            .gives(200, "It was there already, and stays as it is.", reference("Group"))
            .problems(&[409]),
        at("delete", one, "deleteGroup", "Delete a group with its members").scope(Scope::Messages).gives_nothing(),
        at("get", members, "listMembers", "List members by number")
            .scope(Scope::Read)
            .query(vec![limit(), after(MEMBER_CURSOR)])
            .gives(200, "A page of them.", page_of("Member")),
        at("post", members, "addMembers", "Add up to 10,000 numbers: all of them, or none")
            .scope(Scope::Messages)
            .body(JSON, reference("NewMembers"))
            .gives(200, "They are members.", reference("MembersAdded"))
            .problems(&[409]),
        at("get", member, "getMember", "See whether a number is a member").scope(Scope::Read).gives(
            200,
            "It is.",
            reference("Member"),
        ),
        at("put", member, "putMember", "Add a number")
            .scope(Scope::Messages)
            .gives(201, "It is durable.", reference("Member"))
            .gives(200, "It was a member already.", reference("Member"))
            .problems(&[409]),
        at("delete", member, "deleteMember", "Take a number out").scope(Scope::Messages).gives_nothing(),
    ]
}

fn pages(open_metrics: bool) -> Vec<Operation> {
    let at = |path, id, summary| Operation::new("get", path, id, "operation", summary);
    let metrics = at("/metrics", "metrics", "Counters and gauges, for Prometheus")
        .gives_page("OpenMetrics text.", "application/openmetrics-text");
    vec![
        at("/livez", "live", "Does the process run?").gives(200, "It does.", reference("Status")),
        at("/readyz", "ready", "Can messages be accepted?")
            .gives(200, "They can.", reference("Status"))
            .problems(&[503]),
        if open_metrics { metrics } else { metrics.scope(Scope::Admin) },
        at("/openapi.json", "openapi", "This document").gives(200, "OpenAPI 3.1.", json!({ "type": "object" })),
        at("/docs", "docs", "A page to try the API").gives_page("A page.", "text/html"),
        at("/docs/errors", "errors", "Every error, its cause and its cure").gives_page("A page.", "text/html"),
    ]
}

fn account_filter() -> Value {
    let schema = json!({ "type": "string", "pattern": NAME });
    query_parameter("account", "Of this account; others than the caller's own take the scope admin.", schema)
}

fn limit() -> Value {
    query_parameter("limit", "Most entries.", json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 }))
}

fn cursor() -> Value {
    query_parameter("cursor", "The next_cursor of an earlier answer.", json!({ "type": "string", "format": "uuid" }))
}
