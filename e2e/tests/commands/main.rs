//! The operators' commands: they use a running service or open the database themselves, with the same
//! results. And the process: locks, files, and orderly shutdown.

mod answers;
mod decisions;
mod doctor;
mod process;

use e2e::deployment::Deployment;
use e2e::sale::sale;
use e2e::service::Service;
use emulator::scenario::{Sale, Scenario};

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
const OTHER_TENANT: &str = "550e8400-e29b-41d4-a716-446655440001";
const DAY: i64 = 86_400;

/// A sale of ten credits, 40 days ago.
fn ten_credits(reference: &str, tenant: &str, livemode: bool) -> Sale {
    Sale { created: e2e::now() - 40 * DAY, livemode, ..sale(reference, tenant, 10, 25_000) }
}

/// A deployment with data: a partially refunded payment, an unreadable event (quarantine item 1), two
/// payments without a valid tenant (items 2 and 3), and an event of the other mode (item 4).
struct Past {
    deployment: Deployment,
    /// `None`: commands open the database.
    service: Option<Service>,
}

impl Past {
    fn new(running: bool) -> Self {
        let deployment = Deployment::default();
        let service = deployment.serve();
        let deliver = |scenario: Scenario, sale: &Sale| {
            for event in scenario.events(sale) {
                assert_eq!(service.deliver(&event.body), 200, "{}", event.id);
            }
            service.settle();
        };
        deliver(Scenario::PartialRefund, &ten_credits("sale1", TENANT, false));
        assert_eq!(service.deliver("signed, and not JSON"), 200);
        service.settle();
        deliver(Scenario::Purchase, &ten_credits("sale2", "nobody", false));
        deliver(Scenario::Purchase, &ten_credits("sale3", "nobody", false));
        let live = &Scenario::Purchase.events(&ten_credits("sale4", TENANT, true))[0];
        assert_eq!(service.deliver(&live.body), 200);
        service.settle();
        if running {
            return Self { deployment, service: Some(service) };
        }
        let ended = service.stop();
        assert_eq!(ended.code, Some(0), "{ended}");
        Self { deployment, service: None }
    }

    /// Calls a function with the running service, or with one that is started for the call.
    fn with_service<T>(&self, call: impl FnOnce(&Service) -> T) -> T {
        if let Some(service) = &self.service {
            return call(service);
        }
        let service = self.deployment.serve();
        let result = call(&service);
        let ended = service.stop();
        assert_eq!(ended.code, Some(0), "{ended}");
        result
    }
}
