/** Reports that somebody works at the page, so that its server does not count as idle. */

/** A hand on the keyboard, the mouse or the screen. A page that moves by itself causes none. */
const DEEDS = ['keydown', 'pointerdown', 'wheel', 'touchstart'];
/** Between two reports (ms); a server is idle after many minutes. */
const PAUSE_MS = 60_000;
/** The same while the student reads that the server stops. */
const SHORT_PAUSE_MS = 2_000;

/** Call `report` when somebody works, at most once a minute, and at once while `isWarned`. */
export function reportWork(
  report: () => void,
  isWarned: () => boolean,
  target: EventTarget = document,
  now: () => number = () => performance.now()
): void {
  let last = -Infinity;
  const deed = (): void => {
    if (now() - last >= (isWarned() ? SHORT_PAUSE_MS : PAUSE_MS)) {
      last = now();
      report();
    }
  };
  for (const kind of DEEDS) {
    target.addEventListener(kind, deed, { capture: true, passive: true });
  }
}
