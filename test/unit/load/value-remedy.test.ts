import { describe, expect, test } from 'vitest';
import { setting } from '../../../src/remedy.ts';
import { remedyOfValue } from '../../../src/load/value-remedy.ts';

describe('the remedy for a value', () => {
  test.each(['NULL', 'null', 'N/A', 'NA', '#N/A', '-', '--', '\\N', 'None'])(
    'that stands for none, %s, is the flag with it',
    (value) => {
      const { flag, field } = setting('csv.null', value);
      expect(remedyOfValue(value, '')).toMatchObject({
        text: `Where it stands for no value: ${flag}; else correct it in the file.`,
        settings: [{ flag, field }],
      });
      expect(remedyOfValue(value, null)).toBeNull();
    },
  );

  test('that stands for none beside another text for it is no matter of the flag', () => {
    expect(remedyOfValue('N/A', 'NULL')).toContain('here NULL');
    expect(remedyOfValue('N/A', 'NULL')).not.toContain('--csv-null');
  });

  test.each([
    '12,50',
    '1.234,56',
    '1,234.56',
    '$5.10',
    '5,10 €',
    "1'234.50",
    '12 %',
    '(1,5)',
    '-7,5',
  ])('that is a number elsewhere, %s, names the point', (value) => {
    expect(remedyOfValue(value, '')).toContain('1234.56');
  });

  test.each(['31.12.2025', '31/12/25', '31-12-2025 10:00', '13.1.2026'])(
    'that is a date with the day first, %s, is the order of the role',
    (value) => {
      expect(remedyOfValue(value, '')).toContain(`set datestyle = 'ISO, DMY'`);
    },
  );

  test.each([
    'abc',
    '',
    '12.5',
    '99999999999',
    '2025-13-01',
    '1.2.3.4',
    '12-34',
    'x,y',
    '12,50 apples',
  ])('that is anything else, %j, is not guessed', (value) => {
    expect(remedyOfValue(value, '')).toBeNull();
  });
});
