//! Our signatures against the official clients from npm and PyPI: each side accepts what the other signs, and
//! over many odd deliveries both give the same verdict, but for the differences that `deviations.rs` names.
//!
//! Not here: what we take a side on when the clients of other languages disagree (`crates/stripe/tests`).

mod cases;
mod deviations;

use cases::{Case, Random};
use deviations::{DEVIATIONS, Deviation};
use e2e::clients::{Client, Delivery};
use serde_json::json;
use stripe::Secret;
use stripe::signature::{SignatureFault, TOLERANCE_SECONDS, Verified, sign, verify};

const ID: &str = "evt_1NG8Du2eZvKYlo2CUI79vXWy";
const NOW: i64 = 1_790_000_000;
const OLD: &str = "whsec_before5Yw3ZkQmN8tR";
const NEW: &str = "whsec_after9Jd2LxVbH6pCe";

/// How a delivery ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Accept,
    Refuse,
}

fn both_clients() -> [Client; 2] {
    [Client::node(), Client::python()]
}

/// Events, as Stripe writes them and as JSON allows. All have the same id.
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
fn we_accept_what_the_clients_sign_before_during_and_after_a_roll() {
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
fn the_clients_accept_what_we_sign_before_during_and_after_a_roll() {
    for mut client in both_clients() {
        for body in bodies() {
            let mut check = |signers: &[&str], secret: &str, accepted: bool| {
                let header = sign(body.as_bytes(), NOW, &secrets(signers));
                let delivery =
                    Delivery { body: body.as_bytes(), header: header.as_bytes(), secret, now: NOW };
                let answer = client.construct(delivery);
                let right = match &answer {
                    Ok(id) => accepted && *id == json!(ID),
                    Err(reason) => !accepted && reason.contains("SignatureVerificationError"),
                };
                assert!(right, "{} on {header}, with {secret}: {answer:?}", client.name);
            };
            check(&[OLD], OLD, true);
            check(&[OLD, NEW], OLD, true);
            check(&[OLD, NEW], NEW, true);
            check(&[OLD], NEW, false);
        }
    }
}

#[test]
fn ten_thousand_odd_deliveries_get_the_verdict_of_the_clients_or_a_named_deviation() {
    let mut random = Random(1);
    let cases: Vec<Case> = (0..10_000).map(|_| Case::draw(&mut random)).collect();
    let ours: Vec<Verdict> = cases.iter().map(our_verdict).collect();
    for verdict in [Verdict::Accept, Verdict::Refuse] {
        let share = ours.iter().filter(|ours| **ours == verdict).count();
        assert!(share > 2_000, "only {share} cases end in {verdict:?}: the generator is lopsided");
    }
    for client in both_clients() {
        compare(client, &cases, &ours);
    }
}

/// Fails for a difference that no deviation explains, and for a deviation that alone explains none.
fn compare(mut client: Client, cases: &[Case], ours: &[Verdict]) {
    let mut unexplained = Vec::new();
    let rows: Vec<&Deviation> = DEVIATIONS.iter().filter(|row| row.clients.contains(&client.name)).collect();
    let mut alone = vec![0; rows.len()];
    for ((case, ours), (theirs, said)) in cases.iter().zip(ours).zip(their_verdicts(&mut client, cases)) {
        if *ours == theirs {
            continue;
        }
        let explains = |row: &&Deviation| row.ours == *ours && (row.explains)(case);
        let reasons: Vec<usize> = (0..rows.len()).filter(|index| explains(&rows[*index])).collect();
        match reasons.as_slice() {
            [] => unexplained.push(format!("{case}\n  we {ours:?}, {}: {said}\n", client.name)),
            [only] => alone[*only] += 1,
            _ => {}
        }
    }
    let (count, first) = (unexplained.len(), unexplained.first().map_or("", String::as_str));
    assert!(count == 0, "{count} differences from {} have no name, first:\n{first}", client.name);
    for (row, count) in rows.iter().zip(alone) {
        println!("{:>5} {}: {} ({:?})", count, client.name, row.name, row.ours);
        assert!(
            count > 0,
            "{} never differs by `{}`: is it still so that {}?",
            client.name,
            row.name,
            row.reason
        );
    }
}

fn our_verdict(case: &Case) -> Verdict {
    // A secret that is none stops the program before anything arrives.
    let Ok(secrets) = case.secrets.iter().map(|text| Secret::parse(text)).collect::<Result<Vec<_>, _>>()
    else {
        return Verdict::Refuse;
    };
    match verify(&case.body, Some(&case.header), &secrets, case.now, TOLERANCE_SECONDS) {
        Ok(_) => Verdict::Accept,
        Err(_) => Verdict::Refuse,
    }
}

/// The clients know one secret at a time: a handler that rolls one tries each. Returns what they said, too.
fn their_verdicts(client: &mut Client, cases: &[Case]) -> Vec<(Verdict, String)> {
    let deliveries = cases.iter().flat_map(|case| {
        let Case { body, header, now, .. } = case;
        case.secrets.iter().map(move |secret| Delivery { body, header, secret, now: *now })
    });
    let mut answers = client.verify(deliveries).into_iter();
    let judge = |case: &Case| {
        let answers: Vec<_> = answers.by_ref().take(case.secrets.len()).collect();
        let accepted = answers.iter().any(Result::is_ok);
        (if accepted { Verdict::Accept } else { Verdict::Refuse }, format!("{answers:?}"))
    };
    cases.iter().map(judge).collect()
}
