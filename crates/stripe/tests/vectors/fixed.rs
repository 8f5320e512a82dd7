//! Fixed vectors, computed with two independent HMAC tools: secret, `t`, body, `v1`.

use crate::case::{A, A_BOM, A_CRLF, A_LF, B, ROLLED, S, V2, reference};
use stripe::signature::{SignatureFault, Verified, sign, verify};
use stripe::{Secret, SecretFault};

const EVT: &[u8] = br#"{"id":"evt_test"}"#;
const NOT_JSON: &[u8] = b"this is not valid JSON";
const BROKEN: &[u8] = b"} I am not valid JSON; 123][";
const UNICODE: &[u8] = "{\"name\":\"Žofie 😀\"}".as_bytes();
const S_NEWLINE: &str = "whsec_test_secret\n";

#[rustfmt::skip]
const VECTORS: &[(&str, i64, &[u8], &str)] = &[
    (S, 12345, A, "2672d138c9a412830f3bfe2ecc5bfb3277cf6f5b49d0119d77dd6cb64da1257e"),
    (S, 1700000000, A, "4f1cd7feda9826e746b7d482c4badebb657398df1099e1046364f6196a230150"),
    (S, 1, A, "6bfccef559c1ba04db4d23089d8f1bd00bbf8563f05d085d9d515dd786516316"),
    (S, 11, A, "95185059b6cc841b14dc29757bfa6e2209fd677cdcf886d6a68411fa8f3b0bab"),
    (S, 19985, A, "934adb23c2f58f64deab2c89db028b0af45bad688e46d3e88bd2d21cbb83ab21"),
    (S, 19991, A, "005ec3d9ed97031e44c771ed3a6fdd7e6e5a2ebe43d1c23e407cb00074ff60aa"),
    (S, 1234567890, A, "45969f456b3331a0f76e237ed33423d5f758908f1f0432d30e7d45ba89bb9edd"),
    (S, 1699999700, A, "c4a6381e4e047fc6df72b8469e73152bdaf5c87c7c81f847415c6ecde47b8190"),
    (S, 1699999699, A, "7fe80edc955ab876f09b7e4f44300802d1f24b49b823bf67cf1ed519b17dac19"),
    (S, 1700000300, A, "a58f0a32adf54369a341a33be4b6e7ba586760d49549ce2154625bb05397e43d"),
    (S, 1700000301, A, "a197fe4cf0d48ceeb5118b3a7de8d5d61b8e8367b8ee94a532901ad81d5f90e3"),
    (S, 4102444800, A, "56d19262ca97b176b8d9acf944f2703d5332b4794271b88bc3040d9a9fc332f6"),
    (ROLLED, 1700000000, A, "dc80d0334b78e0dbbc3d5352c151a428b746163b94ad381096bb293b9e650f1e"),
    ("test_secret", 1700000000, A, "81d2dbbf6b6f7a35b1aad135f5871c81c7ac8e13f5c55b0236c9dcb3dbeb94ea"),
    (S_NEWLINE, 1700000000, A, "9753c5b2f646419d395e4024b84d29a179493d1bbaa1bc1b384aefacde13738b"),
    ("", 1700000000, A, "93d7da3c9798a96e4536e9aec3dbab614a9e6b5a9b595375af6956516a501688"),
    (S, 12345, A_LF, "1310e5c6e810e0eaf18b391399553d10d901d9f21024cffb28c2bbfd06ae9204"),
    (S, 1700000000, A_LF, "d3c4aa0a1a511b40677c569aa6fe7b4be56341c01e8cb0a8a41f84d64daf520b"),
    (S, 1700000000, A_CRLF, "9699643a59d7f944696bac7db1885c77c2607a27eefd28f0017a966ac1f247d8"),
    (S, 1700000000, A_BOM, "7715d679f9ef7de40854945eff829ce0126c9e5c26cc7792d6917dda9eaa30b5"),
    (S, 12345, B, "07b1ede164afb7b5de91267ffa656f568c65d6e0783ce0ac55ee094643578eda"),
    (S, 1700000000, B, "3bfab77baf5f7b6991a46c9b53b6547d7afc56148b10468fcad9f35c1992ffbd"),
    (S, 12345, NOT_JSON, "ef44cdc502904448f4ccf6bce2b0afe39b14e5d5ebfaf5778738e4b87fa643f6"),
    (S, 1700000000, NOT_JSON, "3fa12e00c43599d0fb01131fe7ea14cf2b14a671c09b15a72db83cbbc5fb1ff8"),
    (S, 12345, BROKEN, "a168690f9dbd729db55bad25b47db4dbb47d4840668ff7f56d72460592056cba"),
    (S, 1700000000, BROKEN, "f51cb471b499dfae7485cba9aa31df6549b8e098e60f2a2d2a42829d963fe5a4"),
    (S, 12345, V2, "51a4450fce426cd94d28776ed69dce68d5d8d87764b5f29481b00419dcee68a0"),
    (S, 1700000000, V2, "2e9907b86bd8b30dc77479f23ea15bef249d77d5996beeb506ba17dbdf15962c"),
    (S, 12345, b"{}", "c9a60c1eb8eee7a6d5d12198b186729a423ee2768f853894ec8806ca74610d05"),
    (S, 1700000000, b"{}", "ceb8863f7208fa249a6cd8f951e993c7563412aca65866f6272283debe143ab3"),
    (S, 12345, EVT, "46b10ff2aafbe375ecfe64a1c06bbe1ebbb4ac6af6f261ad30f186d69b0f8d35"),
    (S, 1700000000, EVT, "13941114bb88ac44a76abcfddea5b92aa6182a4b63d8be3aae908a616083bd7e"),
    ("whsec_test", 1700000000, EVT, "14c4f43763339dcb1c15f41a1ff31a94f2f09f8de278f8b4392ca0d7cbcd257e"),
    (S, 1700000000, b"", "316b9ab98c15bfa039d243f3196acee619cf29749a91a634e6a8154e2f7b6727"),
    (S, 1700000000, UNICODE, "6fbf315f04d6d3b23fc4884785aa0195de3bbc49b3baf3be30b243034c8d91b3"),
    (S, 1700000000, b"{\"n\":\"\xFF\"}", "d1c3761909fc268b83a818a91a120e766c2495aab9e47eb4f5db7786739a1265"),
    ("test_secret", 1700000000, b"{}", "c561c5814cba8a0cd366ee43292d205cf59c9635ad120894be1ef80c0af72b76"),
    ("webhook_secret", 1533204620, b"{}", "ce7c8ae9028c255f3569f6bc3149d2ee7025705423b340b062ceba8081df3f7f"),
];

