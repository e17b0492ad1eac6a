import { describe, expect, test } from 'vitest';

import { IMove, Phase, Seen, begin, next, pauseAfter, progressed, startsByItself, words } from '../src/move';
import { INotice } from '../src/notice';

const MOVE: INotice = { kind: 'interruption', deadline: 1796078007, id: 0, message: 'It moves.' };
const IDLE: INotice = { kind: 'idle', deadline: 1796078007, id: 0, message: 'It is idle.' };

/** The phases of a move that sees these, one each second. */
function phases(notice: INotice | null, ...seen: Seen[]): Phase[] {
  let move = begin(notice, 0);
  return seen.map((one, number) => {
    move = next(move, one, 1_000 * number);
    return move.phase;
  });
}

function after(notice: INotice | null, ms: number, ...seen: Seen[]): IMove {
  return seen.reduce((move, one) => next(move, one, ms), begin(notice, 0));
}

describe('a move', () => {
  test('that EC2 wants goes by itself from the stop to the return', () => {
    expect(phases(MOVE, 'stopping', 'stopped', 'starting', 'locked', 'here')).toEqual([
      'moving',
      'moving',
      'starting',
      'returning',
      'here'
    ]);
  });

  test('waits for the app to start the server, and then has the hub start it', () => {
    const before = after(MOVE, 14_000, 'stopped');
    expect(before.phase).toBe('moving');
    const late = next(before, 'stopped', 15_000);
    expect(late.phase).toBe('stopped');
    expect(startsByItself(before, late)).toBe(true);
    expect(startsByItself(late, next(late, 'stopped', 16_000))).toBe(false);
  });

  test('that nobody announced is a stop on purpose: the student is asked', () => {
    const before = after(null, 1_000, 'stopped');
    const late = next(before, 'stopped', 15_000);
    expect(startsByItself(before, late)).toBe(false);
    expect(words(late, 15_000).offer).toBe('start');
  });

  test('after a notice of idleness says why at once, with a button', () => {
    const culled = words(after(IDLE, 1_000, 'stopped'), 1_000);
    expect(culled.text).toContain('Nobody worked on it for a while');
    expect(culled.offer).toBe('start');
  });

  test('goes on from no connection and from a silent hub', () => {
    expect(phases(null, 'unreachable', 'silent', 'locked', 'here')).toEqual([
      'offline',
      'silent',
      'returning',
      'here'
    ]);
  });

  test('shows the login where the server does not let the page in', () => {
    const begun = after(MOVE, 0, 'locked');
    expect(next(begun, 'locked', 15_000).phase).toBe('returning');
    const refused = next(begun, 'locked', 15_001);
    expect(words(refused, 15_001).offer).toBe('login');
    // Each further look asks for the login again: the words stay.
    expect(next(refused, 'locked', 16_000).phase).toBe('logged-out');
    expect(next(refused, 'here', 17_000).phase).toBe('here');
  });
});

describe('the words', () => {
  test('promise some ten seconds, and admit when it takes longer', () => {
    const move = after(MOVE, 0, 'stopping');
    expect(words(move, 4_000).text).toContain('This takes about 10 s.');
    expect(words(move, 25_900).text).toContain('longer than usual: 25 s so far');
  });

  test("of a start have the hub's: the place in line and the time", () => {
    const line = 'All seats are taken: you are number 3 in line, about 70 s.';
    const waiting = words(progressed(after(MOVE, 0, 'starting'), line), 20_000);
    expect(waiting.title).toBe('Your server is moving to another machine');
    expect(waiting.text).toBe(line);
    expect(words(after(MOVE, 0, 'starting'), 4_000).text).toBe('This takes about 10 s.');
    expect(words(after(null, 0, 'starting'), 0).title).toBe('Your server is starting');
  });

  test('never speak of a move that nobody announced', () => {
    expect(words(after(null, 0, 'stopping'), 0).title).toBe('Reconnecting to your server');
  });
});

test('a page that waits in line asks seldom, and one that comes back at once', () => {
  expect(pauseAfter(after(MOVE, 0, 'stopping'), 1_000)).toBe(1_000);
  expect(pauseAfter(after(MOVE, 0, 'stopping'), 60_000)).toBe(4_000);
  expect(pauseAfter(after(MOVE, 0, 'starting'), 1_000)).toBe(4_000);
  expect(pauseAfter(after(MOVE, 0, 'locked'), 1_000)).toBe(300);
});
