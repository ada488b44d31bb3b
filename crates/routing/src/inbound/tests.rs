use super::*;
use model::GroupAction;
use model::resources::InboundMatch;

fn rule(id: &str, order: i64, matches: InboundMatch) -> Inbound {
    let account = format!("account-of-{id}");
    let rule: Inbound = serde_json::from_value(serde_json::json!({ "id": id, "account": account })).unwrap();
    Inbound { order, matches, ..rule }
}

fn table(toml: &str) -> Result<InboundTable, Vec<String>> {
    let rules: toml::Table = toml.parse().unwrap();
    let inbound: Vec<Inbound> = rules["inbound"].clone().try_into().unwrap();
    let told = |errors: Vec<RuleError>| errors.iter().map(ToString::to_string).collect();
    InboundTable::compile(&ResourceSet { inbound, ..ResourceSet::default() }).map_err(told)
}

fn ask<T>(to: &str, from: &str, text: &str, answer: impl FnOnce(Incoming<'_>) -> T) -> T {
    let (to, from) = (Address::from_carrier(to, false), Address::from_carrier(from, true));
    answer(Incoming { connector: "a", to: &to, from: &from, text: Some(text) })
}

fn decided(table: &InboundTable, to: &str, text: &str) -> String {
    ask(to, "447700900123", text, |message| {
        let decided = decide(table, message);
        let explained = table.explain(message).pop().filter(|last| last.against.is_none()).map(|last| last.route);
        assert_eq!(decided, explained, "what is explained is what is decided");
        decided.map(|rule| rule.to_string()).unwrap_or_default()
    })
}

fn decide(table: &InboundTable, message: Incoming<'_>) -> Option<Name> {
    table.plan(message, |_| Default::default()).map(|plan| plan.rule)
}

#[test]
fn the_first_rule_that_matches_decides() {
    let keyword = InboundMatch { keyword: vec!["Info".into()], to: vec!["+60777".into()], ..Default::default() };
    let table = InboundTable::new(&[rule("rest", 5, InboundMatch::default()), rule("info", 0, keyword)]);
    assert_eq!(decided(&table, "60777", " INFO please"), "info");
    assert_eq!(decided(&table, "60777", "Information"), "rest");
    assert_eq!(decided(&table, "60778", "info"), "rest");
}

#[test]
fn without_a_matching_rule_nobody_gets_it() {
    let other = InboundMatch { connector: vec!["b".into()], ..Default::default() };
    let table = InboundTable::new(&[rule("b", 0, other)]);
    let (to, from) = (Address::from_carrier("1", false), Address::from_carrier("2", false));
    assert_eq!(decide(&table, Incoming { connector: "a", to: &to, from: &from, text: None }), None);
}

#[test]
fn rules_with_and_without_keywords_keep_their_order() {
    let table = table(
        r#"
        inbound = [
            { id = "code", account = "x", match = { text = '^\d{6}$' } },
            { id = "number", account = "x", match = { to = ["60777"], from_prefix = ["4477"] } },
            { id = "stop", account = "x", match = { keyword = ["стоп", "stop", "ARRÊT", "?"] } },
            { id = "late", account = "x", match = { to = ["60778"] } },
        ]"#,
    )
    .unwrap();
    assert_eq!(decided(&table, "60777", "stop"), "number");
    assert_eq!(decided(&table, "60778", "«СТОП»!"), "stop");
    assert_eq!(decided(&table, "60778", "Arrêt."), "stop");
    assert_eq!(decided(&table, "60778", "?"), "stop");
    assert_eq!(decided(&table, "60778", "nonstop"), "late");
    assert_eq!(decided(&table, "60777", "482913"), "code");
    assert_eq!(decided(&table, "1", "x"), "");
}

#[test]
fn a_plan_says_all_that_happens() {
    let table = table(
        r#"
        [[inbound]]
        id = "info"
        account = "shop"
        match = { keyword = ["INFO"], to = ["+60777"] }
        deliver = ["webhook"]
        reply = "{keyword} for {from}: 9 to 5"
        reply_limit = 5
        forward = ["+447700900001"]
        forward_text = "{rest} ({date} {time})"
        group = { name = "choir", action = "join" }
        "#,
    )
    .unwrap();
    let clock = |account: &str| (format!("day of {account}"), "14:05".to_owned());
    let plan = ask("60777", "447700900123", "info! on shoes", |message| table.plan(message, clock)).unwrap();
    let expected = InboundPlan {
        rule: "info".into(),
        account: "shop".into(),
        deliver: vec![Handover::Webhook],
        reply: Some("info for +447700900123: 9 to 5".into()),
        reply_limit: Some(5),
        forward: vec![Address::recipient("+447700900001", None).unwrap()],
        forward_text: Some("on shoes (day of shop 14:05)".into()),
        group: Some(InboundGroup { name: "choir".into(), action: GroupAction::Join, members_only: None }),
    };
    assert_eq!(plan, expected);
    let own = |number: &str| table.is_own(&Address::from_carrier(number, true));
    assert!(own("60777") && !own("447700900001"));
}

#[test]
fn faults_are_told_by_field_and_a_faulty_rule_matches_nothing() {
    let told = table(
        r#"
        inbound = [{ id = "a", account = "x", match = { text = "(" }, reply = "{who}", forward = ["x"], forward_text = "}", enabled = false }]"#,
    )
    .unwrap_err();
    assert_eq!(told.len(), 4);
    assert!(told[0].starts_with("inbound \"a\": match.text: is no regular expression"), "{told:?}");
    assert!(told[1].starts_with("inbound \"a\": reply: {who}"), "{told:?}");
    let faulty = Inbound { reply: Some("{who}".into()), ..rule("a", 0, InboundMatch::default()) };
    let table = InboundTable::new(&[faulty, rule("b", 1, InboundMatch::default())]);
    assert_eq!(decided(&table, "1", "x"), "b");
}

proptest::proptest! {
    #[test]
    fn what_is_looked_up_is_what_a_plain_walk_finds(
        rules in proptest::collection::vec((0..4_u8, 0..4_u8, 0..4_u8, -1..2_i64), 0..20),
        to in 0..3_u8, from in 0..3_u8, word in 0..4_usize,
    ) {
        let some = |bits: u8, words: [&str; 2]| -> Vec<String> {
            words.iter().zip([1, 2]).filter(|(_, bit)| bits & bit != 0).map(|(word, _)| (*word).to_owned()).collect()
        };
        let rules: Vec<Inbound> = rules.iter().zip(0..).map(|((to, from, keyword, order), n)| {
            let matches = InboundMatch {
                to: some(*to, ["+0", "1"]),
                from: some(*from, ["0", "1"]),
                keyword: some(*keyword, ["INFO", "?"]),
                ..InboundMatch::default()
            };
            rule(&format!("r{n}"), *order, matches)
        }).collect();
        let (to, from) = (Address::from_carrier(&to.to_string(), false), Address::from_carrier(&from.to_string(), true));
        let text = ["Info!", "?", "? info", "other"][word];
        let (table, message) = (InboundTable::new(&rules), Incoming { connector: "a", to: &to, from: &from, text: Some(text) });
        let explained = table.explain(message);
        let walked = explained.last().filter(|last| last.against.is_none()).map(|last| last.route.clone());
        proptest::prop_assert_eq!(decide(&table, message), walked);
    }
}
