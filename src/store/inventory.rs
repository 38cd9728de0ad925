//! What the layers of the account hold.

use crate::{
    cache::replay::{Inventory, hollow_found},
    store::driver::driver,
};

/// All but documents, without bytes. A layer that cannot be read holds nothing.
pub(super) async fn inventory() -> Inventory {
    let shelves = &driver().shelves;
    let local = shelves.on_local(|shelf| {
        let rows = shelf.count()?.into_iter().map(|line| {
            let found = shelf.found(&line.user)?;
            Ok((line.user, hollow_found(&found)))
        });
        rows.collect()
    });
    let (durable, pictures) = (shelves.durable(), shelves.pictures());
    let (records, renditions) = match durable {
        Some(shelf) => shelf.inventory().await.unwrap_or_default(),
        None => Default::default(),
    };
    let pictures = match pictures {
        Some(shelf) => shelf.inventory().await.unwrap_or_default(),
        None => Vec::new(),
    };
    Inventory { local: local.unwrap_or_default(), records, renditions, pictures }
}
