//! How is a note sealed for one browser? RFC 8291: only the browser can open it, not the push
//! service that carries it (R-PHONE-2).

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// Bytes of a public key: a point of P-256, uncompressed.
pub(super) const PUBLIC_KEY: usize = 65;
/// Bytes of the secret that only the browser shares.
pub(super) const AUTH: usize = 16;
const SALT: usize = 16;
const CONTENT_KEY: usize = 16;
/// The size of the only record; a push service takes no more.
const RECORD_SIZE: u32 = 4_096;
/// What follows the text of the last record.
const END: u8 = 2;

/// The note cannot be sealed: the browser's key is none, or the machine gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotSealed;

/// How many bytes are wanted of a derived key.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(
    salt: &[u8],
    secret: &[u8],
    info: &[&[u8]],
) -> Result<[u8; N], NotSealed> {
    let mut key = [0; N];
    let pseudo = Salt::new(HKDF_SHA256, salt).extract(secret);
    let material = pseudo.expand(info, Length(N)).map_err(|_| NotSealed)?;
    material.fill(&mut key).map_err(|_| NotSealed)?;
    Ok(key)
}

/// The body of a push for the browser with these keys.
pub(super) fn seal(
    browser: &[u8; PUBLIC_KEY],
    auth: &[u8; AUTH],
    text: &[u8],
) -> Result<Vec<u8>, NotSealed> {
    let random = SystemRandom::new();
    let mut salt = [0; SALT];
    random.fill(&mut salt).map_err(|_| NotSealed)?;
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random).map_err(|_| NotSealed)?;
    let own_public = own.compute_public_key().map_err(|_| NotSealed)?;
    let own_public: [u8; PUBLIC_KEY] = own_public.as_ref().try_into().map_err(|_| NotSealed)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, browser);
    agree_ephemeral(own, &theirs, |shared| {
        seal_with(shared, browser, &own_public, auth, &salt, text)
    })
    .map_err(|_| NotSealed)?
}

/// The same, with what is drawn at random already drawn.
fn seal_with(
    shared: &[u8],
    browser: &[u8; PUBLIC_KEY],
    own_public: &[u8; PUBLIC_KEY],
    auth: &[u8; AUTH],
    salt: &[u8; SALT],
    text: &[u8],
) -> Result<Vec<u8>, NotSealed> {
    let input: [u8; 32] = derive(auth, shared, &[b"WebPush: info\0", browser, own_public])?;
    let key: [u8; CONTENT_KEY] = derive(salt, &input, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; NONCE_LEN] = derive(salt, &input, &[b"Content-Encoding: nonce\0"])?;
    let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| NotSealed)?;
    let mut sealed = text.to_vec();
    sealed.push(END);
    LessSafeKey::new(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )
        .map_err(|_| NotSealed)?;
    let length = u8::try_from(PUBLIC_KEY).map_err(|_| NotSealed)?;
    let head = [&salt[..], &RECORD_SIZE.to_be_bytes(), &[length], own_public];
    Ok([head.concat(), sealed].concat())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_example_of_the_standard_comes_out_byte_by_byte() {
        // RFC 8291, section 5 and appendix A.
        let body = seal_with(
            &bytes::<32>("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            &bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ),
            &bytes(
                "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
            ),
            &bytes("BTBZMqHH6r4Tts7J_aSIgg"),
            &bytes("DGv6ra1nlYgDCS1FRnbzlw"),
            b"When I grow up, I want to be a watermelon",
        )
        .unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWA\
             mS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn no_note_is_sealed_alike_and_a_key_that_is_no_point_is_refused() {
        let browser = bytes(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        );
        let sealed = |_| seal(&browser, &[1; AUTH], b"a").unwrap();
        assert_ne!(sealed(1), sealed(2));
        assert_eq!(sealed(1).len(), 16 + 4 + 1 + 65 + 1 + 1 + 16);
        assert_eq!(seal(&[4; PUBLIC_KEY], &[1; AUTH], b"a"), Err(NotSealed));
    }
}
