import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { IDraft, IDrafts, Kept, isSame, keepUnsaved } from '../src/drafts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', new EventTarget());
});
afterEach(() => vi.useRealTimers());

/** Drafts in memory. */
class Memory implements IDrafts {
  constructor(...drafts: IDraft[]) {
    drafts.forEach(draft => this.kept.set(draft.path, draft));
  }

  readonly kept = new Map<string, IDraft>();
  keep = async (draft: IDraft): Promise<void> => void this.kept.set(draft.path, draft);
  find = async (path: string): Promise<IDraft | null> => this.kept.get(path) ?? null;
  forget = async (path: string): Promise<void> => void this.kept.delete(path);
  forgetBefore = async (): Promise<void> => undefined;
}

/** A document of text, which its student types into and saves. */
class Text {
  constructor(public text: string) {}

  dirty = false;
  readonly contentChanged = new Signal<this, void>(this);
  readonly saveState = new Signal<this, 'started' | 'completed' | 'failed'>(this);
  readonly disposed = new Signal<this, void>(this);
  readonly document = {
    path: 'notes.txt',
    ready: Promise.resolve(),
    model: this,
    saveState: this.saveState,
    disposed: this.disposed
  } as unknown as Kept;

  toString(): string {
    return this.text;
  }

  fromString(text: string): void {
    this.text = text;
  }

  type(text: string): void {
    this.text += text;
    this.dirty = true;
    this.contentChanged.emit();
  }

  save(): void {
    this.dirty = false;
    this.saveState.emit('completed');
  }
}

const DRAFT: IDraft = { path: 'notes.txt', content: 'first, second', at: 1 };
const never = (): Promise<boolean> => Promise.reject(new Error('nothing is offered'));

describe('unsaved text', () => {
  test('is kept a second after the last key', async () => {
    const [text, drafts] = [new Text('first'), new Memory()];
    await keepUnsaved(text.document, false, drafts, never);
    text.type(', sec');
    await vi.advanceTimersByTimeAsync(900);
    text.type('ond');
    await vi.advanceTimersByTimeAsync(900);
    expect(drafts.kept.size).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(drafts.kept.get('notes.txt')?.content).toBe('first, second');
  });

  test('is forgotten once it is saved', async () => {
    const [text, drafts] = [new Text('first'), new Memory()];
    await keepUnsaved(text.document, false, drafts, never);
    text.type(', second');
    await vi.advanceTimersByTimeAsync(1_100);
    text.save();
    await vi.advanceTimersByTimeAsync(1_100);
    expect(drafts.kept.size).toBe(0);
  });

  test('is kept at once when the page is left', async () => {
    const [text, drafts] = [new Text('first'), new Memory()];
    await keepUnsaved(text.document, false, drafts, never);
    text.type(', second');
    window.dispatchEvent(new Event('pagehide'));
    expect(drafts.kept.get('notes.txt')?.content).toBe('first, second');
  });

  test('is given back where the student wants it', async () => {
    const [text, drafts] = [new Text('first'), new Memory(DRAFT)];
    await keepUnsaved(text.document, false, drafts, async () => true);
    await vi.advanceTimersByTimeAsync(0);
    expect(text.text).toBe('first, second');
    // It is not saved yet.
    expect(drafts.kept.size).toBe(1);
  });

  test('is forgotten where the student does not, and the file stays as it is', async () => {
    const [text, drafts] = [new Text('first'), new Memory(DRAFT)];
    await keepUnsaved(text.document, false, drafts, async () => false);
    await vi.advanceTimersByTimeAsync(0);
    expect(text.text).toBe('first');
    expect(drafts.kept.size).toBe(0);
  });

  test('that the file has meanwhile is not offered', async () => {
    const [text, drafts] = [new Text('first, second'), new Memory(DRAFT)];
    await keepUnsaved(text.document, false, drafts, never);
    expect(drafts.kept.size).toBe(0);
  });

  test('of a browser that keeps nothing is in nobody\'s way', async () => {
    const text = new Text('first');
    const refuse = (): Promise<never> => Promise.reject(new Error('no database'));
    const drafts = { keep: refuse, find: refuse, forget: refuse, forgetBefore: refuse };
    await keepUnsaved(text.document, false, drafts, never);
    text.type('x');
    await vi.advanceTimersByTimeAsync(1_100);
    text.save();
    expect(text.text).toBe('firstx');
  });
});

test('two notebooks are the same whatever the order of their keys', () => {
  expect(isSame({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 })).toBe(true);
  expect(isSame({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
});
