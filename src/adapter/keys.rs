//! The keys and secrets of an installation: those of the configuration, else those in the data folder, where they are made at
//! the first start.
//!
//! Each is a file of its own that holds 32 random bytes in Base64, so that its content fits the configuration as it is.
//! The signing secret is that text itself, the two keys are the bytes.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process,
};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    config::{AuthConfig, Key, KeysConfig, Secret, TokenKeysConfig},
    domain::chance::Chance,
    port::keys::{KeySource, SealingKey},
};

/// One key or secret that is kept in a file.
struct Kept {
    /// The file in the data folder.
    name: &'static str,
    /// What to do when the file is damaged.
    remedy: &'static str,
}

const TOKEN_SECRET: Kept = Kept {
    name: "token-secret",
    remedy: "Put it back from a backup, or remove it: then a new one is made, and tokens made before are refused.",
};

const SEALING_KEY: Kept =
    Kept { name: "sealing-key", remedy: "Put it back from a backup: nothing else opens what was sealed with it." };

/// While one sealing key replaces the other, both open what was sealed.
const NEXT_SEALING_KEY: Kept = Kept {
    name: "sealing-key.next",
    remedy: "Put it back from a backup: what was sealed since the keys are rotated opens with it alone.",
};

const INDEX_KEY: Kept = Kept {
    name: "index-key",
    remedy: "Put it back from a backup: nothing else finds the endpoints that were hashed with it.",
};

/// The length of each key and secret, in bytes, before Base64.
const KEY_LENGTH: usize = 32;

/// The most bytes of a file that are looked at. A good file has 45.
const MOST_BYTES: u64 = 1024;

/// How many bytes of the SHA-256 of a key name it.
const KEY_ID_BYTES: usize = 4;

/// A key or secret cannot be had. The text names the file and says what to do; it holds nothing of the file's content.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The data folder cannot be made.
    #[error("the data folder {} cannot be made: {source}", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be made.
    #[error("{} cannot be made: {source}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file does not hold 32 bytes in Base64.
    #[error("{} is damaged: it must hold 32 bytes in Base64. {remedy}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What to do, as a sentence.
        remedy: &'static str,
    },
    /// The file is not there, though a database is that was filled with it.
    #[error("the database is there, and its key {} is not. {remedy}", .path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// What to do, as a sentence.
        remedy: &'static str,
    },
    /// Everyone on the machine may read or replace the secret.
    #[error("{path} is open to every user of this machine (mode {mode:04o}): run `chmod 600 {path}`", path = .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// The keys and secrets of an installation. It prints without them.
#[derive(Debug, Clone)]
pub struct FileKeys {
    /// None where an identity provider makes the tokens.
    token_secret: Option<Secret>,
    sealing_keys: Vec<Key>,
    index_key: Key,
}

impl FileKeys {
    /// Takes each key and secret from the configuration, else from its file in `dir`, else makes that file. Any number of
    /// processes may do so at once: they all end up with the same.
    ///
    /// # Errors
    /// When a file is damaged, open to everyone, or cannot be read or made.
    pub fn open(dir: &Path, config: &KeysConfig, auth: &AuthConfig, chance: &dyn Chance) -> Result<Self, KeysError> {
        let take = |given: Option<Key>, kept| match given {
            Some(key) => Ok(key),
            None => open_file(dir, kept, chance).map(|(_, key)| key),
        };
        Ok(Self {
            token_secret: match auth.keys {
                TokenKeysConfig::Secrets { .. } => Some(open_token_secret(dir, auth, chance)?),
                TokenKeysConfig::KeySet(_) => None,
            },
            sealing_keys: {
                let (next, present) = (read_next_key(dir, config)?, take(config.sealing_key, &SEALING_KEY)?);
                [Some(present), config.previous_sealing_key, next].into_iter().flatten().collect()
            },
            index_key: take(config.index_key, &INDEX_KEY)?,
        })
    }

    /// Makes sure that a database's keys are there, before new ones are made that look like them.
    ///
    /// # Errors
    /// When one of them is neither in the configuration nor in `dir`.
    pub fn expect_kept(dir: &Path, config: &KeysConfig) -> Result<(), KeysError> {
        for (given, kept) in [(config.sealing_key, &SEALING_KEY), (config.index_key, &INDEX_KEY)] {
            let path = dir.join(kept.name);
            if given.is_none() && !path.exists() {
                return Err(KeysError::Lost { path, remedy: kept.remedy });
            }
        }
        Ok(())
    }

    /// The secret that signs access tokens, at least 32 bytes; none where an identity provider makes them.
    pub const fn token_secret(&self) -> Option<&Secret> {
        self.token_secret.as_ref()
    }
}

impl KeySource for FileKeys {
    fn sealing_keys(&self) -> Vec<SealingKey> {
        self.sealing_keys.iter().map(name_key).collect()
    }

    fn index_key(&self) -> [u8; 32] {
        *self.index_key.expose()
    }
}

/// The sealing keys as they are now, the first one first; nothing is made. For a process that met a value of a key that it does
/// not know.
///
/// # Errors
/// When a file is damaged, open to everyone, or cannot be read.
pub fn read_sealing_keys(dir: &Path, config: &KeysConfig) -> Result<Vec<SealingKey>, KeysError> {
    // The next one first: it may take the place of the other at any moment.
    let next = read_next_key(dir, config)?;
    let present = match config.sealing_key {
        Some(key) => key,
        None => read_file(dir, &SEALING_KEY)?.1,
    };
    let keys = [Some(present), config.previous_sealing_key, next];
    Ok(keys.iter().flatten().map(name_key).collect())
}

