//! What an address of a repository tells: a name, and the address without its secrets.

/// The last part of an address's path, without `.git`.
pub(crate) fn name(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => path,
    };
    let path = path.trim_end_matches(['/', '\\']);
    let last = path.rsplit(['/', '\\', ':']).next().unwrap_or(path);
    // A clone of a working repository is named after the directory around `.git`.
    let last = match last {
        ".git" => {
            path.trim_end_matches(".git").trim_end_matches(['/', '\\']).rsplit(['/', '\\', ':']).next()?
        }
        last => last.strip_suffix(".git").unwrap_or(last),
    };
    let fits = !last.is_empty() && last != "." && last != ".." && !last.contains(char::is_control);
    fits.then(|| last.to_owned())
}

/// The address without user names of web addresses, passwords and queries; `None` when a secret may hide in
/// what is left.
pub(crate) fn without_credentials(url: &str) -> Option<String> {
    if url.contains(char::is_control) {
        return None;
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        // `user@host:path` has no place for a password, and a path has none for a user.
        return match url.split_once('@') {
            Some((user, _)) if user.contains(':') => None,
            _ => Some(url.to_owned()),
        };
    };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    // A password with an unescaped `/` in it would leave its head here as a port.
    let port = host.rsplit_once(']').map_or(host, |(_, after)| after).rsplit_once(':');
    if port.is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    // Over SSH the user is part of the address (`git@`); elsewhere it may be a token.
    let user = match user.map(|user| user.split(':').next().unwrap_or(user)) {
        Some(user) if scheme.to_ascii_lowercase().contains("ssh") => format!("{user}@"),
        _ => String::new(),
    };
    Some(format!("{scheme}://{user}{host}{path}"))
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(url: &str, name: Option<&str>, clean: Option<&str>) {
        assert_eq!(super::name(url).as_deref(), name, "{url}");
        assert_eq!(super::without_credentials(url).as_deref(), clean, "{url}");
    }

    #[test]
    fn names_and_clean_addresses() {
        let https = Some("https://host.example/org/redis.git");
        check("https://host.example/org/redis.git", Some("redis"), https);
        check("https://token@host.example/org/redis.git", Some("redis"), https);
        check("https://u:p@host.example/org/redis.git", Some("redis"), https);
        check("https://u:p@ss@host.example/org/redis.git?private_token=x", Some("redis"), https);
        check("https://host.example:8443/r/", Some("r"), Some("https://host.example:8443/r/"));
        check("https://u:p/w@host.example/org/redis.git", Some("redis"), None);
        check("git@host.example:org/redis.git", Some("redis"), Some("git@host.example:org/redis.git"));
        check("host.example:redis", Some("redis"), Some("host.example:redis"));
        check(
            "ssh://git:pw@host.example:22/~/redis",
            Some("redis"),
            Some("ssh://git@host.example:22/~/redis"),
        );
        check("u:p@host.example:org/redis", Some("redis"), None);
        check("/srv/git/redis.git/", Some("redis"), Some("/srv/git/redis.git/"));
        check("/srv/git/redis/.git", Some("redis"), Some("/srv/git/redis/.git"));
        check(r"C:\git\redis.git", Some("redis"), Some(r"C:\git\redis.git"));
        check("file:///srv/redis", Some("redis"), Some("file:///srv/redis"));
        check("https://[::1]:80/x", Some("x"), Some("https://[::1]:80/x"));
        check("https://host.example", None, Some("https://host.example"));
        check("..", None, Some(".."));
    }
}
