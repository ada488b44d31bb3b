//! Groups, their members, and what is to be done with them.

use model::{Address, Group, GroupAction, GroupKey, GroupTask, Member, MemberKey, MessageId};
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use store::GroupFilter;

use super::Reader;
use crate::decode::{Columns, Read};

/// Groups that pass `filter` with the number of their members, by account and name.
pub(crate) fn groups(
    reader: &Reader,
    filter: &GroupFilter,
    after: Option<&GroupKey>,
    count: usize,
) -> Read<Vec<(Group, u64)>> {
    let mut sql = "SELECT account, name, created_at, (SELECT count(*) FROM group_member AS member
        WHERE member.account = phone_group.account AND member.name = phone_group.name) FROM phone_group WHERE 1"
        .to_owned();
    let mut values: Vec<Value> = Vec::new();
    if let Some(account) = &filter.account {
        sql.push_str(" AND account = ?");
        values.push(Value::Text(account.to_string()));
    }
    if let Some(name) = &filter.name {
        sql.push_str(" AND name = ?");
        values.push(Value::Text(name.to_string()));
    }
    if let Some(after) = after {
        sql.push_str(" AND (account, name) > (?, ?)");
        values.extend([&after.account, &after.name].map(|name| Value::Text(name.to_string())));
    }
    sql.push_str(" ORDER BY account, name LIMIT ?");
    values.push(Value::Integer(limit(count)));
    reader.all("phone_group", &sql, params_from_iter(values), |columns| {
        let key = GroupKey { account: columns.name(0)?, name: columns.name(1)? };
        Ok((Group { key, created_at: columns.time(2)? }, columns.int(3)?))
    })
}

const MEMBER: &str =
    "SELECT account, name, phone, joined_at, message FROM group_member WHERE account = ?1 AND name = ?2";

/// Members of a group by their numbers, strictly after `after`.
pub(crate) fn members(reader: &Reader, group: &GroupKey, after: Option<&Address>, count: usize) -> Read<Vec<Member>> {
    let sql = format!("{MEMBER} AND phone > ?3 ORDER BY phone LIMIT ?4");
    let after = after.map_or("", Address::as_str);
    let values = (group.account.as_ref(), group.name.as_ref(), after, limit(count));
    reader.all("group_member", &sql, values, member_of)
}

/// A phone as a member of a group.
pub(crate) fn member(reader: &Reader, group: &GroupKey, phone: &Address) -> Read<Option<Member>> {
    let sql = format!("{MEMBER} AND phone = ?3");
    let values = (group.account.as_ref(), group.name.as_ref(), phone.as_str());
    Ok(reader.all("group_member", &sql, values, member_of)?.pop())
}

/// What is to be done with groups, in the order of the messages.
pub(crate) fn group_tasks(reader: &Reader, count: usize) -> Read<Vec<GroupTask>> {
    let sql = "SELECT message, rule, account, name, action, members_only, text, reply, reply_limit FROM group_task
        ORDER BY message LIMIT ?1";
    reader.all("group_task", sql, [limit(count)], |columns| {
        Ok(GroupTask {
            message: MessageId(columns.id(0)?),
            rule: columns.name(1)?,
            group: GroupKey { account: columns.name(2)?, name: columns.name(3)? },
            action: columns.one_of(4, &GroupAction::ALL)?,
            members_only: columns.int::<i64>(5)? != 0,
            text: columns.text_or_null(6)?.map(str::to_owned),
            reply: columns.text_or_null(7)?.map(str::to_owned),
            reply_limit: columns.int_or_null(8)?,
        })
    })
}

fn member_of(columns: &Columns<'_>) -> Read<Member> {
    let group = GroupKey { account: columns.name(0)?, name: columns.name(1)? };
    let phone = Address::from_carrier(columns.text(2)?, false);
    Ok(Member {
        key: MemberKey { group, phone },
        joined_at: columns.time(3)?,
        message: columns.id_or_null(4)?.map(MessageId),
    })
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
