//! A machine's clock that is wrong for a while, through the real routes, loops and store: nothing expires,
//! no wrong date is stored, every key keeps working, and health and status report the fault.
//! `engine::clock` tests when the clock is in doubt.

use axum::http::Method;
use emulator::scenario::{Sale, event};
use engine::clock::ClockKeeper;
use engine::{Pruner, Sweeper};
use ledger::Timestamp;
use serde_json::{Value, json};
use web::Limits;

use crate::answer::Answer;
use crate::deployment::{NOW, ten_credits};
use crate::tenant_client::TenantClient;
use crate::{GUIDE_SAMPLE, TENANT};

const DAY: i64 = 86_400;
/// How far ahead the clock is, in seconds.
const AHEAD: i64 = 30 * DAY;

/// A tenant with 10 bought credits, 50 that an operator granted for 20 days, and a hold of 4.
struct Shop {
    client: TenantClient,
    sweeper: Sweeper,
    pruner: Pruner,
    keeper: ClockKeeper,
    hold: String,
}

impl Shop {
    async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Self {
        let client = TenantClient::with(limits).await;
        let app = &client.deployment.app;
        let sweeper = Sweeper { store: app.store.clone() };
        let pruner = Pruner { store: app.store.clone(), keep_days: 7 };
        let keeper = ClockKeeper::new(app.clock.clone(), app.store.clone(), None);
        let mut shop = Self { client, sweeper, pruner, keeper, hold: String::new() };
        shop.grant(50, 20).await;
        shop.hold = shop.client.hold("lease", 4).await;
        shop.run_loops().await;
        shop
    }

    /// An operator grants credits that expire after this many days of the service's time.
    async fn grant(&self, credits: i64, days: i64) {
        let expires_at = web::answer::rfc3339(self.client.deployment.now().plus_seconds(days * DAY));
        let body =
            json!({ "tenant_id": TENANT, "credits": credits, "reason": "r", "expires_at": expires_at });
        let path = "/api/admin/adjustments";
        let bearer = format!("Bearer {}", self.client.deployment.operator);
        let request = axum::http::Request::post(path)
            .header("authorization", bearer)
            .header("idempotency-key", format!("grant-{credits}"));
        let answer = self.client.deployment.send(request.body(body.to_string().into()).unwrap()).await;
        assert_eq!(answer.data()["state"], "done");
    }

    /// Runs every background loop until it has nothing left to do now.
    async fn run_loops(&mut self) {
        self.keeper.step().await.unwrap();
        let clock = &self.client.deployment.app.clock;
        for _ in 0..3 {
            self.sweeper.step(clock.reading()).await.unwrap();
        }
        self.pruner.step(clock.reading()).await.unwrap();
        self.client.deployment.apply().await;
    }

    async fn health(&self) -> (String, Value) {
        let answer = self.client.deployment.request(Method::GET, "/api/health", None, "").await;
        let health = answer.data();
        (health["status"].as_str().unwrap().to_owned(), health["reasons"].clone())
    }

    async fn clock(&self) -> Value {
        self.client.deployment.look("/api/admin/clock").await
    }

    async fn hold_state(&self) -> Value {
        self.client.get(&format!("holds/{}", self.hold)).await["state"].clone()
    }

