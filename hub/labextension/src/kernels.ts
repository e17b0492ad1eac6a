/** Kernels after a move: the former server's are gone. */

import { ISessionContext } from '@jupyterlab/apputils';

/** A session whose kernel is gone, and the name of the kernel that it had. */
export interface ILost {
  readonly session: ISessionContext;
  readonly kernel: string;
}

/**
 * Let go of each kernel that is not among the `living` (ids), without a word of JupyterLab's; the
 * others connect again. Call it before any other request reaches the new server.
 */
export function letGo(sessions: Iterable<ISessionContext>, living: ReadonlySet<string>): ILost[] {
  const lost: ILost[] = [];
  for (const session of sessions) {
    const connection = session.session;
    const kernel = connection?.kernel;
    if (connection == null || kernel == null) {
      continue;
    }
    if (living.has(kernel.id)) {
      void kernel.reconnect().catch(() => undefined);
    } else {
      lost.push({ session, kernel: kernel.name });
      connection.dispose();
    }
  }
  return lost;
}

/** Start each kernel again, one after the other: a whole class does so on one machine. */
export async function startAgain(lost: readonly ILost[]): Promise<void> {
  for (const { session, kernel } of lost) {
    if (!session.isDisposed) {
      // JupyterLab itself says why a kernel does not start.
      await session.changeKernel({ name: kernel }).catch(() => undefined);
    }
  }
}