#[test]
fn bodies_have_the_published_lengths() {
    assert_eq!([A, A_LF, B, V2].map(<[u8]>::len), [51, 52, 125, 59]);
}

#[test]
fn every_vector_is_reproduced_and_accepted() {
    for (text, t, body, v1) in VECTORS {
        assert_eq!(reference(text, &t.to_string(), body), *v1, "{text:?} at {t}");
        let header = format!("t={t},v1={v1}");
        let Ok(secret) = Secret::parse(text) else { continue };
        assert_eq!(sign(body, *t, std::slice::from_ref(&secret)), header);
        let verified = verify(body, Some(header.as_bytes()), &[secret], *t, 0);
        assert_eq!(verified, Ok(Verified { timestamp: *t, secret_index: 0 }), "{text:?} at {t}");
    }
}

#[test]
fn a_vector_of_one_secret_fits_no_other() {
    let foreign = VECTORS.iter().filter(|(text, ..)| *text != S);
    let secrets = [Secret::parse(S).unwrap()];
    for (text, t, body, v1) in foreign {
        let header = format!("t={t},v1={v1}");
        let verified = verify(body, Some(header.as_bytes()), &secrets, *t, 0);
        assert_eq!(verified, Err(SignatureFault::Mismatch), "{text:?} at {t}");
    }
}

#[test]
fn the_two_that_are_no_secrets_are_refused() {
    assert_eq!(Secret::parse("").unwrap_err(), SecretFault::Empty);
    assert_eq!(Secret::parse(S_NEWLINE).unwrap_err(), SecretFault::Whitespace);
}
