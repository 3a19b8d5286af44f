import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The declarations of the library's door and of what it names, by tsc; its exit code. */
export async function writeDeclarations(root: string): Promise<number> {
  const tsc = spawn(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
    { cwd: root, stdio: 'inherit' },
  );
  const [code] = (await once(tsc, 'close')) as [number | null];
  return code ?? 1;
}
