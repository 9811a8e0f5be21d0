use super::{Hashed, Manifest, check_path, content_hash};
use sha2::{Digest, Sha256};
use std::fs;

#[test]
fn a_directory_is_hashed_as_everybody_would() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("data/.cache")).unwrap();
    fs::write(at("data/b.txt"), b"two").unwrap();
    fs::write(at("a.txt"), b"").unwrap();
    fs::write(at(".hidden"), b"not published").unwrap();
    fs::write(at("data/.cache/x"), b"not published").unwrap();
    let manifest = Manifest::of(directory.path()).unwrap();
    let paths: Vec<_> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a.txt", "data/b.txt"]);
    let file = &manifest.files[1];
    assert_eq!(file.blake3, blake3::hash(b"two").to_hex().as_str());
    assert_eq!(file.sha256, hex::encode(Sha256::digest(b"two")));
    let text = manifest.text().unwrap();
    assert_eq!(manifest.hash().unwrap(), content_hash(text.as_bytes()));
    assert_eq!(Manifest::read(&text).unwrap(), manifest);
    // One file is an asset too.
    let one = Manifest::of(&at("data/b.txt")).unwrap();
    assert_eq!((one.files[0].path.as_str(), one.size()), ("b.txt", 3));
    assert_eq!(Hashed::of(&at("a.txt")).unwrap().blake3, *blake3::hash(b"").as_bytes());
    // A link out of the directory is not followed.
    std::os::unix::fs::symlink("/etc/passwd", at("link")).unwrap();
    assert!(Manifest::of(directory.path()).is_err());
}

#[test]
fn v2_a_manifest_has_one_form_and_names_nothing_outside() {
    let hash = "a".repeat(64);
    let entry = |path: &str| {
        format!("{{\"path\":\"{path}\",\"size\":1,\"blake3\":\"{hash}\",\"sha256\":\"{hash}\"}}")
    };
    let of = |entries: &[String]| {
        format!("{{\"format\":\"sahara/manifest/1\",\"files\":[{}]}}", entries.join(","))
    };
    assert!(Manifest::read(&of(&[entry("a"), entry("b/c")])).is_ok());
    for bad in [
        of(&[]),
        of(&[entry("b"), entry("a")]),
        of(&[entry("a"), entry("a")]),
        of(&[entry("a"), entry("a/b")]),
        of(&[entry("a"), entry("a-b"), entry("a/b")]),
        of(&[entry("../a")]),
        of(&[entry("a").replace(&hash, &"A".repeat(64))]),
        of(&[entry("a").replace("\"size\":1", "\"size\":-1")]),
        of(&[entry("a").replace("\"size\":1", "\"size\":99999999999999")]),
        of(&[entry("a")]).replace(',', ", "),
        of(&[entry("a")]).replace("manifest/1", "manifest/2"),
        of(&[entry("a")]).replace("\"size\"", "\"more\":1,\"size\""),
        "x".repeat(super::MAX_MANIFEST + 1),
    ] {
        assert!(Manifest::read(&bad).is_err(), "{}", &bad[..bad.len().min(200)]);
    }
}

#[test]
fn v2_a_file_inside_of_a_file_is_found_at_any_depth() {
    let hash = "a".repeat(64);
    let entry =
        |path: String| super::Entry { path, size: 1, blake3: hash.clone(), sha256: hash.clone() };
    let deep: Vec<String> = (1..100).map(|depth| "a/".repeat(depth) + "b").collect();
    let of = |paths: &[String]| {
        let mut paths = paths.to_vec();
        paths.sort();
        let files = paths.into_iter().map(&entry).collect();
        Manifest { format: super::FORMAT.into(), files }.check()
    };
    of(&deep).unwrap();
    for depth in [1, 2, 50, 99] {
        let inside = ["a/".repeat(depth).trim_end_matches('/').to_owned()];
        let error = of(&[deep.as_slice(), &inside].concat()).unwrap_err();
        assert!(error.to_string().contains("lies inside of a file"), "{depth}: {error}");
    }
}

#[test]
fn v2_no_path_leaves_the_directory_it_is_written_to() {
    for path in ["a", "a/b.txt", "ü/😀", "..a", "a..b"] {
        assert!(check_path(path).is_ok(), "{path}");
    }
    for path in ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a\\b", "c:", "a\n", "a\0"] {
        assert!(check_path(path).is_err(), "{path:?}");
    }
    assert!(check_path(&"a/".repeat(200)).is_err());
}
