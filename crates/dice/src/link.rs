//! Where a statement's code can be looked at in a browser.

use dice_catalog::{Entry, Repo};

/// The address of `entry`'s line at the indexed commit, for hosts whose addresses are known.
pub(crate) fn link(entry: &Entry, repos: &[Repo]) -> Option<String> {
    let mut same = repos.iter().filter(|repo| repo.name == entry.repo);
    let repo = same.next()?;
    // Of several revisions of one repository the entry does not tell which is its own.
    if same.any(|other| other.commit != repo.commit) {
        return None;
    }
    let commit = repo.commit.as_deref()?;
    let base = base(repo.url.as_deref()?)?;
    let host = base.split('/').next().unwrap_or_default();
    let line = entry.statement.line;
    let file = escaped(&entry.file);
    if host.contains("github") {
        Some(format!("https://{base}/blob/{commit}/{file}#L{line}"))
    } else if host.contains("gitlab") {
        Some(format!("https://{base}/-/blob/{commit}/{file}#L{line}"))
    } else {
        None
    }
}

/// `host/path` of a clone address, whatever its scheme.
fn base(url: &str) -> Option<String> {
    let url = url.strip_suffix('/').unwrap_or(url);
    let url = url.strip_suffix(".git").unwrap_or(url);
    let rest = match url.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => rest.to_owned(),
        Some(_) => return None,
        // The short form that ssh takes: `git@host:path`.
        None => url.split_once(':').map(|(host, path)| format!("{host}/{path}"))?,
    };
    let rest = rest.rsplit_once('@').map_or(rest.as_str(), |(_, rest)| rest);
    let (host, path) = rest.split_once('/')?;
    // The port is that of the clone, not of the pages.
    let host = host.split(':').next().unwrap_or_default();
    Some(format!("{host}/{path}"))
}

/// A path in which nothing but a path is left for a browser to understand.
fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' | b'+' => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{base, escaped};

    #[test]
    fn clone_addresses_of_every_form() {
        assert_eq!(base("https://github.com/a/b.git").as_deref(), Some("github.com/a/b"));
        assert_eq!(base("git@github.com:a/b.git").as_deref(), Some("github.com/a/b"));
        assert_eq!(base("ssh://git@gitlab.example/a/b/").as_deref(), Some("gitlab.example/a/b"));
        assert_eq!(base("ssh://git@github.com:22/a/b.git").as_deref(), Some("github.com/a/b"));
        assert_eq!(base("file:///srv/git/b"), None);
        assert_eq!(base("nothing"), None);
    }

    #[test]
    fn paths_are_only_paths() {
        assert_eq!(escaped("src/a b#c?.rs"), "src/a%20b%23c%3F.rs");
    }
}
