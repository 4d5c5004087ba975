//! Addresses as people may read them.

/// What of `url` everybody may read: whom it leads to. Who logs in there is left out, and so is what follows
/// the host, since addresses of webhooks are secrets; each is told by `…`. The text may be anything, and what
/// cannot be told apart from a secret is left out too.
///
/// `https://me:word@hooks.example/T1/x` is `https://…@hooks.example/…`.
pub fn public(url: &str) -> String {
    // Who reads addresses leaves these out, wherever they stand.
    let url: String = url.chars().filter(|c| !c.is_control()).collect();
    let url = url.trim();
    let start = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(start);
    let (host, path) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
    let host = match host.rfind('@') {
        Some(at) => format!("…{}", &host[at..]),
        // A password may have a slash in it that nobody escaped: then this is a part of it.
        None if path.contains('@') => return format!("{}…", public_scheme(scheme)),
        None => host.to_owned(),
    };
    let more = if path.len() > 1 { "/…" } else { "" };
    format!("{}{host}{more}", public_scheme(scheme))
}

/// A scheme with its `://`, where it is one.
fn public_scheme(scheme: &str) -> &str {
    let word = scheme.strip_suffix("://").unwrap_or_default();
    let is_scheme = word.len() <= 16 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    if is_scheme { scheme } else { "…://" }
}

#[cfg(test)]
mod tests {
    use super::public;

    #[test]
    fn what_may_be_a_secret_is_left_out() {
        for (url, expected) in [
            ("https://hooks.example/T1/secret", "https://hooks.example/…"),
            ("https://hooks.example?token=1", "https://hooks.example/…"),
            ("https://me:word@hooks.example/x", "https://…@hooks.example/…"),
            ("https://me:w@rd@hooks.example:9093", "https://…@hooks.example:9093"),
            ("https://token@hooks.example", "https://…@hooks.example"),
            ("http://127.0.0.1:9093", "http://127.0.0.1:9093"),
            ("http://127.0.0.1:9093/", "http://127.0.0.1:9093"),
            ("http://[::1]:9093/", "http://[::1]:9093"),
            // None of these is an address.
            ("https://me:wo/rd@hooks.example/x", "https://…"),
            ("https://me:wo\\rd@hooks.example", "https://…"),
            ("https://me:wo#rd@hooks.example", "https://…"),
            ("https:/me:word@hooks.example", "…"),
            ("me:word@hooks.example:9093/x", "…@hooks.example:9093/…"),
            ("ht\ntps://me:wo\trd@hooks.example:x", "https://…@hooks.example:x"),
            ("me:word@x/y://z", "…://z"),
            ("nonsense", "nonsense"),
            ("", ""),
        ] {
            assert_eq!(public(url), expected, "{url}");
        }
    }
}
