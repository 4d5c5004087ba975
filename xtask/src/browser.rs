//! `cargo xtask browser`: the pages in a real browser, headless.
//!
//! The example `page` of dice-serve is the server: it shows an afternoon of a shop and listens on loopback. Each
//! view is opened, and what the browser made of it is looked at. No view has a script, which is looked at too: a
//! browser whose scripts are off cannot be asked this way. With `--shots` pictures are left behind, wide and
//! narrow, light and dark.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::{example, root};

/// What the browser is called by those who package it.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Seconds that a page may take, on a machine that is busy.
const PATIENCE_S: u32 = 120;
/// Pictures: what they are called, how wide the window is, whether it is dark.
const LOOKS: &[(&str, u32, bool)] =
    &[("light", 1200, false), ("dark", 1200, true), ("phone", 500, false), ("phone-dark", 500, true)];

/// A view: its name, where it is, how high a picture of it is, and what the browser has to have made of it.
struct View {
    name: &'static str,
    path: &'static str,
    height: u32,
    has: &'static [&'static str],
}

/// The views with something to show. A path with `*` is the first link of that kind on the view before.
const VIEWS: &[View] = &[
    View {
        name: "messages",
        path: "/",
        height: 1700,
        has: &[
            "<h1><bdi>Noisiest messages</bdi></h1>",
            "<bdi>#mail</bdi>",
            "relay &lt;*&gt; refused: &lt;*&gt;",
            "<svg class=\"spark\"",
            "6,970",
            "aria-current=\"page\">Messages",
            "unexpected reply",
        ],
    },
    View {
        name: "message",
        path: "/why?id=*",
        height: 1300,
        has: &[
            "Last changed by",
            "9,840 occurrences",
            "Snooze or mute",
            "Not me</button>",
            "mail-7 reaches no relay",
        ],
    },
    View {
        name: "list",
        path: "/messages?owner=%23ops&hours=168",
        height: 800,
        has: &["Messages of #ops", "fsync"],
    },
    View {
        name: "episodes",
        path: "/episodes",
        height: 700,
        has: &["Open episodes", "mail-7 reaches no relay", "acknowledged by <bdi>@bela</bdi>"],
    },
    View {
        name: "episode",
        path: "/episodes/*",
        height: 2000,
        has: &[
            "What happened, and what comes next",
            "class=\"next\"",
            "I am on it</button>",
            "name=\"seal\"",
        ],
    },
    View {
        name: "held",
        path: "/held",
        height: 900,
        has: &["she has a day off until Monday", ">suppressed<"],
    },
    View {
        name: "records",
        path: "/records",
        height: 800,
        has: &["14 notices for @bela were told together"],
    },
    View {
        name: "hidden",
        path: "/hidden",
        height: 1000,
        has: &["service=\"postd\"", "I only moved the file", "Undo</button>"],
    },
    View { name: "digests", path: "/digests", height: 600, has: &["cleo@shop.example", "20,481", ">held<"] },
    View {
        name: "digest",
        path: "/digests/%40bela",
        height: 1100,
        has: &["Digest for Friday, 20 November 2026", "<b>1,240</b> times", "snoozed by you"],
    },
    View {
        name: "find",
        path: "/who?line=relay%20mx2.example%20refused",
        height: 800,
        has: &["<b><bdi>#mail</bdi></b>", "postd src/relay.c:212", "role=\"search\""],
    },
    View { name: "nowhere", path: "/episodes/none", height: 500, has: &["There is no such thing"] },
];

/// Views of a router that has nothing to show yet.
const EMPTY: &[View] = &[
    View { name: "nothing", path: "/", height: 500, has: &["No message came in this time"] },
    View { name: "nothing-open", path: "/episodes", height: 500, has: &["Look at what ended"] },
];

