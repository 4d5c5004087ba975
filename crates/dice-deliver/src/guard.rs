//! Which addresses may be connected to: a webhook's address is somebody's text.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names, and lets through only addresses that may be connected to. What it gives is what is
/// connected to, so that a name cannot mean one address when it is checked and another one afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Whether addresses of this machine and of private networks may be connected to. Those where clouds
    /// hand out credentials never are.
    pub is_private_allowed: bool,
}

/// An address that may not be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    host: String,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} leads into a network that is not allowed", self.host)
    }
}

impl std::error::Error for Forbidden {}

impl Guard {
    /// Whether the address may be connected to.
    pub fn allows(self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Public => true,
            Kind::Private => self.is_private_allowed,
            Kind::Never => false,
        }
    }

    /// Checks an address that is written as one: nobody resolves those.
    ///
    /// # Errors
    ///
    /// When it may not be connected to.
    pub fn check(self, url: &Url) -> Result<(), Forbidden> {
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !self.allows(address) => Err(Forbidden { host: host.to_owned() }),
            _ => Ok(()),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| guard.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Forbidden { host: name.as_str().to_owned() }.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Never,
}

/// What sort of address it is. Source: the registries of special-purpose addresses, RFC 6890.
fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        // Where clouds hand out credentials.
        [169, 254, 169, 254 | 253 | 123]
        | [169, 254, 170, 2 | 23]
        | [100, 100, 100, 200]
        | [168, 63, 129, 16]
        | [192, 0, 0, 192] => Kind::Never,
        [224..=255, ..] => Kind::Never,
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] | [198, 18 | 19, ..] => Kind::Private,
        [100, second, ..] if second & 0xC0 == 64 => Kind::Private,
        [172, second, ..] if second & 0xF0 == 16 => Kind::Private,
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Kind::Private,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    let first = address.segments()[0];
    let [.., seventh, eighth] = address.segments();
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        kind_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254 | 0x23] => Kind::Never,
        [0xFD20, 0xCE, 0, 0, 0, 0, 0, 0x254] => Kind::Never,
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Kind::Private,
        // An address of version 4 in clothes of version 6: mapped, compatible, translated, tunnelled.
        [0, 0, 0, 0, 0, 0 | 0xFFFF, ..] | [0, 0, 0, 0, 0xFFFF, 0, ..] | [0x64, 0xFF9B, 0, 0, 0, 0, ..] => {
            inner(seventh, eighth)
        }
        [0x2002, high, low, ..] => inner(high, low),
        [0x64, 0xFF9B, 1, ..] => Kind::Private,
        [0x2001, 0 | 0xDB8, ..] | [0x100, ..] => Kind::Private,
        _ if first & 0xFE00 == 0xFC00 || first & 0xFF80 == 0xFE80 => Kind::Private,
        _ if first & 0xFF00 == 0xFF00 => Kind::Never,
        // Only this much is given out as public.
        _ if first & 0xE000 == 0x2000 => Kind::Public,
        _ => Kind::Private,
    }
}

#[cfg(test)]
mod tests {
    use super::{Guard, Kind, kind};
    use reqwest::Url;

    #[track_caller]
    fn check(addresses: &[&str], expected: Kind) {
        for address in addresses {
            assert_eq!(kind(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn addresses_are_told_apart() {
        check(&["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"], Kind::Public);
        check(
            &["127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "100.64.0.1", "0.0.0.0"],
            Kind::Private,
        );
        check(&["169.254.1.1", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fd12::1"], Kind::Private);
        check(&["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1"], Kind::Private);
        check(&["2002:7f00:1::1", "2001:0:1::1", "2001:db8::1", "fec0::1", "5f00::1"], Kind::Private);
        check(
            &["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200"],
            Kind::Never,
        );
        check(&["168.63.129.16", "::ffff:168.63.129.16", "fd00:ec2::23", "fd20:ce::254"], Kind::Never);
        check(&["224.0.0.1", "255.255.255.255", "ff02::1"], Kind::Never);
    }

    #[test]
    fn an_address_is_known_in_every_spelling() {
        let guard = Guard { is_private_allowed: false };
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://127.0.0.1./",
            "http://1２7.0.0.1/",
        ] {
            assert!(guard.check(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
        assert!(guard.check(&Url::parse("https://example.org/").unwrap()).is_ok());
        assert!(Guard { is_private_allowed: true }.check(&Url::parse("http://127.0.0.1/").unwrap()).is_ok());
        let metadata = Url::parse("http://169.254.169.254/latest/").unwrap();
        assert!(Guard { is_private_allowed: true }.check(&metadata).is_err());
    }
}
