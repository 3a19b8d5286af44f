import { expect, test } from 'vitest';
import { onnxFile } from '../../../examples/company-predictions/onnx-file.ts';
import { logisticModel, readModel } from '../../../examples/company-predictions/model.ts';

/**
 * The ONNX file of the example, read back by the numbers of the fields in the published onnx.proto and
 * evaluated as its operators are defined, in floats of 32 bits: so it is what a runtime will read.
 */
type Field = { readonly number: number; readonly value: number | Buffer };

/** The fields of a message in the wire format of protocol buffers. */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = tag >>> 3;
    if ((tag & 7) === 0) {
      fields.push({ number, value: varint() });
      continue;
    }
    expect(tag & 7).toBe(2);
    const length = varint();
    expect(at + length).toBeLessThanOrEqual(bytes.length);
    fields.push({ number, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

const all = (fields: readonly Field[], number: number): Field['value'][] =>
  fields.filter((field) => field.number === number).map(({ value }) => value);
const texts = (fields: readonly Field[], number: number): string[] =>
  all(fields, number).map((value) => (value as Buffer).toString());
const messages = (fields: readonly Field[], number: number): Field[][] =>
  all(fields, number).map((value) => fieldsOf(value as Buffer));
const one = <T>(values: readonly T[]): T => {
  expect(values).toHaveLength(1);
  return values[0] as T;
};

const model = await readModel(
  new URL('../../../examples/company-predictions/model.json', import.meta.url),
);
const file = fieldsOf(Buffer.from(onnxFile(model)));
const graph = one(messages(file, 7));

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
const tensors = new Map(
  messages(graph, 5).map((tensor) => {
    const raw = one(all(tensor, 9)) as Buffer;
    const values = Array.from({ length: raw.length / 4 }, (_, at) => raw.readFloatLE(4 * at));
    expect(all(tensor, 2)).toEqual([1]);
    expect((all(tensor, 1) as number[]).reduce((product, dim) => product * dim, 1)).toBe(
      values.length,
    );
    return [one(texts(tensor, 8)), values] as const;
  }),
);

test('says what it is: the version of the format, the operators, what goes in and comes out', () => {
  expect(all(file, 1)).toEqual([8]);
  const operators = one(messages(file, 8));
  expect([texts(operators, 1), all(operators, 2)]).toEqual([[''], [13]]);
  const nodes = messages(graph, 1).map((node) => [texts(node, 1), texts(node, 2), texts(node, 4)]);
  expect(nodes).toEqual([
    [['ratios', 'weights', 'intercept'], ['odds'], ['Gemm']],
    [['odds'], ['probability'], ['Sigmoid']],
  ]);
  // ValueInfoProto: name 1, type 2; TypeProto: tensor_type 1, of elem_type 1 and shape 2.
  const shapes = [11, 12].map((number) => {
    const value = one(messages(graph, number));
    const type = one(messages(one(messages(value, 2)), 1));
    expect(all(type, 1)).toEqual([1]);
    const dims = messages(one(messages(type, 2)), 1);
    return [one(texts(value, 1)), texts(dims[0] ?? [], 2), all(dims[1] ?? [], 1)];
  });
  expect(shapes).toEqual([
    ['ratios', ['rows'], [model.features.length]],
    ['probability', ['rows'], [1]],
  ]);
});

test('scores as the model in TypeScript does, within a millionth', async () => {
  const { fround } = Math;
  const weights = tensors.get('weights') ?? [];
  const [intercept = NaN] = tensors.get('intercept') ?? [];
  const width = model.features.length;
  const rows = 2_000;
  const ratios = Float64Array.from({ length: rows * width }, (_, at) => {
    const { mean, deviation } = model.features[at % width] ?? { mean: NaN, deviation: NaN };
    return mean + 4 * Math.sin(at * 12.9898) * deviation;
  });
  const expected = await logisticModel(model)(ratios);
  let worst = 0;
  for (let row = 0; row < rows; row++) {
    let odds = 0;
    for (let at = 0; at < width; at++) {
      const ratio = fround(ratios[row * width + at] ?? NaN);
      odds = fround(odds + fround(ratio * (weights[at] ?? NaN)));
    }
    const probability = 1 / (1 + Math.exp(-fround(odds + intercept)));
    worst = Math.max(worst, Math.abs(probability - (expected[row] ?? NaN)));
  }
  expect(worst).toBeLessThan(1e-6);
});
