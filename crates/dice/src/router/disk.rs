//! The files of a configuration, and whether they have changed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use dice_config::Files;

/// Folders that a pattern of files is looked for in, below its fixed part.
const MAX_FOLDERS: usize = 10_000;
/// What makes a path a pattern.
const WILD: [char; 4] = ['*', '?', '[', '{'];

/// Files below the folder of a configuration, and what was read of them.
pub(crate) struct Disk {
    folder: PathBuf,
    reach: RefCell<Reach>,
}

impl Disk {
    /// The folder of a configuration file.
    pub(crate) fn beside(file: &Path) -> Disk {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        Disk { folder: folder.unwrap_or(Path::new(".")).to_owned(), reach: RefCell::default() }
    }

    /// A path of the configuration, from its folder.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The configuration itself.
    pub(crate) fn read_itself(&self, file: &Path) -> io::Result<String> {
        // Before it is read: what changes while it is read has changed.
        self.reach.borrow_mut().files.entry(file.to_owned()).or_insert_with(|| look(file));
        std::fs::read_to_string(file)
    }

    /// What was read.
    pub(crate) fn reach(self) -> Reach {
        Reach { folder: self.folder, ..self.reach.into_inner() }
    }

    fn list(&self, pattern: &str) -> io::Result<Vec<String>> {
        if !pattern.contains(WILD) {
            return Ok(self.folder.join(pattern).is_file().then(|| pattern.to_owned()).into_iter().collect());
        }
        let matches =
            dice_route::condition::path_pattern(&format!("/{pattern}")).map_err(io::Error::other)?;
        let fixed: PathBuf = Path::new(pattern)
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains(WILD))
            .filter(|part| !matches!(part, Component::CurDir))
            .collect();
        let mut found = Vec::new();
        let mut folders = vec![fixed];
        let mut n_folders = 0;
        while let Some(folder) = folders.pop() {
            n_folders += 1;
            if n_folders > MAX_FOLDERS {
                return Err(io::Error::other(format!("more than {MAX_FOLDERS} folders")));
            }
            let entries = match std::fs::read_dir(self.folder.join(&folder)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    if pattern.contains("**") {
                        folders.push(path);
                    }
                } else if let Some(path) = path.to_str().filter(|path| matches.is_match(path)) {
                    found.push(path.to_owned());
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> io::Result<String> {
        self.read_itself(&self.folder.join(path))
    }

    fn matching(&self, pattern: &str) -> io::Result<Vec<String>> {
        let found = self.list(pattern);
        let known = found.as_ref().ok().cloned();
        self.reach.borrow_mut().patterns.entry(pattern.to_owned()).or_insert(known);
        found
    }
}

/// How a file looked: when it was changed last, and its size in bytes. `None` where there is none.
type Looks = Option<(SystemTime, u64)>;

/// What a configuration was read from: the files that it names, as they were, and what its patterns meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    folder: PathBuf,
    files: BTreeMap<PathBuf, Looks>,
    /// `None` where the files could not be listed.
    patterns: BTreeMap<String, Option<Vec<String>>>,
}

impl Reach {
    /// The same files and patterns as they are now.
    pub(crate) fn again(&self) -> Reach {
        let disk = Disk { folder: self.folder.clone(), reach: RefCell::default() };
        Reach {
            folder: self.folder.clone(),
            files: looks(self.files.keys()),
            patterns: self
                .patterns
                .keys()
                .map(|pattern| (pattern.clone(), disk.list(pattern).ok()))
                .collect(),
        }
    }

    /// Puts in what was read later.
    pub(crate) fn add(&mut self, later: Reach) {
        self.folder = later.folder;
        self.files.extend(later.files);
        self.patterns.extend(later.patterns);
    }
}

/// What files looked like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    files: Vec<(PathBuf, Looks)>,
}

impl Stamp {
    /// How `files` look now.
    pub(crate) fn of(files: &[PathBuf]) -> Stamp {
        Stamp { files: looks(files) }
    }

    /// Whether it is that of these files, in this order.
    pub(crate) fn is_of(&self, files: &[PathBuf]) -> bool {
        self.files.iter().map(|(file, _)| file).eq(files)
    }

    /// How the same files look now.
    pub(crate) fn again(&self) -> Stamp {
        Stamp { files: looks(self.files.iter().map(|(file, _)| file)) }
    }
}

fn looks<'f, T: FromIterator<(PathBuf, Looks)>>(files: impl IntoIterator<Item = &'f PathBuf>) -> T {
    files.into_iter().map(|file| (file.clone(), look(file))).collect()
}

fn look(file: &Path) -> Looks {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use dice_config::{Files, Given};

    use super::{Disk, Reach};

    /// A file as wide as it was, which is another one.
    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(folder: &Path) -> (bool, Reach) {
        let file = folder.join("router.toml");
        let disk = Disk::beside(&file);
        let text = disk.read_itself(&file).unwrap();
        let loaded = dice_config::load("router.toml", &text, &disk, &Given::default());
        (loaded.is_ok(), disk.reach())
    }

    #[test]
    fn everything_that_a_configuration_names_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let check = |is_ok: bool, name: &str, text: &str| {
            let (was_ok, reach) = read(folder);
            assert_eq!(was_ok, is_ok, "{name}");
            assert_eq!(reach, reach.again());
            write(folder, "other.pem", text);
            assert_eq!(reach, reach.again(), "nobody names it");
            write(folder, name, text);
            assert_ne!(reach, reach.again(), "{name}");
        };
        let config = "rules = ['deep/er/*.toml', 'rules/*.toml']\n[email]\nfrom = 'dice@x.example'\n\
                      smtp = 'mail.x.example:587'\nca_file = 'keys/trusted.certificates'\n";
        write(folder, "router.toml", config);
        // It is not there yet; then it is something else; then it is right, and changes.
        let pem = "-----BEGIN CERTIFICATE-----\n";
        check(false, "keys/trusted.certificates", "nothing");
        check(false, "keys/trusted.certificates", pem);
        check(true, "keys/trusted.certificates", &pem.repeat(2));
        check(true, "deep/er/more.toml", "# rules");
        check(true, "deep/er/more.toml", "# other rules");
        check(true, "router.toml", &format!("{config}# other"));
    }

    #[test]
    fn what_changes_while_it_is_read_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.pem", "one");
        let disk = Disk::beside(&folder.path().join("router.toml"));
        disk.read("a.pem").unwrap();
        write(folder.path(), "a.pem", "another");
        disk.read("a.pem").unwrap();
        let reach = disk.reach();
        assert_ne!(reach, reach.again());
    }
}
