//! Tells whoever waits that there may be something new to tell others. Rung by the loops that settle, after
//! each commit; heard by [`crate::deliver`] and by the live stream.
//! Not here: what is new. Whoever wakes up asks the store, so a ring too many or too few changes nothing.

use tokio::sync::watch;

/// A bell. Cheap to clone; every clone is the same bell.
#[derive(Clone, Debug, Default)]
pub struct Bell(watch::Sender<u64>);

impl Bell {
    /// Wakes everybody who listens. Nobody has to.
    pub fn ring(&self) {
        self.0.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// Listens from now on.
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// Hears a bell.
#[derive(Clone, Debug)]
pub struct Listener(watch::Receiver<u64>);

impl Listener {
    /// Resolves at once if the bell was rung since this last resolved, else at its next ring. For ever, once
    /// the last bell is gone.
    pub async fn rung(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bell;

    #[tokio::test]
    async fn every_listener_hears_it_once_however_often_it_was_rung() {
        let bell = Bell::default();
        let (mut first, mut second) = (bell.listen(), bell.clone().listen());
        bell.ring();
        bell.ring();
        for listener in [&mut first, &mut second] {
            listener.rung().await;
            tokio::select! {
                biased;
                () = listener.rung() => panic!("heard twice"),
                () = std::future::ready(()) => {}
            }
        }
        let mut late = bell.listen();
        tokio::select! {
            biased;
            () = late.rung() => panic!("that was before it listened"),
            () = std::future::ready(()) => {}
        }
    }
}
