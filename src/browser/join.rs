//! Waiting for several answers at once.

use std::{future::poll_fn, pin::Pin, task::Poll};

use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, MaybeDone},
};

/// Waits for all of them, and returns what they came to, in the order asked.
///
/// As `futures_util::future::join_all` for the few dozen that there ever are here: without its
/// queue it is a fraction of the code, of which the bundle holds a copy for every `T`.
pub(super) async fn all<'a, T: 'a>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + 'a>,
) -> Vec<T> {
    all_boxed(futures.into_iter().map(|future| MaybeDone::Future(boxed(future))).collect()).await
}

fn boxed<'a, T>(future: impl Future<Output = T> + 'a) -> LocalBoxFuture<'a, T> {
    Box::pin(future)
}

async fn all_boxed<T>(mut futures: Vec<MaybeDone<LocalBoxFuture<'_, T>>>) -> Vec<T> {
    poll_fn(|context| {
        let pending = futures.iter_mut().filter_map(|future| match future.poll_unpin(context) {
            Poll::Pending => Some(()),
            Poll::Ready(()) => None,
        });
        if pending.count() == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    futures.iter_mut().filter_map(|future| Pin::new(future).take_output()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_channel::oneshot;
    use futures_executor::LocalPool;
    use futures_util::task::LocalSpawnExt as _;

    #[test]
    fn answers_come_in_the_order_asked_however_they_arrive() {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..3).map(|_| oneshot::channel::<u32>()).unzip();
        let mut pool = LocalPool::new();
        let answers = pool.spawner().spawn_local_with_handle(all(receivers)).unwrap();
        pool.run_until_stalled();
        for (number, sender) in senders.into_iter().enumerate().rev() {
            sender.send(u32::try_from(number).unwrap()).unwrap();
            pool.run_until_stalled();
        }
        let answers: Vec<u32> = pool.run_until(answers).into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, [0, 1, 2]);
    }

    #[test]
    fn nothing_to_wait_for_is_no_wait() {
        let none: [std::future::Ready<()>; 0] = [];
        assert!(futures_executor::block_on(all(none)).is_empty());
    }
}
