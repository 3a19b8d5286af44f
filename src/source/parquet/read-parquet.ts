export { rowsBefore } from './row-groups.ts';
export { readBatches as readParquet, type ReadParquetOptions } from './read-batches.ts';
