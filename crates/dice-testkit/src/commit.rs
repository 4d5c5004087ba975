//! `commit.toml`: what a folder of files says about the commit it becomes.

use serde::Deserialize;

/// A `commit.toml`. The other files of its folder are written into the tree as they are.
///
/// ```
/// let commit = dice_testkit::Commit::parse(r#"
///     author = "Skip James <skip@james.example>"
///     date = 2024-03-01T09:00:00+01:00
///     message = "Warn before a disk is full"
///     renames = [["src/old.c", "src/disk.c"]]
///     removes = ["NOTES"]
/// "#);
/// assert_eq!(commit.name_and_email(), ("Skip James", "skip@james.example"));
/// assert_eq!(commit.date.seconds(), 1_709_280_000);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Who wrote it, as git prints it: `Name <e-mail>`.
    pub author: String,
    /// Who committed it; the author where it is not said.
    #[serde(default)]
    pub committer: Option<String>,
    /// When it was written and committed.
    pub date: CommitDate,
    /// The whole message.
    pub message: String,
    /// Files that move, old path and new path, before the folder's files are written.
    #[serde(default)]
    pub renames: Vec<(String, String)>,
    /// Files that go, after the renames.
    #[serde(default)]
    pub removes: Vec<String>,
}

impl Commit {
    /// Reads the text of a `commit.toml`.
    pub fn parse(text: &str) -> Commit {
        toml::from_str(text).unwrap_or_else(|err| panic!("commit.toml: {err}"))
    }

    /// The author's name and e-mail address.
    pub fn name_and_email(&self) -> (&str, &str) {
        person(&self.author)
    }

    /// The committer's name and e-mail address.
    pub fn committer_name_and_email(&self) -> (&str, &str) {
        person(self.committer.as_deref().unwrap_or(&self.author))
    }
}

fn person(text: &str) -> (&str, &str) {
    text.strip_suffix('>')
        .and_then(|text| text.split_once(" <"))
        .unwrap_or_else(|| panic!("commit.toml: wanted `Name <e-mail>`, found `{text}`"))
}

/// A date with its offset from UTC.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(from = "toml::value::Datetime")]
pub struct CommitDate {
    seconds: i64,
    offset_minutes: i32,
}

impl CommitDate {
    /// Seconds since 1970 in UTC.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Minutes east of UTC.
    pub fn offset_minutes(self) -> i32 {
        self.offset_minutes
    }
}

impl From<toml::value::Datetime> for CommitDate {
    fn from(datetime: toml::value::Datetime) -> CommitDate {
        let (Some(date), Some(time), Some(offset)) = (datetime.date, datetime.time, datetime.offset) else {
            panic!("commit.toml: wanted a date like 2024-03-01T09:00:00+01:00, found {datetime}");
        };
        let offset_minutes = match offset {
            toml::value::Offset::Z => 0,
            toml::value::Offset::Custom { minutes } => i32::from(minutes),
        };
        let days = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
        let clock =
            i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
        CommitDate { seconds: days * 86_400 + clock - i64::from(offset_minutes) * 60, offset_minutes }
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, in years that begin in March so that the leap
/// day is the last one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_month = (153 * month + 2) / 5;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + days_before_month + day
        - 1
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::Commit;

    #[track_caller]
    fn check(date: &str, seconds: i64, offset_minutes: i32) {
        let commit = Commit::parse(&format!("author = 'A <a@b.c>'\nmessage = 'm'\ndate = {date}"));
        assert_eq!((commit.date.seconds(), commit.date.offset_minutes()), (seconds, offset_minutes));
    }

    #[test]
    fn dates_become_seconds() {
        check("1970-01-01T00:00:00Z", 0, 0);
        check("2000-02-29T00:00:00Z", 951_782_400, 0);
        check("2024-03-01T09:00:00+01:00", 1_709_280_000, 60);
        check("2026-11-20T15:53:32-05:30", 1_795_209_812, -330);
    }
}
