//! Lingering: a client that is still sending when it is answered gets to read the answer.
//!
//! Over HTTP/1 a connection that is closed on octets which nobody has read is reset, and with that the
//! answer may be lost on its way or be thrown away. So what the client sends on is read and forgotten
//! for a while after it was answered (RFC 9112 §9.6). HTTP/2 can end a stream without that.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, Version};

/// How long the rest of a body is read for nothing.
const LINGER: Duration = Duration::from_secs(10);
/// A rest that is known to be no longer is hyper's to read: the connection is kept.
const SHORT: u64 = 64 * 1024;

/// Reads on what is left of a request while its answer is on its way; the connection ends then.
pub(super) fn linger(mut body: Incoming, parts: &Parts, mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let short = body.size_hint().upper().is_some_and(|left| left <= SHORT);
    if parts.version != Version::HTTP_2 && !short {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        tokio::spawn(tokio::time::timeout(LINGER, async move { while let Some(Ok(_)) = body.frame().await {} }));
    }
    response
}
