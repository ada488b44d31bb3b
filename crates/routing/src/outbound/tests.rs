use model::resources::Kind;
use model::{Address, AddressError, Encoding};

use super::*;
use crate::pool::ConnectorState;

fn routes(toml: &str) -> Vec<Route> {
    let table: toml::Table = toml.parse().unwrap();
    table.get("route").cloned().map(|routes| routes.try_into().unwrap()).unwrap_or_default()
}

fn table(toml: &str, connectors: &[&str]) -> RouteTable {
    RouteTable::new(&routes(toml), connectors)
}

fn ask(table: &RouteTable, account: &str, to: &str, from: &str) -> Decision {
    let (to, from) = (Address::recipient(to, None).unwrap(), Address::sender(from, None).unwrap());
    table.decide(Outgoing { account, to: &to, from: &from })
}

fn send(route: Option<&str>, connector: &str) -> Decision {
    Decision::Send { route: route.map(Name::from), connector: connector.into() }
}

const ROUTES: &str = r#"
    [[route]]
    id = "rest"
    order = 9
    to = "b"
    [[route]]
    id = "uk"
    to = "a"
    match = { to_prefix = ["44"], account = ["shop"], from = ["SHOP"] }
    [[route]]
    id = "no-caribbean"
    action = "reject"
    match = { to_prefix = ["1876", "1809"] }
    [[route]]
    id = "off"
    enabled = false
    to = "c"
"#;

#[test]
fn the_first_route_that_matches_decides() {
    let table = table(ROUTES, &["a", "b", "c"]);
    assert_eq!(ask(&table, "shop", "+447700900123", "SHOP"), send(Some("uk"), "a"));
    assert_eq!(ask(&table, "bank", "+447700900123", "SHOP"), send(Some("rest"), "b"));
    assert_eq!(ask(&table, "shop", "+447700900123", "BANK"), send(Some("rest"), "b"));
    assert_eq!(ask(&table, "shop", "+18765550123", "SHOP"), Decision::Reject { route: "no-caribbean".into() });
}

#[test]
fn what_stood_against_each_rule_is_told() {
    let table = table(ROUTES, &["a", "b"]);
    let (to, from) = (Address::recipient("+447700900123", None).unwrap(), Address::sender("SHOP", None).unwrap());
    let tried = table.explain(Outgoing { account: "bank", to: &to, from: &from });
    let tried: Vec<_> = tried.iter().map(|t| (&*t.route, t.against)).collect();
    assert_eq!(tried, [("uk", Some("account")), ("no-caribbean", Some("to_prefix")), ("rest", None)]);
}

#[test]
fn without_routes_the_only_connector_takes_everything() {
    assert_eq!(ask(&table("", &["a"]), "x", "+447700900123", "S"), send(None, "a"));
    assert_eq!(ask(&table("", &["a", "b"]), "x", "+447700900123", "S"), Decision::NoRoute);
}

/// Resources with the connectors a and b, the account shop, and what `toml` says.
fn set(toml: &str) -> ResourceSet {
    const BASE: &str = r#"
        connector = [
            { id = "a", protocol = "smpp", address = "h:1", system_id = "x" },
            { id = "b", protocol = "smpp", address = "h:1", system_id = "x" },
        ]
        account = [{ id = "shop" }]
    "#;
    let mut base: toml::Table = BASE.parse().unwrap();
    let table: toml::Table = toml.parse().unwrap();
    let mut list =
        |key: &str| table.get(key).cloned().or_else(|| base.remove(key)).unwrap_or(toml::Value::Array(vec![]));
    ResourceSet {
        accounts: list("account").try_into().unwrap(),
        connectors: list("connector").try_into().unwrap(),
        pools: list("pool").try_into().unwrap(),
        routes: list("route").try_into().unwrap(),
        ..ResourceSet::default()
    }
}

fn compiled(toml: &str) -> RouteTable {
    let set = set(toml);
    assert_eq!(set.faults(), []);
    RouteTable::compile(&set).unwrap()
}