    /// The time of each journal entry, in seconds after `NOW`, oldest first.
    async fn dates(&self) -> Vec<i64> {
        let rows = self.client.get("transactions?per_page=100&sort=created_at").await;
        let at = |row: &Value| row["created_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        rows.as_array().unwrap().iter().map(|row| at(row).as_second() - NOW).collect()
    }

    async fn notices(&self) -> usize {
        self.client.deployment.app.store.notices(None, 0, 1000).await.unwrap().len()
    }

    /// Delivers a purchase that Stripe signed this many seconds after `NOW`.
    async fn sold(&self, reference: &str, signed: i64) -> Answer {
        let sold = Sale { reference: reference.into(), ..ten_credits() };
        let body = event("checkout.session.completed", &sold, "buy", None).unwrap().body;
        self.client.deployment.deliver_at(Timestamp::from_seconds(NOW + signed), body).await
    }

    async fn confirm(&self, time: &str) -> Answer {
        let body = json!({ "time": time, "reason": "compared with the wall of the office" });
        self.client.deployment.post("/api/admin/clock/confirm", &body).await
    }
}

fn degraded(reason: &str) -> (String, Value) {
    ("degraded".to_owned(), json!([reason]))
}

fn ok() -> (String, Value) {
    ("ok".to_owned(), json!([]))
}

/// The clock is 30 days ahead while one command runs. A bug of this kind once expired 50 credits.
#[tokio::test]
async fn a_clock_that_is_briefly_ahead_expires_nothing() {
    let mut shop = Shop::with(Limits { requests_per_hour: 20, ..Limits::default() }).await;
    assert_eq!((shop.health().await, shop.client.balance().await), (ok(), [56, 4, 0, 0]));
    shop.client.deployment.pass(10);
    let notices = shop.notices().await;

    shop.client.deployment.jump(AHEAD);
    assert_eq!(shop.client.spend("ahead", 1).await.data()["balance_after"]["available"], 55);
    shop.run_loops().await;
    shop.client.deployment.pass(1);
    shop.run_loops().await;
    assert_eq!(shop.health().await, degraded("clock_in_doubt"));
    assert_eq!(shop.client.balance().await, [55, 4, 0, 0]);
    assert_eq!(shop.hold_state().await, "open");
    assert_eq!(shop.notices().await, notices + 1, "one for the spend; none was pruned");
    let status = shop.client.deployment.look("/api/admin/status").await;
    assert_eq!(status["clock"]["state"], "in_doubt");

    shop.client.deployment.jump(-AHEAD);
    shop.run_loops().await;
    assert_eq!((shop.health().await, shop.clock().await["state"].clone()), (ok(), json!("trusted")));
    shop.grant(7, 10).await;
    shop.run_loops().await;
    assert_eq!(shop.client.balance().await, [62, 4, 0, 0], "the new credits stay");
    assert_eq!(shop.hold_state().await, "open");
    assert_eq!(shop.dates().await, [0, 0, 0, 10, 11]);

    // The tenant's rate limit window still lasts one hour.
    let mut last = None;
    for _ in 0..20 {
        last = Some(shop.client.deployment.get("/api/credits/balance", &shop.client.key).await);
    }
    let refused = last.unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, "3589"));
    shop.client.deployment.pass(3589);
    assert_eq!(shop.client.balance().await, [62, 4, 0, 0]);

    // The grants and the hold expire at their own times.
    shop.client.deployment.pass(10 * DAY);
    shop.run_loops().await;
    assert_eq!(shop.client.balance().await, [55, 4, 0, 0]);
    shop.client.deployment.pass(4 * DAY);
    shop.run_loops().await;
    assert_eq!((shop.client.balance().await, shop.hold_state().await), ([59, 0, 0, 0], json!("expired")));
    shop.client.deployment.pass(6 * DAY);
    shop.run_loops().await;
    assert_eq!(shop.client.balance().await, [10, 0, 0, 0], "only the purchase is left");
    shop.client.deployment.check_books().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nothing() {
    let mut shop = Shop::new().await;
    shop.client.deployment.pass(5 * DAY);
    shop.run_loops().await;
    shop.client.deployment.jump(-10 * DAY);
    assert_eq!(shop.client.spend("behind", 1).await.status, 200);
    shop.run_loops().await;
    assert_eq!(shop.health().await, degraded("clock_in_doubt"));
    let clock = shop.clock().await;
    assert_eq!((&clock["reason"], &clock["difference_seconds"]), (&json!("jumped"), &json!(-10 * DAY)));
    // Stripe signs by its own clock, which is right: the event is accepted, and settles which time is right.
    assert_eq!(shop.sold("behind", 5 * DAY - 1).await.status, 200);
    shop.run_loops().await;
    assert_eq!(shop.health().await, degraded("wall_clock_wrong"));
    shop.client.deployment.pass(9 * DAY);
    shop.run_loops().await;
    assert_eq!((shop.client.balance().await, shop.hold_state().await), ([69, 0, 0, 0], json!("expired")));
    assert_eq!(shop.dates().await, [0, 0, 0, 5 * DAY, 5 * DAY, 14 * DAY]);
    shop.client.deployment.jump(10 * DAY);
    shop.run_loops().await;
    assert_eq!(shop.health().await, ok());
    shop.client.deployment.check_books().await;
}

