import type { Model } from './model.ts';

/**
 * A logistic model as an ONNX file: Gemm (the ratios times the weights, plus the intercept) and
 * Sigmoid. What standardises the ratios is folded into both. Written by hand after onnx.proto, in the
 * wire format of protocol buffers: a message is its fields, each a number, a kind and a value.
 */
export function onnxFile({ intercept, features }: Model): Uint8Array {
  const weights = features.map(({ weight, deviation }) => weight / deviation);
  const shift = features.reduce(
    (sum, { weight, mean, deviation }) => sum - (weight * mean) / deviation,
    intercept,
  );
  const graph = [
    message(1, node('Gemm', ['ratios', 'weights', 'intercept'], 'odds')),
    message(1, node('Sigmoid', ['odds'], 'probability')),
    text(2, 'logistic'),
    message(5, tensor('weights', [features.length, 1], weights)),
    message(5, tensor('intercept', [1], [shift])),
    message(11, value('ratios', features.length)),
    message(12, value('probability', 1)),
  ];
  return Buffer.concat([
    // The version of the format, and that of its operators.
    integer(1, 8),
    message(7, graph),
    message(8, [text(1, ''), integer(2, 13)]),
  ]);
}

function node(operator: string, inputs: readonly string[], output: string): Buffer[] {
  return [...inputs.map((name) => text(1, name)), text(2, output), text(4, operator)];
}

const FLOAT = 1;

function tensor(name: string, dims: readonly number[], values: readonly number[]): Buffer[] {
  const raw = Buffer.from(Float32Array.from(values).buffer);
  return [...dims.map((dim) => integer(1, dim)), integer(2, FLOAT), text(8, name), bytes(9, raw)];
}

/** A matrix with as many rows as are scored at once. */
function value(name: string, width: number): Buffer[] {
  const shape = [message(1, [text(2, 'rows')]), message(1, [integer(1, width)])];
  const type = [integer(1, FLOAT), message(2, shape)];
  return [text(1, name), message(2, [message(1, type)])];
}

function message(field: number, parts: readonly Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts));
}

function text(field: number, content: string): Buffer {
  return bytes(field, Buffer.from(content));
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

function integer(field: number, content: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(content)]);
}

function varint(number: number): Buffer {
  const groups: number[] = [];
  let rest = number;
  for (; rest > 127; rest >>>= 7) groups.push((rest & 127) | 128);
  return Buffer.from([...groups, rest]);
}
