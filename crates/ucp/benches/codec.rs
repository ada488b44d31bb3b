//! How long a 51 takes to read and to write, and what a session adds to it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ucp::{
    AddressType, Answer, ClientConfig, Content, Event, FrameRules, NotificationType, Operation, ServerConfig, Session,
    SessionConfig, ShortMessage, Trn, encode, encode_answer, next_frame,
};

fn typical() -> ShortMessage<'static> {
    ShortMessage {
        adc: b"004915123456789",
        oadc: b"10D0B79C4E4F93CB65",
        nrq: Some(1),
        nt: Some(NotificationType::ALL),
        content: Content::alphanumeric(b"Your code is 482913. It is valid for ten minutes; never tell it to anybody."),
        otoa: Some(AddressType::ALPHANUMERIC),
        ..ShortMessage::default()
    }
}

fn codec(criterion: &mut Criterion) {
    let message = typical();
    let trn = Trn::new(7).expect("below 100");
    let rules = FrameRules::default();
    let mut out = Vec::with_capacity(4096);
    criterion.bench_function("encode 51", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode(&Operation::Submit(*black_box(&message)), black_box(trn), &mut out)
        });
    });
    let mut wire = Vec::new();
    encode(&Operation::Submit(message), trn, &mut wire).expect("the message is well formed");
    criterion.bench_function("decode 51", |bencher| {
        bencher.iter(|| {
            let found = next_frame(black_box(&wire), &rules).found;
            black_box(found.and_then(Result::ok).map(|frame| frame.decode()))
        });
    });
    criterion.bench_function("decode 51 and encode it again", |bencher| {
        bencher.iter(|| {
            let found = next_frame(black_box(&wire), &rules).found;
            let frame = found.and_then(Result::ok).expect("a frame");
            out.clear();
            match frame.decode() {
                Ok(ucp::Pdu::Operation(operation)) => encode(&operation, trn, &mut out),
                other => panic!("{other:?}"),
            }
        });
    });
    let mut answer = Vec::new();
    let taken = Answer::ack(b"004915123456789:221026183639");
    encode_answer(ucp::OperationType::SUBMIT, &taken, trn, &mut answer).expect("the result is well formed");
    criterion.bench_function("decode a result of 51", |bencher| {
        bencher.iter(|| {
            let found = next_frame(black_box(&answer), &rules).found;
            black_box(found.and_then(Result::ok).map(|frame| frame.decode()))
        });
    });
}

/// Sixty-four messages through a client and a server and back, both sessions on this one thread.
fn sessions(criterion: &mut Criterion) {
    const NOW: Duration = Duration::ZERO;
    let session = SessionConfig { window: 100, ..SessionConfig::default() };
    let client = ClientConfig { session: session.clone(), ..ClientConfig::default() };
    let server = ServerConfig { login_required: false, session };
    let mut client = Session::client(client, NOW).expect("the settings are good");
    let mut server = Session::server(server, NOW).expect("the settings are good");
    assert!(matches!(client.next_event(NOW), Some(Event::Opened { .. })));
    assert!(matches!(server.next_event(NOW), Some(Event::Opened { .. })));
    let message = typical();
    let mut trns = Vec::new();
    criterion.bench_function("64 messages there and back", |bencher| {
        bencher.iter(|| {
            for token in 0..64 {
                client.submit(&message, token, NOW).expect("the window has room");
            }
            hand_over(&mut client, &mut server);
            while let Some(event) = server.next_event(NOW) {
                if let Event::Request { trn, operation } = event {
                    black_box(operation);
                    trns.push(trn);
                }
            }
            for trn in trns.drain(..) {
                server.respond(trn, &Answer::ack(b"004915123456789:221026183639"), NOW).expect("it waits");
            }
            hand_over(&mut server, &mut client);
            while let Some(event) = client.next_event(NOW) {
                black_box(event);
            }
            assert_eq!(client.outstanding(), 0);
        });
    });
}

fn hand_over(from: &mut Session, to: &mut Session) {
    let taken = to.receive(from.output(), Duration::ZERO);
    from.consume_output(taken);
    assert!(from.output().is_empty());
}

criterion_group!(benches, codec, sessions);
criterion_main!(benches);
