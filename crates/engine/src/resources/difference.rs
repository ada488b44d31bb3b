//! What differs between two sets of resources.

use model::resources::{Kind, ResourceSet};

/// One resource that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind of resource.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// What is to be done with it.
    pub what: Changed,
}

/// How a resource differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is new.
    Added,
    /// It is not as it was.
    Changed,
    /// It is gone.
    Removed,
}

/// Every resource of `new` that is not as in `old`, and every one that is gone.
pub(super) fn differences(old: &ResourceSet, new: &ResourceSet) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut found, Kind::Account, &old.accounts, &new.accounts, |a| &a.id);
    compare(&mut found, Kind::Connector, &old.connectors, &new.connectors, |c| &c.id);
    compare(&mut found, Kind::Pool, &old.pools, &new.pools, |p| &p.id);
    compare(&mut found, Kind::Route, &old.routes, &new.routes, |r| &r.id);
    compare(&mut found, Kind::Inbound, &old.inbound, &new.inbound, |r| &r.id);
    compare(&mut found, Kind::Token, &old.tokens, &new.tokens, |t| &t.id);
    found
}

fn compare<T: PartialEq>(found: &mut Vec<Difference>, kind: Kind, old: &[T], new: &[T], id: impl Fn(&T) -> &String) {
    let of = |list: &[T], wanted: &str| list.iter().position(|item| id(item) == wanted);
    for item in new {
        let what = match of(old, id(item)) {
            None => Changed::Added,
            Some(place) if old[place] != *item => Changed::Changed,
            Some(_) => continue,
        };
        found.push(Difference { kind, id: id(item).clone(), what });
    }
    for item in old.iter().filter(|item| of(new, id(item)).is_none()) {
        found.push(Difference { kind, id: id(item).clone(), what: Changed::Removed });
    }
}
