//! Who is asking, by address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

use crate::sign_in::SignIn;

/// The address of whoever asks. Without a socket, as in tests: this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(pub(crate) IpAddr);

impl<S> FromRequestParts<S> for Address
where
    S: Send + Sync,
    SignIn: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.0.ip());
        let proxies = SignIn::from_ref(state).proxies();
        Ok(Self(behind_proxies(&parts.headers, proxies).unwrap_or(peer)))
    }
}

/// The address that the outermost of our proxies saw. What stands before it in the header, anyone
/// can have written.
fn behind_proxies(headers: &HeaderMap, proxies: u8) -> Option<IpAddr> {
    let nth_last = usize::from(proxies).checked_sub(1)?;
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let addresses = lines.flat_map(|line| line.split(',')).map(str::trim).collect::<Vec<_>>();
    address(addresses.iter().rev().nth(nth_last)?)
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:5117`, `2001:db8::1`,
/// `[2001:db8::1]` or `[2001:db8::1]:443`.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse().ok().or_else(with_port).or_else(bare)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_proxies_wrote_is_believed() {
        let cases = [
            ("no proxy, yet a header", 0, "192.0.2.1", None),
            ("one proxy", 1, "192.0.2.1", Some("192.0.2.1")),
            ("one proxy, and a lie", 1, "10.0.0.1, 192.0.2.1", Some("192.0.2.1")),
            ("two proxies", 2, "10.0.0.1, 192.0.2.1, 10.0.0.9", Some("192.0.2.1")),
            ("one proxy, no header", 1, "", None),
            ("nonsense", 1, "unknown", None),
            ("IPv6", 1, "2001:db8::1", Some("2001:db8::1")),
            ("with a port", 1, "203.0.113.7:5117", Some("203.0.113.7")),
            ("IPv6 with a port", 1, "10.0.0.1, [2001:db8::1]:443", Some("2001:db8::1")),
            ("IPv6 in brackets", 1, "[2001:db8::1]", Some("2001:db8::1")),
            ("IPv4 as IPv6", 1, "[::ffff:203.0.113.7]:1", Some("203.0.113.7")),
            ("half a bracket", 1, "[2001:db8::1", None),
        ];
        for (name, proxies, line, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", line.parse().unwrap());
            let expected = expected.map(|address| address.parse::<IpAddr>().unwrap());
            assert_eq!(behind_proxies(&headers, proxies), expected, "{name}");
        }
    }
}
