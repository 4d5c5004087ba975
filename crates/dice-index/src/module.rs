//! Module paths of Rust files, as log lines show them: `app::srv::tls`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The parts of a `Cargo.toml` that name crates.
#[derive(Debug, Deserialize)]
struct Manifest {
    package: Option<Package>,
    lib: Option<Target>,
    #[serde(default)]
    bin: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: Option<String>,
    path: Option<String>,
}

/// Every package of a tree, by directory (empty for the root).
#[derive(Debug, Default)]
pub(crate) struct Packages(BTreeMap<String, Crates>);

/// The crates of one package.
#[derive(Debug)]
struct Crates {
    /// What `src/**` belongs to.
    library: String,
    /// Crate roots, relative to the package, and their crates.
    roots: BTreeMap<String, String>,
}

impl Packages {
    /// Reads `manifests`: the directory and the text of each `Cargo.toml`. What does not parse or has no
    /// package is skipped.
    pub(crate) fn new(manifests: impl IntoIterator<Item = (String, Vec<u8>)>) -> Packages {
        let read = |(directory, text): (String, Vec<u8>)| {
            let manifest = toml::from_str(&String::from_utf8_lossy(&text)).ok()?;
            Some((directory, crates(manifest)?))
        };
        Packages(manifests.into_iter().filter_map(read).collect())
    }

    /// The module path of the Rust file at `path`; empty when no package tells.
    pub(crate) fn module(&self, path: &str) -> String {
        let mut directory = path;
        loop {
            directory = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
            if let Some(crates) = self.0.get(directory) {
                let inside = if directory.is_empty() { path } else { &path[directory.len() + 1..] };
                return crates.module(inside);
            }
            if directory.is_empty() {
                return String::new();
            }
        }
    }
}

fn crates(manifest: Manifest) -> Option<Crates> {
    let package = identifier(&manifest.package?.name);
    let mut roots = BTreeMap::new();
    // The roots that Cargo finds by itself; what the manifest says comes after and wins.
    roots.insert("src/main.rs".to_owned(), package.clone());
    roots.insert("build.rs".to_owned(), "build_script_build".to_owned());
    for bin in manifest.bin {
        let Some(name) = bin.name else { continue };
        if let Some(path) = bin.path {
            roots.insert(normal(&path), identifier(&name));
        }
    }
    let lib = manifest.lib.unwrap_or(Target { name: None, path: None });
    let library = lib.name.map_or(package, |name| identifier(&name));
    roots.insert(normal(lib.path.as_deref().unwrap_or("src/lib.rs")), library.clone());
    Some(Crates { library, roots })
}

impl Crates {
    /// The module path of a file, whose path is relative to the package.
    fn module(&self, path: &str) -> String {
        if let Some(name) = self.roots.get(path) {
            return name.clone();
        }
        let Some(stem) = path.strip_suffix(".rs") else { return String::new() };
        for directory in ["src/bin/", "tests/", "examples/", "benches/"] {
            if let Some(inside) = stem.strip_prefix(directory) {
                // A file is a crate; so is a directory with a `main.rs`, but which of a directory's files
                // belong to which crate is only sure for binaries.
                return match inside.split_once('/') {
                    None => identifier(inside),
                    Some((name, "main")) => identifier(name),
                    Some((name, rest)) if directory == "src/bin/" => join(&identifier(name), rest),
                    Some(_) => String::new(),
                };
            }
        }
        if let Some(rest) = stem.strip_prefix("src/") {
            return join(&self.library, rest);
        }
        // A crate root elsewhere: its modules are below its directory, the deepest such directory wins.
        let below = |root: &str| {
            let directory = &root[..root.rfind('/').map_or(0, |slash| slash + 1)];
            path.starts_with(directory).then_some(directory.len())
        };
        let declared =
            self.roots.iter().filter(|(root, _)| !matches!(root.as_str(), "build.rs" | "src/main.rs"));
        let nearest =
            declared.filter_map(|(root, name)| Some((below(root)?, name))).max_by_key(|(len, _)| *len);
        nearest.map_or_else(String::new, |(len, name)| join(name, &stem[len..]))
    }
}

/// `name` and the modules of a file below its root: `a/mod` is `a`.
fn join(name: &str, rest: &str) -> String {
    let rest = rest.strip_suffix("/mod").unwrap_or(rest);
    let mut module = name.to_owned();
    for segment in rest.split('/') {
        module.push_str("::");
        module.push_str(segment);
    }
    module
}

/// A package's or file's name as a crate's.
fn identifier(name: &str) -> String {
    name.replace('-', "_")
}

fn normal(path: &str) -> String {
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::Packages;

    #[track_caller]
    fn check(manifests: &[(&str, &str)], path: &str, module: &str) {
        let manifests = manifests.iter().map(|(at, text)| ((*at).to_owned(), text.as_bytes().to_vec()));
        assert_eq!(Packages::new(manifests).module(path), module, "{path}");
    }

    #[test]
    fn the_usual_layout() {
        let app = [("", "[package]\nname = 'my-app'"), ("crates/net", "[package]\nname = 'my-net'")];
        check(&app, "src/main.rs", "my_app");
        check(&app, "src/lib.rs", "my_app");
        check(&app, "src/srv/mod.rs", "my_app::srv");
        check(&app, "src/srv/tls.rs", "my_app::srv::tls");
        check(&app, "src/bin/fix-it.rs", "fix_it");
        check(&app, "src/bin/tool/main.rs", "tool");
        check(&app, "src/bin/tool/args.rs", "tool::args");
        check(&app, "tests/all.rs", "all");
        check(&app, "tests/all/main.rs", "all");
        check(&app, "tests/common/mod.rs", "");
        check(&app, "build.rs", "build_script_build");
        check(&app, "crates/net/src/tcp.rs", "my_net::tcp");
        check(&app, "crates/other/src/x.rs", "");
    }

    #[test]
    fn what_the_manifest_says_wins() {
        let text = "[package]\nname = 'p'\nversion.workspace = true\n[lib]\nname = 'core_lib'\npath = 'lib/root.rs'\n\
                    [[bin]]\nname = 'the-tool'\npath = 'src/main.rs'\n[[bin]]\nname = 'other'\npath = './tools/o.rs'\n";
        let app = [("", text)];
        check(&app, "src/main.rs", "the_tool");
        check(&app, "tools/o.rs", "other");
        check(&app, "lib/root.rs", "core_lib");
        check(&app, "lib/a/b.rs", "core_lib::a::b");
        check(&app, "elsewhere/a.rs", "");
    }

    #[test]
    fn a_workspace_or_a_broken_manifest_names_nothing() {
        let app = [("", "[workspace]\nmembers = ['a']"), ("a", "[package\n"), ("b", "[package]\nname = 'b'")];
        check(&app, "a/src/x.rs", "");
        check(&app, "b/src/x.rs", "b::x");
        check(&[], "src/x.rs", "");
    }
}
