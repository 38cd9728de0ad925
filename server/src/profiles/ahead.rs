//! Reading ahead, so that hardly anyone waits for the source.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use miniature_api::{BATCH_LIMIT, UserId};

use super::{Profiles, SourceError};

impl Profiles {
    /// Reads profiles ahead: of these users, who are active, and of those whom someone asked for
    /// lately. What Redis will hold for longer than `within` is not read again. Returns how many
    /// the source was asked for.
    ///
    /// # Errors
    ///
    /// If the source does not answer.
    pub async fn warm_up(&self, active: &[UserId], within: Duration) -> Result<usize, SourceError> {
        let Some(shared) = &self.shared else { return self.load_all(active).await };
        let mut users = active.iter().cloned().collect::<HashSet<_>>();
        users.extend(self.lately.iter().map(|(user, ())| UserId::clone(&user)));
        let users = users.into_iter().collect::<Vec<_>>();
        let mut due = Vec::new();
        for batch in users.chunks(BATCH_LIMIT) {
            due.extend(shared.expiring(batch, within).await);
        }
        let read = self.load_all(&due).await?;
        for batch in active.chunks(BATCH_LIMIT) {
            self.shared(batch.to_vec(), &mut HashMap::new()).await;
        }
        Ok(read)
    }
}
