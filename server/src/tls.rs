//! One provider of cryptography for all who speak TLS.

/// Names the provider, once for the whole process. Whoever makes a client calls this first.
pub(crate) fn choose_provider() {
    // It fails only when one is chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
