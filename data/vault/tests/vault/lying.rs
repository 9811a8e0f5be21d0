//! A vault that lies is noticed, whatever it changes.

use crate::world::World;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
};
use sahara_vault::VaultError;

/// Changes answers to `GET` of paths that end like this.
fn lie(router: Router, end: &'static str, change: fn(&mut Vec<u8>)) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| async move {
        let lies = request.method() == "GET" && request.uri().path().ends_with(end);
        let response = next.run(request).await;
        if !lies || !response.status().is_success() {
            return response;
        }
        let mut bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        change(&mut bytes);
        Response::new(Body::from(bytes))
    }))
}

/// What a vault changes in its answer.
type Lie = fn(&mut Vec<u8>);

#[tokio::test]
async fn v1_every_lie_is_noticed() {
    let lies: [(&'static str, Lie); 7] = [
        ("/segments/1", |bytes| bytes[1_000] ^= 1),
        ("/segments/0", |bytes| bytes.truncate(100)),
        ("/segments/2", |bytes| bytes.push(0)),
        ("/segments/1", |bytes| bytes.resize(9 << 20, 0)),
        ("/tree", |bytes| bytes[8] ^= 1),
        ("/assets/5", |bytes| replace(bytes, "rows.bin", "cows.bin")),
        ("/assets/5", |bytes| replace(bytes, "Some rows", "None more")),
    ];
    for (end, change) in lies {
        let world = World::new();
        let honest = world.serve(|router| router).await;
        world.push(&honest).await;
        world.pull(&honest, None).await.unwrap();
        let url = world.serve(|router| lie(router, end, change)).await;
        let error = world.pull(&url, None).await.unwrap_err();
        assert!(matches!(error, VaultError::Damaged(_)), "{end}: {error}");
    }
}

fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from));
    *bytes = text.replace(from, to).into_bytes();
}
