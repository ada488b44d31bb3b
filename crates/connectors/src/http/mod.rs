//! Providers with an HTTP API: what their descriptions mean, and sessions that follow them.
//!
//! The description is data ([`model::resources::http`]); this reads it once (`api`), and then does with it
//! what the other protocols do with PDUs. Pure: `values` and `request` from message to request; [`ProviderReader`]
//! everything that the provider says, by `answer` from answer to outcome, `incoming` from call to receipt or
//! message, `sign` and `jwt` signatures; all over `escape`, `json`, `xml` and `document`. With a socket: `client` one
//! exchange over a kept connection, `token` access tokens, `session` the loop, `errands` what it asks for beside
//! messages, `calls` what the provider says by itself.

mod answer;
mod api;
mod calls;
mod client;
mod document;
mod errands;
mod escape;
mod incoming;
mod json;
mod jwt;
mod reader;
mod request;
mod session;
mod sign;
#[cfg(test)]
mod tests;
mod token;
mod values;
mod xml;

use model::resources::Connector;

use crate::session::{Ended, Life, Slot};
pub use answer::Verdict;
pub use api::DescriptionFault;
pub(crate) use calls::HttpCalls;
pub use document::Document;
pub use reader::ProviderReader;

/// The life of a session that speaks HTTP.
pub(crate) struct HttpLife;

impl Life for HttpLife {
    async fn live(slot: &mut Slot) -> Ended {
        session::live(slot).await
    }
}

/// May a session go on with these settings in place of those?
pub(crate) fn same_api(one: &Connector, other: &Connector) -> bool {
    fn key(connector: &Connector) -> impl PartialEq + use<> {
        let c = connector.clone();
        let who = (c.protocol, c.address, c.system_id, c.password, c.tls);
        (who, c.http, c.sessions, c.response_timeout_seconds, c.bind_timeout_seconds)
    }
    key(one) == key(other)
}
