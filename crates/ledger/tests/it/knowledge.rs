//! Joining knowledge is commutative, associative and idempotent, for any knowledge at all; and stored as JSON
//! it comes back the same.

use ledger::knowledge::{
    Charge, Claim, Dispute, DisputeOutcome, Refund, RefundRank, RefusedClaim, Ruling, Terms, Verdict,
};
use ledger::{Credits, EventId, Knowledge, Minor, ObjectId, Reason, Timestamp, Told};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::step::tenant;

fn joined(parts: &[&Knowledge]) -> Knowledge {
    let mut all = Knowledge::default();
    parts.iter().for_each(|part| all.join((*part).clone()));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn order_grouping_and_repetition_of_joins_make_no_difference(
        a in knowledge(), b in knowledge(), c in knowledge(),
    ) {
        let all = joined(&[&a, &b, &c]);
        prop_assert_eq!(&all, &joined(&[&c, &b, &a]));
        prop_assert_eq!(&all, &joined(&[&b, &a, &c]));
        prop_assert_eq!(&all, &joined(&[&a, &joined(&[&b, &c])]));
        prop_assert_eq!(&all, &joined(&[&all, &b, &a, &all]));
        prop_assert_eq!(&a, &joined(&[&a]), "nothing adds nothing");
    }

    #[test]
    fn what_is_stored_comes_back(known in knowledge()) {
        let text = serde_json::to_string(&known).unwrap();
        prop_assert_eq!(serde_json::from_str::<Knowledge>(&text).unwrap(), known, "{}", text);
    }
}

#[test]
fn what_is_not_known_takes_no_room() {
    assert_eq!(serde_json::to_string(&Knowledge::default()).unwrap(), "{}");
}

fn knowledge() -> impl Strategy<Value = Knowledge> {
    let names = (objects(), objects(), objects());
    let claims = (vec(claim(), 0..3), vec(refused(), 0..3), option::of(ruling()));
    let money = (
        btree_map(object(), charge(), 0..3),
        btree_map(object(), refund(), 0..3),
        btree_map(object(), dispute(), 0..3),
    );
    let money = (money, minor());
    (names, claims, money, any::<[bool; 5]>()).prop_map(|(names, claims, (money, tax), flags)| {
        let mut known = Knowledge {
            sessions: names.0,
            payment_intents: names.1,
            warnings: names.2,
            charges: money.0,
            refunds: money.1,
            disputes: money.2,
            ruling: claims.2,
            tax,
            paid: flags[0],
            completed: flags[1],
            expired: flags[2],
            async_failed: flags[3],
            unrelated: flags[4],
            ..Knowledge::default()
        };
        claims.0.into_iter().for_each(|claim| known.join_claim(claim));
        claims.1.into_iter().for_each(|claim| known.join_refused(claim));
        known
    })
}

fn object() -> impl Strategy<Value = ObjectId> {
    select(vec!["a", "b", "c"]).prop_map(ObjectId::from)
}

fn objects() -> impl Strategy<Value = std::collections::BTreeSet<ObjectId>> {
    btree_set(object(), 0..3)
}

fn minor() -> impl Strategy<Value = Minor> {
    prop_oneof![0..4_i64, Just(i64::MAX)].prop_map(Minor)
}

fn told() -> impl Strategy<Value = Told> {
    let event = select(vec!["evt_1", "evt_2"]).prop_map(EventId::from);
    (0..3_i64, event).prop_map(|(created, event)| Told { created, event })
}

fn terms() -> impl Strategy<Value = Terms> {
    let tenant = select(vec!["A", "B"]).prop_map(|letter| tenant(letter).unwrap());
    let package = option::of(Just("10_credits".to_owned()));
    let currency = option::of(Just("eur".to_owned()));
    (tenant, 1..3_i64, package, currency, option::of(minor())).prop_map(
        |(tenant, credits, package, currency, amount)| Terms {
            tenant,
            credits: Credits(credits),
            package,
            currency,
            amount,
        },
    )
}

fn claim() -> impl Strategy<Value = Claim> {
    (terms(), told()).prop_map(|(terms, told)| Claim { terms, told })
}

fn refused() -> impl Strategy<Value = RefusedClaim> {
    let reason = select(vec![Reason::TenantInvalid, Reason::PaymentStatusUnknown]);
    let someone = select(vec!["A", "B"]).prop_map(|letter| tenant(letter).unwrap());
    (reason, option::of(terms()), option::of(someone), option::of(minor()), told()).prop_map(
        |(reason, terms, tenant, amount, told)| RefusedClaim { reason, terms, tenant, amount, told },
    )
}

fn charge() -> impl Strategy<Value = Charge> {
    (minor(), minor(), any::<bool>(), any::<bool>())
        .prop_map(|(captured, refunded, succeeded, failed)| Charge { captured, refunded, succeeded, failed })
}

fn refund() -> impl Strategy<Value = Refund> {
    use RefundRank::{Canceled, Failed, Pending, Succeeded};
    (minor(), select(vec![Pending, Succeeded, Failed, Canceled]))
        .prop_map(|(amount, rank)| Refund { amount, rank })
}

fn dispute() -> impl Strategy<Value = Dispute> {
    use DisputeOutcome::{Lost, Open, Won};
    (minor(), minor(), any::<bool>(), select(vec![Open, Lost, Won])).prop_map(
        |(amount, reinstated, withdrawn, outcome)| Dispute { amount, outcome, withdrawn, reinstated },
    )
}

fn ruling() -> impl Strategy<Value = Ruling> {
    let verdict = prop_oneof![
        (1..3_i64)
            .prop_map(|credits| Verdict::Grant { tenant: tenant("A").unwrap(), credits: Credits(credits) }),
        Just(Verdict::Dismiss),
    ];
    (0..3_i64, select(vec!["ann", "bob"]), verdict).prop_map(|(at, by, verdict)| Ruling {
        at: Timestamp(at),
        by: by.to_owned(),
        reason: String::new(),
        verdict,
    })
}
