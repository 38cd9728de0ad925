//! What a layer of so many users could answer, by the order in which it gives them up.
//!
//! # Source
//!
//! - Belady's MIN: L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
//!   Journal 5 (1966).
//! - S3-FIFO: J. Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
//! - SIEVE: Y. Zhang et al., "SIEVE is simpler than LRU", NSDI 2024.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use miniature_api::UserId;

/// An order in which a layer that is full gives users up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nobody is given up: the most that any order can answer.
    Unbounded,
    /// The user who is looked at again last goes, as only a seer knows: the most at this size.
    Clairvoyant,
    /// The user who was looked at longest ago goes. This order is ours.
    LeastRecentlyUsed,
    /// The user who came first goes.
    FirstInFirstOut,
    /// A newcomer whom nobody looks at again soon goes; then the first to come whom nobody has looked at since.
    S3Fifo,
    /// The next user under the hand goes whom nobody has looked at since it passed last.
    Sieve,
}

impl Order {
    /// All of them, the bounds first.
    pub const ALL: [Self; 6] = [
        Self::Unbounded,
        Self::Clairvoyant,
        Self::LeastRecentlyUsed,
        Self::FirstInFirstOut,
        Self::S3Fifo,
        Self::Sieve,
    ];

    /// Its name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unbounded => "unbounded",
            Self::Clairvoyant => "clairvoyant",
            Self::LeastRecentlyUsed => "lru",
            Self::FirstInFirstOut => "fifo",
            Self::S3Fifo => "s3_fifo",
            Self::Sieve => "sieve",
        }
    }

    /// Its name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unbounded => "Unbounded",
            Self::Clairvoyant => "Clairvoyant (Belady)",
            Self::LeastRecentlyUsed => "Least recently used",
            Self::FirstInFirstOut => "First in, first out",
            Self::S3Fifo => "S3-FIFO",
            Self::Sieve => "SIEVE",
        }
    }
}

/// The users that were looked at, in order, each by a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accesses(Vec<usize>);

impl<'a> FromIterator<&'a UserId> for Accesses {
    fn from_iter<I: IntoIterator<Item = &'a UserId>>(looks: I) -> Self {
        let mut numbers = BTreeMap::new();
        let numbered = looks.into_iter().map(|user| {
            let next = numbers.len();
            *numbers.entry(user).or_insert(next)
        });
        Self(numbered.collect())
    }
}

impl Accesses {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many people were looked at.
    pub fn people(&self) -> usize {
        self.0.iter().max().map_or(0, |last| last + 1)
    }

    /// How many a layer answers that holds `users` at most, is empty at first, and takes in each user that is looked at.
    pub fn hits(&self, order: Order, users: usize) -> usize {
        if users == 0 {
            return 0;
        }
        match order {
            Order::Unbounded => self.0.len() - self.people(),
            Order::Clairvoyant => self.clairvoyant(users),
            Order::LeastRecentlyUsed => self.queue(users, true),
            Order::FirstInFirstOut => self.queue(users, false),
            Order::S3Fifo => S3Fifo::new(users).hits(&self.0),
            Order::Sieve => Sieve::new(users).hits(&self.0),
        }
    }

    fn clairvoyant(&self, users: usize) -> usize {
        let never = self.0.len();
        let mut next_use = vec![never; self.0.len()];
        let mut seen = BTreeMap::new();
        for (at, user) in self.0.iter().enumerate().rev() {
            next_use[at] = seen.insert(user, at).unwrap_or(never);
        }
        // By when each is looked at next.
        let mut held: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut hits = 0;
        for (at, user) in self.0.iter().enumerate() {
            if held.remove(&(at, *user)) {
                hits += 1;
            } else if held.len() == users {
                held.pop_last();
            }
            held.insert((next_use[at], *user));
        }
        hits
    }

    /// The front goes; with `moves`, who is looked at goes to the end.
    fn queue(&self, users: usize, moves: bool) -> usize {
        let (mut order, mut place) = (BTreeMap::new(), BTreeMap::new());
        let mut hits = 0;
        for (at, user) in self.0.iter().enumerate() {
            match place.get(user) {
                Some(old) => {
                    hits += 1;
                    if !moves {
                        continue;
                    }
                    order.remove(old);
                }
                None if place.len() == users => {
                    if let Some((_, first)) = order.pop_first() {
                        place.remove(first);
                    }
                }
                None => {}
            }
            order.insert(at, user);
            place.insert(user, at);
        }
        hits
    }
}

/// Three queues: who came just now, who stays, and the names of those who went.
struct S3Fifo {
    users: usize,
    small: VecDeque<usize>,
    main: VecDeque<usize>,
    ghost: VecDeque<usize>,
    /// How often each who is held was looked at, 3 at most.
    looks: BTreeMap<usize, u8>,
}

impl S3Fifo {
    /// The share of the queue of those who came just now.
    const SMALL: usize = 10;
    const MOST_LOOKS: u8 = 3;

    fn new(users: usize) -> Self {
        let (small, main, ghost) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { users, small, main, ghost, looks: BTreeMap::new() }
    }

