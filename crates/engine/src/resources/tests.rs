use model::Timestamp;
use store::MemoryStore;

use super::*;

fn account(json: serde_json::Value) -> Edit {
    Edit::Account(serde_json::from_value(json).unwrap())
}

fn name_of(set: &ResourceSet) -> Option<String> {
    set.accounts.first().and_then(|account| account.name.clone())
}

/// Another process changes the account while this one makes up its mind.
#[tokio::test]
async fn a_plan_is_made_again_when_another_process_was_first() {
    let (store, vault) = (MemoryStore::new(Timestamp::default), Vault::new(&[7; 32]));
    edit(&store, &vault, vec![account(serde_json::json!({ "id": "shop", "name": "a" }))]).await.unwrap();
    let mut seen = Vec::new();
    let renamed = change(&store, &vault, |set| {
        let name = name_of(set).unwrap();
        if seen.is_empty() {
            let other = vec![account(serde_json::json!({ "id": "shop", "name": "ab" }))];
            // A store in memory is always ready.
            let meddled = std::pin::pin!(edit(&store, &vault, other)).poll(&mut noop());
            assert!(matches!(meddled, std::task::Poll::Ready(Ok(()))));
        }
        seen.push(name.clone());
        let edits = vec![account(serde_json::json!({ "id": "shop", "name": format!("{name}c") }))];
        Ok::<_, EditError>((edits, name))
    });
    assert_eq!(renamed.await.unwrap(), "ab");
    assert_eq!(seen, ["a", "ab"]);
    assert_eq!(name_of(&load(&store, &vault).await.unwrap().1).as_deref(), Some("abc"));
}

fn noop() -> std::task::Context<'static> {
    std::task::Context::from_waker(std::task::Waker::noop())
}

#[tokio::test]
async fn secrets_that_can_not_be_had_are_faults_with_their_field() {
    let (store, vault) = (MemoryStore::new(Timestamp::default), Vault::new(&[7; 32]));
    let bad = account(serde_json::json!({
        "id": "shop",
        "api_token": { "env": "POSTRIDER_NO_SUCH_VARIABLE" },
        "webhooks": [{ "url": "https://x" }, { "url": "https://x", "secret": { "sealed": "AAAA" } }],
    }));
    let Err(EditError::Faults(faults)) = edit(&store, &vault, vec![bad]).await else { panic!("it was kept") };
    let told: Vec<_> = faults.iter().map(|fault| (fault.field.as_str(), fault.detail.as_str())).collect();
    assert_eq!(
        told,
        [
            ("api_token", "the environment variable POSTRIDER_NO_SUCH_VARIABLE is not set"),
            ("webhooks.1.secret", "it was sealed with another key, or is damaged"),
        ]
    );
    assert!(load(&store, &vault).await.unwrap().1.accounts.is_empty());
}

#[tokio::test]
async fn what_was_sealed_here_is_opened_and_sealed_anew() {
    let (store, vault) = (MemoryStore::new(Timestamp::default), Vault::new(&[7; 32]));
    let mut secret = model::resources::Secret::Plain("token".into());
    vault.seal(&mut secret).unwrap();
    edit(&store, &vault, vec![account(serde_json::json!({ "id": "shop", "api_token": secret }))]).await.unwrap();
    let set = load(&store, &vault).await.unwrap().1;
    assert_eq!(set.accounts[0].api_token_sha256, Some(hex(&sha256(b"token"))));
}
