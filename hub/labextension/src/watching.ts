/** Asks the server for notices for as long as the page is open. */

import { ServerClock } from './countdown';
import { IMessage, INotice, nameOf, parseAnswer } from './notice';

/** How long the server may keep a question until it has something new to say (s). */
export const WAIT_S = 20;
/** The time between two questions of a page that nobody looks at, or of an old server (ms). */
const PAUSE_MS = 3_000;
/** After an answer that makes no sense (ms). */
const LONGER_PAUSE_MS = 10_000;

export interface IWatched {
  /** The page's own name, so that the server can wait until it has saved. */
  readonly id: string;
  /** Ask `path` under the server's base URL; rejects when no server answers. */
  ask(path: string): Promise<Response>;
  /** A pause that ends early when somebody looks at the page again. */
  pause(ms: number): Promise<void>;
  /** Whether somebody looks at the page. A browser has six connections to one host: a page in the
   * background does not keep one. */
  isLookedAt(): boolean;
  /** No server answers; resolves once one does. */
  unanswered(): Promise<void>;
  /** A notice that was not there before, or null when there is none any more. */
  noticed(notice: INotice | null): void;
  /** A message that was not there before, or null when there is none any more. */
  messaged(message: IMessage | null): void;
}

/** Watches for notices until `stopped` says so. */
export async function watch(
  page: IWatched,
  clock: ServerClock,
  stopped: () => boolean = () => false
): Promise<void> {
  let last = '';
  let read = '';
  while (!stopped()) {
    const wait = page.isLookedAt() ? WAIT_S : 0;
    const sentAt = performance.now();
    let pause = PAUSE_MS;
    const answer = await answerOf(page, last, read, wait);
    if (answer === null) {
      await page.unanswered();
      pause = LONGER_PAUSE_MS;
    } else {
      if (answer.now !== null) {
        clock.learn(answer.now, sentAt);
      }
      if (nameOf(answer.notice) !== last) {
        last = nameOf(answer.notice);
        page.noticed(answer.notice);
      }
      const id = String(answer.message?.id ?? '');
      if (id !== read) {
        read = id;
        page.messaged(answer.message);
      }
      // A server that kept the question is asked again at once.
      pause = Math.max(0, (wait > 0 ? 0.9 * PAUSE_MS : PAUSE_MS) - (performance.now() - sentAt));
    }
    if (!stopped()) {
      await page.pause(pause);
    }
  }
}

async function answerOf(
  page: IWatched,
  last: string,
  read: string,
  wait: number
): Promise<ReturnType<typeof parseAnswer>> {
  try {
    const response = await page.ask(
      `labswarm/notice?wait=${wait}&had=${encodeURIComponent(last)}&read=${read}&page=${page.id}`
    );
    return response.ok ? parseAnswer(await response.json()) : null;
  } catch {
    return null;
  }
}
