//! What Hugging Face's clients ask, byte by byte; the real one is in the scenarios.

use crate::world::{SIZE, World, key};
use reqwest::{Method, Response, header::HeaderMap};
use serde_json::Value;

struct Hub {
    http: reqwest::Client,
    url: String,
    repository: String,
}

impl Hub {
    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let path = path.replace("REPO", &self.repository);
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.ask(Method::GET, path, headers).await
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

async fn hub(world: &World) -> Hub {
    let url = world.serve(|router| router).await;
    world.push(&url).await;
    let repository = format!("{:?}/rows", key(1).address()).to_lowercase();
    Hub { http: reqwest::Client::new(), url, repository }
}

#[tokio::test]
async fn a_file_is_described_and_served_whole_or_in_part() {
    let world = World::new();
    let hub = hub(&world).await;
    let info: Value = hub.get("/api/datasets/REPO/revision/main", &[]).await.json().await.unwrap();
    let commit = info["sha"].as_str().unwrap().to_owned();
    assert_eq!(commit.len(), 40);
    assert!(world.chain.asset.content.to_string().contains(&commit));
    assert_eq!(info["siblings"][1]["rfilename"], "data/rows.bin");
    assert_eq!(info["gated"], false);
    let tree: Value = hub
        .get(&format!("/api/datasets/REPO/tree/{commit}?recursive=true"), &[])
        .await
        .json()
        .await
        .unwrap();
    let file = world.manifest.by_path("data/rows.bin").unwrap();
    assert_eq!(tree[1]["lfs"]["oid"], file.sha256.as_str());

    let path = "/datasets/REPO/resolve/main/data/rows.bin";
    let head = hub.ask(Method::HEAD, path, &[]).await;
    let headers = head.headers();
    assert_eq!(header(headers, "etag"), format!("\"{}\"", file.sha256));
    assert_eq!(header(headers, "x-linked-etag"), header(headers, "etag"));
    assert_eq!(header(headers, "x-repo-commit"), commit);
    assert_eq!(header(headers, "x-linked-size"), SIZE.to_string());
    assert_eq!(header(headers, "content-length"), SIZE.to_string());
    let whole = hub.get(path, &[]).await.bytes().await.unwrap();
    assert_eq!(whole.len(), SIZE);
    for (from, to) in [(0, SIZE - 1), (5, 9), (1_048_570, 1_048_580), (2_097_152, SIZE - 1)] {
        let part = hub.get(path, &[("range", &format!("bytes={from}-{to}"))]).await;
        assert_eq!(part.status(), 206);
        let range = format!("bytes {from}-{to}/{SIZE}");
        assert_eq!(header(part.headers(), "content-range"), range);
        assert!(part.bytes().await.unwrap() == whole[from..=to], "{from}-{to}");
    }
    let beyond = hub.get(path, &[("range", &format!("bytes={SIZE}-"))]).await;
    assert_eq!(beyond.status(), 416);
    // By its number it needs no name.
    assert_eq!(hub.get("/datasets/asset/5/resolve/main/README.md", &[]).await.status(), 200);
}

#[tokio::test]
async fn refusals_name_themselves() {
    let world = World::new();
    let hub = hub(&world).await;
    let file = "/datasets/REPO/resolve/main/README.md";
    let cases = [
        ("/api/datasets/nobody/nothing", 404, "RepoNotFound"),
        ("/api/models/REPO", 404, "RepoNotFound"),
        ("/api/datasets/REPO/revision/v9", 404, "RevisionNotFound"),
        ("/datasets/REPO/resolve/main/no.txt", 404, "EntryNotFound"),
        ("/datasets/REPO/resolve/main/..%2f..%2fkey", 404, "EntryNotFound"),
    ];
    for (path, status, code) in cases {
        let answer = hub.get(path, &[]).await;
        let said = header(answer.headers(), "x-error-code").to_owned();
        assert_eq!((answer.status().as_u16(), said.as_str()), (status, code), "{path}");
        assert!(!header(answer.headers(), "x-error-message").is_empty(), "{path}");
    }
    *world.chain.readers.lock().unwrap() = Some(vec![key(3).address()]);
    let answer = hub.get(file, &[]).await;
    assert_eq!(
        (answer.status().as_u16(), header(answer.headers(), "x-error-code")),
        (401, "GatedRepo")
    );
    let answer = hub.get(file, &[("authorization", "Bearer sk-other")]).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(
        header(answer.headers(), "x-error-message"),
        "Invalid credentials in Authorization header"
    );
    let answer = hub.get(file, &[("authorization", "Bearer sk-reader")]).await;
    assert_eq!(answer.status(), 200);
    *world.chain.readers.lock().unwrap() = Some(Vec::new());
    let answer = hub.get(file, &[("authorization", "Bearer sk-reader")]).await;
    assert_eq!(
        (answer.status().as_u16(), header(answer.headers(), "x-error-code")),
        (403, "GatedRepo")
    );
    // The card may be read by everyone, and says that the rest may not.
    let info: Value = hub.get("/api/datasets/REPO", &[]).await.json().await.unwrap();
    assert_eq!(info["gated"], "auto");
}
