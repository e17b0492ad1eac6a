import { describe, expect, test } from 'vitest';

import { KINDS, canKeep, nameOf, parseAnswer, startsAgain, titleOf } from '../src/notice';

const MOVE = { kind: 'interruption', deadline: 1796078007, id: 0, message: 'It moves.' };

describe('an answer of the server', () => {
  test('is its notice and its time', () => {
    expect(parseAnswer({ notice: MOVE, now: 1796078000.5 })).toEqual({
      notice: MOVE,
      message: null,
      now: 1796078000.5
    });
  });

  test('may be that there is no notice', () => {
    expect(parseAnswer({ notice: null })).toEqual({ notice: null, message: null, now: null });
  });

  test.each([
    ['nothing', null],
    ['a text', 'Forbidden'],
    ['a list', [MOVE]],
    ['another object', { message: 'Not Found' }],
    ['a notice that is a text', { notice: 'soon' }],
    ['a kind that there is not', { notice: { ...MOVE, kind: 'party' } }],
    ['no message', { notice: { kind: 'idle', deadline: null } }],
    ['an empty message', { notice: { ...MOVE, message: ' ' } }],
    ['a message that is a number', { notice: { ...MOVE, message: 7 } }],
    ['a deadline that is a text', { notice: { ...MOVE, deadline: 'soon' } }],
    ['a deadline of no number', { notice: { ...MOVE, deadline: Number.NaN } }],
    ['a deadline without end', { notice: { ...MOVE, deadline: Number.POSITIVE_INFINITY } }],
    ['a deadline before there were servers', { notice: { ...MOVE, deadline: -5 } }]
  ])('that is %s counts as none', (_, answer) => {
    expect(parseAnswer(answer)).toBeNull();
  });

  test('with a time that makes no sense still has its notice', () => {
    expect(parseAnswer({ notice: MOVE, now: 'noon' })).toEqual({ notice: MOVE, message: null, now: null });
  });

  test('keeps markup as the text that it is', () => {
    const message = '<img src=x onerror=alert(1)>';
    expect(parseAnswer({ notice: { ...MOVE, message } })?.notice?.message).toBe(message);
  });

  test('is shortened when its message fills the page', () => {
    const notice = parseAnswer({ notice: { ...MOVE, message: 'a'.repeat(10_000) } })?.notice;
    expect(notice?.message.length).toBe(601);
  });
});

describe("an instructor's message", () => {
  const said = (message: unknown) => parseAnswer({ notice: null, message })?.message;

  test('is next to the notice, and is text whatever is in it', () => {
    const message = { id: 1796078007123, text: '<b>Save</b> now.' };
    expect(parseAnswer({ notice: MOVE, message })).toEqual({ notice: MOVE, message, now: null });
  });

  test.each([
    ['nothing', undefined],
    ['a text', 'Save now.'],
    ['without an id', { text: 'Save now.' }],
    ['with a text that is none', { id: 1, text: 7 }],
    ['of spaces', { id: 1, text: ' \n ' }]
  ])('that is %s counts as none', (_, message) => {
    expect(said(message)).toBeNull();
  });

  test('is shortened when it fills the page', () => {
    expect(said({ id: 1, text: 'a'.repeat(10_000) })?.text.length).toBe(601);
  });
});

test('a notice has one name for as long as it is the same', () => {
  const notice = parseAnswer({ notice: MOVE })!.notice;
  expect(nameOf(notice)).toBe('interruption.1796078007.0');
  expect(nameOf(null)).toBe('');
});

test('each kind has a title of its own', () => {
  const titles = KINDS.map(kind => titleOf({ kind, deadline: null, id: 0, message: 'x' }));
  expect(new Set(titles).size).toBe(KINDS.length);
});

test('a server stays when somebody works before it is idle or its lab ends', () => {
  const kept = KINDS.filter(kind => canKeep({ kind, deadline: null, id: 0, message: 'x' }));
  expect(kept).toEqual(['idle', 'lab']);
  expect(canKeep(null)).toBe(false);
});

test('the app starts a server again after a move, not after a culling', () => {
  const after = KINDS.filter(kind => startsAgain({ kind, deadline: null, id: 0, message: 'x' }));
  expect(after).toEqual(['interruption', 'terminate']);
  expect(startsAgain(null)).toBe(false);
});
