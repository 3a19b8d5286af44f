import type { FastifyInstance } from 'fastify';
import { open, type FileHandle } from 'node:fs/promises';
import type { Register } from './register.ts';
import { Refusal } from './refusal.ts';
import { known } from './run-routes.ts';
import type { UploadReport } from './upload.ts';

/**
 * `GET /runs/:id/rejects`: the rows of an upload that a quarantine took, and why, as CSV. The file is the
 * one that the engine wrote; it stays until somebody removes it.
 */
export function rejectRoutes(app: FastifyInstance, register: Register): void {
  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/runs/:id/rejects',
    async ({ params, query }, reply) => {
      const path = rejectsOf(known(register, params.id), query['file']);
      const file = await opened(path);
      reply.header('content-type', 'text/csv; charset=utf-8');
      return reply.send(file.createReadStream());
    },
  );
}

/** `place`: of the file among those of the upload, from 1, where more than one has such rows. */
function rejectsOf({ id, finishedAt, files }: UploadReport, place: unknown): string {
  if (finishedAt === null) throw none(`The upload ${id} has not ended.`);
  const places = files.flatMap(({ rejects }, index) => (rejects === null ? [] : [index + 1]));
  if (places.length === 0) throw none(`No row of the upload ${id} was rejected.`);
  const [first] = places;
  const asked = place === undefined && places.length === 1 ? first : Number(place);
  const path = files[(asked ?? 0) - 1]?.rejects;
  if (typeof path === 'string') return path;
  throw new Refusal(
    400,
    `Rows of ${places.length === 1 ? 'one file' : `${places.length} files`} of the upload were rejected.`,
    `Say which: ?file=N, N being ${places.join(', ')}.`,
  );
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw none('The rejected rows are not there any more.');
  }
}

function none(sentence: string): Refusal {
  return new Refusal(404, sentence, 'GET /runs/<id> tells what became of the upload.');
}
