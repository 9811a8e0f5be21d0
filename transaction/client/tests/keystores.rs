//! Validators' key files are those of EIP-2335, held against the standard's own.

use alloy_primitives::hex;
use sahara_client::{KeystoreCost, KeystoreError, ValidatorKeystore};

/// The two files of EIP-2335's section "Test Cases".
const SCRYPT: &str = include_str!("eip2335/scrypt.json");
const PBKDF2: &str = include_str!("eip2335/pbkdf2.json");
const PASSWORD: &str = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
const SECRET: [u8; 32] = hex!("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");

#[test]
fn the_standards_own_files_open() {
    for text in [SCRYPT, PBKDF2] {
        let keystore = ValidatorKeystore::from_json(text).unwrap();
        assert_eq!(*keystore.secret(PASSWORD).unwrap(), SECRET);
        // The same password after normalisation, and with a control character.
        assert_eq!(*keystore.secret("testpassword\u{1f511}\u{7f}\n").unwrap(), SECRET);
        assert_eq!(keystore.secret("testpassword"), Err(KeystoreError::WrongPassword));
        // Its public key is another curve's arrangement: no validator of ours.
        let other = keystore.validator_secret(PASSWORD);
        assert!(matches!(other, Err(KeystoreError::OtherKey { .. })), "{other:?}");
    }
}

#[test]
fn what_is_encrypted_opens_with_the_password_alone() {
    let written = ValidatorKeystore::encrypt(&[7; 32], "påss", KeystoreCost::Light).unwrap();
    let text = written.to_json();
    assert!(!text.contains(&hex::encode([7; 32])), "{text}");
    let read = ValidatorKeystore::from_json(&text).unwrap();
    assert_eq!(read, written);
    assert_eq!(*read.validator_secret("påss").unwrap(), [7; 32]);
    // Composed and decomposed letters are one password.
    assert_eq!(*read.validator_secret("pa\u{30a}ss").unwrap(), [7; 32]);
    assert_eq!(read.validator_secret("pass"), Err(KeystoreError::WrongPassword));
    let damaged = text.replace("\"version\": 4", "\"version\": 5");
    let refused = ValidatorKeystore::from_json(&damaged).unwrap().secret("påss");
    assert!(matches!(refused, Err(KeystoreError::Unsupported(_))), "{refused:?}");
    let costly = text.replace("\"n\": 4096", "\"n\": 4294967296");
    let refused = ValidatorKeystore::from_json(&costly).unwrap().secret("påss");
    assert!(matches!(refused, Err(KeystoreError::TooCostly(_))), "{refused:?}");
}
