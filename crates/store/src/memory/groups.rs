//! Groups with their members, and what is to be done with them.

use std::collections::BTreeMap;
use std::ops::Bound;

use model::{Address, Group, GroupChange, GroupKey, GroupTask, Member, MessageId};

use crate::GroupFilter;

/// Every group of every account.
#[derive(Default)]
pub(super) struct Groups {
    groups: BTreeMap<GroupKey, (Group, BTreeMap<Address, Member>)>,
    tasks: BTreeMap<MessageId, GroupTask>,
}

impl Groups {
    pub fn apply(&mut self, change: GroupChange) {
        match change {
            GroupChange::Make(group) => {
                self.groups.entry(group.key.clone()).or_insert_with(|| (group, BTreeMap::new()));
            }
            GroupChange::Drop(key) => drop(self.groups.remove(&key)),
            GroupChange::Join(member) => {
                if let Some((_, members)) = self.groups.get_mut(&member.key.group) {
                    members.entry(member.key.phone.clone()).or_insert(member);
                }
            }
            GroupChange::Leave(key) => {
                if let Some((_, members)) = self.groups.get_mut(&key.group) {
                    members.remove(&key.phone);
                }
            }
            GroupChange::Want(task) => drop(self.tasks.insert(task.message, *task)),
            GroupChange::Done(message) => drop(self.tasks.remove(&message)),
        }
    }

    pub fn page(&self, filter: &GroupFilter, after: Option<&GroupKey>, limit: usize) -> Vec<(Group, u64)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.groups.range((from, Bound::Unbounded)).filter(|(key, _)| filter.takes(key));
        found.take(limit).map(|(_, (group, members))| (group.clone(), members.len() as u64)).collect()
    }

    pub fn members(&self, group: &GroupKey, after: Option<&Address>, limit: usize) -> Vec<Member> {
        let Some((_, members)) = self.groups.get(group) else { return Vec::new() };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        members.range((from, Bound::Unbounded)).take(limit).map(|(_, member)| member.clone()).collect()
    }

    pub fn member(&self, group: &GroupKey, phone: &Address) -> Option<Member> {
        self.groups.get(group)?.1.get(phone).cloned()
    }

    pub fn tasks(&self, limit: usize) -> Vec<GroupTask> {
        self.tasks.values().take(limit).cloned().collect()
    }
}
