//! How often someone tried to sign in.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

use miniature_api::UserId;
use moka::sync::Cache;

use crate::{ApiError, config::Config, limits::Limits};

/// From this many remembered names or addresses on, those that may try again anyway are forgotten.
const MANY: usize = 10_000;

/// How many times as often one name may be tried from all addresses together as from one: enough
/// that nobody is locked out by a few strangers, too few to guess a password from many machines.
const ADDRESSES_A_NAME: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Counts tries. Each instance counts for itself.
#[derive(Debug)]
pub(super) struct Tries {
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    by_both: DefaultKeyedRateLimiter<(IpAddr, String)>,
    by_name: DefaultKeyedRateLimiter<String>,
    /// Who signed in from where lately. Strangers do not lock them out there.
    at_home: Cache<(IpAddr, String), ()>,
}

impl Tries {
    pub(super) fn new(config: &Config) -> Self {
        let limits = Limits::default();
        let a_name = config.sign_ins_per_name.saturating_mul(ADDRESSES_A_NAME);
        Self {
            by_address: RateLimiter::keyed(Quota::per_minute(config.sign_ins_per_address)),
            by_both: RateLimiter::keyed(Quota::per_minute(config.sign_ins_per_name)),
            by_name: RateLimiter::keyed(Quota::per_minute(a_name)),
            at_home: Cache::builder()
                .max_capacity(limits.sessions)
                .time_to_live(limits.session_lasts)
                .build(),
        }
    }

    /// Someone signed in from an address.
    pub(super) fn succeeded(&self, from: IpAddr, user: &UserId) {
        self.at_home.insert((network(from), user.to_string()), ());
    }

    /// Counts a try: from an address, for a name. What strangers try does not count against those who
    /// signed in as that name from there, or whose browser still has a session of that name.
    ///
    /// # Errors
    ///
    /// [`ApiError::TooManyTries`] with the time to wait.
    pub(super) fn count(
        &self,
        from: IpAddr,
        name: &str,
        session_of: Option<&UserId>,
    ) -> Result<(), ApiError> {
        self.forget_if_many();
        let from = network(from);
        let has_session = session_of.is_some_and(|user| user.as_str() == name);
        let known = has_session || self.at_home.contains_key(&(from, name.to_owned()));
        let name = name.chars().take(64).collect::<String>().to_lowercase();
        let tried = self.by_address.check_key(&from);
        let tried = tried.and_then(|()| self.by_both.check_key(&(from, name.clone())));
        let tried = tried.and_then(|()| if known { Ok(()) } else { self.by_name.check_key(&name) });
        tried.map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            ApiError::TooManyTries { retry_after_s: wait.as_secs() + 1 }
        })
    }

    fn forget_if_many(&self) {
        if self.by_address.len() > MANY {
            self.by_address.retain_recent();
        }
        if self.by_both.len() > MANY {
            self.by_both.retain_recent();
        }
        if self.by_name.len() > MANY {
            self.by_name.retain_recent();
        }
    }
}

/// What one home or machine has: an IPv4 address, however written, or 64 bits of IPv6.
///
/// # Source
///
/// RFC 6177: a site is given at least a /64 of its own.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use clap::Parser;

    use super::*;
    use crate::config::{Cli, Command};

    fn tries() -> Tries {
        let words = ["", "serve", "--sign-ins-per-name", "2", "--sign-ins-per-address", "3"];
        let Command::Serve(config) = Cli::parse_from(words).command else { unreachable!() };
        Tries::new(&config)
    }

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    #[test]
    fn an_address_is_limited_whatever_the_name() {
        let tries = tries();
        for name in ["a", "b", "c"] {
            assert!(tries.count(address(1), name, None).is_ok());
        }
        assert!(tries.count(address(1), "d", None).is_err());
        assert!(tries.count(address(2), "d", None).is_ok());
    }

    #[test]
    fn a_name_is_limited_from_one_address_and_from_all_together() {
        let tries = tries();
        assert!(tries.count(address(0), "ada", None).is_ok());
        assert!(tries.count(address(0), "ADA", None).is_ok());
        assert!(tries.count(address(0), "ada", None).is_err());
        let from_others =
            (1..=30).filter(|n| tries.count(address(*n), "ada", None).is_ok()).count();
        assert_eq!(from_others, 18, "20 a minute in all");
    }
}
