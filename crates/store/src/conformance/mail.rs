//! What nodes write to whoever holds a slot.

use model::MessageId;

use super::World;
use super::fleet::{TTL, claim, fleet, keep, names};
use crate::{Changes, CommitError, Fence, Mail};

fn letter(world: &World, to: &str, content: &[u8]) -> Mail {
    Mail { id: world.samples.id(), to: to.into(), content: content.into() }
}

fn send(mail: &[Mail]) -> Changes {
    Changes { mail: mail.to_vec(), ..Changes::default() }
}

fn send_one(mail: &Mail) -> Changes {
    send(std::slice::from_ref(mail))
}

fn done(mail: &[&Mail]) -> Changes {
    Changes { mail_done: mail.iter().map(|mail| mail.id).collect(), ..Changes::default() }
}

async fn mail<const N: usize>(world: &World, slots: [&str; N]) -> Vec<Mail> {
    fleet(world).mail(&names(slots), &[], 100).await.unwrap()
}

/// With its octets, whatever they are, and for nobody but those that it is to.
pub async fn mail_comes_as_it_was_written(world: &World) {
    assert_eq!(mail(world, ["s", "t"]).await, []);
    let all: Vec<u8> = (0..=255).collect();
    let sent =
        [letter(world, "s", &all), letter(world, "t", b""), letter(world, "S", b"{}"), letter(world, "u", &[0; 9000])];
    world.commit(send(&sent)).await;
    assert_eq!(mail(world, ["s"]).await, sent[..1]);
    assert_eq!(mail(world, ["u", "t", "s"]).await, [sent[0].clone(), sent[1].clone(), sent[3].clone()]);
    assert_eq!(mail(world, ["never"]).await, []);
    assert_eq!(mail(world, []).await, []);
}

/// A commit that is refused leaves none and takes none away.
pub async fn mail_is_part_of_a_commit(world: &World) {
    let (first, second) = (letter(world, "s", b"1"), letter(world, "s", b"2"));
    world.commit(Changes { answers: vec![world.samples.answer("taken")], ..send_one(&first) }).await;
    let answers = vec![world.samples.answer("taken")];
    let changes = Changes { mail_done: vec![first.id], answers, ..send_one(&second) };
    assert_eq!(world.store.commit(changes).await, Err(CommitError::KeysTaken(vec![0])));
    let fences = vec![Fence { name: "node:never".into(), epoch: 1 }];
    let changes = Changes { mail_done: vec![first.id], fences, ..send_one(&second) };
    assert_eq!(world.store.commit(changes).await, Err(CommitError::Fenced("node:never".into())));
    assert_eq!(mail(world, ["s"]).await, std::slice::from_ref(&first));
    let membership = keep(world, "a").await;
    let fences = vec![membership.fence()];
    world.commit(Changes { mail_done: vec![first.id], fences, ..send_one(&second) }).await;
    assert_eq!(mail(world, ["s"]).await, [second]);
}

/// Of its ids, not of its commits or of slots.
pub async fn mail_comes_in_the_order_of_its_ids(world: &World) {
    let mut sent = Vec::new();
    for n in 0..30_u8 {
        world.clock.advance(i64::from(n % 3));
        sent.push(letter(world, ["s", "t", "u"][usize::from(n % 3)], &[n]));
    }
    world.commit(send(&sent[20..])).await;
    let backwards: Vec<Mail> = sent[..20].iter().rev().cloned().collect();
    world.commit(send(&backwards)).await;
    assert_eq!(mail(world, ["u", "s", "t"]).await, sent);
}

/// So that what is being done is not done twice, and much is done page by page.
pub async fn what_is_under_way_is_passed_over(world: &World) {
    let sent: Vec<Mail> = (0..7).map(|n| letter(world, "s", &[n])).collect();
    world.commit(send(&sent)).await;
    let mut under_way: Vec<MessageId> = Vec::new();
    let slots = names(["s"]);
    for pair in sent.chunks(2) {
        let page = fleet(world).mail(&slots, &under_way, 2).await.unwrap();
        assert_eq!(page, pair);
        under_way.extend(page.iter().map(|mail| mail.id));
    }
    assert_eq!(fleet(world).mail(&slots, &under_way, 2).await.unwrap(), []);
    under_way.remove(3);
    under_way.push(world.samples.id());
    assert_eq!(fleet(world).mail(&slots, &under_way, 2).await.unwrap(), sent[3..4]);
    assert_eq!(fleet(world).mail(&slots, &[], 0).await.unwrap(), []);
}

/// Under way and a page each, as much as a node could have.
pub async fn much_mail_is_read_page_by_page(world: &World) {
    let sent: Vec<Mail> = (0..3000_u32).map(|n| letter(world, "s", &n.to_be_bytes())).collect();
    world.commit(send(&sent)).await;
    let mut found: Vec<Mail> = Vec::new();
    for _ in 0..3 {
        let under_way: Vec<MessageId> = found.iter().map(|mail| mail.id).collect();
        found.extend(fleet(world).mail(&names(["s"]), &under_way, 1000).await.unwrap());
    }
    assert_eq!(found, sent);
}

