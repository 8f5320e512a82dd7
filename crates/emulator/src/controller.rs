//! The emulator as the control page and the control API see it: they can read the account and run commands,
//! and have no other way to change it.

use crate::act::control::{self, ControlCommand, ControlRefusal};
use crate::emulator::{Emulator, Options};
use crate::world::World;

/// Reads an emulator and runs commands on it. Clones share the emulator.
#[derive(Clone)]
pub(crate) struct Controller(Emulator);

impl Controller {
    pub(crate) fn new(emulator: Emulator) -> Self {
        Self(emulator)
    }

    /// How the emulator was opened.
    pub(crate) fn options(&self) -> &Options {
        self.0.options()
    }

    /// Reads the account at the present moment.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        self.0.read(look)
    }

    /// Executes a command at the present moment. The events that it creates name no API request.
    pub(crate) fn run<C: ControlCommand>(&self, command: C) -> Result<C::Done, ControlRefusal> {
        self.0.with(|world| {
            world.on_behalf_of(None);
            command.run(world)
        })
    }

    /// Advances the clock, and waits for the deliveries that fall due. Returns the number of executed tasks.
    pub(crate) async fn advance(&self, seconds: u64) -> Result<u64, ControlRefusal> {
        Ok(self.0.advance(control::advance_seconds(seconds)?).await)
    }

    /// Waits until no delivery is due or in progress.
    pub(crate) async fn quiet(&self) {
        self.0.quiet().await;
    }

    /// Waits until every endpoint has accepted that this session is complete, for 10 seconds at most.
    pub(crate) async fn acknowledged(&self, session: &str) {
        self.0.acknowledged(session).await;
    }
}
