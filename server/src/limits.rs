//! Every lifetime and limit that is not for the operator to choose. Nothing else may hold one.

use std::{num::NonZeroU32, time::Duration};

/// Every lifetime and limit that is not for the operator to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many profiles are kept in memory. Default: 1 000, about half a megabyte.
    pub profiles: u64,

    /// For how long a profile is answered from memory. Default: 5 minutes.
    pub profile_fresh_for: Duration,

    /// For how long a profile is answered from Redis. Default: 1 hour.
    ///
    /// A change is written through, so this bounds only what another service changes unannounced.
    pub profile_shared_for: Duration,

    /// How often profiles are read ahead. Default: every 10 minutes.
    pub warm_up_every: Duration,

    /// Whose profile nobody asked for in this time is not read ahead, unless active. Default: 3 hours.
    pub read_ahead_for: Duration,

    /// How many profiles of existing users are read ahead, beside those of active ones. Default:
    /// 10 000, in 200 questions an hour.
    pub read_ahead: u64,

    /// Who counts as active lately. Default: 30 minutes since the last request.
    pub active_for: Duration,

    /// For how long "no such user" is answered from memory. Default: 10 seconds.
    ///
    /// Long enough to blunt a scan of names, short enough that a new user is found at once.
    pub missing_fresh_for: Duration,

    /// How many bytes of renditions are kept in memory. Default: 64 MiB.
    ///
    /// About 4 000 pictures of 15 kB, well over what one instance shows in an hour.
    pub rendition_memory_bytes: u64,

    /// For how long a rendition that nobody asks for stays in memory. Default: 1 hour.
    pub rendition_kept_for: Duration,

    /// How many bytes of renditions are kept as files. Default: 1 GiB; the least recently used go.
    pub rendition_file_bytes: u64,

    /// For how long "no such image" is answered from memory. Default: 5 seconds; of 10 000 images.
    ///
    /// Long enough to blunt who asks again and again, short enough that what another instance keeps
    /// is found at once.
    pub missing_image_fresh_for: Duration,

    /// How many images are remembered as missing.
    pub missing_images: u64,

    /// How often the files of what is in memory are marked as used. Default: every 30 minutes.
    ///
    /// Nobody reads them meanwhile. Short beside the days in which 1 GiB turns over.
    pub files_marked_every: Duration,

    /// How many renditions are fetched or made at once, for all requests together. Default: 64.
    ///
    /// Each holds a master of 300 kB at most while it waits for a core, so 20 MB in all.
    pub rendition_loads: usize,

    /// How many images' types, dimensions and lengths are kept in memory. Default: 10 000, about
    /// two megabytes.
    pub image_metadata: u64,

    /// For how long they are answered from memory and Redis. Default: 2 hours.
    ///
    /// They never change, so this bounds only what is held for nobody.
    pub image_metadata_kept_for: Duration,

    /// How many hints are kept in memory. Default: 10 000, about five megabytes.
    pub hints: u64,

    /// For how long a signed URL works. Default: 60 minutes.
    pub hint_signed_for: Duration,

    /// For how long after it was signed a URL is handed out. Default: 50 minutes.
    ///
    /// So whoever gets it has 10 minutes to use it.
    pub hint_kept_for: Duration,

    /// To what the time of signing is rounded down. Default: 10 minutes.
    ///
    /// Within it all instances give out the same URL, so that caches see one address. Not above the
    /// 15 minutes that clocks may differ from the store's.
    pub hint_window: Duration,

    /// For how long a picture is kept that nobody shows any more. Default: 24 hours.
    ///
    /// Longer than any cache of records or hints holds (1 hour), so that whoever was told of it still
    /// finds it; and long enough for a page that was opened without a network to catch up.
    pub unused_kept_for: Duration,

    /// How often pictures that nobody shows any more are looked for. Default: every minute.
    ///
    /// Each time one of 256 folders of files is looked through, so all are in about 4 hours.
    pub unused_looked_for_every: Duration,

    /// How many pictures are removed at one look. Default: 100, so 144 000 a day.
    ///
    /// One user can upload 43 200 a day.
    pub removals_at_once: usize,

    /// How long it may take to remove a picture; then whoever began it is taken for dead. Default: 5
    /// minutes.
    ///
    /// Of some calls that take 4 seconds at most. The same picture cannot be uploaded meanwhile.
    pub removal_takes_at_most: Duration,

    /// How many uploads may be under way at once: arriving, waiting for a core, or worked on.
    /// Default: 32; each holds up to 10 MiB.
    pub uploads: usize,

    /// How many of them may be one user's. Default: 2, so that no one takes all places by sending
    /// slowly.
    pub uploads_per_user: usize,

    /// How long the head of a request may take to arrive, and a connection may go unused between two.
    /// Default: 30 seconds.
    pub head_arrives_within: Duration,

    /// How long a request may take, but for an upload and a stream of events. Default: 30 seconds.
    ///
    /// Over all that it waits for, each of which has a shorter limit of its own: it ends only what
    /// waits for many things one after the other.
    pub request_takes_at_most: Duration,

    /// How long the body of a request may take to arrive, but for an upload. Default: 20 seconds, for
    /// 17 kB at most.
    pub body_arrives_within: Duration,

    /// How long a query of the database may take once it has a connection. Default: 5 seconds.
    ///
    /// What is asked takes milliseconds, so the database that needs longer is as good as away.
    pub query_takes_at_most: Duration,

    /// How long the database waits for a lock that someone else holds. Default: 3 seconds.
    ///
    /// Shorter than a query, so that the log says that it was a lock.
    pub lock_takes_at_most: Duration,

    /// How long a query may take for which nobody waits: all posts of an author are rewritten, the
    /// demo is created. Default: 1 minute.
    pub lengthy_query_takes_at_most: Duration,

    /// How long an upload may take to arrive. Default: 2 minutes, in which a slow telephone sends 10 MiB.
    pub upload_arrives_within: Duration,

    /// How much memory decoding uploads may take at once, in bytes. Default: 512 MiB.
    ///
    /// Enough for four photographs of 12 megapixels; what is estimated to need more than all of it is
    /// decoded alone.
    pub decoding_bytes: u64,

    /// How many tries to sign in may be under way at once. Default: 32, which keep two cores busy for
    /// a third of a second; uploads and renditions wait for the same cores.
    pub sign_ins: usize,

    /// For how long one stays signed in. Default: 30 days.
    pub session_lasts: Duration,

    /// For how long a session that was found good is not looked up again. Default: 4 seconds.
    ///
    /// Ended here, it ends at once; ended at another instance, after this at the latest.
    pub session_trusted_for: Duration,

    /// How often a stream of events asks whether its session has ended. Default: every second.
    ///
    /// Mostly in memory. A stream outlives a session that ended at another instance by this and
    /// `session_trusted_for`: 5 seconds together.
    pub session_checked_every: Duration,

    /// For how long a session that was found good is trusted while the database is away. Default: 5
    /// minutes.
    pub session_trusted_in_need_for: Duration,

    /// How many sessions are remembered as good. Default: 10 000, about 2 MB.
    pub sessions: u64,

    /// How often it is written down that a user is active. Default: every 5 minutes.
    pub activity_noted_every: Duration,

    /// How often what Redis missed while it was away is written to it, if it is back, and how often the
    /// outbox is looked through. Default: every second.
    pub catch_up_every: Duration,

    /// After how long another announces a change that nobody is known to have announced. Default: 2
    /// seconds.
    ///
    /// Longer than the instance that made it takes to announce it, while all is well or Redis is slow.
    pub relay_after: Duration,

    /// How long ago a client may have made the id of a new post. Default: 1 day, for one that it could
    /// not send before.
    ///
    /// Posts sort by their ids, so an id says when its post was written.
    pub post_ids_behind: Duration,

    /// How far a client's clock may be ahead when it makes the id of a post. Default: 5 minutes, for
    /// which the post stands above those written after it.
    pub post_ids_ahead: Duration,

    /// For how long it is told unasked what is ready. Default: 1 second.
    ///
    /// Anyone may ask, and each answer takes a question to the database, to Redis and to the store.
    pub readiness_fresh_for: Duration,

    /// How many events are kept for those who come back. Default: 1 000.
    pub events: usize,

    /// By how many events a reader may lag behind before it is cut off. Default: 256.
    ///
    /// They are kept once for all readers. One that was cut off comes back and is told what it missed.
    pub events_behind: usize,

    /// Within what time all who listen are told to ask anew once events were lost. Default: 30 seconds.
    ///
    /// Each at a random moment of its own: they ask for all that is on their screens.
    pub resets_within: Duration,

    /// How often a stream of events says that it is there. Default: every 15 seconds.
    ///
    /// Proxies commonly end what was silent for 30 or 60 seconds.
    pub heartbeat: Duration,

    /// For how long a peer may leave unread what it was sent, before its connection is ended.
    /// Default: 30 seconds.
    pub unread_for: Duration,

    /// For how long what a peer goes on sending is dropped once it was answered for the last time.
    /// Default: 5 seconds.
    ///
    /// Who is refused in the middle of sending can then read why.
    pub linger_for: Duration,

    /// The same if nothing comes. Default: 1 second.
    ///
    /// So that a peer that keeps an idle connection open does not hold up a stop.
    pub linger_in_silence_for: Duration,

    /// How many bytes of it are dropped at most. Default: 128 MiB, more than any camera's picture.
    pub linger_bytes: usize,

    /// How many streams of events one user may have open at an instance. Default: 16.
    pub streams_per_user: usize,

    /// For how long it is remembered who are friends, to tell them of each other. Default: 30 seconds.
    pub friends_fresh_for: Duration,

    /// How many questions about who are friends, to tell them of each other, go to the database at
    /// once. Default: 2.
    ///
    /// Many who come back at once ask one each; there are 4 connections to SQLite, 16 to PostgreSQL,
    /// and others need them too.
    pub audience_questions: usize,

    /// How many users one user may name in reads at once, after a pause; at least as many as in a
    /// second. Default: 2 000, forty full batches: more than any page asks for when it wakes.
    ///
    /// A page of friends does not count: its reader names nobody, so there is nothing to guess, and it
    /// is one query of 50 rows at most.
    pub names_at_once: NonZeroU32,

    /// For how long a post's snapshot of its author is shown unasked. Default: 1 hour.
    ///
    /// A change is written into the posts, so this bounds only how long one that failed is seen.
    pub snapshot_fresh_for: Duration,
}

