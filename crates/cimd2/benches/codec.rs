//! How long a submission takes to read and to write, and what a session adds to it.

use std::hint::black_box;
use std::time::Duration;

use cimd2::{
    ClientConfig, DEFAULT_MAX_PACKET, Event, Piece, Session, SessionConfig, StatusReports, Submit, SubmitResp, Values,
    encode, next_piece, septets, write_text,
};
use criterion::{Criterion, criterion_group, criterion_main};

const TEXT: &[u8] = b"Your code is 482913. It is valid for ten minutes; never tell it to anybody.";

fn typical() -> Submit<'static> {
    Submit {
        destinations: Values::one(b"4915123456789"),
        alpha_originator: b"Postrider",
        status_reports: Some(StatusReports::FINAL),
        text: Some(TEXT),
        ..Submit::default()
    }
}

fn codec(criterion: &mut Criterion) {
    let message = typical();
    let mut out = Vec::with_capacity(4096);
    criterion.bench_function("encode submit", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode(black_box(&message), black_box(7), true, &mut out)
        });
    });
    let mut wire = Vec::new();
    encode(&message, 7, true, &mut wire).expect("the message is well formed");
    criterion.bench_function("decode submit", |bencher| {
        bencher.iter(|| match next_piece(black_box(&wire), DEFAULT_MAX_PACKET) {
            Some(Piece::Frame(frame)) => black_box(frame.decode()).is_ok(),
            _ => false,
        });
    });
    let mut answer = Vec::new();
    let response = SubmitResp { destination: b"4915123456789", timestamp: b"261122183420", ..SubmitResp::default() };
    encode(&response, 7, true, &mut answer).expect("the response is well formed");
    criterion.bench_function("decode submit_resp", |bencher| {
        bencher.iter(|| match next_piece(black_box(&answer), DEFAULT_MAX_PACKET) {
            Some(Piece::Frame(frame)) => black_box(frame.decode()).is_ok(),
            _ => false,
        });
    });
    criterion.bench_function("text there and back", |bencher| {
        bencher.iter(|| {
            out.clear();
            write_text(black_box(TEXT), &mut out);
            septets(&out).fold(0, |sum: u32, septet| sum + u32::from(septet))
        });
    });
}

/// Sixty-four messages through a client and a server and back, both sessions on this one thread.
fn sessions(criterion: &mut Criterion) {
    const NOW: Duration = Duration::ZERO;
    let config = SessionConfig { window: 100, ..SessionConfig::default() };
    let client = ClientConfig { session: config.clone(), ..ClientConfig::default() };
    let mut client = Session::client(client, NOW).expect("the settings are good");
    let mut server = Session::server(config, NOW).expect("the settings are good");
    hand_over(&mut client, &mut server);
    assert!(matches!(server.next_event(NOW), Some(Event::LoginRequest { .. })));
    server.accept_login(NOW).expect("a login waits");
    hand_over(&mut server, &mut client);
    assert!(matches!(client.next_event(NOW), Some(Event::LoggedIn)));
    let mut sequences = Vec::new();
    let (mut sent, mut number) = (0u64, [0; 20]);
    criterion.bench_function("64 messages there and back", |bencher| {
        bencher.iter(|| {
            for token in 0..64 {
                // Each is another message, as they are in life: the same again would be taken for repeated.
                sent += 1;
                let mut digits = sent;
                for place in number.iter_mut().rev() {
                    *place = b'0' + u8::try_from(digits % 10).expect("a digit");
                    digits /= 10;
                }
                let message = Submit { destinations: Values::one(&number[8..]), ..typical() };
                client.submit(&message, token, NOW).expect("the window has room");
            }
            hand_over(&mut client, &mut server);
            while let Some(event) = server.next_event(NOW) {
                if let Event::Request { sequence, packet } = event {
                    black_box(packet);
                    sequences.push(sequence);
                }
            }
            for sequence in sequences.drain(..) {
                let answer =
                    SubmitResp { destination: b"4915123456789", timestamp: b"261122183420", ..SubmitResp::default() };
                server.respond(sequence, &answer, NOW).expect("the request waits");
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
