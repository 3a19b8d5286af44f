/** A Zstandard frame of raw blocks, which any compressor may write: magic, header, blocks. */
export function zstdFrame(content: Buffer, blockBytes = 1000): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32LE(0xfd2fb528, 0);
  // Frame_Header_Descriptor: content size of 8 bytes, single segment, no checksum.
  header[4] = 0b1110_0000;
  header.writeBigUInt64LE(BigInt(content.length), 5);
  const blocks: Buffer[] = [];
  for (let start = 0; start < content.length || start === 0; start += blockBytes) {
    const block = content.subarray(start, start + blockBytes);
    const last = start + blockBytes >= content.length ? 1 : 0;
    const blockHeader = Buffer.alloc(3);
    blockHeader.writeUIntLE((block.length << 3) | last, 0, 3);
    blocks.push(blockHeader, block);
  }
  return Buffer.concat([header, ...blocks]);
}
