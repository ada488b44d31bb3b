//! Pools: connectors that share a load.

use serde::{Deserialize, Serialize};

use super::PriceList;
use super::account::is_no;
use crate::form;

/// Most members of a pool.
pub const POOL_MEMBERS_MAX: usize = 256;
/// Seconds for which a connector must have been down before messages move on, where nobody says
/// otherwise: longer than most carriers take to come back after a restart.
pub const FAILOVER_SECONDS: u32 = 30;
/// Largest weight of a member.
pub const WEIGHT_MAX: u32 = 10_000;

/// Connectors that share a load. A route sends to it as it would to a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Its id; no connector has the same.
    pub id: String,
    /// How a message's connector is chosen; default weighted.
    #[serde(default, deserialize_with = "form::word")]
    pub strategy: PoolStrategy,
    /// What it is made of.
    pub members: Vec<PoolMember>,
    /// Messages that have this in common keep to one connector while it is well.
    #[serde(default, deserialize_with = "form::word_or_null", skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// Seconds for which a connector must have been down or sick before messages that wait for it
    /// move to the next one; default [`FAILOVER_SECONDS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover_after: Option<u32>,
    /// A message that one carrier refuses for good goes on to the next. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub pass_on_refused: bool,
}

/// One connector of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolMember {
    /// The connector.
    pub connector: String,
    /// Its share of the load, against the other members' of the same priority; default 1. A member
    /// of weight 0 takes what no other can.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// Lowest first: a member is used when none of a lower priority is well. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: u32,
    /// What a part costs over it: what least-cost looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<PriceList>,
}

/// How a pool chooses among members of one priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PoolStrategy {
    /// At random, by weight.
    #[default]
    Weighted,
    /// One after the other; weights are not looked at.
    RoundRobin,
    /// The one with the least waiting for its weight.
    LeastBusy,
    /// The one that costs least for the recipient.
    LeastCost,
    /// The first that is well, as they are written.
    Failover,
}

/// What messages have in common that keep to one connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sticky {
    /// The recipient.
    To,
    /// The sender.
    From,
}

fn one() -> u32 {
    1
}

fn is_one(value: &u32) -> bool {
    *value == 1
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_read_with_its_defaults_and_written_without_them() {
        let toml = r#"
            id = "europe"
            strategy = "least-busy"
            members = [{ connector = "a", weight = 3 }, { connector = "b", priority = 1 }]
            sticky = "to"
        "#;
        let pool: Pool = toml::from_str(toml).unwrap();
        assert_eq!((pool.strategy, pool.sticky), (PoolStrategy::LeastBusy, Some(Sticky::To)));
        assert_eq!((pool.members[1].weight, pool.members[1].priority), (1, 1));
        let json = r#"{"id":"europe","strategy":"least-busy","members":[{"connector":"a","weight":3},{"connector":"b","priority":1}],"sticky":"to"}"#;
        assert_eq!(serde_json::to_string(&pool).unwrap(), json);
    }
}
