use std::time::Duration;

use ingress::http::{HttpLimits, HttpSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::gateway::{Gateway, SHOP, hello, read_answer};

async fn limited(change: impl FnOnce(&mut HttpLimits)) -> Gateway {
    let mut settings = HttpSettings::default();
    change(&mut settings.limits);
    Gateway::start_with(settings).await
}

fn request(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SHOP}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn bodies_have_a_longest_length() {
    let gateway = Gateway::start().await;
    let fitting = format!("{{\"to\":\"{}\"}}", "1".repeat(1024 * 1024 - 9));
    assert_eq!(fitting.len(), 1024 * 1024);
    assert_eq!(gateway.once(&request(&fitting)).await.status, 422);
    let declared =
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer shop-secret\r\ncontent-length: 1048577\r\n\r\n";
    let answer = gateway.once(declared).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"), "before the body is sent");
    let chunk = format!("{:x}\r\n{}\r\n", 700_000, "x".repeat(700_000));
    let chunked = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SHOP}\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"
    );
    assert_eq!(gateway.once(&chunked).await.status, 413);
}

#[tokio::test]
async fn bodies_in_many_pieces_are_put_together() {
    let gateway = Gateway::start().await;
    let chunks: String = hello().to_string().bytes().map(|b| format!("1\r\n{}\r\n", char::from(b))).collect();
    let chunked = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SHOP}\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
    );
    let answer = gateway.once(&chunked).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

#[tokio::test]
async fn a_client_with_slow_headers_is_cut_off() {
    let gateway = limited(|limits| limits.header_timeout = Duration::from_millis(50)).await;
    let mut socket = gateway.connect().await;
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost:").await.unwrap();
    // The end of the connection is the event: nothing else ends this read.
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout() {
    let gateway = limited(|limits| limits.request_timeout = Duration::from_millis(50)).await;
    let half = request(&hello().to_string());
    let answer = gateway.once(&half[..half.len() - 1]).await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "request_timeout"));
}

/// What is no HTTP is answered before there is a request.
#[tokio::test]
async fn what_can_not_be_read_as_http_is_a_problem() {
    let gateway = Gateway::start().await;
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let long = "x".repeat(100_000);
    let cases = [
        (400, "malformed_request", "G\0T /livez HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (400, "malformed_request", "GET /livez HTTP/1.7\r\nhost: x\r\n\r\n".to_owned()),
        (400, "malformed_request", "GET /livez HTTP/1.1\r\nho st: x\r\n\r\n".to_owned()),
        (400, "malformed_request", "GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n".to_owned()),
        (431, "headers_too_large", format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(70_000))),
        (431, "headers_too_large", format!("GET /livez HTTP/1.1\r\nhost: x\r\n{many}\r\n")),
        (431, "headers_too_large", format!("GET /livez HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n")),
    ];
    for (status, code, octets) in cases {
        let what = &octets[..octets.len().min(60)];
        let answer = gateway.once(&octets).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{what}");
        assert_eq!(answer.header("connection"), Some("close"), "{what}");
        let good = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
        let mut socket = gateway.connect().await;
        // It may be answered while it is still being written.
        let _ = socket.write_all(format!("{good}{good}{octets}").as_bytes()).await;
        let mut left = Vec::new();
        for expected in [200, 200, status] {
            let answer = read_answer(&mut socket, &mut left).await.unwrap();
            assert_eq!(answer.status, expected, "{what}");
            assert!(!answer.body.is_empty(), "{what}");
        }
    }
    let roomy = limited(|limits| limits.header_octets = 200_000).await;
    let answer = roomy.once(&format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(70_000))).await;
    assert_eq!((answer.status, answer.code().as_str()), (414, "uri_too_long"));
}

/// An answer to a HEAD has no body, and must not be taken for one that hyper made.
#[tokio::test]
async fn a_refused_head_keeps_its_form() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    let head = format!("HEAD /v1/messages?x=1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SHOP}\r\n");
    socket.write_all(format!("{head}\r\n{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 400 Bad Request\r\n").count(), 2, "{text}");
    assert!(!text.contains('{') && text.ends_with("\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn headers_have_limits() {
    let gateway = Gateway::start().await;
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    assert_eq!(gateway.once(&format!("GET /livez HTTP/1.1\r\nhost: x\r\n{many}\r\n")).await.status, 431);
    let long = "x".repeat(100_000);
    assert_eq!(gateway.once(&format!("GET /livez HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n")).await.status, 431);
    assert_eq!(gateway.get("/livez", "").await.status, 200, "the others go on");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let gateway = limited(|limits| limits.connections = 1).await;
    let live = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut first = gateway.connect().await;
    first.write_all(live).await.unwrap();
    assert_eq!(read_answer(&mut first, &mut Vec::new()).await.unwrap().status, 200);
    let mut second = gateway.connect().await;
    second.write_all(live).await.unwrap();
    // The first one is still served while the second waits in the system's queue.
    first.write_all(live).await.unwrap();
    assert_eq!(read_answer(&mut first, &mut Vec::new()).await.unwrap().status, 200);
    drop(first);
    assert_eq!(read_answer(&mut second, &mut Vec::new()).await.unwrap().status, 200);
}

#[tokio::test]
async fn requests_may_follow_each_other_without_waiting() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    let good = request(&hello().to_string());
    let pipeline = format!("{good}GET /livez HTTP/1.1\r\nhost: x\r\n\r\n{}{good}", request("{"));
    socket.write_all(pipeline.as_bytes()).await.unwrap();
    let mut left = Vec::new();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(read_answer(&mut socket, &mut left).await.unwrap().status);
    }
    assert_eq!(statuses, [202, 200, 400, 202]);
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    socket.write_all(b"HEAD /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way() {
    let mut gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    let mut idle = gateway.connect().await;
    let whole = request(&hello().to_string());
    // An answer on each shows that the gateway serves both.
    for connection in [&mut socket, &mut idle] {
        connection.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        read_answer(connection, &mut Vec::new()).await.unwrap();
    }
    let (begin, end) = whole.split_at(whole.len() - 5);
    // "100-continue" is answered when the handler waits for the body: the request is under way.
    let begin = begin.replacen("host: x\r\n", "host: x\r\nexpect: 100-continue\r\n", 1);
    socket.write_all(begin.as_bytes()).await.unwrap();
    let mut interim = Vec::new();
    assert_eq!(read_answer(&mut socket, &mut interim).await.unwrap().status, 100);
    gateway.ask_to_stop();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed at once");
    socket.write_all(end.as_bytes()).await.unwrap();
    let answer = read_answer(&mut socket, &mut interim).await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (202, Some("close")));
    gateway.stop().await;
    assert!(tokio::net::TcpStream::connect(gateway.address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let mut gateway = limited(|limits| limits.shutdown_grace = Duration::from_millis(20)).await;
    let mut socket = gateway.connect().await;
    let whole = request(&hello().to_string()).replacen("host: x\r\n", "host: x\r\nexpect: 100-continue\r\n", 1);
    socket.write_all(&whole.as_bytes()[..whole.len() - 5]).await.unwrap();
    assert_eq!(read_answer(&mut socket, &mut Vec::new()).await.unwrap().status, 100);
    gateway.stop().await;
}
