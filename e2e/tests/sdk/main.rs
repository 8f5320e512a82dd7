//! Our signatures and the official clients from npm and PyPI: each side accepts the other's signatures, and
//! for many malformed deliveries both give the same verdict, except for the differences in `deviations.rs`.
//!
//! Cases in which clients of other languages disagree are in `crates/stripe/tests`.

mod cases;
mod deviations;

use cases::Case;
use deviations::{DEVIATIONS, Deviation};
use e2e::clients::{Client, Delivery};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use serde_json::json;
use stripe::Secret;
use stripe::signature::{SignatureFault, TOLERANCE_SECONDS, Verified, sign, verify};

const ID: &str = "evt_1NG8Du2eZvKYlo2CUI79vXWy";
const NOW: i64 = 1_790_000_000;
const OLD: &str = "whsec_before5Yw3ZkQmN8tR";
const NEW: &str = "whsec_after9Jd2LxVbH6pCe";

/// The verdict on a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Accept,
    Reject,
}

fn both_clients() -> [Client; 2] {
    [Client::node(), Client::python()]
}

/// Bodies of events with the same id, as Stripe writes them and as JSON allows.
fn bodies() -> [String; 3] {
    let long = "é".repeat(100_000);
    let note = r#""crédits ≠ €, 点数, 🪙, \ud83d\ude00""#;
    [
        format!("{{\n  \"id\": \"{ID}\",\n  \"object\": \"event\"\n}}"),
        format!("{{\r\n\t\"id\":\"{ID}\",\"object\":\"event\",\"note\":{note}}}\r\n"),
        format!("{{\"id\":\"{ID}\",\"object\":\"event\",\"note\":\"{long}\"}}"),
    ]
}

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().map(|text| Secret::parse(text).unwrap()).collect()
}

#[test]
fn we_accept_the_clients_signatures_before_during_and_after_a_rotation() {
    for mut client in both_clients() {
        for body in bodies() {
            let header = client.sign(&body, OLD, NOW);
            let check = |known: &[&str], expected: Result<usize, SignatureFault>| {
                let verified =
                    verify(body.as_bytes(), Some(header.as_bytes()), &secrets(known), NOW, TOLERANCE_SECONDS);
                let expected = expected.map(|secret_index| Verified { timestamp: NOW, secret_index });
                assert_eq!(verified, expected, "{} signed {header}", client.name);
            };
            check(&[OLD], Ok(0));
            check(&[OLD, NEW], Ok(0));
            check(&[NEW, OLD], Ok(1));
            check(&[NEW], Err(SignatureFault::Mismatch));
        }
    }
}

#[test]
fn the_clients_accept_our_signatures_before_during_and_after_a_rotation() {
    for mut client in both_clients() {
        for body in bodies() {
            let mut check = |signers: &[&str], secret: &str, accepted: bool| {
                let header = sign(body.as_bytes(), NOW, &secrets(signers));
                let delivery =
                    Delivery { body: body.as_bytes(), header: header.as_bytes(), secret, now: NOW };
                let answer = client.construct(delivery);
                let expected = match &answer {
                    Ok(id) => accepted && *id == json!(ID),
                    Err(reason) => !accepted && reason.contains("SignatureVerificationError"),
                };
                assert!(expected, "{} on {header}, with {secret}: {answer:?}", client.name);
            };
            check(&[OLD], OLD, true);
            check(&[OLD, NEW], OLD, true);
            check(&[OLD, NEW], NEW, true);
            check(&[OLD], NEW, false);
        }
    }
}

#[test]
fn verdicts_on_10_000_malformed_deliveries_agree_except_for_named_deviations() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let cases: Vec<Case> = (0..10_000).map(|_| Case::draw(&mut random)).collect();
    let ours: Vec<Verdict> = cases.iter().map(our_verdict).collect();
    for verdict in [Verdict::Accept, Verdict::Reject] {
        let share = ours.iter().filter(|ours| **ours == verdict).count();
        assert!(share > 2_000, "only {share} cases are {verdict:?}: the generator is unbalanced");
    }
    for client in both_clients() {
        compare(client, &cases, &ours);
    }
}

/// Fails for a difference that no deviation explains, and for a deviation that is never the only explanation.
fn compare(mut client: Client, cases: &[Case], ours: &[Verdict]) {
    let mut unexplained = Vec::new();
    let rows: Vec<&Deviation> = DEVIATIONS.iter().filter(|row| row.clients.contains(&client.name)).collect();
    let mut alone = vec![0; rows.len()];
    for ((case, ours), (theirs, answers)) in cases.iter().zip(ours).zip(their_verdicts(&mut client, cases)) {
        if *ours == theirs {
            continue;
        }
        let explains = |row: &&Deviation| row.ours == *ours && (row.explains)(case);
        let reasons: Vec<usize> = (0..rows.len()).filter(|index| explains(&rows[*index])).collect();
        match reasons.as_slice() {
            [] => unexplained.push(format!("{case}\n  we {ours:?}, {}: {answers}\n", client.name)),
            [only] => alone[*only] += 1,
            _ => {}
        }
    }
    let (count, first) = (unexplained.len(), unexplained.first().map_or("", String::as_str));
    assert!(count == 0, "{count} unexplained differences from {}, the first:\n{first}", client.name);
    for (row, count) in rows.iter().zip(alone) {
        println!("{:>5} {}: {} ({:?})", count, client.name, row.name, row.ours);
        assert!(
            count > 0,
            "{} never differs by `{}`. Is this still true: {}?",
            client.name,
            row.name,
            row.reason
        );
    }
}

fn our_verdict(case: &Case) -> Verdict {
    // The program does not start with an invalid secret.
    let Ok(secrets) = case.secrets.iter().map(|text| Secret::parse(text)).collect::<Result<Vec<_>, _>>()
    else {
        return Verdict::Reject;
    };
    match verify(&case.body, Some(&case.header), &secrets, case.now, TOLERANCE_SECONDS) {
        Ok(_) => Verdict::Accept,
        Err(_) => Verdict::Reject,
    }
}

/// The clients accept one secret at a time: during a rotation, a handler tries each. Also returns their
/// answers.
fn their_verdicts(client: &mut Client, cases: &[Case]) -> Vec<(Verdict, String)> {
    let deliveries = cases.iter().flat_map(|case| {
        let Case { body, header, now, .. } = case;
        case.secrets.iter().map(move |secret| Delivery { body, header, secret, now: *now })
    });
    let mut answers = client.verify(deliveries).into_iter();
    let judge = |case: &Case| {
        let answers: Vec<_> = answers.by_ref().take(case.secrets.len()).collect();
        let accepted = answers.iter().any(Result::is_ok);
        (if accepted { Verdict::Accept } else { Verdict::Reject }, format!("{answers:?}"))
    };
    cases.iter().map(judge).collect()
}
