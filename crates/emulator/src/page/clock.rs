//! Formats times and durations for people. All times are UTC, as in Stripe's dashboard exports.

/// `24 Nov 2026, 02:15:04 UTC`, from Unix seconds; a time beyond the calendar is shown as its number.
pub(super) fn moment(seconds: i64) -> String {
    written(seconds, "%-d %b %Y, %H:%M:%S UTC")
}

/// `24 Nov, 02:15:04`, for lists.
pub(super) fn short(seconds: i64) -> String {
    written(seconds, "%-d %b, %H:%M:%S")
}

fn written(seconds: i64, format: &str) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(moment) => moment.strftime(format).to_string(),
        Err(_) => seconds.to_string(),
    }
}

/// `in 5 min`, `in 2 h`, `in 1 day`: the time until `then`, in its largest unit, rounded up.
pub(super) fn until(now: i64, then: i64) -> String {
    let left = then.saturating_sub(now);
    let in_units = |size: i64| left.saturating_add(size - 1) / size;
    match left {
        ..=0 => "now".to_owned(),
        1..60 => format!("in {left} s"),
        60..3_600 => format!("in {} min", in_units(60)),
        3_600..86_400 => format!("in {} h", in_units(3_600)),
        _ if in_units(86_400) == 1 => "in 1 day".to_owned(),
        _ => format!("in {} days", in_units(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::{moment, short, until};

    #[test]
    fn times_are_utc() {
        assert_eq!(moment(1_795_486_504), "24 Nov 2026, 02:15:04 UTC");
        assert_eq!(short(0), "1 Jan, 00:00:00");
        assert_eq!(moment(i64::MAX), i64::MAX.to_string());
    }

    #[test]
    fn a_duration_is_shown_in_its_largest_unit() {
        for (left, told) in [
            (i64::MIN, "now"),
            (0, "now"),
            (59, "in 59 s"),
            (300, "in 5 min"),
            (301, "in 6 min"),
            (7_200, "in 2 h"),
            (86_400, "in 1 day"),
            (86_401, "in 2 days"),
        ] {
            assert_eq!(until(0, left), told);
        }
    }
}
