//! Form parameters with nested names, as Stripe's API accepts them in bodies and queries:
//! `line_items[0][price_data][currency]=eur`, `expand[]=customer`.
//!
//! A handler takes out the parameters that it knows. [`Params::finish`] refuses the others with Stripe's
//! `Received unknown parameter`, so that a typo never goes unnoticed.
//!
//! The parser is our own because no form crate for axum or serde reproduces Stripe's: nested brackets with
//! Rack's rules for `[]`, an empty text that unsets a field, and errors with Stripe's code, message and
//! `param`.

mod tree;

use serde_json::Value;

use super::StripeError;
use super::metadata::MetadataChange;
use tree::{Branch, Node};

/// The most bytes of parameters in a request.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most parameters in a request: a hundred line items with twenty fields each.
pub const MAX_PARAMETERS: usize = 2_000;
/// The most characters of a text, unless a parameter has its own limit (docs.stripe.com/api gives 5000 to
/// most).
pub const MAX_CHARACTERS: usize = 5_000;

/// The parameters of a request, or of one nested object in it, that were not taken out yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Params {
    /// The client's name for this object: `line_items[0]`; empty for the request itself.
    place: String,
    left: Branch,
}

/// What an update does to a field that can be unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldChange<T> {
    /// It is not mentioned: the field stays as it is.
    Keep,
    /// The empty text: the field loses its value.
    Unset,
    /// A new value.
    Set(T),
}

impl<T> FieldChange<T> {
    /// Applies the change.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Unset => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }

    /// The value for a new object.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Keep | Self::Unset => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl Params {
    /// Parses `application/x-www-form-urlencoded` bytes.
    ///
    /// # Errors
    /// When there are too many bytes or parameters, a name is malformed, or a name is both a text and an
    /// object.
    pub fn parse(bytes: &[u8]) -> Result<Self, StripeError> {
        if bytes.len() > MAX_BYTES {
            return Err(StripeError::unreadable(&format!("there are more than {MAX_BYTES} bytes of them.")));
        }
        let mut left = Branch::new();
        for (count, (name, value)) in form_urlencoded::parse(bytes).enumerate() {
            if count == MAX_PARAMETERS {
                return Err(StripeError::unreadable(&format!(
                    "there are more than {MAX_PARAMETERS} of them."
                )));
            }
            tree::insert(&mut left, &name, value.into_owned())?;
        }
        Ok(Self { place: String::new(), left })
    }

