//! What an ingress does with the calls of providers: it hands them over, and answers.

use std::convert::Infallible;

use engine::{CarrierCall, Engine};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Serves for ever.
pub async fn serve(listener: TcpListener, engine: Engine) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let engine = engine.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &engine));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, engine: &Engine) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let (connector, secret) = parts.uri.path().strip_prefix("/carriers/").unwrap().split_once('/').unwrap();
    let headers = parts.headers.iter();
    let call = CarrierCall {
        connector: connector.into(),
        secret: secret.into(),
        query: parts.uri.query().unwrap_or_default().into(),
        headers: headers.map(|(name, value)| (name.as_str().into(), value.as_bytes().into())).collect(),
        body: body.collect().await.unwrap().to_bytes().to_vec(),
        remote: [127, 0, 0, 1].into(),
    };
    let response = match engine.carrier_called(call).await {
        Ok(reply) => Response::builder()
            .status(reply.status)
            .header("content-type", &*reply.content_type)
            .body(Full::new(reply.body.into_string().into())),
        Err(denied) => Response::builder().status(403).body(Full::new(denied.to_string().into())),
    };
    Ok(response.unwrap())
}
