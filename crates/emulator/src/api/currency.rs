//! Stripe's currencies, with the smallest and the largest amount that can be charged
//! (docs.stripe.com/currencies). Amounts are minor units.

use crate::wire::{Params, StripeError};

/// The largest amount of one payment: eight digits.
const MAX_AMOUNT: i64 = 99_999_999;

const KNOWN: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd \
                     bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp \
                     gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw \
                     kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad \
                     ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek \
                     sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst \
                     xaf xcd xof xpf yer zar zmw";

/// The smallest amounts; 50 minor units where Stripe publishes no other.
const MIN_AMOUNTS: [(&str, i64); 21] = [
    ("aed", 200),
    ("bgn", 100),
    ("czk", 1_500),
    ("dkk", 250),
    ("gbp", 30),
    ("hkd", 400),
    ("huf", 17_500),
    ("jpy", 50),
    ("mxn", 1_000),
    ("myr", 200),
    ("nok", 300),
    ("pln", 200),
    ("ron", 200),
    ("sek", 300),
    ("thb", 1_000),
    ("bhd", 200),
    ("kwd", 200),
    ("krw", 700),
    ("vnd", 14_000),
    ("clp", 500),
    ("xof", 350),
];

/// `currency`, in lower case.
///
/// # Errors
/// When it is missing, or not a currency of Stripe's.
pub(super) fn read(params: &mut Params) -> Result<String, StripeError> {
    let currency = params.required_text("currency")?.to_ascii_lowercase();
    if KNOWN.split_ascii_whitespace().any(|known| known == currency) {
        return Ok(currency);
    }
    Err(StripeError::invalid(format!("Invalid currency: {}.", currency.chars().take(20).collect::<String>()))
        .param(params.name("currency")))
}

/// The amount, unless it is too large to be charged.
pub(super) fn not_too_large(amount: i64, param: &str) -> Result<i64, StripeError> {
    if amount > MAX_AMOUNT { Err(too_large(param)) } else { Ok(amount) }
}

/// The error about an amount that is too large.
pub(super) fn too_large(param: &str) -> StripeError {
    StripeError::amount_too_large(param, MAX_AMOUNT, "the currency")
}

/// Checks the total of a payment: zero, or between the smallest and the largest amount.
pub(super) fn chargeable(total: i64, currency: &str, param: &str) -> Result<(), StripeError> {
    let least = MIN_AMOUNTS.iter().find(|(name, _)| *name == currency).map_or(50, |(_, least)| *least);
    match total {
        0 => Ok(()),
        _ if total < least => Err(StripeError::amount_too_small(param, least, currency)),
        _ => not_too_large(total, param).map(drop),
    }
}
