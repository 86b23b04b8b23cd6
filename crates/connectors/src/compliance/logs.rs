//! What a connector must not let be seen: credentials, and what people write.

use std::io;
use std::sync::Arc;

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
        for secret in secrets.unwrap_or_default() {
            assert!(!log.contains(&secret), "a credential was logged");
            assert!(!debug.contains(&secret), "a credential is in the Debug");
        }
        assert!(!log.contains(TEXT), "message text was logged");
        let word = TEXT.split(' ').next().unwrap_or(TEXT);
        assert!(!log.contains(word), "a part of a message was logged");
    }
}
