//! What all pages have: the title, the way to the others, who looks, and what was just done.

use std::fmt;

use super::assets::style_path;
use super::lobby::Said;
use super::visitor::Visitor;
use super::words::{clock, distance};
use crate::Time;

/// A page that all others lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Noise,
    Episodes,
    Held,
    Hidden,
    Digests,
    Find,
    /// None of them.
    Other,
}

impl Tab {
    /// Its path and its name.
    fn link(self) -> (&'static str, &'static str) {
        match self {
            Tab::Noise | Tab::Other => ("/", "Messages"),
            Tab::Episodes => ("/episodes", "Episodes"),
            Tab::Held => ("/held", "Not told"),
            Tab::Hidden => ("/hidden", "Hidden"),
            Tab::Digests => ("/digests", "Digests"),
            Tab::Find => ("/who", "Find"),
        }
    }
}

/// What all pages have.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    tab: Tab,
    pub(super) now_ms: i64,
    pub(super) style: String,
    pub(super) actor: Option<String>,
    pub(super) may_act: bool,
    pub(super) has_session: bool,
    /// Shown by forms, so that no other site can make them.
    pub(super) seal: String,
    /// Names a form that is sent twice.
    pub(super) press: String,
    /// Where this page is.
    pub(super) back: String,
    pub(super) said: Option<Said>,
}

impl Frame {
    pub(super) fn new(title: impl Into<String>, tab: Tab, visitor: Visitor) -> Frame {
        let Visitor { caller, may_act, has_session, seal, press, back, said, now_ms } = visitor;
        Frame {
            title: title.into(),
            tab,
            now_ms,
            style: style_path(),
            actor: Some(caller.actor.trim_start_matches("api:").to_owned()),
            may_act,
            has_session,
            seal,
            press,
            back,
            said,
        }
    }

    /// Of a page that anybody may see.
    pub(super) fn open(title: impl Into<String>) -> Frame {
        Frame {
            title: title.into(),
            tab: Tab::Other,
            now_ms: 0,
            style: style_path(),
            actor: None,
            may_act: false,
            has_session: false,
            seal: String::new(),
            press: String::new(),
            back: String::new(),
            said: None,
        }
    }

    /// The pages, each with whether it is this one.
    pub(super) fn tabs(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        [Tab::Noise, Tab::Episodes, Tab::Held, Tab::Hidden, Tab::Digests, Tab::Find].into_iter().map(|tab| {
            let (path, name) = tab.link();
            (path, name, tab == self.tab)
        })
    }

    pub(super) fn when(&self, at: &Time) -> When {
        self.when_ms(&at.0)
    }

    /// The same of milliseconds since 1970.
    pub(super) fn when_ms(&self, at_ms: &i64) -> When {
        When { at: Time(*at_ms), now_ms: self.now_ms }
    }
}

/// A moment, in words and by the clock: nothing but digits and our own words.
pub(super) struct When {
    at: Time,
    now_ms: i64,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let When { at, now_ms } = *self;
        let (ago, clock) = (distance(at, now_ms), clock(at, now_ms));
        write!(f, r#"<time datetime="{at}">{ago} <small>{clock}</small></time>"#)
    }
}

impl askama::filters::HtmlSafe for When {}
