//! Formats amounts from integers of minor units: `€1,234.50`, `¥500`, `KWD 1.250`. It splits the digits and
//! never divides.

/// Currencies whose amounts Stripe counts in whole units (docs.stripe.com/currencies#zero-decimal).
const ZERO_DECIMAL: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
];

/// Currencies whose amounts Stripe counts in thousandths (docs.stripe.com/currencies#three-decimal).
const THREE_DECIMAL: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];

/// `amount` minor units of `currency` (three letters, of either case).
pub(super) fn money(amount: i64, currency: &str) -> String {
    let currency = currency.to_ascii_lowercase();
    let decimals = if ZERO_DECIMAL.contains(&currency.as_str()) {
        0
    } else if THREE_DECIMAL.contains(&currency.as_str()) {
        3
    } else {
        2
    };
    let digits = format!("{:0>width$}", amount.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    let sign = if amount < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}{}{point}{fraction}", symbol(&currency), grouped(whole))
}

/// Digits with a comma at every thousand.
pub(super) fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn symbol(currency: &str) -> String {
    match currency {
        "usd" => "$".to_owned(),
        "eur" => "€".to_owned(),
        "gbp" => "£".to_owned(),
        "jpy" => "¥".to_owned(),
        other => format!("{}\u{a0}", other.to_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (amount, currency, written) in [
            (4900, "eur", "€49.00"),
            (5, "usd", "$0.05"),
            (0, "usd", "$0.00"),
            (123_456_789, "usd", "$1,234,567.89"),
            (500, "jpy", "¥500"),
            (1_000_000, "JPY", "¥1,000,000"),
            (1250, "kwd", "KWD\u{a0}1.250"),
            (7, "bhd", "BHD\u{a0}0.007"),
            (500, "ugx", "UGX\u{a0}5.00"),
            (-2450, "gbp", "\u{2212}£24.50"),
            (i64::MIN, "xof", "\u{2212}XOF\u{a0}9,223,372,036,854,775,808"),
            (100_000, "chf", "CHF\u{a0}1,000.00"),
        ] {
            assert_eq!(money(amount, currency), written);
        }
    }
}
