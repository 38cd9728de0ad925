//! What happens in the cache, for those who only listen.
