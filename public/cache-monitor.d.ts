// What a page with the cache offers to its console and its dashboard, as `window.cacheMonitor`.

/** A layer's name, nearest first. */
export type Layer = "memory" | "local_storage" | "indexed_db" | "service_worker" | "network";

export interface CacheMonitor {
  /** What was counted since the document began, or since `reset`. */
  getMetrics(): Metrics;
  /** The same with the policy and what was recorded, for `cargo xtask replay`, as a JSON text. Pseudonyms stand for
   * ids, names and all else that is text of people, the same throughout, unless the names are asked for. */
  export(names?: boolean): string;
  /** Has the documents of this tab record all that their caches are told, without bytes, from the next load on, or
   * no more; with settings (as `policy` names them) those are changed from then on. What was recorded before is
   * forgotten; sign-out ends it, too. Without an argument leaves it so. Returns how many documents are
   * recorded. Throws if there is no such setting. */
  record(wish?: boolean | Record<string, number>): number;
  /** What other settings would have gained in what was recorded, worked out a few milliseconds at a time; null if
   * nothing was recorded. */
  advise(): Promise<Advised | null>;
  /** Has the dashboard show what was exported; without a text, this page again. Throws if it is no export. */
  import(text?: string): void;
  /** What the dashboard shows in the place of this page; null if it shows this page. */
  imported(): Metrics | null;
  /** Writes a line and a table to the console, and returns the line. */
  logSummary(): string;
  /** The last load of a user's picture in words, a line for each layer and one for what came of it. */
  explain(user: string): string;
  /** What each layer holds of a user, nearest first. */
  entry(user: string): Promise<Holding[]>;
  /** What may be stored, and what is; `getMetrics` has it from then on. */
  storage(): Promise<Storage>;
  /** Every lifetime and limit in force, by name; times in milliseconds. */
  policy(): Record<string, number>;
  /** Calls back when figures have changed, at most four times a second. Returns a function that ends that. */
  subscribe(callback: () => void): () => void;
  /** Asks the browser to keep the storage when the disk is full; null where it has no such promise. */
  persist(): Promise<boolean | null>;
  /** Empties every layer. What is on screen stays there. */
  clear(): void;
  /** Counts from zero. */
  reset(): void;
  /** Renews what ends soon; resolves to a sentence that says what came of it. */
  sync(): Promise<string>;
  /** Loads the large pictures of all who stand in the list; returns how many people that are. */
  prefetch(): number;
  /** Asks the server about a user's picture, whatever is held. Throws if it is no user's id. */
  invalidate(user: string): void;
  /** Has all pictures be plain `<img>`s that the browser loads by their addresses, or again of this cache; without
   * an argument leaves it so. Returns whether they are plain. */
  bypass(on?: boolean): boolean;
  /** How long the pictures in view take when they are shown anew, in milliseconds: as plain `<img>`s that the
   * browser may not have, as plain ones that it has, and by this cache; null if some did not come in 10 s. */
  compare(): Promise<[number | null, number | null, number | null]>;
  /** Has a layer in trouble until the page is loaded again, or out of it (`none`). `ms` is how slow. Throws if it
   * cannot be: memory is the page itself, LocalStorage answers within a call. */
  simulate(wish: { layer: Layer; fault: "off" | "slow" | "full" | "corrupt" | "none"; ms?: number }): void;
}

/** What a layer holds of one user. */
export interface Holding {
  layer: Layer;
  /** Whether the layer could be looked at. */
  is_readable: boolean;
  /** Of the record; null if it holds none. */
  revision: number | null;
  image_id: string | null;
  /** When the server last confirmed the record, and until when the layer answers without asking it; in
   * milliseconds since the Unix epoch. */
  checked_at: number | null;
  believed_until: number | null;
  /** The encoded images, smallest first. */
  pictures: { size: 64 | 128 | 256 | 512; bytes: number; image_id: string }[];
}

/** What comes of a session under some policy. */
export interface Forecast {
  /** Pictures asked for; those not answered by the network; those answered by memory. */
  requests: number;
  hits: number;
  from_memory: number;
  /** Requests for pictures sent to the API. */
  api_requests: number;
  /** Encoded images received, in bytes. */
  bytes_from_network: number;
  /** From asking to having something to paint, in milliseconds; null if nothing was shown. */
  median_ms: number | null;
  p95_ms: number | null;
  /** What outlives documents, in bytes. */
  stored_bytes: number;
}

