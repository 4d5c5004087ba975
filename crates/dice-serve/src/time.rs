//! A moment as the API writes it.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A moment, milliseconds since 1970 (UTC); RFC 3339 in requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(time) => time.fmt(f),
            // Beyond the calendar there are only numbers.
            Err(_) => self.0.fmt(f),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let time: Timestamp = text.parse().map_err(|_| {
            serde::de::Error::custom(format_args!("wanted a time like 2026-11-20T15:12:05Z, found {text:?}"))
        })?;
        Ok(Time(time.as_millisecond()))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn times_are_rfc_3339_both_ways() {
        let text = "\"2026-11-20T15:53:20.5Z\"";
        let time: Time = serde_json::from_str(text).unwrap();
        assert_eq!(time, Time(1_795_190_000_500));
        assert_eq!(serde_json::to_string(&time).unwrap(), text);
        assert!(serde_json::from_str::<Time>("\"yesterday\"").is_err());
        assert_eq!(Time(i64::MAX).to_string(), i64::MAX.to_string());
    }
}
