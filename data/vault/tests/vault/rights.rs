//! Who may push, who may pull.

use crate::world::{ASSET, SIZE, World, key};
use sahara_vault::VaultError;

fn status(error: &VaultError) -> u16 {
    match error {
        VaultError::Refused { status, .. } => *status,
        other => panic!("expected a refusal, got {other}"),
    }
}

#[tokio::test]
async fn v6_content_leaves_only_for_who_may_read_now() {
    let world = World::new();
    let url = world.serve(|router| router).await;
    world.push(&url).await;
    assert!(world.pull(&url, None).await.unwrap() > SIZE as u64, "anyone may");
    *world.chain.readers.lock().unwrap() = Some(vec![key(3).address()]);
    assert_eq!(status(&world.pull(&url, None).await.unwrap_err()), 401);
    assert_eq!(status(&world.pull(&url, Some(4)).await.unwrap_err()), 403);
    world.pull(&url, Some(3)).await.unwrap();
    // A right that ends on chain ends here.
    *world.chain.readers.lock().unwrap() = Some(Vec::new());
    assert_eq!(status(&world.pull(&url, Some(3)).await.unwrap_err()), 403);
}

#[tokio::test]
async fn only_the_owner_pushes_and_only_what_the_chain_names() {
    let world = World::new();
    let url = world.serve(|router| router).await;
    let texts = (&world.manifest, world.document.as_str());
    let mut stranger = world.client(&url, Some(2)).await;
    let error = stranger.push(ASSET, &world.source(), texts).await.unwrap_err();
    assert_eq!(status(&error), 403);
    let mut nobody = world.client(&url, None).await;
    let error = nobody.push(ASSET, &world.source(), texts).await.unwrap_err();
    assert_eq!(status(&error), 401);
    let mut owner = world.client(&url, Some(1)).await;
    let other = world.document.replace("Some rows", "Other rows");
    let error = owner.push(ASSET, &world.source(), (&world.manifest, &other)).await.unwrap_err();
    assert_eq!(status(&error), 422);
    let mut fewer = world.manifest.clone();
    fewer.files.pop();
    let error = owner.push(ASSET, &world.source(), (&fewer, texts.1)).await.unwrap_err();
    assert_eq!(status(&error), 422);
    assert_eq!(status(&world.pull(&url, None).await.unwrap_err()), 404);
}

#[tokio::test]
async fn a_vault_that_was_started_again_is_met_again() {
    let world = World::new();
    let url = world.serve(|router| router).await;
    world.push(&url).await;
    *world.chain.readers.lock().unwrap() = Some(vec![key(3).address()]);
    let mut client = world.client(&url, Some(3)).await;
    // Behind the same name another process of the same vault: another session.
    let restarted = world.router(&url);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, restarted).await });
    let at = (world.chain.asset.content, world.chain.asset.uri.as_str());
    let (manifest, _) = client.texts(ASSET, at).await.unwrap();
    let to = tempfile::tempdir().unwrap();
    client.pull(ASSET, &manifest, to.path()).await.unwrap();
    // Asked under a name that is not its own, it takes no signature.
    assert_eq!(status(&world.pull(&elsewhere, Some(3)).await.unwrap_err()), 401);
}
