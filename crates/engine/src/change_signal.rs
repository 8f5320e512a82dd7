//! Tells whoever waits that there may be something new to tell others. Rung by the loops that settle, after
//! each commit; heard by [`crate::deliver`] and by the live stream.
//! Not here: what is new. Whoever wakes up asks the store, so a ring too many or too few changes nothing.

use tokio::sync::watch;

/// A changes. Cheap to clone; every clone is the same changes.
#[derive(Clone, Debug, Default)]
pub struct ChangeSignal(watch::Sender<u64>);

impl ChangeSignal {
    /// Wakes everybody who listens. Nobody has to.
    pub fn signal(&self) {
        self.0.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// Listens from now on.
    pub fn listen(&self) -> ChangeListener {
        ChangeListener(self.0.subscribe())
    }
}

/// Hears a changes.
#[derive(Clone, Debug)]
pub struct ChangeListener(watch::Receiver<u64>);

impl ChangeListener {
    /// Resolves at once if the changes was changed since this last resolved, else at its next ring. For ever, once
    /// the last changes is gone.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ChangeSignal;

    #[tokio::test]
    async fn every_listener_hears_it_once_however_often_it_was_rung() {
        let changes = ChangeSignal::default();
        let (mut first, mut second) = (changes.listen(), changes.clone().listen());
        changes.signal();
        changes.signal();
        for listener in [&mut first, &mut second] {
            listener.changed().await;
            tokio::select! {
                biased;
                () = listener.changed() => panic!("heard twice"),
                () = std::future::ready(()) => {}
            }
        }
        let mut late = changes.listen();
        tokio::select! {
            biased;
            () = late.changed() => panic!("that was before it listened"),
            () = std::future::ready(()) => {}
        }
    }
}
