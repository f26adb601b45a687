//! The proxies that are trusted to say on whose behalf they call.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The most addresses of a header that are looked at, from its end.
const HOPS_LIMIT: usize = 32;

/// The networks of the proxies that are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Reads networks, separated by commas: `10.0.0.0/8`, or an address alone.
    ///
    /// # Errors
    /// The first that is none.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let named = text.split(',').map(str::trim).filter(|network| !network.is_empty());
        let network = |text: &str| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address.or_else(|_| text.parse()).with_context(|| {
                format!("trusted_proxies names networks as 10.0.0.0/8, not as {text}")
            })
        };
        Ok(Self(named.map(network).collect::<anyhow::Result<_>>()?))
    }

    /// Whether an address is that of a proxy.
    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether this peer sends an `X-Forwarded-For` that is ignored, since the peer is not trusted.
    pub(crate) fn ignore(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED_FOR) && !self.trust(peer)
    }

    /// On whose behalf this peer calls: the right-most address of `X-Forwarded-For` that is no
    /// trusted proxy's, if the peer is one. What stands left of it, anybody can have written.
    pub(crate) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trust(peer) {
            return peer;
        }
        let values = headers.get_all(FORWARDED_FOR).iter();
        let lists: Vec<&str> = values.map(|value| value.to_str().unwrap_or_default()).collect();
        let hops = lists.iter().rev().flat_map(|list| list.rsplit(','));
        let mut last = peer;
        for hop in hops.take(HOPS_LIMIT) {
            // What is no address was not written by a proxy.
            let Some(address) = address(hop.trim()) else { return last };
            if !self.trust(address) {
                return address;
            }
            last = address;
        }
        last
    }
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    Some(bare.parse::<IpAddr>().or_else(|_| with_port()).ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_header("10.0.0.1", &[], "10.0.0.1")]
    #[case::one("10.0.0.1", &["192.0.2.7"], "192.0.2.7")]
    #[case::forged("10.0.0.1", &["203.0.113.9, 192.0.2.7"], "192.0.2.7")]
    #[case::two_proxies("10.0.0.1", &["203.0.113.9, 192.0.2.7, 10.9.9.9"], "192.0.2.7")]
    #[case::two_headers("10.0.0.1", &["203.0.113.9", "192.0.2.7"], "192.0.2.7")]
    #[case::proxies_alone("10.0.0.1", &["10.0.0.3,10.0.0.2"], "10.0.0.3")]
    #[case::no_address("10.0.0.1", &["192.0.2.7, unknown, 10.0.0.2"], "10.0.0.2")]
    #[case::empty("10.0.0.1", &[""], "10.0.0.1")]
    #[case::port("10.0.0.1", &["192.0.2.7:4711"], "192.0.2.7")]
    #[case::six("::1", &["[2001:db8::1]:4711"], "2001:db8::1")]
    #[case::six_alone("::1", &["[2001:db8::1]"], "2001:db8::1")]
    #[case::mapped("::ffff:10.0.0.1", &["::ffff:192.0.2.7"], "192.0.2.7")]
    #[case::not_trusted("192.0.2.1", &["203.0.113.9"], "192.0.2.1")]
    fn who_calls(#[case] peer: &str, #[case] forwarded: &[&'static str], #[case] caller: &str) {
        let proxies = Proxies::parse("10.0.0.0/8, ::1").unwrap();
        let pairs = forwarded.iter().map(|list| (FORWARDED_FOR, HeaderValue::from_static(list)));
        let headers = pairs.collect();
        let caller: IpAddr = caller.parse().unwrap();
        assert_eq!(proxies.caller(peer.parse().unwrap(), &headers), caller);
    }

    #[test]
    fn nobody_is_trusted_unless_named() {
        let headers =
            [(FORWARDED_FOR, HeaderValue::from_static("192.0.2.7"))].into_iter().collect();
        let peer: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(Proxies::default().caller(peer, &headers), peer);
        assert!(Proxies::default().ignore(peer, &headers));
        assert!(!Proxies::default().ignore(peer, &HeaderMap::new()));
        assert!(!Proxies::parse("127.0.0.0/8").unwrap().ignore(peer, &headers));
    }

    #[rstest]
    #[case("10.0.0.0/33")]
    #[case("proxy.example")]
    #[case("10.0.0.1, 10.0.0")]
    fn what_is_no_network_is_refused(#[case] text: &str) {
        assert!(Proxies::parse(text).is_err());
    }
}
