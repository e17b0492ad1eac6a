import { expect, test } from 'vitest';

import { reportWork } from '../src/working';

function page(isWarned = false): { deed: (kind: string, at: number) => void; reports: number[] } {
  const reports: number[] = [];
  const target = new EventTarget();
  let now = 0;
  reportWork(() => void reports.push(now), () => isWarned, target, () => now);
  const deed = (kind: string, at: number): void => {
    now = at;
    target.dispatchEvent(new Event(kind));
  };
  return { deed, reports };
}

test('work is reported at once and then once a minute', () => {
  const { deed, reports } = page();
  for (const at of [5_000, 6_000, 40_000, 65_000, 66_000]) {
    deed('keydown', at);
  }
  expect(reports).toEqual([5_000, 65_000]);
});

test.each(['keydown', 'pointerdown', 'wheel', 'touchstart'])('%s is work', kind => {
  const { deed, reports } = page();
  deed(kind, 0);
  expect(reports).toEqual([0]);
});

test.each(['scroll', 'load', 'visibilitychange'])('%s is no work: a page does so by itself', kind => {
  const { deed, reports } = page();
  deed(kind, 0);
  expect(reports).toEqual([]);
});

test('a student who reads that the server stops need not wait for a minute', () => {
  const { deed, reports } = page(true);
  deed('keydown', 0);
  deed('keydown', 3_000);
  expect(reports).toEqual([0, 3_000]);
});
