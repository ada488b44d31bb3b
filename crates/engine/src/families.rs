//! Families: accounts with those below them.

use foldhash::HashMap;
use model::Name;
use model::resources::Account;

/// Accounts above others, at the most; those that go round in a circle were refused when they were put.
const ABOVE_MAX: usize = 16;

/// Each of the accounts that are `wanted`, with itself and all below it, in the order of their names.
pub(crate) fn families(accounts: &[Account], wanted: impl Fn(&Account) -> bool) -> HashMap<&str, Vec<Name>> {
    let wanted = accounts.iter().filter(|account| wanted(account));
    let mut families: HashMap<&str, Vec<Name>> = wanted.map(|account| (account.id.as_str(), vec![])).collect();
    if families.is_empty() {
        return families;
    }
    let parents: HashMap<&str, &str> =
        accounts.iter().filter_map(|account| Some((account.id.as_str(), account.parent.as_deref()?))).collect();
    for account in accounts {
        let above = std::iter::successors(Some(account.id.as_str()), |id| parents.get(id).copied());
        for id in above.take(ABOVE_MAX) {
            if let Some(family) = families.get_mut(id) {
                family.push(account.id.as_str().into());
            }
        }
    }
    for family in families.values_mut() {
        family.sort_unstable();
        family.dedup();
    }
    families
}