#[tokio::test]
async fn nothing_is_pruned_while_the_clock_is_in_doubt() {
    let mut shop = Shop::new().await;
    let notices = shop.notices().await;
    shop.client.deployment.jump(AHEAD);
    shop.client.deployment.pass(8 * DAY);
    shop.run_loops().await;
    assert_eq!((shop.health().await, shop.notices().await), (degraded("clock_in_doubt"), notices));
    shop.client.deployment.jump(-AHEAD);
    shop.run_loops().await;
    assert_eq!((shop.health().await, shop.notices().await), (ok(), 0), "they are older than `keep_days`");
}

#[tokio::test]
async fn a_new_event_settles_which_time_is_right() {
    let mut shop = Shop::new().await;
    shop.client.deployment.jump(AHEAD);
    // The clock was in fact a month behind before the jump.
    assert_eq!(shop.sold("a", AHEAD - 2).await.status, 200);
    assert_eq!((shop.health().await, shop.clock().await["state"].clone()), (ok(), json!("trusted")));
    shop.run_loops().await;
    assert_eq!((shop.client.balance().await, shop.hold_state().await), ([20, 0, 0, 0], json!("expired")));
    // From then on, a stale signature is refused as usual.
    assert_eq!(shop.sold("b", 0).await.status, 400);
    shop.client.deployment.check_books().await;
}

/// Nothing is signed in the future, so an event that fits the later of two times corrects the decision.
#[tokio::test]
async fn a_doubt_that_was_settled_wrongly_is_corrected() {
    // The clock goes back a day, and the first event to arrive was signed a day ago.
    let shop = Shop::new().await;
    shop.client.deployment.jump(-DAY);
    assert_eq!(shop.sold("late", -DAY).await.status, 200);
    assert_eq!(shop.clock().await["state"], "trusted");
    assert_eq!(shop.sold("a", 0).await.status, 200);
    assert_eq!(shop.clock().await["state"], "kept");
    assert_eq!(shop.sold("b", 2).await.status, 200);
    assert_eq!(shop.health().await, degraded("wall_clock_wrong"));
    shop.client.deployment.check_books().await;
    // The machine was paused for an hour while it was reading a webhook.
    let shop = Shop::new().await;
    shop.client.deployment.jump(3600);
    assert_eq!(shop.sold("half read", 0).await.status, 200);
    assert_eq!(shop.clock().await["state"], "kept");
    assert_eq!(shop.sold("a", 3600).await.status, 200);
    assert_eq!((shop.health().await, shop.clock().await["state"].clone()), (ok(), json!("trusted")));
    shop.client.deployment.check_books().await;
}

