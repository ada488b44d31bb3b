//! The routes against Kannel's own question, asked of every link for every number.

use std::fmt::Write as _;

use serde_json::Value;

/// Prefixes that nest in many ways.
const PREFIXES: [&str; 7] = ["4", "44", "447", "4478", "1", "19", "190"];
const NUMBERS: [&str; 9] = ["44780", "44790", "44100", "43100", "19000", "19100", "12000", "70000", "5"];
/// Names that links have, ask for and refuse.
const NAMES: [&str; 3] = ["a", "b", "c"];

/// Numbers without a pattern (xorshift), so that every run is the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    /// Some of them, or nothing at all.
    fn some(&mut self, of: &[&'static str]) -> Option<Vec<&'static str>> {
        let list: Vec<&str> = of.iter().copied().filter(|_| self.below(3) == 0).collect();
        (!list.is_empty() && self.below(2) == 0).then_some(list)
    }
}

/// What a link or a user lets through.
#[derive(Default)]
struct Conditions {
    allowed: Option<Vec<&'static str>>,
    denied: Option<Vec<&'static str>>,
    preferred: Option<Vec<&'static str>>,
    allowed_names: Option<Vec<&'static str>>,
    denied_names: Option<Vec<&'static str>>,
}

impl Conditions {
    fn random(dice: &mut Dice) -> Self {
        Self {
            allowed: dice.some(&PREFIXES),
            denied: dice.some(&PREFIXES),
            preferred: dice.some(&PREFIXES),
            allowed_names: dice.some(&NAMES),
            denied_names: dice.some(&NAMES),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (key, list) in [
            ("allowed-prefix", &self.allowed),
            ("denied-prefix", &self.denied),
            ("preferred-prefix", &self.preferred),
            ("allowed-smsc-id", &self.allowed_names),
            ("denied-smsc-id", &self.denied_names),
        ] {
            if let Some(list) = list {
                writeln!(text, "{key} = {}", list.join(";")).unwrap();
            }
        }
        text
    }

    /// As Kannel's links and users decide about a recipient.
    fn lets_through(&self, number: &str) -> bool {
        let begins = |list: &Vec<&str>| list.iter().any(|prefix| number.starts_with(prefix));
        match (&self.allowed, &self.denied) {
            (Some(allowed), None) => begins(allowed),
            (None, Some(denied)) => !begins(denied),
            (Some(allowed), Some(denied)) => begins(allowed) || !begins(denied),
            (None, None) => true,
        }
    }

    /// As Kannel's links decide about the name that a message carries.
    fn takes_name(&self, name: Option<&str>) -> bool {
        let named = |list: &Vec<&str>| name.is_some_and(|name| list.contains(&name));
        match (&self.allowed_names, &self.denied_names) {
            (Some(allowed), _) => named(allowed),
            (None, Some(denied)) => !named(denied),
            (None, None) => true,
        }
    }

    fn prefers(&self, number: &str) -> bool {
        self.preferred.iter().flatten().any(|prefix| number.starts_with(prefix))
    }
}

/// The connectors that the first route that matches leads to, by a pool or not; none is a refusal.
fn decided<'r>(resources: &'r Value, account: &str, number: &str) -> Vec<&'r str> {
    let says = |value: &Value, what: &dyn Fn(&str) -> bool| {
        value.as_array().is_none_or(|list| list.iter().filter_map(Value::as_str).any(what))
    };
    let matches = |route: &&Value| {
        says(&route["match"]["account"], &|id| id == account)
            && says(&route["match"]["to_prefix"], &|prefix| number.starts_with(prefix))
    };
    let of = |kind: &str| resources[kind].as_array().map_or(&[][..], Vec::as_slice);
    let to = of("route").iter().find(matches).expect("a route for every number")["to"].as_str();
    match of("pool").iter().find(|pool| pool["id"].as_str() == to) {
        None => to.into_iter().collect(),
        Some(pool) => {
            let members = pool["members"].as_array().unwrap().iter();
            members.map(|member| member["connector"].as_str().unwrap()).collect()
        }
    }
}

#[test]
fn the_first_route_that_matches_is_what_kannel_would_choose() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut refused, mut preferred, mut shared) = (0, 0, 0);
    for _ in 0..150 {
        let links: Vec<Conditions> = (0..3).map(|_| Conditions::random(&mut dice)).collect();
        let mut text = String::new();
        for (name, link) in NAMES.iter().zip(&links) {
            let link = link.text();
            writeln!(
                text,
                "group = smsc\nsmsc = smpp\nsmsc-id = {name}\nhost = h\nport = 1\nsmsc-username = u\n{link}\n"
            )
            .unwrap();
        }
        let user =
            Conditions { allowed_names: None, denied_names: None, preferred: None, ..Conditions::random(&mut dice) };
        let tag = (dice.below(2) == 0).then_some(NAMES[0]);
        let forced = tag.map(|tag| format!("forced-smsc = {tag}\n")).unwrap_or_default();
        writeln!(text, "group = sendsms-user\nusername = user\npassword = p\n{forced}{}", user.text()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kannel.conf");
        std::fs::write(&file, &text).unwrap();
        let resources = super::import(&file).unwrap().finish().unwrap().resources_json();

        let everybody = Conditions::default();
        for (account, limits, tag) in [("user", &user, tag), ("another", &everybody, None)] {
            for number in NUMBERS {
                let usable = |link: &&Conditions| {
                    link.takes_name(tag) && link.lets_through(number) && limits.lets_through(number)
                };
                let named = |pass: &dyn Fn(&&Conditions) -> bool| -> Vec<&str> {
                    links.iter().zip(NAMES).filter(|(link, _)| pass(link)).map(|(_, name)| name).collect()
                };
                let all = named(&usable);
                let best = named(&|link| usable(link) && link.prefers(number));
                let wanted = if best.is_empty() { &all } else { &best };
                let choice = decided(&resources, account, number);
                assert_eq!(&choice, wanted, "{account} to {number}:\n{text}\n{resources:#}");
                refused += u32::from(all.is_empty());
                preferred += u32::from(!best.is_empty());
                shared += u32::from(choice.len() > 1);
            }
        }
    }
    assert!(refused > 100 && preferred > 100 && shared > 100, "{refused} {preferred} {shared}");
}
