use super::{MAX_RECORD, Record, Store, measure};
use crate::{
    error::VaultError,
    manifest::{Hashed, Manifest},
    seal::offset,
    tree::SEGMENT,
};
use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    os::unix::fs::{FileExt, PermissionsExt},
    sync::atomic::Ordering,
};

struct World {
    directory: tempfile::TempDir,
    content: Vec<u8>,
    manifest: Manifest,
    tree: Vec<u8>,
}

fn world(size: u64) -> World {
    let directory = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..size).map(|n| (n * 7 % 253) as u8).collect();
    let file = directory.path().join("weights.bin");
    fs::write(&file, &content).unwrap();
    let manifest = Manifest::of(&file).unwrap();
    let tree = Hashed::of(&file).unwrap().values.concat();
    World { directory, content, manifest, tree }
}

impl World {
    fn open(&self, capacity: u64) -> Store {
        Store::open(&self.directory.path().join("vault"), capacity).unwrap()
    }

    fn segment(&self, index: u64) -> (u64, &[u8]) {
        let from = (index * SEGMENT) as usize;
        (index, &self.content[from..self.content.len().min(from + SEGMENT as usize)])
    }

    fn put(&self, store: &Store) {
        let record = Record {
            asset: 7,
            shelf: "models".into(),
            repository: "0x0/x".into(),
            registered_at: 1,
            content: "0".repeat(64),
        };
        store.put(&record, (&self.manifest.text().unwrap(), "{}")).unwrap();
        store.put_tree(7, &self.manifest.files[0], &self.tree).unwrap();
    }
}