#[tokio::test]
async fn a_known_event_settles_nothing() {
    let mut shop = Shop::new().await;
    let deployment = &shop.client.deployment;
    assert_eq!(deployment.deliver(GUIDE_SAMPLE).await.status, 200);
    let header = stripe::signature::sign(
        GUIDE_SAMPLE.as_bytes(),
        NOW,
        &[stripe::Secret::parse(crate::deployment::SECRET).unwrap()],
    );
    deployment.pass(3 * DAY);
    // An attacker turns the clock back and replays the recorded delivery.
    deployment.jump(-3 * DAY);
    assert_eq!(deployment.webhook(&header, GUIDE_SAMPLE).await.text, r#"{"received":true}"#);
    shop.run_loops().await;
    assert_eq!(shop.health().await, degraded("clock_in_doubt"));
    let deliveries = shop.client.deployment.look("/api/admin/events/evt_1234567890").await["event"].clone();
    assert_eq!(deliveries["deliveries"], 2, "it counts as a duplicate");
    assert_eq!(shop.clock().await["difference_seconds"], -3 * DAY);
}

#[tokio::test]
async fn an_event_that_fits_neither_time_is_refused_until_it_fits() {
    let shop = Shop::new().await;
    shop.client.deployment.jump(AHEAD);
    for signed in [DAY, -301, 301, AHEAD - 301, AHEAD + 301] {
        let answer = shop.sold("a", signed).await;
        let expected = "503 SERVICE_UNAVAILABLE This service's clock is in doubt, and the signature fits \
                        neither time. Nothing was stored. Send it again.";
        assert_eq!(answer.summary(), expected, "{signed}");
    }
    let events = shop.client.deployment.look("/api/admin/status").await["events"].clone();
    assert_eq!(events, 1, "no new event");
    // A forged signature is refused as usual, whatever its timestamp.
    for signed in [0, DAY, AHEAD] {
        let forged = format!("t={},v1={}", NOW + signed, "0".repeat(64));
        assert_eq!(shop.client.deployment.webhook(&forged, "{}").await.status, 400, "{signed}");
    }
    assert_eq!(shop.health().await, degraded("clock_in_doubt"));
    // Once the machine's clock is right, the next attempt is accepted.
    shop.client.deployment.jump(DAY - AHEAD);
    assert_eq!(shop.sold("a", DAY).await.status, 200);
    assert_eq!(shop.health().await, ok());
}

#[tokio::test]
async fn an_event_that_fits_both_times_settles_the_doubt_only_if_clear() {
    let shop = Shop::new().await;
    shop.client.deployment.jump(120);
    assert_eq!(shop.sold("late", 60).await.status, 200);
    assert_eq!(shop.health().await, degraded("clock_in_doubt"));
    assert_eq!(shop.sold("in time", 119).await.status, 200);
    assert_eq!(shop.health().await, ok());
}

#[tokio::test]
async fn an_operator_confirms_which_time_is_right() {
    let mut shop = Shop::new().await;
    let nothing = "409 CLOCK_NOT_IN_DOUBT The clock is not in doubt, so there is nothing to confirm. \
                   Nothing was changed.";
    for time in ["wall", "kept"] {
        assert_eq!(shop.confirm(time).await.summary(), nothing);
    }
    shop.client.deployment.jump(AHEAD);
    let clock = shop.clock().await;
    let seen = ["state", "time", "wall_time", "kept_time", "difference_seconds", "reason", "since"];
    let expected = json!([
        "in_doubt",
        "2024-02-20T10:41:40Z",
        "2024-03-21T10:41:40Z",
        "2024-02-20T10:41:40Z",
        AHEAD,
        "jumped",
        "2024-02-20T10:41:40Z",
    ]);
    assert_eq!(json!(seen.map(|field| clock[field].clone())), expected);
    let message = clock["message"].as_str().unwrap();
    assert!(message.contains("2592000 seconds ahead") && message.contains("clock confirm"), "{message}");

    for (body, expected) in [
        (json!({ "time": "noon", "reason": "r" }), "time must be `wall` or `kept`"),
        (
            json!({ "time": "wall", "reason": " " }),
            "reason must be 1 to 500 characters that still explain this in a year",
        ),
        (
            json!({ "time": "wall", "reason": "r".repeat(501) }),
            "reason must be 1 to 500 characters that still explain this in a year",
        ),
    ] {
        let answer = shop.client.deployment.post("/api/admin/clock/confirm", &body).await;
        assert!(answer.summary().contains(expected), "{}", answer.summary());
    }
    assert_eq!(shop.confirm("kept").await.data()["state"], "kept");
    assert_eq!(shop.health().await, degraded("wall_clock_wrong"));
    assert_eq!(shop.confirm("kept").await.summary(), nothing);
    shop.run_loops().await;
    assert_eq!(shop.client.balance().await, [56, 4, 0, 0]);
    // The operator corrects the decision.
    assert_eq!(shop.confirm("wall").await.data()["state"], "trusted");
    assert_eq!(shop.health().await, ok());
    let mark = shop.client.deployment.app.store.clock_record().await.unwrap().mark.unwrap();
    assert_eq!(mark.at.seconds() - NOW, AHEAD, "the decision is stored for the next start");
    shop.run_loops().await;
    assert_eq!(shop.client.balance().await, [10, 0, 0, 0]);
}

/// Key expiry uses the kept time, which runs on steadily; a jump of the wall clock does not move it.
#[tokio::test]
async fn a_clock_jump_neither_expires_nor_revives_a_key() {
    let shop = Shop::new().await;
    let deployment = &shop.client.deployment;
    let until = |seconds| Some(Timestamp::from_seconds(NOW + seconds));
    let over = deployment.key(TENANT, store::Access::Read, until(0)).await.1;
    let soon = deployment.key(TENANT, store::Access::Read, until(60)).await.1;
    let later = deployment.key(TENANT, store::Access::Read, until(DAY)).await.1;
    let works = async || {
        let mut works = Vec::new();
        for key in [&over, &soon, &later] {
            works.push(deployment.get("/api/credits/balance", key).await.status == 200);
        }
        works
    };
    for jump in [AHEAD, -2 * AHEAD] {
        deployment.jump(jump);
        assert_eq!(works().await, [false, true, true], "{jump}");
    }
    deployment.pass(60);
    assert_eq!(works().await, [false, false, true]);
}