/// Opens every view; leaves pictures in `shots`, where it is given.
pub(crate) fn run(shots: Option<&str>) -> Result<bool> {
    let Some(browser) = browser() else {
        bail!(
            "there is no browser: wanted one of {} in PATH\n  next: apt-get install --no-install-recommends \
             chromium fonts-dejavu-core",
            BROWSERS.join(", ")
        );
    };
    let shots = shots.map(PathBuf::from);
    if let Some(shots) = &shots {
        fs::create_dir_all(shots).with_context(|| format!("cannot make {}", shots.display()))?;
    }
    let program = example("dice-serve", "page")?;
    let profile = tempfile::tempdir().context("cannot make a folder for the browser")?;
    let window = Window { browser, profile: profile.path().to_owned() };
    let mut wrong = Vec::new();
    for (views, arguments) in [(VIEWS, &[][..]), (EMPTY, &["--empty"][..])] {
        let server = Serving::start(&program, arguments)?;
        let mut before = String::new();
        for view in views {
            let path = view.path_after(&before)?;
            let url = format!("{}{path}", server.address);
            let page = window.read(&url)?;
            let missing = view.missing(&page);
            println!("{:<13} {path}{}", view.name, if missing.is_empty() { "" } else { "  WRONG" });
            wrong.extend(missing.iter().map(|missing| format!("{}: wanted {missing}", view.name)));
            if let Some(shots) = &shots {
                for (look, width, is_dark) in LOOKS {
                    // What is narrow is long.
                    let height = if *width < 800 { view.height * 2 } else { view.height };
                    let picture = shots.join(format!("{}-{look}.png", view.name));
                    window.shoot(&url, &picture, *width, height, *is_dark)?;
                }
            }
            before = page;
        }
    }
    for wrong in &wrong {
        println!("{wrong}");
    }
    if let Some(shots) = &shots {
        println!("pictures are in {}", shots.display());
    }
    Ok(wrong.is_empty())
}

impl View {
    fn path_after(&self, before: &str) -> Result<String> {
        let Some((start, _)) = self.path.split_once('*') else { return Ok(self.path.to_owned()) };
        let at =
            before.find(&format!("href=\"{start}")).with_context(|| format!("nothing leads to {start}"))?;
        let link = before[at..].split('"').nth(1).context("a link without an end")?;
        Ok(link.replace("&amp;", "&"))
    }

    /// What every page has, and what this one has to have.
    fn missing(&self, page: &str) -> Vec<&'static str> {
        let frame = ["<main id=\"main\"", "class=\"skip\"", "<nav aria-label=\"Pages\">", "lang=\"en\""];
        let wanted = frame.into_iter().chain(self.has.iter().copied());
        let mut missing: Vec<&str> = wanted.filter(|wanted| !page.contains(wanted)).collect();
        if page.contains("<script") {
            missing.push("no script");
        }
        missing
    }
}

/// The first browser that is in `PATH`.
fn browser() -> Option<&'static str> {
    BROWSERS.iter().copied().find(|name| {
        let mut command = Command::new(name);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// A browser without a window.
struct Window {
    browser: &'static str,
    profile: PathBuf,
}

impl Window {
    fn command(&self) -> Command {
        let mut command = Command::new(self.browser);
        command
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--hide-scrollbars", "--force-color-profile=srgb"])
            .arg(format!("--user-data-dir={}", self.profile.display()))
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// What the browser made of a page. It needs a script of its own to tell; the page has none.
    fn read(&self, url: &str) -> Result<String> {
        let mut command = self.command();
        command.args(["--dump-dom", url]).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot run the browser")?;
        let mut stdout = child.stdout.take().context("the browser has no output")?;
        let reading = std::thread::spawn(move || {
            let mut page = String::new();
            stdout.read_to_string(&mut page).map(|_| page)
        });
        finish(child, url)?;
        let page = reading.join().expect("reading does not panic").context("the page is no text")?;
        ensure!(page.contains("</html>"), "the browser made nothing of {url}");
        Ok(page)
    }

    fn shoot(&self, url: &str, picture: &Path, width: u32, height: u32, is_dark: bool) -> Result<()> {
        let mut command = self.command();
        if is_dark {
            command.arg("--blink-settings=preferredColorScheme=0");
        }
        command
            .arg(format!("--window-size={width},{height}"))
            .arg(format!("--screenshot={}", picture.display()))
            .arg(url)
            .stdout(Stdio::null());
        finish(command.spawn().context("cannot run the browser")?, url)?;
        ensure!(picture.is_file(), "the browser took no picture of {url}");
        Ok(())
    }
}

/// Waits for the end of a browser, and ends it where it takes too long.
fn finish(mut child: Child, url: &str) -> Result<()> {
    for _ in 0..PATIENCE_S * 50 {
        if let Some(status) = child.try_wait().context("cannot wait for the browser")? {
            ensure!(status.success(), "the browser ended with {status} at {url}");
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().context("cannot end the browser")?;
    child.wait().context("cannot end the browser")?;
    bail!("the browser took more than {PATIENCE_S} s for {url}")
}

/// The example server; it ends when it is dropped.
struct Serving {
    address: String,
    child: Child,
}

impl Serving {
    fn start(program: &Path, arguments: &[&str]) -> Result<Serving> {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run the example server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address).context("the server did not say where it listens")?;
        Ok(Serving { address: address.trim().to_owned(), child })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It runs until its input ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
