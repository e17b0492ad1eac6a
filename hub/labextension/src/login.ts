/** Makes the page known to its new server. */

/**
 * Go through the hub's login for the server again, in a hidden frame: a stopped server's OAuth
 * client is deleted, and each container has a new cookie secret. Resolves when the round is over,
 * however it ended. The frame stays empty, since Jupyter lets no page embed it.
 *
 * A frame and not a request, because over HTTPS JupyterHub takes a login's cookies without a token
 * from a navigation only (the header Sec-Fetch-Mode, jupyterhub/_xsrf_utils.py).
 */
export function navigate(url: string, withinMs = 10_000): Promise<void> {
  return new Promise(done => {
    const frame = document.createElement('iframe');
    const end = (): void => {
      window.clearTimeout(timer);
      frame.remove();
      done();
    };
    const timer = window.setTimeout(end, withinMs);
    frame.addEventListener('load', end);
    frame.hidden = true;
    frame.title = 'Connecting to your server';
    frame.src = url;
    document.body.append(frame);
  });
}

/** The same as a request. Returns whether it ends at the hub's login: the student is logged out. */
export async function visit(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { cache: 'no-store', credentials: 'include' });
    return answer.redirected && new URL(answer.url).pathname.endsWith('/login');
  } catch {
    return false;
  }
}
