import { expect, test } from 'vitest';

import { ServerClock } from '../src/countdown';
import { IMessage, INotice } from '../src/notice';
import { watch } from '../src/watching';

const MOVE = { kind: 'interruption', deadline: 1796078007, id: 0, message: 'It moves.' };

/** Watches a server that gives these answers, one after another; the requests and the notices. */
async function watched(
  answers: (() => unknown)[],
  lookedAt = true
): Promise<{
  asked: string[];
  noticed: (INotice | null)[];
  messaged: (IMessage | null)[];
  pauses: number[];
}> {
  const asked: string[] = [];
  const noticed: (INotice | null)[] = [];
  const messaged: (IMessage | null)[] = [];
  const pauses: number[] = [];
  const page = {
    id: 'page-1',
    ask: async (path: string) => {
      asked.push(path);
      return new Response(JSON.stringify(answers[asked.length - 1]()));
    },
    pause: async (ms: number) => void pauses.push(ms),
    isLookedAt: () => lookedAt,
    unanswered: async () => undefined,
    noticed: (notice: INotice | null) => void noticed.push(notice),
    messaged: (message: IMessage | null) => void messaged.push(message)
  };
  await watch(page, new ServerClock(), () => asked.length === answers.length);
  return { asked, noticed, messaged, pauses };
}

test('a notice is noticed once, and when it is over', async () => {
  const none = () => ({ notice: null });
  const move = () => ({ notice: MOVE });
  const { noticed } = await watched([none, move, move, none, none]);
  expect(noticed).toEqual([MOVE, null]);
});

test('the page sends the notice that it has, so that the server answers at another one', async () => {
  const { asked } = await watched([() => ({ notice: MOVE }), () => ({ notice: MOVE })]);
  expect(asked).toEqual([
    'labswarm/notice?wait=20&had=&read=&page=page-1',
    'labswarm/notice?wait=20&had=interruption.1796078007.0&read=&page=page-1'
  ]);
});

test('a message is shown once, next to a notice, and taken away when the server has none', async () => {
  const none = () => ({ notice: null, message: null });
  const message = { id: 1796078007123, text: 'Save now.' };
  const both = () => ({ notice: MOVE, message });
  const { asked, noticed, messaged } = await watched([none, both, both, none, none]);
  expect(messaged).toEqual([message, null]);
  expect(noticed).toEqual([MOVE, null]);
  expect(asked[2]).toContain('&read=1796078007123&');
});

test('a page in the background keeps no connection', async () => {
  const { asked } = await watched([() => ({ notice: null })], false);
  expect(asked).toEqual(['labswarm/notice?wait=0&had=&read=&page=page-1']);
});

test('a server that answers at once is not asked without a pause', async () => {
  const { pauses } = await watched([() => ({ notice: null }), () => ({ notice: null })]);
  expect(pauses[0]).toBeGreaterThan(2_000);
});

test.each([
  ['rubbish', () => ({ hello: 'world' })],
  ['a failure', () => { throw new TypeError('Failed to fetch'); }]
])('%s changes nothing, and the server is left alone for longer', async (_, answer) => {
  const { noticed, pauses } = await watched([answer, answer]);
  expect(noticed).toEqual([]);
  expect(pauses).toEqual([10_000]);
});
