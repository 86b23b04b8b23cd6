//! How do secrets lie in the database? Sealed with a key that is not in it (R-SEC): whoever gets
//! the file or a copy of it cannot sign in our name.
//!
//! AES-256-GCM with a random nonce in front, and with the owner of the secret as associated data, so
//! that a sealed secret cannot be moved to another row.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

/// Bytes of a key.
const KEY_LEN: usize = 32;

/// The key that secrets are sealed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretKey([u8; KEY_LEN]);

/// There is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key file {path} cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the key file {0} does not hold 64 hexadecimal digits")]
    NoKey(PathBuf),
    /// The machine gives no random numbers.
    #[error("no random numbers for a key")]
    NoRandom,
}

/// A secret cannot be sealed or opened: the key is another one, or the row was changed.
#[derive(Debug, Clone, Copy, Error)]
#[error("a secret cannot be opened with this key")]
pub(crate) struct Sealed;

impl SecretKey {
    /// The key in this text of 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 2 * KEY_LEN {
            return None;
        }
        let mut key = [0; KEY_LEN];
        if !text.bytes().all(|it| it.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, at) in key.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(key))
    }

    /// The key in the file beside this database (`tandem.db.key`), made at first use for its owner
    /// alone. A copy of the database is of use only with it.
    pub fn beside(database: &Path) -> Result<Self, KeyError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".key");
        let path = PathBuf::from(path);
        let failed = |source| KeyError::File {
            path: path.clone(),
            source,
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::from_hex(&text).ok_or(KeyError::NoKey(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(&path).map_err(failed)?;
                // Another process may have made it first.
                let text = std::fs::read_to_string(&path).map_err(failed)?;
                Self::from_hex(&text).ok_or(KeyError::NoKey(path))
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// Makes a key file whole or not at all, unless there is one.
fn make(path: &Path) -> io::Result<()> {
    let mut key = [0; KEY_LEN + 8];
    let no_random = |_| io::Error::other("no random numbers");
    SystemRandom::new().fill(&mut key).map_err(no_random)?;
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |text, byte| {
            let digit = |it: u8| char::from_digit(it.into(), 16).unwrap_or('0');
            text + &String::from_iter([digit(byte >> 4), digit(byte & 15)])
        })
    };
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", hex(&key[KEY_LEN..])));
    let draft = PathBuf::from(draft);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let written = writeln!(file, "{}", hex(&key[..KEY_LEN])).and_then(|()| file.sync_all());
    // A link, since it does not take the place of a file that another process made meanwhile.
    let linked = written.and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    });
    std::fs::remove_file(&draft)?;
    linked
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// Seals and opens.
#[derive(Debug)]
pub(crate) struct Seal {
    key: LessSafeKey,
    print: hmac::Key,
    random: SystemRandom,
}

impl Seal {
    /// The seal of this key.
    pub(crate) fn new(key: SecretKey) -> Result<Self, KeyError> {
        // A key of its own for each use of the one that is kept.
        let whole = hmac::Key::new(hmac::HMAC_SHA256, &key.0);
        let print = hmac::sign(&whole, b"fingerprint");
        let key = UnboundKey::new(&AES_256_GCM, &key.0).map_err(|_| KeyError::NoRandom)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            print: hmac::Key::new(hmac::HMAC_SHA256, print.as_ref()),
            random: SystemRandom::new(),
        })
    }

    /// What stands for a text that must be known again and not be read (HMAC-SHA-256): without the
    /// key nobody can find out by trying which text it is.
    pub(crate) fn fingerprint(&self, text: &str) -> [u8; 32] {
        let mut print = [0; 32];
        print.copy_from_slice(hmac::sign(&self.print, text.as_bytes()).as_ref());
        print
    }

    /// Seals a secret of this owner.
    pub(crate) fn seal(&self, owner: &str, secret: &str) -> Result<Vec<u8>, Sealed> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| Sealed)?;
        let mut sealed = secret.as_bytes().to_vec();
        let place = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(place, Aad::from(owner.as_bytes()), &mut sealed)
            .map_err(|_| Sealed)?;
        Ok([&nonce, sealed.as_slice()].concat())
    }

    /// Opens a secret of this owner.
    pub(crate) fn open(&self, owner: &str, sealed: &[u8]) -> Result<String, Sealed> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Sealed)?;
        let mut sealed = sealed.to_vec();
        let place = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .key
            .open_in_place(place, Aad::from(owner.as_bytes()), &mut sealed)
            .map_err(|_| Sealed)?;
        String::from_utf8(opened.to_vec()).map_err(|_| Sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(byte: &str) -> Seal {
        Seal::new(SecretKey::from_hex(&byte.repeat(32)).unwrap()).unwrap()
    }

    #[test]
    fn a_secret_is_opened_by_its_key_for_its_owner_only() {
        let sealed = seal("0a").seal("webhook 1", "whsec_abc").unwrap();
        assert_eq!(seal("0a").open("webhook 1", &sealed).unwrap(), "whsec_abc");
        assert!(seal("0b").open("webhook 1", &sealed).is_err());
        assert!(seal("0a").open("webhook 2", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal("0a").open("webhook 1", &changed).is_err(), "{at}");
            assert!(seal("0a").open("webhook 1", &sealed[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike_and_does_not_show() {
        let sealed = |_| seal("0a").seal("webhook 1", "whsec_abc").unwrap();
        assert_ne!(sealed(1), sealed(2));
        assert!(!sealed(1).windows(5).any(|it| it == b"whsec"));
    }

    #[test]
    fn a_fingerprint_is_the_same_for_the_same_text_and_key_only() {
        let print = |byte, text| seal(byte).fingerprint(text);
        assert_eq!(
            print("0a", "1 p:+40712345678"),
            print("0a", "1 p:+40712345678")
        );
        assert_ne!(
            print("0a", "1 p:+40712345678"),
            print("0a", "2 p:+40712345678")
        );
        assert_ne!(
            print("0a", "1 p:+40712345678"),
            print("0b", "1 p:+40712345678")
        );
    }

    #[test]
    fn the_key_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let made = SecretKey::beside(&database).unwrap();
        assert_eq!(SecretKey::beside(&database).unwrap(), made);
        let file = folder.path().join("a.db.key");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(&file, "something else").unwrap();
        assert!(matches!(
            SecretKey::beside(&database),
            Err(KeyError::NoKey(_))
        ));
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_key() {
        assert!(SecretKey::from_hex(&format!("{}\n", "aF".repeat(32))).is_some());
        for wrong in [
            "",
            &"a".repeat(63),
            &"g".repeat(64),
            &"+a".repeat(32),
            &"é".repeat(32),
        ] {
            assert_eq!(SecretKey::from_hex(wrong), None, "{wrong}");
        }
    }
}
