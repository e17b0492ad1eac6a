import { Signal } from '@lumino/signaling';
import { expect, test } from 'vitest';

import { InTurn, saveInTurn } from '../src/turns';

/** A document whose saves end when the test says so, as JupyterLab's do. */
class Document {
  dirty = true;
  text = '';
  onDisk = '';
  readonly begun: { end: (error?: Error) => void }[] = [];
  readonly contentChanged = new Signal<this, void>(this);

  readonly model = this as unknown as InTurn['model'];

  type(text: string): void {
    this.text += text;
    this.dirty = true;
    this.contentChanged.emit();
  }

  save(): Promise<void> {
    const content = this.text;
    return new Promise((done, failed) => {
      const end = (error?: Error): void => {
        if (error) {
          failed(error);
          return;
        }
        this.onDisk = content;
        this.dirty = false;
        done();
      };
      this.begun.push({ end });
    });
  }
}

function opened(): Document {
  const document = new Document();
  saveInTurn(document as unknown as InTurn);
  return document;
}

const settle = () => new Promise(done => setTimeout(done));

test('a save waits for the one before, and has the text of its own time', async () => {
  const document = opened();
  document.type('at the notice');
  void document.save();
  await settle();
  document.type(', typed on');
  const own = document.save();
  await settle();
  expect(document.begun.length).toBe(1);

  document.begun[0].end();
  await settle();
  expect(document.begun.length).toBe(2);
  document.begun[1].end();
  await own;
  expect(document.onDisk).toBe('at the notice, typed on');
  expect(document.dirty).toBe(false);
});

test('saves that wait are one', async () => {
  const document = opened();
  void document.save();
  await settle();
  const both = [document.save(), document.save()];
  await settle();
  document.begun[0].end();
  await settle();
  document.begun[1].end();
  await Promise.all(both);
  expect(document.begun.length).toBe(2);
});

test('a save that fails is reported to its own caller and does not stop the next one', async () => {
  const document = opened();
  const first = document.save();
  await settle();
  const second = document.save();
  await settle();
  document.begun[0].end(new Error('Forbidden'));
  await expect(first).rejects.toThrow('Forbidden');
  await settle();
  document.begun[1].end();
  await expect(second).resolves.toBeUndefined();
});

test('text that is typed during a save is still unsaved after it', async () => {
  const document = opened();
  const save = document.save();
  await settle();
  document.type('late');
  document.begun[0].end();
  await save;
  expect(document.dirty).toBe(true);
});
