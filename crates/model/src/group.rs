//! Groups: named lists of phones of an account, which phones join and leave by writing, and which
//! applications edit and write to.

use serde::{Deserialize, Serialize};

use crate::{Address, MessageId, Name, Timestamp};

/// Most members of a group: as many as a batch may have messages, so that whatever is sent to a group
/// is one batch.
pub const GROUP_MEMBERS_MAX: usize = 10_000;
/// Most groups that an account makes by the API.
pub const GROUPS_MAX: usize = 1000;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Whose it is, and its name.
    pub key: GroupKey,
    /// Since when there is one.
    pub created_at: Timestamp,
}

/// Which group: each account has names of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The account.
    pub account: Name,
    /// The name, a [`crate::id::is_name`].
    pub name: Name,
}

/// A phone in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which group, and which phone. There is one for each.
    pub key: MemberKey,
    /// Since when.
    pub joined_at: Timestamp,
    /// The message with which the phone joined; `None` if the API put it there.
    pub message: Option<MessageId>,
}

/// Which member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey {
    /// The group.
    pub group: GroupKey,
    /// The phone.
    pub phone: Address,
}

/// What an inbound rule does with a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupAction {
    /// The text goes to every other member.
    Forward,
    /// The phone becomes a member.
    Join,
    /// The phone is a member no more.
    Leave,
}

impl GroupAction {
    /// Every action, in the order of their numbers in the store.
    pub const ALL: [Self; 3] = [Self::Forward, Self::Join, Self::Leave];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Join => "join",
            Self::Leave => "leave",
        }
    }
}

/// What is still to be done with a group because of a message from a phone. It is written in the commit
/// that records the message, and taken away in the one that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTask {
    /// The message from the phone. There is one task for each.
    pub message: MessageId,
    /// The inbound rule that took it.
    pub rule: Name,
    /// The group.
    pub group: GroupKey,
    /// What is done with it.
    pub action: GroupAction,
    /// The text goes on only if a member wrote it.
    pub members_only: bool,
    /// What is sent on; `None` of a message that is no text.
    pub text: Option<String>,
    /// What the phone is told when it was done.
    pub reply: Option<String>,
    /// How many such answers one phone gets in a while; `None` is as many as is usual.
    pub reply_limit: Option<u32>,
}

/// Something that happens to groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// There is a group; one that is there already is left as it is.
    Make(Group),
    /// A group goes, with all its members.
    Drop(GroupKey),
    /// A phone joins. One that is a member already is left as it is, and a member of no group is left out.
    Join(Member),
    /// A phone leaves.
    Leave(MemberKey),
    /// Something is to be done.
    Want(Box<GroupTask>),
    /// It was done, because of this message.
    Done(MessageId),
}
