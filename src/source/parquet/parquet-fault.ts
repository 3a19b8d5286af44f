import { EtlError } from '../../errors.ts';

/** What a decoder finds wrong; who knows the file and the column makes an EtlError of it. */
export class PageFault extends Error {
  readonly code: 'ETL_PARQUET_CORRUPT' | 'ETL_PARQUET_UNSUPPORTED';

  constructor(sentence: string, code: PageFault['code'] = 'ETL_PARQUET_CORRUPT') {
    super(sentence);
    this.code = code;
  }
}

/** Where in a file something happened; `rowGroup` counts from 0, the message from 1. */
export interface ParquetPlace {
  readonly file: string;
  readonly column?: string;
  readonly rowGroup?: number;
}

const REMEDY = {
  ETL_PARQUET_CORRUPT: 'Fetch or write the file again.',
  ETL_PARQUET_UNSUPPORTED:
    'Write the file again with common settings (ZSTD or SNAPPY, not encrypted).',
} as const;

export function parquetError(sentence: string, place: ParquetPlace): EtlError {
  return parquetErrorOf(new PageFault(sentence), place);
}

export function unsupportedError(sentence: string, place: ParquetPlace): EtlError {
  return parquetErrorOf(new PageFault(sentence, 'ETL_PARQUET_UNSUPPORTED'), place);
}

/**
 * The EtlError of whatever a decoder threw. Damaged bytes also surface as RangeError, TypeError or
 * an error of zlib, since the decoders read through typed arrays that cannot leave their page:
 * those stay as the cause, since their text says nothing to whoever has the file.
 */
export function parquetErrorOf(error: unknown, place: ParquetPlace): EtlError {
  if (error instanceof EtlError) return error;
  const fault = error instanceof PageFault ? error : new PageFault('its data is damaged');
  const group = place.rowGroup === undefined ? '' : `row group ${place.rowGroup + 1}: `;
  return new EtlError(
    fault.code,
    `${group}${fault.message.replace(/\.$/, '')}.`,
    REMEDY[fault.code],
    { file: place.file, ...(place.column === undefined ? {} : { column: place.column }) },
    { cause: error },
  );
}