    /// The client's name for this parameter: `line_items[0][price]`.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.place) }
    }

    /// An optional text.
    ///
    /// # Errors
    /// When it is empty, longer than [`MAX_CHARACTERS`], or not a text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, StripeError> {
        match self.text_change(name)? {
            FieldChange::Keep => Ok(None),
            FieldChange::Unset => Err(StripeError::empty_parameter(&self.name(name))),
            FieldChange::Set(text) => Ok(Some(text)),
        }
    }

    /// A required text.
    ///
    /// # Errors
    /// As [`Self::text`], and when it is missing.
    pub fn required_text(&mut self, name: &str) -> Result<String, StripeError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text that an empty text unsets.
    ///
    /// # Errors
    /// When it is too long, or not a text.
    pub fn text_change(&mut self, name: &str) -> Result<FieldChange<String>, StripeError> {
        let place = self.name(name);
        match self.left.remove(name) {
            None => Ok(FieldChange::Keep),
            Some(Node::Text(text)) if text.is_empty() => Ok(FieldChange::Unset),
            Some(node) => node.text(&place).map(FieldChange::Set),
        }
    }

    /// A text, for a parameter that can also be an object. An object is left for [`Self::nested`].
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn text_unless_nested(&mut self, name: &str) -> Result<Option<String>, StripeError> {
        match self.left.get(name) {
            Some(Node::Text(_)) => self.text(name),
            Some(Node::Branch(_)) | None => Ok(None),
        }
    }

    /// One of a closed list of texts, each with its meaning.
    ///
    /// # Errors
    /// When it is not one of them.
    pub fn one_of<T: Clone>(&mut self, name: &str, allowed: &[(&str, T)]) -> Result<Option<T>, StripeError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match allowed.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(Some(meaning.clone())),
            None => {
                let words: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
                Err(StripeError::not_one_of(&self.name(name), &words))
            }
        }
    }

    /// An integer. Like Stripe, it accepts no fraction, exponent or space.
    ///
    /// # Errors
    /// When it is anything else, or does not fit into 64 bits.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, StripeError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        number.map(Some).ok_or_else(|| StripeError::wrong_type(&self.name(name), "integer", &text))
    }

    /// An integer of at least `least`.
    ///
    /// # Errors
    /// As [`Self::integer`], and when it is less.
    pub fn integer_from(&mut self, name: &str, least: i64) -> Result<Option<i64>, StripeError> {
        match self.integer(name)? {
            Some(number) if number < least => Err(StripeError::below(&self.name(name), least)),
            other => Ok(other),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, StripeError> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(StripeError::wrong_type(&self.name(name), "boolean", other)),
        }
    }

    /// A list of texts; empty when the parameter is missing.
    ///
    /// # Errors
    /// When it is not a list of texts.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, StripeError> {
        let place = self.name(name);
        let elements = self.elements(name)?;
        elements.into_iter().map(|(index, node)| node.text(&format!("{place}[{index}]"))).collect()
    }

    /// A nested object, read by `read` and then checked for unknown parameters.
    ///
    /// # Errors
    /// The errors of `read`, an unknown parameter, or a text instead of an object.
    pub fn nested<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Params) -> Result<T, StripeError>,
    ) -> Result<Option<T>, StripeError> {
        let place = self.name(name);
        self.left.remove(name).map(|node| node.read(place, read)).transpose()
    }

    /// A list of objects, each read by `read`; empty when the parameter is missing.
    ///
    /// # Errors
    /// As [`Self::nested`], for each.
    pub fn list<T>(
        &mut self,
        name: &str,
        mut read: impl FnMut(&mut Params) -> Result<T, StripeError>,
    ) -> Result<Vec<T>, StripeError> {
        let place = self.name(name);
        let elements = self.elements(name)?;
        elements.into_iter().map(|(index, node)| node.read(format!("{place}[{index}]"), &mut read)).collect()
    }

    /// `metadata`.
    ///
    /// # Errors
    /// When a key or a value is too long, or not a text.
    pub fn metadata(&mut self) -> Result<MetadataChange, StripeError> {
        let place = self.name("metadata");
        let branch = match self.left.remove("metadata") {
            None => return Ok(MetadataChange::Keep),
            Some(Node::Text(text)) if text.is_empty() => return Ok(MetadataChange::Clear),
            Some(node) => node.branch(&place, "object")?,
        };
        let entries = branch.into_iter().map(|(key, node)| match node {
            Node::Text(value) => Ok((key, value)),
            other => Err(other.wrong_type(&format!("{place}[{key}]"), "string")),
        });
        MetadataChange::set(entries.collect::<Result<_, StripeError>>()?, &place)
    }

    /// All parameters as texts, for objects without a closed list of fields.
    ///
    /// # Errors
    /// When one of them is too long, or not a text.
    pub fn all_texts(&mut self) -> Result<Vec<(String, String)>, StripeError> {
        let left = std::mem::take(&mut self.left);
        let texts = left.into_iter().map(|(name, node)| match node {
            Node::Text(text) if text.is_empty() => Ok((name, text)),
            node => {
                let place = self.name(&name);
                Ok((name, node.text(&place)?))
            }
        });
        texts.collect()
    }

    /// Takes out parameters that the emulator accepts and ignores, such as the page's language.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.left.remove(*name);
        }
    }

    /// Refuses parameters of Stripe's that the emulator cannot ignore without a wrong result.
    ///
    /// # Errors
    /// When one of them is present.
    pub fn refuse(&self, names: &[&str]) -> Result<(), StripeError> {
        match names.iter().find(|name| self.left.contains_key(**name)) {
            Some(name) => Err(StripeError::not_emulated(&self.name(name))),
            None => Ok(()),
        }
    }

    /// Whether every parameter was taken out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Ends reading.
    ///
    /// # Errors
    /// Stripe's `parameter_unknown`, when a parameter is left.
    pub fn finish(&self) -> Result<(), StripeError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(StripeError::unknown_parameter(&self.name(name))),
        }
    }

    /// The error about this parameter when it is missing.
    #[must_use]
    pub fn missing(&self, name: &str) -> StripeError {
        StripeError::missing_parameter(&self.name(name))
    }

    /// The elements of a list in order: `a[0]=`, `a[1]=`, or `a[]=`.
    fn elements(&mut self, name: &str) -> Result<Vec<(usize, Node)>, StripeError> {
        let place = self.name(name);
        let node = match self.left.remove(name) {
            None => return Ok(Vec::new()),
            Some(Node::Text(text)) if text.is_empty() => return Ok(Vec::new()),
            Some(node) => node,
        };
        let shown = node.json();
        let branch = node.branch(&place, "array")?;
        let numbered = branch.into_iter().map(|(key, node)| {
            let index = key.parse::<usize>();
            index
                .map(|index| (index, node))
                .map_err(|_| StripeError::wrong_type(&place, "array", &shown.to_string()))
        });
        let mut elements = numbered.collect::<Result<Vec<_>, StripeError>>()?;
        elements.sort_by_key(|(index, _)| *index);
        Ok(elements)
    }
}

impl Node {
    fn text(self, place: &str) -> Result<String, StripeError> {
        match self {
            Self::Text(text) if text.chars().count() > MAX_CHARACTERS => {
                Err(StripeError::too_long(place, &text, MAX_CHARACTERS))
            }
            Self::Text(text) => Ok(text),
            Self::Branch(_) => Err(self.wrong_type(place, "string")),
        }
    }

    fn branch(self, place: &str, expected: &'static str) -> Result<Branch, StripeError> {
        match self {
            Self::Branch(branch) => Ok(branch),
            Self::Text(_) => Err(self.wrong_type(place, expected)),
        }
    }

    fn read<T>(
        self,
        place: String,
        read: impl FnOnce(&mut Params) -> Result<T, StripeError>,
    ) -> Result<T, StripeError> {
        let left = self.branch(&place, "object")?;
        let mut params = Params { place, left };
        let value = read(&mut params)?;
        params.finish()?;
        Ok(value)
    }

    /// Stripe shows what it was given: `Invalid string: {"0":"wrong"}`.
    fn wrong_type(&self, place: &str, expected: &'static str) -> StripeError {
        match self {
            Self::Text(text) => StripeError::wrong_type(place, expected, text),
            Self::Branch(_) => StripeError::wrong_type(place, expected, &self.json().to_string()),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Branch(branch) => branch.iter().map(|(key, node)| (key.clone(), node.json())).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
