//! How long planning a text takes: the gateway does it once for every message it accepts.

use criterion::{Criterion, criterion_group, criterion_main};
use sms::{TextOptions, count, plan};
use std::hint::black_box;

fn planning(criterion: &mut Criterion) {
    let options = TextOptions::default();
    let code = "Your code is 482913. Thank you";
    let cyrillic = "Ваш код: 482913. Никому не сообщайте";
    let long = "Dear customer, your parcel arrives today. ".repeat(10);
    for (name, text) in [("gsm", code), ("ucs2", cyrillic), ("gsm_long", long.as_str())] {
        criterion.bench_function(&format!("plan/{name}"), |bencher| {
            bencher.iter(|| plan(black_box(text), black_box(&options)));
        });
    }
    criterion.bench_function("count/gsm", |bencher| {
        bencher.iter(|| count(black_box(code), black_box(&options)));
    });
}

criterion_group!(benches, planning);
criterion_main!(benches);
