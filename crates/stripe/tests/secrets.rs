//! Which texts are accepted as signing secrets, and that no secret is printed.

use stripe::{Secret, SecretFault};

#[test]
fn one_secret() {
    for (text, expected) in [
        ("whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH", Ok(())),
        ("whsec_test_secret", Ok(())),
        ("whsec_0123456789abcdef0123456789abcdef", Ok(())),
        ("webhook_secret", Ok(())),
        ("a", Ok(())),
        // Random secrets that begin like a placeholder.
        ("whsec_xxxWbX5kEWLlfzsGNjH64I8lOOqUB6e8", Ok(())),
        ("whsec_Your5WbX5kEWLlfzsGNjH64I8lOOqUB6", Ok(())),
        ("whsec_toDo5WbXxXxXkEWLlfzsGNjH64I8lOOq", Ok(())),
        ("", Err(SecretFault::Empty)),
        (" ", Err(SecretFault::Empty)),
        ("\t\r\n", Err(SecretFault::Empty)),
        ("whsec_test_secret\n", Err(SecretFault::Whitespace)),
        (" whsec_test_secret", Err(SecretFault::Whitespace)),
        ("whsec_test secret", Err(SecretFault::Whitespace)),
        ("whsec_test\u{a0}secret", Err(SecretFault::Whitespace)),
        ("\"whsec_test_secret\"", Err(SecretFault::Quote)),
        ("'whsec_test_secret'", Err(SecretFault::Quote)),
        ("`whsec_test_secret`", Err(SecretFault::Quote)),
        ("“whsec_test_secret”", Err(SecretFault::Quote)),
        ("whsec_test\0secret", Err(SecretFault::Character)),
        ("whsec_test\u{200b}secret", Err(SecretFault::Character)),
        ("whsec_test\u{1b}secret", Err(SecretFault::Character)),
        ("whsec_žofie", Err(SecretFault::Character)),
        ("whsec_one,whsec_two", Err(SecretFault::Character)),
        ("whsec_", Err(SecretFault::Placeholder)),
        ("whsec_...", Err(SecretFault::Placeholder)),
        ("whsec_…", Err(SecretFault::Placeholder)),
        ("whsec_xxx", Err(SecretFault::Placeholder)),
        ("whsec_xxxxxxxxxxxxxxxxxxxxxxxx", Err(SecretFault::Placeholder)),
        ("WHSEC_XXXXXXXX", Err(SecretFault::Placeholder)),
        ("whsec_your_secret_here", Err(SecretFault::Placeholder)),
        ("whsec_YOUR_WEBHOOK_SECRET", Err(SecretFault::Placeholder)),
        ("whsec_replace_me_with_your_secret", Err(SecretFault::Placeholder)),
        ("whsec_ThisIsAnExampleSecret0123", Err(SecretFault::Placeholder)),
        ("whsec_my-dummy-secret", Err(SecretFault::Placeholder)),
        ("whsec_TODO_paste_it_here", Err(SecretFault::Placeholder)),
        ("whsec_INSERT_SECRET_HERE", Err(SecretFault::Placeholder)),
        ("whsec_yourwebhooksecret", Err(SecretFault::Placeholder)),
        ("whsec_4rTq...DvGp", Err(SecretFault::Placeholder)),
        ("whsec_4rTqxxxxxxxx", Err(SecretFault::Placeholder)),
        ("whsec_***", Err(SecretFault::Placeholder)),
        ("whsec_0000000000", Err(SecretFault::Placeholder)),
        ("your_webhook_secret", Err(SecretFault::Placeholder)),
        ("changeme", Err(SecretFault::Placeholder)),
        ("ChangeMe", Err(SecretFault::Placeholder)),
        ("CHANGE_ME", Err(SecretFault::Placeholder)),
        ("placeholder", Err(SecretFault::Placeholder)),
        ("<whsec>", Err(SecretFault::Placeholder)),
        ("whsec_<secret>", Err(SecretFault::Placeholder)),
        ("${STRIPE_WEBHOOK_SECRET}", Err(SecretFault::Placeholder)),
        ("$STRIPE_WEBHOOK_SECRET", Err(SecretFault::Placeholder)),
        ("{{stripe_secret}}", Err(SecretFault::Placeholder)),
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", Err(SecretFault::OtherKind)),
        (concat!("rk_live_", "4eC39HqLyjWDarjtT1zdp7dc"), Err(SecretFault::OtherKind)),
        ("pk_test_TYooMQauvdEDq54NiTphI7jx", Err(SecretFault::OtherKind)),
        ("we_1PgafyB7WZ01zgkW", Err(SecretFault::OtherKind)),
    ] {
        assert_eq!(Secret::parse(text).map(|_| ()), expected, "{text:?}");
    }
}

#[test]
fn one_to_five_secrets_with_commas() {
    for (text, expected) in [
        ("whsec_a", Ok(vec!["whsec_a"])),
        ("whsec_a,whsec_b", Ok(vec!["whsec_a", "whsec_b"])),
        (
            "whsec_a,whsec_b,whsec_c,whsec_d,whsec_e",
            Ok(vec!["whsec_a", "whsec_b", "whsec_c", "whsec_d", "whsec_e"]),
        ),
        ("whsec_a,whsec_b,whsec_c,whsec_d,whsec_e,whsec_f", Err(SecretFault::TooMany)),
        ("", Err(SecretFault::Empty)),
        (",", Err(SecretFault::Empty)),
        ("whsec_a,", Err(SecretFault::Empty)),
        ("whsec_a,,whsec_b", Err(SecretFault::Empty)),
        ("whsec_a, whsec_b", Err(SecretFault::Whitespace)),
        ("whsec_a,whsec_...", Err(SecretFault::Placeholder)),
    ] {
        let secrets = Secret::parse_list(text);
        let read = secrets.as_ref().map(|list| list.iter().map(Secret::expose).collect::<Vec<_>>());
        assert_eq!(read.map_err(|fault| *fault), expected, "{text:?}");
    }
}

#[test]
fn no_secret_is_ever_printed() {
    let secrets = Secret::parse_list("whsec_hunter2,whsec_hunter3").unwrap();
    assert_eq!(format!("{secrets:?}"), "[Secret(…), Secret(…)]");
    assert_eq!(format!("{:#?}", secrets[0]), "Secret(…)");
    for text in ["whsec_hunter2 ", "'whsec_hunter2'", "<hunter2>", "sk_hunter2", "hunter2\u{7}"] {
        let fault = Secret::parse(text).unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains("hunter2"), "{fault}");
    }
}
