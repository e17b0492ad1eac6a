/** The student's own server, asked past every gate. */

import { PageConfig } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { IWatched, WAIT_S } from './watching';

/** A server that is busy starting kernels answers within this time (ms). */
const ANSWERS_MS = 20_000;
/** The same for a question that the server keeps for a while (ms). */
const KEPT_MS = WAIT_S * 1000 + ANSWERS_MS;

/** Asks the server as JupyterLab does: with its cookies and the token against forged requests. */
export class Server {
  constructor(private _settings: ServerConnection.ISettings) {
    this._fetch = _settings.fetch;
  }

  /** The server's base URL, with a slash at its end. */
  get baseUrl(): string {
    return this._settings.baseUrl;
  }

  /**
   * Ask for a path under the base URL; rejects when nothing answers within `withinMs`. After a sleep
   * or a change of the network a browser may wait for an answer that nobody sends.
   */
  ask(path: string, init: RequestInit = {}, withinMs = ANSWERS_MS): Promise<Response> {
    const request = new Request(this.baseUrl + path, {
      cache: 'no-store',
      credentials: 'same-origin',
      signal: AbortSignal.timeout(withinMs),
      ...init
    });
    return this._fetch.call(null, withXsrf(request));
  }

  /** The result of one look. */
  async seen(): Promise<'here' | 'locked' | 'away' | 'unreachable'> {
    let response: Response;
    try {
      response = await this.ask('api/status');
    } catch {
      return 'unreachable';
    }
    if (response.redirected) {
      return 'away';
    }
    if (response.ok) {
      return 'here';
    }
    return response.status === 403 ? 'locked' : 'away';
  }

  /** The page that a student opens; the server knows a browser after it. */
  get pageUrl(): string {
    return this.baseUrl + (PageConfig.getOption('appUrl') || '/lab').replace(/^\//, '');
  }

  /** The ids of the kernels that run on the server; empty where it does not say. */
  async livingKernels(): Promise<Set<string>> {
    try {
      const kernels = (await (await this.ask('api/kernels')).json()) as { id: string }[];
      return new Set(kernels.map(kernel => kernel.id));
    } catch {
      return new Set();
    }
  }

  /** Say that this page has saved at a notice: an evacuation waits for that. */
  async saved(notice: string): Promise<void> {
    const path = `labswarm/saved?page=${this._page}&notice=${encodeURIComponent(notice)}`;
    await this.ask(path, { method: 'POST' });
  }

  /** Say that somebody works at this page: the server is not idle. */
  async works(): Promise<void> {
    await this.ask('labswarm/work', { method: 'POST' });
  }

  /** How the page asks for notices; the page adds its use of them. */
  watched(): Pick<IWatched, 'id' | 'ask' | 'pause' | 'isLookedAt'> {
    return {
      id: this._page,
      ask: path => this.ask(path, {}, KEPT_MS),
      pause: pauseUntilLookedAt,
      isLookedAt: () => document.visibilityState === 'visible'
    };
  }

  // Not crypto.randomUUID, which pages without TLS do not have.
  private _page = Math.random().toString(36).slice(2);
  private _fetch: ServerConnection.ISettings['fetch'];
}

/** The request with the `_xsrf` cookie as it is now: a new server wants a new one. */
export function withXsrf(request: Request): Request {
  // The most specific path's cookie comes first; it is the server's own, not the hub's.
  const cookie = document.cookie
    .split(';')
    .map(part => part.trim())
    .find(part => part.startsWith('_xsrf='));
  if (cookie !== undefined) {
    request.headers.set('X-XSRFToken', cookie.slice('_xsrf='.length));
  }
  return request;
}

/** A pause that ends when the page comes to the front. */
function pauseUntilLookedAt(ms: number): Promise<void> {
  return new Promise(done => {
    const end = (): void => {
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', end);
      done();
    };
    const timer = window.setTimeout(end, ms);
    document.addEventListener('visibilitychange', end);
  });
}