/// What the routes make of a message from shop, changed by `with`.
fn outcome(table: &RouteTable, to: &str, from: &str, with: impl Fn(&mut Question<'_>)) -> Outcome {
    let (to, from) = (Address::recipient(to, None).unwrap(), Address::sender(from, None).unwrap());
    let mut question = Question::from(Outgoing { account: "shop", to: &to, from: &from });
    with(&mut question);
    table.plan(&question, &AllWell, 7)
}

fn plan(table: &RouteTable, to: &str, from: &str) -> RoutePlan {
    match outcome(table, to, from, |_| {}) {
        Outcome::Send(plan) => plan,
        other => panic!("it is not sent: {other:?}"),
    }
}

#[test]
fn every_condition_is_asked() {
    let tags: Vec<(Box<str>, Box<str>)> = vec![("campaign".into(), "spring".into())];
    type With<'w> = &'w dyn Fn(&mut Question<'_>);
    let cases: [(&str, &str, With<'_>); 8] = [
        ("ingress = ['smpp']", "ingress", &|q| q.ingress = Some("smpp")),
        ("priority = [2, 3]", "priority", &|q| q.priority = Some(3)),
        ("encoding = ['ucs2']", "encoding", &|q| q.encoding = Some(Encoding::Ucs2)),
        ("parts = { min = 2, max = 3 }", "parts", &|q| q.parts = Some(3)),
        ("text = '(?i)\\bcode\\b'", "text", &|q| q.text = Some("Your CODE is 1")),
        ("time = [{ days = ['sun'], zone = 'Asia/Tokyo' }]", "time", &|q| {
            q.now = Some("2026-07-04T15:00:00Z".parse().unwrap());
        }),
        ("from_regex = '^SH.P$'", "from_regex", &|_| {}),
        ("from_prefix = ['SHO']", "from_prefix", &|_| {}),
    ];
    for (condition, field, with) in cases {
        let table = compiled(&format!("[[route]]\nid = 'r'\nto = 'a'\nmatch = {{ {condition} }}"));
        assert!(matches!(outcome(&table, "+447700900123", "SHOP", with), Outcome::Send(_)), "{condition}");
        // The same message without what the condition wants of it.
        assert_eq!(outcome(&table, "+447700900123", "OTHER", |_| {}), Outcome::NoRoute, "{condition}");
        let (to, from) = (Address::recipient("+447700900123", None).unwrap(), Address::sender("X", None).unwrap());
        let tried = table.explain(Outgoing { account: "shop", to: &to, from: &from });
        assert_eq!(tried[0].against, Some(field));
    }
    let table = compiled("[[route]]\nid = 'r'\nto = 'a'\nmatch = { tags = { campaign = ['spring'], other = [] } }");
    assert_eq!(outcome(&table, "+447700900123", "SHOP", |_| {}), Outcome::NoRoute);
    let (to, from) = (Address::recipient("+447700900123", None).unwrap(), Address::sender("X", None).unwrap());
    let mut question = Question::from(Outgoing { account: "shop", to: &to, from: &from });
    question.tags = &tags;
    assert_eq!(table.plan(&question, &AllWell, 0), Outcome::NoRoute, "every tag must be there");
    let both = [tags[0].clone(), ("other".into(), "x".into())];
    question.tags = &both;
    assert!(matches!(table.plan(&question, &AllWell, 0), Outcome::Send(_)));
}

#[test]
fn countries_that_share_a_code_are_told_apart() {
    let table = compiled(
        "[[route]]\nid = 'ca'\nto = 'a'\nmatch = { to_country = ['ca'] }\n\
         [[route]]\nid = 'us'\nto = 'b'\nmatch = { to_country = ['US'] }",
    );
    assert_eq!(ask(&table, "shop", "+14165550123", "X"), send(Some("ca"), "a"));
    assert_eq!(ask(&table, "shop", "+12125550123", "X"), send(Some("us"), "b"));
    assert_eq!(ask(&table, "shop", "+18765550123", "X"), Decision::NoRoute);
    assert_eq!(ask(&table, "shop", "1212", "X"), Decision::NoRoute, "a short code is in no country");
}

#[test]
fn a_plan_says_where_a_message_goes_and_as_what() {
    let table = compiled(
        r#"
        [[pool]]
        id = "both"
        strategy = "failover"
        members = [{ connector = "b", priority = 1 }, { connector = "a" }]
        [[route]]
        id = "uk"
        to = "both"
        match = { to_prefix = ["44"] }
        price = { currency = "EUR", prefixes = { 44 = "0.03", 4477 = "0.04" } }
        rewrite = { from = { alphanumeric = { GB = "60777" } }, to = { replace = "^449", with = "447" }, text_append = " STOP 60777" }
        "#,
    );
    let plan = plan(&table, "+449700900123", "SHOP");
    assert_eq!((plan.route.as_deref(), plan.pool.as_deref()), (Some("uk"), Some("both")));
    assert_eq!((plan.connectors.join(" "), plan.usable), ("a b".into(), 2));
    assert_eq!(plan.to.unwrap().as_str(), "+447700900123");
    assert_eq!(plan.from.unwrap().as_str(), "60777");
    assert_eq!(plan.text_append.as_deref(), Some(" STOP 60777"));
    assert_eq!(plan.price.unwrap().to_string(), "0.04 EUR", "the price is that of the number it goes to");
}

#[test]
fn copies_are_sent_beside_what_is_sent_or_dropped_and_not_of_what_is_refused() {
    let copy = "[[route]]\nid = 'archive'\naction = 'copy'\nto = 'b'\nrewrite = { to = { force = '+447700900999' } }\n";
    let table = compiled(&format!("{copy}[[route]]\nid = 'rest'\nto = 'a'"));
    let plan = plan(&table, "+447700900123", "SHOP");
    assert_eq!((plan.route.as_deref(), &plan.to), (Some("rest"), &None));
    let [copy_plan] = plan.copies.as_slice() else { panic!("one copy: {plan:?}") };
    assert_eq!((copy_plan.route.as_deref(), copy_plan.connectors.join(" ")), (Some("archive"), "b".into()));
    assert_eq!(copy_plan.to.as_ref().unwrap().as_str(), "+447700900999");

    let (to, from) = (Address::recipient("+447700900123", None).unwrap(), Address::sender("SHOP", None).unwrap());
    let tried = table.explain(Outgoing { account: "shop", to: &to, from: &from });
    assert_eq!(tried.iter().map(|t| t.against).collect::<Vec<_>>(), [None, None]);

    let dropped =
        outcome(&compiled(&format!("{copy}[[route]]\nid = 'd'\naction = 'drop'")), "+447700900123", "S", |_| {});
    assert!(matches!(dropped, Outcome::Drop { copies, .. } if copies.len() == 1));
    let reject = format!("{copy}[[route]]\nid = 'no'\naction = 'reject'\nreason = 'not here'");
    let refused = outcome(&compiled(&reject), "+447700900123", "S", |_| {});
    assert_eq!(refused, Outcome::Reject { route: "no".into(), reason: Some("not here".into()) });

    let many: String = (0..20).map(|n| copy.replace("archive", &format!("copy-{n}"))).collect();
    let many = many + "[[route]]\nid = 'rest'\nto = 'a'";
    assert_eq!(self::plan(&compiled(&many), "+447700900123", "S").copies.len(), COPIES_MAX);
}

#[test]
fn an_address_that_is_none_is_told_and_nothing_is_sent() {
    let table = compiled("[[route]]\nid = 'r'\nto = 'a'\nrewrite = { from = { replace = '.*' } }");
    let unfit = outcome(&table, "+447700900123", "SHOP", |_| {});
    assert_eq!(unfit, Outcome::Unfit { route: "r".into(), field: "rewrite.from", error: AddressError::Empty });
    assert_eq!(ask(&table, "shop", "+447700900123", "SHOP"), Decision::Reject { route: "r".into() });
}

#[test]
fn an_account_may_choose_its_route() {
    let table = table(ROUTES, &["a", "b", "c"]);
    let (to, from) = (Address::recipient("+33612345678", None).unwrap(), Address::sender("X", None).unwrap());
    let question = Question::from(Outgoing { account: "other", to: &to, from: &from });
    let over = |route: &str| table.plan_over(route, &question, &AllWell, 0);
    assert!(matches!(over("uk"), Some(Outcome::Send(plan)) if plan.connectors.join(" ") == "a"));
    assert_eq!((over("no-caribbean"), over("off"), over("none")), (None, None, None));
}

#[test]
fn connectors_that_are_down_are_told() {
    struct Down;
    impl Health for Down {
        fn state(&self, connector: &str) -> ConnectorState {
            ConnectorState { usable: connector != "a", ..ConnectorState::default() }
        }
    }
    let (to, from) = (Address::recipient("+33612345678", None).unwrap(), Address::sender("X", None).unwrap());
    let question = Question::from(Outgoing { account: "other", to: &to, from: &from });
    for table in [table("[[route]]\nid = 'r'\nto = 'a'", &["a"]), table("", &["a"])] {
        let Outcome::Send(plan) = table.plan(&question, &Down, 0) else { panic!("it has a route") };
        assert_eq!((plan.connectors.join(" "), plan.usable), ("a".into(), 0));
    }
}

#[test]
fn what_a_connector_costs_is_what_a_member_costs() {
    let set = set(r#"
        [[pool]]
        id = "p"
        strategy = "least-cost"
        members = [{ connector = "a", cost = { currency = "EUR", default = "0.05" } }, { connector = "b" }]
        [[route]]
        id = "r"
        to = "p"
        "#);
    let cheap: PriceList = toml::from_str("currency = 'EUR'\ndefault = '0.01'").unwrap();
    let table = RouteTable::with_costs(&set, [("a", &cheap), ("b", &cheap)]).unwrap();
    assert_eq!(plan(&table, "+447700900123", "X").connectors.join(" "), "b a");
    assert_eq!(plan(&RouteTable::compile(&set).unwrap(), "+447700900123", "X").connectors.join(" "), "a b");
}

#[test]
fn every_fault_is_told_with_its_field() {
    let set = set(r#"
        [[pool]]
        id = "p"
        members = [{ connector = "x" }]
        [[route]]
        id = "r"
        to = "q"
        enabled = false
        match = { to_prefix = ["+44"], to_country = ["XX"], account = ["nobody"], ingress = ["fax"], text = "(", time = [{ zone = "Mars" }] }
        rewrite = { from = { force = "A name too long" } }
        "#);
    let errors = RouteTable::compile(&set).unwrap_err();
    let fields: Vec<(&str, &str)> = errors.iter().map(|e| (e.id.as_str(), e.field.as_str())).collect();
    let expected = [
        ("p", "members.0.connector"),
        ("r", "match.to_prefix"),
        ("r", "match.to_country"),
        ("r", "match.account"),
        ("r", "match.ingress"),
        ("r", "match.text"),
        ("r", "match.time.0.zone"),
        ("r", "to"),
        ("r", "rewrite.from.force"),
    ];
    assert_eq!(fields, expected);
    let fault = model::resources::SetFault::from(errors[7].clone());
    assert_eq!((fault.kind, fault.field.as_str()), (Kind::Route, "to"));
    assert_eq!(fault.detail, "there is no connector or pool \"q\"; add it or correct the name");
    assert_eq!(
        errors[7].to_string(),
        "route \"r\": to: there is no connector or pool \"q\"; add it or correct the name"
    );
}

#[test]
fn a_route_with_a_fault_matches_nothing() {
    let table = table("[[route]]\nid = 'bad'\nto = 'a'\nmatch = { text = '(' }\n[[route]]\nid = 'rest'\nto = 'b'", &[]);
    assert_eq!(ask(&table, "shop", "+447700900123", "X"), send(Some("rest"), "b"));
}
