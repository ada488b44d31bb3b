//! `/carriers/{connector}/{secret}`: providers that tell what became of messages, and bring messages from
//! phones. What they say is the connector's business; here it is only let in, and answered.

use engine::{CarrierCall, CarrierDenied};
use hyper::StatusCode;

use super::exchange::Exchange;
use crate::http::problem::{Problem, catalogue};
use crate::http::reply::Reply;

/// Where the paths begin.
pub(super) const PREFIX: &str = "/carriers/";

/// Takes one call.
pub(super) async fn call(mut exchange: Exchange<'_>) -> Result<Reply, Problem> {
    let unknown = || Problem::new(&catalogue::NOT_FOUND).detail("there is no such path");
    let path = exchange.parts.uri.path().strip_prefix(PREFIX).and_then(|rest| rest.split_once('/'));
    let (connector, secret) = path.filter(|(_, secret)| !secret.contains('/')).ok_or_else(unknown)?;
    let (connector, secret) = (Box::from(connector), Box::from(secret));
    let body = exchange.body().await?.to_vec();
    let headers = exchange.parts.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_str().into(), value.as_bytes().into())).collect();
    let call =
        CarrierCall { connector, secret, query: exchange.query().into(), headers, body, remote: exchange.remote };
    match exchange.engine().carrier_called(call).await {
        Ok(reply) => {
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
            Ok(Reply::owned(status, &reply.content_type, reply.body.into_string()))
        }
        Err(CarrierDenied::Unknown) => Err(unknown()),
        Err(CarrierDenied::Signature) => {
            tracing::warn!(remote = %exchange.remote, "a call has not its carrier's signature");
            Err(Problem::new(&catalogue::SIGNATURE_WRONG))
        }
        Err(CarrierDenied::Unreadable(why)) => Err(Problem::new(&catalogue::MALFORMED_JSON).detail(why.into_string())),
        Err(CarrierDenied::Later) => Err(Problem::new(&catalogue::OVERLOADED)),
    }
}
