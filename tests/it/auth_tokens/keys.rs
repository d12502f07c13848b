//! The keys and secrets in the data folder.

use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Barrier, thread};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rollcall::{
    adapter::{
        keys::{FileKeys, KeysError, open_token_secret},
        random::SystemChance,
    },
    auth::Tokens,
    config::{AuthConfig, Key, KeysConfig, Secret, TokenKeysConfig},
    domain::chance::Chance,
    port::keys::KeySource,
};

use super::{SECRET, auth_config};

const FILES: [&str; 3] = ["index-key", "sealing-key", "token-secret"];

fn open(dir: &Path) -> Result<FileKeys, KeysError> {
    FileKeys::open(dir, &KeysConfig::default(), &auth_config(), &SystemChance)
}

fn refusal(dir: &Path) -> String {
    open(dir).expect_err("a refusal").to_string()
}

/// All that an installation's keys are, to compare.
fn fingerprint(keys: &FileKeys) -> (String, String, [u8; 32], [u8; 32]) {
    let [sealing] = keys.sealing_keys().try_into().unwrap_or_else(|_| panic!("one sealing key"));
    (keys.token_secret().expect("a secret").expose().to_owned(), sealing.id, sealing.key, keys.index_key())
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("the folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

fn write(path: &Path, content: impl AsRef<[u8]>, mode: u32) {
    fs::write(path, content).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
}

#[test]
fn keys_are_made_at_the_first_start_and_kept() {
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("new/data");
    let first = fingerprint(&open(&dir).expect("keys"));
    assert_eq!(names(&dir), FILES);
    assert_eq!(fingerprint(&open(&dir).expect("keys")), first);
    let (secret, _, sealing, index) = &first;
    let kept: HashSet<_> = [STANDARD.decode(secret).expect("base64"), sealing.to_vec(), index.to_vec()].into();
    assert_eq!(kept.len(), 3, "each is another one");
    assert!(Tokens::new(&Secret::new(secret.as_str()), &auth_config()).is_ok());
}

#[test]
fn files_and_folder_are_for_their_owner_alone() {
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("data");
    open(&dir).expect("keys");
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for file in FILES {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
}

#[test]
fn processes_that_start_at_once_end_up_with_the_same_keys() {
    const AT_ONCE: usize = 16;
    for _ in 0..20 {
        let parent = tempfile::tempdir().expect("a folder");
        let dir = parent.path().join("data");
        let barrier = Barrier::new(AT_ONCE);
        let open_at_once = || {
            barrier.wait();
            fingerprint(&open(&dir).expect("keys"))
        };
        let seen: HashSet<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(open_at_once)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(seen.len(), 1);
        assert_eq!(seen.into_iter().next(), Some(fingerprint(&open(&dir).expect("keys"))));
        assert_eq!(names(&dir), FILES, "no draft stays");
    }
}

#[test]
fn the_secret_alone_makes_no_other_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let secret = open_token_secret(dir.path(), &auth_config(), &SystemChance).expect("a secret");
    assert_eq!(names(dir.path()), ["token-secret"]);
    assert_eq!(open(dir.path()).expect("keys").token_secret().expect("a secret").expose(), secret.expose());
}

#[test]
fn given_keys_are_taken_and_nothing_is_written() {
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("data");
    let config = KeysConfig {
        sealing_key: Some(Key::new([0; 32])),
        index_key: Some(Key::new([2; 32])),
        ..KeysConfig::default()
    };
    let auth = AuthConfig {
        keys: TokenKeysConfig::Secrets { present: Some(Secret::new(SECRET)), previous: None },
        ..auth_config()
    };
    let keys = FileKeys::open(&dir, &config, &auth, &SystemChance).expect("keys");
    // SHA-256 of 32 zero bytes begins with 66687aad.
    let expected = (SECRET.to_owned(), "66687aad".to_owned(), [0; 32], [2; 32]);
    assert_eq!(fingerprint(&keys), expected);
    assert!(!dir.exists());
}

#[test]
fn what_a_file_holds_fits_the_configuration() {
    let dir = tempfile::tempdir().expect("a folder");
    let made = fingerprint(&open(dir.path()).expect("keys"));
    let text = |file| fs::read_to_string(dir.path().join(file)).expect("text").trim_end().to_owned();
    let bytes = |file| STANDARD.decode(text(file)).expect("base64");
    assert_eq!(text("token-secret"), made.0);
    assert_eq!((bytes("sealing-key"), bytes("index-key")), (made.2.to_vec(), made.3.to_vec()));
}

#[test]
fn a_damaged_or_short_file_is_refused_and_left_as_it_is() {
    let short = STANDARD.encode([7; 31]);
    let long = STANDARD.encode([7; 33]);
    let cut = STANDARD.encode([7; 15]);
    let contents: [&[u8]; 7] = [
        b"",
        b"\n",
        short.as_bytes(),
        long.as_bytes(),
        cut.as_bytes(),
        b"canary!canary!canary!canary!canary!canary!",
        &[0xff; 64],
    ];
    for file in FILES {
        for content in contents {
            let dir = tempfile::tempdir().expect("a folder");
            open(dir.path()).expect("keys");
            let path = dir.path().join(file);
            write(&path, content, 0o600);
            let message = refusal(dir.path());
            let expected = format!("{} is damaged: it must hold 32 bytes in Base64. Put it back", path.display());
            assert!(message.starts_with(&expected), "{message}");
            let shown = String::from_utf8_lossy(content);
            assert!(shown.trim().is_empty() || !message.contains(shown.trim()), "{message}");
            assert_eq!(fs::read(&path).expect("the file"), content);
        }
    }
}

#[test]
fn a_file_that_everyone_may_read_is_refused() {
    for file in FILES {
        for mode in [0o644, 0o604, 0o602, 0o666] {
            let dir = tempfile::tempdir().expect("a folder");
            open(dir.path()).expect("keys");
            let path = dir.path().join(file);
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
            let path = path.display();
            let expected =
                format!("{path} is open to every user of this machine (mode {mode:04o}): run `chmod 600 {path}`");
            assert_eq!(refusal(dir.path()), expected);
        }
    }
}

#[test]
fn a_file_that_the_group_may_read_passes() {
    let dir = tempfile::tempdir().expect("a folder");
    let made = fingerprint(&open(dir.path()).expect("keys"));
    for file in FILES {
        fs::set_permissions(dir.path().join(file), fs::Permissions::from_mode(0o660)).expect("permissions");
    }
    assert_eq!(fingerprint(&open(dir.path()).expect("keys")), made);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let parent = tempfile::tempdir().expect("a folder");
    let file = parent.path().join("file");
    write(&file, "no folder", 0o600);
    let message = refusal(&file.join("data"));
    assert!(message.contains(&file.join("data").display().to_string()), "{message}");
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("token-secret")).expect("a folder in the way");
    fs::set_permissions(dir.path().join("token-secret"), fs::Permissions::from_mode(0o700)).expect("permissions");
    let message = refusal(dir.path());
    assert!(message.contains("token-secret cannot be read"), "{message}");
}

#[test]
fn keys_are_not_printed() {
    let dir = tempfile::tempdir().expect("a folder");
    let keys = open(dir.path()).expect("keys");
    let printed = format!("{keys:?}");
    assert_eq!(printed, "FileKeys { token_secret: Some(***), sealing_keys: [***], index_key: *** }");
}

#[test]
fn chance_fills_all_of_the_slice_anew() {
    let draws: HashSet<[u8; 32]> = (0..100)
        .map(|_| {
            let mut bytes = [0; 32];
            SystemChance.fill(&mut bytes);
            bytes
        })
        .collect();
    assert_eq!(draws.len(), 100);
    for place in 0..32 {
        assert!(draws.iter().any(|bytes| bytes[place] != 0), "byte {place} is always 0");
    }
    SystemChance.fill(&mut []);
}
