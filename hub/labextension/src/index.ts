/** The browser half of labswarm: a student's page tells what happens to its server. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Banner } from './banner';
import { ServerClock } from './countdown';
import { openDocuments } from './documents';
import { INotice, endsServer } from './notice';
import { inSentences, saveAll } from './saving';
import { Server } from './server';
import { watch } from './watching';

const ID = 'jupyterlab-labswarm:plugin';

const plugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "Shows what happens to the student's server, and saves before it moves.",
  autoStart: true,
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null): void => {
    const server = new Server(app.serviceManager.serverSettings);
    const clock = new ServerClock();
    const banner = new Banner(clock);
    const settings = registry?.load(ID).catch(() => null) ?? Promise.resolve(null);

    const noticed = async (notice: INotice | null): Promise<void> => {
      if (notice === null) {
        banner.hide();
        return;
      }
      banner.show(notice);
      const saves = ((await settings)?.composite.saveAtNotice ?? true) as boolean;
      if (saves && endsServer(notice)) {
        banner.detail(inSentences(await saveAll(openDocuments(app))));
      }
    };

    void app.restored.then(() =>
      watch({ ...server.watched(), noticed: notice => void noticed(notice) }, clock)
    );
  }
};

export default plugin;
