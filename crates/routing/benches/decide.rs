//! How long a decision takes, over tables as operators of much traffic have them. Every round asks
//! about another number, so that the processor's cache does not know the way.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use model::Address;
use model::resources::{Amount, PriceList, Route, RouteMatch};
use routing::{AllWell, Outgoing, PriceTable, Question, RouteTable};

const CONNECTORS: [&str; 10] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"];
/// Numbers that are asked about in turn.
const NUMBERS: u64 = 1 << 16;

/// A message that is routed has just been read: it is in the cache, where the table is not.
const AT_HAND: BatchSize = BatchSize::NumIterations(64);

/// Scatters `n` over `range`, the same way every time.
fn scattered(n: u64, range: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) % range
}

fn prefix(n: u64) -> String {
    // Seven or eight digits behind a country code, as ranges of networks and ported numbers are.
    format!("{}{}", 30 + n % 60, 1_000_000 + scattered(n, 50_000_000))
}

fn route(id: u64, to_prefix: Vec<String>, account: Vec<String>) -> Route {
    let json = format!(r#"{{"id":"r{id}","to":"c{}"}}"#, id % 10);
    let route: Route = serde_json::from_str(&json).expect("the smallest route");
    Route { matches: RouteMatch { to_prefix, account, ..RouteMatch::default() }, ..route }
}

/// As many rules as `rules`, which share `prefixes`, and a last one for everything else.
fn table(rules: u64, prefixes: u64) -> RouteTable {
    let each = prefixes / rules;
    let mut routes: Vec<Route> =
        (0..rules).map(|r| route(r, (r * each..(r + 1) * each).map(prefix).collect(), vec![])).collect();
    routes.push(route(rules, vec![], vec![]));
    RouteTable::new(&routes, &CONNECTORS)
}

/// Numbers of which every second begins with one of the first `prefixes`.
fn numbers(prefixes: u64) -> Vec<Address> {
    let number = |n: u64| {
        let known = scattered(n, prefixes) + if n.is_multiple_of(2) { 0 } else { prefixes };
        Address::recipient(&format!("+{}9999", prefix(known)), None).expect("a number of 13 or 14 digits")
    };
    (0..NUMBERS).map(number).collect()
}

fn ask(criterion: &mut Criterion, name: &str, table: &RouteTable, numbers: &[Address]) {
    let from = Address::sender("SHOP", None).expect("a sender");
    let accounts: Vec<String> = (0..1000).map(|n| format!("account-{n}")).collect();
    let mut n = 0;
    let mut next = || {
        n += 1;
        (numbers[n * 7919 % numbers.len()].clone(), accounts[n % accounts.len()].as_str(), n as u64)
    };
    criterion.bench_function(name, |bencher| {
        let plan = |(to, account, random): &mut (Address, &str, u64)| {
            let question = Question::from(Outgoing { account, to, from: &from });
            drop(black_box(table.plan(black_box(&question), &AllWell, *random)));
        };
        bencher.iter_batched_ref(&mut next, plan, AT_HAND);
    });
}

fn deciding(criterion: &mut Criterion) {
    ask(criterion, "plan/10 rules, 100 prefixes", &table(10, 100), &numbers(100));
    for prefixes in [100_000, 1_000_000] {
        let numbers = numbers(prefixes);
        ask(criterion, &format!("plan/100 rules, {prefixes} prefixes"), &table(100, prefixes), &numbers);
        ask(criterion, &format!("plan/{prefixes} rules of one prefix"), &table(prefixes, prefixes), &numbers);
    }
    let of_accounts: Vec<Route> =
        (0..10_000).map(|n| route(n, vec![(30 + n % 60).to_string()], vec![format!("account-{}", n % 1000)])).collect();
    let table = RouteTable::new(&of_accounts, &CONNECTORS);
    ask(criterion, "plan/10000 rules of 1000 accounts", &table, &numbers(100));
}

fn pricing(criterion: &mut Criterion) {
    let prefixes = (0..1_000_000).map(|n| (prefix(n), Amount::from_micros((n % 1000) as i64))).collect();
    let list = PriceList { currency: "EUR".parse().expect("a currency"), default: None, prefixes };
    let (table, numbers) = (PriceTable::new(&list).expect("every prefix is one"), numbers(1_000_000));
    let mut n = 0;
    let mut next = || {
        n += 1;
        numbers[n * 7919 % numbers.len()].clone()
    };
    criterion.bench_function("price/1000000 prefixes", |bencher| {
        bencher.iter_batched_ref(&mut next, |to| table.of(black_box(to)), AT_HAND);
    });
}

criterion_group!(benches, deciding, pricing);
criterion_main!(benches);