/// Who takes a slot over finds its mail, also what came while nobody held it.
pub async fn mail_goes_with_the_slot(world: &World) {
    let a = keep(world, "a").await;
    claim(world, &a, ["s"]).await;
    let (first, second) = (letter(world, "s", b"1"), letter(world, "s", b"2"));
    world.commit(send_one(&first)).await;
    world.clock.advance(TTL);
    world.commit(send_one(&second)).await;
    let b = keep(world, "b").await;
    assert_eq!(claim(world, &b, ["s"]).await, names(["s"]));
    assert_eq!(mail(world, ["s"]).await, [first.clone(), second.clone()]);
    // The one before can't take it away any more.
    let late = Changes { fences: vec![a.fence()], ..done(&[&first]) };
    assert_eq!(world.store.commit(late).await, Err(CommitError::Fenced(a.name)));
    world.commit(Changes { fences: vec![b.fence()], ..done(&[&first]) }).await;
    fleet(world).leave(&b).await.unwrap();
    assert_eq!(mail(world, ["s"]).await, [second]);
}

/// Once, twice, and when it never was there; with what else the commit says.
pub async fn what_was_done_is_gone(world: &World) {
    let sent: Vec<Mail> = (0..3).map(|n| letter(world, "s", &[n])).collect();
    world.commit(send(&sent)).await;
    for _ in 0..2 {
        world.commit(done(&[&sent[1], &letter(world, "s", b"never")])).await;
        assert_eq!(mail(world, ["s"]).await, [sent[0].clone(), sent[2].clone()]);
    }
    // Put and done in one commit: the later list says how it ends.
    let both = letter(world, "s", b"both");
    world.commit(Changes { mail_done: vec![both.id, sent[0].id], ..send_one(&both) }).await;
    assert_eq!(mail(world, ["s"]).await, sent[2..]);
}

/// An answer that got lost makes a node commit again.
pub async fn a_repeated_commit_leaves_one(world: &World) {
    let sent = [letter(world, "s", b"1"), letter(world, "s", b"2")];
    world.commit(send(&sent)).await;
    world.commit(send(&sent)).await;
    assert_eq!(mail(world, ["s"]).await, sent);
    let other = Mail { to: "t".into(), content: b"3"[..].into(), ..sent[0].clone() };
    world.commit(send(&[other])).await;
    assert_eq!(mail(world, ["s", "t"]).await, sent, "what is there is left as it is");
}

/// By the slot's name, taken literally, and only of slots that nobody holds.
pub async fn mail_that_nobody_will_take_is_forgotten(world: &World) {
    let a = keep(world, "a").await;
    claim(world, &a, ["to_a:1"]).await;
    let slots = ["to_a:1", "to_a:2", "to_a:2", "toxa:3", "to_b:4", "TO_A:5"];
    let sent = slots.map(|slot| letter(world, slot, b"x"));
    world.commit(send(&sent)).await;
    assert_eq!(fleet(world).forget_mail("to%").await.unwrap(), 0);
    assert_eq!(fleet(world).forget_mail("to_a:").await.unwrap(), 2);
    assert_eq!(fleet(world).forget_mail("to_a:").await.unwrap(), 0);
    let left = [sent[0].clone(), sent[3].clone(), sent[4].clone(), sent[5].clone()];
    assert_eq!(mail(world, slots).await, left);
    fleet(world).release(&a, &names(["to_a:1"])).await.unwrap();
    assert_eq!(fleet(world).forget_mail("").await.unwrap(), 4);
}

/// A node whose mail was dropped does not hold the slot when it wakes up; one that lost nothing does.
pub async fn to_forget_mail_ends_a_membership_that_ran_out(world: &World) {
    let (a, b) = (keep(world, "a").await, keep(world, "b").await);
    claim(world, &a, ["s:a"]).await;
    claim(world, &b, ["s:b"]).await;
    world.commit(send(&[letter(world, "s:a", b"x")])).await;
    world.clock.advance(TTL);
    assert_eq!(fleet(world).forget_mail("s:").await.unwrap(), 1);
    let fenced = Changes { fences: vec![a.fence()], ..Changes::default() };
    assert_eq!(world.store.commit(fenced).await, Err(CommitError::Fenced(a.name.clone())));
    assert!(keep(world, "a").await.epoch > a.epoch);
    assert_eq!(keep(world, "b").await.epoch, b.epoch);
}

/// In the end: news may get lost, so whoever has some tells again.
pub async fn a_node_that_is_woken_wakes_up(world: &World) {
    keep(world, "a").await;
    fleet(world).wake(&names([])).await.unwrap();
    fleet(world).wake(&names(["nobody"])).await.unwrap();
    let teller = fleet(world);
    let telling = tokio::spawn(async move {
        loop {
            teller.wake(&names(["nobody", "a"])).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    for _ in 0..3 {
        fleet(world).news("a").await;
    }
    telling.abort();
}
