import { PageFault } from './parquet-fault.ts';

const RUN_BYTES_MAX = 64 * 1024;

/**
 * A number in Thrift's compact form goes on while bytes are above 127, at most ten of them.
 * hyparquet does not stop there, and its time grows with the square: a damaged region of megabytes
 * would take minutes. Text may rightly have such runs, but not of this length.
 */
export function refuseEndlessNumbers(bytes: Uint8Array): void {
  if (bytes.length <= RUN_BYTES_MAX) return;
  let run = 0;
  for (const byte of bytes) {
    run = byte > 127 ? run + 1 : 0;
    if (run > RUN_BYTES_MAX) throw new PageFault('its metadata is damaged');
  }
}
