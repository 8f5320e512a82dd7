//! Text that is refused, and text that must be accepted.

use super::is_plain;

#[test]
fn what_cannot_be_seen_is_refused_and_no_language_is() {
    for plain in ["lease 7", "Čas 7 – é ü", "租约 7", "عقد ٧", "=1+1", " 7 ", "a\u{a0}b", "👍"] {
        assert!(is_plain(plain), "{plain:?}");
    }
    for hidden in [
        "",
        " ",
        "\u{a0}",
        "a\nb",
        "a\0",
        "\u{202e}7 esael",
        "a\u{200b}",
        "\u{feff}a",
        "a\u{2028}b",
        "a\u{2066}b",
    ] {
        assert!(!is_plain(hidden), "{hidden:?}");
    }
}
