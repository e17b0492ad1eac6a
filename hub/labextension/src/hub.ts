/** The hub, as the student's browser asks it. */

import { PageConfig } from '@jupyterlab/coreutils';

import { HubSeen } from './move';

/** Whose server this is, and where its hub is. */
export interface IWhose {
  /** The hub's path, as `/hub/`. */
  readonly prefix: string;
  readonly user: string;
  /** Empty for the user's default server. */
  readonly server: string;
}

/** Whose server the page belongs to; null where no hub has started it. */
export function whose(): IWhose | null {
  const prefix = PageConfig.getOption('hubPrefix');
  const user = PageConfig.getOption('hubUser');
  if (prefix === '' || user === '') {
    return null;
  }
  return { prefix, user, server: PageConfig.getOption('hubServerName') };
}

/** A hub that is busy with a whole class answers within this time (ms). */
const ANSWERS_MS = 20_000;

/** Asks the hub's API with the cookies of the student's login. */
export class Hub {
  constructor(
    private _whose: IWhose,
    private _fetch: typeof fetch = (input, init) =>
      fetch(input, { signal: AbortSignal.timeout(ANSWERS_MS), ...init })
  ) {}

  /** The hub's answer about the server. An unreadable one counts as silence. */
  async seen(): Promise<HubSeen> {
    let response: Response;
    try {
      response = await this._call('GET', `api/users/${encodeURIComponent(this._whose.user)}`);
    } catch {
      return 'silent';
    }
    if (response.status === 401 || response.status === 403 || response.status === 404) {
      // The hub was restarted, or the login is over: the next look has a new token, or none.
      const known = this._token;
      this._token = null;
      return (await this._tokenOf()) === null && known === null ? 'logged-out' : 'stopping';
    }
    if (!response.ok) {
      return 'silent';
    }
    try {
      return seenIn(await response.json(), this._whose.server);
    } catch {
      return 'silent';
    }
  }

  /** Ask for a start, with the options that the server had last. One that starts is no error. */
  async start(): Promise<void> {
    await this._call('POST', this._serverPath);
  }

  /**
   * Follow the start: each message of the hub, and its end, with whether the hub said so or the
   * connection ended. Returns how to stop.
   */
  follow(said: (message: string) => void, ended: (bySaying: boolean) => void): () => void {
    let source: EventSource | null = null;
    let stopped = false;
    void this._tokenOf().then(token => {
      if (stopped) {
        return;
      }
      source = new EventSource(this._url(`${this._serverPath}/progress`, token));
      source.onmessage = event => {
        const progress = progressOf(event.data);
        if (progress.over) {
          source?.close();
          ended(true);
        } else if (progress.message) {
          said(progress.message);
        }
      };
      source.onerror = () => {
        source?.close();
        ended(false);
      };
    });
    return () => {
      stopped = true;
      source?.close();
    };
  }

  /** Where a student logs in again. */
  loginUrl(next: string): string {
    return `${this._whose.prefix}login?next=${encodeURIComponent(next)}`;
  }

  private get _serverPath(): string {
    const user = `api/users/${encodeURIComponent(this._whose.user)}`;
    const server = encodeURIComponent(this._whose.server);
    return server === '' ? `${user}/server` : `${user}/servers/${server}`;
  }

  private async _call(method: string, path: string): Promise<Response> {
    const token = await this._tokenOf();
    return this._fetch(this._url(path, token), {
      method,
      cache: 'no-store',
      credentials: 'same-origin',
      redirect: 'error',
      headers: token === null ? {} : { 'X-XSRFToken': token }
    });
  }

  private _url(path: string, token: string | null): string {
    const url = `${this._whose.prefix}${path}`;
    return token === null ? url : `${url}?_xsrf=${encodeURIComponent(token)}`;
  }

  /**
   * The token against forged requests, from a page of the hub: its cookie has the hub's path, so
   * that only the hub's own pages can read it.
   */
  private async _tokenOf(): Promise<string | null> {
    if (this._token === null) {
      const response = await this._fetch(`${this._whose.prefix}home`, {
        cache: 'no-store',
        credentials: 'same-origin'
      });
      const isLogin = response.redirected && response.url.includes(`${this._whose.prefix}login`);
      this._token = response.ok && !isLogin ? tokenIn(await response.text()) : null;
    }
    return this._token;
  }

  private _token: string | null = null;
}

/** The token in a page of the hub; null when there is none. */
export function tokenIn(page: string): string | null {
  return /xsrf_token:\s*"([^"]+)"/.exec(page)?.[1] ?? null;
}

/** The state of one of a user's servers in the hub's description of the user. */
export function seenIn(user: unknown, server: string): HubSeen {
  const servers = (user as { servers?: Record<string, { pending?: unknown }> }).servers;
  if (typeof servers !== 'object' || servers === null) {
    throw new TypeError('the hub names no servers');
  }
  if (!(server in servers)) {
    return 'stopped';
  }
  // One that is ready and does not answer has just ended, and the hub has not seen it yet.
  return servers[server].pending === 'spawn' ? 'starting' : 'stopping';
}

/** One event of the hub's progress, as text: its markup is for the hub's own page. */
export function progressOf(data: unknown): { message: string; over: boolean } {
  try {
    const event = JSON.parse(String(data)) as Record<string, unknown>;
    const message = typeof event.message === 'string' ? event.message : '';
    return { message, over: event.ready === true || event.failed === true };
  } catch {
    return { message: '', over: false };
  }
}
