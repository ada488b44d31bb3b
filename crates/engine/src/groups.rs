//! Groups: lists of phones, as the API sees and edits them.
//!
//! They are data of the store and not kept in memory. Whoever changes them holds one lock from looking to
//! being durable, so that limits hold whoever else wants something: the API here, and phones in
//! [`group_tasks`](crate::group_tasks).

use foldhash::HashSet;
use model::{
    Address, GROUP_MEMBERS_MAX, GROUPS_MAX, Group, GroupChange, GroupKey, Member, MemberKey, MessageId, Name, Timestamp,
};
use store::{GroupFilter, StoreError};
use tokio::sync::{Mutex, MutexGuard, Notify, oneshot};

use crate::engine::Engine;
use crate::facts::Fact;

/// Who may change groups now, and whether phones wait for something.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub changing: Mutex<()>,
    /// A phone wants something of a group.
    pub wanted: Notify,
}

/// Why a group is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The account has none of this name.
    #[error("there is no such group")]
    NoSuchGroup,
    /// The account has as many as it may.
    #[error("the account has {GROUPS_MAX} groups, which is the most")]
    TooMany,
    /// It would have too many members.
    #[error("the group would have {0} members; {GROUP_MEMBERS_MAX} are the most")]
    Full(u64),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Groups of an account with the number of their members, by name, strictly after `after`.
    pub async fn groups(
        &self,
        account: &Name,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<(Group, u64)>, StoreError> {
        let filter = GroupFilter { account: Some(account.clone()), name: None };
        let after = after.map(|name| GroupKey { account: account.clone(), name: name.clone() });
        self.inner.store.groups(&filter, after.as_ref(), limit).await
    }

    /// A group with the number of its members.
    pub async fn group(&self, key: &GroupKey) -> Result<(Group, u64), GroupError> {
        self.group_of(key).await?.ok_or(GroupError::NoSuchGroup)
    }

    /// There is this group from now on. With the number of its members, and whether it is new.
    pub async fn make_group(&self, key: GroupKey) -> Result<((Group, u64), bool), GroupError> {
        let _changing = self.changing_groups().await?;
        if let Some(found) = self.group_of(&key).await? {
            return Ok((found, false));
        }
        if self.groups(&key.account, None, GROUPS_MAX).await?.len() >= GROUPS_MAX {
            return Err(GroupError::TooMany);
        }
        let group = Group { key, created_at: self.now() };
        self.change_groups(vec![GroupChange::Make(group.clone())]).await?;
        Ok(((group, 0), true))
    }

    /// There is no such group any more, and nobody is in it.
    pub async fn drop_group(&self, key: &GroupKey) -> Result<(), GroupError> {
        let _changing = self.changing_groups().await?;
        self.group(key).await?;
        Ok(self.change_groups(vec![GroupChange::Drop(key.clone())]).await?)
    }

    /// Members of a group, by their numbers, strictly after `after`.
    pub async fn members(
        &self,
        key: &GroupKey,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Member>, GroupError> {
        self.group(key).await?;
        Ok(self.inner.store.members(key, after, limit).await?)
    }

    /// The phone as a member of a group, if it is one.
    pub async fn member(&self, key: &MemberKey) -> Result<Option<Member>, GroupError> {
        self.group(&key.group).await?;
        Ok(self.inner.store.member(&key.group, &key.phone).await?)
    }

    /// These phones are members from now on: all of them, or none. How many were not before, and how
    /// many there are.
    pub async fn add_members(&self, group: &GroupKey, phones: Vec<Address>) -> Result<(u64, u64), GroupError> {
        let _changing = self.changing_groups().await?;
        let (_, count) = self.group(group).await?;
        let mut known = self.phones_of(group, &phones).await?;
        let now = self.now();
        let new = phones.into_iter().filter(|phone| known.insert(phone.clone()));
        let joins: Vec<GroupChange> = new.map(|phone| join(group, phone, now, None)).collect();
        let (new, all) = (joins.len() as u64, count + joins.len() as u64);
        if new > 0 {
            if all > GROUP_MEMBERS_MAX as u64 {
                return Err(GroupError::Full(all));
            }
            self.change_groups(joins).await?;
        }
        Ok((new, all))
    }

    /// The phone is a member no more; `false` if it was none.
    pub async fn remove_member(&self, key: &MemberKey) -> Result<bool, GroupError> {
        let _changing = self.changing_groups().await?;
        if self.member(key).await?.is_none() {
            return Ok(false);
        }
        self.change_groups(vec![GroupChange::Leave(key.clone())]).await?;
        Ok(true)
    }

    pub(crate) async fn group_of(&self, key: &GroupKey) -> Result<Option<(Group, u64)>, StoreError> {
        let filter = GroupFilter { account: Some(key.account.clone()), name: Some(key.name.clone()) };
        Ok(self.inner.store.groups(&filter, None, 1).await?.pop())
    }

    /// Which of `phones` are members already, and perhaps others.
    async fn phones_of(&self, group: &GroupKey, phones: &[Address]) -> Result<HashSet<Address>, StoreError> {
        let store = &self.inner.store;
        let members = match phones {
            [phone] => Vec::from_iter(store.member(group, phone).await?),
            _ => store.members(group, None, GROUP_MEMBERS_MAX).await?,
        };
        Ok(members.into_iter().map(|member| member.key.phone).collect())
    }

    /// The right to change groups, while they can be changed.
    async fn changing_groups(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        // Whoever waited for a store that is away would hold up all others.
        if let Some(why) = &self.inner.health.borrow().store {
            return Err(StoreError::Unavailable(why.to_string()));
        }
        Ok(self.inner.groups.changing.lock().await)
    }

    async fn change_groups(&self, changes: Vec<GroupChange>) -> Result<(), StoreError> {
        let (reply, durable) = oneshot::channel();
        self.report(Fact::Groups { changes, reply }).await?;
        durable.await.map_err(|_| StoreError::Unavailable("the gateway has stopped".into()))
    }
}

/// A phone joins, by a message or by the API.
pub(crate) fn join(group: &GroupKey, phone: Address, now: Timestamp, message: Option<MessageId>) -> GroupChange {
    let key = MemberKey { group: group.clone(), phone };
    GroupChange::Join(Member { key, joined_at: now, message })
}
