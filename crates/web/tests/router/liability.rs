//! The liability report, compared with the journal as read over HTTP, for past and present times.
//! `ledger` tests the cases of single lots.

use std::collections::BTreeMap;

use emulator::scenario::{Sale, event};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::deployment::{Deployment, ten_credits, terms};
use crate::tenant_client::TenantClient;
use crate::{OTHER, TENANT};

const DAY: i64 = 86_400;

async fn csv(tenant: &TenantClient, query: &str) -> String {
    let request = axum::http::Request::get(format!("/api/admin/reports/liability?{query}"))
        .header("authorization", format!("Bearer {}", tenant.deployment.operator));
    let answer = tenant.deployment.send_raw(request.body(axum::body::Body::empty()).unwrap()).await;
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Delivers a purchase whose price includes tax.
async fn sell(
    tenant: &TenantClient,
    buyer: &str,
    reference: &str,
    credits: u32,
    total: i64,
    tax: i64,
    currency: &str,
) {
    let sold = Sale {
        reference: reference.into(),
        metadata: terms(buyer, credits),
        amount: total,
        currency: currency.into(),
        created: tenant.deployment.now().seconds(),
        ..ten_credits()
    };
    let body = event("checkout.session.completed", &sold, "sold", None).unwrap().body;
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["data"]["object"]["total_details"] = json!({ "amount_tax": tax });
    tenant.deployment.learn(body.to_string()).await;
}

#[tokio::test]
async fn a_past_month_can_be_reported_later() {
    let tenant = TenantClient::new().await;
    // Ten credits for 250.00, of which three are spent. The guide's sale names no tax.
    tenant.spend("a", 3).await.data();
    sell(&tenant, OTHER, "taxed", 3, 12_000, 2_000, "usd").await;
    let end = tenant.deployment.now();
    tenant.deployment.pass(40 * DAY);
    tenant.spend("b", 2).await.data();
    let request = axum::http::Request::post("/api/admin/adjustments")
        .header("authorization", format!("Bearer {}", tenant.deployment.operator))
        .header("idempotency-key", "k");
    let body = json!({ "tenant_id": TENANT, "credits": 5, "reason": "r" }).to_string();
    tenant.deployment.send(request.body(axum::body::Body::from(body)).unwrap()).await.data();
    tenant.refund().await;

    let report =
        async |query: &str| tenant.deployment.look(&format!("/api/admin/reports/liability{query}")).await;
    let then = report("?as_of=2024-02-20").await;
    let ages = |credits: i64, deferred: i64, older: (i64, i64)| {
        let rest = ["91-180", "181-365", "over 365"]
            .map(|days| json!({ "days": days, "outstanding": 0, "deferred": 0 }));
        let mut ages = vec![
            json!({ "days": "0-30", "outstanding": credits, "deferred": deferred }),
            json!({ "days": "31-90", "outstanding": older.0, "deferred": older.1 }),
        ];
        ages.extend(rest);
        ages
    };
    let expected = json!({
        "as_of": "2024-02-20T23:59:59.999999Z", "transaction": 3,
        "currencies": [
            {
                "currency": "eur", "lots": 1,
                "credits": { "granted": 10, "used": 3, "refunded_unspent": 0, "refunded_spent": 0,
                    "outstanding": 7 },
                "money": { "net_price": 25_000, "recognised": 7_500, "refunded_unspent": 0,
                    "refunded_spent": 0,
                    "deferred": 17_500 },
                "ageing": ages(7, 17_500, (0, 0)),
            },
            {
                "currency": "usd", "lots": 1,
                "credits": { "granted": 3, "used": 0, "refunded_unspent": 0, "refunded_spent": 0,
                    "outstanding": 3 },
                "money": { "net_price": 10_000, "recognised": 0, "refunded_unspent": 0, "refunded_spent": 0,
                    "deferred": 10_000 },
                "ageing": ages(3, 10_000, (0, 0)),
            },
        ],
        "grants": {
            "lots": 0,
            "credits": { "granted": 0, "used": 0, "refunded_unspent": 0, "refunded_spent": 0,
                "outstanding": 0 },
        },
        "unpriced_credits": 0, "debts": [], "owed_credits": 0,
    });
    assert_eq!(then, expected);
    assert_eq!(report(&format!("?as_of={}", web::answer::rfc3339(end))).await["transaction"], 3);

    let now = report("?lots=true").await;
    let eur = &now["currencies"][0];
    // All ten were refunded: five spent, five not; the grant stood in for five.
    let credits =
        json!({ "granted": 10, "used": 5, "refunded_unspent": 5, "refunded_spent": 5, "outstanding": 0 });
    let money = json!({
        "net_price": 25_000, "recognised": 12_500, "refunded_unspent": 12_500, "refunded_spent": 12_500,
        "deferred": 0,
    });
    assert_eq!((&eur["credits"], &eur["money"]), (&credits, &money), "{now}");
    assert_eq!(now["currencies"][1]["ageing"], json!(ages(0, 0, (3, 10_000))));
    let grants =
        json!({ "granted": 5, "used": 5, "refunded_unspent": 0, "refunded_spent": 0, "outstanding": 0 });
    assert_eq!((&now["grants"]["credits"], &now["owed_credits"]), (&grants, &0.into()));
    assert_eq!(now["lots"].as_array().unwrap().len(), 3);

    let before = report("?as_of=2024-01-31").await;
    assert_eq!(json!([before["transaction"], before["currencies"]]), json!([0, []]));
    for (query, message) in
        [("?as_of=soon", "as_of must be a day such as"), ("?as_of=2024-02-31", "as_of must be")]
    {
        let answer = tenant
            .deployment
            .get(&format!("/api/admin/reports/liability{query}"), &tenant.deployment.operator)
            .await;
        assert!(answer.status == 422 && answer.text.contains(message), "{query} {}", answer.text);
    }
}

/// Purchases, spends and grants in random order; every total is then recomputed from the journal that other
/// routes show.
#[tokio::test]
async fn the_totals_match_the_journal() {
    let tenant = TenantClient::new().await;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(11);
    let mut next = |below: u64| random.random_range(0..below);
    for step in 0..120 {
        tenant.deployment.pass(DAY * i64::try_from(next(6)).unwrap());
        match next(5) {
            0 | 1 => {
                let (credits, total) = (next(40) + 1, i64::try_from(next(90_000)).unwrap() + 1);
                let currency = ["eur", "usd", "jpy"][next(3) as usize];
                let tax = total / 7;
                sell(&tenant, TENANT, &format!("p{step}"), credits as u32, total, tax, currency).await;
            }
            2 | 3 => drop(tenant.spend(&format!("s{step}"), next(30) as i64 + 1).await),
            _ => {
                let body = json!({ "tenant_id": TENANT, "credits": next(9) + 1, "reason": "r",
                    "priority": next(100) });
                let request = axum::http::Request::post("/api/admin/adjustments")
                    .header("authorization", format!("Bearer {}", tenant.deployment.operator))
                    .header("idempotency-key", format!("a{step}"));
                tenant
                    .deployment
                    .send(request.body(axum::body::Body::from(body.to_string())).unwrap())
                    .await
                    .data();
            }
        }
    }
    let report = tenant.deployment.look("/api/admin/reports/liability?lots=true").await;

    // The spent credits of each lot, from the postings.
    let mut spent: BTreeMap<i64, i64> = BTreeMap::new();
    for page in 1..=3 {
        for line in tenant.get(&format!("transactions?per_page=100&page={page}")).await.as_array().unwrap() {
            for posting in line["postings"].as_array().unwrap() {
                if posting["account"] == "consumed" {
                    *spent.entry(posting["lot"].as_i64().unwrap()).or_default() +=
                        posting["amount"].as_i64().unwrap();
                }
            }
        }
    }
    let mut prices: BTreeMap<String, (String, i64)> = BTreeMap::new();
    for payment in
        tenant.deployment.get("/api/payments?per_page=100", &tenant.key).await.data().as_array().unwrap()
    {
        let paid = payment["amount_paid"].as_i64().unwrap();
        // The first purchase names no tax.
        let tax = if paid == 25_000 { 0 } else { paid / 7 };
        let currency = payment["currency"].as_str().unwrap().to_owned();
        prices.insert(payment["id"].as_str().unwrap().to_owned(), (currency, paid - tax));
    }
    let mut totals: BTreeMap<String, [i64; 4]> = BTreeMap::new();
    for lot in tenant.get("lots?per_page=100").await.as_array().unwrap() {
        let Some(payment) = lot["payment"].as_str() else { continue };
        let (currency, price) = &prices[payment];
        let granted = lot["granted"].as_i64().unwrap();
        let used = spent.get(&lot["id"].as_i64().unwrap()).copied().unwrap_or_default();
        let total = totals.entry(currency.clone()).or_default();
        let recognised = price * used / granted;
        for (sum, one) in total.iter_mut().zip([*price, recognised, price - recognised, granted - used]) {
            *sum += one;
        }
    }
    assert_eq!(report["currencies"].as_array().unwrap().len(), totals.len());
    for currency in report["currencies"].as_array().unwrap() {
        let money = &currency["money"];
        let found = json!([
            money["net_price"],
            money["recognised"],
            money["deferred"],
            currency["credits"]["outstanding"]
        ]);
        assert_eq!(found, json!(totals[currency["currency"].as_str().unwrap()]), "{currency}");
        let aged = |field: &str| -> i64 {
            currency["ageing"].as_array().unwrap().iter().map(|age| age[field].as_i64().unwrap()).sum()
        };
        assert_eq!(
            json!([aged("deferred"), aged("outstanding")]),
            json!([money["deferred"], currency["credits"]["outstanding"]])
        );
    }

    // In the CSV, the lots add up to the totals.
    let table = csv(&tenant, "format=csv&lots=true").await;
    let rows: Vec<Vec<&str>> = table.split("\r\n").map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len() || row == &[""]), "{table}");
    let column = |name: &str| rows[0].iter().position(|heading| *heading == name).unwrap();
    for total in rows.iter().filter(|row| row[0] == "total") {
        for name in ["granted", "used", "outstanding", "net_price", "recognised", "deferred", "lots"] {
            let own = rows.iter().filter(|row| row[0] == "lot" && row[1] == total[1]);
            let sum: i64 = own.map(|row| row[column(name)].parse::<i64>().unwrap()).sum();
            assert_eq!(sum.to_string(), total[column(name)], "{name} {}", total[1]);
        }
    }
    let short = csv(&tenant, "format=csv").await;
    assert!(
        table.ends_with(short.split_once("\r\n").unwrap().1),
        "without lots, only their rows are missing"
    );
}

#[tokio::test]
async fn unrelated_payments_are_totalled_by_currency() {
    let deployment = Deployment::new().await;
    let charge = |id: &str, amount: i64, currency: &str| {
        format!(
            r#"{{"id":"evt_{id}","type":"charge.succeeded","created":1708425700,"data":{{"object":{{"id":"ch_{id}",
            "payment_intent":"pi_{id}","amount":{amount},"captured":true,"status":"succeeded","currency":"{currency}"}}}}}}"#
        )
    };
    for (id, amount, currency) in [("a", 900, "eur"), ("b", 1_100, "eur"), ("c", 500, "usd")] {
        deployment.learn(charge(id, amount, currency)).await;
    }
    let eur = json!({ "currency": "eur", "payments": 2, "amount": 2_000 });
    let usd = json!({ "currency": "usd", "payments": 1, "amount": 500 });
    assert_eq!(deployment.look("/api/admin/reports/unrelated").await, json!([eur, usd]));
    assert_eq!(deployment.look("/api/admin/quarantine?all=true").await, json!([]));
}
