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

  readonly fetch: Fetch = async (input, init) => {
    const request = new Request(input, init);
    for (;;) {
      await this._away();
      const outcome = await this._try(request);
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

  private async _try(request: Request): Promise<{ answer: Response } | { error: unknown }> {
    try {
      // A request's body can be sent once, and a new server wants a new token.
      return { answer: await this._fetch.call(null, withXsrf(request.clone())) };
    } catch (error) {
      return { error };
    }
  }
}

/** Whether an answer may come from a proxy, the hub or a server that does not know the page. */
export function mayBeLost(answer: Pick<Response, 'status' | 'redirected' | 'url'>): boolean {
  return (
    [403, 424, 502, 503, 504].includes(answer.status) ||
    (answer.redirected && answer.url.includes('/hub/'))
  );
}
