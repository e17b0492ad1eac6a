import { describe, expect, test } from 'vitest';

import { ServerClock, countdown, inWords, isSpoken, secondsLeft } from '../src/countdown';

const SERVER_S = 1_796_078_000;

describe("the server's clock", () => {
  test("goes by the server's time where the browser's is five minutes off", () => {
    let passed = 1_000;
    const clock = new ServerClock(() => passed, () => (SERVER_S - 300) * 1000);
    clock.learn(SERVER_S, 1_000);
    passed += 10_000;
    expect(clock.now()).toBeCloseTo(SERVER_S + 10, 3);
  });

  test('does not jump when the browser sets its own', () => {
    let wall = SERVER_S * 1000;
    const clock = new ServerClock(() => 5_000, () => wall);
    clock.learn(SERVER_S, 5_000);
    wall += 3_600_000;
    expect(clock.now()).toBeCloseTo(SERVER_S, 3);
  });

  test('takes half of a short way into account', () => {
    const clock = new ServerClock(() => 1_400, () => 0);
    clock.learn(SERVER_S, 1_000);
    expect(clock.now()).toBeCloseTo(SERVER_S + 0.2, 3);
  });

  test('does not take the wait at the server for the way', () => {
    const clock = new ServerClock(() => 21_000, () => 0);
    clock.learn(SERVER_S, 1_000);
    expect(clock.now()).toBeCloseTo(SERVER_S + 0.5, 3);
  });

  test("is the browser's until the server has said its time", () => {
    expect(new ServerClock(() => 0, () => SERVER_S * 1000).now()).toBe(SERVER_S);
  });
});

describe('a countdown', () => {
  test.each([
    [SERVER_S + 80, 'in 80 s'],
    [SERVER_S + 0.2, 'in 1 s'],
    [SERVER_S + 150, 'in 2 min 30 s'],
    [SERVER_S + 300, 'in 5 min'],
    [SERVER_S + 5_400, 'in 90 min'],
    [SERVER_S + 7_260, 'in 2 h 1 min']
  ])('to %d is "%s"', (deadline, words) => {
    expect(countdown(deadline, SERVER_S)).toBe(words);
  });

  test.each([SERVER_S, SERVER_S - 1, SERVER_S - 100_000])('that is over at %d is "now"', at => {
    expect(countdown(at, SERVER_S)).toBe('now');
    expect(secondsLeft(at, SERVER_S)).toBe(0);
  });

  test('never grows while time passes', () => {
    const left = [0, 0.3, 0.9, 1, 59.5, 80].map(at => secondsLeft(SERVER_S + 80, SERVER_S + at));
    expect(left).toEqual([80, 80, 80, 79, 21, 0]);
  });

  test('is said to a screen reader some times only', () => {
    const said = Array.from({ length: 121 }, (_, left) => left).filter(isSpoken);
    expect(said).toEqual([0, 5, 10, 30, 60, 120]);
  });
});

test('a span of no seconds has a unit', () => {
  expect(inWords(0)).toBe('0 s');
});
