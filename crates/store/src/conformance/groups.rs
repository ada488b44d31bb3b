//! Groups, their members, and what is to be done with them.

use model::{Address, Group, GroupAction, GroupChange, GroupKey, GroupTask, Member, MemberKey};

use super::World;
use crate::{Changes, GroupFilter};

fn key(account: &str, name: &str) -> GroupKey {
    GroupKey { account: account.into(), name: name.into() }
}

fn group(world: &World, account: &str, name: &str) -> Group {
    Group { key: key(account, name), created_at: world.clock.now() }
}

fn phone(text: &str) -> Address {
    Address::recipient(text, None).expect("a number")
}

fn member(world: &World, group: &Group, number: &str) -> Member {
    let key = MemberKey { group: group.key.clone(), phone: phone(number) };
    Member { key, joined_at: world.clock.now(), message: Some(world.samples.id()) }
}

fn task(world: &World, group: &Group, action: GroupAction) -> GroupTask {
    GroupTask {
        message: world.samples.id(),
        rule: "rule".into(),
        group: group.key.clone(),
        action,
        members_only: false,
        text: None,
        reply: None,
        reply_limit: None,
    }
}

async fn happen(world: &World, groups: impl IntoIterator<Item = GroupChange>) {
    world.commit(Changes { groups: groups.into_iter().collect(), ..Changes::default() }).await;
}

async fn members(world: &World, group: &Group) -> Vec<Member> {
    world.store.members(&group.key, None, 100).await.unwrap()
}

/// By account and name, strictly after the cursor, with the number of their members.
pub async fn they_are_listed_with_the_number_of_their_members(world: &World) {
    let names = [("bank", "b"), ("shop", "B"), ("shop", "a"), ("shop", "a.b")];
    let groups = names.map(|(account, name)| group(world, account, name));
    happen(world, groups.iter().rev().cloned().map(GroupChange::Make)).await;
    let [bank, upper, first, _] = &groups;
    let joined =
        [member(world, first, "+447700900001"), member(world, first, "+447700900002"), member(world, bank, "60777")];
    happen(world, joined.map(GroupChange::Join)).await;
    let all = world.store.groups(&GroupFilter::default(), None, 100).await.unwrap();
    assert_eq!(all.iter().map(|(group, _)| group.clone()).collect::<Vec<_>>(), groups);
    assert_eq!(all.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [1, 0, 2, 0]);
    let page = world.store.groups(&GroupFilter::default(), Some(&bank.key), 2).await.unwrap();
    assert_eq!(page, [(upper.clone(), 0), (first.clone(), 2)]);
    let of_shop = GroupFilter { account: Some("shop".into()), ..GroupFilter::default() };
    assert_eq!(world.store.groups(&of_shop, None, 100).await.unwrap().len(), 3);
    let rest = world.store.groups(&of_shop, Some(&first.key), 100).await.unwrap();
    assert_eq!(rest, [(groups[3].clone(), 0)]);
    let one = GroupFilter { name: Some("a".into()), ..of_shop };
    assert_eq!(world.store.groups(&one, None, 100).await.unwrap(), [(first.clone(), 2)]);
}

/// By number, strictly after the cursor, and each by itself.
pub async fn members_come_back_as_they_were_put(world: &World) {
    let (choir, other) = (group(world, "shop", "choir"), group(world, "bank", "choir"));
    happen(world, [GroupChange::Make(choir.clone()), GroupChange::Make(other.clone())]).await;
    let mut put_in = ["+447700900001", "+447700900002", "60777"].map(|number| member(world, &choir, number));
    put_in[1].message = None;
    happen(world, put_in.iter().rev().cloned().map(GroupChange::Join)).await;
    assert_eq!(members(world, &choir).await, put_in);
    assert_eq!(members(world, &other).await, []);
    let page = world.store.members(&choir.key, Some(&put_in[0].key.phone), 1).await.unwrap();
    assert_eq!(page, [put_in[1].clone()]);
    let found = world.store.member(&choir.key, &put_in[2].key.phone).await.unwrap();
    assert_eq!(found.as_ref(), Some(&put_in[2]));
    assert_eq!(world.store.member(&other.key, &put_in[2].key.phone).await.unwrap(), None);
    assert_eq!(world.store.member(&choir.key, &phone("+447700900009")).await.unwrap(), None);
}

/// Who joins again has joined before, and a group that is made again was there.
pub async fn what_is_there_is_left_as_it_is(world: &World) {
    let choir = group(world, "shop", "choir");
    let first = member(world, &choir, "+447700900001");
    happen(world, [GroupChange::Make(choir.clone()), GroupChange::Join(first.clone())]).await;
    world.clock.advance(1000);
    let again =
        [GroupChange::Make(group(world, "shop", "choir")), GroupChange::Join(member(world, &choir, "+447700900001"))];
    happen(world, again).await;
    assert_eq!(members(world, &choir).await, [first]);
    assert_eq!(world.store.groups(&GroupFilter::default(), None, 9).await.unwrap(), [(choir, 1)]);
}

/// In the order of the changes, of one commit and of several.
pub async fn they_go_with_their_members(world: &World) {
    let (choir, band) = (group(world, "shop", "choir"), group(world, "shop", "band"));
    let (one, two) = (member(world, &choir, "+447700900001"), member(world, &choir, "+447700900002"));
    happen(world, [GroupChange::Join(one.clone()), GroupChange::Make(choir.clone())]).await;
    assert_eq!(members(world, &choir).await, [], "there was no group to join");
    happen(
        world,
        [GroupChange::Join(one.clone()), GroupChange::Leave(one.key.clone()), GroupChange::Join(two.clone())],
    )
    .await;
    assert_eq!(members(world, &choir).await, std::slice::from_ref(&two));
    let of_band = member(world, &band, "+447700900002");
    happen(world, [GroupChange::Make(band.clone()), GroupChange::Join(of_band.clone())]).await;
    happen(world, [GroupChange::Drop(choir.key.clone()), GroupChange::Leave(one.key.clone())]).await;
    assert_eq!(members(world, &choir).await, []);
    assert_eq!(world.store.groups(&GroupFilter::default(), None, 9).await.unwrap(), [(band.clone(), 1)]);
    happen(world, [GroupChange::Make(choir.clone())]).await;
    assert_eq!((members(world, &choir).await, members(world, &band).await), (Vec::new(), vec![of_band]));
}

/// In the order of their messages, until they are done.
pub async fn tasks_wait_until_they_are_done(world: &World) {
    let choir = group(world, "shop", "choir");
    let mut tasks = GroupAction::ALL.map(|action| task(world, &choir, action));
    tasks[0].text = Some("é {text}".into());
    tasks[0].members_only = true;
    (tasks[1].reply, tasks[1].reply_limit) = (Some("Welcome".into()), Some(3));
    happen(world, tasks.iter().rev().cloned().map(|task| GroupChange::Want(task.into()))).await;
    assert_eq!(world.store.group_tasks(2).await.unwrap(), tasks[..2]);
    happen(world, [GroupChange::Done(tasks[0].message), GroupChange::Done(tasks[0].message)]).await;
    assert_eq!(world.store.group_tasks(9).await.unwrap(), tasks[1..]);
}
