//! The operators' commands: with a service running they talk to it, with none they open the database, and
//! nobody can tell the difference. And the process itself: who may have the database, and how it ends.

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

/// A deployment with a past: a payment that was half refunded, two that name no tenant (items 2 and 3 of the
/// quarantine), a body that nobody can read (item 1) and an event of the other mode (item 4).
struct Past {
    deployment: Deployment,
    /// None: commands open the database.
    service: Option<Service>,
}

impl Past {
    fn new(running: bool) -> Self {
        let deployment = Deployment::default();
        let service = deployment.serve();
        let tell = |story: Story, purchase: &Purchase| {
            for event in story.events(purchase) {
                assert_eq!(service.deliver(&event.body), 200, "{}", event.id);
            }
            service.settle();
        };
        tell(Story::PartialRefund, &purchase("sale1", TENANT, false));
        assert_eq!(service.deliver("signed, and not JSON"), 200);
        service.settle();
        tell(Story::Purchase, &purchase("sale2", "nobody", false));
        tell(Story::Purchase, &purchase("sale3", "nobody", false));
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

    /// Looks at the service; starts one for as long as that takes, where none runs.
    fn with_service<T>(&self, look: impl FnOnce(&Service) -> T) -> T {
        if let Some(service) = &self.service {
            return look(service);
        }
        let service = self.deployment.serve();
        let seen = look(&service);
        let ended = service.stop();
        assert_eq!(ended.code, Some(0), "{ended}");
        seen
    }
}
