/** Holds the page's requests while its server is away, so that none of them fails. */

import { ServerConnection } from '@jupyterlab/services';

import { withXsrf } from './server';

type Fetch = ServerConnection.ISettings['fetch'];

/**
 * A `fetch` that makes a request again once the server is back. JupyterLab's kernels, files and
 * settings all ask through one, and each has its own dialog for a request that fails.
 */
export class Gate {
  /**
   * `away` is a promise of the server's return, null while it is not known to be away. `lost` is
   * called with each failure and resolves once the server is here: to true when it was away, to
   * false when it was here all along and the failure is the request's own.
   */
  constructor(
    private _fetch: Fetch,
    private _away: () => Promise<unknown> | null,
    private _lost: () => Promise<boolean>
  ) {}

  /**
   * Make each request again that is on its way and may be made twice. The server came back: a former
   * one may have taken the request and never answer, and a save that waits holds up all later ones.
   */
  repeat(): void {
    this._round.abort();
    this._round = new AbortController();
  }

  readonly fetch: Fetch = async (input, init) => {
    const request = new Request(input, init);
    for (;;) {
      await this._away();
      const round = this._round.signal;
      const outcome = await this._try(request, round);
      if ('error' in outcome && round.aborted && isRepeatable(request)) {
        continue;
      }
      if ('answer' in outcome && !mayBeLost(outcome.answer)) {
        return outcome.answer;
      }
      if (request.signal.aborted || !(await this._lost())) {
        if ('answer' in outcome) {
          return outcome.answer;
        }
        throw outcome.error;
      }
    }
  };

  private async _try(
    request: Request,
    round: AbortSignal
  ): Promise<{ answer: Response } | { error: unknown }> {
    const signal = isRepeatable(request)
      ? AbortSignal.any([request.signal, round])
      : request.signal;
    try {
      // A request's body can be sent once, and a new server wants a new token.
      const sent = new Request(request.clone(), { signal });
      return { answer: await this._fetch.call(null, withXsrf(sent)) };
    } catch (error) {
      return { error };
    }
  }

  private _round = new AbortController();
}

/** Whether a request that was taken once may be made again, unless its page has given it up. */
function isRepeatable(request: Request): boolean {
  return ['GET', 'PUT'].includes(request.method) && !request.signal.aborted;
}

/** Whether an answer may come from a proxy, the hub or a server that does not know the page. */
export function mayBeLost(answer: Pick<Response, 'status' | 'redirected' | 'url'>): boolean {
  return (
    [403, 424, 502, 503, 504].includes(answer.status) ||
    (answer.redirected && answer.url.includes('/hub/'))
  );
}
