//! The fixture programs: how each is compiled and run.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{output, success};

/// A fixture program.
pub(crate) struct Program {
    /// The fixture repository it is built from.
    pub(crate) name: &'static str,
    compile: fn(source: &Path, places: bool) -> Result<()>,
    runs: fn() -> Vec<Run>,
}

/// One run of a program: its arguments and its environment.
struct Run {
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

/// All fixture programs.
pub(crate) const PROGRAMS: &[Program] = &[
    Program { name: "founding", compile: compile_founding, runs: founding_runs },
    Program { name: "petrel", compile: compile_petrel, runs: petrel_runs },
    Program { name: "siskin", compile: compile_siskin, runs: siskin_runs },
];

impl Program {
    /// Compiles the program in the checkout at `source` and gives what it prints, run after run.
    ///
    /// With `places`, each message has `<file:line> ` in it: where the statement stands that printed it,
    /// from the compiler.
    ///
    /// # Errors
    ///
    /// When there is no compiler for its language.
    pub(crate) fn log(&self, source: &Path, places: bool) -> Result<Vec<String>> {
        (self.compile)(source, places)?;
        let program = source.join("program");
        (self.runs)()
            .into_iter()
            .map(|run| {
                let mut command = Command::new(&program);
                command.args(run.arguments).envs(run.environment).current_dir(source).env("LC_ALL", "C");
                if places {
                    command.env("PETREL_PLACES", "1").env("SISKIN_PLACES", "1");
                }
                Ok(output(&mut command)?.stderr)
            })
            .collect()
    }
}

/// The founding logger knows no places: its macros are given a second half.
fn compile_founding(source: &Path, places: bool) -> Result<()> {
    let header = source.join("src/log.h");
    let text = fs::read_to_string(&header).context("cannot read the founding header")?;
    if places {
        let places =
            text.replace(") log_printf(", ") fprintf(stderr, \"<%s:%d> \", __FILE__, __LINE__), log_printf(");
        fs::write(&header, places)?;
    }
    let sources = ["src/main.c", "src/log.c"];
    success(
        Command::new("cc").args(["-include", "stdio.h", "-o", "program"]).args(sources).current_dir(source),
    )?;
    fs::write(&header, text)?;
    Ok(())
}

fn founding_runs() -> Vec<Run> {
    [1_795_190_000_u64, 1_795_193_600, 1_795_197_200, 1_795_240_000]
        .map(|clock| Run { arguments: Vec::new(), environment: vec![("BLUES_CLOCK", clock.to_string())] })
        .into()
}

fn compile_petrel(source: &Path, _places: bool) -> Result<()> {
    success(Command::new("make").current_dir(source))?;
    fs::copy(source.join("petrel"), source.join("program"))?;
    Ok(())
}

/// Three machines, and one that was set up without a configuration.
fn petrel_runs() -> Vec<Run> {
    let run = |configuration: &str, host: &str, epoch_ms: u64, rounds: u32| Run {
        arguments: vec![configuration.to_owned(), host.to_owned(), epoch_ms.to_string(), rounds.to_string()],
        environment: Vec::new(),
    };
    vec![
        run("petrel.conf", "web-1", 1_795_190_000_000, 90),
        run("petrel.conf", "web-2", 1_795_190_001_203, 70),
        run("petrel.conf", "mail-7", 1_795_190_017_009, 80),
        run("nowhere.conf", "web-3", 1_795_190_030_000, 1),
    ]
}

fn compile_siskin(source: &Path, _places: bool) -> Result<()> {
    success(
        Command::new("rustc")
            .args(["--edition", "2021", "--crate-name", "siskin", "-o", "program", "src/main.rs"])
            .current_dir(source),
    )?;
    Ok(())
}

fn siskin_runs() -> Vec<Run> {
    vec![Run { arguments: vec!["80".to_owned()], environment: Vec::new() }]
}
