//! When tokens were used last.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::time::Duration;

use engine::{Vault, new_token};
use model::resources::{Scope, Token};
use support::*;

async fn with_token(bench: &Bench, sha256: &str) {
    let mut wanted = resources(&[CONNECTOR], &[], &[]);
    wanted.tokens.push(Token {
        id: "t".into(),
        account: "shop".into(),
        sha256: sha256.into(),
        scopes: vec![Scope::Messages],
        expires_at: None,
        networks: Vec::new(),
        created_at: store::Store::now(&*bench.store),
    });
    engine::resources::apply(&*bench.store, &Vault::new(&[1; 32]), &wanted).await.unwrap();
    bench.engine.reload().await.unwrap();
}

#[tokio::test]
async fn the_last_use_of_a_token_is_known_after_a_restart() {
    let bench = start(CONNECTOR).await;
    let (secret, sha256) = new_token().unwrap();
    with_token(&bench, &sha256).await;
    assert_eq!(bench.engine.world().token_used("t"), None);
    let before = store::Store::now(&*bench.store);
    bench.engine.authenticate(&secret).unwrap();
    let used = bench.engine.world().token_used("t").unwrap();
    assert!(used >= before && bench.engine.world().token_used("another").is_none());

    let again = restart(bench.stop().await, CONNECTOR).await;
    with_token(&again, &sha256).await;
    let reading = async {
        while again.engine.world().token_used("t") != Some(used) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("it is read");
}
