//! Passwords, kept as argon2 hashes.

use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{self, phc::PasswordHash},
};

/// Looks like the hash of a password, and is that of none: what an unknown name is checked against,
/// so that it takes as long to refuse as a known one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw\
     $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The longest password, in bytes. Hashing takes time with length.
pub(super) const MAX_PASSWORD: usize = 1_024;

/// Hashes a password for the database, with a salt of its own. Keeps a core busy for some 20 ms.
///
/// # Errors
///
/// If the system gives no random bytes.
pub fn hash_password(password: &str) -> Result<String, password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

/// Keeps a core busy for some 20 ms, whether there is a hash or not.
pub(crate) fn is_right(password: &str, hash: Option<String>) -> bool {
    let known = hash.is_some();
    let hash = hash.as_deref().unwrap_or(NOBODY);
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let matches = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    known && matches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_or_not() {
        let hash = hash_password("miniature").unwrap();
        let cases = [
            ("right", "miniature", Some(hash.clone()), true),
            ("wrong", "Miniature", Some(hash), false),
            ("nobody's", "miniature", None, false),
            ("not a hash", "miniature", Some("miniature".to_owned()), false),
        ];
        for (name, password, hash, expected) in cases {
            assert_eq!(is_right(password, hash), expected, "{name}");
        }
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = hash_password("x").unwrap();
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert_eq!(nobody.algorithm, somebody.algorithm);
        assert_eq!(nobody.params, somebody.params);
    }
}
