//! How long a submit_sm takes to read and to write, and what a session adds to it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use smpp::{
    Address, ClientConfig, CommandStatus, DEFAULT_MAX_PDU, Event, Pdu, RegisteredDelivery, Session, SessionConfig,
    SubmitSm, SubmitSmResp, encode, next_frame,
};

fn typical() -> SubmitSm<'static> {
    SubmitSm {
        source: Address::alphanumeric(b"Postrider"),
        destination: Address::international(b"4915123456789"),
        registered_delivery: RegisteredDelivery::ALWAYS,
        short_message: b"Your code is 482913. It is valid for ten minutes; never tell it to anybody.",
        ..SubmitSm::default()
    }
}

fn codec(criterion: &mut Criterion) {
    let message = typical();
    let mut out = Vec::with_capacity(4096);
    criterion.bench_function("encode submit_sm", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode(black_box(&message), black_box(7), CommandStatus::ROK, &mut out)
        });
    });
    criterion.bench_function("encode Pdu::SubmitSm", |bencher| {
        let pdu = Pdu::SubmitSm(message);
        bencher.iter(|| {
            out.clear();
            encode(black_box(&pdu), black_box(7), CommandStatus::ROK, &mut out)
        });
    });
    let mut wire = Vec::new();
    encode(&message, 7, CommandStatus::ROK, &mut wire).expect("the message is well formed");
    criterion.bench_function("decode submit_sm", |bencher| {
        bencher.iter(|| {
            let frame = next_frame(black_box(&wire), DEFAULT_MAX_PDU);
            black_box(frame.ok().flatten().map(|frame| frame.decode()))
        });
    });
    let mut answer = Vec::new();
    let response = SubmitSmResp { message_id: b"0f8a4c21", ..SubmitSmResp::default() };
    encode(&response, 7, CommandStatus::ROK, &mut answer).expect("the response is well formed");
    criterion.bench_function("decode submit_sm_resp", |bencher| {
        bencher.iter(|| {
            let frame = next_frame(black_box(&answer), DEFAULT_MAX_PDU);
            black_box(frame.ok().flatten().map(|frame| frame.decode()))
        });
    });
}

/// Sixty-four messages through a client and a server and back, both sessions on this one thread.
fn sessions(criterion: &mut Criterion) {
    const NOW: Duration = Duration::ZERO;
    let config = SessionConfig { window: 1_000, ..SessionConfig::default() };
    let client = ClientConfig { session: config.clone(), ..ClientConfig::default() };
    let mut client = Session::client(client, NOW).expect("the settings are good");
    let mut server = Session::server(config, NOW).expect("the settings are good");
    hand_over(&mut client, &mut server);
    assert!(matches!(server.next_event(NOW), Some(Event::BindRequest { .. })));
    server.accept_bind(b"MC", NOW).expect("a bind waits");
    hand_over(&mut server, &mut client);
    assert!(matches!(client.next_event(NOW), Some(Event::Bound { .. })));
    let message = typical();
    let mut sequences = Vec::new();
    criterion.bench_function("64 messages there and back", |bencher| {
        bencher.iter(|| {
            for token in 0..64 {
                client.submit(&message, token, NOW).expect("the window has room");
            }
            hand_over(&mut client, &mut server);
            while let Some(event) = server.next_event(NOW) {
                if let Event::Request { sequence, pdu } = event {
                    black_box(pdu);
                    sequences.push(sequence);
                }
            }
            for sequence in sequences.drain(..) {
                let answer = SubmitSmResp { message_id: b"0f8a4c21", ..SubmitSmResp::default() };
                server.respond(sequence, CommandStatus::ROK, &answer, NOW).expect("the request waits");
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
