import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { forEachFile, tellFiles } from '../../../src/run/tell-files.ts';
import { fileReport } from '../report/fixtures.ts';

describe('telling of very many files', () => {
  it('comes to each in its order, and lets others have their turn', async () => {
    const places: number[] = [];
    let turns = 0;
    let going = true;
    const other = (): void => {
      turns += 1;
      if (going) setImmediate(other);
    };
    setImmediate(other);
    await forEachFile(Array(5_000).keys(), (file, place) => {
      expect(file).toBe(place);
      places.push(place);
    });
    going = false;
    expect(places).toEqual([...Array(5_000).keys()]);
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it('tells of all, and lists few of many documents', async () => {
    const files = LIMITS.reportDocumentsMax + 7;
    function* reports() {
      for (let file = 0; file < files; file++) {
        yield fileReport(file, { format: 'document', status: 'loaded' });
      }
    }
    const told: number[] = [];
    const listed = await tellFiles(reports(), (file) => told.push(file));
    expect(told).toEqual([...Array(files).keys()]);
    expect(listed.files).toHaveLength(LIMITS.reportDocumentsMax);
    expect(listed.unlisted).toMatchObject([{ status: 'loaded', files: 7 }]);
  });
});