export interface Advised {
  /** Under the policy that was in force. */
  now: Forecast;
  /** Looks at pictures; and those that memory could answer if it held all, or as many as it does and knew what
   * comes. */
  looks: number;
  unbounded_hits: number;
  clairvoyant_hits: number;
  /** The best changes, the one that gains most first. */
  advice: { changes: { name: string; from: number; to: number }[]; then: Forecast }[];
  /** The same in words: what came of the session; of each advice what to change, what that gains, and that in points
   * of the hit rate. */
  said: string;
  told: { changes: string; gained: string; gain: string }[];
}

export interface Storage {
  /** Bytes that the origin stores and may store, as the browser estimates; null if it does not. */
  usage_bytes: number | null;
  quota_bytes: number | null;
  /** Whether the browser keeps it when the disk is full; null if it has no such promise. */
  persisted: boolean | null;
  /** Whether a service worker answers for the page; null where the page has none. */
  has_worker: boolean | null;
  /** The most that each layer holds, nearest first. */
  limits: { layer: Layer; entries: number; bytes: number }[];
}

export interface Metrics {
  /** The version of this shape. */
  schema: 2;
  /** Since when it was counted, in milliseconds since the Unix epoch. */
  since: number;
  /** Requests answered. */
  total_requests: number;
  /** Requests not answered by the network, of all; 0 to 1, and 0 before the first. */
  hit_rate: number;
  /** Requests that joined one under way. */
  coalesced: number;
  /** Requests answered at once with something past its lifetime. */
  stale: number;
  /** Requests answered with "has no picture". */
  negative: number;
  /** Requests for pictures sent to the API. */
  api_requests: number;
  /** The mean time from asking to having something to paint, in milliseconds. */
  average_load_ms: number;
  /** Encoded images received, in bytes. */
  bytes_from_network: number;
  /** Encoded images shown from a layer other than the network, in bytes. */
  bytes_saved: number;
  /** What loads from other layers took less than the median load from the network, in milliseconds. */
  time_saved_ms: number;
  layers: Record<Layer, LayerMetrics>;
  /** The last 60 minutes in which there was a request, oldest first. */
  minutes: Minute[];
  /** What may be stored, and what is; null until somebody has asked. */
  storage: Storage | null;
  /** What to look at, the most urgent first. */
  recommendations: Recommendation[];
  /** The last 500 loads, oldest first. */
  recent: Load[];
}

export interface Minute {
  /** Which, since the document began. */
  minute: number;
  /** Requests answered in it, and those of them not answered by the network. */
  requests: number;
  hits: number;
}

export interface Recommendation {
  /** Names the rule. */
  id: string;
  severity: "warning" | "notice";
  /** What to do. */
  message: string;
  /** What was seen. */
  evidence: string;
}

export interface LayerMetrics {
  /** Requests that it answered. */
  hits: number;
  /** Requests that it was asked and had nothing for. */
  misses: number;
  /** The same by their reason. */
  missed: {
    /** It held no picture of the user; the service worker's cache, none as large as asked for. */
    absent: number;
    /** It held another image than the one that the user is known to have. */
    other_revision: number;
    /** It held the image, smaller than asked for. */
    too_small: number;
  };
  /** Calls that failed. */
  errors: number;
  /** Bytes that it gave up because the origin stored over 80 % of what it may. */
  shed_bytes: number;
  /** Of the last 500 pictures shown from it, in milliseconds; null before the first. */
  p50_ms: number | null;
  p95_ms: number | null;
  /** Keys and bytes held; null if that is not known. */
  entries: number | null;
  bytes: number | null;
}

export interface Load {
  user: string;
  /** The edge asked for, in pixels. */
  size: 64 | 128 | 256 | 512;
  /** Which layer gave a picture, or said that there is none. */
  outcome: { kind: "shown" | "negative"; source: Layer } | { kind: "failed" };
  /** When it was asked for, in milliseconds since the document began. */
  asked_ms: number;
  /** From asking to having something to paint, in milliseconds. */
  took_ms: number;
  /** The length of the encoded image. */
  bytes: number;
  /** The layers asked, in order. */
  path: Step[];
}

export interface Step {
  layer: Layer;
  /** A stale answer is shown, and asked about again. */
  answer: "hit" | "stale" | "absent" | "other_revision" | "too_small" | "denied" | "timed_out" | "failed";
  /** Shared by all that asked in the same trip, in milliseconds. */
  took_ms: number;
}

declare global {
  interface Window {
    /** There once the page has all of its program. */
    cacheMonitor?: CacheMonitor;
  }
}
