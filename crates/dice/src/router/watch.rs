//! Looks around while the router runs: whether somebody asked to stop, and whether files have changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use dice_config::Loaded;
use dice_route::Input;
use dice_serve::managed::Version;

use super::api::{Api, Asked, Managed};
use super::compiler::Compiler;
use super::delivery::Fleet;
use super::disk::{Reach, Stamp};
use super::plan::{self, Known};
use super::run::{Plan, Wish, configured, given};
use super::service::{Ending, Pulse};
use crate::{clock, interrupt};

/// How often it is looked whether files have changed.
const LOOK: Duration = Duration::from_secs(1);

/// Catalogs that changed again while they were compiled are compiled anew so many times; then they are taken as
/// they were, and the next look finds that they have changed.
const MAX_OUTDATED: u32 = 3;

/// Looks whether somebody asked to stop and whether files have changed.
///
/// The configuration is read by whoever looks, which takes no time; catalogs are compiled beside, and when that
/// is done the configuration is read again, so that both take effect together. What was asked for last counts:
/// what is older by then is not taken.
pub(super) struct Watch<'a> {
    wish: &'a Wish,
    known: &'a Arc<Known>,
    api: Option<&'a mut Api>,
    /// What is in force.
    loaded: Loaded,
    /// What the configuration was read from last, and the catalogs as they were.
    reach: Reach,
    catalog_files: Stamp,
    last: Instant,
    compiler: Compiler,
    /// Catalogs that are compiled and not yet in force.
    ready: Option<Arc<Known>>,
    /// Catalogs have to be read again: they have changed, or somebody asked.
    is_stale: bool,
    /// There is something in the configuration that waits for the catalogs which are compiled.
    is_awaited: bool,
    n_outdated: u32,
    next: Option<Plan>,
}

