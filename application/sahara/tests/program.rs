//! The program without a network: what it says to odd input, and with which exit code.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; helpers of integration tests are not recognised as such"
)]

use serde_json::Value;
use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// Any account.
const FEES: &str = "0x1111111111111111111111111111111111111111";

struct Place(TempDir);

/// A command, a file it is about, and further arguments.
fn with<'a>(command: &[&'a str], file: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [command, &[file], rest].concat()
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program with this place for everything, and nothing from the environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sahara"));
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("SAHARA_CACHE", self.path().join("cache"));
        command.env("SAHARA_DATA_DIR", self.path().join("data"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Fails with `code`, says `words` to people on standard error and to programs in JSON.
    fn refuses(&self, arguments: &[&str], (code, name): (i32, &str), words: &str) {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?} says {said:?}, expected {words:?}");
        assert!(output.stdout.is_empty(), "{arguments:?} prints a value and fails");
        let output = self.run(&[arguments, &["--json"]].concat());
        let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{arguments:?} --json prints no JSON: {error}: {output:?}")
        });
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(value["error"]["code"], name, "{value}");
        assert_eq!(value["error"]["exit_code"], code, "{value}");
        let message = value["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{arguments:?} says {message:?}, expected {words:?}");
    }
}

const USAGE: (i32, &str) = (2, "usage");
const NOT_FOUND: (i32, &str) = (3, "not_found");
const REFUSED: (i32, &str) = (4, "refused");
const UNREACHABLE: (i32, &str) = (5, "unreachable");

#[test]
fn what_is_malformed_is_a_usage_error() {
    let place = Place::new();
    for (arguments, words) in [
        (["nonsense"].as_slice(), "unrecognized subcommand"),
        (&["up", "--port-base", "80"], "1024..=65000"),
        (&["up", "--port-base", "65535"], "1024..=65000"),
        (&["up", "--validators", "0"], "1..=20"),
        (&["wallet", "send", "0x12", "1"], "0x12"),
        (&["wallet", "fund", "-1"], "-1"),
        (&["wallet", "fund", "1.0000000000000000001"], "1.0000000000000000001"),
        (&["wallet", "new", "../x"], "is no wallet name"),
        (&["chat", ""], "nothing to say"),
        (&["chat"], "standard input is empty"),
        (&["chat", "-"], "standard input is empty"),
        (&["wallet", "balance", "--rpc", "nowhere"], "not an http URL"),
        (&["market", "list", "3"], "asset:ID=PRICE"),
        (&["market", "list", "asset:3=1..2"], "falls or stays"),
        (&["market", "auction", "coin:3", "--reserve", "1"], "asset:ID or license:ID"),
        (&["license", "offer", "3", "--price", "1e3"], "1e3"),
        (&["license", "offer", "3", "--period", "1w"], "no length of time"),
        (
            &[
                "license",
                "check",
                "3",
                "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
                "--purpose",
                "war",
            ],
            "training",
        ),
        (&["license", "quote"], "required"),
        (&["contribution", "prove", "-", "--index", "-1"], "-1"),
        (&["contribution", "root", "-"], "at least one"),
        (&["sim", "--demand", "hope"], "low, base, high, collapse, funded"),
        (&["sim", "attack", "--price", "1e3"], "expected dollars"),
        (&["sim", "attack", "--seats", "0"], "1 to 256"),
        (&["award", "review", "1", "maybe"], "accept, reject"),
        (&["vest", "calc", "sale", "1"], "incentive-pool"),
        (&["validators", "evidence", "--dry-run"], "expected --report"),
        (&["doctor", "--genesis", "genesis.json"], "--key-file"),
    ] {
        place.refuses(arguments, USAGE, words);
    }
}