impl Limits {
    /// What Redis holds no longer than this is read ahead: until the next turn, and a little more.
    pub fn read_ahead_within(&self) -> Duration {
        self.warm_up_every + self.warm_up_every / 10
    }
}

impl Default for Limits {
    #[expect(clippy::too_many_lines, reason = "a line a limit")]
    fn default() -> Self {
        Self {
            profiles: 1_000,
            profile_fresh_for: Duration::from_secs(5 * 60),
            profile_shared_for: Duration::from_secs(60 * 60),
            warm_up_every: Duration::from_secs(10 * 60),
            read_ahead_for: Duration::from_secs(3 * 60 * 60),
            read_ahead: 10_000,
            active_for: Duration::from_secs(30 * 60),
            missing_fresh_for: Duration::from_secs(10),
            rendition_memory_bytes: 64 << 20,
            rendition_kept_for: Duration::from_secs(60 * 60),
            rendition_file_bytes: 1 << 30,
            missing_image_fresh_for: Duration::from_secs(5),
            missing_images: 10_000,
            files_marked_every: Duration::from_secs(30 * 60),
            rendition_loads: 64,
            image_metadata: 10_000,
            image_metadata_kept_for: Duration::from_secs(2 * 60 * 60),
            hints: 10_000,
            hint_signed_for: Duration::from_secs(60 * 60),
            hint_kept_for: Duration::from_secs(50 * 60),
            hint_window: Duration::from_secs(10 * 60),
            unused_kept_for: Duration::from_secs(24 * 60 * 60),
            unused_looked_for_every: Duration::from_secs(60),
            removals_at_once: 100,
            removal_takes_at_most: Duration::from_secs(5 * 60),
            uploads: 32,
            uploads_per_user: 2,
            head_arrives_within: Duration::from_secs(30),
            request_takes_at_most: Duration::from_secs(30),
            body_arrives_within: Duration::from_secs(20),
            query_takes_at_most: Duration::from_secs(5),
            lock_takes_at_most: Duration::from_secs(3),
            lengthy_query_takes_at_most: Duration::from_secs(60),
            upload_arrives_within: Duration::from_secs(2 * 60),
            decoding_bytes: 512 << 20,
            sign_ins: 32,
            session_lasts: Duration::from_secs(30 * 24 * 60 * 60),
            session_trusted_for: Duration::from_secs(4),
            session_checked_every: Duration::from_secs(1),
            session_trusted_in_need_for: Duration::from_secs(5 * 60),
            sessions: 10_000,
            activity_noted_every: Duration::from_secs(5 * 60),
            catch_up_every: Duration::from_secs(1),
            relay_after: Duration::from_secs(2),
            post_ids_behind: Duration::from_secs(24 * 60 * 60),
            post_ids_ahead: Duration::from_secs(5 * 60),
            readiness_fresh_for: Duration::from_secs(1),
            events: 1_000,
            events_behind: 256,
            resets_within: Duration::from_secs(30),
            heartbeat: Duration::from_secs(15),
            unread_for: Duration::from_secs(30),
            linger_for: Duration::from_secs(5),
            linger_in_silence_for: Duration::from_secs(1),
            linger_bytes: 128 << 20,
            streams_per_user: 16,
            friends_fresh_for: Duration::from_secs(30),
            audience_questions: 2,
            names_at_once: const { NonZeroU32::new(2_000).unwrap() },
            snapshot_fresh_for: Duration::from_secs(60 * 60),
        }
    }
}