impl<'a> Watch<'a> {
    /// `catalog_files` are the catalogs as they were when they were tried last.
    pub(super) fn new(
        wish: &'a Wish,
        plan: &'a Plan,
        catalog_files: Stamp,
        api: Option<&'a mut Api>,
    ) -> Watch<'a> {
        Watch {
            wish,
            known: &plan.known,
            api,
            loaded: plan.loaded.clone(),
            reach: plan.reach.clone(),
            catalog_files,
            last: clock::start(),
            compiler: Compiler::default(),
            ready: None,
            is_stale: false,
            is_awaited: false,
            n_outdated: 0,
            next: None,
        }
    }

    /// The API, while it is looked around.
    pub(super) fn api(&self) -> Option<&Api> {
        self.api.as_deref()
    }

    /// What is in force, and what is to be instead where that was found.
    pub(super) fn end(self) -> (Loaded, Option<Plan>) {
        (self.loaded, self.next)
    }

    /// Looks around, or does what the API asks for.
    pub(super) fn look(&mut self, asked: Option<Asked>) -> Pulse {
        if let Some(asked) = asked {
            return self.change(asked);
        }
        if interrupt::is_asked() {
            return Pulse::End(Ending::Asked);
        }
        let found = match self.compiler.done() {
            Some(result) => self.compiled(result),
            None => self.files(),
        };
        found.unwrap_or_else(|error| {
            tracing::error!("{error:#}; what was in force stays");
            Pulse::Nothing
        })
    }

    /// Looks whether files have changed.
    fn files(&mut self) -> Result<Pulse> {
        let is_asked = interrupt::takes_reload();
        if !is_asked && self.last.elapsed() < LOOK {
            return Ok(Pulse::Nothing);
        }
        self.last = clock::start();
        let reach = self.reach.again();
        let catalog_files = self.catalog_files.again();
        let is_catalog_new = catalog_files != self.catalog_files;
        if !is_asked && !is_catalog_new && reach == self.reach {
            return Ok(Pulse::Nothing);
        }
        // What cannot be used is looked at again only when it has changed again.
        (self.reach, self.catalog_files) = (reach, catalog_files);
        self.is_stale |= is_catalog_new || is_asked;
        self.reload()
    }

    /// Takes catalogs that were compiled, unless they have changed meanwhile.
    fn compiled(&mut self, result: Result<Known>) -> Result<Pulse> {
        let catalog_files = self.catalog_files.again();
        self.is_stale |= catalog_files != self.catalog_files;
        self.catalog_files = catalog_files;
        let is_outdated = self.is_stale && self.n_outdated < MAX_OUTDATED;
        match result {
            Ok(_) if is_outdated => self.n_outdated += 1,
            Ok(known) => {
                (self.is_stale, self.n_outdated) = (false, 0);
                self.ready = Some(Arc::new(known));
            }
            // What was wrong may be mended.
            Err(error) if self.is_stale => tracing::debug!("{error:#}"),
            Err(error) if self.is_awaited => {
                self.is_awaited = false;
                tracing::error!("{error:#}; the catalogs in force stay");
            }
            Err(error) => return Err(error),
        }
        self.reload()
    }

    fn reload(&mut self) -> Result<Pulse> {
        let none = Managed::default();
        let managed = self.api.as_ref().map_or(&none, |api| &api.managed);
        let known = Arc::clone(self.ready.as_ref().unwrap_or(self.known));
        // Where it cannot be used, what it named before is looked at as well: that may be mended.
        let mut reach = Reach::default();
        let read = self.wish.read(&given(&known, managed), &mut reach);
        match &read {
            Ok(_) => self.reach = reach,
            Err(_) => self.reach.add(reach),
        }
        let loaded = read?;
        // Accounts that cannot be used are found out before anything takes effect.
        Fleet::of(&loaded.router, &Fleet::default())?;
        let files = self.wish.catalogs(&loaded)?;
        let is_known = !self.is_stale && known.stamp.is_of(&files);
        let is_moved = loaded.sources != self.loaded.sources || loaded.catalogs != self.loaded.catalogs;
        if self.compiler.is_at_work() && (!is_known || is_moved) {
            self.is_awaited = true;
            return Ok(Pulse::Nothing);
        }
        if !is_known {
            self.catalog_files = Stamp::of(&files);
            (self.ready, self.is_stale, self.is_awaited) = (None, false, false);
            tracing::info!(catalogs = files.len(), "compiling catalogs; until then those in force stay");
            self.compiler.begin(files)?;
            return Ok(Pulse::Nothing);
        }
        if self.ready.take().is_some() || is_moved {
            plan::warn(&loaded);
            self.next = Some(Plan { loaded, known, reach: self.reach.clone() });
            return Ok(Pulse::End(Ending::Changed));
        }
        if let Some(api) = &mut self.api {
            api.follow(&loaded)?;
        }
        plan::warn(&loaded);
        let config = Arc::new(loaded.router.clone());
        self.take(loaded);
        let line = configured(&config, self.wish.config.as_deref());
        Ok(Pulse::Input(Box::new(Input::Configuration(config)), line))
    }

    /// This is in force from now on.
    fn take(&mut self, loaded: Loaded) {
        if let (Some(api), Some(file)) = (&self.api, &self.wish.config) {
            api.publish(file, &loaded, self.known);
        }
        self.loaded = loaded;
    }

    /// Changes what the API manages.
    fn change(&mut self, (change, reply): Asked) -> Pulse {
        let (Some(api), Some(file)) = (&mut self.api, &self.wish.config) else { return Pulse::Nothing };
        let (changed, next, notes) = match api.managed.change(&change, (file, self.known, &self.loaded)) {
            Ok(done) => done,
            Err(refused) => {
                reply.answer(Err(refused));
                return Pulse::Nothing;
            }
        };
        let (mut input, mut line) = (None, None);
        if let Some(loaded) = next {
            let config = Arc::new(loaded.router.clone());
            let mut told = configured(&config, Some(file));
            let Version { number, actor, did, .. } = &changed.version;
            let by = serde_json::json!({
                "version": config.version, "file": file, "managed": number, "actor": actor, "did": did,
            });
            told.body = by.to_string();
            line = Some(told);
            input = Some(Box::new(Input::Configuration(config)));
            // What else has changed in the files is for the next look at them.
            let Loaded { sources, catalogs, server, .. } = self.loaded.clone();
            self.take(Loaded { sources, catalogs, server, ..loaded });
        }
        Pulse::Managed { input, line, notes, answer: Box::new(move || reply.answer(Ok(changed))) }
    }
}