#[test]
fn json_and_another_format_are_not_asked_for_together() {
    let place = Place::new();
    for (arguments, flag) in [
        (["sim", "--csv", "--json"].as_slice(), "--csv"),
        (&["--json", "sim", "--csv"], "--csv"),
        (&["vesting", "calendar", "--csv", "--json"], "--csv"),
        (&["vesting", "calendar", "--ical", "--json"], "--ical"),
        (&["contribution", "statement", FEES, "--csv", "--json"], "--csv"),
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(value["error"]["code"], "usage", "{value}");
        let message = value["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(flag), "{arguments:?} says {message:?}");
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let place = Place::new();
    for (arguments, words) in [
        (["status"].as_slice(), "start one with `sahara up`"),
        (&["down"], "nothing to stop"),
        (&["wallet", "balance"], "start one with `sahara up`"),
        (&["receipt", "verify", "nothing.json"], "could not read nothing.json"),
        (&["key", "revoke", "laptop"], "sahara key list"),
        (&["key", "show", "laptop"], "sahara key list"),
        (&["contribution", "root", "nothing.csv"], "could not read nothing.csv"),
        (&["market", "show"], "start one with `sahara up`"),
        (&["supply", "--recount"], "genesis.json"),
        (&["worker", "--config", "nothing.json"], "could not read nothing.json"),
    ] {
        place.refuses(arguments, NOT_FOUND, words);
    }
    place.refuses(&["chat", "hello"], REFUSED, "sahara key create");
}

#[test]
fn a_list_of_contributors_has_its_root_and_proofs_without_a_network() {
    let place = Place::new();
    let list = place.path().join("list.csv");
    let rows: String = (1..=3).map(|n| format!("0x{n:040x},{n}\n")).collect();
    fs::write(&list, format!("contributor,units\n{rows}")).unwrap();
    let path = list.to_str().unwrap();
    let json = |arguments: &[&str]| {
        let output = place.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let root = json(&["contribution", "root", path]);
    let expected = "0x68bf4c73f79df52963c04942ce2744a0779f3e0b35cf688601abc6c1bfce31b9";
    assert_eq!(
        (&root["root"], &root["units"], &root["count"]),
        (&expected.into(), &"6".into(), &3.into())
    );
    let third = format!("0x{:040x}", 3);
    let by_account = json(&["contribution", "prove", path, "--contributor", &third]);
    assert_eq!(by_account, json(&["contribution", "prove", path, "--index", "2"]));
    assert_eq!(by_account[0]["root"], expected);
    assert_eq!(by_account[0]["units"], "3");
    let stranger = format!("0x{:040x}", 4);
    let prove = ["contribution", "prove", path];
    place.refuses(
        &[&prove[..], &["--contributor", &stranger]].concat(),
        NOT_FOUND,
        "not in the list",
    );
    place.refuses(&[&prove[..], &["--index", "3"]].concat(), NOT_FOUND, "expected 0 to 2");
    place.refuses(&prove, USAGE, "--contributor ACCOUNT or --index N");
    fs::write(&list, format!("{rows}{third},0\n")).unwrap();
    place.refuses(&["contribution", "root", path], USAGE, "line 4");
}

#[test]
fn what_is_silent_is_unreachable() {
    let place = Place::new();
    // Nobody listens where somebody did a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    place.refuses(&["supply", "--rpc", &url], UNREACHABLE, "did not answer");
    let chat = ["chat", "hello", "--model", "m", "--api-key", "sk-1", "--gateway", &url];
    place.refuses(&chat, UNREACHABLE, "does not answer");
}

#[test]
fn a_pipe_says_one_message_and_an_empty_one_none() {
    let place = Place::new();
    let say = |text: &[u8]| {
        let mut child = place
            .command(&["chat", "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text).unwrap();
        let output = child.wait_with_output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(say(b" \n\n")["error"]["code"], "usage");
    assert_eq!(say(b"\xff\xfe")["error"]["code"], "failed");
    assert_eq!(say(b"hello\nthere\n")["error"]["code"], "refused", "it has no API key");
}

/// A model that has the right size is not fetched.
fn pretend_model(place: &Place) {
    let models = place.path().join("cache/models");
    fs::create_dir_all(&models).unwrap();
    let file = fs::File::create(models.join("smollm2-135m-instruct-q4_1.gguf")).unwrap();
    file.set_len(98_362_432).unwrap();
}

#[test]
fn up_says_what_stands_in_its_way() {
    let place = Place::new();
    pretend_model(&place);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().min(65_000);
    let base = port.to_string();
    if port == taken.local_addr().unwrap().port() {
        let words = format!("127.0.0.1:{port}, needed for the node's JSON-RPC");
        place.refuses(&["up", "--port-base", &base], REFUSED, &words);
        let detached = ["up", "--detach", "--port-base", &base];
        place.refuses(&detached, REFUSED, "another program listens there");
    }
    drop(taken);

    let local = place.path().join("data/local");
    fs::create_dir_all(&local).unwrap();
    fs::write(
        local.join("genesis.json"),
        "{\"config\":{\"chainId\":1},\"of\":\"another version\"}",
    )
    .unwrap();
    place.refuses(&["up", "--port-base", &base], REFUSED, "made by another version");
    fs::write(local.join("genesis.json"), "").unwrap();
    place.refuses(&["up", "--port-base", &base], REFUSED, "is damaged or was made by");
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let place = Place::new();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let file = file.display().to_string();
    let failed = (1, "failed");
    place.refuses(&["up", "--data-dir", &file], failed, "name another place with --data-dir");
    let output = place.command(&["model", "fetch"]).env("SAHARA_CACHE", &file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("cannot write in {file}")), "{said}");
    assert!(said.contains("with SAHARA_CACHE"), "{said}");
    let output = place.command(&["doctor"]).env("SAHARA_DATA_DIR", &file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("MEND  data directory"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn doctor_says_in_json_once_what_is_wrong() {
    let place = Place::new();
    let output = place.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(findings.as_array().unwrap().iter().any(|finding| finding["is_fine"] == false));
}

#[test]
fn a_wallet_is_never_overwritten() {
    let place = Place::new();
    let wallets = place.path().join("data/wallets");
    fs::create_dir_all(&wallets).unwrap();
    fs::write(wallets.join("one.json"), "somebody's only key").unwrap();
    let password = place.path().join("password");
    fs::write(&password, "long enough\n").unwrap();
    let new = ["wallet", "new", "one", "--password-file", password.to_str().unwrap()];
    place.refuses(&new, REFUSED, "there is a wallet `one` already");
    assert_eq!(fs::read(wallets.join("one.json")).unwrap(), b"somebody's only key");
    let list = place.run(&["wallet", "list"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("one  not readable"), "{list:?}");
}

#[test]
fn a_validators_secret_is_encrypted_unless_it_is_said_otherwise() {
    let place = Place::new();
    let file = |name: &str| place.path().join(name).display().to_string();
    for (name, password) in [("right", "correct horse"), ("wrong", "donkey"), ("none", "")] {
        fs::write(place.path().join(name), format!("{password}\n")).unwrap();
    }
    let (key, right, wrong) = (file("validator.json"), file("right"), file("wrong"));
    let json = |arguments: &[&str]| -> Value {
        let output = place.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let made = json(&["key", "new", &key, "--password-file", &right]);
    assert_eq!(made["is_encrypted"], true);
    let text: Value = serde_json::from_slice(&fs::read(&key).unwrap()).unwrap();
    assert_eq!(text["version"], 4, "EIP-2335: {text}");
    assert_eq!(text["crypto"]["kdf"]["function"], "scrypt");

    let entry = ["validators", "entry", "--fee-address", FEES, "--key-file"];
    let opened = json(&with(&entry, &key, &["--password-file", &right]));
    assert_eq!(opened["networkKey"], made["network_key"]);
    place.refuses(&with(&entry, &key, &["--password-file", &wrong]), REFUSED, "wrong password");
    place.refuses(&with(&entry, &key, &[]), REFUSED, "no password: give --password-file");
    place.refuses(&with(&entry, &key, &["--plain-key"]), USAGE, "is encrypted");
    let again = ["key", "new", &key, "--password-file", &right];
    place.refuses(&again, REFUSED, "already: nothing was written");
    let empty = ["key", "new", &file("other"), "--password-file", &file("none")];
    place.refuses(&empty, USAGE, "the password is empty");

    // Out to paper and back; clear text is taken only where it is asked for.
    let plain = file("paper");
    json(&["key", "export", &key, &plain, "--password-file", &right]);
    place.refuses(&with(&entry, &plain, &["--password-file", &right]), REFUSED, "in clear text");
    assert_eq!(json(&with(&entry, &plain, &["--plain-key"]))["networkKey"], made["network_key"]);
    let next = file("next.json");
    let twice = ["key", "import", &key, &next, "--password-file", &right];
    place.refuses(&twice, USAGE, "is encrypted already");
    let back = json(&["key", "import", &plain, &next, "--password-file", &wrong]);
    assert_eq!(back["consensus_key"], made["consensus_key"]);
    json(&[
        "key",
        "change-password",
        &next,
        "--password-file",
        &wrong,
        "--new-password-file",
        &right,
    ]);
    place.refuses(&with(&entry, &next, &["--password-file", &wrong]), REFUSED, "wrong password");
    json(&with(&entry, &next, &["--password-file", &right]));
}

#[test]
fn a_new_networks_secrets_are_encrypted_and_its_units_know_how_to_open_them() {
    let place = Place::new();
    let file = |name: &str| place.path().join(name).display().to_string();
    fs::write(place.path().join("password"), "correct horse\n").unwrap();
    let init = ["testnet", "init", "--host", "127.0.0.1:9700", "--account", FEES, "--directory"];
    let (directory, password) = (file("testnet"), file("password"));
    let output = place.run(&with(&init, &directory, &["--password-file", &password]));
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("/etc/sahara/validator.password"), "{said}");
    let host = place.path().join("testnet/host-0");
    let key = fs::read_to_string(host.join("validator.json")).unwrap();
    assert!(key.contains("\"version\": 4") && !host.join("validator.secret").exists());
    let unit = fs::read_to_string(host.join("sahara.service")).unwrap();
    assert!(unit.contains("validator.json --password-file %d/validator-password "), "{unit}");
    assert!(unit.contains("\nLoadCredential=validator-password:/etc/sahara/validator.password\n"));
    let container = fs::read_to_string(host.join("Containerfile")).unwrap();
    assert!(container.contains("\"--password-file\", \"/run/secrets/validator-password\""));

    let plain = file("plain");
    assert!(place.run(&with(&init, &plain, &["--plain-key"])).status.success());
    let unit = fs::read_to_string(place.path().join("plain/host-0/sahara.service")).unwrap();
    assert!(unit.contains("validator.secret --plain-key ") && !unit.contains("LoadCredential"));
}

#[test]
fn a_genesis_that_makes_no_chain_is_wrong_input() {
    let place = Place::new();
    let file = |name: &str| place.path().join(name).display().to_string();
    let public = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    let init = ["testnet", "init", "--host", "127.0.0.1:9700", "--plain-key", "--directory"];
    let testnet = file("testnet");
    place.refuses(&with(&init, &testnet, &["--account", public]), USAGE, "is public");
    assert!(!place.path().join("testnet").exists());

    // A service manager does not start again what exits so.
    let output = place.run(&with(&init, &testnet, &["--account", FEES]));
    assert!(output.status.success(), "{output:?}");
    let (good, key) =
        (file("testnet/host-0/genesis.json"), file("testnet/host-0/validator.secret"));
    let taken = fs::read_to_string(&good).unwrap().replace(&FEES.to_lowercase(), public);
    assert!(taken.contains(public), "its accounts stand in it");
    let (bad, chain) = (file("bad.json"), file("chain"));
    let node = ["node", "--plain-key", "--key-file", &key, "--directory", &chain, "--genesis"];
    for (text, words) in [("{}", "makes no chain"), (&taken, "public test mnemonic")] {
        fs::write(&bad, text).unwrap();
        place.refuses(&with(&node, &bad, &["--peer-listen", "127.0.0.1:9700"]), USAGE, words);
    }
    let doctor = ["doctor", "--key-file", &key, "--directory", &chain, "--genesis"];
    fs::write(&bad, "{}").unwrap();
    place.refuses(&with(&doctor, &bad, &[]), USAGE, "makes no chain");
    let output = place.run(&with(&doctor, &good, &["--json"]));
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let guard = findings.as_array().unwrap().iter().find(|one| one["what"] == "guard").unwrap();
    assert_eq!(guard["is_fine"], true, "{guard}");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let place = Place::new();
    let mut child = place
        .command(&["abi", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn help_completions_and_no_colour() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(&["completions", shell]);
        assert!(script.status.success());
        let script = String::from_utf8_lossy(&script.stdout).into_owned();
        assert!(script.contains("earnings") && script.contains("revoke"), "{shell}");
        let json = place.run(&["completions", shell, "--json"]);
        let told: String = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(told.trim_end(), script.trim_end(), "{shell}: one JSON value, the script");
    }
    for arguments in [["--help"].as_slice(), &["help"], &["key", "create", "--help"], &["up", "-h"]]
    {
        let help = place.command(arguments).env("NO_COLOR", "1").output().unwrap();
        assert!(help.status.success() && !help.stdout.contains(&0x1b), "{arguments:?}");
        assert!(!help.stdout.is_empty());
    }
    let bare = place.run(&[]);
    assert_eq!(bare.status.code(), Some(2), "without a command it shows help and fails");
}
