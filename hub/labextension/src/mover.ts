/** Sees the page through the time without its server: waits, says so, and comes back. */

import { Hub } from './hub';
import { navigate, visit } from './login';
import {
  IMove,
  Seen,
  begin,
  next,
  pauseAfter,
  progressed,
  startsByItself,
  words
} from './move';
import { INotice } from './notice';
import { Overlay } from './overlay';
import { Server } from './server';

/** A blink of the network is not worth a word (ms). */
const UNSEEN_MS = 400;

/** The page's actions around a move. */
export interface IPage {
  /** The last notice that the server gave. */
  lastNotice(): INotice | null;
  /** The server is away: the notices before are over. */
  left(): void;
  /** The server is here again, and nothing else of the page has reached it yet. */
  returned(): Promise<void>;
  /** The page's requests reach the server again. */
  reopened(move: IMove): void;
}

export class Mover {
  constructor(
    private _server: Server,
    private _hub: Hub,
    private _overlay: Overlay,
    private _page: IPage,
    private _now: () => number = () => performance.now()
  ) {
    window.addEventListener('online', () => this._wake());
    document.addEventListener('visibilitychange', () => this._wake());
  }

  /** Resolves once the server is here; null while it is not known to be away. */
  get away(): Promise<boolean> | null {
    return this._move === null ? null : this._away;
  }

  /**
   * Look whether the server is here; resolves once it is, to whether it was away. However many ask,
   * one looks.
   */
  check(): Promise<boolean> {
    this._away ??= this._run().finally(() => (this._away = null));
    return this._away;
  }

  private async _run(): Promise<boolean> {
    const first = await this._look();
    if (first === 'here') {
      return false;
    }
    this._move = next(begin(this._page.lastNotice(), this._now()), first, this._now());
    const ticking = window.setInterval(() => this._show(), 250);
    try {
      for (let seen: Seen = first; seen !== 'here'; seen = await this._look()) {
        await this._act(seen);
        await this._pause(pauseAfter(this._move, this._now()));
      }
      this._move = next(this._move, 'here', this._now());
      this._show();
      await this._page.returned();
    } finally {
      window.clearInterval(ticking);
      this._unfollow();
      this._overlay.hide();
      const move = this._move;
      this._move = null;
      this._logins = 0;
      window.setTimeout(() => this._page.reopened(move));
    }
    return true;
  }

  /** Look at the server once, and at the hub where the server is away. */
  private async _look(): Promise<Seen> {
    const seen = await this._server.seen();
    if (seen === 'away') {
      return this._hub.seen();
    }
    return seen === 'locked' ? this._enter() : seen;
  }

  /** Become known to a server that does not know the page. */
  private async _enter(): Promise<Seen> {
    // By turns: only the request says that the student is logged out.
    if (this._logins++ % 2 === 0) {
      await navigate(this._server.pageUrl);
      return 'locked';
    }
    return (await visit(this._server.pageUrl)) ? 'logged-out' : 'locked';
  }

  private async _act(seen: Seen): Promise<void> {
    const before = this._move!;
    this._move = next(before, seen, this._now());
    if (seen === 'starting') {
      this._follow();
    } else {
      this._unfollow();
    }
    if (startsByItself(before, this._move)) {
      await this._start();
    }
  }

  private async _start(): Promise<void> {
    await this._hub.start().catch(() => undefined);
    this._wake();
  }

  private _follow(): void {
    if (this._following) {
      return;
    }
    this._following = true;
    const stop = this._hub.follow(
      message => (this._move = this._move && progressed(this._move, message)),
      bySaying => {
        this._following = false;
        if (bySaying) {
          this._wake();
        }
      }
    );
    this._unfollow = () => {
      this._following = false;
      stop();
    };
  }

  private _show(): void {
    const move = this._move;
    if (move === null || this._now() - move.begunAt < UNSEEN_MS) {
      return;
    }
    if (this._overlay.node.hidden) {
      this._page.left();
    }
    const { title, text, offer } = words(move, this._now());
    const actions = {
      start: { label: 'Start my server', press: () => void this._start() },
      login: { label: 'Log in', press: () => this._logIn() }
    };
    this._overlay.show(title, text, offer === null ? [] : [actions[offer]]);
  }

  private _logIn(): void {
    window.open(this._hub.loginUrl(new URL(this._server.pageUrl).pathname), '_blank', 'noopener');
  }

  private _pause(ms: number): Promise<void> {
    return new Promise(done => {
      const timer = window.setTimeout(done, ms);
      this._wake = () => {
        window.clearTimeout(timer);
        done();
      };
    });
  }

  private _away: Promise<boolean> | null = null;
  private _move: IMove | null = null;
  private _logins = 0;
  private _following = false;
  private _wake: () => void = () => undefined;
  private _unfollow: () => void = () => undefined;
}
