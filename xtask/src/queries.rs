//! `cargo xtask queries [FILE]…`: are the languages' queries sound, and what do files yield?

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use dice_extract::{LANGUAGES, Language, Settings, Source};

/// Reads a few words of every language, so that its query is compiled; then the files that are given,
/// together, as if they were a repository.
pub(crate) fn run(files: &[&str]) -> Result<bool> {
    for language in LANGUAGES {
        // Compiling a query that its grammar refuses is a panic that names the file and the place.
        let source = Source { language, module: "", text: b"x" };
        let facts = [dice_extract::facts(&source)];
        let dictionary = dice_extract::dictionary(&Settings::default(), &facts);
        dice_extract::statements(&dictionary, 0, &source);
        println!("languages/{}/statements.scm is understood", language.name);
    }
    let texts = files
        .iter()
        .map(|file| {
            Ok((*file, language(file)?, fs::read(file).with_context(|| format!("cannot read {file}"))?))
        })
        .collect::<Result<Vec<_>>>()?;
    let sources: Vec<Source<'_>> =
        texts.iter().map(|(_, language, text)| Source { language, module: "", text }).collect();
    let facts: Vec<_> = sources.iter().map(dice_extract::facts).collect();
    let dictionary = dice_extract::dictionary(&Settings::default(), &facts);
    for (i, ((file, ..), source)) in texts.iter().zip(&sources).enumerate() {
        let found = dice_extract::statements(&dictionary, i, source);
        for statement in found.statements {
            let level = statement.level.map_or("-", |level| level.as_str());
            let owners = statement.annotations.join(" ");
            let (line, callee, template) = (statement.line, &statement.callee, &statement.template);
            println!("{file}:{line}  {callee}  {level}  {:?}  {owners}", template.to_string());
        }
        for problem in found.problems {
            println!("{file}:{}  problem: {}", problem.line, problem.text);
        }
    }
    Ok(true)
}

fn language(file: &str) -> Result<&'static Language> {
    let extension = Path::new(file).extension().and_then(|extension| extension.to_str()).unwrap_or("");
    Language::of_extension(extension).with_context(|| format!("{file}: no language has files like this"))
}
