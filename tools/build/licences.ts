import type { Metafile } from 'esbuild';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The licences of the packages in the bundle, which each of them wants to go along with its code. */
export async function writeLicences(
  root: string,
  path: string,
  inputs: Metafile['inputs'],
): Promise<void> {
  // What stands in front of a package has a name with a colon, and the package is there by itself.
  const files = Object.keys(inputs).filter((input) => !input.includes(':'));
  const folders = files.map((input) => PACKAGE.exec(input)?.[0]);
  const packages = [...new Set(folders.filter((folder) => folder !== undefined))].sort();
  const texts = await Promise.all(packages.map((folder) => licenceOf(join(root, folder))));
  await writeFile(path, texts.join(`\n${'-'.repeat(80)}\n\n`));
}

/** The folder of the package that a file belongs to. */
const PACKAGE = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

async function licenceOf(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const name = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
  const text = name === undefined ? '' : `\n${await readFile(join(folder, name), 'utf8')}`;
  return `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})\n${text}`;
}
