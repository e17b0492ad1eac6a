/** The browser half of labswarm: a student's page shows notices about its server, and stays. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, Notification } from '@jupyterlab/apputils';
import { DocumentRegistry } from '@jupyterlab/docregistry';
import { ServerConnection } from '@jupyterlab/services';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Banner, IAction } from './banner';
import { ServerClock } from './countdown';
import { openDocuments, openSessions } from './documents';
import { DraftStore } from './draft_store';
import { IDraft, OLD_MS, keepUnsaved } from './drafts';
import { Gate } from './gate';
import { Hub, whose } from './hub';
import { ILost, letGo, startAgain } from './kernels';
import { Mover } from './mover';
import { IMessage, INotice, canKeep, endsServer, nameOf } from './notice';
import { Overlay } from './overlay';
import { inSentences, saveAll } from './saving';
import { Server } from './server';
import { saveInTurn } from './turns';
import { watch } from './watching';
import { reportWork } from './working';

const ID = 'jupyterlab-labswarm:plugin';
const RUN_ALL_ABOVE = 'notebook:run-all-above';

const plugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "Shows what happens to the student's server, saves, and stays through a move.",
  autoStart: true,
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null): void => {
    const { serverSettings } = app.serviceManager;
    const server = new Server(serverSettings);
    const clock = new ServerClock();
    const banner = new Banner(clock);
    const messages = new Banner(clock, 'message');
    const settings = registry?.load(ID).catch(() => null) ?? Promise.resolve(null);
    let last: INotice | null = null;
    const works = (): void => void server.works().catch(() => undefined);
    reportWork(works, () => canKeep(last));

    const noticed = async (notice: INotice | null): Promise<void> => {
      last = notice;
      if (notice === null) {
        banner.hideNotice();
        return;
      }
      const keep = (): void => {
        // Where the server did not hear it, the button stays.
        void server.works().then(
          () => banner.hide(),
          () => undefined
        );
      };
      banner.show(notice, canKeep(notice) ? [{ label: 'Keep working', press: keep }] : []);
      if (!endsServer(notice)) {
        return;
      }
      if (((await settings)?.composite.saveAtNotice ?? true) as boolean) {
        banner.detail(inSentences(await saveAll(openDocuments(app))));
      }
      // Without it the server stops some seconds later.
      await server.saved(nameOf(notice)).catch(() => undefined);
    };

    const messaged = (message: IMessage | null): void => {
      if (message === null) {
        messages.hide();
      } else {
        messages.say('A message from your instructor:', message.text);
      }
    };

    const mover = moverOf(
      app,
      server,
      banner,
      () => last,
      () => gate?.repeat()
    );
    let gate: Gate | undefined;
    if (mover !== null) {
      gate = new Gate(
        serverSettings.fetch,
        () => mover.away,
        () => mover.check()
      );
      // All of JupyterLab's managers ask by this one object.
      (serverSettings as { fetch: ServerConnection.ISettings['fetch'] }).fetch = gate.fetch;
    }
    keepDrafts(app, server.baseUrl, async () => {
      return ((await settings)?.composite.keepUnsavedText ?? true) as boolean;
    });
    const unanswered = async (): Promise<void> => void (await mover?.check());
    void app.restored.then(() =>
      watch(
        { ...server.watched(), unanswered, noticed: notice => void noticed(notice), messaged },
        clock
      )
    );
  }
};

/** Have every notebook and file of text that is opened saved in turn, and keep its unsaved text, if it is `wanted`. */
function keepDrafts(app: JupyterFrontEnd, baseUrl: string, wanted: () => Promise<boolean>): void {
  const drafts = new DraftStore(baseUrl);
  void drafts.forgetBefore(Date.now() - OLD_MS).catch(() => undefined);
  const kept = new WeakSet<DocumentRegistry.Context>();
  const keep = async (context: DocumentRegistry.Context, isNotebook: boolean): Promise<void> => {
    if (!kept.has(context)) {
      kept.add(context);
      saveInTurn(context);
      if (await wanted()) {
        await keepUnsaved(context, isNotebook, drafts, offer);
      }
    }
  };
  for (const factory of ['Notebook', 'Editor']) {
    app.docRegistry.addWidgetExtension(factory, {
      createNew: (_, context) => void keep(context, factory === 'Notebook')
    });
  }
}

/** Ask the student, in one of JupyterLab's notifications, whether they want a draft back. */
function offer(draft: IDraft): Promise<boolean> {
  return new Promise(answer => {
    const at = new Date(draft.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    Notification.warning(`${draft.path} has text from ${at} that was not saved.`, {
      autoClose: false,
      actions: [
        { label: 'Put it back', displayType: 'accent', callback: () => answer(true) },
        { label: 'Discard it', callback: () => answer(false) }
      ]
    });
  });
}

/** The watcher that brings the page through a move; null without a hub. */
function moverOf(
  app: JupyterFrontEnd,
  server: Server,
  banner: Banner,
  lastNotice: () => INotice | null,
  repeat: () => void
): Mover | null {
  const ours = whose();
  if (ours === null) {
    return null;
  }
  let lost: ILost[] = [];
  const mover = new Mover(server, new Hub(ours), new Overlay(), {
    lastNotice,
    left: () => banner.hide(),
    returned: async () => {
      lost = letGo(openSessions(app), await server.livingKernels());
      repeat();
    },
    reopened: () => {
      sayBack(app, banner, lost.length > 0);
      void startAgain(lost);
    }
  });
  // A dialog of JupyterLab's about a server that is away says nothing that the overlay does not.
  Dialog.tracker.widgetAdded.connect((_, dialog) => {
    if (mover.away !== null) {
      dialog.reject();
    }
  });
  return mover;
}

function sayBack(app: JupyterFrontEnd, banner: Banner, isAnother: boolean): void {
  if (!isAnother) {
    banner.say('Your server is here again.', 'This page goes on where it was.');
    return;
  }
  const actions: IAction[] = [];
  if (app.commands.hasCommand(RUN_ALL_ABOVE)) {
    const press = (): void => void app.commands.execute(RUN_ALL_ABOVE);
    actions.push({ label: 'Run all above', press });
  }
  banner.say(
    'Your server is here again, on another machine.',
    'Your documents are as you left them. Variables are gone, for the kernels are new: run your cells again.',
    actions
  );
}

export default plugin;
