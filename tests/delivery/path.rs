//! The README's way from nothing to a message in Slack, followed word by word.

use std::path::Path;
use std::process::Command;

use dice_testkit::Fixture;
use dice_testkit::fakes::slack::FakeSlack;

/// The blocks of code of the README's chapter, with their languages.
fn blocks() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, chapter) = readme.split_once("\n## Slack in ten minutes\n").unwrap();
    let chapter = chapter.split("\n## ").next().unwrap();
    let fenced = chapter.split("```").skip(1).step_by(2);
    fenced
        .map(|block| block.split_once('\n').unwrap())
        .map(|(of, text)| (of.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn the_readmes_way_leads_to_a_message() {
    let fake = FakeSlack::start();
    for channel in ["#disks", "#mail-ops"] {
        fake.add_channel(channel);
    }
    let fixture = Fixture::build("petrel");
    let mut script = "set -e\n".to_owned();
    for (of, text) in blocks() {
        match of.as_str() {
            // All that differs is where Slack is, and what its tokens are.
            "toml" => {
                script += &format!("cat > router.toml <<'END'\n{text}url = \"{}\"\nEND\n", fake.base());
            }
            _ => {
                let tokens = [("xoxb-…", FakeSlack::BOT_TOKEN), ("xapp-…", FakeSlack::APP_TOKEN)];
                script += &tokens.iter().fold(text, |text, (shown, token)| text.replace(shown, token));
            }
        }
    }
    let program = Path::new(env!("CARGO_BIN_EXE_dice")).parent().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the script needs the programs of this machine")]
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(fixture.path())
        .env("PATH", format!("{}:{path}", program.display()))
        .env("HOME", fixture.path())
        .env_remove("DICE_CATALOG")
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{script}\n{said}");
    assert!(said.contains("ok    #disks") && !said.contains("fail"), "{said}");
    let messages = fake.messages();
    let [message] = messages.as_slice() else { panic!("{messages:?}\n{said}") };
    let shown = format!("{} {}", message.text, message.blocks);
    for words in ["disk sda is 93% full", "src/disk.c", "#disks", "annotated", "Acknowledge"] {
        assert!(shown.contains(words), "{words:?} is not in {shown}");
    }
}