#[test]
fn v3_only_ciphertext_lies_on_disk_and_comes_back_whole() {
    let world = world(2 * SEGMENT + 100);
    let (store, file) = (world.open(u64::MAX), &world.manifest.files[0]);
    world.put(&store);
    for index in 0..3 {
        assert_eq!(store.append(7, file, world.segment(index)).unwrap(), index + 1);
    }
    let mut reader = store.read(7, file).unwrap();
    let back: Vec<u8> = (0..3).flat_map(|index| reader.segment(index).unwrap()).collect();
    assert!(back == world.content);
    assert!(reader.segment(3).is_err());
    let sealed = world.directory.path().join(format!("vault/assets/7/{}.sealed", file.blake3));
    let disk = fs::read(&sealed).unwrap();
    assert!(!disk.windows(64).any(|window| window == &world.content[..64]));
    let key = fs::metadata(world.directory.path().join("vault/key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    // The same file under another asset is another file: nothing is shared.
    assert!(matches!(store.read(8, file), Err(VaultError::Missing(_))));
}

#[test]
fn v5_a_push_goes_on_after_a_kill_at_any_byte() {
    let world = world(2 * SEGMENT + 100);
    let file = &world.manifest.files[0];
    for cut in [0, 1, 50, 80, 81, 500, SEGMENT + 95, SEGMENT + 96, SEGMENT + 97, 2 * SEGMENT] {
        drop(fs::remove_dir_all(world.directory.path().join("vault/assets/7")));
        let store = world.open(u64::MAX);
        world.put(&store);
        store.append(7, file, world.segment(0)).unwrap();
        store.append(7, file, world.segment(1)).unwrap();
        let partial =
            world.directory.path().join(format!("vault/assets/7/{}.partial", file.blake3));
        OpenOptions::new().write(true).open(partial).unwrap().set_len(cut).unwrap();
        let store = world.open(u64::MAX);
        for index in store.held(7, file)..3 {
            store.append(7, file, world.segment(index)).unwrap();
        }
        let mut reader = store.read(7, file).unwrap();
        let back: Vec<u8> = (0..3).flat_map(|index| reader.segment(index).unwrap()).collect();
        assert!(back == world.content, "cut at {cut}");
    }
}

#[test]
fn v1_a_wrong_segment_tree_or_hash_is_refused() {
    let mut world = world(SEGMENT + 5);
    let store = world.open(u64::MAX);
    world.put(&store);
    let file = world.manifest.files[0].clone();
    let mut wrong = world.segment(0).1.to_vec();
    wrong[9] ^= 1;
    let refused = |error: VaultError| matches!(error, VaultError::Invalid(_));
    assert!(refused(store.append(7, &file, (0, &wrong)).unwrap_err()));
    assert!(refused(store.append(7, &file, (0, b"")).unwrap_err()));
    assert!(matches!(
        store.append(7, &file, world.segment(1)).unwrap_err(),
        VaultError::OutOfOrder { expected: 0 }
    ));
    world.tree[3] ^= 1;
    assert!(refused(store.put_tree(7, &file, &world.tree).unwrap_err()));
    assert!(refused(store.put_tree(7, &file, b"short").unwrap_err()));
    // A manifest whose two hashes belong to different files is found out at the end.
    let other = crate::manifest::Entry { sha256: "0".repeat(64), ..file.clone() };
    assert_eq!(store.append(7, &other, world.segment(0)).unwrap(), 1);
    assert!(refused(store.append(7, &other, world.segment(1)).unwrap_err()));
    assert_eq!(store.held(7, &file), 0);
}

#[test]
fn a_full_vault_says_so_and_loses_nothing() {
    let world = world(SEGMENT + 5);
    let file = &world.manifest.files[0];
    let small = world.open(SEGMENT);
    world.put(&small);
    let error = small.append(7, file, world.segment(0)).unwrap_err();
    assert!(matches!(error, VaultError::Full(_)), "{error}");
    let large = world.open(4 * SEGMENT);
    large.append(7, file, world.segment(0)).unwrap();
    assert_eq!(large.append(7, file, world.segment(1)).unwrap(), 2);
}

#[test]
fn manifests_and_trees_need_room_too() {
    let world = world(3 * SEGMENT);
    let store = world.open(MAX_RECORD as u64 + 400);
    world.put(&store);
    let store = world.open(100);
    let record = Record { asset: 8, ..store.records().unwrap().remove(0) };
    let texts = (world.manifest.text().unwrap(), "{}");
    let error = store.put(&record, (&texts.0, texts.1)).unwrap_err();
    assert!(matches!(error, VaultError::Full(_)), "{error}");
    assert!(!world.directory.path().join("vault/assets/8").exists(), "nothing is left behind");
    // The same tree again takes no more room; another file's would.
    store.put_tree(7, &world.manifest.files[0], &world.tree).unwrap();
    let error = store.put_tree(8, &world.manifest.files[0], &world.tree).unwrap_err();
    assert!(matches!(error, VaultError::Full(_)), "{error}");
}

#[test]
fn v5_what_a_power_cut_left_is_cut_off_and_pushed_again() {
    let world = world(3 * SEGMENT + 100);
    let file = &world.manifest.files[0];
    // A hole in a segment, and in the header: lengths reached the disk and bytes did not.
    for (hole, expected) in [(offset(1) + 7, 1), (offset(2), 2), (0, 0), (40, 0)] {
        drop(fs::remove_dir_all(world.directory.path().join("vault/assets/7")));
        let store = world.open(u64::MAX);
        world.put(&store);
        for index in 0..3 {
            store.append(7, file, world.segment(index)).unwrap();
        }
        let partial =
            world.directory.path().join(format!("vault/assets/7/{}.partial", file.blake3));
        let disk = OpenOptions::new().write(true).open(partial).unwrap();
        disk.write_all_at(&[0; 4_096], hole).unwrap();
        let store = world.open(u64::MAX);
        assert_eq!(store.held(7, file), 3, "a hole counts as held");
        let error = store.append(7, file, world.segment(3)).unwrap_err();
        let VaultError::OutOfOrder { expected: next } = error else { panic!("{error}") };
        assert_eq!((next, store.held(7, file)), (expected, expected), "{hole}");
        for index in expected..4 {
            assert_eq!(store.append(7, file, world.segment(index)).unwrap(), index + 1);
        }
        let mut reader = store.read(7, file).unwrap();
        let back: Vec<u8> = (0..4).flat_map(|index| reader.segment(index).unwrap()).collect();
        assert!(back == world.content, "{hole}");
    }
}

#[test]
fn an_asset_is_whole_with_its_last_file_and_then_needs_no_manifest() {
    let world = world(SEGMENT + 5);
    let (store, file) = (world.open(u64::MAX), &world.manifest.files[0]);
    world.put(&store);
    let text = world.directory.path().join("vault/assets/7/manifest.json");
    for index in 0..2 {
        assert!(!store.is_whole(7).unwrap());
        store.append(7, file, world.segment(index)).unwrap();
    }
    assert!(store.is_whole(7).unwrap());
    // Asked again, neither is read from disk.
    fs::remove_file(text).unwrap();
    assert!(store.is_whole(7).unwrap());
    assert_eq!(*store.manifest(7).unwrap(), world.manifest);
    assert!(matches!(store.is_whole(8), Err(VaultError::Missing(_))));
}

#[test]
fn what_is_counted_as_used_is_what_lies_on_disk() {
    let world = world(2 * SEGMENT + 100);
    let file = world.manifest.files[0].clone();
    let store = world.open(u64::MAX);
    let same = |when: &str| {
        let on_disk = measure(&world.directory.path().join("vault")).unwrap();
        assert_eq!(store.used.load(Ordering::Relaxed), on_disk, "{when}");
    };
    same("empty");
    world.put(&store);
    world.put(&store);
    same("put twice");
    let other = crate::manifest::Entry { sha256: "0".repeat(64), ..file.clone() };
    for index in 0..2 {
        store.append(7, &other, world.segment(index)).unwrap();
        same("a segment");
    }
    store.append(7, &file, world.segment(0)).unwrap();
    store.append(7, &file, (2, b"wrong")).unwrap_err();
    same("sent again, and refused");
    store.append(7, &other, world.segment(2)).unwrap_err();
    same("emptied");
    for index in 0..3 {
        store.append(7, &file, world.segment(index)).unwrap();
    }
    same("whole");
}

#[test]
fn a_lost_key_is_not_replaced_by_a_new_one() {
    let world = world(5);
    world.put(&world.open(u64::MAX));
    fs::remove_file(world.directory.path().join("vault/key")).unwrap();
    let error = Store::open(&world.directory.path().join("vault"), 1).unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error}");
}

/// Byte for byte: a vault finds again what an older program put into its directory.
#[test]
fn records_trees_and_names_of_files_are_frozen() {
    let world = world(SEGMENT + 5);
    let (store, file) = (world.open(u64::MAX), &world.manifest.files[0]);
    world.put(&store);
    let asset = world.directory.path().join("vault/assets/7");
    let read = |name: &str| fs::read(asset.join(name)).unwrap();
    let record = format!(
        r#"{{"asset":7,"shelf":"models","repository":"0x0/x","registered_at":1,"content":"{}"}}"#,
        "0".repeat(64)
    );
    assert_eq!(String::from_utf8(read("record.json")).unwrap(), record);
    assert_eq!(read("manifest.json"), world.manifest.text().unwrap().as_bytes());
    assert_eq!(read("document.json"), b"{}");
    let names = || {
        let entries = fs::read_dir(&asset).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<BTreeSet<_>>()
    };
    let expected = |last: &str| {
        let known = ["record.json", "manifest.json", "document.json"].map(str::to_owned);
        let of_file = ["tree", last].map(|kind| format!("{}.{kind}", file.blake3));
        known.into_iter().chain(of_file).collect::<BTreeSet<_>>()
    };
    store.append(7, file, world.segment(0)).unwrap();
    assert_eq!(names(), expected("partial"));
    store.append(7, file, world.segment(1)).unwrap();
    assert_eq!(names(), expected("sealed"));
    // The tree is the values of the segments, one after the other.
    let size = SEGMENT + 5;
    let values = [0, 1].map(|index| crate::tree::value(size, index, world.segment(index).1));
    assert_eq!(read(&format!("{}.tree", file.blake3)), values.map(Option::unwrap).concat());
    let key = fs::read_to_string(world.directory.path().join("vault/key")).unwrap();
    assert_eq!(hex::decode(&key).unwrap().len(), 32, "{} digits", key.len());
}