/// The file of the sealing key that comes next, in the data folder.
pub fn next_key_path(dir: &Path) -> PathBuf {
    dir.join(NEXT_SEALING_KEY.name)
}

/// Takes the sealing key that comes next from its file, which is made if it is missing.
///
/// # Errors
/// When the file is damaged, open to everyone, or cannot be read or made.
pub fn make_next_key(dir: &Path, chance: &dyn Chance) -> Result<SealingKey, KeysError> {
    open_file(dir, &NEXT_SEALING_KEY, chance).map(|(_, key)| name_key(&key))
}

/// Puts the sealing key that comes next in the place of the present one, in one step. The present one is gone then.
///
/// # Errors
/// When the files cannot be changed.
pub fn retire_sealing_key(dir: &Path) -> Result<(), KeysError> {
    let (next, path) = (next_key_path(dir), dir.join(SEALING_KEY.name));
    let replaced = fs::rename(next, &path).and_then(|()| sync_folder(dir));
    replaced.map_err(|source| KeysError::Unwritable { path, source })
}

/// The sealing key that comes next, where it is in the data folder. Keys of the configuration are replaced there.
fn read_next_key(dir: &Path, config: &KeysConfig) -> Result<Option<Key>, KeysError> {
    if config.sealing_key.is_some() || !next_key_path(dir).exists() {
        return Ok(None);
    }
    match read_file(dir, &NEXT_SEALING_KEY) {
        Ok((_, key)) => Ok(Some(key)),
        // It took the other's place meanwhile.
        Err(KeysError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn name_key(key: &Key) -> SealingKey {
    SealingKey { id: key_id(key), key: *key.expose() }
}

/// The secret that signs access tokens, alone: all that a command needs that only makes tokens. Found and made like the rest.
///
/// # Errors
/// When the file is damaged, open to everyone, or cannot be read or made.
pub fn open_token_secret(dir: &Path, auth: &AuthConfig, chance: &dyn Chance) -> Result<Secret, KeysError> {
    match auth.keys.given_secret() {
        Some(secret) => Ok(secret.clone()),
        None => open_file(dir, &TOKEN_SECRET, chance).map(|(text, _)| text),
    }
}

/// Names a key by the first 8 hexadecimal digits of its SHA-256.
fn key_id(key: &Key) -> String {
    let hash = digest::digest(&digest::SHA256, key.expose());
    hash.as_ref().iter().take(KEY_ID_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a file, which is made first where it is missing: its text, and the bytes that the text stands for.
fn open_file(dir: &Path, kept: &Kept, chance: &dyn Chance) -> Result<(Secret, Key), KeysError> {
    let path = dir.join(kept.name);
    if let Err(error) = File::open(&path)
        && error.kind() == io::ErrorKind::NotFound
    {
        make_file(dir, &path, chance)?;
    }
    // Read even what this process just wrote: another one may have been first.
    read_file(dir, kept)
}

fn read_file(dir: &Path, kept: &Kept) -> Result<(Secret, Key), KeysError> {
    let path = &dir.join(kept.name);
    let unreadable = |source| KeysError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    check_permissions(path, &file).map_err(unreadable)??;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    parse(&bytes).ok_or_else(|| KeysError::Damaged { path: path.to_owned(), remedy: kept.remedy })
}

fn parse(bytes: &[u8]) -> Option<(Secret, Key)> {
    let text = str::from_utf8(bytes).ok()?.trim_end();
    let key: [u8; KEY_LENGTH] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some((Secret::new(text), Key::new(key)))
}

/// Makes the file in one step, with all of its content, unless there is one by then. It is written under another name and then
/// linked, since a link never replaces a file as a rename does.
fn make_file(dir: &Path, path: &Path, chance: &dyn Chance) -> Result<(), KeysError> {
    make_folder(dir).map_err(|source| KeysError::Folder { path: dir.to_owned(), source })?;
    let mut random = [0; 8];
    chance.fill(&mut random);
    let name = format!("new-key.{}-{:016x}.tmp", process::id(), u64::from_be_bytes(random));
    let draft = dir.join(name);
    let made = write_draft(&draft, chance).and_then(|()| link_new(&draft, path));
    // A draft that stays is of no use to anyone, and its name is never taken again.
    let removed = fs::remove_file(&draft);
    made.and(removed)
        .and_then(|()| sync_folder(dir))
        .map_err(|source| KeysError::Unwritable { path: path.to_owned(), source })
}

fn write_draft(draft: &Path, chance: &dyn Chance) -> io::Result<()> {
    let mut key = [0; KEY_LENGTH];
    chance.fill(&mut key);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    writeln!(file, "{}", STANDARD.encode(key))?;
    file.sync_all()
}

fn link_new(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

/// Makes the data folder, for its owner alone: the database in it holds contact data.
fn make_folder(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Brings the folder's entries to the disk, so that a key outlives a power cut if what it sealed does.
#[cfg(unix)]
fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Refuses a file that everyone may read or write. One that its group may read passes with a warning: volumes of container
/// platforms are handed over that way (Kubernetes' `fsGroup` adds the group's bits at each mount).
#[cfg(unix)]
fn check_permissions(path: &Path, file: &File) -> io::Result<Result<(), KeysError>> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        return Ok(Err(KeysError::Exposed { path: path.to_owned(), mode }));
    }
    if mode & 0o070 != 0 {
        let path = path.display();
        tracing::warn!(file = %path, "{path} is open to its group (mode {mode:04o}); `chmod 600 {path}` closes it");
    }
    Ok(Ok(()))
}

#[cfg(not(unix))]
fn check_permissions(_: &Path, _: &File) -> io::Result<Result<(), KeysError>> {
    Ok(Ok(()))
}
