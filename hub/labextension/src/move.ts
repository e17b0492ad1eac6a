/** The page's knowledge of a server that is away, and its words about it. */

import { INotice, startsAgain } from './notice';

/** The hub's answer about a server that does not answer. */
export type HubSeen = 'starting' | 'stopping' | 'stopped' | 'logged-out' | 'silent';

/**
 * The result of one look: the server is `here`; it answers but does not know this page any more
 * (`locked`); it is away, in the hub's words; or nothing answers at all.
 */
export type Seen = 'here' | 'locked' | 'unreachable' | HubSeen;

export type Phase =
  | 'moving'
  | 'starting'
  | 'returning'
  | 'stopped'
  | 'logged-out'
  | 'silent'
  | 'offline'
  | 'here';

export interface IMove {
  readonly phase: Phase;
  /** The last notice before the server was away. */
  readonly notice: INotice | null;
  /** When the server was first seen to be away, and when this phase began (ms, monotonic). */
  readonly begunAt: number;
  readonly phaseAt: number;
  /** The hub's words about the start, as the spawn page shows them; empty before it says anything. */
  readonly progress: string;
}

/** The button that the student is offered. */
export type Offer = 'start' | 'login' | null;

export interface IWords {
  readonly title: string;
  readonly text: string;
  readonly offer: Offer;
}

const MOVING = 'Your server is moving to another machine';
/** The time of a usual move (s), as it is promised. */
const USUAL_S = 10;
/** Between the stop of a server and its next start the hub has neither (ms). */
const BETWEEN_MS = 15_000;
/** A server that answers lets the page in within this time, unless its student is logged out (ms). */
const REFUSED_MS = 15_000;
const TRANSIENT: readonly Phase[] = ['moving', 'starting', 'returning'];

/** A server is away since `now`. */
export function begin(notice: INotice | null, now: number): IMove {
  return { phase: 'moving', notice, begunAt: now, phaseAt: now, progress: '' };
}

/** The move after one more look at `now`. */
export function next(move: IMove, seen: Seen, now: number): IMove {
  const phase = phaseOf(move, seen, now);
  return phase === move.phase ? move : { ...move, phase, phaseAt: now };
}

/** The move with the hub's latest word on the start. */
export function progressed(move: IMove, progress: string): IMove {
  return { ...move, progress };
}

function phaseOf(move: IMove, seen: Seen, now: number): Phase {
  switch (seen) {
    case 'here':
    case 'starting':
    case 'logged-out':
    case 'silent':
      return seen;
    case 'locked':
      return isRefused(move, now) ? 'logged-out' : 'returning';
    case 'unreachable':
      return 'offline';
    case 'stopping':
      return 'moving';
    case 'stopped':
      return isBetween(move, now) ? 'moving' : 'stopped';
  }
}

/** Whether the server has not let the page in for so long that its login has to be over. */
function isRefused(move: IMove, now: number): boolean {
  return (
    move.phase === 'logged-out' ||
    (move.phase === 'returning' && now - move.phaseAt > REFUSED_MS)
  );
}

/** Whether the app may yet start a server that the hub calls stopped. */
function isBetween(move: IMove, now: number): boolean {
  const waited = ['idle', 'age', 'lab'].includes(move.notice?.kind ?? '') ? 0 : BETWEEN_MS;
  return TRANSIENT.includes(move.phase) && now - move.phaseAt < waited;
}

/**
 * Whether the page itself asks the hub for a start: the app was to move the server, and has not
 * begun. Without such a notice somebody stopped it on purpose, and the student is asked.
 */
export function startsByItself(before: IMove, after: IMove): boolean {
  return before.phase !== 'stopped' && after.phase === 'stopped' && startsAgain(after.notice);
}

/** How long to wait until the next look (ms). A class that waits in line must not keep a hub busy. */
export function pauseAfter(move: IMove, now: number): number {
  if (move.phase === 'returning') {
    return 300;
  }
  return move.phase === 'moving' && now - move.begunAt < 2 * USUAL_S * 1000 ? 1_000 : 4_000;
}

/** The sentence that the student reads. */
export function words(move: IMove, now: number): IWords {
  const away = Math.floor((now - move.begunAt) / 1000);
  switch (move.phase) {
    case 'moving':
      return startsAgain(move.notice)
        ? {
            title: MOVING,
            text: `${lasts(away)} This page comes back by itself, with everything that is in it.`,
            offer: null
          }
        : {
            title: 'Reconnecting to your server',
            text: 'It does not answer right now. Nothing in this page is lost.',
            offer: null
          };
    case 'starting':
      return {
        title: startsAgain(move.notice) ? MOVING : 'Your server is starting',
        // The hub's words have an estimate of their own, and know of a line.
        text: move.progress || lasts(away),
        offer: null
      };
    case 'returning':
    case 'here':
      return { title: 'Your server is back', text: 'Connecting this page to it.', offer: null };
    case 'stopped':
      return { title: 'Your server is stopped', text: whyStopped(move.notice), offer: 'start' };
    case 'logged-out':
      return {
        title: 'You are logged out',
        text: 'Log in again, in another tab. This page then goes on by itself.',
        offer: 'login'
      };
    case 'silent':
      return {
        title: 'The hub does not answer',
        text: 'Nothing in this page is lost. It goes on when the hub answers.',
        offer: null
      };
    case 'offline':
      return {
        title: 'There is no connection',
        text: 'Nothing in this page is lost. It goes on when the connection is back.',
        offer: null
      };
  }
}

function lasts(away: number): string {
  return away <= USUAL_S
    ? `This takes about ${USUAL_S} s.`
    : `This takes longer than usual: ${away} s so far.`;
}

function whyStopped(notice: INotice | null): string {
  let why = 'It was stopped from another tab, or because nobody worked on it for a while.';
  if (notice?.kind === 'idle') {
    why = 'Nobody worked on it for a while, and it made room for others.';
  } else if (notice?.kind === 'lab') {
    why = 'Your lab is over, and nobody worked on it any more.';
  } else if (notice?.kind === 'age') {
    why = 'It had run for as long as a server may.';
  }
  return `${why} Start it again, and this page goes on.`;
}
