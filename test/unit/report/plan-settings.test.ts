import { expect, test } from 'vitest';
import { pageFor } from '../../../src/report/page.ts';
import { settingsSection } from '../../../src/report/plan-settings.ts';
import { printPlan } from '../../../src/report/plan-text.ts';
import { plan } from './fixtures.ts';

test('the settings of the sessions: name, value, who says so, why', () => {
  const text = settingsSection(plan(), pageFor({ color: false, width: 100 }));
  expect(`\n${text}\n`).toMatchInlineSnapshot(`
    "
    Session settings
      setting       value  from    why
      ────────────  ─────  ──────  ──────────────────────────────────────────────────────────
      work_mem       64MB  engine  shared_buffers of 128MB over 2 workers, from 16MB to 256MB
      temp_buffers    8MB  server  more of it gained nothing
      jit              on  job     as the job says
    "
  `);
});

test('they are part of the plan where they are asked for, and only there', () => {
  const options = { color: false, width: 100, verbose: true };
  expect(printPlan(plan(), options)).not.toContain('Session settings');
  expect(printPlan(plan(), { ...options, settings: true })).toContain('Session settings');
});

test('a value from a job cannot steer the terminal', () => {
  const session = [{ name: 'work_mem', value: '\u001b[2J', from: 'job', why: 'x' }] as const;
  const text = settingsSection({ ...plan(), session }, pageFor({ color: false, width: 100 }));
  expect(text).not.toContain('\u001b');
});
