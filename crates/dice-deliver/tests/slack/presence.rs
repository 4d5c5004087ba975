//! Whether people are there.

use dice_deliver::slack::Rota;
use dice_testkit::fakes::slack::Fault;

use super::World;

#[test]
fn people_are_there_or_not_or_nobody_knows() {
    let world = World::new();
    let fake = &world.fake;
    fake.set_now_ms(Some(1_700_000_000_000));
    fake.person(&world.ada, |ada| ada.zone = "Europe/Berlin".to_owned());
    let away = fake.add_person("away@corp.example");
    fake.person(&away, |person| person.is_active = false);
    let dnd = fake.add_person("dnd@corp.example");
    fake.person(&dnd, |person| person.dnd = Some((1_699_999_000, 1_700_003_600)));
    let names = ["@ada", "away@corp.example", "dnd@corp.example", "nobody@corp.example"];
    let wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut rota = Rota::default();
    let mut check = |now_ms: i64, told: &[&str]| {
        let mut news = world.runtime.block_on(world.slack.presence(&mut rota, &wanted, now_ms)).0;
        news.sort_by(|a, b| a.person.cmp(&b.person));
        let news: Vec<String> = news
            .iter()
            .map(|news| {
                let zone = news.zone.as_deref().unwrap_or("-");
                format!(
                    "{} {:?} {:?} {zone} {}",
                    news.person, news.is_online, news.dnd_until_ms, news.is_gone
                )
            })
            .collect();
        assert_eq!(news, told);
    };
    check(
        1_700_000_000_000,
        &[
            "@ada Some(true) None Europe/Berlin false",
            "away@corp.example Some(false) None - false",
            "dnd@corp.example Some(true) Some(1700003600000) - false",
            "nobody@corp.example None None - false",
        ],
    );
    check(1_700_000_001_000, &[]);
    assert_eq!(fake.calls("dnd.teamInfo").len(), 1);
    fake.person(&world.ada, |ada| ada.is_deleted = true);
    fake.fail("dnd.teamInfo", Fault::Status(500));
    check(
        1_700_003_700_000,
        &[
            "@ada None None Europe/Berlin true",
            "away@corp.example None None - false",
            "dnd@corp.example None None - false",
            "nobody@corp.example None None - false",
        ],
    );
}
