//! Idempotency keys, batches, and keys under which messages take each other's place.

use model::{Address, Message, Status};

use super::World;
use super::samples::{change_body, end, insert, update};
use crate::{Batch, BatchCounts, BatchPhase, Changes, CommitError, IdempotencyAnswer, IdempotencyKey, SupersedeKey};

fn with(answers: Vec<(IdempotencyKey, IdempotencyAnswer)>) -> Changes {
    Changes { answers, ..Changes::default() }
}

/// The whole answer, until the store's clock has reached its end.
pub async fn an_answer_is_kept_until_it_expires(world: &World) {
    let (key, answer) = world.samples.answer("key");
    assert_eq!(world.store.idempotency(&key).await.unwrap(), None);
    world.commit(with(vec![(key.clone(), answer.clone())])).await;
    assert_eq!(world.store.idempotency(&key).await.unwrap(), Some(answer.clone()));
    world.clock.advance(3_600_000 - 1);
    assert_eq!(world.store.idempotency(&key).await.unwrap(), Some(answer));
    world.clock.advance(1);
    assert_eq!(world.store.idempotency(&key).await.unwrap(), None);
}

/// Whether or not the old answer was swept away.
pub async fn a_key_may_be_used_anew_after_it_expired(world: &World) {
    let (key, answer) = world.samples.answer("key");
    world.commit(with(vec![(key.clone(), answer)])).await;
    world.clock.advance(3_600_000 - 1);
    let again = world.samples.answer("key");
    assert_eq!(world.store.commit(with(vec![again])).await, Err(CommitError::KeysTaken(vec![0])));
    world.clock.advance(1);
    let (_, new) = world.samples.answer("key");
    world.commit(with(vec![(key.clone(), new.clone())])).await;
    assert_eq!(world.store.idempotency(&key).await.unwrap(), Some(new));
}

/// The second one is: its request must not be done twice.
pub async fn the_same_key_twice_in_one_commit_is_taken(world: &World) {
    let answers = vec![world.samples.answer("a"), world.samples.answer("b"), world.samples.answer("a")];
    let refused = world.store.commit(with(answers.clone())).await;
    assert_eq!(refused, Err(CommitError::KeysTaken(vec![2])));
    assert_eq!(world.store.idempotency(&answers[0].0).await.unwrap(), None);
}

/// Two accounts may use the same key.
pub async fn keys_belong_to_accounts(world: &World) {
    let (mine, my_answer) = world.samples.answer("key");
    let theirs = IdempotencyKey { account: "other".into(), ..mine.clone() };
    let their_answer = IdempotencyAnswer { status: 422, fingerprint: [0xff; 32], ..my_answer.clone() };
    world.commit(with(vec![(mine.clone(), my_answer.clone())])).await;
    world.commit(with(vec![(theirs.clone(), their_answer.clone())])).await;
    assert_eq!(world.store.idempotency(&mine).await.unwrap(), Some(my_answer));
    assert_eq!(world.store.idempotency(&theirs).await.unwrap(), Some(their_answer));
}

/// As they stand now, only states that any has, in the order of [`Status::ALL`].
pub async fn a_batch_counts_its_messages(world: &World) {
    let batch = world.samples.batch();
    assert_eq!(world.store.batch(batch.id).await.unwrap(), None);
    let mut messages: Vec<_> = (0..5).map(|_| world.samples.message()).collect();
    for message in &mut messages[..4] {
        change_body(message, |body| body.batch = Some(batch.id));
    }
    world.commit(Changes { batches: vec![batch.clone()], ..Changes::default() }).await;
    assert_eq!(world.store.batch(batch.id).await.unwrap(), Some((batch.clone(), BatchCounts::default())));
    for message in &messages {
        world.commit(insert(message)).await;
    }
    end(&mut messages[1], Status::Delivered, world.clock.now());
    world.commit(update(&messages[1])).await;
    let counts = BatchCounts(vec![(Status::Queued, 3), (Status::Delivered, 1)]);
    assert_eq!(world.store.batch(batch.id).await.unwrap(), Some((batch, counts)));
}

/// A batch that is not there is made by nobody, and one that is there is not made anew.
pub async fn a_batch_is_in_the_phase_that_it_was_put_in_last(world: &World) {
    let (first, second) = (world.samples.batch(), world.samples.batch());
    let put = |batches: &[&Batch], phases: &[(&Batch, BatchPhase)]| Changes {
        batches: batches.iter().map(|batch| (*batch).clone()).collect(),
        batch_phases: phases.iter().map(|(batch, phase)| (batch.id, *phase)).collect(),
        ..Changes::default()
    };
    world.commit(put(&[], &[(&first, BatchPhase::Paused)])).await;
    world.commit(put(&[&first, &second], &[(&second, BatchPhase::Pausing)])).await;
    for phase in BatchPhase::ALL {
        world.commit(put(&[&first], &[(&first, phase)])).await;
        let wanted = Batch { phase, ..first.clone() };
        assert_eq!(world.store.batch(first.id).await.unwrap(), Some((wanted.clone(), BatchCounts::default())));
        let second = Batch { phase: BatchPhase::Pausing, ..second.clone() };
        let all = if phase == second.phase { vec![wanted, second] } else { vec![wanted] };
        assert_eq!(world.store.batches_in(phase).await.unwrap(), all);
    }
    assert_eq!(world.store.batches_in(BatchPhase::Running).await.unwrap(), []);
}

