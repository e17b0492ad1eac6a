/** The documents and consoles that are open in the page. */

import { JupyterFrontEnd } from '@jupyterlab/application';
import { ISessionContext } from '@jupyterlab/apputils';
import { DocumentRegistry } from '@jupyterlab/docregistry';

/** Where JupyterLab and Notebook put what is open. */
const AREAS = ['main', 'down', 'right', 'left'];

interface IOpen {
  readonly context?: DocumentRegistry.Context;
  readonly sessionContext?: ISessionContext;
}

function* open(app: JupyterFrontEnd): Iterable<IOpen> {
  for (const area of AREAS) {
    let widgets: Iterable<unknown>;
    try {
      widgets = app.shell.widgets(area);
    } catch {
      continue; // Notebook's shell has fewer areas.
    }
    for (const widget of widgets) {
      yield widget as IOpen;
    }
  }
}

/** Every open document, once, however many views of it there are. */
export function openDocuments(app: JupyterFrontEnd): Set<DocumentRegistry.Context> {
  const found = new Set<DocumentRegistry.Context>();
  for (const { context } of open(app)) {
    if (typeof context?.save === 'function' && !context.isDisposed) {
      found.add(context);
    }
  }
  return found;
}

/** The session of everything open that may have a kernel: documents and consoles. */
export function openSessions(app: JupyterFrontEnd): Set<ISessionContext> {
  const found = new Set<ISessionContext>();
  for (const { context, sessionContext } of open(app)) {
    const session = sessionContext ?? context?.sessionContext;
    if (session !== undefined && !session.isDisposed) {
      found.add(session);
    }
  }
  return found;
}
