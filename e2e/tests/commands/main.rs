//! The operators' commands: they use a running service or open the database themselves, with the same
//! results. And the process: locks, files, and orderly shutdown.

mod answers;
mod decisions;
mod doctor;
mod process;

use e2e::deployment::Deployment;
use e2e::service::Service;
use stripe::story::Story;
use stripe::write::{ApiVersion, Purchase};

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
const OTHER_TENANT: &str = "550e8400-e29b-41d4-a716-446655440001";
const DAY: i64 = 86_400;

fn purchase(reference: &str, tenant: &str, livemode: bool) -> Purchase {
    Purchase {
        reference: reference.to_owned(),
        tenant_id: tenant.to_owned(),
        package: "10_credits".to_owned(),
        credits: 10,
        amount_total: 25_000,
        currency: "eur".to_owned(),
        created: e2e::now() - 40 * DAY,
        livemode,
        api_version: ApiVersion::default(),
    }
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
        let deliver = |story: Story, purchase: &Purchase| {
            for event in story.events(purchase) {
                assert_eq!(service.deliver(&event.body), 200, "{}", event.id);
            }
            service.settle();
        };
        deliver(Story::PartialRefund, &purchase("sale1", TENANT, false));
        assert_eq!(service.deliver("signed, and not JSON"), 200);
        service.settle();
        deliver(Story::Purchase, &purchase("sale2", "nobody", false));
        deliver(Story::Purchase, &purchase("sale3", "nobody", false));
        let live = &Story::Purchase.events(&purchase("sale4", TENANT, true))[0];
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
