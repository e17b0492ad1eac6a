/** Unsaved text, kept in the browser until it is saved. */

import { DocumentRegistry } from '@jupyterlab/docregistry';
import { PartialJSONValue } from '@lumino/coreutils';

/** The copy of one document. */
export interface IDraft {
  /** The file's path on the server. */
  readonly path: string;
  /** The whole content, as the file's model has it: text, or a notebook's JSON. */
  readonly content: PartialJSONValue;
  /** When it was kept (ms since 1970, by the browser's clock). */
  readonly at: number;
}

/** Where drafts are kept, each by its path. */
export interface IDrafts {
  keep(draft: IDraft): Promise<void>;
  find(path: string): Promise<IDraft | null>;
  forget(path: string): Promise<void>;
  /** Forget each draft that is older than `at` (ms since 1970). */
  forgetBefore(at: number): Promise<void>;
}

/** The part of a document's model that is kept and given back. */
export type Model = Pick<
  DocumentRegistry.IModel,
  'contentChanged' | 'dirty' | 'toJSON' | 'fromJSON' | 'toString' | 'fromString'
>;

/** The part of a document that keeping its text needs. */
export type Kept = Pick<DocumentRegistry.IContext<DocumentRegistry.IModel>, 'path' | 'ready'> & {
  readonly model: Model;
  readonly saveState: DocumentRegistry.IContext<DocumentRegistry.IModel>['saveState'];
  readonly disposed: DocumentRegistry.IContext<DocumentRegistry.IModel>['disposed'];
};

/** After the last key, so long until the text is kept (ms). */
const QUIET_MS = 1_000;
/** An older draft is nobody's wish any more (ms). */
export const OLD_MS = 14 * 86_400_000;

/** Offers a draft to the student; resolves to whether they take it. */
export type Offer = (draft: IDraft) => Promise<boolean>;

/**
 * Keep a document's unsaved text from now on, and offer what was kept before.
 *
 * `isNotebook` says which of the model's two forms is its content. Nothing here is in the way of a
 * document: a browser that keeps nothing (private windows, full disks) is as one without drafts.
 */
export async function keepUnsaved(
  document: Kept,
  isNotebook: boolean,
  drafts: IDrafts,
  offer: Offer
): Promise<void> {
  await document.ready;
  const found = await drafts.find(document.path).catch(() => null);
  if (found !== null) {
    await offered(document, isNotebook, drafts, found, offer);
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const keep = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (document.model.dirty) {
      const content = contentOf(document.model, isNotebook);
      void drafts.keep({ path: document.path, content, at: Date.now() }).catch(() => undefined);
    }
  };
  const changed = (): void => {
    clearTimeout(timer);
    timer = setTimeout(keep, QUIET_MS);
  };
  const leaving = (): void => {
    if (timer !== undefined) {
      keep();
    }
  };
  document.model.contentChanged.connect(changed);
  document.saveState.connect((_, state) => {
    if (state === 'completed') {
      clearTimeout(timer);
      timer = undefined;
      void drafts.forget(document.path).catch(() => undefined);
    }
  });
  window.addEventListener('pagehide', leaving);
  document.disposed.connect(() => {
    clearTimeout(timer);
    window.removeEventListener('pagehide', leaving);
  });
}

async function offered(
  document: Kept,
  isNotebook: boolean,
  drafts: IDrafts,
  draft: IDraft,
  offer: Offer
): Promise<void> {
  if (isSame(draft.content, contentOf(document.model, isNotebook))) {
    await drafts.forget(draft.path).catch(() => undefined);
    return;
  }
  // Not awaited: the student may type on before they answer.
  void offer(draft).then(async taken => {
    if (taken) {
      give(document.model, isNotebook, draft.content);
    } else {
      await drafts.forget(draft.path).catch(() => undefined);
    }
  });
}

function contentOf(model: Model, isNotebook: boolean): PartialJSONValue {
  return isNotebook ? model.toJSON() : model.toString();
}

function give(model: Model, isNotebook: boolean, content: PartialJSONValue): void {
  if (isNotebook) {
    model.fromJSON(content);
  } else {
    model.fromString(String(content));
  }
}

/** Whether two contents are the same, in any order of their keys. */
export function isSame(one: PartialJSONValue, other: PartialJSONValue): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return value;
}
