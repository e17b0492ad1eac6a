/** Drafts in the browser's own database. */

import { IDraft, IDrafts } from './drafts';

const STORE = 'drafts';

/** Drafts of one server, kept in IndexedDB. Each method rejects where the browser keeps nothing. */
export class DraftStore implements IDrafts {
  /** `server` is the server's base URL: a browser that two students use keeps theirs apart. */
  constructor(server: string) {
    this._name = `labswarm ${new URL(server).pathname}`;
  }

  async keep(draft: IDraft): Promise<void> {
    await this._do('readwrite', store => store.put(draft));
  }

  async find(path: string): Promise<IDraft | null> {
    return ((await this._do('readonly', store => store.get(path))) as IDraft | undefined) ?? null;
  }

  async forget(path: string): Promise<void> {
    await this._do('readwrite', store => store.delete(path));
  }

  async forgetBefore(at: number): Promise<void> {
    const all = (await this._do('readonly', store => store.getAll())) as IDraft[];
    for (const draft of all.filter(one => one.at < at)) {
      await this.forget(draft.path);
    }
  }

  private async _do(
    mode: IDBTransactionMode,
    what: (store: IDBObjectStore) => IDBRequest
  ): Promise<unknown> {
    this._database ??= opened(this._name);
    const database = await this._database;
    return result(what(database.transaction(STORE, mode).objectStore(STORE)));
  }

  private _name: string;
  private _database: Promise<IDBDatabase> | null = null;
}

function opened(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'path' });
  return result(request);
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}
