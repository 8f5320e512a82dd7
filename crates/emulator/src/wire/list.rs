//! Pagination (docs.stripe.com/api/pagination): newest first, `limit`, `starting_after`, `ending_before`, and
//! the filter by `created`.

use serde_json::{Value, json};

use super::{Params, StripeError};

/// Items on a page unless `limit` says otherwise.
const DEFAULT_LIMIT: i64 = 10;
const MAX_LIMIT: i64 = 100;

/// The requested page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListParams {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
}

impl ListParams {
    /// Reads `limit`, `starting_after` and `ending_before`. Like Stripe, it clamps the limit to 1 to 100.
    ///
    /// # Errors
    /// When the limit is not an integer.
    pub fn read(params: &mut Params) -> Result<Self, StripeError> {
        let limit = params.integer("limit")?.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        Ok(Self {
            // It is between 1 and 100, so it fits.
            limit: usize::try_from(limit).unwrap_or_default(),
            starting_after: params.text("starting_after")?,
            ending_before: params.text("ending_before")?,
        })
    }

    /// The page of the items for which `keep` holds. A cursor may name an item for which it does not.
    ///
    /// # Errors
    /// When a cursor names no item, or both cursors are given. `noun` is Stripe's word for an item.
    pub fn page<T>(
        &self,
        noun: &str,
        oldest_first: impl DoubleEndedIterator<Item = T>,
        id: impl Fn(&T) -> &str,
        keep: impl Fn(&T) -> bool,
    ) -> Result<ListPage<T>, StripeError> {
        let missing = |cursor: &str, param: &str| StripeError::no_such(noun, cursor, param);
        let mut items = oldest_first;
        let data = match (&self.starting_after, &self.ending_before) {
            (Some(_), Some(_)) => {
                return Err(StripeError::invalid(
                    "Received both starting_after and ending_before parameters. Please pass in only one.",
                ));
            }
            (None, None) => self.cut(items.rev(), keep),
            (Some(cursor), None) => {
                let mut items = items.rev();
                items.find(|item| id(item) == cursor).ok_or_else(|| missing(cursor, "starting_after"))?;
                self.cut(items, keep)
            }
            // The page just before the cursor: collect towards the newest, then reverse.
            (None, Some(cursor)) => {
                items.find(|item| id(item) == cursor).ok_or_else(|| missing(cursor, "ending_before"))?;
                let mut page = self.cut(items, keep);
                page.data.reverse();
                page
            }
        };
        Ok(data)
    }

    fn cut<T>(&self, items: impl Iterator<Item = T>, keep: impl Fn(&T) -> bool) -> ListPage<T> {
        let mut data: Vec<T> = items.filter(keep).take(self.limit + 1).collect();
        let has_more = data.len() > self.limit;
        data.truncate(self.limit);
        ListPage { data, has_more }
    }
}

/// One page, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage<T> {
    /// The items.
    pub data: Vec<T>,
    /// Whether there are more items in the direction of the cursor.
    pub has_more: bool,
}

impl<T> ListPage<T> {
    /// Stripe's list object; `url` is the path of the list.
    pub fn render(&self, url: &str, item: impl Fn(&T) -> Value) -> Value {
        let data: Vec<Value> = self.data.iter().map(item).collect();
        json!({ "object": "list", "data": data, "has_more": self.has_more, "url": url })
    }
}

/// `created=…` or `created[gt|gte|lt|lte]=…`, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    from: i64,
    to: i64,
}

impl Created {
    /// Reads the filter; without one, every time passes.
    ///
    /// # Errors
    /// When a bound is not an integer, or has an unknown name.
    pub fn read(params: &mut Params) -> Result<Self, StripeError> {
        if let Some(exactly) = params.text_unless_nested("created")? {
            let at = exactly.parse().map_err(|_| StripeError::wrong_type("created", "integer", &exactly))?;
            return Ok(Self { from: at, to: at });
        }
        let bounds = params.nested("created", |bounds| {
            let after = bounds.integer("gt")?.map_or(i64::MIN, |gt| gt.saturating_add(1));
            let before = bounds.integer("lt")?.map_or(i64::MAX, |lt| lt.saturating_sub(1));
            Ok(Self {
                from: bounds.integer("gte")?.unwrap_or(i64::MIN).max(after),
                to: bounds.integer("lte")?.unwrap_or(i64::MAX).min(before),
            })
        })?;
        Ok(bounds.unwrap_or(Self { from: i64::MIN, to: i64::MAX }))
    }

    /// Whether this time passes.
    #[must_use]
    pub fn contains(self, created: i64) -> bool {
        (self.from..=self.to).contains(&created)
    }
}

#[cfg(test)]
mod tests;
