//! What would fail, before it fails.

use dice_deliver::slack::{Finding, Slack, Wanted};

use super::{World, account};

#[test]
fn the_doctor_says_what_would_fail_and_what_to_do() {
    let world = World::new();
    let fake = &world.fake;
    let alone = fake.add_channel("alone");
    fake.channel(&alone, |channel| channel.is_member = false);
    let wanted = Wanted {
        channels: ["#ops", "#alone", "#none"].map(str::to_owned).into(),
        people: ["@ada", "eve@corp.example"].map(str::to_owned).into(),
    };
    let examine = |slack: &Slack| -> Vec<Finding> { world.runtime.block_on(slack.doctor(&wanted, 0)) };
    let told = |findings: &[Finding]| -> Vec<String> {
        findings.iter().map(|finding| format!("{} {}", finding.what, finding.is_ok)).collect()
    };
    let findings = examine(&world.slack);
    let people = ["@ada true", "eve@corp.example false", "app token true"];
    let rest = ["bot token true", "scopes true", "#ops true", "#alone false", "#none false"];
    assert_eq!(told(&findings), [rest.as_slice(), people.as_slice()].concat());
    assert!(findings.iter().all(|finding| finding.is_ok == finding.next.is_empty()), "{findings:#?}");
    assert_eq!(findings[3].next, "write /invite @dice in #alone");
    fake.set_scopes(&[
        "chat:write",
        "channels:read",
        "groups:read",
        "users:read",
        "users:read.email",
        "dnd:read",
    ]);
    let findings = examine(&account(fake));
    let missing: Vec<&str> =
        findings.iter().filter_map(|finding| finding.what.strip_prefix("scope ")).collect();
    let wanted_scopes =
        ["channels:history", "groups:history", "im:history", "im:write", "metadata.message:read"];
    assert_eq!(missing, wanted_scopes);
    fake.set_denial(Some("token_revoked"));
    let findings = examine(&account(fake));
    assert_eq!(told(&findings), ["bot token false", "app token false"]);
    assert_eq!(findings[0].next, "install the app anew and give Dice its new token");
}
