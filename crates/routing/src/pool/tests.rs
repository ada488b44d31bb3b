use std::collections::HashMap;

use model::resources::{Amount, PoolStrategy, PriceList};

use super::*;

#[derive(Default)]
struct Ward {
    states: HashMap<&'static str, ConnectorState>,
    turn: u64,
}

impl Health for Ward {
    fn state(&self, connector: &str) -> ConnectorState {
        self.states.get(connector).copied().unwrap_or_default()
    }

    fn turn(&self, _pool: &str) -> u64 {
        self.turn
    }
}

fn pool(strategy: PoolStrategy, members: &[(&str, u32, u32)]) -> Pool {
    let member = |(connector, weight, priority): &(&str, u32, u32)| Member {
        connector: (*connector).into(),
        weight: *weight,
        priority: *priority,
        cost: None,
    };
    Pool { id: "p".into(), strategy, sticky: None, members: members.iter().map(member).collect() }
}

fn order_to(pool: &Pool, health: &dyn Health, to: &str, random: u64) -> (String, usize) {
    let (to, from) = (Address::recipient(to, None).unwrap(), Address::sender("SHOP", None).unwrap());
    let (names, usable) = pool.order(Choice { to: &to, from: &from, health, random, together: false });
    (names.join(" "), usable)
}

fn order(pool: &Pool, health: &dyn Health, random: u64) -> String {
    order_to(pool, health, "+447700900123", random).0
}

fn down() -> ConnectorState {
    ConnectorState { usable: false, ..ConnectorState::default() }
}

