//! Who rings? RFC 8292 (VAPID): each request to a push service is signed with a key of our own, made
//! once, and a browser's subscription takes that key only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::time::{Millis, Timestamp};
use ports::store::users::{PushKey, UserChange};
use ports::store::{Op, Outcome};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use url::Url;

use engine::Engine;

use crate::error::ApiError;

/// How long a signature holds; 24 h is the most that is allowed.
const LASTS: Millis = Millis::hours(12);
/// Whom a push service may write to where there is no public URL; not a local name, which Apple refuses.
const NOBODY: &str = "mailto:nobody@example.com";

/// The key pair.
pub(super) struct Vapid(EcdsaKeyPair);

impl Vapid {
    /// The key that is kept; made now where there is none.
    pub(super) async fn load(engine: &Engine) -> Result<Self, ApiError> {
        let store = engine.store();
        if let Some(key) = store.push_key().await? {
            return Self::read(&key);
        }
        let pair =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let pair = pair.map_err(|_| ApiError::internal("no key for pushes could be made"))?;
        let fresh = PushKey {
            private: URL_SAFE_NO_PAD.encode(pair).into(),
        };
        let outcome = engine
            .apply(Op::User(Box::new(UserChange::PushKey(fresh))))
            .await?;
        let (Outcome::Done, Some(kept)) = (outcome, store.push_key().await?) else {
            return Err(ApiError::internal("the key of pushes was not kept"));
        };
        Self::read(&kept)
    }

    fn read(key: &PushKey) -> Result<Self, ApiError> {
        let broken = || ApiError::internal("the key of pushes cannot be read");
        let bytes = URL_SAFE_NO_PAD.decode(&*key.private);
        let bytes = bytes.map_err(|_| broken())?;
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &bytes,
            &SystemRandom::new(),
        );
        pair.map(Self).map_err(|_| broken())
    }

    /// The public key, as browsers want it.
    pub(super) fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key())
    }

    /// The header `Authorization` of a push to this endpoint. `public_url` is who we are.
    pub(super) fn authorization(
        &self,
        endpoint: &Url,
        public_url: &str,
        now: Timestamp,
    ) -> Option<String> {
        let subject = if public_url.starts_with("https://") {
            public_url
        } else {
            NOBODY
        };
        let claims = json!({
            "aud": endpoint.origin().ascii_serialization(),
            "exp": now.plus(LASTS).as_millis() / 1_000,
            "sub": subject,
        });
        let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Some(format!("vapid t={signed}.{signature}, k={}", self.public()))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    fn vapid() -> Vapid {
        let pair =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Vapid::read(&PushKey {
            private: URL_SAFE_NO_PAD.encode(pair.unwrap()).into(),
        })
        .unwrap()
    }

    fn claims(authorization: &str) -> Value {
        let token = authorization.strip_prefix("vapid t=").unwrap();
        let claims = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }

    #[test]
    fn a_push_is_signed_for_its_service_and_half_a_day() {
        let vapid = vapid();
        let endpoint = Url::parse("https://push.example:8443/a/b?c").unwrap();
        let now = Timestamp::from_millis(1_000_000);
        let header = vapid
            .authorization(&endpoint, "https://msg.example.com", now)
            .unwrap();
        let (token, key) = header
            .strip_prefix("vapid t=")
            .and_then(|it| it.split_once(", k="))
            .unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        assert_eq!(key.len(), 65);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
            .verify(
                signed.as_bytes(),
                &URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .unwrap();
        let want = json!({
            "aud": "https://push.example:8443", "exp": 44_200, "sub": "https://msg.example.com",
        });
        assert_eq!(claims(&header), want);
    }

    #[test]
    fn without_https_of_our_own_the_subject_is_no_local_name() {
        let endpoint = Url::parse("https://push.example/a").unwrap();
        let now = Timestamp::from_millis(0);
        let header = vapid()
            .authorization(&endpoint, "http://127.0.0.1:8080", now)
            .unwrap();
        assert_eq!(claims(&header)["sub"], NOBODY);
    }
}