    fn hits(mut self, accesses: &[usize]) -> usize {
        let mut hits = 0;
        for user in accesses {
            if let Some(looks) = self.looks.get_mut(user) {
                *looks = (*looks + 1).min(Self::MOST_LOOKS);
                hits += 1;
                continue;
            }
            while self.looks.len() >= self.users {
                self.evict();
            }
            match self.ghost.iter().position(|gone| gone == user) {
                Some(at) => {
                    self.ghost.remove(at);
                    self.main.push_back(*user);
                }
                None => self.small.push_back(*user),
            }
            self.looks.insert(*user, 0);
        }
        hits
    }

    fn evict(&mut self) {
        let is_large = self.small.len() * 100 >= self.users * Self::SMALL;
        if (is_large || self.main.is_empty()) && !self.small.is_empty() {
            self.evict_small();
        } else {
            self.evict_main();
        }
    }

    /// A user that was looked at more than once meanwhile stays.
    fn evict_small(&mut self) {
        while let Some(user) = self.small.pop_front() {
            if self.looks.get(&user).is_some_and(|looks| *looks > 1) {
                self.looks.insert(user, 0);
                self.main.push_back(user);
                continue;
            }
            self.looks.remove(&user);
            self.ghost.push_back(user);
            if self.ghost.len() > self.users {
                self.ghost.pop_front();
            }
            return;
        }
    }

    /// A user has another round for each look.
    fn evict_main(&mut self) {
        while let Some(user) = self.main.pop_front() {
            match self.looks.get_mut(&user).filter(|looks| **looks > 0) {
                Some(looks) => {
                    *looks -= 1;
                    self.main.push_back(user);
                }
                None => {
                    self.looks.remove(&user);
                    return;
                }
            }
        }
    }
}

/// A queue, oldest first, and a hand that passes over it and comes back to its front.
struct Sieve {
    users: usize,
    queue: VecDeque<(usize, bool)>,
    hand: usize,
}

impl Sieve {
    fn new(users: usize) -> Self {
        Self { users, queue: VecDeque::new(), hand: 0 }
    }

    fn hits(mut self, accesses: &[usize]) -> usize {
        let mut hits = 0;
        for user in accesses {
            if let Some((_, looked)) = self.queue.iter_mut().find(|(held, _)| held == user) {
                *looked = true;
                hits += 1;
                continue;
            }
            if self.queue.len() == self.users {
                self.evict();
            }
            self.queue.push_back((*user, false));
        }
        hits
    }

    fn evict(&mut self) {
        loop {
            if self.hand >= self.queue.len() {
                self.hand = 0;
            }
            match self.queue.get_mut(self.hand) {
                Some((_, looked)) if *looked => {
                    *looked = false;
                    self.hand += 1;
                }
                Some(_) => {
                    self.queue.remove(self.hand);
                    return;
                }
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accesses(users: &[u8]) -> Accesses {
        let users: Vec<UserId> =
            users.iter().map(|user| format!("u{user}").parse().unwrap()).collect();
        users.iter().collect()
    }

    /// Belady's own example of 1969, in which more room gives FIFO fewer hits.
    #[test]
    fn the_classical_sequence_has_the_classical_hits() {
        let accesses = accesses(&[1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5]);
        let cases = [
            (Order::FirstInFirstOut, 3, 3),
            (Order::FirstInFirstOut, 4, 2),
            (Order::LeastRecentlyUsed, 3, 2),
            (Order::LeastRecentlyUsed, 4, 4),
            (Order::Clairvoyant, 3, 5),
            (Order::Clairvoyant, 4, 6),
            (Order::Unbounded, 3, 7),
        ];
        for (order, users, hits) in cases {
            assert_eq!(accesses.hits(order, users), hits, "{order:?}, {users} users");
        }
    }

    /// One that is looked at again and again, among many who are looked at once.
    #[test]
    fn a_scan_does_not_drive_out_whom_sieve_and_s3_fifo_know() {
        let scan: Vec<u8> = (1..=120).flat_map(|other| [0, 0, other, other + 120]).collect();
        let accesses = accesses(&scan);
        let best = accesses.hits(Order::Clairvoyant, 10);
        for order in [Order::Sieve, Order::S3Fifo] {
            assert_eq!(accesses.hits(order, 10), best, "{order:?}");
        }
    }

    proptest! {
        #[test]
        fn no_order_answers_more_than_a_seer_nor_a_seer_more_than_there_is(
            users in prop::collection::vec(0..24_u8, 0..200),
            room in 0_usize..30,
        ) {
            let accesses = accesses(&users);
            let [unbounded, clairvoyant, others @ ..] =
                Order::ALL.map(|order| accesses.hits(order, room));
            prop_assert!(room == 0 || clairvoyant <= unbounded);
            for hits in others {
                prop_assert!(hits <= clairvoyant, "{others:?} of {clairvoyant}");
                // Room for all of them.
                prop_assert!(room < 24 || hits == unbounded, "{others:?} of {unbounded}");
            }
        }
    }
}
