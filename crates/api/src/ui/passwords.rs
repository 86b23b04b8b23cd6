//! Passwords: hashed and compared with Argon2id, on threads that may be busy, and never so many at
//! once that they eat the machine (R-SEC).

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::http::StatusCode;
use domain::model::user::PasswordHash;
use tokio::sync::Semaphore;

use crate::error::{ApiError, ErrorCode};

/// Memory of one hash in KiB, passes, lanes: OWASP's first choice of 2026 for Argon2id.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes made at once: 19 MiB each.
const AT_ONCE: usize = 2;
/// Requests that are hashed or wait for it; more are told to come again.
const QUEUE: usize = 32;
/// The hash that a password is compared with where there is no user: the answer takes as long, and
/// never fits. Of the parameters above.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IG5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and compares. Cheap to clone.
#[derive(Clone)]
pub(super) struct Passwords {
    running: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(QUEUE)),
        }
    }
}

impl Passwords {
    /// What is to be kept of this password.
    pub(super) async fn hash(&self, password: &str) -> Result<PasswordHash, ApiError> {
        let password = password.to_owned();
        let hash = self
            .busy(move || {
                let hash = argon2()?.hash_password(password.as_bytes());
                hash.map(|it| it.to_string()).map_err(|it| it.to_string())
            })
            .await??;
        Ok(PasswordHash::new(hash))
    }

    /// Whether this is the password. Takes as long where there is none to compare with.
    pub(super) async fn fits(
        &self,
        password: &str,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, ApiError> {
        let is_known = hash.is_some();
        let password = password.to_owned();
        let hash = hash.map_or(NOBODY, PasswordHash::expose).to_owned();
        let fits = self
            .busy(move || {
                let fits = argon2()?.verify_password(password.as_bytes(), hash.as_str());
                Ok(fits.is_ok())
            })
            .await??;
        Ok(fits && is_known)
    }

    /// Runs heavy work on a thread of its own, at its turn.
    async fn busy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<Result<T, ApiError>, ApiError> {
        let Ok(_seat) = self.queue.try_acquire() else {
            return Err(ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                ErrorCode::RateLimited,
                "Too many people sign in at this moment; try again",
            )
            .retry_after(2));
        };
        let running = Arc::clone(&self.running);
        let closed = |_| ApiError::internal("passwords are not hashed any more");
        let turn = running.acquire_owned().await.map_err(closed)?;
        let task = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also where the request goes away meanwhile.
            let _turn = turn;
            work()
        });
        let broke = |_| ApiError::internal("hashing a password broke");
        let done = task.await.map_err(broke)?;
        Ok(done.map_err(|why| ApiError::internal(&why)))
    }
}

fn argon2() -> Result<Argon2<'static>, String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|it| it.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(passwords.fits("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.fits("correct horsf", Some(&hash)).await.unwrap());
        assert!(!passwords.fits("correct horse", None).await.unwrap());
        assert_ne!(passwords.hash("correct horse").await.unwrap(), hash);
    }

    #[test]
    fn the_hash_of_nobody_is_one_that_takes_the_whole_time() {
        let parsed = argon2::password_hash::phc::PasswordHash::new(NOBODY).unwrap();
        assert_eq!(Params::try_from(&parsed).unwrap().m_cost(), MEMORY_KIB);
        assert_eq!(parsed.hash.unwrap().len(), 32);
    }

    #[tokio::test]
    async fn more_than_the_queue_holds_are_told_to_come_again() {
        let passwords = Passwords::default();
        let _all = passwords.queue.try_acquire_many(32).unwrap();
        let refused = passwords.hash("correct horse").await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}
