//! The outage script: five minutes, one checkout a second, and three dependencies that fail in
//! turn.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::clock::StoryClock;
use crate::database::Database;
use crate::health::Health;
use crate::minutes::Minutes;

/// Its length.
const SECONDS: u32 = 300;

/// The switches that the script sets.
pub(crate) struct Story {
    pub(crate) clock: StoryClock,
    pub(crate) caller: Caller,
    pub(crate) inventory: Health,
    pub(crate) payments: Health,
    pub(crate) database: Database,
}

impl Story {
    /// Plays the whole script.
    pub(crate) async fn play(&mut self) -> anyhow::Result<()> {
        let (mut minutes, mut checkouts) = (Minutes::default(), JoinSet::new());
        for second in 0..SECONDS {
            self.clock.until(Duration::from_secs(second.into())).await;
            if second > 0 && second % 60 == 0 {
                minutes.tell(&self.caller).await?;
            }
            self.turn(second).await?;
            let caller = self.caller.clone();
            checkouts.spawn(async move { caller.check_out(second).await });
        }
        while let Some(checkout) = checkouts.join_next().await {
            checkout??;
        }
        minutes.tell(&self.caller).await
    }

    /// Applies the changes of this second. The operator sees only their effects on the service.
    async fn turn(&mut self, second: u32) -> anyhow::Result<()> {
        match second {
            // A restart, which retries hide from callers.
            30 => self.inventory.set_ill(true),
            31 => self.inventory.set_ill(false),
            60 => self.inventory.set_ill(true),
            110 => self.inventory.set_ill(false),
            130 => self.payments.set_ill(true),
            175 => self.payments.set_ill(false),
            195 => self.database.stop().await?,
            230 => self.database.start()?,
            _ => {}
        }
        Ok(())
    }
}