/// How often each connector comes first in 10 000 draws.
fn firsts(pool: &Pool, health: &dyn Health) -> HashMap<String, u32> {
    let mut counts = HashMap::new();
    for n in 0..10_000 {
        let order = order(pool, health, mix(n));
        *counts.entry(order.split(' ').next().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn weights_share_the_load() {
    let pool = pool(PoolStrategy::Weighted, &[("a", 3, 0), ("b", 1, 0), ("spare", 0, 0)]);
    let counts = firsts(&pool, &AllWell);
    assert!((7_300..7_700).contains(&counts["a"]), "{counts:?}");
    assert_eq!(counts["a"] + counts["b"], 10_000);
    let ward = Ward { states: [("a", down()), ("b", down())].into(), turn: 0 };
    assert!(order(&pool, &ward, 1).starts_with("spare "), "weight 0 takes what no other can");
}

#[test]
fn one_that_is_let_back_gets_its_part_of_the_share() {
    let gently =
        || Ward { states: [("a", ConnectorState { share: 100, ..ConnectorState::default() })].into(), turn: 0 };
    let counts = firsts(&pool(PoolStrategy::Weighted, &[("a", 1, 0), ("b", 1, 0)]), &gently());
    assert!((800..1_020).contains(&counts["a"]), "1 of 11: {counts:?}");
    let counts = firsts(&pool(PoolStrategy::Failover, &[("a", 1, 0), ("b", 1, 0)]), &gently());
    assert!((900..1_100).contains(&counts["a"]), "1 of 10: {counts:?}");
}

#[test]
fn priorities_come_before_strategies_and_what_is_down_comes_last() {
    let pool = pool(PoolStrategy::Weighted, &[("a", 1, 0), ("b", 1, 0), ("c", 1_000, 1)]);
    assert!((0..100).all(|n| order(&pool, &AllWell, mix(n)).ends_with(" c")));
    let ward = Ward { states: [("a", down()), ("b", down())].into(), turn: 0 };
    let (names, usable) = order_to(&pool, &ward, "+447700900123", 5);
    assert!(names.starts_with("c ") && usable == 1, "{names}");
}

#[test]
fn failover_takes_the_first_that_is_well() {
    let pool = pool(PoolStrategy::Failover, &[("a", 1, 0), ("b", 1, 0), ("c", 1, 0)]);
    assert_eq!(order(&pool, &AllWell, 9), "a b c");
    let ward = Ward { states: [("a", down())].into(), turn: 0 };
    assert_eq!(order(&pool, &ward, 9), "b c a");
}

#[test]
fn round_robin_goes_round_those_that_are_well() {
    let pool = pool(PoolStrategy::RoundRobin, &[("a", 1, 0), ("b", 1, 0), ("c", 1, 0)]);
    let turns = |states: HashMap<_, _>| {
        (0..4).map(|turn| order(&pool, &Ward { states: states.clone(), turn }, 0)).collect::<Vec<_>>()
    };
    assert_eq!(turns(HashMap::new()), ["a b c", "b c a", "c a b", "a b c"]);
    assert_eq!(turns([("b", down())].into()), ["a c b", "c a b", "a c b", "c a b"]);
}

#[test]
fn the_least_busy_for_its_weight_is_first() {
    let pool = pool(PoolStrategy::LeastBusy, &[("a", 1, 0), ("b", 10, 0), ("c", 1, 0)]);
    let busy = |busy| ConnectorState { busy, ..ConnectorState::default() };
    let ward = Ward { states: [("a", busy(10)), ("b", busy(50)), ("c", busy(u64::MAX))].into(), turn: 0 };
    assert_eq!(order(&pool, &ward, 3), "b a c");
}

#[test]
fn the_cheapest_for_the_recipient_is_first() {
    let list = |prefix: &str, micros| PriceList {
        currency: "EUR".parse().unwrap(),
        default: None,
        prefixes: [(prefix.to_owned(), Amount::from_micros(micros))].into(),
    };
    let mut pool = pool(PoolStrategy::LeastCost, &[("a", 1, 0), ("b", 1, 0), ("c", 1, 0)]);
    pool.members[1].cost = Some(PriceTable::new(&list("44", 30_000)).unwrap());
    pool.members[2].cost = Some(PriceTable::new(&list("447", 20_000)).unwrap());
    assert_eq!(order_to(&pool, &AllWell, "+447700900123", 1).0, "c b a", "without a price it is last");
    assert!(order_to(&pool, &AllWell, "+442079460123", 1).0.starts_with("b "));
    struct Dear;
    impl Health for Dear {
        fn state(&self, _connector: &str) -> ConnectorState {
            ConnectorState::default()
        }

        fn cost(&self, connector: &str, _to: &Address) -> Option<Money> {
            let dear = Money { amount: Amount::from_micros(90_000), currency: "EUR".parse().unwrap() };
            (connector == "c").then_some(dear)
        }
    }
    assert_eq!(order_to(&pool, &Dear, "+447700900123", 1).0, "b c a", "what the caller knows comes first");
}

#[test]
fn a_recipient_keeps_to_its_connector_and_only_those_of_a_lost_one_move() {
    let mut pool = pool(PoolStrategy::Weighted, &[("a", 1, 0), ("b", 2, 0), ("c", 1, 0)]);
    pool.sticky = Some(Sticky::To);
    let ward = Ward { states: [("b", down())].into(), turn: 0 };
    let mut kept = [0_u32; 3];
    for n in 0..4_000 {
        let to = format!("+4477009{n:05}");
        let (before, _) = order_to(&pool, &AllWell, &to, n);
        assert_eq!(order_to(&pool, &AllWell, &to, mix(n)).0, before, "chance has no say");
        let first = before.chars().next().unwrap();
        kept[usize::from(first as u8 - b'a')] += 1;
        let after = order_to(&pool, &ward, &to, n).0;
        if first == 'b' {
            assert_eq!(after.chars().next(), before.chars().nth(2), "the next in line takes it");
        } else {
            assert!(after.starts_with(first), "{before} -> {after}");
        }
    }
    assert!(kept[0].abs_diff(1_000) < 120 && kept[1].abs_diff(2_000) < 150, "{kept:?}");
}

#[test]
fn what_belongs_together_goes_one_way_whatever_the_strategy() {
    let (to, from) = (Address::recipient("+447700900123", None).unwrap(), Address::sender("SHOP", None).unwrap());
    for strategy in [PoolStrategy::Weighted, PoolStrategy::RoundRobin, PoolStrategy::LeastBusy, PoolStrategy::LeastCost]
    {
        let pool = pool(strategy, &[("a", 1, 0), ("b", 1, 0), ("c", 1, 0), ("later", 1, 1)]);
        let first = |random, turn, busy| {
            let busy = [("a", busy), ("b", 3), ("c", 2)];
            let state = |busy| ConnectorState { busy, ..ConnectorState::default() };
            let ward = Ward { states: busy.map(|(name, busy)| (name, state(busy))).into(), turn };
            pool.order(Choice { to: &to, from: &from, health: &ward, random, together: true }).0[0].to_string()
        };
        let ways: std::collections::HashSet<String> = (0..60).map(|random| first(mix(random), 0, 1)).collect();
        assert_eq!(ways.len(), 3, "{strategy:?} shares out what does not belong together: {ways:?}");
        for random in 0..60 {
            assert_eq!(first(mix(random), 0, 1), first(mix(random), 1, 9), "{strategy:?}");
        }
    }
}
