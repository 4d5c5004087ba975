//! Prints every statement of a directory tree, one a line.
//!
//! `cargo run --release -p dice-extract --example statements -- [--json | --loggers] DIRECTORY…`
//!
//! Shape: `file:line:column kind level callee template | prefix | suffix | annotations`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to a terminal")]

use std::error::Error;
use std::path::{Path, PathBuf};

use dice_catalog::{Statement, Template};
use dice_extract::{Language, Settings, Source, dictionary, facts, statements};

fn main() -> Result<(), Box<dyn Error>> {
    let mut roots = Vec::new();
    let (mut json, mut loggers) = (false, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => json = true,
            "--loggers" => loggers = true,
            _ => roots.push(PathBuf::from(argument)),
        }
    }
    let mut files = Vec::new();
    for root in &roots {
        walk(root, &mut files)?;
    }
    files.sort();
    let mut read = Vec::new();
    for path in &files {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if let Some(language) = Language::of_extension(extension) {
            read.push((path, language, std::fs::read(path)?));
        }
    }
    let sources: Vec<Source<'_>> =
        read.iter().map(|(_, language, text)| Source { language, module: "", text }).collect();
    let facts: Vec<_> = sources.iter().map(facts).collect();
    let dictionary = dictionary(&Settings::default(), &facts);
    if loggers {
        for logger in dictionary.loggers() {
            let file = logger.file.map(|file| read[file].0.display().to_string()).unwrap_or_default();
            println!(
                "{} {} {:?} {:?} level argument {:?} format {:?} {} [{file}] {}",
                logger.name,
                logger.kind,
                logger.form,
                logger.level,
                logger.level_argument,
                logger.format,
                logger.dialect,
                logger.evidence.join("; ")
            );
        }
        return Ok(());
    }
    for (number, source) in sources.iter().enumerate() {
        let extraction = statements(&dictionary, number, source);
        let path = read[number].0;
        let path = roots.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap_or(path).display();
        for problem in &extraction.problems {
            eprintln!("{path}:{}: {}", problem.line, problem.text);
        }
        for s in &extraction.statements {
            if json {
                println!("{}", as_json(&path.to_string(), s)?);
            } else {
                println!("{path}:{}", as_text(s));
            }
        }
    }
    Ok(())
}

fn as_text(s: &Statement) -> String {
    let level = s.level.map_or("-", dice_catalog::Level::as_str);
    let parts = |parts: &[dice_catalog::Part]| Template::new(parts.iter().cloned()).to_string();
    format!(
        "{}:{} {} {level} {} {:?} | {} | {} | {}",
        s.line,
        s.column,
        s.kind,
        s.callee,
        s.template.to_string(),
        parts(&s.prefix),
        parts(&s.suffix),
        s.annotations.join(" ")
    )
}

fn as_json(file: &str, s: &Statement) -> Result<String, Box<dyn Error>> {
    let entry = dice_catalog::Entry {
        fingerprint: dice_catalog::Fingerprint::of("", &s.template),
        repo: String::new(),
        file: file.to_owned(),
        language: String::new(),
        statement: s.clone(),
        author: None,
        author_missing: None,
        also_author: None,
        owners: Vec::new(),
        was: Vec::new(),
        extra: serde_json::Map::new(),
    };
    Ok(serde_json::to_string(&entry)?)
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    if directory.is_file() {
        files.push(directory.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != ".git" {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
