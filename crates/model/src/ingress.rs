//! The ways in for applications.

use serde::{Deserialize, Serialize};

/// A way in for applications. What comes back (receipts, events) may go back the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ingress {
    /// The HTTP API.
    #[default]
    Http,
    /// The SMPP server.
    Smpp,
    /// Kannel's HTTP interface.
    Kannel,
    /// Jasmin's HTTP interface.
    Jasmin,
    /// Ozeki's HTTP interface.
    Ozeki,
    /// The UCP/EMI server.
    Ucp,
    /// The CIMD2 server.
    Cimd2,
    /// MQTT.
    Mqtt,
    /// The gateway made it itself: automatic replies, copies.
    Gateway,
}

impl Ingress {
    /// Every ingress.
    pub const ALL: [Ingress; 9] = [
        Ingress::Http,
        Ingress::Smpp,
        Ingress::Kannel,
        Ingress::Jasmin,
        Ingress::Ozeki,
        Ingress::Ucp,
        Ingress::Cimd2,
        Ingress::Mqtt,
        Ingress::Gateway,
    ];

    /// The word for it in the API and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Ingress::Http => "http",
            Ingress::Smpp => "smpp",
            Ingress::Kannel => "kannel",
            Ingress::Jasmin => "jasmin",
            Ingress::Ozeki => "ozeki",
            Ingress::Ucp => "ucp",
            Ingress::Cimd2 => "cimd2",
            Ingress::Mqtt => "mqtt",
            Ingress::Gateway => "gateway",
        }
    }
}

/// A protocol whose clients log in and stay: what they are owed goes back over their sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionProtocol {
    /// SMPP.
    Smpp,
    /// UCP/EMI.
    Ucp,
    /// CIMD2.
    Cimd2,
}

impl SessionProtocol {
    /// Every protocol of sessions, in the order in which they are asked who takes an incoming message.
    pub const ALL: [Self; 3] = [Self::Smpp, Self::Ucp, Self::Cimd2];

    /// The way in that it is.
    #[must_use]
    pub const fn ingress(self) -> Ingress {
        match self {
            Self::Smpp => Ingress::Smpp,
            Self::Ucp => Ingress::Ucp,
            Self::Cimd2 => Ingress::Cimd2,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.ingress().as_str()
    }
}

impl Ingress {
    /// The protocol of sessions that this way in is, if it is one.
    #[must_use]
    pub fn sessions(self) -> Option<SessionProtocol> {
        SessionProtocol::ALL.into_iter().find(|protocol| protocol.ingress() == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_ingresses_are_those_of_serde() {
        for ingress in Ingress::ALL {
            assert_eq!(serde_json::to_value(ingress).unwrap(), ingress.as_str());
        }
        assert_eq!(Ingress::default(), Ingress::Http);
        assert_eq!(Ingress::Ucp.sessions(), Some(SessionProtocol::Ucp));
        assert_eq!(Ingress::Kannel.sessions(), None);
    }
}
