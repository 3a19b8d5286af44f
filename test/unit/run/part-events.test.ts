import { expect, test } from 'vitest';
import type { UnitNews } from '../../../src/load/unit-task.ts';
import type { UnitPlan } from '../../../src/plan/plan-types.ts';
import type { RunEvent } from '../../../src/run/events.ts';
import { createPartEvents } from '../../../src/run/part-events.ts';

const unit = { ordinal: 0, files: [0], estimatedRows: 1, bytes: 50, range: null };

function partUnit(index: number): UnitPlan {
  return { ...unit, part: { index, of: 2, from: 50 * index, to: 50 * (index + 1) } };
}

function started(file = 0): UnitNews {
  return { kind: 'file-started', file };
}

function progress(rows: number, bytes: number): UnitNews {
  return { kind: 'file-progress', file: 0, rows, bytes };
}

test('the parts of a file tell one story, a part that is tried again included', () => {
  const events: RunEvent[] = [];
  const tell = createPartEvents(3, (event) => events.push(event));
  const [a, b] = [partUnit(0), partUnit(1)];
  tell(a, started(), 1);
  tell(b, started(), 1);
  tell(a, progress(5, 20), 1);
  tell(b, progress(7, 30), 1);
  tell(b, started(), 2);
  tell(a, { kind: 'file-staged', file: 0, rows: 12 }, 1);
  tell(b, { kind: 'file-staged', file: 0, rows: 13 }, 2);
  const at = { load: 3, file: 0 };
  expect(events).toEqual([
    { kind: 'file-started', ...at, attempt: 1 },
    { kind: 'file-progress', ...at, rows: 5, bytes: 20 },
    { kind: 'file-progress', ...at, rows: 12, bytes: 50 },
    { kind: 'file-progress', ...at, rows: 12, bytes: 50 },
    { kind: 'file-staged', ...at, rows: 25 },
  ]);
});

test('whole files tell their own', () => {
  const events: RunEvent[] = [];
  const tell = createPartEvents(0, (event) => events.push(event));
  tell({ ...unit, part: null }, started(4), 2);
  expect(events).toEqual([{ kind: 'file-started', load: 0, file: 4, attempt: 2 }]);
});
