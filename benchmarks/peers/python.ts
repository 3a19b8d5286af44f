import { succeeds } from './probe.ts';

/** The distribution's own Python comes second: often it alone has the modules. */
const PYTHONS = ['python3', '/usr/bin/python3'];

/** A Python that can import the modules, or null. */
export async function pythonWith(...modules: readonly string[]): Promise<string | null> {
  for (const python of PYTHONS) {
    if (await succeeds(python, '-c', `import ${modules.join(', ')}`)) return python;
  }
  return null;
}

/** An uncaught error in one line, as psql would say it. The script has imported sys. */
export const PYTHON_SAYS_ERRORS = `
def say(kind, error, trace):
    print("ERROR: " + str(error).split(chr(10))[0], file=sys.stderr)

sys.excepthook = say
`;
