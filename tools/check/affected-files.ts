import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import ts from 'typescript';

export interface TypeCheck {
  readonly program: ts.Program;
  readonly problems: readonly ts.Diagnostic[];
  /**
   * Absolute paths of the files that were checked: those that changed since types were last
   * remembered, and those that use something whose declared type changed.
   */
  readonly affected: readonly string[];
  /** Writes down what was checked, so that the next check need not look at it. */
  remember(): void;
}

/**
 * Checks the types of a project where they may have changed. Types and lint rules that ask for types
 * see no more of another file than its declarations, so that a change within a function affects its
 * own file alone. The build info says what the declarations were; where there is none, every file
 * is affected. It is for the options that it was written with: others need another.
 */
export function checkTypes(configPath: string, buildInfoPath: string): TypeCheck {
  const config = readConfig(configPath, buildInfoPath);
  const builder = ts.createIncrementalProgram({
    rootNames: config.fileNames,
    options: config.options,
    configFileParsingDiagnostics: config.errors,
  });
  const affected: string[] = [];
  for (;;) {
    const next = builder.getSemanticDiagnosticsOfNextAffectedFile();
    if (next === undefined) break;
    const files = 'fileName' in next.affected ? [next.affected] : next.affected.getSourceFiles();
    affected.push(...files.map(({ fileName }) => fileName));
  }
  const problems = [
    ...builder.getConfigFileParsingDiagnostics(),
    ...builder.getOptionsDiagnostics(),
    ...builder.getSyntacticDiagnostics(),
    ...builder.getGlobalDiagnostics(),
    ...builder.getSemanticDiagnostics(),
  ];
  const remember = (): void => {
    builder.emit(undefined, (path, text) => {
      if (path !== config.options.tsBuildInfoFile) return;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    });
  };
  return { program: builder.getProgram(), problems, affected, remember };
}

/** With declarations, of which the build info keeps a digest each; they are not written. */
function readConfig(path: string, tsBuildInfoFile: string): ts.ParsedCommandLine {
  const config = ts.getParsedCommandLineOfConfigFile(
    path,
    {
      ...{ incremental: true, tsBuildInfoFile },
      ...{ noEmit: false, declaration: true, emitDeclarationOnly: true },
    },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
      },
    },
  );
  if (config === undefined) throw new Error(`${path} cannot be read.`);
  return config;
}
