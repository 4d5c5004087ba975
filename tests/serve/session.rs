//! Sessions of browsers over restarts.

use super::{CONFIG, Dice, send};
use crate::site::Site;

/// Logs in; the header with the cookie.
fn log_in(dice: &Dice) -> String {
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answered = send(&dice.address, "POST /login", form, "token=eyes-secret&next=/episodes");
    assert_eq!(answered.status, 303, "{answered:?}");
    let cookie = answered.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    format!("Cookie: {}\r\n", cookie.split(';').next().unwrap())
}

#[test]
fn who_has_logged_out_stays_so_after_a_restart() {
    let key = "[[server.key]]\nname = \"eyes\"\ntoken_env = \"EYES_TOKEN\"\nscopes = [\"read\"]\n";
    let site = Site::new(&format!("{CONFIG}\n{key}"));
    let dice = Dice::start(&site);
    let look = |dice: &Dice, cookie: &str| send(&dice.address, "GET /episodes", cookie, "");
    let gone = log_in(&dice);
    // Two that begin in the same millisecond are one.
    let mut stays = log_in(&dice);
    while stays == gone {
        stays = log_in(&dice);
    }
    let page = look(&dice, &gone);
    assert_eq!(page.status, 200);
    let (_, seal) = page.body.split_once("name=\"seal\" value=\"").unwrap();
    let seal = format!("seal={}", seal.split('"').next().unwrap());
    let headers = format!("{gone}Content-Type: application/x-www-form-urlencoded\r\n");
    assert_eq!(send(&dice.address, "POST /logout", &headers, &seal).status, 303);
    assert_eq!((look(&dice, &gone).status, look(&dice, &stays).status), (303, 200));
    dice.kill();
    let dice = Dice::start(&site);
    assert_eq!((look(&dice, &gone).status, look(&dice, &stays).status), (303, 200));
}
