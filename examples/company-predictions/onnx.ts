import { onnxFile } from './onnx-file.ts';
import type { Model, Predict } from './model.ts';

/** The part of onnxruntime-node that is needed. */
interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array): Promise<Session> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object;
}

interface Session {
  run(
    feeds: Readonly<Record<string, object>>,
  ): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>;
}

/** The same model, run by onnxruntime-node; null where that is not installed. */
export async function onnxModel(model: Model): Promise<Predict | null> {
  const runtime = await importRuntime();
  if (runtime === null) return null;
  const session = await runtime.InferenceSession.create(onnxFile(model));
  const width = model.features.length;
  return async (ratios) => {
    const dims = [ratios.length / width, width];
    const input = new runtime.Tensor('float32', Float32Array.from(ratios), dims);
    const { probability } = await session.run({ ratios: input });
    return probability?.data ?? [];
  };
}

async function importRuntime(): Promise<Runtime | null> {
  // A name that is not a literal, since the package is nobody's dependency here.
  const name: string = 'onnxruntime-node';
  try {
    return (await import(name)) as Runtime;
  } catch {
    return null;
  }
}
