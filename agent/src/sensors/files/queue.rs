//! The bounded queue between those who drain the kernel's and the worker.
//!
//! Like the standard library's, but whoever waits sleeps at once, without turning in circles or giving way to others
//! first: at a hundred batches a second that costs more than handling them. It takes room only for what waits.

use std::collections::VecDeque;
#[cfg(any(test, target_os = "linux"))]
use std::sync::mpsc::SendError;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Room kept when the queue has run empty.
const ROOM_KEPT: usize = 64;

/// Makes a queue of so many items at the most.
pub(super) fn queue<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state =
        State { items: VecDeque::new(), senders: 1, receiver: Presence::Busy, waiting_senders: 0 };
    let shared = Arc::new(Shared {
        capacity,
        state: Mutex::new(state),
        filled: Condvar::new(),
        emptied: Condvar::new(),
    });

    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// The end for those who put in.
pub(super) struct Sender<T>(Arc<Shared<T>>);

/// The end for the one who takes out.
pub(super) struct Receiver<T>(Arc<Shared<T>>);

struct Shared<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    filled: Condvar,
    emptied: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    senders: usize,
    receiver: Presence,
    waiting_senders: usize,
}

/// What the receiver is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Busy,
    Waiting,
    Gone,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item in and wakes the receiver if it sleeps.
    fn put(&self, mut state: MutexGuard<'_, State<T>>, item: T) {
        state.items.push_back(item);
        let sleeps = state.receiver == Presence::Waiting;
        if sleeps {
            // Woken once, however many items follow before it runs.
            state.receiver = Presence::Busy;
        }
        drop(state);
        if sleeps {
            self.filled.notify_one();
        }
    }

    /// Takes an item out and wakes a sender that waits for room.
    fn take(&self, mut state: MutexGuard<'_, State<T>>) -> Option<T> {
        let item = state.items.pop_front()?;
        if state.items.is_empty() {
            state.items.shrink_to(ROOM_KEPT);
        }
        let wanted = 0 < state.waiting_senders;
        drop(state);
        if wanted {
            self.emptied.notify_one();
        }

        Some(item)
    }
}

impl<T> Sender<T> {
    /// Puts an item in, and waits for room, as the kernel's reader here may. Fails only when nobody takes out any more.
    #[cfg(any(test, target_os = "linux"))]
    pub(super) fn send(&self, item: T) -> Result<(), SendError<T>> {
        let mut state = self.0.lock();
        while state.receiver != Presence::Gone && self.0.capacity <= state.items.len() {
            state.waiting_senders += 1;
            state = self
                .0
                .emptied
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.waiting_senders -= 1;
        }
        if state.receiver == Presence::Gone {
            return Err(SendError(item));
        }
        self.0.put(state, item);

        Ok(())
    }

    /// Puts an item in if there is room.
    pub(super) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        let state = self.0.lock();
        if state.receiver == Presence::Gone {
            return Err(TrySendError::Disconnected(item));
        }
        if self.0.capacity <= state.items.len() {
            return Err(TrySendError::Full(item));
        }
        self.0.put(state, item);

        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        let last = state.senders == 0;
        drop(state);
        if last {
            self.0.filled.notify_one();
        }
    }
}

impl<T> Receiver<T> {
    /// Takes an item out, and waits for one.
    pub(super) fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let until = Instant::now() + timeout;
        let mut state = self.0.lock();
        while state.items.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if state.senders == 0 {
                return Err(RecvTimeoutError::Disconnected);
            }
            if left.is_zero() {
                return Err(RecvTimeoutError::Timeout);
            }
            state.receiver = Presence::Waiting;
            state = self
                .0
                .filled
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.receiver = Presence::Busy;
        }

        self.0.take(state).ok_or(RecvTimeoutError::Timeout)
    }

    /// Takes an item out if there is one.
    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        let state = self.0.lock();
        let ended = state.senders == 0;
        let none = if ended { TryRecvError::Disconnected } else { TryRecvError::Empty };

        self.0.take(state).ok_or(none)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.receiver = Presence::Gone;
        let left = std::mem::take(&mut state.items);
        drop(state);
        self.0.emptied.notify_all();
        // Only now, for what is dropped may have something to say to the queue.
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_does_not_fit_is_given_back_and_the_rest_comes_in_order() {
        let (sender, receiver) = queue(2);
        assert_eq!(sender.try_send(1), Ok(()));
        assert_eq!(sender.send(2), Ok(()));
        assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
        assert_eq!(receiver.recv_timeout(LONG), Ok(1));
        assert_eq!(receiver.try_recv(), Ok(2));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(receiver.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
        let second = sender.clone();
        drop(sender);
        assert_eq!(second.send(4), Ok(()));
        drop(second);
        assert_eq!(receiver.recv_timeout(LONG), Ok(4));
        assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    }

    #[test]
    fn whoever_waits_is_woken() {
        let (sender, receiver) = queue(1);
        std::thread::scope(|scope| {
            let sending = scope.spawn(move || {
                let sent = (0..10_000).try_for_each(|number| sender.send(number));
                assert_eq!(sent, Ok(()));
                sender
            });
            for number in 0..10_000 {
                assert_eq!(receiver.recv_timeout(LONG), Ok(number));
            }
            let sender = sending.join().expect("sends");
            sender.send(1).expect("room");
            let waiting = scope.spawn(move || sender.send(2));
            while waiting.is_finished() || receiver.0.lock().waiting_senders == 0 {
                std::thread::yield_now();
            }
            drop(receiver);
            assert_eq!(waiting.join().expect("it ends"), Err(SendError(2)));
        });
    }

    #[test]
    fn a_queue_that_ran_empty_keeps_little_room() {
        let (sender, receiver) = queue(100_000);
        for number in 0..50_000 {
            sender.try_send(number).expect("room");
        }
        while receiver.try_recv().is_ok() {}
        assert!(receiver.0.lock().items.capacity() <= 2 * ROOM_KEPT);
    }
}
