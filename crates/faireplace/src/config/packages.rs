//! The catalogue: the checked `[[packages]]` of the file, and FairePlace's published packages for `dev`.

use engine::Package;
use ledger::{Credits, Minor};

use crate::failure::Failure;

/// One `[[packages]]` of the file.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPackage {
    pub(crate) name: String,
    pub(crate) credits: i64,
    pub(crate) price: i64,
    pub(crate) currency: String,
    /// The title for customers [default: the name with spaces for underscores].
    pub(crate) title: Option<String>,
    /// The id of a Price at Stripe; without one, each checkout names the amount.
    pub(crate) stripe_price: Option<String>,
}

/// FairePlace's published packages: name, credits, price in euro cents before tax.
const PUBLISHED: [(&str, i64, i64); 5] = [
    ("1_credit", 1, 3_000),
    ("5_credits", 5, 14_000),
    ("10_credits", 10, 25_000),
    ("25_credits", 25, 57_500),
    ("50_credits", 50, 100_000),
];

/// FairePlace's published packages, which `dev` sells if none are configured.
pub(crate) fn published() -> Vec<Package> {
    let package = |(name, credits, price): (&str, i64, i64)| Package {
        name: name.to_owned(),
        title: title_of(name),
        credits: Credits(credits),
        price: Minor(price),
        currency: "eur".to_owned(),
        stripe_price: None,
    };
    PUBLISHED.map(package).to_vec()
}

/// Characters of a name; Stripe accepts 500 in metadata.
const MAX_NAME_LENGTH: usize = 100;
/// Characters of a title.
const MAX_TITLE_LENGTH: usize = 250;
/// Characters of a Price's id.
const MAX_PRICE_LENGTH: usize = 255;

/// The packages of the file; at least one.
///
/// # Errors
/// Exit code 78, naming the package and what it should be.
pub(super) fn check(raw: &[RawPackage]) -> Result<Vec<Package>, Failure> {
    let mut packages: Vec<Package> = Vec::new();
    for one in raw {
        let package = read(one).map_err(|what| {
            Failure::configuration(format!("package `{}`: {what}", crate::terminal::shown(&one.name)))
        })?;
        if packages.iter().any(|other| other.name == package.name) {
            let name = &package.name;
            return Err(Failure::configuration(format!("package `{name}` is in the catalogue twice")));
        }
        packages.push(package);
    }
    if packages.is_empty() {
        return Err(Failure::configuration("the catalogue is empty: remove [[packages]], or add a package"));
    }
    Ok(packages)
}

fn read(raw: &RawPackage) -> Result<Package, &'static str> {
    if !is_label(&raw.name, MAX_NAME_LENGTH) {
        return Err("name must have 1 to 100 characters, such as 10_credits");
    }
    if !(1..=ledger::money::MAX_CREDITS_PER_PAYMENT).contains(&raw.credits) {
        return Err("credits must be from 1 to 1000000000");
    }
    if !(0..=1_000_000_000_000).contains(&raw.price) {
        return Err("price must be in minor units, such as 25000 for 250.00 EUR");
    }
    let currency = raw.currency.to_ascii_lowercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err("currency must be three letters, such as eur");
    }
    let title = raw.title.clone().unwrap_or_else(|| title_of(&raw.name));
    if !is_label(&title, MAX_TITLE_LENGTH) {
        return Err("title must have 1 to 250 characters, such as 10 credits");
    }
    let is_price = |id: &String| {
        id.starts_with("price_")
            && id.len() <= MAX_PRICE_LENGTH
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if raw.stripe_price.as_ref().is_some_and(|id| !is_price(id)) {
        return Err("stripe_price must be the id of a Price at Stripe (price_…), not of a product");
    }
    Ok(Package {
        name: raw.name.clone(),
        title,
        credits: Credits(raw.credits),
        price: Minor(raw.price),
        currency,
        stripe_price: raw.stripe_price.clone(),
    })
}

fn title_of(name: &str) -> String {
    name.replace('_', " ")
}

fn is_label(text: &str, length_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= length_max && !text.chars().any(char::is_control)
}
