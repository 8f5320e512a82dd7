//! Joining knowledge is commutative, associative and idempotent, and knowledge round-trips through JSON.

use ledger::claim::{Amounts, Claim, ClaimSource, ClaimedTerms, Judgement};
use ledger::knowledge::{
    ChargeFacts, DisputeFacts, DisputeOutcome, Grant, RefundFacts, RefundRank, ReviewedFacts, Ruling, Verdict,
};
use ledger::{Credits, EventId, EventRef, Knowledge, Minor, ObjectId, Reason, Rounding, Timestamp};
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
        prop_assert_eq!(&a, &joined(&[&a]), "joining with nothing changes nothing");
    }

    #[test]
    fn knowledge_round_trips_through_json(known in knowledge()) {
        let text = serde_json::to_string(&known).unwrap();
        prop_assert_eq!(serde_json::from_str::<Knowledge>(&text).unwrap(), known, "{}", text);
    }
}

#[test]
fn empty_knowledge_serialises_to_an_empty_object() {
    assert_eq!(serde_json::to_string(&Knowledge::default()).unwrap(), "{}");
}

fn knowledge() -> impl Strategy<Value = Knowledge> {
    let names = (objects(), objects(), objects(), objects(), objects());
    let claims = (vec(claim(), 0..5), option::of(ruling()));
    let money = (
        btree_map(object(), charge(), 0..3),
        btree_map(object(), refund(), 0..3),
        btree_map(object(), dispute(), 0..3),
        btree_map(object(), minor(), 0..3),
    );
    let amounts = (minor(), [(); 3].map(|()| option::of(minor())), option::of(currency()));
    (names, claims, money, amounts, any::<[bool; 9]>()).prop_map(|(names, claims, money, amounts, flags)| {
        let mut known = Knowledge {
            sessions: names.0,
            payment_intents: names.1,
            warnings: names.2,
            invoices: names.3,
            subscriptions: names.4,
            charges: money.0,
            refunds: money.1,
            disputes: money.2,
            received: money.3,
            ruling: claims.1,
            tax: amounts.0,
            session_total: amounts.1[0],
            session_subtotal: amounts.1[1],
            requested: amounts.1[2],
            currency: amounts.2,
            paid: flags[0],
            completed: flags[1],
            expired: flags[2],
            async_failed: flags[3],
            session_without_terms: flags[4],
            invoice_paid: flags[5],
            status_unknown: flags[6],
            session_overdue: flags[7],
            reversal_overdue: flags[8],
            claims: Vec::new(),
        };
        claims.0.into_iter().for_each(|claim| known.join_claim(claim));
        known
    })
}

fn currency() -> impl Strategy<Value = String> {
    select(vec!["eur", "usd"]).prop_map(str::to_owned)
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

fn event_ref() -> impl Strategy<Value = EventRef> {
    let event = select(vec!["evt_1", "evt_2"]).prop_map(EventId::from);
    (0..3_i64, event).prop_map(|(created, id)| EventRef { created, id })
}

fn terms() -> impl Strategy<Value = ClaimedTerms> {
    let source = select(vec![
        ClaimSource::Session,
        ClaimSource::PaymentIntent,
        ClaimSource::Charge,
        ClaimSource::Invoice,
    ]);
    let letter = select(vec!["A", "B", "acme"]);
    let tenant = letter.prop_map(|name| tenant(name).map_or(name.to_owned(), |tenant| tenant.to_string()));
    let texts = (option::of(tenant), option::of(select(vec!["10_credits", "ten"])));
    let credits = option::of(select(vec!["1", "2", "no"]));
    let amounts = (option::of(minor()), option::of(minor()));
    (source, texts, credits, option::of(currency()), amounts, any::<[bool; 2]>()).prop_map(
        |(source, (tenant, package), credits, currency, (amount, subtotal), flags)| ClaimedTerms {
            source,
            tenant,
            package: package.map(str::to_owned),
            credits: credits.map(str::to_owned),
            currency,
            amount,
            subtotal,
            recurring: flags[0],
            unreadable: flags[1],
        },
    )
}

fn claim() -> impl Strategy<Value = Claim> {
    let rounding = select(vec![Rounding::Floor, Rounding::Ceil]);
    let tenant_id = select(vec!["A", "B"]).prop_map(|letter| tenant(letter).unwrap());
    let judgement = prop_oneof![
        Just(Judgement::Waiting),
        select(vec![Reason::TenantInvalid, Reason::Unlinked]).prop_map(Judgement::Rejected),
        (tenant_id, 1..3_i64, rounding).prop_map(|(tenant, credits, rounding)| Judgement::Accepted {
            tenant,
            credits: Credits(credits),
            rounding,
            price: None,
        }),
    ];
    let amounts =
        (option::of(minor()), option::of(minor())).prop_map(|(total, subtotal)| Amounts { total, subtotal });
    let session = option::of(amounts);
    (terms(), event_ref(), session, judgement).prop_map(|(terms, first, session, judgement)| Claim {
        terms,
        latest: first.clone(),
        first,
        session,
        judgement,
    })
}

fn charge() -> impl Strategy<Value = ChargeFacts> {
    (minor(), minor(), minor(), any::<bool>(), any::<bool>()).prop_map(
        |(amount, captured, refunded, succeeded, failed)| ChargeFacts {
            amount,
            captured,
            refunded,
            succeeded,
            failed,
        },
    )
}

fn refund() -> impl Strategy<Value = RefundFacts> {
    use RefundRank::{Canceled, Failed, Pending, Succeeded};
    (minor(), select(vec![Pending, Succeeded, Failed, Canceled]))
        .prop_map(|(amount, rank)| RefundFacts { amount, rank })
}

fn dispute() -> impl Strategy<Value = DisputeFacts> {
    use DisputeOutcome::{Lost, Open, Won};
    (minor(), minor(), any::<bool>(), select(vec![Open, Lost, Won])).prop_map(
        |(amount, reinstated, withdrawn, outcome)| DisputeFacts { amount, outcome, withdrawn, reinstated },
    )
}

fn ruling() -> impl Strategy<Value = Ruling> {
    let verdict = prop_oneof![
        (1..3_i64, option::of(minor()), option::of(currency()), option::of(object()), any::<bool>())
            .prop_map(|(credits, amount, currency, payment_intent, refunds_by_hand)| Verdict::Grant(Grant {
                tenant: tenant("A").unwrap(),
                credits: Credits(credits),
                amount,
                currency,
                payment_intent,
                refunds_by_hand,
                rounding: Rounding::Floor,
            })),
        Just(Verdict::Dismiss),
    ];
    (0..3_i64, select(vec!["ann", "bob"]), verdict).prop_map(|(at, by, verdict)| Ruling {
        at: Timestamp(at),
        by: by.to_owned(),
        reason: String::new(),
        verdict,
        answered: ReviewedFacts::default(),
    })
}
