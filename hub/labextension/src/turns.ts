/** One save of a document at a time. */

import { DocumentRegistry } from '@jupyterlab/docregistry';

/** The part of a document that a turn needs. */
export type InTurn = Pick<DocumentRegistry.IContext<DocumentRegistry.IModel>, 'save'> & {
  readonly model: Pick<DocumentRegistry.IModel, 'contentChanged' | 'dirty'>;
};

/**
 * Make each save of a document wait for the one before, and join the one that waits already.
 *
 * JupyterLab lets them run side by side. The second of two then takes the version of the first for
 * somebody else's and asks whether to overwrite it, or the first comes last and the text between
 * is lost (https://github.com/jupyterlab/jupyterlab/issues/17365). Around a move three may meet:
 * the one at the notice, the autosave, and the student's own.
 */
export function saveInTurn(document: InTurn): void {
  const save = document.save.bind(document);
  const { model } = document;
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<void> | null = null;

  const turn = async (): Promise<void> => {
    waiting = null;
    let isChanged = false;
    const changed = (): void => void (isChanged = true);
    model.contentChanged.connect(changed);
    try {
      await save();
      if (isChanged) {
        // Typed while the file was on its way: JupyterLab would call it saved.
        model.dirty = true;
      }
    } finally {
      model.contentChanged.disconnect(changed);
    }
  };
  document.save = () => {
    if (waiting === null) {
      waiting = last.then(turn);
      last = waiting.catch(() => undefined);
    }
    return waiting;
  };
}
