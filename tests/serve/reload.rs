//! Catalogs that change under a router at work. What is compiled is a pipe: it takes as long as the test wants.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{CONFIG, Dice};
use crate::site::{Site, line};

fn catalog(site: &Site) -> PathBuf {
    site.path().join(".dice/catalog.jsonl")
}

/// Puts a pipe in the place of the catalog, and waits until the router has begun to read it.
fn pipe(site: &Site) -> File {
    let (file, new) = (catalog(site), site.path().join("pipe"));
    assert!(Command::new("mkfifo").arg(&new).status().unwrap().success());
    std::fs::rename(&new, &file).unwrap();
    OpenOptions::new().write(true).open(file).unwrap()
}

/// Puts another catalog in its place.
fn replace(site: &Site, text: &str) {
    site.write("new", text);
    std::fs::rename(site.path().join("new"), catalog(site)).unwrap();
}

const WHO: &str = "/api/v1/who?line=disk%20/srv/mail%20is%2093%25%20full";

fn owner(who: &Value) -> &str {
    who["items"][0]["owners"][0]["name"].as_str().unwrap_or_default()
}

#[test]
fn lines_are_routed_while_catalogs_are_compiled() {
    let site = Site::new(CONFIG);
    let text = std::fs::read_to_string(catalog(&site)).unwrap();
    let dice = Dice::start(&site);
    let mut open = pipe(&site);
    dice.read(&line(0, "web-1", "queue is long"));
    dice.notice_of("in-file");
    // Rules need no catalog.
    let config = std::fs::read_to_string(site.path().join("router.toml")).unwrap();
    site.write("router.toml", &config.replace("\"in-file\"", "\"in-another\""));
    dice.until("/api/v1/config", |found| found.to_string().contains("in-another"));
    dice.read(&line(0, "web-2", "queue is long"));
    dice.notice_of("in-another");
    assert_eq!(owner(&dice.get(WHO)), "#disks");
    // What is compiled is old when it is done: nobody hears of it.
    replace(&site, &text.replace("#disks", "#plates"));
    open.write_all(text.replace("#disks", "#old").as_bytes()).unwrap();
    drop(open);
    let who = dice.until(WHO, |who| owner(who) != "#disks");
    assert_eq!(owner(&who), "#plates");
    dice.read(&line(0, "web-3", "queue is long"));
    // One that is none changes nothing, and is said.
    replace(&site, "{");
    dice.says("what was in force stays");
    assert_eq!(owner(&dice.get(WHO)), "#plates");
}

#[test]
fn a_router_ends_while_catalogs_are_compiled() {
    let site = Site::new(CONFIG);
    let mut dice = Dice::start(&site);
    let open = pipe(&site);
    // Who asks again while it is at it is heard, and changes nothing about that.
    dice.signal("HUP");
    dice.read(&line(0, "web-1", "queue is long"));
    dice.signal("TERM");
    assert!(dice.ends().success());
    drop(open);
    dice.notice_of("in-file");
}