/// Put again it has more, and has not ended any more; what comes late changes nothing, and what is wanted
/// of it stays.
pub async fn a_batch_grows_while_it_is_handed_in(world: &World) {
    let batch = world.samples.batch();
    let with = |accepted, rejected, complete, digest: u8| {
        let digest = Some([digest; 32]);
        let batch = Batch { accepted, rejected, complete, digest, ..batch.clone() };
        Changes { batches: vec![batch], ..Changes::default() }
    };
    let now = async || world.store.batch(batch.id).await.unwrap().unwrap().0;
    world.commit(with(2, 1, false, 1)).await;
    let phase = BatchPhase::Paused;
    world.commit(Changes { batch_phases: vec![(batch.id, phase)], ..Changes::default() }).await;
    world.commit(with(5, 3, false, 2)).await;
    world.commit(with(2, 1, false, 1)).await;
    let digest = Some([2; 32]);
    let wanted = Batch { accepted: 5, rejected: 3, complete: false, digest, phase, ..batch.clone() };
    assert_eq!(now().await, wanted);
    world.commit(Changes { batches_finished: vec![(batch.id, world.clock.now())], ..Changes::default() }).await;
    assert_eq!(
        (now().await.finished_at, world.store.batches_unfinished().await.unwrap()),
        (Some(world.clock.now()), vec![])
    );
    // Gone on with, though there was nothing more than its end.
    world.commit(with(5, 3, true, 2)).await;
    assert_eq!(now().await, Batch { complete: true, ..wanted });
    assert_eq!(world.store.batches_unfinished().await.unwrap(), [batch.id]);
}

/// When is told by the first who says so; what it asks for is whether a message has not ended.
pub async fn a_batch_is_finished_once(world: &World) {
    let (batch, other) = (world.samples.batch(), world.samples.batch());
    let mut message = world.samples.message();
    change_body(&mut message, |body| body.batch = Some(batch.id));
    world.commit(Changes { batches: vec![batch.clone(), other.clone()], ..insert(&message) }).await;
    let open = async || world.store.batch_is_open(batch.id).await.unwrap();
    assert!(open().await && !world.store.batch_is_open(other.id).await.unwrap());
    end(&mut message, Status::Delivered, world.clock.now());
    world.commit(update(&message)).await;
    assert!(!open().await);
    let mut unfinished = world.store.batches_unfinished().await.unwrap();
    unfinished.sort_unstable();
    assert_eq!(unfinished, [batch.id, other.id]);
    let at = world.clock.now();
    for at in [at, at.plus_seconds(9)] {
        world.commit(Changes { batches_finished: vec![(batch.id, at)], ..Changes::default() }).await;
    }
    let (found, _) = world.store.batch(batch.id).await.unwrap().unwrap();
    assert_eq!(found, Batch { finished_at: Some(at), ..batch });
    assert_eq!(world.store.batches_unfinished().await.unwrap(), [other.id]);
}

fn keyed(world: &World, key: &str) -> (Message, SupersedeKey) {
    let mut message = world.samples.message();
    change_body(&mut message, |body| body.supersede_key = Some(key.into()));
    let key = SupersedeKey::of(&message.body).expect("it has a key");
    (message, key)
}

/// The end of an older one changes nothing, nor does a commit that is repeated.
pub async fn the_latest_message_under_a_key_is_known_until_it_ends(world: &World) {
    let ((mut first, key), (mut second, _)) = (keyed(world, "order 7"), keyed(world, "order 7"));
    let latest = async || world.store.latest_under(std::slice::from_ref(&key)).await.unwrap();
    assert_eq!(latest().await, [None]);
    world.commit(insert(&first)).await;
    assert_eq!(latest().await, [Some(first.body.id)]);
    // The newer one comes, and the older one ends, in one commit.
    end(&mut first, Status::Canceled, world.clock.now());
    world.commit(Changes { update: vec![first.clone()], ..insert(&second) }).await;
    assert_eq!(latest().await, [Some(second.body.id)]);
    world.commit(insert(&first)).await;
    assert_eq!(latest().await, [Some(second.body.id)]);
    second.progress.status = Status::Sent;
    world.commit(update(&second)).await;
    assert_eq!(latest().await, [Some(second.body.id)]);
    end(&mut second, Status::Delivered, world.clock.now());
    world.commit(update(&second)).await;
    assert_eq!(latest().await, [None]);
    let (mut ended, _) = keyed(world, "order 7");
    end(&mut ended, Status::Failed, world.clock.now());
    world.commit(insert(&ended)).await;
    assert_eq!(latest().await, [None], "one that has ended takes nobody's place");
}

/// They are answered in the order in which they are asked.
pub async fn keys_of_messages_belong_to_accounts_and_recipients(world: &World) {
    let (mine, key) = keyed(world, "k");
    let (mut theirs, mut elsewhere) = (keyed(world, "k").0, keyed(world, "k").0);
    change_body(&mut theirs, |body| body.account = "other".into());
    change_body(&mut elsewhere, |body| body.to = Address::from_carrier("+33612345678", true));
    for message in [&mine, &theirs, &elsewhere] {
        world.commit(insert(message)).await;
    }
    let their_key = SupersedeKey { account: "other".into(), ..key.clone() };
    let its_key = SupersedeKey { to: "+33612345678".into(), ..key.clone() };
    let unknown = SupersedeKey { key: "K".into(), ..key.clone() };
    let latest = world.store.latest_under(&[its_key, unknown, key, their_key]).await.unwrap();
    assert_eq!(latest, [Some(elsewhere.body.id), None, Some(mine.body.id), Some(theirs.body.id)]);
}
