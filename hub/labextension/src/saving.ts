/** Saves every open document, and says which could not be saved and why. */

import { DocumentRegistry } from '@jupyterlab/docregistry';

/** The result for one open document. */
export interface IOutcome {
  readonly path: string;
  readonly saved: boolean;
  /** Why it was not saved, in words; empty when it was. */
  readonly why: string;
}

/** The part of a document that saving needs. */
export type Document = Pick<
  DocumentRegistry.Context,
  'path' | 'save' | 'contentsModel' | 'isReady'
> & { readonly model: { readonly dirty: boolean; readonly collaborative?: boolean } };

/**
 * Save all `documents` with unsaved changes side by side; the outcome of each of them.
 *
 * A document whose file has a newer version on disk asks its reader before it overwrites anything:
 * Jupyter compares the file with the version that was opened.
 */
export async function saveAll(documents: Iterable<Document>): Promise<IOutcome[]> {
  const unsaved = [...documents].filter(
    document => document.isReady && document.model.dirty && !document.model.collaborative
  );
  return Promise.all(unsaved.map(saved));
}

async function saved(document: Document): Promise<IOutcome> {
  const path = document.path;
  if (document.contentsModel?.writable === false) {
    return { path, saved: false, why: 'the file is read-only' };
  }
  try {
    await document.save();
  } catch (error) {
    return { path, saved: false, why: reason(error) };
  }
  return { path, saved: true, why: '' };
}

function reason(error: unknown): string {
  if (error instanceof Error) {
    const kept = ['ModalCancelError', 'ModalDuplicateError'].includes(error.name);
    return kept ? 'there is a newer version on disk' : error.message;
  }
  return String(error);
}

/** The outcomes as sentences for the student. */
export function inSentences(outcomes: readonly IOutcome[]): string {
  const failed = outcomes.filter(outcome => !outcome.saved);
  if (failed.length === 0) {
    return 'Your documents are saved.';
  }
  const sentences = failed.map(outcome => `Not saved: ${outcome.path} (${outcome.why}).`);
  return failed.length < outcomes.length
    ? `${sentences.join(' ')} Your other documents are saved.`
    : sentences.join(' ');
}
