import { describe, expect, test } from 'vitest';

import { Hub, progressOf, seenIn, tokenIn } from '../src/hub';

const OURS = { prefix: '/hub/', user: 'eve@x y', server: '' };
const PAGE = 'window.jhdata = { base_url: "/hub/", xsrf_token: "a-token", };';

/** A hub that answers each of its URLs; and the requests, in order. */
function hubOf(answers: Record<string, () => Response>): { hub: Hub; asked: string[] } {
  const asked: string[] = [];
  const answer = async (url: unknown, init?: RequestInit): Promise<Response> => {
    asked.push(`${init?.method ?? 'GET'} ${url}`);
    const made = answers[String(url).split('?')[0]];
    if (made === undefined) {
      throw new TypeError('Failed to fetch');
    }
    return made();
  };
  return { hub: new Hub(OURS, answer as typeof fetch), asked };
}

const json = (body: unknown) => () => new Response(JSON.stringify(body));
const USER = '/hub/api/users/eve%40x%20y';

describe("the hub's answer about a server", () => {
  test.each([
    ['stopped', { servers: {} }],
    ['stopped', { servers: { other: { pending: null, ready: true } } }],
    ['starting', { servers: { '': { pending: 'spawn', ready: false } } }],
    ['stopping', { servers: { '': { pending: 'stop', ready: false } } }],
    ['stopping', { servers: { '': { pending: null, ready: true } } }]
  ])('is %s for %j', async (seen, user) => {
    expect(seenIn(user, '')).toBe(seen);
    const { hub, asked } = hubOf({ '/hub/home': () => new Response(PAGE), [USER]: json(user) });
    expect(await hub.seen()).toBe(seen);
    expect(asked).toEqual(['GET /hub/home', `GET ${USER}?_xsrf=a-token`]);
  });

  test.each([
    ['nothing answers', {}],
    ['a proxy answers in its place', { [USER]: () => new Response('<html>', { status: 503 }) }],
    ['the answer is no JSON', { [USER]: () => new Response('<html>') }],
    ['the answer names no servers', { [USER]: json({ name: 'eve' }) }],
    ['the answer is null', { [USER]: json(null) }]
  ])('is silence where %s', async (_, answers) => {
    const { hub } = hubOf({ '/hub/home': () => new Response(PAGE), ...answers });
    expect(await hub.seen()).toBe('silent');
  });

  test('is asked with a new token where a restarted hub refuses the old one', async () => {
    const answers: Record<string, () => Response> = {
      '/hub/home': () => new Response(PAGE),
      [USER]: () => new Response('{}', { status: 403 })
    };
    const { hub, asked } = hubOf(answers);
    expect(await hub.seen()).toBe('stopping');
    answers[USER] = json({ servers: {} });
    expect(await hub.seen()).toBe('stopped');
    expect(asked.filter(one => one === 'GET /hub/home').length).toBe(2);
  });

  test('is that the login is over where no page of the hub has a token', async () => {
    const { hub } = hubOf({
      '/hub/home': () => new Response('<form>'),
      [USER]: () => new Response('{}', { status: 403 })
    });
    expect(await hub.seen()).toBe('logged-out');
  });
});

test('a start is asked for with the token', async () => {
  const { hub, asked } = hubOf({
    '/hub/home': () => new Response(PAGE),
    [`${USER}/server`]: () => new Response('', { status: 202 })
  });
  await hub.start();
  expect(asked[1]).toBe(`POST ${USER}/server?_xsrf=a-token`);
});

test('a token is read from a page of the hub, and none from another', () => {
  expect(tokenIn(PAGE)).toBe('a-token');
  expect(tokenIn('<html></html>')).toBeNull();
});

test.each([
  ['{"progress": 10, "message": "number 3 in line"}', 'number 3 in line', false],
  ['{"progress": 100, "ready": true, "message": "Server ready"}', 'Server ready', true],
  ['{"progress": 100, "failed": true}', '', true],
  ['{"html_message": "<b>x</b>"}', '', false],
  ['rubbish', '', false],
  ['null', '', false]
])('an event of the progress is read: %s', (data, message, over) => {
  expect(progressOf(data)).toEqual({ message, over });
});
