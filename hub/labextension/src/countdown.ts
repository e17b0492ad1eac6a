/** How long is left, by the server's clock and in words. */

/**
 * The server's clock. The browser's own may be wrong or may be changed meanwhile, so this one goes
 * by the server's time and by how much time has passed in the page since.
 */
export class ServerClock {
  /** `passed` is a monotonic clock in ms, `wall` the browser's own clock in ms since 1970. */
  constructor(
    private _passed: () => number = () => performance.now(),
    private _wall: () => number = () => Date.now()
  ) {}

  /**
   * Learn the server's time, in seconds since 1970, from an answer to a request that was sent
   * `sentAt` (ms of the monotonic clock). A request that waited at the server says nothing of when
   * its answer was made, so half of the way counts at most 0.5 s.
   */
  learn(serverS: number, sentAt: number): void {
    const way = Math.min((this._passed() - sentAt) / 2000, WAY_S);
    this._offset = serverS + way - this._passed() / 1000;
  }

  /** The server's time now, in seconds since 1970. */
  now(): number {
    return this._offset === null ? this._wall() / 1000 : this._offset + this._passed() / 1000;
  }

  private _offset: number | null = null;
}

const WAY_S = 0.5;

/** Whole seconds from `now` to `deadline`, never less than 0. */
export function secondsLeft(deadline: number, now: number): number {
  return Math.max(0, Math.ceil(deadline - now));
}

/** A span of seconds as people say it. */
export function inWords(seconds: number): string {
  if (seconds < 90) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) {
    const rest = seconds % 60;
    return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  }
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The countdown of a notice: "in 40 s", or "now" once the time is over. */
export function countdown(deadline: number, now: number): string {
  const left = secondsLeft(deadline, now);
  return left === 0 ? 'now' : `in ${inWords(left)}`;
}

/**
 * Whether a screen reader says the countdown when `left` seconds are left: each second would drown
 * everything else.
 */
export function isSpoken(left: number): boolean {
  return [300, 120, 60, 30, 10, 5, 0].includes(left);
}
