import { describe, expect, test } from 'vitest';
import type { TargetPlan } from '../../../src/plan/plan-types.ts';
import { printPlan } from '../../../src/report/plan-text.ts';
import { printSummary } from '../../../src/report/summary-text.ts';
import { loadPlan, loadReport, plan, report } from './fixtures.ts';

const names: TargetPlan = {
  table: { ...loadPlan().table, sqlName: 'app.names', oid: 7, estimatedRows: 0, empty: true },
  key: ['name'],
  onConflict: 'ignore',
  versionColumn: null,
  where: null,
};
const made: TargetPlan = {
  ...names,
  table: { ...names.table, sqlName: 'app.log', oid: null, create: 'create table app.log (id int)' },
  key: [],
  onConflict: 'append',
  where: 'id > 3\u001b[31m',
};
const several = plan([loadPlan({ targets: [names, made] })]);

describe('further tables', () => {
  test('of the plan in full, with what they take and how', () => {
    const text = printPlan(several, { color: false, width: 110, verbose: true });
    expect(text).toContain(
      [
        '  Further tables, in the same transaction',
        '    - app.names, exists, empty; key name, ignore: the row of the table stays, else the first row wins',
        '    - app.log, to be created; append: every row is added; only rows where id > 3',
      ].join('\n'),
    );
    expect(text).toContain('    create table app.log (id int)');
    expect(text).not.toContain('\u001b');
  });

  test('of the brief plan, by name', () => {
    const text = printPlan(several, { color: false, width: 110, verbose: false });
    expect(text).toContain('  and into app.names, in the same transaction');
  });

  test('of the summary, with their counts', () => {
    const none = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, filtered: 0 };
    const unknown = {
      ...{ inserted: null, updated: null, unchanged: null },
      ...{ superseded: null, filtered: null },
    };
    const targets = [
      { ...none, table: 'app.names', inserted: 1_200, superseded: 800 },
      { ...none, table: 'app.log' },
      { ...unknown, table: 'app.lost' },
    ];
    const text = printSummary(report({ loads: [loadReport({ targets })] }), {
      color: false,
      width: 110,
    });
    expect(text).toContain('  and into app.names: 1,200 inserted, 800 superseded\n');
    expect(text).toContain('  and into app.log: nothing\n');
    expect(text).toContain('  and into app.lost: not known\n');
  });
});
