//! What a connector must not let be seen: credentials, and what people write.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::provider::FirstWord;
use super::{Bench, TEXT};

/// Everything that was logged, at every level, on this thread: all of a test runs on one.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Logs into here until the guard is dropped.
    pub(crate) fn capture(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        tracing::trace!("the log is captured");
        guard
    }

    /// All of it; fails where nothing was captured.
    pub(crate) fn text(&self) -> String {
        let log = String::from_utf8_lossy(&self.0.lock()).into_owned();
        assert!(log.contains("the log is captured"), "nothing was captured");
        log
    }

    pub(super) fn holds_nothing_of(&self, bench: &dyn Bench) {
        let log = self.text();
        let debug = bench.debug();
        let secrets = bench.secrets().it();
        let has_login = !matches!(bench.first_word(), FirstWord::Never(_));
        assert_eq!(secrets.is_some(), has_login, "who logs in has credentials");
        let secrets = secrets.unwrap_or_default();
        for secret in secrets.iter().flat_map(|it| forms(it)) {
            assert!(!log.contains(&secret), "a credential was logged");
            assert!(!debug.contains(&secret), "a credential is in the Debug");
        }
        assert!(!log.contains(TEXT), "message text was logged");
        let word = TEXT.split(' ').next().unwrap_or(TEXT);
        assert!(!log.contains(word), "a part of a message was logged");
    }
}

/// A credential in each form in which it may travel: as it is, in a path, in a form, in Base64 (a
/// login of HTTP's Basic is a credential of its own: two together look unlike each alone).
fn forms(secret: &str) -> [String; 4] {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    [
        secret.to_owned(),
        form.replace('+', "%20"),
        form,
        STANDARD.encode(secret),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_known_in_the_forms_in_which_it_travels() {
        let forms = forms("tok 1:ä");
        for form in [
            "tok 1:ä",
            "tok%201%3A%C3%A4",
            "tok+1%3A%C3%A4",
            "dG9rIDE6w6Q=",
        ] {
            assert!(forms.iter().any(|it| it == form), "{form}: {forms:?}");
        }
    }
}
