import { describe, expect, test } from 'vitest';

import { Document, inSentences, saveAll } from '../src/saving';

/** A document whose save does what `save` does. */
function document(path: string, save: () => Promise<void>, more: object = {}): Document {
  const written = { path, save, isReady: true, model: { dirty: true }, contentsModel: null };
  return { ...written, ...more } as unknown as Document;
}

function refused(name: string, message: string): () => Promise<void> {
  return () => Promise.reject(Object.assign(new Error(message), { name }));
}

describe('at a notice', () => {
  test('a document with unsaved changes is saved, and no other', async () => {
    const saved: string[] = [];
    const save = (path: string) => async (): Promise<void> => void saved.push(path);
    await saveAll([
      document('a.ipynb', save('a.ipynb')),
      document('notes.txt', save('notes.txt')),
      document('clean.py', save('clean.py'), { model: { dirty: false } }),
      document('shared.ipynb', save('shared.ipynb'), { model: { dirty: true, collaborative: true } })
    ]);
    expect(saved).toEqual(['a.ipynb', 'notes.txt']);
  });

  test('one that cannot be saved hinders no other, and is named with the reason', async () => {
    const outcomes = await saveAll([
      document('full.ipynb', refused('Error', 'No space left on device')),
      document('b.txt', async () => undefined)
    ]);
    expect(inSentences(outcomes)).toBe(
      'Not saved: full.ipynb (No space left on device). Your other documents are saved.'
    );
  });

  test.each(['ModalCancelError', 'ModalDuplicateError'])(
    'a newer version on disk is kept where its reader says so (%s)',
    async name => {
      const outcomes = await saveAll([document('a.ipynb', refused(name, 'Cancel'))]);
      expect(inSentences(outcomes)).toBe('Not saved: a.ipynb (there is a newer version on disk).');
    }
  );

  test('a read-only file is not tried', async () => {
    const outcomes = await saveAll([
      document('given.txt', refused('Error', 'tried'), { contentsModel: { writable: false } })
    ]);
    expect(inSentences(outcomes)).toBe('Not saved: given.txt (the file is read-only).');
  });

  test('where all is saved already, that is said', async () => {
    expect(inSentences(await saveAll([]))).toBe('Your documents are saved.');
  });
});
