import { expect, test, vi } from 'vitest';

import { Gate, mayBeLost } from '../src/gate';

vi.stubGlobal('document', { cookie: '' });

const URL_ = 'http://hub/user/ada/api/contents/a.ipynb';
type Step = number | 'network';

/** A gate before a server that answers so, one after another; the requests, and whether it was away. */
function gateOf(steps: Step[], wasAway: boolean[]): { gate: Gate; sent: string[]; lost: () => number } {
  const sent: string[] = [];
  let lost = 0;
  const server = async (request: Request): Promise<Response> => {
    sent.push(`${request.method} ${await request.text()} ${request.headers.get('X-XSRFToken')}`);
    const step = steps[sent.length - 1];
    if (step === 'network') {
      throw new TypeError('Failed to fetch');
    }
    return new Response('{}', { status: step });
  };
  const gate = new Gate(
    server as never,
    () => null,
    async () => wasAway[lost++]
  );
  return { gate, sent, lost: () => lost };
}

test.each<Step>([403, 424, 502, 503, 504, 'network'])(
  'a save that fails by %s because the server moves is made again on the new one',
  async step => {
    const { gate, sent } = gateOf([step, 200], [true]);
    const answer = await gate.fetch(new Request(URL_, { method: 'PUT', body: 'text' }));
    expect(answer.status).toBe(200);
    expect(sent.map(one => one.split(' ').slice(0, 2))).toEqual([
      ['PUT', 'text'],
      ['PUT', 'text']
    ]);
  }
);

test('a new server is shown its own token', async () => {
  document.cookie = '_xsrf=old';
  const shown: (string | null)[] = [];
  const server = async (request: Request): Promise<Response> => {
    shown.push(request.headers.get('X-XSRFToken'));
    return new Response('{}', { status: shown.length === 1 ? 403 : 200 });
  };
  const lost = async (): Promise<boolean> => {
    document.cookie = '_xsrf=new';
    return true;
  };
  await new Gate(server as never, () => null, lost).fetch(new Request(URL_, { method: 'PUT' }));
  document.cookie = '';
  expect(shown).toEqual(['old', 'new']);
});

test('a failure of a server that is here is the answer', async () => {
  const { gate, sent } = gateOf([403], [false]);
  expect((await gate.fetch(new Request(URL_))).status).toBe(403);
  expect(sent.length).toBe(1);
});

test('a request that no server got, while the server is here, fails as it did', async () => {
  const { gate } = gateOf(['network'], [false]);
  await expect(gate.fetch(new Request(URL_))).rejects.toThrow('Failed to fetch');
});

test.each([200, 201, 304, 400, 404, 409, 500])('an answer of %d asks for no look', async status => {
  expect(mayBeLost({ status, redirected: false, url: URL_ })).toBe(false);
});

test("an answer that is a page of the hub is not the server's", () => {
  expect(mayBeLost({ status: 200, redirected: true, url: 'http://hub/hub/login' })).toBe(true);
});

test('while the server is away nothing is sent', async () => {
  let back: (value: boolean) => void = () => undefined;
  let away: Promise<boolean> | null = new Promise(done => (back = done));
  const sent: string[] = [];
  const server = async (request: Request): Promise<Response> => {
    sent.push(request.method);
    return new Response('{}');
  };
  const gate = new Gate(
    server as never,
    () => away,
    async () => false
  );
  const answer = gate.fetch(new Request(URL_));
  await new Promise(done => setTimeout(done, 5));
  expect(sent).toEqual([]);
  away = null;
  back(true);
  expect((await answer).status).toBe(200);
});

test.each([
  ['PUT', 2],
  ['POST', 1]
])('a %s that nobody answers is made again when the server is back', async (method, times) => {
  const sent: string[] = [];
  const server = (request: Request): Promise<Response> => {
    sent.push(request.method);
    return sent.length > 1
      ? Promise.resolve(new Response('{}'))
      : new Promise((_, failed) =>
          request.signal.addEventListener('abort', () => failed(new Error('aborted')))
        );
  };
  const gate = new Gate(
    server as never,
    () => null,
    async () => false
  );
  const answer = gate.fetch(URL_, { method, body: '{}' });
  await vi.waitFor(() => expect(sent.length).toBe(1));
  gate.repeat();
  if (times === 2) {
    expect((await answer).status).toBe(200);
  }
  expect(sent.length).toBe(times);
});

test('a request that its page has given up is not made again', async () => {
  const page = new AbortController();
  let sent = 0;
  const server = (request: Request): Promise<Response> => {
    sent++;
    return new Promise((_, failed) =>
      request.signal.addEventListener('abort', () => failed(new Error('aborted')))
    );
  };
  const gate = new Gate(
    server as never,
    () => null,
    async () => false
  );
  const answer = gate.fetch(URL_, { signal: page.signal });
  await vi.waitFor(() => expect(sent).toBe(1));
  page.abort();
  gate.repeat();
  await expect(answer).rejects.toThrow('aborted');
  expect(sent).toBe(1);
});
