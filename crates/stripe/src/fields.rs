//! One JSON object, opened one level deep: each field is checked when it is asked for.
//!
//! Values stay unread slices of the body, skipped by serde_json without recursion, so nesting costs nothing
//! and what nobody asks for cannot be wrong. Null means absent. Not here: any knowledge of Stripe's
//! objects.

use crate::fault::ReadFault;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The largest amount, in minor units: ten thousand times what Stripe charges at once.
const LARGEST_AMOUNT: i64 = 1_000_000_000_000;
/// The end of the year 9999 in Unix seconds, beyond which calendars stop.
const LATEST_TIME: i64 = 253_402_300_799;
const LONGEST_ID: usize = 255;
/// Stripe's widest object has about a hundred fields; the bound keeps memory in proportion.
const MAX_FIELDS: usize = 1_000;

/// The fields of one object, in the order in which they were written.
pub(crate) struct Fields<'a> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// Opens the body itself.
    pub(crate) fn of_body(body: &'a [u8]) -> Result<Fields<'a>, ReadFault> {
        let text = std::str::from_utf8(body).map_err(|_| ReadFault::NotJson)?;
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => ReadFault::NotAnEvent,
            Category::Syntax | Category::Eof | Category::Io => ReadFault::NotJson,
        })
    }

    /// Opens the object found under `field`.
    pub(crate) fn of_value(field: &'static str, value: &'a RawValue) -> Result<Fields<'a>, ReadFault> {
        decode(field, "an object", value)
    }

    /// The value as it stands, None when absent or null.
    pub(crate) fn get(&self, field: &'static str) -> Result<Option<&'a RawValue>, ReadFault> {
        let mut found = self.entries.iter().filter(|(key, _)| key == field);
        let value = found.next().map(|(_, value)| *value);
        if found.next().is_some() {
            return Err(ReadFault::DuplicateKey { field });
        }
        Ok(value.filter(|value| value.get() != "null"))
    }

    /// All fields with their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.entries.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// Any text.
    pub(crate) fn text(&self, field: &'static str) -> Result<Option<Cow<'a, str>>, ReadFault> {
        self.get(field)?.map(|value| text(field, value)).transpose()
    }

    /// One of Stripe's words, such as a status, a currency or an event type: at most 255 printable
    /// characters.
    pub(crate) fn word(&self, field: &'static str) -> Result<Option<Cow<'a, str>>, ReadFault> {
        let word = self.text(field)?;
        let is_word = |word: &str| {
            (1..=LONGEST_ID).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if word.as_deref().is_none_or(is_word) { Ok(word) } else { Err(ReadFault::Text { field }) }
    }

    /// A word that explains and decides nothing: whatever is malformed counts as absent, and so does an
    /// empty one, which Stripe has been seen to send as the `failure_code` of a refused debit.
    pub(crate) fn explanation(&self, field: &'static str) -> Option<String> {
        self.word(field).unwrap_or_default().map(Into::into)
    }

    /// A currency, in lower case.
    pub(crate) fn currency(&self, field: &'static str) -> Result<Option<String>, ReadFault> {
        Ok(self.word(field)?.map(|currency| currency.to_ascii_lowercase()))
    }

    /// An id.
    pub(crate) fn id(&self, field: &'static str) -> Result<Option<Cow<'a, str>>, ReadFault> {
        self.get(field)?.map(|value| id(field, text(field, value)?)).transpose()
    }

    /// The id of another object, which stands there as text or as the expanded object.
    pub(crate) fn reference(&self, field: &'static str) -> Result<Option<Cow<'a, str>>, ReadFault> {
        match self.get(field)? {
            Some(value) if value.get().starts_with('{') => {
                let expanded = Fields::of_value(field, value)?;
                let reference = expanded.text("id")?.ok_or(ReadFault::Missing { field })?;
                id(field, reference).map(Some)
            }
            _ => self.id(field),
        }
    }

    /// True or false.
    pub(crate) fn flag(&self, field: &'static str) -> Result<Option<bool>, ReadFault> {
        self.get(field)?.map(|value| decode(field, "true or false", value)).transpose()
    }

    /// Minor units, 0 or more.
    pub(crate) fn amount(&self, field: &'static str) -> Result<Option<i64>, ReadFault> {
        let amount = self.signed_amount(field)?;
        if amount.is_some_and(i64::is_negative) { Err(ReadFault::Amount { field }) } else { Ok(amount) }
    }

    /// Minor units with a sign.
    pub(crate) fn signed_amount(&self, field: &'static str) -> Result<Option<i64>, ReadFault> {
        let within = -LARGEST_AMOUNT..=LARGEST_AMOUNT;
        let amount = |value: &RawValue| integer(value).filter(|amount| within.contains(amount));
        self.get(field)?.map(|value| amount(value).ok_or(ReadFault::Amount { field })).transpose()
    }

    /// A moment in Unix seconds.
    pub(crate) fn time(&self, field: &'static str) -> Result<Option<i64>, ReadFault> {
        let time = |value: &RawValue| integer(value).filter(|time| (0..=LATEST_TIME).contains(time));
        self.get(field)?.map(|value| time(value).ok_or(ReadFault::Time { field })).transpose()
    }

    /// An object inside, opened.
    pub(crate) fn object(&self, field: &'static str) -> Result<Option<Fields<'a>>, ReadFault> {
        self.get(field)?.map(|value| Fields::of_value(field, value)).transpose()
    }

    /// The elements of an array; none when absent.
    pub(crate) fn list(&self, field: &'static str) -> Result<Vec<&'a RawValue>, ReadFault> {
        let list = self.get(field)?.map(|value| decode(field, "an array", value)).transpose()?;
        Ok(list.unwrap_or_default())
    }
}

/// Turns an absent field into a fault where the rest would mean nothing without it.
pub(crate) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, ReadFault> {
    value.ok_or(ReadFault::Missing { field })
}

/// The text of one value.
pub(crate) fn text<'a>(field: &'static str, value: &'a RawValue) -> Result<Cow<'a, str>, ReadFault> {
    decode::<Text<'a>>(field, "text", value).map(|text| text.0)
}

fn id<'a>(field: &'static str, id: Cow<'a, str>) -> Result<Cow<'a, str>, ReadFault> {
    let is_id_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_id = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_id_byte);
    if is_id { Ok(id) } else { Err(ReadFault::Id { field }) }
}

/// An integer written as one: a point, an exponent or `-0` is a sign that somebody calculated with floats.
fn integer(value: &RawValue) -> Option<i64> {
    let digits = value.get();
    if digits == "-0" { None } else { digits.parse().ok() }
}

/// Decodes a value that is known to be JSON, so what remains is a wrong type or half of a surrogate pair.
fn decode<'a, T: Deserialize<'a>>(
    field: &'static str,
    expected: &'static str,
    value: &'a RawValue,
) -> Result<T, ReadFault> {
    serde_json::from_str(value.get()).map_err(|error| match error.classify() {
        Category::Data => ReadFault::WrongType { field, expected },
        Category::Syntax | Category::Eof | Category::Io => ReadFault::Text { field },
    })
}

/// Text borrowed from the body unless an escape had to be undone.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object of at most {MAX_FIELDS} fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if entries.len() == MAX_FIELDS {
                return Err(A::Error::invalid_length(MAX_FIELDS + 1, &self));
            }
            entries.push((key.0, map.next_value()?));
        }
        Ok(Fields { entries })
    }
}
